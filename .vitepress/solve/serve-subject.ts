/** The far side of the page's back end: answers calls of the subject in a worker of a browser. */
import type { SubjectFunctions } from "../../chapters/tools/subject.ts";
import { answerCall, type Call } from "../../chapters/tools/subject-calls.ts";

/** Sent once all modules are loaded: a message that comes earlier would find nobody. */
export const READY = "ready";

/** Serves until the worker is ended from outside. */
export function serveSubject(functions: SubjectFunctions): void {
  self.onmessage = async ({ data }: MessageEvent<Call>) => {
    self.postMessage(await answerCall(functions, data));
  };
  self.postMessage(READY);
}
