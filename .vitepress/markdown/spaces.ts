/** The spaces of running text: one wherever a source line ends, and none that breaks behind "chapter" or before a unit. */
import type { MarkdownRenderer } from "vitepress";

const NO_BREAK_SPACE = "\u00a0";
/** "chapter 5", "bit 3", "SDM volume 2". */
const NAMED_BY_NUMBER =
  /\b((?:[Cc]hapter|[Vv]olume|[Ss]ection|[Tt]able|[Ff]igure|[Bb]it|[Rr]ing|[Ll]evel|[Mm]ode|[Ee]xit|[Cc]ounter)s?|IRQ|CPL) (?=\d)/g;
/** "4 GiB", "87 µs", "16 bytes". */
const COUNTED = /(\d) (?=(?:[kMG]?Hz|[nµm]?s|[KMG]iB|[kMG]B|bits?|bytes?)(?![\p{L}\p{N}]))/gu;

export function spaces(md: MarkdownRenderer): void {
  // A line's end between two elements is no space to Vue.
  md.renderer.rules.softbreak = () => " ";
  md.core.ruler.push("no-break-spaces", ({ tokens }) => {
    for (const [index, { children }] of tokens.entries()) {
      // Headings are left alone: their anchors are made of their words.
      if (!children || tokens[index - 1]?.type === "heading_open") continue;
      for (const token of children) {
        if (token.type === "text") token.content = withoutBreaks(token.content);
      }
    }
  });
}

function withoutBreaks(text: string): string {
  return text.replace(NAMED_BY_NUMBER, `$1${NO_BREAK_SPACE}`).replace(COUNTED, `$1${NO_BREAK_SPACE}`);
}
