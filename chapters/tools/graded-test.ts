/** Runs one graded test against a subject, whoever collected it. */
import { type Evidence, explainFailure } from "./explain.ts";
import { Random } from "./random.ts";
import { type SubjectBackend, typedSubject } from "./subject.ts";
import type { GradedTest } from "./suite.ts";

/** Where the reference's answers and the cases of a seeded test come from. */
export interface Comparison {
  readonly reference: SubjectBackend;
  readonly seed: string;
}

/** Seeded tests that a learner runs have the same cases each time. */
export const PRACTICE_SEED = "practice";

/** Why one test failed, with the whole explanation and the error itself; undefined where it passed. */
export async function failureOf(
  { chapter, task, name, body }: GradedTest,
  backend: SubjectBackend,
  comparison: Partial<Comparison> = {},
): Promise<{ message: string; error: unknown } | undefined> {
  let evidence: Evidence = {};
  try {
    await body({
      subject: typedSubject(backend),
      reference: typedSubject(comparison.reference ?? NO_REFERENCE),
      random: new Random(`${comparison.seed ?? PRACTICE_SEED}/${chapter.name}/${task.id}/${name}`),
      show: more => void (evidence = { ...evidence, ...more }),
    });
    return undefined;
  } catch (error) {
    return { message: await explainFailure(error, { chapter, task }, evidence), error };
  }
}

const NO_REFERENCE: SubjectBackend = {
  call: () => Promise.reject(new Error("this run has no reference to compare with")),
  close: () => Promise.resolve(),
};
