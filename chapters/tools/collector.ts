/**
 * Runs graded tests without a test framework: collects the tests of a file once, then runs them against
 * any number of subjects. The grader and the page do the same.
 */
import { expect } from "./assertions.ts";
import { type Comparison, failureOf } from "./graded-test.ts";
import type { SubjectBackend } from "./subject.ts";
import { type GradedTest, useRegistrar } from "./suite.ts";

export interface TestResult {
  readonly chapter: string;
  readonly task: string;
  readonly name: string;
  readonly passed: boolean;
  /** All that a learner is told; empty where the test passed. */
  readonly message: string;
}

/** Collects the tests that `load` registers, which imports test files not imported before. */
export async function collectTests(load: () => Promise<unknown>): Promise<GradedTest[]> {
  const tests: GradedTest[] = [];
  const before = useRegistrar({
    expect,
    describe: (_task, body) => body(),
    it: test => void tests.push(test),
  });
  try {
    await load();
  } finally {
    useRegistrar(before);
  }
  return tests;
}

/** Runs tests one after another. Never throws for what a test or a subject does. */
export async function runTests(
  tests: readonly GradedTest[],
  backend: SubjectBackend,
  comparison?: Partial<Comparison>,
): Promise<TestResult[]> {
  const before = useRegistrar({
    expect,
    describe: () => {},
    it: () => {},
  });
  const results: TestResult[] = [];
  try {
    for (const test of tests) {
      const { chapter, task, name } = test;
      const failure = await failureOf(test, backend, comparison);
      results.push({
        chapter: chapter.name,
        task: task.id,
        name,
        passed: failure === undefined,
        message: failure?.message ?? "",
      });
    }
  } finally {
    useRegistrar(before);
  }
  return results;
}
