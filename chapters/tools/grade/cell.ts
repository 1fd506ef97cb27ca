/**
 * The grader's end of a submission's process: starts it, asks it, and ends it with all that it started.
 *
 * A call that goes past a limit costs the process its life; the next call gets a new one. What comes back
 * is data, read with care: a line that nobody asked for, or that is none, ends the process as well.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import type { Duplex, Readable } from "node:stream";
import { SubjectLimitError } from "../subject-calls.ts";
import type { Container, Isolation } from "./isolation.ts";
import { PlainDataError, readPlain, writePlain } from "./plain-data.ts";
import { type Use, useOf } from "./process-use.ts";

export interface CellLimits {
  /** Processor time of one call; where it cannot be read, four times as much on the clock. */
  readonly callSeconds: number;
  /** Processor time of a submission for each of its chapters, over all of its processes. */
  readonly totalSeconds: number;
  /** One answer, in bytes. */
  readonly answerBytes: number;
  /** All that is printed, in bytes. */
  readonly printedBytes: number;
  readonly memoryBytes: number;
}

export const LIMITS: CellLimits = {
  callSeconds: 1,
  totalSeconds: 8,
  answerBytes: 0x40_0000,
  printedBytes: 0x10_0000,
  memoryBytes: 0x4000_0000,
};

/** The process could not be started, or did not say a word before anything of the submission was loaded. */
export class CellError extends Error {
  override readonly name = "CellError";
}

/** What a process said about a call. */
export type Reply = { readonly value: unknown } | { readonly error: Thrown } | { readonly lacks: string };

export interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** What is kept of that which a submission prints. */
const KEPT_PRINTS = 2048;
/** With this V8 begins to say why it ends the process. */
export const LAST_WORDS = "\n<--- Last few GCs --->";
const LOOK_EVERY = 50;
/** So many looks in a row find a process asleep that has a call to answer: it waits for what never comes. */
const LOOKS_ASLEEP = 40;
/** On a machine that is busy with other things a second of processor time may take this much longer. */
const CLOCK_FACTOR = 8;

/** Asking the system for randomness is slow, so it is asked for many ids at once. */
let random = Buffer.alloc(0);

function newId(): string {
  if (random.length === 0) random = randomBytes(16 * 256);
  const id = random.toString("hex", 0, 16);
  random = random.subarray(16);
  return id;
}

interface Question {
  readonly id: string;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** One running process. */
interface Life {
  readonly child: ChildProcess;
  readonly channel: Duplex;
  readonly container: Container | undefined;
  ended: Promise<unknown>;
  loaded: string | undefined;
  question: Question | undefined;
  parts: Buffer[];
  length: number;
}

export class Cell {
  #life: Life | undefined;
  #patience: number;
  #printed = 0;
  #spent = 0;
  #said = "";
  /** The beginning of what the submission printed, for its author. */
  prints = "";
  /** The running process, where there is one. */
  get pid(): number | undefined {
    return this.#life && pidOf(this.#life);
  }

  /** Processes started so far. */
  lives = 0;
  /** The slowest call that came back, in seconds on the clock. */
  slowest = 0;
  /** Processor time of all its processes that have ended, as far as /proc tells it. */
  used = 0;

  constructor(
    private readonly box: string,
    private readonly isolation: Isolation,
    private readonly limits: CellLimits = LIMITS,
    /** Leaves a submission Node's globals: only to show that the walls behind them hold. */
    private readonly isOpen = false,
  ) {
    this.#patience = limits.callSeconds;
  }

  /** Loads a chapter's subject; returns why it does not load, or nothing. */
  async load(chapter: string): Promise<string> {
    try {
      const life = this.#life ?? (await this.#start());
      const reply = await this.#load(life, chapter);
      return "error" in reply ? `${reply.error.name}: ${reply.error.message}` : "";
    } catch (error) {
      if (error instanceof SubjectLimitError) return error.message;
      throw error;
    }
  }

  async #load(life: Life, chapter: string): Promise<Reply> {
    if (life.loaded === chapter) return { value: null };
    const reply = await this.#ask(life, "the submission", { do: "load", chapter, open: this.isOpen });
    if ("value" in reply) life.loaded = chapter;
    return reply;
  }

  /** Calls a function of a chapter's subject, in a process that has loaded it. */
  async call(chapter: string, name: string, args: readonly unknown[]): Promise<Reply> {
    const life = this.#life ?? (await this.#start());
    const loading = await this.#load(life, chapter);
    if (!("value" in loading)) return loading;
    return await this.#ask(life, `“${name}”`, { do: "call", name, args });
  }

