/** Exercism's results.json, version 3 (Exercism, "The Test Runner Interface"): tests linked to tasks by number. */
import { type GradeResult, studentView } from "../result.ts";
import { json } from "./gradescope.ts";

const LONGEST_MESSAGE = 65_535;
const LONGEST_OUTPUT = 500;
const CUT = "\nOutput was truncated. Please limit to 500 chars";

export function exercism(result: GradeResult): string {
  const { chapters, score, reason, status, prints } = studentView(result);
  if (score === null) return json({ version: 3, status: "error", message: `${status}: ${reason}` });
  const broken = chapters.filter(chapter => chapter.state !== "handed-in");
  if (broken.length === chapters.length) {
    const message = broken.map(chapter => chapter.reason).join("\n");
    return json({ version: 3, status: "error", message: message.slice(0, LONGEST_MESSAGE) });
  }
  const output =
    prints.length > LONGEST_OUTPUT ? prints.slice(0, LONGEST_OUTPUT - CUT.length) + CUT : prints || null;
  let number = 0;
  const tests = chapters.flatMap(({ tasks }) =>
    tasks.flatMap(task => {
      number++;
      return task.tests.map(test => ({
        name: `${task.title}: ${test.name}`,
        status: test.outcome === "passed" ? "pass" : test.outcome === "failed" ? "fail" : "error",
        message: test.message.slice(0, LONGEST_MESSAGE) || null,
        output: null as string | null,
        task_id: number,
      }));
    }),
  );
  if (tests[0]) tests[0].output = output;
  const isFull = tests.every(test => test.status === "pass");
  return json({ version: 3, status: isFull ? "pass" : "fail", message: null, tests });
}
