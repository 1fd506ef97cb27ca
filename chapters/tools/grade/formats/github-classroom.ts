/**
 * What GitHub Classroom's graders handed to its reporter: JSON in base64, as a step's output. GitHub
 * Classroom has closed; workflows that were made for it still use this form.
 */
import { type GradeResult, studentView } from "../result.ts";
import { json, taskText } from "./gradescope.ts";

export function githubClassroom(result: GradeResult): string {
  const { status, reason, max, chapters } = studentView(result);
  const tests = chapters.flatMap(chapter =>
    chapter.tasks.map(task => ({
      name: `${chapter.number} ${chapter.title}: ${task.title}`,
      status: task.score === task.max ? "pass" : "fail",
      score: task.score,
      message: task.score === task.max ? null : taskText(task, chapter.reason),
    })),
  );
  const isFull = result.score === max;
  const failed = [{ name: status, status: "error", score: 0, message: reason }];
  return Buffer.from(
    json({
      version: 1,
      status: result.score === null ? "error" : isFull ? "pass" : "fail",
      max_score: max,
      tests: result.score === null ? failed : tests,
    }),
  ).toString("base64");
}