  /** Ends the process and waits until it is dead. */
  async close(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    this.#end(life, new Error("the grader is done"));
    await life.ended;
  }

  async #start(): Promise<Life> {
    // Before a process is started: that one has done nothing yet, and must not be ended for the others.
    if (this.#spent > this.limits.totalSeconds) throw new SubjectLimitError(this.#spentAll());
    this.lives++;
    const { file, args, uid, gid, env = {}, container } = this.isolation.command(this.box, this.isOpen);
    const child = spawn(file, args, {
      cwd: container?.folder ?? this.box,
      env,
      uid,
      gid,
      detached: true, // A process group of its own, so that it can be ended as one.
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const channel = child.stdio[3] as Duplex;
    const ended = new Promise<void>(resolve => {
      child.once("error", () => resolve());
      child.once("close", () => resolve());
    });
    const life: Life = {
      child,
      channel,
      container,
      ended,
      loaded: undefined,
      question: undefined,
      parts: [],
      length: 0,
    };
    this.#life = life;
    child.once("error", error => this.#end(life, new CellError(`${file}: ${error.message}`)));
    child.once("exit", (_code, signal) => this.#end(life, new SubjectLimitError(endedBy(signal))));
    channel.on("error", () => {});
    channel.on("data", (chunk: Buffer) => this.#take(life, chunk));
    for (const stream of [child.stdout, child.stderr] as Readable[]) {
      stream.on("error", () => {});
      stream.on("data", (chunk: Buffer) => this.#takePrints(life, chunk, stream === child.stdout));
    }
    try {
      await this.#ask(life, "the process", { do: "hello" });
    } catch (error) {
      await life.ended;
      const reason = error instanceof Error ? error.message : String(error);
      throw new CellError(`a submission's process did not start: ${reason} ${this.#said}`.trim());
    }
    return life;
  }

  #ask(life: Life, what: string, request: object): Promise<Reply> {
    // Looked at for the first time when a call has lasted a while: most have come back long before.
    let before: Use | undefined;
    const begun = performance.now();
    const id = newId();
    const isHello = "do" in request && request.do === "hello";
    const patience = isHello ? 30 : this.#patience;
    let asleep = 0;
    /** Of this call; of a short one nothing is known, and its time on the clock stands for it. */
    let processor: number | undefined;
    return new Promise<Reply>((resolve, reject) => {
      const watch = setInterval(() => {
        const pid = pidOf(life);
        const use = pid === undefined ? undefined : useOf(pid);
        before ??= use && { ...use, processor: use.processor - LOOK_EVERY / 1000 };
        if (use && before) processor = use.processor - before.processor;
        asleep = use?.isAsleep && !isHello ? asleep + 1 : 0;
        const problem =
          asleep > LOOKS_ASLEEP
            ? `${what} did not come back and does nothing: does it wait for something?`
            : this.#problem(isHello, what, patience, before, use, (performance.now() - begun) / 1000);
        if (!problem) return;
        if (problem.includes("come back")) this.#patience = this.limits.callSeconds / 4;
        this.#end(life, new SubjectLimitError(problem));
      }, LOOK_EVERY);
      const settle = () => {
        clearInterval(watch);
        life.question = undefined;
        this.#spent += processor ?? (performance.now() - begun) / 1000;
      };
      life.question = {
        id,
        resolve: reply => {
          settle();
          this.slowest = Math.max(this.slowest, (performance.now() - begun) / 1000);
          resolve(reply);
        },
        reject: error => {
          settle();
          reject(error);
        },
      };
      life.channel.write(`${writePlain({ ...request, id })}\n`);
    });
  }

  /** What is wrong with a call that has not come back yet. */
  #problem(
    isHello: boolean,
    what: string,
    patience: number,
    before: Use | undefined,
    now: Use | undefined,
    clock: number,
  ): string {
    const processor = now && before ? now.processor - before.processor : clock / 4;
    if (!isHello && this.#spent + processor > this.limits.totalSeconds) return this.#spentAll();
    if (now && now.memory > this.limits.memoryBytes) {
      return `${what} took more than ${this.limits.memoryBytes / 0x10_0000} MiB of memory`;
    }
    if (processor <= patience && clock <= patience * CLOCK_FACTOR) return "";
    const how = processor > patience ? "does a loop never end?" : "does it wait for something?";
    return `${what} did not come back within ${patience} s: ${how}`;
  }

  #spentAll(): string {
    return `the submission used more than ${this.limits.totalSeconds} s of processor time in all`;
  }

  #take(life: Life, chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      const end = rest.indexOf(0x0a);
      const part = end < 0 ? rest : rest.subarray(0, end);
      rest = end < 0 ? rest.subarray(rest.length) : rest.subarray(end + 1);
      life.length += part.length;
      if (life.length > this.limits.answerBytes) {
        const limit = this.limits.answerBytes / 0x10_0000;
        this.#end(life, new SubjectLimitError(`the submission answered more than ${limit} MiB`));
        return;
      }
      life.parts.push(part);
      if (end < 0) return;
      const line = Buffer.concat(life.parts).toString("utf8");
      life.parts = [];
      life.length = 0;
      this.#takeLine(life, line);
    }
  }

  #takeLine(life: Life, line: string): void {
    const { question } = life;
    try {
      const reply = replyOf(readPlain(line), question?.id);
      question!.resolve(reply);
    } catch (error) {
      if (!(error instanceof PlainDataError)) throw error;
      this.#end(
        life,
        new SubjectLimitError(`the submission's process did not keep to the protocol: ${error.message}`),
      );
    }
  }

