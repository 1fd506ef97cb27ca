/**
 * Gradescope's results.json (Gradescope, "Autograder Specifications", Output Format): one entry a task, so
 * that the entries' scores add up to the total.
 *
 * Without a score Gradescope shows the submission as not graded: that is what a result without one becomes.
 */
import { type GradedCase, type GradeResult, scoreLine, studentView, type TaskGrade } from "../result.ts";

export function gradescope(result: GradeResult): string {
  const { score, chapters, late } = studentView(result);
  const message = late ? `${scoreLine(result)} (${lateText(late)})` : scoreLine(result);
  if (score === null) return json({ output: message, visibility: "visible" });
  return json({
    score,
    output: message,
    output_format: "text",
    visibility: "visible",
    stdout_visibility: "hidden",
    tests: chapters.flatMap(chapter =>
      chapter.tasks.map((task, at) => ({
        name: `${chapter.title}: ${task.title}`,
        number: `${chapter.number}.${at + 1}`,
        score: task.score,
        max_score: task.max,
        status: task.score === task.max ? "passed" : "failed",
        output: taskText(task, chapter.reason),
        output_format: "text",
        visibility: "visible",
        tags: [chapter.name, task.id],
      })),
    ),
    extra_data: { seed: result.grader.seed, suite: result.grader.suite, isolation: result.grader.isolation },
  });
}

function lateText({ daysLate, factor, scoreBefore }: NonNullable<GradeResult["late"]>): string {
  return `${daysLate === 1 ? "1 day" : `${daysLate} days`} late: ${scoreBefore} × ${factor}`;
}

/** What did not pass in a task, for its author. */
export function taskText({ tests, waitsFor }: TaskGrade, reason: string): string {
  const passed = tests.filter(({ outcome }) => outcome === "passed").length;
  const failed = tests.filter(({ outcome }) => outcome !== "passed");
  return [
    `${passed} of ${tests.length} tests passed`,
    ...(reason ? [reason] : []),
    ...(waitsFor.length > 0 ? [`Finish ${waitsFor.join(", ")} first: this task stands on it.`] : []),
    ...(reason ? [] : failed.map(caseText)),
  ].join("\n\n");
}

export function caseText({ name, outcome, message }: GradedCase): string {
  const how = outcome === "limit" ? " (stopped at a limit)" : "";
  return `✗ ${name}${how}\n${message
    .split("\n")
    .map(line => `    ${line}`.trimEnd())
    .join("\n")}`;
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
