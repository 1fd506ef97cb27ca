/**
 * Graded tests, written once and run anywhere.
 *
 *     import chapter from "./chapter.json" with { type: "json" };
 *     import { expect, graded } from "../tools/suite.ts";
 *     import type { subject } from "./subject.ts";
 *
 *     const { describe, it } = graded<typeof subject>(chapter);
 *
 *     describe("map-slots", () => {
 *       it("refuses a slot that overlaps another", async ({ subject, show }) => {
 *         const trace = await subject.call("memory", [{ map: [0, 0, 0x1000] }, { map: [1, 0, 0x1000] }]);
 *         show({ exits: trace.exits, after: trace.regs });
 *         expect(trace.results[1]).toEqual({ error: "slot 1 overlaps slot 0" });
 *       });
 *     });
 *
 * One `describe` a task, named by its id. A test reaches the learner's code only through `subject`, which
 * it is handed; what it `show`s is printed when it fails. Under vitest the tests are vitest's own tests
 * (suite-under-vitest.ts); `collect` and `runTests` (collector.ts) run the same file without vitest.
 */
import type { ExpectStatic } from "@vitest/expect";
import { type Chapter, parseChapter, type Task } from "./chapter-manifest.ts";
import type { Evidence } from "./explain.ts";
import type { Random } from "./random.ts";
import type { Subject, SubjectFunctions } from "./subject.ts";

/**
 * `public` tests everybody reads. `hidden` ones are only in the instructor's edition (chapters/NN/hidden).
 * `seeded` ones (chapters/NN/seeded) make their cases from a seed and compare with the reference.
 */
export type TestKind = "public" | "hidden" | "seeded";

/** What a test is handed. */
export interface TestContext<Functions extends SubjectFunctions = SubjectFunctions> {
  readonly subject: Subject<Functions>;
  /** The same functions over the reference's layers; for seeded tests. */
  readonly reference: Subject<Functions>;
  /** From the seed of the grade and the test's name; for seeded tests. */
  readonly random: Random;
  /** Adds to what is printed if the test fails from here on. */
  readonly show: (evidence: Evidence) => void;
}

/** One graded test, not yet run. */
export interface GradedTest {
  readonly chapter: Chapter;
  readonly task: Task;
  readonly kind: TestKind;
  readonly name: string;
  readonly body: (context: TestContext) => void | Promise<void>;
}

/** Who takes the tests of a file that is being imported: vitest, or our collector. */
export interface Registrar {
  readonly expect: ExpectStatic;
  describe(task: Task, body: () => void): void;
  it(test: GradedTest): void;
}

let registrar: Registrar | undefined;

/** Says who takes the tests from now on; returns who did before. */
export function useRegistrar(next: Registrar | undefined): Registrar | undefined {
  const before = registrar;
  registrar = next;
  return before;
}

function current(): Registrar {
  if (!registrar)
    throw new Error("graded tests run under vitest or the grader: try `npm run chapter 1 test`");
  return registrar;
}

/** `describe` and `it` for the graded tests of one chapter, given its chapter.json. */
export function graded<Functions extends SubjectFunctions>(manifest: unknown, kind: TestKind = "public") {
  const chapter = parseChapter(manifest);
  let task: Task | undefined;
  return {
    describe(id: string, body: () => void): void {
      if (chapter.given.includes(id)) return;
      const found = chapter.tasks.find(one => one.id === id);
      if (!found) throw new Error(`describe("${id}"): chapter.json of ${chapter.name} has no such task`);
      current().describe(found, () => {
        task = found;
        body();
        task = undefined;
      });
    },
    it(name: string, body: (context: TestContext<Functions>) => void | Promise<void>): void {
      if (!task) throw new Error(`it("${name}") stands outside of a describe(task id)`);
      current().it({ chapter, task, kind, name, body: body as GradedTest["body"] });
    },
  };
}

/** vitest's `expect`, wherever the tests run. */
export const expect: ExpectStatic = new Proxy((() => {}) as unknown as ExpectStatic, {
  apply: (_target, _this, [value, message]) => current().expect(value, message),
  get: (_target, property) => Reflect.get(current().expect, property),
});
