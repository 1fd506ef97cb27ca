/** The far side of the worker back end: waits for calls of the subject and answers them. */
import { parentPort } from "node:worker_threads";
import type { SubjectFunctions } from "./subject.ts";
import { answerCall, type Call } from "./subject-calls.ts";

/** Serves until the worker is ended from outside. */
export function serveSubject(functions: SubjectFunctions): void {
  parentPort?.on("message", async (call: Call) => {
    parentPort?.postMessage(await answerCall(functions, call));
  });
}
