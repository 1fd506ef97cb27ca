/** Learn mode in a terminal: draws the screen, takes keys, tests at every save, until q or Ctrl-C. */
import { spawn } from "node:child_process";
import { ROOT } from "../chapters.ts";
import { wantsColour } from "../code-frame.ts";
import { firstLine } from "./course.ts";
import { editorCall } from "./editor.ts";
import { type Saves, watchSaves, whyPoll } from "./saves.ts";
import type { Course } from "./session.ts";

/** After so many milliseconds without a file event the screen says how to test by hand. */
const SILENCE = 5000;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export async function runInTerminal(
  course: Course,
  task: string | undefined,
  isPolling: boolean,
): Promise<number> {
  const terminal = new Terminal(course);
  return await terminal.run(task, isPolling);
}

class Terminal {
  readonly #stdin = process.stdin;
  readonly #stdout = process.stdout;
  readonly #canDraw = process.stdout.isTTY === true && process.env["TERM"] !== "dumb";
  readonly #hasKeys = process.stdin.isTTY === true && process.stdout.isTTY === true;
  /** A child has the terminal: neither draw nor read. */
  #isLent = false;
  #wantsReset = false;
  #silence: NodeJS.Timeout | undefined;
  #isSilent = false;
  #saves: Saves | undefined;
  #end: (code: number) => void = () => {};

  constructor(private readonly course: Course) {}

  async run(task: string | undefined, isPolling: boolean): Promise<number> {
    const ended = new Promise<number>(resolve => (this.#end = resolve));
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      // While a chapter runs, Ctrl-C is meant for it.
      process.on(signal, () => (this.#isLent && signal === "SIGINT" ? undefined : this.#end(code)));
    }
    try {
      this.#draw();
      const reason = isPolling ? "as you wish" : await whyPoll();
      if (reason) this.course.say(`looking at the files every quarter of a second: ${reason}`);
      this.#saves = await watchSaves(reason !== undefined, paths => void this.#saved(paths));
      if (this.#hasKeys) this.#takeKeys();
      await this.course.begin(task);
      this.#listen();
      this.#stdout.on("resize", () => this.#draw());
      return await ended;
    } finally {
      clearTimeout(this.#silence);
      if (this.#hasKeys) this.#stdin.setRawMode(false);
      this.#stdin.pause();
      await this.#saves?.close();
      console.log("");
    }
  }

  #takeKeys(): void {
    this.#stdin.setRawMode(true);
    this.#stdin.setEncoding("utf8");
    this.#stdin.on("data", (data: Buffer | string) => {
      const keys = String(data);
      // What begins with an escape is an arrow or a function key: none of ours.
      if (!this.#isLent && !keys.startsWith("\x1b")) for (const key of keys) void this.#key(key);
    });
  }

  async #saved(paths: readonly string[]): Promise<void> {
    if (this.#isLent || this.course.isOwnWrite(paths)) return;
    this.course.forgetNotices();
    if (!(await this.course.check(paths))) return;
    this.#listen();
    if (await this.course.checkAgain(paths)) this.#draw();
    this.course.prepare();
  }

  async #key(key: string): Promise<void> {
    const { course } = this;
    const confirmed = key === "r" && this.#wantsReset;
    this.#wantsReset = false;
    course.forgetNotices();
    switch (key) {
      case "q":
      case "\x03":
      case "\x04":
        return this.#end(0);
      case "n":
        await course.next();
        break;
      case "h":
        course.hint();
        break;
      case "d":
        course.showDifference();
        break;
      case "l":
        course.showList();
        break;
      case "m":
        course.showWhole();
        break;
      case "r":
        this.#wantsReset = !confirmed;
        if (!confirmed) {
          course.say(`r again puts the task “${course.step.task.id}” back to its starter and keeps yours`);
          break;
        }
        course.reset();
        await course.check();
        break;
      case "c":
        return await this.#runChapter();
      case "e":
        return await this.#edit();
      case "\r":
      case "\n":
      case " ":
        if (!(await course.check())) return;
        break;
      default:
        return;
    }
    this.#listen();
  }

  /** Draws, and waits for the silence that deserves a word. */
  #listen(): void {
    clearTimeout(this.#silence);
    this.#isSilent = false;
    this.#draw();
    this.course.prepare();
    this.#silence = setTimeout(() => {
      this.#isSilent = true;
      if (this.#canDraw) this.#draw();
      else if (!this.#isLent) console.log(this.#silentLine());
    }, SILENCE);
  }

  #draw(): void {
    if (this.#isLent) return;
    const look = {
      columns: this.#stdout.columns || DEFAULT_COLUMNS,
      rows: this.#canDraw ? this.#stdout.rows || DEFAULT_ROWS : undefined,
      colour: wantsColour(this.#stdout),
    };
    const lines = this.course.lines(look, this.#footer());
    this.#stdout.write(`${this.#canDraw ? "\x1b[H\x1b[2J\x1b[3J" : ""}${lines.join("\n")}\n`);
  }

  #footer(): string[] {
    const keys = this.#hasKeys
      ? ["n next · h hint · d diff · c run · e edit · r reset · l list · m more · q quit"]
      : ["no keys here: `npm run learn help` has words for them; Ctrl-C ends"];
    return this.#isSilent ? [...keys, this.#silentLine()] : keys;
  }

  #silentLine(): string {
    const again = this.#hasKeys ? "Enter tests again" : "`npm run learn once` tests by hand";
    const poll = this.#saves?.isPolling ? "" : "; if saves are not seen: `npm run learn poll`";
    return `no save for ${SILENCE / 1000} s. ${again}${poll}`;
  }

  async #runChapter(): Promise<void> {
    const { number } = this.course.step.chapter;
    const words = ["--import", "tsx", "chapters/tools/chapter.ts", String(number)];
    const code = await this.#lend(process.execPath, words);
    this.course.say(`\`npm run chapter ${number}\` ended with ${code}`);
    await this.#waitForKey();
    this.#listen();
  }

  async #edit(): Promise<void> {
    const { step } = this.course;
    const call = editorCall(process.env, step.path, firstLine(step));
    if (!call) this.course.say(`which editor? Set $EDITOR, or open ${step.path}`);
    else {
      const code = await this.#lend(call.program, call.args);
      if (code !== 0) this.course.say(`the editor ${call.program} ended with ${code}`);
      if (!(await this.course.check())) return;
    }
    this.#listen();
  }

  /** Gives the terminal to a program until it ends; its exit code, or why it did not start. */
  async #lend(program: string, args: readonly string[]): Promise<number | string> {
    clearTimeout(this.#silence);
    this.#isLent = true;
    this.#stdin.setRawMode(false);
    this.#stdin.pause();
    if (this.#canDraw) this.#stdout.write("\x1b[H\x1b[2J");
    try {
      return await new Promise(resolve => {
        const child = spawn(program, args, { cwd: ROOT, stdio: "inherit" });
        child.on("error", error => resolve(error.message));
        child.on("exit", (code, signal) => resolve(code ?? signal ?? 1));
      });
    } finally {
      this.#stdin.setRawMode(true);
      this.#stdin.resume();
      this.#isLent = false;
    }
  }

  async #waitForKey(): Promise<void> {
    this.#isLent = true;
    this.#stdout.write("\n── any key goes back to the task\n");
    await new Promise(resolve => this.#stdin.once("data", resolve));
    this.#isLent = false;
  }
}
