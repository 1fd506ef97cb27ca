/** The parts of source files that the book shows: `// #region name` to `// #endregion name`. */

const MARKER = /^\s*(?:\/\/|;|#|\/\*|<!--)\s*#(?:end)?region\b.*$/;

/** The lines of a file, or of one region of it (all its parts), without markers and common indentation. */
export function partOf(text: string, region: string | undefined, file: string): string {
  const lines = text.split("\n");
  if (region === undefined) return lines.filter(line => !MARKER.test(line)).join("\n");
  const kept: string[] = [];
  let inside = false;
  let found = false;
  for (const line of lines) {
    if (isMarker(line, "region", region)) inside = found = true;
    else if (isMarker(line, "endregion", region)) inside = false;
    else if (inside && !MARKER.test(line)) kept.push(line);
  }
  if (!found) throw new Error(`${file} has no region “${region}”`);
  const indents = kept.filter(line => line.trim()).map(line => line.length - line.trimStart().length);
  const indent = Math.min(...indents);
  return kept.map(line => line.slice(indent)).join("\n");
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

function isMarker(line: string, kind: "region" | "endregion", region: string): boolean {
  return line.trimEnd().endsWith(`#${kind} ${region}`);
}
