/**
 * Makes graded tests vitest's own: a setup file of vitest.config.ts. The subject is imported directly, so
 * breakpoints work; whose layers it uses, the conditions of the run decide.
 */
import { describe, expect, it } from "vitest";
import { failureOf } from "./graded-test.ts";
import { DirectBackend, type SubjectFunctions } from "./subject.ts";
import { useRegistrar } from "./suite.ts";

useRegistrar({
  expect,
  describe: (task, body) => void describe(task.id, body),
  it(test) {
    it(test.name, async () => {
      const path = `../${test.chapter.name}/subject.ts`;
      const { subject } = (await import(/* @vite-ignore */ path)) as { subject: SubjectFunctions };
      const failure = await failureOf(test, new DirectBackend(subject));
      if (failure) throw taught(failure);
    });
  },
});

/** The same error, for its place in the learner's file, with the explanation and without vitest's diff. */
function taught({ error, message }: { error: unknown; message: string }): Error {
  const told = error instanceof Error ? error : new Error(message);
  told.message = message;
  for (const field of ["actual", "expected", "showDiff", "operator"]) Reflect.deleteProperty(told, field);
  return told;
}
