/**
 * `npm run chapter N [words]`: runs a chapter, on the learner's layer unless told otherwise.
 *
 * The words stand in any order; README.md and `npm run chapter help` list them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Chapter } from "./chapter-manifest.ts";
import { ROOT, readChapters } from "./chapters.ts";
import { Complaint } from "./complaint.ts";
import { runTool } from "./run-tool.ts";
import { unknownWord } from "./words.ts";

const WORDS = {
  solution: "run the reference's layers instead of yours",
  mine: "all layers up to N are yours, not only layer N",
  kvm: "on /dev/kvm; an error where it does not work",
  soft: "on the processor in TypeScript",
  trace: "print the virtual processor at the start and at every exit",
  test: "run this chapter's tests",
  watch: "run again whenever a file is saved",
  list: "list the chapters, or the tasks and guests of chapter N",
  help: "print this",
} as const;

/** An editor writes a file in several steps; this many milliseconds of quiet make one change. */
const QUIET = 100;

type Word = keyof typeof WORDS;

interface Wish {
  readonly chapter: Chapter;
  readonly words: ReadonlySet<Word>;
  readonly guests: readonly string[];
}

await runTool(() => chapter(process.argv.slice(2)));

async function chapter(args: readonly string[]): Promise<number> {
  const chapters = readChapters();
  const wish = parse(args, chapters);
  if (wish === "help") return print(help(chapters));
  if (wish === "list") return print(chapterList(chapters));
  if (wish.words.has("list")) return print(taskList(wish.chapter));
  return wish.words.has("watch") ? await rerun(wish) : await runOnce(wish);
}

function parse(args: readonly string[], chapters: readonly Chapter[]): Wish | "help" | "list" {
  const numbers = args.filter(arg => /^\d+$/.test(arg)).map(Number);
  if (args.includes("help") || args.length === 0) return "help";
  if (numbers.length > 1) throw new Complaint(`one chapter at a time, not ${numbers.join(" and ")}`, 2);
  const [number] = numbers;
  const found = chapters.find(one => one.number === number);
  if (number !== undefined && !found)
    throw new Complaint(`there is no chapter ${number}: ${chaptersInLine(chapters)}`, 2);

  const words = new Set<Word>();
  const guests: string[] = [];
  const names = found ? [...found.guests, ...found.fetched].map(({ name }) => name) : [];
  for (const arg of args) {
    if (/^\d+$/.test(arg)) continue;
    if (isWord(arg)) words.add(arg);
    else if (names.includes(arg)) guests.push(arg);
    else if (found?.tasks.some(({ id }) => id === arg)) {
      throw new Complaint(`“${arg}” is a task: test it alone by \`npm run learn ${found.number} ${arg}\``, 2);
    } else throw new Complaint(unknownWord(arg, [...Object.keys(WORDS), ...names]), 2);
  }
  if (!found && words.has("list")) return "list";
  if (!found) throw new Complaint(`which chapter? ${chaptersInLine(chapters)}`, 2);
  for (const [one, other] of [
    ["kvm", "soft"],
    ["solution", "mine"],
  ] as const) {
    if (words.has(one) && words.has(other))
      throw new Complaint(`“${one}” and “${other}” exclude each other`, 2);
  }
  return { chapter: found, words, guests };
}

function isWord(arg: string): arg is Word {
  return Object.hasOwn(WORDS, arg);
}

function chaptersInLine(chapters: readonly Chapter[]): string {
  return `there are ${chapters.map(({ number, title }) => `${number} (${title})`).join(", ")}`;
}

/** The chapters whose layers are the learner's in this run, as in "05". */
function learnerLayers({ chapter, words }: Wish): string[] {
  const own = chapter.name.slice(0, 2);
  if (words.has("solution")) return [];
  if (!words.has("mine")) return [own];
  return readChapters()
    .map(({ name }) => name.slice(0, 2))
    .filter(number => number <= own);
}

function start(wish: Wish): ChildProcess {
  const { chapter, words, guests } = wish;
  const layers = learnerLayers(wish);
  const folder = join("chapters", chapter.name);
  if (words.has("test")) {
    const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
    const env = { ...process.env, VMEXIT_LEARNER: layers.join(","), VMEXIT_CHAPTER: chapter.name };
    const args = [vitest, "run", `${folder}/`];
    return spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit", env });
  }
  const main = join(folder, "main.ts");
  if (!existsSync(join(ROOT, main))) throw new Complaint(`${main} is missing`);
  const conditions = layers.flatMap(number => ["-C", `learner-${number}`]);
  const hooks = ["--import", "tsx", "--import", "./chapters/tools/report-errors.ts"];
  const passed = [
    ...[...words].filter(word => word === "kvm" || word === "soft" || word === "trace"),
    ...guests,
  ];
  return spawn(process.execPath, [...conditions, ...hooks, `./${main}`, ...passed], {
    cwd: ROOT,
    stdio: "inherit",
  });
}

/** Runs once and returns the exit code. Ctrl-C reaches the child, even when only this process gets it. */
async function runOnce(wish: Wish): Promise<number> {
  const child = start(wish);
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, forward);
  return await exitCode(child);
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
}

/** Runs, and runs again after every save in the chapter or the layers, until Ctrl-C. */
async function rerun(wish: Wish): Promise<number> {
  const folders = [join("chapters", wish.chapter.name), "solutions", "sandbox"].filter(one =>
    existsSync(join(ROOT, one)),
  );
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  const run = () => {
    child?.kill("SIGKILL");
    const mine = start(wish);
    child = mine;
    void exitCode(mine).then(() => {
      if (child === mine) console.log(`── waiting for a save in ${folders.join(", ")}; Ctrl-C ends`);
    });
  };
  for (const folder of folders) {
    watch(join(ROOT, folder), { recursive: true }, (_event, file) => {
      if (!file || !/\.(ts|json|bin)$/.test(file)) return;
      clearTimeout(timer);
      timer = setTimeout(run, QUIET);
    });
  }
  run();
  return await new Promise(resolve => {
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      process.on(signal, () => {
        child?.kill("SIGKILL");
        resolve(code);
        process.exit(code);
      });
    }
  });
}

function print(lines: readonly string[]): number {
  console.log(lines.join("\n"));
  return 0;
}

function help(chapters: readonly Chapter[]): string[] {
  return [
    "npm run chapter N [words]     runs chapter N on your layer; words in any order:",
    ...Object.entries(WORDS).map(([word, meaning]) => `  ${word.padEnd(10)}${meaning}`),
    "  GUEST     only this guest program; `npm run chapter N list` names them",
    "",
    ...chapterList(chapters),
  ];
}

function chapterList(chapters: readonly Chapter[]): string[] {
  return chapters.map(({ number, title, tasks }) => {
    const points = tasks.reduce((sum, task) => sum + task.points, 0);
    return `${String(number).padStart(3)}  ${title} (${tasks.length} tasks, ${points} points)`;
  });
}

function taskList({ number, title, tasks, guests, fetched }: Chapter): string[] {
  const width = Math.max(12, ...tasks.map(({ file }) => file.length)) + 2;
  return [
    `${number}  ${title}`,
    ...tasks.map(({ id, title, points, stars, file }) => {
      return `  ${id.padEnd(18)}${"*".repeat(stars).padEnd(4)}${String(points).padStart(3)} points  ${file.padEnd(width)}${title}`;
    }),
    "guests",
    ...[...guests, ...fetched].map(({ name, does }) => `  ${name.padEnd(16)}${does}`),
  ];
}
