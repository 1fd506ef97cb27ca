/**
 * PrairieLearn's results.json of an external grader (PrairieLearn, "Externally graded questions"). What is
 * ungradable costs no attempt there; a failure of the grader says that it was no fault of the student.
 */
import { type GradeResult, scoreLine, studentView } from "../result.ts";
import { json, taskText } from "./gradescope.ts";

export function prairielearn(result: GradeResult): string {
  const { score, max, chapters, prints, reason, status } = studentView(result);
  if (score === null) {
    const message = status === "error" ? `The grader failed, which is no fault of yours. ${reason}` : reason;
    return json({ gradable: false, message, format_errors: [message] });
  }
  return json({
    gradable: true,
    // A share of the points, from 0 to 1.
    score: max === 0 ? 0 : score / max,
    message: scoreLine(result),
    output: prints,
    tests: chapters.flatMap(chapter =>
      chapter.tasks.map(task => ({
        name: `${chapter.number} ${chapter.title}: ${task.title}`,
        points: task.score,
        max_points: task.max,
        output: taskText(task, chapter.reason),
      })),
    ),
  });
}
