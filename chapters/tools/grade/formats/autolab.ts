/**
 * Autolab's autograder output (Autolab, "Guide for Lab Authors"): anything, and as the last line a JSON
 * object of scores. Without that line Autolab records no score, so a result without one has none.
 */
import { reportLines } from "../report.ts";
import { type GradeResult, studentView } from "../result.ts";

export function autolab(result: GradeResult): string {
  const lines = reportLines(studentView(result)).map(line => `  ${line}`.trimEnd());
  if (result.score === null) return `${lines.join("\n")}\n`;
  const scores = Object.fromEntries(
    result.chapters.flatMap(({ name, tasks }) => tasks.map(({ id, score }) => [`${name} ${id}`, score])),
  );
  return `${lines.join("\n")}\n${JSON.stringify({ scores, scoreboard: [result.score] })}\n`;
}
