/** Runs one graded test against a subject, whoever collected it. */
import { type Evidence, explainFailure } from "./explain.ts";
import { type SubjectBackend, typedSubject } from "./subject.ts";
import type { GradedTest } from "./suite.ts";

/** Why one test failed, with the whole explanation and the error itself; undefined where it passed. */
export async function failureOf(
  { chapter, task, body }: GradedTest,
  backend: SubjectBackend,
): Promise<{ message: string; error: unknown } | undefined> {
  let evidence: Evidence = {};
  try {
    await body({ subject: typedSubject(backend), show: more => void (evidence = { ...evidence, ...more }) });
    return undefined;
  } catch (error) {
    return { message: await explainFailure(error, { chapter, task }, evidence), error };
  }
}
