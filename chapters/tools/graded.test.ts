/**
 * The graded tests are put to the test: the solutions pass them all, a starter fails each with the words
 * of its own hole, and every typical mistake is caught by the test that says so.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Chapter, Task } from "./chapter-manifest.ts";
import { ROOT, readChapters } from "./chapters.ts";
import { runTests, type TestResult } from "./collector.ts";
import { gradedTests } from "./graded-files.ts";
import type { LayerTexts } from "./layer-bundle.ts";
import { layerWithMistake, layerWithout, starterLayer } from "./layer-variants.ts";
import { holeMessage } from "./starter.ts";
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
      const results = await resultsOf(chapter, starterLayer(chapter), tests);
      expect(results.filter(({ message }) => !messages.includes(message))).toEqual([]);
    });

    for (const task of chapter.tasks) {
      it(`${task.id}: with only this task left to write, each of its tests fails with its words`, async () => {
        const own = tests.filter(test => test.task.id === task.id);
        const results = await resultsOf(chapter, layerWithout(chapter, task), own);
        expect(results.filter(({ message }) => !messagesOf(chapter, task).includes(message))).toEqual([]);
      });
    }

    for (const mistake of chapter.mistakes) {
      it(`mistake ${mistake.id}: caught by “${mistake.caughtBy}”`, async () => {
        const named = tests.filter(test => fullName(test) === mistake.caughtBy);
        expect(named, "the named test exists once").toHaveLength(1);
        const [result] = await resultsOf(chapter, layerWithMistake(chapter, mistake), named);
        expect(result).toMatchObject({ passed: false, message: expect.stringContaining(mistake.says) });
      });
    }
  });
}

const fullName = ({ task, name }: GradedTest) => `${task.id} › ${name}`;

async function resultsOf(
  chapter: Chapter,
  layers: LayerTexts,
  tests: readonly GradedTest[],
): Promise<TestResult[]> {
  const backend = await workerBackend(chapter.name, layers);
  const reference = await workerBackend(chapter.name, new Map());
  try {
    return await runTests(tests, backend, { reference });
  } finally {
    await backend.close();
    await reference.close();
  }
}

function messagesOf(chapter: Chapter, task: Task): string[] {
  return task.regions.map(region => holeMessage(chapter, task, region));
}
