/**
 * What a student gets and does on the first day, with nothing of ours lent: the edition of the whole course
 * is cloned into an empty folder, its packages come from the registry, and its own commands are run. Then
 * the reference's bodies stand in the student's files.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layerFiles, ROOT, readChapter, readChapters } from "../chapters.ts";
import { requires } from "../requires.ts";

const chapters = readChapters();
const pointsOf = (some: typeof chapters) =>
  some.flatMap(({ tasks }) => tasks).reduce((sum, { points }) => sum + points, 0);

describe("the student edition of the whole course", requires("registry").options, () => {
  const temporary = mkdtempSync(join(tmpdir(), "vmexit-student-"));
  const clone = join(temporary, "clone");
  let released = "";

  const inFolder = (cwd: string, program: string, ...args: string[]) => {
    const outcome = spawnSync(program, args, {
      cwd,
      encoding: "utf8",
      // As a student's shell: nothing of this run of vitest, and no conditions of a learner's.
      env: { ...process.env, NO_COLOR: "1", CI: "", NODE_ENV: "", VMEXIT_LEARNER: "", VMEXIT_CHAPTER: "" },
      shell: process.platform === "win32",
    });
    return { code: outcome.status, text: `${outcome.stdout}${outcome.stderr}` };
  };
  const npm = (...words: string[]) => inFolder(clone, "npm", ...words);

  beforeAll(() => {
    const out = join(temporary, "out");
    const tool = join(ROOT, "chapters/tools/release/release.ts");
    const made = inFolder(ROOT, process.execPath, "--import", "tsx", tool, "student", `out=${out}`, "site");
    expect(made.code, made.text).toBe(0);
    released = made.text;
    const cloned = inFolder(temporary, "git", "clone", "--quiet", join(out, "vmexit-student"), clone);
    expect(cloned.code, cloned.text).toBe(0);
  }, 300_000);
  afterAll(() => rmSync(temporary, { recursive: true, force: true }));

  it("tells no answer in its files, archive, history, site and search index", () => {
    expect(released).toMatch(
      /searched for \d+ texts of \d+ answers in files, archive and history: none is there/,
    );
    expect(readdirSync(join(temporary, "out")).sort()).toEqual([
      "site",
      "vmexit-student",
      "vmexit-student.zip",
    ]);
    for (const { number, tasks } of chapters)
      expect(released).toMatch(new RegExp(`^ {2}${number} .*: ${tasks.length} tasks, `, "m"));
  });

  it("installs by npm ci, and then is as it was handed out", { timeout: 300_000 }, () => {
    const { code, text } = npm("ci", "--prefer-offline", "--no-audit", "--no-fund");
    expect(code, text).toBe(0);
    expect(inFolder(clone, "git", "status", "--porcelain")).toEqual({ code: 0, text: "" });
  });

  it("runs chapter 4 to the first exercise, and to its end on the reference", { timeout: 120_000 }, () => {
    const { code, text } = npm("run", "chapter", "4");
    expect(code).toBe(1);
    const [, id] = /yours to write: .+ \(task ([a-z-]+), \d points?\)/.exec(text) ?? [];
    expect(readChapter("04-interrupts").tasks.map(task => task.id)).toContain(id);
    expect(npm("run", "chapter", "4", "solution", "soft").code).toBe(0);
  });

  it("begins the course with its first task", { timeout: 120_000 }, () => {
    const { code, text } = npm("run", "learn");
    expect(code).toBe(1);
    expect(text).toContain(`0 of ${chapters.flatMap(({ tasks }) => tasks).length} tasks, 0 of`);
    expect(text).toContain(chapters[0]!.tasks[0]!.write.slice(0, 40));
    expect(text).toContain("This failure is expected: it is yours to write");
  });

  it("earns nothing with the starters, and says what is to be written", { timeout: 120_000 }, () => {
    const { code, text } = npm("run", "grade", "4");
    expect(code).toBe(0);
    const points = pointsOf([readChapter("04-interrupts")]);
    expect(text).toMatch(new RegExp(`Score: 0/${points}\\n$`));
    expect(text).toContain("not written yet, so 3 tests fail, as expected");
  });

  it("earns every point of all chapters with the reference's bodies", { timeout: 300_000 }, () => {
    for (const { name } of chapters) {
      for (const file of layerFiles(name))
        copyFileSync(join(ROOT, "solutions", name, file), join(clone, "chapters", name, file));
    }
    const { code, text } = npm("run", "grade", "all");
    const points = pointsOf(chapters);
    expect(text).toMatch(new RegExp(`Score: ${points}/${points}\\n$`));
    expect(code).toBe(0);
    expect(npm("run", "learn", "4").text).toContain("✓ done");
  });
});
