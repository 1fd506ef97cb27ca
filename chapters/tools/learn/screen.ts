/** What `npm run learn` shows: pure functions from what is known to lines of a given width and height. */
import { styleText } from "node:util";
import { wrapped } from "../words.ts";
import type { Verdict } from "./check.ts";
import type { Step } from "./course.ts";

export interface Look {
  readonly columns: number;
  /** Undefined where the lines just follow one another, as in a pipe. */
  readonly rows: number | undefined;
  readonly colour: boolean;
}

export interface Score {
  readonly tasks: number;
  readonly allTasks: number;
  readonly points: number;
  readonly allPoints: number;
}

export interface View {
  readonly score: Score;
  readonly step: Step;
  /** Where in the learner's file the task begins. */
  readonly line: number;
  /** When the chapter is due, as in 2026-10-01, where an edition says so. */
  readonly due: string | undefined;
  /** Undefined while the tests run. */
  readonly verdict: Verdict | undefined;
  /** Seconds from the save to this verdict; undefined where no save was the cause. */
  readonly seconds: number | undefined;
  /** The hints that were taken for this task, 0 to 3. */
  readonly hints: number;
  /** Replaces the verdict's text, e.g. a list. */
  readonly panel: readonly string[] | undefined;
  /** Sentences of the last key, or of something that broke. */
  readonly notices: readonly string[];
  readonly footer: readonly string[];
  /** Shows all of it, however long it is. */
  readonly isWhole: boolean;
}

type Style = Parameters<typeof styleText>[0];

export function render(view: View, look: Look): string[] {
  const paint = painter(look);
  const { step, score, verdict, panel } = view;
  const head = [
    ...wrapped(`${bar(score, look)} ${scoreText(score)}`, look.columns),
    ...wrapped(taskLine(view), look.columns).map(line => paint("bold", line)),
    ...wrapped(`${step.path}:${view.line}`, look.columns).map(line => paint("cyan", line)),
    "",
  ];
  const verdictLines = wrapped(verdictText(view), look.columns).map(line =>
    paint(
      verdict === undefined
        ? "dim"
        : verdict.state === "done"
          ? "green"
          : toWriteHere(view)
            ? "yellow"
            : "red",
      line,
    ),
  );
  const notices = view.notices.flatMap(notice => wrapped(notice, look.columns));
  const body = (panel ?? [...hintLines(view), ...messageLines(view)])
    .flatMap(line => wrapped(line, look.columns))
    .map(line => (panel ? painted(line, paint) : line));
  const foot = [
    "",
    ...view.footer.flatMap(line => wrapped(line, look.columns)).map(line => paint("dim", line)),
  ];
  const above = [...head, ...verdictLines, ...notices, ""];
  if (look.rows === undefined || view.isWhole) return [...above, ...body, ...foot];
  return [...above, ...fitting(body, look.rows - above.length - foot.length - 1), ...foot];
}

function fitting(lines: readonly string[], room: number): string[] {
  if (lines.length <= room) return [...lines];
  const shown = Math.max(1, room - 1);
  return [...lines.slice(0, shown), `… ${lines.length - shown} more lines: m shows them`];
}

function painter({ colour }: Look): (style: Style, text: string) => string {
  return (style, text) => (colour && text ? styleText(style, text, { validateStream: false }) : text);
}

/** Lines of a diff. */
function painted(line: string, paint: (style: Style, text: string) => string): string {
  if (line.startsWith("+ ")) return paint("green", line);
  return line.startsWith("- ") ? paint("red", line) : line;
}

const BAR = 24;

function bar({ points, allPoints }: Score, { colour }: Look): string {
  const filled = allPoints === 0 ? 0 : Math.floor((points / allPoints) * BAR);
  return colour
    ? styleText("green", "█".repeat(filled), { validateStream: false }) + "░".repeat(BAR - filled)
    : `[${"#".repeat(filled)}${"-".repeat(BAR - filled)}]`;
}

function scoreText({ tasks, allTasks, points, allPoints }: Score): string {
  return `${tasks} of ${allTasks} tasks, ${points} of ${allPoints} points`;
}

function taskLine({ step: { chapter, task }, due }: View): string {
  const points = `${task.points} ${task.points === 1 ? "point" : "points"}`;
  const facts = [task.id, points, "*".repeat(task.stars), ...(due ? [`due ${due}`] : [])];
  return `${chapter.number} ${chapter.title} › ${task.title} (${facts.join(", ")})`;
}

function toWriteHere({ verdict, step }: View): boolean {
  return verdict?.state === "to-write" && verdict.of === step.task.id;
}

function verdictText({ verdict, step, seconds }: View): string {
  if (!verdict) return "… testing";
  const after = seconds === undefined ? "" : `, ${seconds.toFixed(2)} s after the save`;
  const count = `${verdict.passed} of ${verdict.all} tests pass${after}`;
  switch (verdict.state) {
    case "done":
      return `✓ done: all ${verdict.all} tests pass${after}`;
    case "broken":
      return `✗ the file is no TypeScript yet${after}`;
    case "to-write":
      return verdict.of === step.task.id
        ? `· ${count}. This failure is expected: it is yours to write`
        : `· ${count}. This needs the task “${verdict.of}”, which is still to write: n goes there`;
    case "failed":
      return `✗ ${count}`;
  }
}

const HINTS = ["nudge", "method", "nearly the code"];

function hintLines({ step, hints, verdict }: View): string[] {
  if (verdict?.state === "done") return [];
  return step.task.hints
    .slice(0, hints)
    .flatMap((hint, at) => [`hint ${at + 1} of 3, ${HINTS[at]}: ${hint}`, ""]);
}

function messageLines({ verdict, step }: View): string[] {
  const { task, chapter } = step;
  const read = `Read “${task.heading}”: docs/chapters/${chapter.name}.md#${task.anchor}`;
  switch (verdict?.state) {
    case "to-write":
      return verdict.of === task.id
        ? [`write  ${task.write}`, `first test  “${verdict.test}”`, "", read]
        : [...verdict.lines, "", read];
    case "failed":
      return [`“${verdict.test}”`, "", ...verdict.lines.flatMap(line => line.split("\n"))];
    case "broken":
      return [...verdict.lines, "", "Mend this and save: the tests run then."];
    default:
      return [];
  }
}
