/** What is said of an error that a learner's files threw, and where in them it was. */
import type { SourceLine, Trouble } from "../../sandbox/session/protocol.ts";

/** The uppermost line of the stack that is in a file of the learner's: only those have such names (learner-modules.ts). */
export function placeOf(error: unknown): SourceLine | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("place" in error) return error.place as SourceLine | undefined;
  const found = /(\d\d-[a-z0-9-]+)\/([a-z0-9-]+\.ts):(\d+):\d+/.exec(error.stack ?? "");
  return found ? { chapter: found[1]!, file: found[2]!, line: Number(found[3]) } : undefined;
}

export function troubleOf(error: unknown): Trouble {
  const place = placeOf(error);
  return { sentence: wordsOf(error), ...(place && { place }) };
}

/** A plain error has words that are meant for people; of others, the kind says much. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = withModuleNames(error.message);
  return ["Error", "LearnerSyntaxError", "LinkError", "EndlessLoopError", "TooMuchMemoryError"].includes(
    error.name,
  )
    ? message
    : `${error.name}: ${message}`;
}

/** A module that was linked has its name behind its address (`placeModule`). */
export function withModuleNames(message: string): string {
  return message.replaceAll(/blob:[^'"\s#]+#/g, "");
}
