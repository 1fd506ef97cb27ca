/** The words of `npm run grade`, and the same as flags behind `--`. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Chapter } from "../chapter-manifest.ts";
import { Complaint } from "../complaint.ts";
import { unknownWord } from "../words.ts";
import { FORMATS } from "./formats.ts";
import { LEVELS, type Level } from "./isolation.ts";

export const WORDS = {
  solution: "grade the reference's layers: they earn every point",
  merge: "put the results of several shards together: npm run grade merge FOLDER…",
  sample: "write a folder of 300 made-up submissions: npm run grade N|all sample FOLDER",
  one: "PATH is one submission, whatever it looks like",
  similar: "compare all submissions with each other: npm run grade similar FOLDER",
  cluster: "write what grades a class on many machines: npm run grade N|all cluster github|kubernetes",
  github: "of cluster: a workflow for GitHub Actions",
  kubernetes: "of cluster: an Indexed Job, and the image's Dockerfile",
  gradescope: "write a Gradescope autograder: npm run grade N|all gradescope out=FILE.zip",
  "gradescope-check":
    "build and run that autograder in a bare Debian, graded without a network (root, debootstrap)",
  classroom50: "write the declarative tests of a Classroom 50 assignment: npm run grade N classroom50",
  attacks: "run the attack corpus, at the level that isolation= names, and tell what got through",
  strict: "end with 1 unless every point was earned",
  fresh: "grade again what is graded already",
  help: "print this",
} as const;

export const OPTIONS = {
  isolation: "refuse to grade below this level: node, uid, bubblewrap or container",
  seed: "of the seeded tests; each student gets cases of their own from it",
  out: "the folder that results are written to",
  format: `write these formats, too: ${Object.keys(FORMATS).join(", ")}, or all`,
  task: "only these tasks, by their ids, as in task=map-slots,translate",
  jobs: "submissions at the same time; as many as processors unless told",
  shard: "only this part of a class, as in 2/8",
  shards: "of cluster: how many parts; 8 unless told",
  image: "of cluster kubernetes: the name of the grader's image",
  least: "of similar: the share in percent from which a pair is listed; 30 unless told",
  node: "of gradescope: one of Node's archives for Linux, to put into the zip; else the build fetches one",
  due: "a JSON file of due dates and what lateness costs",
  handed: "a CSV file: submission, time it was handed in (ISO 8601)",
} as const;

type Word = keyof typeof WORDS;
type Option = keyof typeof OPTIONS;

/** Longer names that people expect. */
const SYNONYMS: Readonly<Record<string, Option>> = {
  "require-isolation": "isolation",
  "handed-in": "handed",
};

export interface Wish {
  readonly words: ReadonlySet<Word>;
  readonly chapters: readonly Chapter[];
  /** Folders and archives. */
  readonly paths: readonly string[];
  readonly isolation: Level;
  readonly seed: string;
  readonly out: string | undefined;
  readonly formats: readonly string[];
  /** Ids of tasks; empty for all. */
  readonly tasks: readonly string[];
  readonly jobs: number | undefined;
  /** Counted from 1. */
  readonly shard: { readonly index: number; readonly of: number };
  /** Of a cluster. */
  readonly shards: number | undefined;
  readonly image: string | undefined;
  /** A share from 0 to 1. */
  readonly least: number | undefined;
  readonly node: string | undefined;
  readonly due: string | undefined;
  readonly handedIn: string | undefined;
}

