/** What the instructor's edition has beside the course: timetable, syllabus, exercise picker, rubric. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Chapter, Task } from "../chapter-manifest.ts";
import { ROOT } from "../chapters.ts";
import { hours, minutesOf, type Section, sectionsOf, topics, weeks, withNeeds } from "../course/timetable.ts";
import type { Selected } from "./selection.ts";

/** Pages by path in the edition. */
export function instructorPages(selected: readonly Selected[]): Map<string, string> {
  const chosen = selected.filter(({ tasks }) => tasks.length > 0);
  const pages = new Map([
    ["instructor/timetable.md", timetablePage(chosen)],
    ["instructor/exercises.md", exercisesPage(chosen)],
    ["instructor/syllabus-6-weeks.md", syllabusPage(chosen, 6)],
    ["instructor/syllabus-12-weeks.md", syllabusPage(chosen, 12)],
    ["instructor/rubric.md", rubricPage(chosen)],
  ]);
  for (const { chapter, due } of chosen) {
    if (due) pages.set(`instructor/due-${chapter.name}.json`, duePolicy(due));
  }
  return pages;
}

/** For `npm run grade … due=FILE`. */
function duePolicy(due: string): string {
  const policy = { due: `${due}T23:59:00Z`, graceMinutes: 15, perDay: 0.1, lowest: 0.5, extensions: {} };
  return `${JSON.stringify(policy, null, 2)}\n`;
}

function allSections(chosen: readonly Selected[]): Section[] {
  return chosen.flatMap(({ chapter, tasks }) => sectionsOf(chapter, tasks));
}

export function timetablePage(chosen: readonly Selected[]): string {
  const chapters = chosen.map(({ chapter, tasks, due }) => {
    const sections = sectionsOf(chapter, tasks);
    return [
      `## ${chapter.number} ${chapter.title}: ${hours(sections)}${due ? `, due ${due}` : ""}`,
      "",
      table(
        ["section", "reading", "writing", "tasks"],
        sections.map(({ heading, reading, writing, tasks: own }) => [
          heading,
          `${reading} min`,
          writing > 0 ? `${writing} min` : "",
          own.map(({ id }) => id).join(", "),
        ]),
      ),
      "",
    ].join("\n");
  });
  return `# Timetable\n\nComputed from the book's words and the tasks' stars: ${hours(allSections(chosen))} in all.\n\n${chapters.join("\n")}`;
}

export function syllabusPage(chosen: readonly Selected[], count: number): string {
  const plan = weeks(allSections(chosen), count);
  const rows = plan.map((sections, at) => [
    String(at + 1),
    topics(sections).join("<br>"),
    sections.flatMap(({ tasks }) => tasks.map(({ id }) => id)).join(", "),
    hours(sections),
  ]);
  return [
    `# A course of ${count} weeks`,
    "",
    "Each week has about the same time; what is read is written in the same week.",
    "",
    table(["week", "sections", "tasks", "time"], rows),
    "",
  ].join("\n");
}

export function exercisesPage(chosen: readonly Selected[]): string {
  const chapters = chosen.map(({ chapter, tasks }) => {
    const rows = tasks.map(task => {
      const needs = withNeeds(chapter, task);
      return [
        task.id,
        task.title,
        "*".repeat(task.stars),
        String(task.points),
        `${minutesOf(task)} min`,
        needs.length > 1
          ? `${minutes(needs)} min with ${needs
              .slice(0, -1)
              .map(({ id }) => id)
              .join(", ")}`
          : "",
      ];
    });
    return [
      `## ${chapter.number} ${chapter.title}`,
      "",
      table(["task", "what", "stars", "points", "alone", "with what it needs"], rows),
      "",
      ...lessons(chapter, tasks),
    ].join("\n");
  });
  return `# Exercise picker\n\nA task can be assigned with what it needs; \`tasks=\` names those to write, the others are solved in the starters.\n\n${chapters.join("\n")}`;
}

/** Ready choices for a lesson of so many minutes. */
function lessons(chapter: Chapter, tasks: readonly Task[]): string[] {
  return [45, 90, 180]
    .flatMap(time => {
      const chosen: Task[] = [];
      for (const task of tasks) {
        const next = withNeeds(chapter, task).filter(one => tasks.includes(one) && !chosen.includes(one));
        if (minutes([...chosen, ...next]) <= time) chosen.push(...next);
      }
      if (chosen.length === 0) return [];
      const words = chosen.map(({ id }) => `${chapter.number}/${id}`).join(",");
      return [`- ${time} minutes: \`npm run release student tasks=${words}\``];
    })
    .concat("");
}

/** The open questions of the book with what an answer must have. */
export function rubricPage(chosen: readonly Selected[]): string {
  const chapters = chosen.map(({ chapter }) => {
    const questions = questionsOf(chapter).map(({ question, answer }, at) =>
      [
        `### ${chapter.number}.${at + 1} ${question}`,
        "",
        ...answer.split("\n").map(line => `> ${line}`.trimEnd()),
        "",
      ].join("\n"),
    );
    return `## ${chapter.number} ${chapter.title}\n\n${questions.join("\n")}`;
  });
  return [
    "# Rubric for the open questions",
    "",
    "The questions are the book's own; below each stands what the book answers. Grade the reasoning, not the words:",
    "",
    table(
      ["points", "an answer that"],
      [
        ["3", "names the mechanism and says why it must be so: another machine could be predicted from it"],
        ["2", "names the right mechanism; the reason is missing or has a gap"],
        ["1", "sees what happens, with a wrong or no mechanism"],
        ["0", "is missing, or contradicts what the program shows when it is run"],
      ],
    ),
    "",
    "A prediction that was written before the run and turned out wrong is worth 2, if it says afterwards what was wrong in it.",
    "",
    chapters.join("\n"),
  ].join("\n");
}

export function questionsOf({ name }: Chapter): { question: string; answer: string }[] {
  const page = readFileSync(join(ROOT, "docs/chapters", `${name}.md`), "utf8");
  return [...page.matchAll(/<Predict question="([^"]+)">\s*([\s\S]*?)\s*<\/Predict>/g)].map(match => ({
    question: match[1]!,
    answer: match[2]!,
  }));
}

function minutes(tasks: readonly Task[]): number {
  return tasks.reduce((sum, task) => sum + minutesOf(task), 0);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}
