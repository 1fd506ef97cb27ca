/** What an instructor sees of a class: the bar while it is graded, and the table at the end. */
import { type GradeResult, pointsText, type Status } from "./result.ts";

const BAR = 30;

/** “▇▇▇▇▁▁▁▁ 120 of 300, 12.3 a second, 15 s to go”. */
export function progressLine(done: number, of: number, cached: number, seconds: number): string {
  const filled = Math.round((BAR * done) / of);
  const rate = (done - cached) / Math.max(seconds, 0.001);
  const left = rate > 0 ? `, ${Math.ceil((of - done) / rate)} s to go` : "";
  const known = cached > 0 ? `, ${cached} known already` : "";
  return `${"#".repeat(filled)}${".".repeat(BAR - filled)} ${done} of ${of}${known}, ${rate.toFixed(1)} a second${left}`;
}

export function classTable(results: readonly GradeResult[]): string[] {
  const sorted = [...results].sort((a, b) => (a.submission.id < b.submission.id ? -1 : 1));
  const width = Math.max(10, ...sorted.map(({ submission }) => submission.id.length));
  const rows = sorted.map(result => {
    const days = result.late?.daysLate;
    const late = days === undefined ? "" : days === 1 ? "1 day late" : `${days} days late`;
    const broken = result.chapters
      .filter(({ state }) => state !== "handed-in")
      .map(({ name, state }) => `${name} ${state}`);
    const notes = [result.reason, late, ...broken].filter(Boolean).join("; ");
    const points = result.score === null ? "-" : pointsText(result.score);
    return `${result.submission.id.padEnd(width)}  ${result.status.padEnd(10)} ${points.padStart(7)} / ${pointsText(result.max)}  ${notes}`.trimEnd();
  });
  return [...rows, "", summary(sorted)];
}

function summary(results: readonly GradeResult[]): string {
  const count = (status: Status) => results.filter(result => result.status === status).length;
  const scores = results.flatMap(({ score }) => (score === null ? [] : [score])).sort((a, b) => a - b);
  const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
  const median = scores[Math.floor((scores.length - 1) / 2)] ?? 0;
  return [
    `${count("graded")} graded, ${count("ungradable")} ungradable (look at them), ${count("error")} failures of the grader (run it again)`,
    scores.length > 0
      ? `mean ${pointsText(mean)}, median ${pointsText(median)} of ${pointsText(results[0]!.max)}`
      : "no scores",
  ].join("; ");
}
