/** How calls of a subject cross to a worker and back, in Node and in a page alike. */
import { callSubject, type SubjectFunctions } from "./subject.ts";

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorFacts };

/** What is left of an error that crossed. */
export interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** A call that did not come back in time, or that took the worker down. */
export class SubjectLimitError extends Error {
  override readonly name = "SubjectLimitError";
}

/** Answers one call; what the learner's code throws is an answer, too. */
export async function answerCall(functions: SubjectFunctions, { id, name, args }: Call): Promise<Answer> {
  try {
    return { id, value: await callSubject(functions, name, args) };
  } catch (error) {
    return { id, error: errorFacts(error) };
  }
}

export function errorFacts(error: unknown): ErrorFacts {
  const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  return { name, message, stack };
}

/** What the call returned; throws what it threw. */
export function resultOf(answer: Answer): unknown {
  if ("value" in answer) return answer.value;
  throw Object.assign(new Error(answer.error.message), answer.error);
}
