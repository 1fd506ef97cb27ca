import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readChapter } from "./chapters.ts";
import { Clone } from "./clone.ts";
import { starterFiles } from "./starter-files.ts";

const MEMORY = "chapters/01-minimal-vm/memory.ts";
const MAIN = "chapters/01-minimal-vm/main.ts";
const chapter1 = readChapter("01-minimal-vm");

let clone: Clone;
beforeAll(() => {
  clone = new Clone();
  for (const { path, text } of starterFiles([chapter1])) clone.write(path, text);
});
afterAll(() => clone.delete());

/** The tool's errors are exactly one line, on stderr. */
async function oneLine(...words: string[]): Promise<{ code: number | null; line: string }> {
  const { code, stdout, stderr } = await clone.run("chapter", ...words);
  expect(stdout).toBe("");
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  return { code, line: stderr.trimEnd() };
}

describe("wrong words: one line and exit code 2", () => {
  it("an unknown word gets the nearest known one", async () => {
    expect(await oneLine("1", "solutoin")).toEqual({
      code: 2,
      line: "unknown word “solutoin”: did you mean “solution”?",
    });
  });

  it("a guest's name is known, too", async () => {
    expect(await oneLine("1", "triplefault")).toEqual({
      code: 2,
      line: "unknown word “triplefault”: did you mean “triple-fault”?",
    });
  });

  it("a task's name gets the command that tests it", async () => {
    expect(await oneLine("1", "test", "map-slots")).toEqual({
      code: 2,
      line: "“map-slots” is a task: test it alone by `npm run learn 1 map-slots`",
    });
  });

  it("a word like no other gets all of them", async () => {
    const { code, line } = await oneLine("1", "xyzzy-plugh");
    expect(code).toBe(2);
    expect(line).toMatch(/known are solution, mine, kvm, soft, .*spin$/);
  });

  it("a chapter that is not there gets the list", async () => {
    expect(await oneLine("99")).toEqual({
      code: 2,
      line: expect.stringMatching(/^there is no chapter 99: there are 1 \(A minimal virtual machine\)/),
    });
  });

  it("words that exclude each other, and two chapters, are refused", async () => {
    expect(await oneLine("1", "kvm", "soft")).toEqual({
      code: 2,
      line: "“kvm” and “soft” exclude each other",
    });
    expect((await oneLine("1", "2")).code).toBe(2);
  });
});

describe("lists", () => {
  it("help names every word", async () => {
    const { code, stdout } = await clone.run("chapter", "help");
    expect(code).toBe(0);
    for (const word of ["solution", "mine", "kvm", "soft", "trace", "test", "watch", "list", "help"]) {
      expect(stdout).toContain(`  ${word} `);
    }
  });

  it("the list of a chapter has its tasks and guests", async () => {
    const { stdout } = await clone.run("chapter", "1", "list");
    for (const { id } of chapter1.tasks) expect(stdout).toContain(id);
    for (const { name } of chapter1.guests) expect(stdout).toContain(name);
  });
});

