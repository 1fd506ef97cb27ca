/**
 * A few lines of source around a place, with a caret under it; in a terminal in the colours of the book.
 */
import { codeThemes } from "../../.vitepress/code-theme.ts";

const LINES_AROUND = 2;

export interface Place {
  /** Relative to the root. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
}

/** `file:line:column`, which terminals and editors make clickable. */
export function placeText({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** The frame's lines. Loads shiki only for colours. */
export async function codeFrame(source: string, { line, column }: Place, colour: boolean): Promise<string[]> {
  const all = source.split("\n");
  const from = Math.max(1, line - LINES_AROUND);
  const to = Math.min(all.length, line + LINES_AROUND);
  const shown = colour ? await coloured(source) : all;
  const width = String(to).length;
  const frame: string[] = [];
  for (let number = from; number <= to; number++) {
    const mark = number === line ? ">" : " ";
    frame.push(`${mark} ${String(number).padStart(width)} | ${shown[number - 1] ?? ""}`.trimEnd());
    if (number === line) frame.push(`  ${" ".repeat(width)} | ${" ".repeat(Math.max(0, column - 1))}^`);
  }
  return frame;
}

/** Every line of a TypeScript source in the dark theme, as ANSI sequences of 24-bit colours. */
async function coloured(source: string): Promise<string[]> {
  const { createHighlighterCore } = await import("shiki/core");
  const { createJavaScriptRegexEngine } = await import("shiki/engine/javascript");
  const highlighter = await createHighlighterCore({
    themes: [codeThemes.dark],
    langs: [import("shiki/langs/typescript.mjs")],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  const { tokens } = highlighter.codeToTokens(source, { lang: "typescript", theme: codeThemes.dark.name! });
  return tokens.map(line => line.map(token => inColour(token.content, token.color)).join(""));
}

function inColour(text: string, colour: string | undefined): string {
  const [, red, green, blue] = /^#(..)(..)(..)/.exec(colour ?? "") ?? [];
  if (!red || !green || !blue) return text;
  const rgb = [red, green, blue].map(part => Number.parseInt(part, 16)).join(";");
  return `\x1b[38;2;${rgb}m${text}\x1b[39m`;
}

/** Whether a stream wants colours: https://no-color.org */
export function wantsColour(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}
