/**
 * A class's scores as CSV (RFC 4180), to read and to import: Canvas (“Import grades”), Moodle (grading
 * worksheet), and one of our own with everything. A cell that a spreadsheet would take for a formula gets
 * an apostrophe; a result without a score leaves its cell empty, so that nothing is overwritten by a zero.
 */
import { stringify } from "csv-stringify/sync";
import { type GradeResult, pointsText } from "./result.ts";

type Rows = readonly (readonly string[])[];

/** Guards `= + - @` and the control characters that spreadsheets strip before they look. */
export function csv(rows: Rows): string {
  return stringify(
    rows.map(row => [...row]),
    { escape_formulas: true, record_delimiter: "windows", quoted_match: /[\r\n]/ },
  );
}

const score = (result: GradeResult) => (result.score === null ? "" : pointsText(result.score));

/** Canvas matches students by ID; the second row holds the points possible. */
export function canvasCsv(results: readonly GradeResult[], assignment: string): string {
  const max = results[0] ? pointsText(results[0].max) : "0";
  return csv([
    ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment],
    ["    Points Possible", "", "", "", "", max],
    ...results.map(result => [result.submission.name, result.submission.userId, "", "", "", score(result)]),
  ]);
}

/** Moodle's worksheet matches rows by their identifier. */
export function moodleCsv(results: readonly GradeResult[]): string {
  return csv([
    ["Identifier", "Full name", "Status", "Grade", "Maximum Grade", "Feedback comments"],
    ...results.map(result => [
      result.submission.userId ? `Participant ${result.submission.userId}` : "",
      result.submission.name,
      result.status === "graded" ? "Submitted for grading" : result.status,
      score(result),
      pointsText(result.max),
      result.reason,
    ]),
  ]);
}

/** Everything in one table, a row a student. */
export function classCsv(results: readonly GradeResult[]): string {
  const chapters = [...new Set(results.flatMap(result => result.chapters.map(({ name }) => name)))].sort();
  return csv([
    ["submission", "name", "user", "status", "score", "max", ...chapters, "days late", "reason"],
    ...results.map(result => [
      ...[result.submission.id, result.submission.name, result.submission.userId, result.status],
      ...[score(result), pointsText(result.max)],
      ...chapters.map(name => {
        const chapter = result.chapters.find(one => one.name === name);
        return chapter ? pointsText(chapter.score) : "";
      }),
      result.late ? String(result.late.daysLate) : "",
      result.reason,
    ]),
  ]);
}
