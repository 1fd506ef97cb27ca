/** The words of `npm run learn`. */
import type { Chapter } from "../chapter-manifest.ts";
import { Complaint } from "../complaint.ts";
import { unknownWord } from "../words.ts";

export const WORDS = {
  once: "test once, print, and end; what happens without a terminal, too",
  watch: "test at every save, also where the output is no terminal",
  list: "list the tasks, and which are done",
  hint: "print the next hint of the task",
  diff: "print the difference to the reference, once the tests pass",
  reset: "put the task back to its starter; what was there is kept",
  poll: "look at the files every quarter of a second, where the system does not tell of a save",
  mine: "all layers below are yours, too, as in `npm run chapter N mine`",
  help: "print this",
} as const;

export type Word = keyof typeof WORDS;

export interface Wish {
  readonly words: ReadonlySet<Word>;
  /** Only this chapter. */
  readonly chapter: Chapter | undefined;
  /** Begin with this task, though others are left before it. */
  readonly task: string | undefined;
}

export function parseWords(args: readonly string[], chapters: readonly Chapter[]): Wish {
  const words = new Set<Word>();
  let chapter: Chapter | undefined;
  let task: string | undefined;
  for (const arg of args) {
    if (/^\d+$/.test(arg)) {
      chapter = chapters.find(({ number }) => number === Number(arg));
      if (!chapter)
        throw new Complaint(
          `there is no chapter ${arg}: there are ${chapters.map(({ number }) => number).join(", ")}`,
          2,
        );
    } else if (Object.hasOwn(WORDS, arg)) words.add(arg as Word);
    else task = arg;
  }
  const ids = (chapter ? [chapter] : chapters).flatMap(({ tasks }) => tasks.map(({ id }) => id));
  if (task !== undefined && !ids.includes(task))
    throw new Complaint(unknownWord(task, [...Object.keys(WORDS), ...ids]), 2);
  return { words, chapter, task };
}

export function help(): string[] {
  return [
    "npm run learn [N] [TASK] [words]     the first task that is not done, tested at every save",
    ...Object.entries(WORDS).map(([word, meaning]) => `  ${word.padEnd(8)}${meaning}`),
    "  N       only chapter N; TASK begins with that task, e.g. `npm run learn 5 latch`",
  ];
}
