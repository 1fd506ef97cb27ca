/** Spaces at which no line should end: behind "chapter" and before a unit. */

const NO_BREAK_SPACE = "\u00a0";
/** "chapter 5", "bit 3", "SDM volume 2". */
const NAMED_BY_NUMBER =
  /\b((?:[Cc]hapter|[Vv]olume|[Ss]ection|[Tt]able|[Ff]igure|[Bb]it|[Rr]ing|[Ll]evel|[Mm]ode|[Ee]xit|[Cc]ounter)s?|IRQ|CPL) (?=\d)/g;
/** "4 GiB", "87 µs", "16 bytes". */
const COUNTED = /(\d) (?=(?:[kMG]?Hz|[nµm]?s|[KMG]iB|[kMG]B|bits?|bytes?)(?![\p{L}\p{N}]))/gu;

/** The text with spaces that do not break, where they should not. */
export function withoutBreaks(text: string): string {
  return text.replace(NAMED_BY_NUMBER, `$1${NO_BREAK_SPACE}`).replace(COUNTED, `$1${NO_BREAK_SPACE}`);
}
