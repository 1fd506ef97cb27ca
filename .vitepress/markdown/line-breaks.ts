/**
 * Where a line may end: not between a number and what it counts, not in a short piece of code, and in a long one
 * behind a slash or an underscore.
 */
import type { MarkdownRenderer } from "vitepress";
import { withoutBreaks } from "../content/no-breaks.ts";

/** Characters of code that fit any line, and any column of a table, also on a phone. */
const FITS_LINE = 30;
const FITS_COLUMN = 13;

export function lineBreaks(md: MarkdownRenderer): void {
  const { rules } = md.renderer;
  // A line's end between two elements is no space to Vue.
  rules.softbreak = () => " ";

  md.core.ruler.push("line-breaks", ({ tokens }) => {
    let isTable = false;
    for (const [index, { type, children }] of tokens.entries()) {
      if (type === "table_open" || type === "table_close") isTable = type === "table_open";
      // Headings are left alone: their anchors are made of their words.
      if (!children || tokens[index - 1]?.type === "heading_open") continue;
      for (const token of children) {
        if (token.type === "text") token.content = withoutBreaks(token.content);
        if (token.type !== "code_inline") continue;
        if (token.content.length <= (isTable ? FITS_COLUMN : FITS_LINE)) token.attrJoin("class", "whole");
        else token.meta = { breaks: true };
      }
    }
  });

  const renderCode = rules.code_inline!;
  rules.code_inline = (tokens, index, ...rest) => {
    const html = renderCode(tokens, index, ...rest);
    const { breaks } = (tokens[index]!.meta ?? {}) as { breaks?: boolean };
    return breaks ? html.replace(/[/_](?=[^<>]*<\/code>)/g, "$&<wbr>") : html;
  };
}
