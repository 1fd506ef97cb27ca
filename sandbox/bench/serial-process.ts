/**
 * An emulator as a process of its own whose standard input and output are the guest's serial line, and the
 * processor time that it has taken.
 *
 * The time is that of all threads of all processes in its group, those that have ended included: a
 * compiler's threads count, and so do helpers that it starts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Linux tells processor times in this unit to everybody (USER_HZ). */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat behind the name (proc(5)). */
const GROUP = 2;
const TIMES = [11, 12, 13, 14]; // utime stime cutime cstime

/** Whether the processor time of a group of processes can be read here. */
export const canReadProcessorTime = existsSync("/proc/self/stat");

export interface Moment {
  /** Since the start of the process, in seconds. */
  readonly processorSeconds: number;
  readonly wallSeconds: number;
}

export class SerialProcess {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #started = performance.now();
  #output = "";
  #end: string | undefined;
  #looked = () => {};

  constructor(name: string, command: readonly string[]) {
    const [program, ...words] = command;
    this.#name = name;
    this.#process = spawn(program!, words, { stdio: ["pipe", "pipe", "ignore"], detached: true });
    const finish = (how: string) => {
      this.#end ??= how;
      this.#looked();
    };
    this.#process.on("error", error => finish(error.message));
    this.#process.on("close", code => finish(`it ended with code ${code}`));
    this.#process.stdin!.on("error", () => {}); // it has ended, which `close` tells
    this.#process.stdout!.on("data", (data: Buffer) => {
      this.#output += data.toString("latin1");
      this.#looked();
    });
  }

  type(text: string): void {
    this.#process.stdin!.write(text);
  }

  /** What came up to `text` and with it, and when. Rejects after `seconds`, or when the process ends. */
  until(text: string, seconds: number): Promise<{ readonly output: string; readonly moment: Moment }> {
    return new Promise((resolve, reject) => {
      const fail = (problem: string) => {
        this.#looked = () => {};
        const last = JSON.stringify(this.#output.slice(-200));
        reject(
          new Error(`${this.#name}: ${problem} before ${JSON.stringify(text)}; the last it sent: ${last}`),
        );
      };
      const timer = setTimeout(() => fail(`${seconds} seconds went by`), seconds * 1000);
      this.#looked = () => {
        const at = this.#output.indexOf(text);
        if (at < 0 && this.#end === undefined) return;
        clearTimeout(timer);
        if (at < 0) return fail(this.#end!);
        this.#looked = () => {};
        const output = this.#output.slice(0, at + text.length);
        this.#output = this.#output.slice(at + text.length);
        resolve({ output, moment: this.now() });
      };
      this.#looked();
    });
  }

  now(): Moment {
    const wallSeconds = (performance.now() - this.#started) / 1000;
    return { wallSeconds, processorSeconds: groupSeconds(this.#process.pid!) };
  }

  close(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // The whole group has ended.
    }
  }
}

/** The processor time of all processes of a group, in seconds. */
function groupSeconds(group: number): number {
  let ticks = 0;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    let fields: string[];
    try {
      const line = readFileSync(`/proc/${entry}/stat`, "latin1");
      fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    } catch {
      continue; // it has just ended
    }
    if (Number(fields[GROUP]) === group) for (const field of TIMES) ticks += Number(fields[field]);
  }
  return ticks / TICKS_PER_SECOND;
}
