/**
 * Learn mode in a terminal of its own: how long from the moment a file is saved until its verdict is on the
 * screen. The saves turn the first task of a chapter from its starter to the reference's bodies and back.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Chapter } from "../../chapters/tools/chapter-manifest.ts";
import { readChapters } from "../../chapters/tools/chapters.ts";
import { Clone } from "../../chapters/tools/clone.ts";
import { requires } from "../../chapters/tools/requires.ts";
import { starterBody } from "../../chapters/tools/starter.ts";
import { starterFiles } from "../../chapters/tools/starter-files.ts";
import { median, spread } from "./paired.ts";
import { type BenchResult, CannotMeasure, type Row, thisMachine } from "./result.ts";

export const description = "learn mode: from a save to its verdict on the screen, in chapters 1, 4 and 7";

const ROUNDS = 30;
const CHAPTERS = [1, 4, 7];
/** Before the first that counts: code is compiled, the bundler knows its files. */
const WARM_UP = 4;
/** A learner does not save ten times a second; what is prepared between two saves has the time for it. */
const PAUSE = 500;
const PATIENCE = 60_000;

export async function run(rounds = ROUNDS): Promise<BenchResult> {
  const script = requires("script");
  if (!script.available) throw new CannotMeasure(`${script.reason}: it makes the terminal (bsdutils)`);
  const rows: Row[] = [];
  for (const chapter of readChapters().filter(({ number }) => CHAPTERS.includes(number))) {
    const times = await timesOf(chapter, rounds);
    const name = `chapter ${chapter.number}, task ${chapter.tasks[0]!.id}`;
    rows.push(
      {
        ...{ name: `${name}: median of ${rounds}`, unit: "ms", ours: median(times), peers: {}, ratio: {} },
        spread: { ours: spread(times) },
      },
      { name: `${name}: 95th percentile`, unit: "ms", ours: late(times), peers: {}, ratio: {}, spread: {} },
    );
  }
  return { bench: "learn", machine: thisMachine(), rows, notes: [] };
}

/** The 95th percentile. */
function late(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.95) - 1)]!;
}

/** Milliseconds of each round. */
async function timesOf(chapter: Chapter, rounds: number): Promise<number[]> {
  const clone = new Clone();
  let terminal: Terminal | undefined;
  try {
    for (const { path, text } of starterFiles([chapter])) clone.write(path, text);
    const [first, ...left] = chapter.tasks;
    const path = `chapters/${chapter.name}/${first!.file}`;
    const starter = clone.read(path);
    const solution = clone.read(`solutions/${chapter.name}/${first!.file}`);
    const solved = starterBody(chapter, first!.file, solution, task => left.includes(task));
    terminal = new Terminal(clone.root, chapter.number);
    await terminal.shows(/This failure is expected/);
    const times: number[] = [];
    for (let round = -WARM_UP; round < rounds; round++) {
      await new Promise(resolve => setTimeout(resolve, PAUSE));
      const isSolving = round % 2 === 0;
      const shown = terminal.shows(isSolving ? /done: all \d+ tests pass.* after/ : /yours to write/);
      const begun = performance.now();
      clone.write(path, isSolving ? solved : starter);
      await shown;
      if (round >= 0) times.push(performance.now() - begun);
    }
    return times;
  } finally {
    await terminal?.close();
    clone.delete();
  }
}

/** `npm run learn N` in a terminal that script(1) makes. */
class Terminal {
  readonly #child: ChildProcess;
  #screen = "";
  #wanted: { readonly text: RegExp; readonly resolve: () => void } | undefined;

  constructor(folder: string, chapter: number) {
    const command = `'${process.execPath}' --import tsx chapters/tools/learn/learn.ts ${chapter}`;
    this.#child = spawn("script", ["--quiet", "--flush", "--command", command, "/dev/null"], {
      cwd: folder,
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, TERM: "xterm", NO_COLOR: "1" },
    });
    this.#child.stdout!.on("data", (chunk: Buffer) => {
      this.#screen = (this.#screen + chunk.toString("utf8")).slice(-0x1_0000);
      if (!this.#wanted?.text.test(this.#screen)) return;
      this.#wanted.resolve();
      this.#wanted = undefined;
    });
  }

  /** Resolves as soon as a text is written that was not there when this was called. */
  async shows(text: RegExp): Promise<void> {
    this.#screen = "";
    let watchdog: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wanted = { text, resolve };
        watchdog = setTimeout(() => {
          reject(new CannotMeasure(`learn mode did not show ${text} within ${PATIENCE / 1000} s`));
        }, PATIENCE);
      });
    } finally {
      clearTimeout(watchdog);
    }
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "close");
    this.#child.stdin!.write("q");
    await ended;
  }
}