export function parseWords(args: readonly string[], chapters: readonly Chapter[], practice: string): Wish {
  const words = new Set<Word>();
  const numbers: number[] = [];
  const paths: string[] = [];
  const options = new Map<Option, string>();
  let isAll = false;
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    const [, dashes = "", name = "", value] = /^(--)?([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(arg) ?? [];
    const option = optionNamed(name);
    if (option && (dashes || value !== undefined)) {
      const given = value ?? left.shift();
      if (given === undefined || given === "")
        throw new Complaint(`${name} needs a value: ${OPTIONS[option]}`, 2);
      options.set(option, given);
    } else if (Object.hasOwn(WORDS, name) && value === undefined) words.add(name as Word);
    else if (arg === "all" || arg === "--all") isAll = true;
    else if (/^\d+$/.test(arg)) numbers.push(Number(arg));
    else if (!dashes && (existsSync(arg) || arg.includes("/") || words.has("sample")))
      paths.push(resolve(arg));
    else
      throw new Complaint(
        unknownWord(name || arg, [...Object.keys(WORDS), ...Object.keys(OPTIONS), "all"]),
        2,
      );
  }
  const chosen = numbers.map(number => {
    const found = chapters.find(one => one.number === number);
    if (!found)
      throw new Complaint(
        `there is no chapter ${number}: there are ${chapters.map(one => one.number).join(", ")}`,
        2,
      );
    return found;
  });
  if (isAll && numbers.length > 0)
    throw new Complaint(`“all” and ${numbers.join(", ")} exclude each other`, 2);
  return {
    words,
    chapters: isAll ? chapters : chosen,
    paths,
    isolation: isolationOf(options.get("isolation")),
    seed: options.get("seed") ?? practice,
    out: options.get("out"),
    formats: formatsOf(options.get("format")),
    tasks: tasksOf(options.get("task"), isAll ? chapters : chosen),
    jobs: options.has("jobs") ? countOf("jobs", options.get("jobs")!) : undefined,
    shard: shardOf(options.get("shard")),
    shards: options.has("shards") ? countOf("shards", options.get("shards")!) : undefined,
    image: options.get("image"),
    least: options.has("least") ? shareOf("least", options.get("least")!) : undefined,
    node: options.get("node"),
    due: options.get("due"),
    handedIn: options.get("handed"),
  };
}

function optionNamed(name: string): Option | undefined {
  if (Object.hasOwn(SYNONYMS, name)) return SYNONYMS[name];
  return Object.hasOwn(OPTIONS, name) ? (name as Option) : undefined;
}

function isolationOf(text: string | undefined): Level {
  const level = LEVELS.find(one => one === (text ?? "node"));
  if (!level) throw new Complaint(`isolation is one of ${LEVELS.join(", ")}, not “${text}”`, 2);
  return level;
}

function formatsOf(text: string | undefined): string[] {
  const names = text === "all" ? Object.keys(FORMATS) : (text?.split(",") ?? []);
  const wrong = names.find(name => !Object.hasOwn(FORMATS, name));
  if (wrong !== undefined) throw new Complaint(unknownWord(wrong, Object.keys(FORMATS)), 2);
  return names;
}

function tasksOf(text: string | undefined, chapters: readonly Chapter[]): string[] {
  const ids = text?.split(",") ?? [];
  const known = chapters.flatMap(({ tasks }) => tasks.map(({ id }) => id));
  const wrong = ids.find(id => !known.includes(id));
  if (wrong !== undefined) throw new Complaint(unknownWord(wrong, known), 2);
  return ids;
}

function countOf(name: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new Complaint(`${name} is a whole number from 1 on, not “${text}”`, 2);
  return Number(text);
}

function shareOf(name: string, text: string): number {
  const percent = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(percent >= 1 && percent <= 100))
    throw new Complaint(`${name} is a whole number of percent from 1 to 100, not “${text}”`, 2);
  return percent / 100;
}

function shardOf(text: string | undefined): { index: number; of: number } {
  if (text === undefined) return { index: 1, of: 1 };
  const [, index = 0, of = 0] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (index < 1 || index > of) throw new Complaint(`shard is “part/parts”, as in 2/8, not “${text}”`, 2);
  return { index, of };
}

export function help(): string[] {
  const row = (name: string, meaning: string) => `  ${name.padEnd(18)}${meaning}`;
  return [
    "npm run grade N                 grades your chapter N in a process of its own",
    "npm run grade N solution        grades the reference",
    "npm run grade N|all PATH        grades a folder or archive of submissions, or a single one",
    "",
    "words, in any order",
    ...Object.entries(WORDS).map(([word, meaning]) => row(word, meaning)),
    "",
    "options, as name=value, or as flags behind “--” (npm run grade all FOLDER -- --shard 2/8)",
    ...Object.entries(OPTIONS).map(([option, meaning]) => row(option, meaning)),
    "",
    "ends with 0 when something was graded, whatever the score; 1 when there was nothing to grade;",
    "2 for a wrong word; 3 when the grader itself failed",
  ];
}
