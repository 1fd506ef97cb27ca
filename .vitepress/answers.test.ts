import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { markdownOf, markdownPages, ROOT } from "./checks/built-site.ts";

/** The home page shows the loop, as a taste. */
const chapters = markdownPages().filter(page => page.startsWith("chapters/"));
const FOLD = /<details class="fold">[\s\S]*?<\/details>/g;
const IMPORT = /^<<< @\/\.\.\/(solutions\/[^#\s]+)#([\w-]+)/gm;

/** Whether a region of a source file holds code that a starter leaves out. */
function answersExercise(file: string, region: string): boolean {
  let isInside = false;
  return readFileSync(join(ROOT, file), "utf8")
    .split("\n")
    .some(line => {
      if (line.trim() === `// #region ${region}`) isInside = true;
      if (line.trim() === `// #endregion ${region}`) isInside = false;
      return isInside && line.includes("#region exercise-");
    });
}

describe("the book", () => {
  it.each(chapters)("shows an exercise's answer only to those who unfold it: %s", page => {
    const open = markdownOf(page).replace(FOLD, "");
    const answers = [...open.matchAll(IMPORT)].filter(([, file, region]) => answersExercise(file!, region!));
    expect(answers.map(([line]) => line)).toEqual([]);
  });

  it("is found out when it does", () => {
    expect(answersExercise("solutions/01-minimal-vm/vmm.ts", "run-guest")).toBe(true);
    expect(answersExercise("solutions/01-minimal-vm/memory.ts", "guest-memory")).toBe(false);
  });
});
