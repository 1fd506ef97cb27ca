/** The far side of the page's back end: answers calls of the subject in a worker of a browser. */
import type { SubjectFunctions } from "../../chapters/tools/subject.ts";
import { answerCall, type Call, type ErrorFacts, errorFacts } from "../../chapters/tools/subject-calls.ts";
import { whenEndless } from "./turn-of-loop.ts";

/** Sent once all modules are loaded: a message that comes earlier would find nobody. */
export const READY = "ready";

/** Sent in place of an answer, from a loop that does not end or takes memory without end. */
export interface Endless {
  readonly endless: ErrorFacts;
}

/** Serves until the worker is ended from outside. */
export function serveSubject(functions: SubjectFunctions): void {
  self.onmessage = async ({ data }: MessageEvent<Call>) => {
    self.postMessage(await answerCall(functions, data));
  };
  whenEndless(error => self.postMessage({ endless: errorFacts(error) } satisfies Endless));
  self.postMessage(READY);
}
