import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readChapter } from "../chapters.ts";
import { Clone } from "../clone.ts";
import { requires } from "../requires.ts";
import { starterBody } from "../starter.ts";
import { starterFiles } from "../starter-files.ts";
import { STATE_FILE } from "./progress.ts";
import { Tmux } from "./tmux.ts";

const chapter = readChapter("05-pit");
const [time] = chapter.tasks;
const terminal = requires("tmux");
const LEARN = `${process.execPath} --import tsx chapters/tools/learn/learn.ts`;
const PATIENCE = { timeout: 60_000, interval: 100 };

/** A clone with the starters of chapter 5, whatever somebody wrote in this one. */
function freshClone(): Clone {
  const clone = new Clone();
  for (const { path, text } of starterFiles([chapter])) clone.write(path, text);
  return clone;
}

/** Writes the file of a task with the reference's bodies of that task and all before it. */
function solveUpTo(clone: Clone, id: string): void {
  const at = chapter.tasks.findIndex(task => task.id === id);
  const left = chapter.tasks.slice(at + 1);
  const { file } = chapter.tasks[at]!;
  const solution = clone.read(`solutions/05-pit/${file}`);
  clone.write(
    `chapters/05-pit/${file}`,
    starterBody(chapter, file, solution, task => left.includes(task)),
  );
}

function stateOf(clone: Clone): { done: string[]; hints: Record<string, number> } {
  return JSON.parse(clone.read(STATE_FILE));
}

