/** The words of `npm run release`. npm keeps flags to itself, so an option is a word with `=`. */
import { resolve } from "node:path";
import type { Chapter } from "../chapter-manifest.ts";
import { Complaint } from "../complaint.ts";
import { unknownWord } from "../words.ts";

export const KINDS = {
  student: "starters, tests, book and sandbox, with the reference closed and without hidden tests",
  instructor: "everything, and beside it timetable, syllabus, exercise picker and rubric",
} as const;

export const WORDS = {
  site: "build the book's site, too, into OUT/site",
  help: "print this",
} as const;

export const OPTIONS = {
  out: "the folder to write; it must not be there yet",
  chapters: "the chapters to assign, as in 1-4 or 1,4,5; all unless told",
  tasks: "the tasks to assign, as in 4/pic-priority,5/latch; the others of their chapters are given",
  due: "a date for all, as in 2026-10-01, or one a chapter, as in 1:2026-09-17,2:2026-10-01",
  open: "from when a chapter's reference is part of the edition, in the form of due; never unless told",
  today: "the date to go by, for trying; today unless told",
} as const;

export type Kind = keyof typeof KINDS;
type Option = keyof typeof OPTIONS;

/** A date as in 2026-10-01, by chapter's number. */
export type Dates = ReadonlyMap<number, string>;

export interface Wish {
  readonly kind: Kind;
  readonly out: string;
  readonly hasSite: boolean;
  /** Numbers of chapters. */
  readonly chapters: ReadonlySet<number>;
  /** Keys as in "05-pit/latch"; undefined for all of the chapters. */
  readonly tasks: ReadonlySet<string> | undefined;
  readonly due: Dates;
  readonly open: Dates;
  readonly today: string;
}

export function parseWords(args: readonly string[], all: readonly Chapter[], now: Date): Wish | "help" {
  const options = new Map<Option, string>();
  const words = new Set<string>();
  for (const arg of args) {
    const [, dashes = "", name = "", value] = /^(--)?([a-z]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const known = [...Object.keys(KINDS), ...Object.keys(WORDS), ...Object.keys(OPTIONS)];
    if (Object.hasOwn(OPTIONS, name)) {
      if (!value)
        throw new Complaint(`“${name}” needs a value, as in ${name}=…: ${OPTIONS[name as Option]}`, 2);
      options.set(name as Option, value);
    } else if (known.includes(name) && value === undefined && !dashes) words.add(name);
    else throw new Complaint(unknownWord(name || arg, known), 2);
  }
  if (words.has("help") || args.length === 0) return "help";
  const kinds = (["student", "instructor"] as const).filter(kind => words.has(kind));
  const [kind] = kinds;
  if (!kind || kinds.length > 1)
    throw new Complaint("which edition? `npm run release student` or `instructor`", 2);
  const today = options.get("today") ?? now.toISOString().slice(0, 10);
  if (!isDate(today)) throw new Complaint(`today=${today} is no date as in 2026-10-01`, 2);
  const tasks = options
    .get("tasks")
    ?.split(",")
    .map(text => taskKey(text, all));
  const named = options.get("chapters");
  const fromTasks = tasks && all.filter(({ name }) => tasks.some(key => key.startsWith(`${name}/`)));
  const chapters = named ? chosen(named, all) : new Set((fromTasks ?? all).map(({ number }) => number));
  const outside = tasks?.find(key => !chapters.has(Number(key.slice(0, 2))));
  if (outside) throw new Complaint(`the task ${outside} is of a chapter that is not assigned`, 2);
  return {
    kind,
    out: resolve(options.get("out") ?? `dist/${kind}`),
    hasSite: words.has("site"),
    chapters,
    tasks: tasks && new Set(tasks),
    due: dates("due", options.get("due"), all),
    open: dates("open", options.get("open"), all),
    today,
  };
}

function chosen(text: string, all: readonly Chapter[]): Set<number> {
  const numbers = text.split(",").flatMap(part => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (!first) throw new Complaint(`chapters=${text}: “${part}” is no chapter and no range as in 1-4`, 2);
    return Array.from(
      { length: Math.max(0, Number(last) - Number(first) + 1) },
      (_, at) => Number(first) + at,
    );
  });
  const missing = numbers.find(number => !all.some(chapter => chapter.number === number));
  if (missing !== undefined || numbers.length === 0)
    throw new Complaint(`chapters=${text}: there is no chapter ${missing ?? text}`, 2);
  return new Set(numbers);
}

/** "5/latch" or "05-pit/latch" as "05-pit/latch". */
function taskKey(text: string, all: readonly Chapter[]): string {
  const [where = "", id = ""] = text.split("/");
  const chapter = all.find(({ name, number }) => name === where || String(number) === where);
  if (!chapter) throw new Complaint(`tasks: “${text}” is no chapter/task, as in 5/latch`, 2);
  const ids = chapter.tasks.map(task => task.id);
  if (!ids.includes(id)) throw new Complaint(`tasks: chapter ${chapter.number}: ${unknownWord(id, ids)}`, 2);
  return `${chapter.name}/${id}`;
}

function dates(option: "due" | "open", text: string | undefined, all: readonly Chapter[]): Dates {
  if (!text) return new Map();
  return new Map(
    text.split(",").flatMap(part => {
      const [, number, date = ""] = /^(?:(\d+):)?(.+)$/.exec(part) ?? [];
      if (!isDate(date)) throw new Complaint(`${option}=${text}: “${part}” is no date as in 2026-10-01`, 2);
      const chapters = all.filter(chapter => number === undefined || chapter.number === Number(number));
      if (chapters.length === 0) throw new Complaint(`${option}=${text}: there is no chapter ${number}`, 2);
      return chapters.map(chapter => [chapter.number, date] as const);
    }),
  );
}

function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
  );
}

export function help(): string[] {
  const table = (rows: object, mark = "") =>
    Object.entries(rows).map(([word, meaning]) => `  ${(word + mark).padEnd(12)}${meaning}`);
  return [
    "npm run release student|instructor [out=FOLDER] [chapters=1-4] [words]",
    ...table(KINDS),
    ...table(OPTIONS, "="),
    ...table(WORDS),
  ];
}
