/** The parts of source files that the book shows: `// #region name` to `// #endregion name`. */

const MARKER = /^\s*(?:\/\/|;|#|\/\*|<!--)\s*#(?:end)?region\b.*$/;

/** A part of a file as it is shown. */
export interface ShownPart {
  readonly text: string;
  /** For each line of `text` its number in the file, counted from 1. */
  readonly lines: readonly number[];
  /** Characters that each line has lost at its start. */
  readonly indent: number;
}

/** The lines of a file, or of one region of it (all its parts), without markers and common indentation. */
export function partOf(text: string, region: string | undefined, file: string): string {
  return shownPart(text, region, file).text;
}

/** The same, and where each line of it stands in the file. */
export function shownPart(text: string, region: string | undefined, file: string): ShownPart {
  const kept: { readonly line: string; readonly number: number }[] = [];
  let inside = region === undefined;
  let found = inside;
  for (const [index, line] of text.split("\n").entries()) {
    if (region !== undefined && isMarker(line, "region", region)) inside = found = true;
    else if (region !== undefined && isMarker(line, "endregion", region)) inside = false;
    else if (inside && !MARKER.test(line)) kept.push({ line, number: index + 1 });
  }
  if (!found) throw new Error(`${file} has no region “${region}”`);
  const filled = kept.filter(({ line }) => line.trim());
  const indent =
    region === undefined ? 0 : Math.min(...filled.map(({ line }) => line.length - line.trimStart().length));
  return {
    text: kept.map(({ line }) => line.slice(indent)).join("\n"),
    lines: kept.map(({ number }) => number),
    indent,
  };
}

/** The lines inside a region, counted from 1; undefined if there is none or if it has several parts. */
export function regionLines(text: string, region: string): { first: number; last: number } | undefined {
  const lines = text.split("\n");
  const start = lines.findIndex(line => isMarker(line, "region", region));
  const end = lines.findIndex(line => isMarker(line, "endregion", region));
  if (start < 0 || end < start) return undefined;
  if (lines.findLastIndex(line => isMarker(line, "region", region)) !== start) return undefined;
  return { first: start + 2, last: end };
}

/** What stands in a file before a region of it. */
export function textBefore(text: string, region: string): string {
  const lines = text.split("\n");
  return lines.slice(0, lines.findIndex(line => isMarker(line, "region", region)) + 1).join("\n");
}

function isMarker(line: string, kind: "region" | "endregion", region: string): boolean {
  return line.trimEnd().endsWith(`#${kind} ${region}`);
}