describe("the learner's file", () => {
  it("a hole becomes a panel with task, place, what to write and where to read", async () => {
    const { code, stderr } = await clone.run("chapter", "1", "add");
    const task = chapter1.tasks[0]!;
    expect(code).toBe(1);
    expect(stderr).toContain(`(task ${task.id}, ${task.points} points)`);
    const line =
      clone
        .read(MEMORY)
        .split("\n")
        .findIndex(text => text.includes("throw new Error")) + 1;
    expect(stderr).toMatch(/where {3}chapters\/01-minimal-vm\/memory\.ts:\d+:\d+/);
    expect(
      clone
        .read(MEMORY)
        .split("\n")
        .slice(line - 1, line + 8)
        .join(),
    ).toContain(task.write);
    expect(stderr).toContain(`:${line}:`);
    expect(stderr.replace(/\s+/g, " ")).toContain(task.write);
    expect(stderr).toContain(task.heading);
    expect(stderr).toContain("npm run chapter 1 test");
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("a syntax error becomes its place and a code frame, without a stack", async () => {
    const starter = clone.read(MEMORY);
    clone.write(MEMORY, starter.replace("export const PAGE_SIZE = 4096;", "export const PAGE_SIZE = ;"));
    const { code, stderr } = await clone.run("chapter", "1", "add");
    clone.write(MEMORY, starter);
    expect(code).toBe(1);
    const [first = "", ...frame] = stderr.split("\n");
    const line = starter.split("\n").findIndex(text => text.startsWith("export const PAGE_SIZE")) + 1;
    expect(first).toBe(`${MEMORY}:${line}:26: Unexpected ";"`);
    expect(frame.find(text => text.startsWith(">"))).toBe(`> ${line} | export const PAGE_SIZE = ;`);
    expect(frame.find(text => text.trimEnd().endsWith("^"))?.indexOf("^")).toBe(`> ${line} | `.length + 25);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr, "no colours in a pipe").not.toContain("\x1b");
  });

  it("an error of its own becomes its place and a code frame", async () => {
    const starter = clone.read(MEMORY);
    clone.write(
      MEMORY,
      starter.replace(
        /throw new Error\([^;]+;/,
        "(undefined as unknown as Map<string, string>).get(String(region));",
      ),
    );
    const { code, stderr } = await clone.run("chapter", "1", "add");
    clone.write(MEMORY, starter);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^chapters\/01-minimal-vm\/memory\.ts:\d+:\d+: TypeError: Cannot read properties of undefined/,
    );
    expect(stderr).toContain("from chapters/01-minimal-vm/machine.ts:");
    expect(stderr).not.toContain("node:internal");
  });

  it("a guest image that is missing is named with the command that makes it", async () => {
    const other = new Clone();
    other.remove("chapters/01-minimal-vm/guest/add.bin");
    const { code, stderr } = await other.run("chapter", "1", "add", "solution");
    other.delete();
    expect(code).toBe(1);
    expect(stderr).toBe(
      "chapters/01-minimal-vm/guest/add.bin is missing: assemble it with `npm run guests`\n",
    );
  });
});

describe("Ctrl-C while the guest's loop never returns to Node", () => {
  for (const [whom, sign] of [
    ["the whole group, as a terminal does", -1],
    ["the runner alone", 1],
  ] as const) {
    it(`ends it, sent to ${whom}`, async () => {
      const spinning = new Clone();
      spinning.write(MAIN, `process.stdout.write("spinning\\n"); for (;;);\n`);
      const child = spinning.start("chapter", ["1"]);
      await once(child.stdout, "data");
      process.kill(sign * child.pid!, "SIGINT");
      const [code] = await once(child, "close");
      spinning.delete();
      expect(code).toBe(130);
    });
  }
});

describe("watch", () => {
  it("runs again after a save, until Ctrl-C", async () => {
    const watched = new Clone();
    watched.write(MAIN, `process.stdout.write("first\\n");\n`);
    const child = watched.start("chapter", ["1", "watch"]);
    let output = "";
    child.stdout.on("data", chunk => (output += chunk));
    await expect.poll(() => output, { timeout: 20_000 }).toContain("waiting for a save");
    watched.write(MAIN, `process.stdout.write("second\\n"); for (;;);\n`);
    await expect.poll(() => output, { timeout: 20_000 }).toContain("second");
    process.kill(-child.pid!, "SIGINT");
    const [code] = await once(child, "close");
    watched.delete();
    expect(code).toBe(130);
  });
});

describe("npm run chapter 1 test", () => {
  const BUS = "chapters/01-minimal-vm/bus.ts";
  const points = ({ stdout }: { stdout: string }) => /chapter 1: (\d+) of \d+ points/.exec(stdout)?.[1];

  it("gives points for what is written, and the hole's words for the rest", async () => {
    const bus = clone.read(BUS);
    clone.write(BUS, clone.read("solutions/01-minimal-vm/bus.ts"));
    const outcome = await clone.run("chapter", "1", "test");
    clone.write(BUS, bus);
    const ofBus = chapter1.tasks
      .filter(({ file }) => file === "bus.ts")
      .reduce((sum, task) => sum + task.points, 0);
    expect(outcome.code).toBe(1);
    expect(points(outcome)).toBe(String(ofBus));
    expect(outcome.stdout + outcome.stderr).toContain(`exercise map-slots: ${chapter1.tasks[0]!.write}`);
  });

  it("a loop that never ends costs a message", async () => {
    const bus = clone.read(BUS);
    clone.write(BUS, bus.replace(/throw new Error\([^;]+;/, "for (;;);"));
    const { code, stdout, stderr } = await clone.run("chapter", "1", "test");
    clone.write(BUS, bus);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain("“bus” did not come back within 4 s: does a loop never end?");
  });
});
