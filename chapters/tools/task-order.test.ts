/**
 * A chapter can be worked through in the order of its page: once a task is written, on the starter and the
 * tasks before it, each of its graded tests is green. None waits for a task that comes later.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readChapters } from "./chapters.ts";
import { runTests } from "./collector.ts";
import { gradedTests } from "./graded-files.ts";
import { layerWith } from "./layer-variants.ts";
import type { GradedTest } from "./suite.ts";
import { type WorkerBackend, workerBackend } from "./worker-backend.ts";

/** A watchdog, and a short one: a guest whose devices are not written yet may never end. */
const LIMITS = { milliseconds: 5000, heapMegabytes: 256 };

for (const chapter of readChapters()) {
  describe(chapter.name, () => {
    let tests: GradedTest[];
    let reference: WorkerBackend;

    beforeAll(async () => {
      tests = await gradedTests(chapter);
      reference = await workerBackend(chapter.name, new Map());
    });
    afterAll(() => reference.close());

    for (const [at, task] of chapter.tasks.entries()) {
      it(`${task.id}: its tests turn green with it, whatever is still to write`, async () => {
        const own = tests.filter(test => test.task.id === task.id);
        const layers = layerWith(chapter, chapter.tasks.slice(0, at + 1));
        const backend = await workerBackend(chapter.name, layers, LIMITS);
        try {
          const results = await runTests(own, backend, { reference });
          expect(results.filter(({ passed }) => !passed)).toEqual([]);
        } finally {
          await backend.close();
        }
      });
    }
  });
}