  /** A submission's console prints to standard output; on the other stream Node speaks for itself. */
  #takePrints(life: Life, chunk: Buffer, isOutput: boolean): void {
    this.#printed += chunk.length;
    if (!isOutput) this.#said = (this.#said + chunk.toString("utf8")).slice(0, KEPT_PRINTS);
    else if (this.prints.length < KEPT_PRINTS) {
      this.prints = (this.prints + chunk.toString("utf8")).slice(0, KEPT_PRINTS);
    }
    if (this.#printed > this.limits.printedBytes) {
      const limit = this.limits.printedBytes / 0x10_0000;
      this.#end(life, new SubjectLimitError(`the submission printed more than ${limit} MiB`));
    }
  }

  /** Ends the whole process group; a call that waits for it is told why. */
  #end(life: Life, reason: Error): void {
    const isFirst = this.#life === life;
    if (isFirst) this.#life = undefined;
    const watched = pidOf(life);
    if (watched !== undefined) this.used += useOf(watched)?.processor ?? 0;
    const { pid } = life.child;
    if (pid !== undefined) {
      for (const target of [-pid, pid]) {
        try {
          process.kill(target, "SIGKILL");
        } catch {
          // It is dead already.
        }
      }
    }
    if (isFirst && life.container) life.ended = Promise.all([life.ended, removed(life.container)]);
    life.channel.destroy();
    life.question?.reject(reason);
  }
}

/** The process that runs the submission; of a container the one inside, once it is known. */
function pidOf({ child, container }: Life): number | undefined {
  if (!container) return child.pid;
  try {
    return Number(readFileSync(container.pidFile, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

/** Resolves when nothing of a container is left. */
async function removed({ folder, remove }: Container): Promise<void> {
  await new Promise<void>(resolve => {
    const child = spawn(remove.file, remove.args, { stdio: "ignore" });
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  rmSync(folder, { recursive: true, force: true });
}

function endedBy(signal: NodeJS.Signals | null): string {
  // V8 ends the process so when the heap is full.
  if (signal === "SIGABRT" || signal === "SIGTRAP") return "the process of the submission ran out of memory";
  return "the process of the submission ended";
}

/** Checks the shape of an answer; what is told of an error is text of bounded length. */
function replyOf(answer: unknown, id: string | undefined): Reply {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    throw new PlainDataError("an answer is no object");
  }
  const fields = new Map<string, unknown>(Object.entries(answer));
  if (id === undefined || fields.get("id") !== id)
    throw new PlainDataError("it answered what nobody had asked");
  if (fields.has("value")) return { value: fields.get("value") };
  if (typeof fields.get("lacks") === "string") return { lacks: String(fields.get("lacks")) };
  const error = fields.get("error");
  if (typeof error !== "object" || error === null) throw new PlainDataError("an answer says nothing");
  const text = (name: string, limit: number) => {
    const value: unknown = Reflect.get(error, name);
    return printable(typeof value === "string" ? value.slice(0, limit) : "");
  };
  return {
    error: { name: text("name", 100) || "Error", message: text("message", 2000), stack: text("stack", 8000) },
  };
}

/** Without what moves a terminal's cursor or hides in a text: control, format and private characters. */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, "\ufffd");
}