describe("in a terminal of 80 columns and 24 rows", terminal.options, () => {
  let clone: Clone;
  let window: Tmux | undefined;
  beforeEach(() => {
    clone = freshClone();
  });
  afterEach(() => {
    window?.close();
    window = undefined;
    clone.delete();
  });
  const seen = (text: string | RegExp) => expect.poll(() => window!.screen(), PATIENCE).toMatch(text);

  it("leads through a whole chapter: red, hint, fix, green, next", { timeout: 240_000 }, async () => {
    window = new Tmux(clone.root, `${LEARN} 5`);
    for (const [at, { id, title, write, hints, points }] of chapter.tasks.entries()) {
      await seen(`${title} (${id}, ${points} point`.slice(0, 40));
      await seen("This failure is expected");
      expect(window.screen().replace(/\s+/g, " ")).toContain(write.slice(0, 60));
      if (at < 2) {
        window.press("h");
        await seen("hint 1 of 3, nudge");
        window.press("h");
        await seen("hint 2 of 3, method");
        window.press("h");
        await seen("hint 3 of 3, nearly the code");
        expect(window.screen()).toContain(hints[0].slice(0, 30));
      }
      window.press("n");
      await seen("do not pass yet");
      solveUpTo(clone, id);
      // The tests of one task may need a later one: then its screen says so, and n goes there.
      await seen(/✓ done: all \d+ tests pass, \d+\.\d\d s after the save|This needs the task/);
      if (window.screen().includes("✓ done")) {
        window.press("d");
        await seen("no difference: word for word the reference's");
      }
      window.press("n");
    }
    await seen("every task is done");
    expect(window.screen()).not.toContain("still to write");
    await seen(`${chapter.tasks.length} of ${chapter.tasks.length} tasks`);
    expect(stateOf(clone).done.sort()).toEqual(chapter.tasks.map(({ id }) => `05-pit/${id}`).sort());
    expect(stateOf(clone).hints).toEqual({ "05-pit/time": 3, "05-pit/write-count": 3 });
    for (const line of window.screen().split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    window.press("q");
    await expect.poll(() => window!.exitCode(), PATIENCE).toBe(0);
  });

  it("tells of a mistake, of a loop without end, of what is no TypeScript, of what broke", {
    timeout: 120_000,
  }, async () => {
    const path = `chapters/05-pit/${time!.file}`;
    window = new Tmux(clone.root, `${LEARN} 5`);
    await seen("This failure is expected");
    const starter = clone.read(path);
    clone.write(path, starter.replace(/throw new Error\([^;]*;/, "return 7;"));
    await seen("≠ ");
    expect(window.screen()).toContain("expected");
    clone.write(path, starter.replace(/throw new Error\([^;]*;/, "for (;;);"));
    await seen("did not come back within 4 s: does a loop never end?");
    clone.write(path, starter.replace("export ", "export ]"));
    await seen(`the file is no TypeScript yet`);
    expect(window.screen()).toMatch(/pit\.ts:\d+:\d+: Unexpected "]"/);
    solveUpTo(clone, time!.id);
    await seen("✓ done");
    window.press("n");
    await seen("This failure is expected");
    clone.write(path, starter);
    await seen("this save broke what was done: time");
    expect(stateOf(clone).done).toEqual([]);
  });

  it("resets with a backup, lists, edits, runs the chapter, and says how to test by hand", {
    timeout: 120_000,
  }, async () => {
    const path = `chapters/05-pit/${time!.file}`;
    const starter = clone.read(path);
    solveUpTo(clone, time!.id);
    const mine = clone.read(path);
    clone.write("editor.sh", `printf 'edited %s\\n' "$*" >> edits.txt\n`);
    window = new Tmux(clone.root, `${LEARN} 5 time`, { EDITOR: "sh editor.sh", VISUAL: "" });
    await seen("✓ done");
    await seen("no save for 5 s. Enter tests again; if saves are not seen: `npm run learn poll`");
    window.press("e");
    await expect.poll(() => existsSync(join(clone.root, "edits.txt")), PATIENCE).toBe(true);
    expect(clone.read("edits.txt")).toBe(`edited ${path}\n`);
    await seen("✓ done");
    window.press("r");
    await seen("r again puts the task “time” back");
    window.press("r");
    await seen("yours is kept as");
    await seen("This failure is expected");
    expect(clone.read(path), "without its header, as mine had none").toBe(
      starter.split("\n").slice(2).join("\n"),
    );
    expect(clone.read(`${path}.backup`)).toBe(mine);
    window.press("l");
    await seen("→ · time ");
    window.press("c");
    await seen("yours to write: Turn nanoseconds into pulses");
    await seen("any key goes back");
    window.press("x");
    await seen("`npm run chapter 5` ended with 1");
  });

  it("looks at the files itself when told to, without a colour", { timeout: 60_000 }, async () => {
    window = new Tmux(clone.root, `${LEARN} 5 poll`, { NO_COLOR: "1" });
    await seen("This failure is expected");
    expect(window.screen()).toContain("looking at the files every quarter of a second: as you wish");
    solveUpTo(clone, time!.id);
    await seen("✓ done");
    expect(window.screen(true)).not.toContain("\x1b[3");
    expect(window.screen()).toMatch(/^\[#+-+\] 1 of 8 tasks/);
  });
});

describe("in a pipe", () => {
  let clone: Clone;
  beforeAll(() => {
    clone = freshClone();
  });
  afterAll(() => clone.delete());
  const learn = (...words: string[]) => clone.run("learn/learn", ...words);

  it("tests once, prints without an escape, and ends with 1 until the task is done", async () => {
    const red = await learn("5");
    expect(red.code).toBe(1);
    expect(red.stderr).toBe("");
    expect(red.stdout).not.toContain("\x1b");
    expect(red.stdout).toContain("This failure is expected: it is yours to write");
    solveUpTo(clone, "time");
    const green = await learn("5", "time");
    expect(green).toMatchObject({ code: 0, stdout: expect.stringContaining("✓ done: all") });
  });

  it("begins where the learner's files are, without a state file", async () => {
    if (existsSync(join(clone.root, STATE_FILE))) clone.remove(STATE_FILE);
    solveUpTo(clone, "time");
    const { stdout } = await learn("5");
    expect(stdout).toContain("Take a count byte by byte (write-count,");
    expect(stateOf(clone).done).toEqual(["05-pit/time"]);
  });

  it("gives hints, one a call, and refuses the difference until the tests pass", async () => {
    expect((await learn("5", "latch", "hint")).stdout).toContain("hint 1 of 3");
    expect((await learn("5", "latch", "hint")).stdout).toContain("hint 2 of 3");
    expect(stateOf(clone).hints).toEqual({ "05-pit/latch": 2 });
    expect((await learn("5", "latch", "diff")).stdout).toContain("is shown once the tests pass");
  });

  it("keeps a state file that it cannot read", async () => {
    clone.write(STATE_FILE, "{ broken");
    const { stdout } = await learn("5");
    expect(stdout.replace(/\s+/g, " ")).toContain(`is kept as ${STATE_FILE}.broken`);
    expect(clone.read(`${STATE_FILE}.broken`)).toBe("{ broken");
  });

  it("refuses a wrong word in one line", async () => {
    expect(await learn("5", "hnit")).toMatchObject({
      code: 2,
      stderr: "unknown word “hnit”: did you mean “hint”?\n",
    });
    expect((await learn("99")).stderr).toMatch(/^there is no chapter 99: there are 1, 2/);
  });
});

describe("what stays out of git", () => {
  it("the state file and backups", () => {
    const ignored = execFileSync("git", ["check-ignore", STATE_FILE, "chapters/05-pit/pit.ts.backup"], {
      encoding: "utf8",
    });
    expect(ignored.trim().split("\n")).toHaveLength(2);
    expect(readdirSync(".").includes(`${STATE_FILE}.part`)).toBe(false);
  });
});
