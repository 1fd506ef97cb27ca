/** The far side of the worker back end: waits for calls of the subject and answers them. */
import { parentPort } from "node:worker_threads";
import { callSubject, type SubjectFunctions } from "./subject.ts";

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { name: string; message: string; stack: string } };

/** Serves until the worker is ended from outside. */
export function serveSubject(functions: SubjectFunctions): void {
  parentPort?.on("message", async ({ id, name, args }: Call) => {
    parentPort?.postMessage(await answer(functions, id, name, args));
  });
}

async function answer(
  functions: SubjectFunctions,
  id: number,
  name: string,
  args: readonly unknown[],
): Promise<Answer> {
  try {
    return { id, value: await callSubject(functions, name, args) };
  } catch (error) {
    const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
    return { id, error: { name, message, stack } };
  }
}
