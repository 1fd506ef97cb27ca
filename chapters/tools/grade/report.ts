/** A result for people: a line a task, what failed and why, and the score as the last line. */
import { holeRegion } from "../starter.ts";
import { type ChapterGrade, type GradeResult, pointsText, scoreLine, type TaskGrade } from "./result.ts";

/** Longer messages are cut: the rest is in the result. */
const SHOWN_LINES = 30;

export function reportLines(result: GradeResult): string[] {
  const { grader, time } = result;
  const kinds = Object.entries(grader.tests).filter(([, count]) => count > 0);
  const lines = result.chapters.flatMap(chapterLines);
  if (result.prints) lines.push("your code printed", ...indented(result.prints));
  lines.push(
    `isolation: ${grader.isolation} · Node ${grader.node} · ${kinds.map(([kind, count]) => `${count} ${kind}`).join(", ")} tests · ${time.seconds} s`,
    scoreLine(result),
  );
  return lines;
}

function chapterLines(chapter: ChapterGrade): string[] {
  const title = `── chapter ${chapter.number}: ${chapter.title}`;
  const points = `${pointsText(chapter.score)} of ${pointsText(chapter.max)}`;
  const state =
    chapter.state === "handed-in" ? [] : [`   ${chapter.state.replaceAll("-", " ")}: ${chapter.reason}`];
  const isRun = chapter.state === "handed-in";
  return [`${title}   ${points}`, ...state, ...(isRun ? chapter.tasks.flatMap(taskLines) : []), ""];
}

function taskLines({ id, score, max, tests, waitsFor }: TaskGrade): string[] {
  const passed = tests.filter(({ outcome }) => outcome === "passed").length;
  const isWhole = passed === tests.length;
  const head = `   ${isWhole ? "✓" : passed > 0 ? "~" : "✗"} ${id.padEnd(18)} ${`${pointsText(score)} of ${max}`.padStart(10)}`;
  if (isWhole) return [head];
  const failed = tests.filter(({ outcome }) => outcome !== "passed");
  const unwritten = failed.filter(({ message }) => holeRegion(message)).length;
  const told = failed.filter(({ message }) => !holeRegion(message));
  return [
    `${head}   ${passed} of ${tests.length} tests`,
    ...(unwritten > 0
      ? [
          `       not written yet, so ${unwritten === 1 ? "a test fails" : `${unwritten} tests fail`}, as expected`,
        ]
      : []),
    ...(waitsFor.length > 0 ? [`       finish ${waitsFor.join(", ")} first: this task stands on it`] : []),
    ...told.flatMap(({ name, message, outcome }) => [
      `       ✗ ${name}${outcome === "limit" ? "   (stopped at a limit)" : ""}`,
      ...indented(message),
    ]),
  ];
}

/** Indented, so that no line of a message can pass for one of the grader's. */
function indented(text: string): string[] {
  const lines = text.split("\n");
  const shown = lines.slice(0, SHOWN_LINES).map(line => `         ${line}`.trimEnd());
  return lines.length > SHOWN_LINES
    ? [...shown, `         … and ${lines.length - SHOWN_LINES} more lines`]
    : shown;
}
