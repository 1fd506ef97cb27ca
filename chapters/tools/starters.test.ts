import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readChapter } from "./chapters.ts";
import { Clone } from "./clone.ts";
import { findRegions } from "./regions.ts";
import { holeMessage, holeRegion, starterBody } from "./starter.ts";
import { starterFiles } from "./starter-files.ts";

const VMM = "chapters/01-minimal-vm/vmm.ts";
const chapter1 = readChapter("01-minimal-vm");

describe("regions", () => {
  const wrong: [problem: string, source: string, message: string][] = [
    ["an open region", "\n// #region a\n", "x.ts:2: region a has no #endregion"],
    ["a stray end", "// #endregion a", "x.ts:1: #endregion a ends no region"],
    [
      "crossed regions",
      "// #region a\n// #region b\n// #endregion a",
      "x.ts:3: #endregion a, but the open region is b",
    ],
    [
      "three levels",
      "// #region a\n// #region b\n// #region c",
      "x.ts:3: region c is nested too deep: one inside another is the most",
    ],
    [
      "something inside an exercise",
      "// #region exercise-a\n// #region b",
      "x.ts:2: region b is inside of exercise exercise-a",
    ],
    ["no name", "// #region", "x.ts:1: the name of a region is small letters, digits and hyphens"],
  ];
  for (const [problem, source, message] of wrong) {
    it(`${problem} is an error with its place`, () =>
      expect(() => findRegions("x.ts", source)).toThrow(message));
  }

  it("an exercise without a task is an error with its place", () => {
    const source = "// #region exercise-nonesuch\nreturn 1;\n// #endregion exercise-nonesuch";
    expect(() => starterBody(chapter1, "vmm.ts", source)).toThrow(
      "solutions/01-minimal-vm/vmm.ts:1: exercise-nonesuch belongs to no task of chapter.json",
    );
  });
});

describe("a starter", () => {
  const [task] = chapter1.tasks;
  const hole = (indent: string) =>
    `${indent}// #region ${task!.regions[0]}\n${indent}work();\n${indent}more();\n${indent}// #endregion ${task!.regions[0]}\n`;

  it("has a throw in place of every hole of a region, and its text names the region", () => {
    const text = starterBody(
      chapter1,
      task!.file,
      `function a() {\n${hole("  ")}}\nfunction b() {\n${hole("  ")}}\n`,
    );
    expect(text).not.toContain("work");
    expect(text.split("throw new Error(").length - 1).toBe(2);
    expect(holeRegion(holeMessage(chapter1, task!, task!.regions[0]!))).toBe(task!.regions[0]);
    expect(holeRegion("something else")).toBeUndefined();
  });

  it("has no word of any solution's exercise", () => {
    for (const file of starterFiles([chapter1])) {
      for (const region of findRegions(file.path, file.text).filter(({ name }) =>
        name.startsWith("exercise-"),
      )) {
        const body = file.text
          .split("\n")
          .slice(region.start + 1, region.end)
          .join("\n")
          .trim();
        expect(body).toMatch(/^throw new Error\(\s*"exercise [^"]+",?\s*\);$/);
      }
    }
  });
});

describe("npm run starters in a learner's clone", () => {
  let clone: Clone;
  beforeEach(async () => {
    clone = new Clone();
    for (const { path, text } of starterFiles([chapter1])) clone.write(path, text);
  });
  afterEach(() => clone.delete());

  it("finds nothing to do at first", async () => {
    expect(await clone.run("starters")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("nothing to do"),
    });
    expect(await clone.run("starters", "check")).toMatchObject({ code: 0 });
  });

  it("keeps what a learner wrote, and says so", async () => {
    const mine = `${clone.read(VMM)}// mine\n`;
    clone.write(VMM, mine);
    expect(await clone.run("starters", "check")).toMatchObject({ code: 1, stdout: `${VMM}: edited\n` });
    const { code, stdout } = await clone.run("starters");
    expect(code).toBe(1);
    expect(stdout).toContain(`${VMM}: kept, as you wrote in it`);
    expect(clone.read(VMM)).toBe(mine);
  });

  it("replaces it with the word force, and keeps a backup each time", async () => {
    const starter = clone.read(VMM);
    for (const [backup, mine] of [
      [".backup", "// one\n"],
      [".backup-2", "// two\n"],
    ] as const) {
      clone.write(VMM, starter + mine);
      expect(await clone.run("starters", "force")).toMatchObject({ code: 0 });
      expect(clone.read(VMM)).toBe(starter);
      expect(clone.read(VMM + backup)).toBe(starter + mine);
    }
  });

  it("renews an untouched starter when the solution has moved on", async () => {
    const solution = "solutions/01-minimal-vm/vmm.ts";
    clone.write(solution, `${clone.read(solution)}export const NEW = 1;\n`);
    expect(await clone.run("starters", "check")).toMatchObject({ code: 1, stdout: `${VMM}: stale\n` });
    expect(await clone.run("starters")).toMatchObject({ code: 0, stdout: `${VMM}: written\n` });
    expect(clone.read(VMM)).toContain("export const NEW = 1;");
  });
});
