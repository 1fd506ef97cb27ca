/** Values of options: each one read, or refused with a sentence that says what would be right. */
import { UsageError } from "./usage-error.ts";

/** A whole number in decimal or, after 0x, in hexadecimal. Throws a `UsageError`. */
export function numberOf(option: string, text: string, least: number, most: number): number {
  const value = /^(0x[0-9a-f_]+|\d+)$/i.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`${option} takes a whole number from ${least} to ${most}, not "${text}"`);
  }
  return value;
}

/** One of the words, or undefined where the option was not given. Throws a `UsageError`. */
export function choiceOf<Choice extends string>(
  option: string,
  text: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (text === undefined) return undefined;
  const found = choices.find(choice => choice === text);
  if (found === undefined) throw new UsageError(`${option} takes ${choices.join(" or ")}, not "${text}"`);
  return found;
}
