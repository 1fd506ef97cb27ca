/**
 * How long the course takes, section by section: reading from the book's words, writing from the tasks.
 *
 * The rates are estimates for somebody who knows TypeScript and is new below a system call; they stand
 * here, in one place, to be changed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countWords } from "../../../.vitepress/content/prose.ts";
import type { Chapter, Task } from "../chapter-manifest.ts";
import { ROOT } from "../chapters.ts";

/** Words of a technical text in a minute, with a pencil at hand. */
const WORDS_A_MINUTE = 130;
/** A figure, a table or a block of code is looked at, too. */
const MINUTES_A_BLOCK = 1;
/** Writing and testing a task, by its stars. */
const MINUTES_A_TASK = { 1: 15, 2: 30, 3: 50 } as const;

export interface Section {
  readonly chapter: Chapter;
  readonly heading: string;
  readonly reading: number;
  readonly tasks: readonly Task[];
  readonly writing: number;
}

export function minutesOf({ stars }: Task): number {
  return MINUTES_A_TASK[stars];
}

/** The sections of a chapter's page, in its order, with the tasks whose heading stands in them. */
export function sectionsOf(chapter: Chapter, tasks: readonly Task[] = chapter.tasks): Section[] {
  const page = readFileSync(join(ROOT, "docs/chapters", `${chapter.name}.md`), "utf8");
  const parts = page.replace(/^---\n[\s\S]*?\n---\n/, "").split(/^(?=## )/m);
  return parts
    .filter(part => part.startsWith("## "))
    .map(part => {
      const headings = [...part.matchAll(/^#{2,3} (.+?)(?: \{#.*\})?$/gm)].map(match => match[1]!);
      const own = tasks.filter(({ heading }) => headings.includes(heading));
      const blocks = part.match(/^<<<|^<[A-Z]|^\|[ -:]*-/gm)?.length ?? 0;
      return {
        chapter,
        heading: headings[0]!,
        reading: Math.ceil(countWords(part) / WORDS_A_MINUTE) + blocks * MINUTES_A_BLOCK,
        tasks: own,
        writing: own.reduce((sum, task) => sum + minutesOf(task), 0),
      };
    });
}

/** The sections over a number of weeks, in order, each week with about the same time. */
export function weeks(sections: readonly Section[], count: number): Section[][] {
  const time = ({ reading, writing }: Section) => reading + writing;
  const total = sections.reduce((sum, section) => sum + time(section), 0);
  const plan: Section[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const section of sections) {
    const middle = before + time(section) / 2;
    plan[Math.min(count - 1, Math.floor((middle / total) * count))]!.push(section);
    before += time(section);
  }
  return plan;
}

/** A task and all that it needs, in the manifest's order. */
export function withNeeds(chapter: Chapter, task: Task): Task[] {
  const needed = new Set([task.id]);
  for (const one of [...chapter.tasks].reverse()) {
    if (needed.has(one.id)) for (const id of one.requires) needed.add(id);
  }
  return chapter.tasks.filter(({ id }) => needed.has(id));
}

/** The chapters among the sections, each with its first and last one. */
export function topics(sections: readonly Section[]): string[] {
  const chapters = [...new Set(sections.map(({ chapter }) => chapter))];
  return chapters.map(chapter => {
    const own = sections.filter(section => section.chapter === chapter);
    const [first, last] = [own[0]!, own.at(-1)!];
    const range = first === last ? `“${first.heading}”` : `“${first.heading}” to “${last.heading}”`;
    return `${chapter.number} ${chapter.title}: ${range}`;
  });
}

/** What they take to read and to write. */
export function hours(sections: readonly Section[]): string {
  const total = sections.reduce((sum, { reading, writing }) => sum + reading + writing, 0);
  return `${(total / 60).toFixed(1)}\u00a0h`;
}
