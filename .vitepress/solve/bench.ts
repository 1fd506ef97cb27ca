/** The test bench of the page: runs a chapter's graded tests on a learner's files, and tells of each as it ends. */
import { failureOf } from "../../chapters/tools/graded-test.ts";
import { holeRegion } from "../../chapters/tools/starter.ts";
import type { SubjectBackend } from "../../chapters/tools/subject.ts";
import { SubjectLimitError } from "../../chapters/tools/subject-calls.ts";
import type { GradedTest } from "../../chapters/tools/suite.ts";
import type { SourceLine } from "../../sandbox/session/protocol.ts";
import { CancelledError, LoadError } from "./page-backend.ts";
import { placeOf } from "./trouble.ts";

/** How a test ended: `hole` is a failure with the words of an exercise that nobody has written yet. */
export type Verdict = "passed" | "failed" | "hole" | "limit";

export interface Outcome {
  readonly task: string;
  readonly test: string;
  readonly verdict: Verdict;
  /** All that a learner is told; empty where the test passed. */
  readonly message: string;
  /** Where in a file of the learner's it was thrown. */
  readonly place?: SourceLine;
}

/**
 * Runs tests one after another, and ends with the first loop that does not end: the next tests would only wait for
 * it again. Throws a `LoadError` where the layer cannot be loaded at all, a `CancelledError` when the back end is
 * closed meanwhile.
 */
export async function runBench(
  tests: readonly GradedTest[],
  backend: SubjectBackend,
  tell: (outcome: Outcome) => void,
): Promise<void> {
  for (const test of tests) {
    const failure = await failureOf(test, backend);
    const { error, message = "" } = failure ?? {};
    if (error instanceof LoadError || error instanceof CancelledError) throw error;
    const isLimit = error instanceof SubjectLimitError;
    const place = placeOf(error);
    tell({
      task: test.task.id,
      test: test.name,
      verdict: !failure ? "passed" : isLimit ? "limit" : holeRegion(message) ? "hole" : "failed",
      message,
      ...(place && { place }),
    });
    if (isLimit) return;
  }
}
