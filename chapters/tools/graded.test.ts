/**
 * The graded tests are put to the test: the solutions pass them all, a starter fails each with the words
 * of its own hole, and every typical mistake is caught by the test that says so.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Chapter, Mistake, Task } from "./chapter-manifest.ts";
import { layerFiles, ROOT, readChapters } from "./chapters.ts";
import { collectTests, runTests, type TestResult } from "./collector.ts";
import { holeMessage, starterBody } from "./starter.ts";
import type { GradedTest } from "./suite.ts";
import { workerBackend } from "./worker-backend.ts";

for (const chapter of readChapters()) {
  if (!existsSync(join(ROOT, "chapters", chapter.name, "subject.ts"))) continue;

  describe(chapter.name, () => {
    let tests: GradedTest[];
    let solution: TestResult[];

    beforeAll(async () => {
      tests = await gradedTests(chapter);
      solution = await resultsOf(chapter, new Map(), tests);
    });

    it("the solution passes every graded test", () => {
      expect(solution.filter(({ passed }) => !passed)).toEqual([]);
    });

    it("every task has tests, every test has a name of its own", () => {
      expect(
        chapter.tasks.map(({ id }) => id).filter(id => !tests.some(({ task }) => task.id === id)),
      ).toEqual([]);
      const names = tests.map(fullName);
      expect(names.filter((name, at) => names.indexOf(name) < at)).toEqual([]);
    });

    it("the starter fails every graded test with the words of a hole", async () => {
      const messages = chapter.tasks.flatMap(task => messagesOf(chapter, task));
      const results = await resultsOf(chapter, starterTexts(chapter), tests);
      expect(results.filter(({ message }) => !messages.includes(message))).toEqual([]);
    });

    for (const task of chapter.tasks) {
      it(`${task.id}: with only this task left to write, each of its tests fails with its words`, async () => {
        const own = tests.filter(test => test.task.id === task.id);
        const results = await resultsOf(chapter, starterTexts(chapter, task), own);
        expect(results.filter(({ message }) => !messagesOf(chapter, task).includes(message))).toEqual([]);
      });
    }

    for (const mistake of chapter.mistakes) {
      it(`mistake ${mistake.id}: caught by “${mistake.caughtBy}”`, async () => {
        const named = tests.filter(test => fullName(test) === mistake.caughtBy);
        expect(named, "the named test exists once").toHaveLength(1);
        const [result] = await resultsOf(chapter, mutantTexts(chapter, mistake), named);
        expect(result).toMatchObject({ passed: false, message: expect.stringContaining(mistake.says) });
      });
    }
  });
}

const fullName = ({ task, name }: GradedTest) => `${task.id} › ${name}`;

const collected = new Map<string, Promise<GradedTest[]>>();
afterAll(() => collected.clear());

/** The graded tests of a chapter: those of its test files that register any. */
function gradedTests({ name }: Chapter): Promise<GradedTest[]> {
  const folder = join(ROOT, "chapters", name);
  const files = readdirSync(folder).filter(file => {
    return file.endsWith(".test.ts") && readFileSync(join(folder, file), "utf8").includes("graded<");
  });
  const tests = collectTests(async () => {
    for (const file of files) await import(/* @vite-ignore */ `../${name}/${file}`);
  });
  collected.set(name, collected.get(name) ?? tests);
  return collected.get(name)!;
}

async function resultsOf(
  chapter: Chapter,
  layers: ReadonlyMap<string, string>,
  tests: readonly GradedTest[],
): Promise<TestResult[]> {
  const backend = await workerBackend(chapter.name, layers);
  try {
    return await runTests(tests, backend);
  } finally {
    await backend.close();
  }
}

/** The chapter's layer files as starters: with all holes, or only those of one task. */
function starterTexts(chapter: Chapter, only?: Task): Map<string, string> {
  return new Map(
    layerFiles(chapter.name).map(file => {
      const text = starterBody(
        chapter,
        file,
        solutionText(chapter, file),
        task => !only || task.id === only.id,
      );
      return [`${chapter.name}/${file}`, text];
    }),
  );
}

function mutantTexts(chapter: Chapter, { file, find, replace }: Mistake): Map<string, string> {
  const text = solutionText(chapter, file);
  expect(text.split(find).length - 1, `“${find}” stands once in ${file}`).toBe(1);
  return new Map([[`${chapter.name}/${file}`, text.replace(find, () => replace)]]);
}

function solutionText(chapter: Chapter, file: string): string {
  return readFileSync(join(ROOT, "solutions", chapter.name, file), "utf8");
}

function messagesOf(chapter: Chapter, task: Task): string[] {
  return task.regions.map(region => holeMessage(chapter, task, region));
}
