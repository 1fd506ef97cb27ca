/** A Markdown file for the student: what was earned, what is missing, and where to read on. */
import { holeRegion } from "../../starter.ts";
import {
  type ChapterGrade,
  type GradedCase,
  type GradeResult,
  pointsText,
  scoreLine,
  studentView,
  type TaskGrade,
} from "../result.ts";

export function feedback(result: GradeResult): string {
  const view = studentView(result);
  const { late } = view;
  const lines = [`# ${inline(view.submission.name)}`, ""];
  if (view.score === null) {
    const whose =
      view.status === "error" ? "The grader failed; this is no fault of yours." : "This could not be graded.";
    lines.push(`${whose} ${inline(view.reason)}`, "");
  }
  if (late) {
    lines.push(
      `Handed in ${late.daysLate === 1 ? "1 day" : `${late.daysLate} days`} after ${late.due}: ${pointsText(late.scoreBefore)} points × ${late.factor}.`,
      "",
    );
  }
  lines.push(...view.chapters.flatMap(chapterText));
  if (view.prints) lines.push("## What your code printed", "", ...fenced(view.prints), "");
  return `${[...lines, scoreLine(view)].join("\n")}\n`;
}

function chapterText(chapter: ChapterGrade): string[] {
  const rows = chapter.tasks.map(({ id, title, score, max, tests }) => {
    const passed = tests.filter(({ outcome }) => outcome === "passed").length;
    return `| ${title} | \`${id}\` | ${passed} of ${tests.length} | ${pointsText(score)} of ${max} |`;
  });
  return [
    `## Chapter ${chapter.number}: ${chapter.title}, ${pointsText(chapter.score)} of ${pointsText(chapter.max)}`,
    "",
    ...(chapter.reason
      ? [`No test could run: ${chapter.state.replaceAll("-", " ")}.`, "", ...fenced(chapter.reason), ""]
      : []),
    "| task | id | tests | points |",
    "| --- | --- | ---: | ---: |",
    ...rows,
    "",
    ...(chapter.reason ? [] : chapter.tasks.flatMap(taskText)),
  ];
}

function taskText({ id, title, score, max, tests, waitsFor }: TaskGrade): string[] {
  if (score === max) return [];
  const failed = tests.filter(({ outcome }) => outcome !== "passed");
  const told = failed.filter(({ message }) => !holeRegion(message));
  return [
    `### ${title} (\`${id}\`)`,
    "",
    ...(told.length < failed.length ? ["Not written yet, so its tests fail, as expected.", ""] : []),
    ...(waitsFor.length > 0
      ? [`Finish ${waitsFor.map(one => `\`${one}\``).join(", ")} first: this task stands on it.`, ""]
      : []),
    ...told.flatMap(caseText),
  ];
}

function caseText({ name, outcome, message }: GradedCase): string[] {
  return [
    `- ${inline(name)}${outcome === "limit" ? " (stopped at a limit)" : ""}`,
    "",
    ...fenced(message, "  "),
    "",
  ];
}

/** A fence that the text itself cannot end. */
function fenced(text: string, indent = ""): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}text`, ...text.split("\n"), fence].map(line => `${indent}${line}`.trimEnd());
}

function inline(text: string): string {
  return text.replace(/[\\`*_[\]<>|#]/g, character => `\\${character}`).replaceAll("\n", " ");
}
