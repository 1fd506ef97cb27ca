/** A learner's way through the course: which task, what its tests say, what is done. No terminal in here. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Chapter } from "../chapter-manifest.ts";
import { ROOT } from "../chapters.ts";
import { starterFiles } from "../starter-files.ts";
import { Checker, type Verdict } from "./check.ts";
import { firstLine, type Step, stepsOf } from "./course.ts";
import { differenceToReference, hasReference } from "./difference.ts";
import { readDueDates } from "./due.ts";
import { Progress, STATE_FILE } from "./progress.ts";
import { resetTask } from "./reset.ts";
import { type Look, render, type Score } from "./screen.ts";

export class Course {
  readonly #steps: readonly Step[];
  readonly #progress = new Progress();
  readonly #checker: Checker;
  readonly #due = readDueDates(ROOT);
  #step: Step;
  #verdict: Verdict | undefined;
  #seconds: number | undefined;
  #panel: readonly string[] | undefined;
  #notices: string[] = [];
  #isWhole = false;
  #written: string | undefined;
  /** Checks of the task at hand so far. */
  #asked = 0;

  /** `chapters`: those to go through; `all` of the project; `mine`: lower layers are the learner's, too. */
  constructor(chapters: readonly Chapter[], all: readonly Chapter[], mine: boolean) {
    this.#steps = stepsOf(chapters);
    this.#checker = new Checker(all, mine);
    this.#step = this.#firstLeft() ?? this.#steps.at(-1)!;
    if (this.#progress.complaint) this.#notices.push(this.#progress.complaint);
  }

  get step(): Step {
    return this.#step;
  }

  get isDone(): boolean {
    return this.#verdict?.state === "done";
  }

  /** Goes to the first task whose tests do not pass, or to the one that is wished for. */
  async begin(task: string | undefined): Promise<void> {
    const wished = this.#steps.find(step => step.task.id === task);
    if (wished) this.#step = wished;
    await this.check();
    if (wished) return;
    const written = new Set(
      starterFiles([...new Set(this.#steps.map(({ chapter }) => chapter))])
        .filter(({ state }) => state === "edited")
        .map(({ path }) => path),
    );
    // What was written without this program: a task that passes already needs no key.
    while (this.isDone && this.#firstLeft() && written.has(this.#firstLeft()!.path)) await this.next();
    if (this.isDone && this.#firstLeft()) await this.next();
  }

  /** Tests the task. False where a later check overtook this one. `saved`: the files whose save asked for it. */
  async check(saved: readonly string[] = []): Promise<boolean> {
    const step = this.#step;
    this.#asked++;
    const begun = saved.map(path => statSync(join(ROOT, path), { throwIfNoEntry: false })?.mtimeMs ?? 0);
    this.#panel = undefined;
    this.#isWhole = false;
    const verdict = await this.#checker.check(step);
    if (!verdict) return false;
    this.#verdict = verdict;
    const at = Math.max(0, ...begun);
    this.#seconds = at > 0 ? (Date.now() - at) / 1000 : undefined;
    this.#progress.setDone(step.key, verdict.state === "done");
    return true;
  }

  /** Between two saves: makes the next check quick. */
  prepare(): void {
    this.#checker.prepare();
  }

  /** Whether what was done in these files still is; those that are not are done no longer. */
  async checkAgain(saved: readonly string[]): Promise<boolean> {
    const before = this.#steps.filter(step => {
      return step !== this.#step && saved.includes(step.path) && this.#progress.isDone(step.key);
    });
    const broken: string[] = [];
    const asked = this.#asked;
    for (const step of before) {
      // What the learner asked for since must not be overtaken by this.
      if (asked !== this.#asked) return false;
      const verdict = await this.#checker.check(step);
      if (!verdict) return false;
      if (verdict.state === "done") continue;
      this.#progress.setDone(step.key, false);
      broken.push(step.task.id);
    }
    if (broken.length > 0)
      this.#notices.push(`this save broke what was done: ${broken.join(", ")}; n goes there`);
    return broken.length > 0;
  }

  /** To the first task that is left; from one whose tests wait for another task, to that one. */
  async next(): Promise<void> {
    const needed = this.#needed();
    const next = needed ?? (this.isDone ? this.#firstLeft() : undefined);
    if (!next) {
      if (!this.isDone) this.#notices.push("the tests of this task do not pass yet; l lists the others");
      return;
    }
    this.#step = next;
    this.#verdict = undefined;
    // A task that waited for the one before may be done by now.
    if ((await this.check()) && this.isDone && !needed && this.#firstLeft()) await this.next();
  }

  #needed(): Step | undefined {
    const verdict = this.#verdict;
    if (verdict?.state !== "to-write" || verdict.of === this.#step.task.id) return undefined;
    return this.#steps.find(({ chapter, task }) => chapter === this.#step.chapter && task.id === verdict.of);
  }

  hint(): void {
    this.#panel = undefined;
    const { key } = this.#step;
    const taken = this.#progress.hints(key);
    if (this.isDone) this.#notices.push("it is done: no hint needed");
    else if (taken < 3) this.#progress.takeHint(key);
    else this.#notices.push("these were all three hints; the book's page has the figure");
  }

  showDifference(): void {
    if (!this.isDone) this.#notices.push("the difference to the reference is shown once the tests pass");
    else if (!hasReference(this.#step)) this.#notices.push("this edition holds the reference's answers back");
    else this.#panel = differenceToReference(this.#step);
  }

  showList(): void {
    this.#panel = this.#panel ? undefined : this.list();
    this.#isWhole = false;
  }

  showWhole(): void {
    this.#isWhole = !this.#isWhole;
  }

  reset(): void {
    this.#notices.push(resetTask(this.#step));
    this.#written = textOf(this.#step.path);
  }

  /** Whether these files are just what `reset` wrote: the event of that is no save of the learner's. */
  isOwnWrite(paths: readonly string[]): boolean {
    return paths.length === 1 && paths[0] === this.#step.path && textOf(this.#step.path) === this.#written;
  }

  say(...sentences: readonly string[]): void {
    this.#notices.push(...sentences);
  }

  forgetNotices(): void {
    this.#notices = [];
  }

  list(): string[] {
    const width = Math.max(...this.#steps.map(({ task }) => task.id.length)) + 2;
    return [
      `what is done stands in ${STATE_FILE}`,
      ...[...new Set(this.#steps.map(({ chapter }) => chapter))].flatMap(chapter => [
        `${chapter.number} ${chapter.title}${this.#dueText(chapter)}`,
        ...this.#steps.filter(step => step.chapter === chapter).map(step => this.#listLine(step, width)),
      ]),
    ];
  }

  #dueText({ name }: Chapter): string {
    const due = this.#due.get(name);
    return due ? `, due ${due}` : "";
  }

  #listLine({ key, task }: Step, width: number): string {
    const mark = key === this.#step.key ? "→" : " ";
    const hints = this.#progress.hints(key);
    const helped = hints > 0 ? `, ${hints} ${hints === 1 ? "hint" : "hints"}` : "";
    return `${mark} ${this.#progress.isDone(key) ? "✓" : "·"} ${task.id.padEnd(width)}${task.points}  ${task.title}${helped}`;
  }

  lines(look: Look, footer: readonly string[]): string[] {
    return render(
      {
        score: this.#score(),
        step: this.#step,
        line: firstLine(this.#step),
        due: this.#due.get(this.#step.chapter.name),
        verdict: this.#verdict,
        seconds: this.#seconds,
        hints: this.#progress.hints(this.#step.key),
        panel: this.#panel,
        notices: this.#firstLeft() ? this.#notices : [...this.#notices, "every task is done"],
        footer,
        isWhole: this.#isWhole,
      },
      look,
    );
  }

  async close(): Promise<void> {
    await this.#checker.close();
  }

  #firstLeft(): Step | undefined {
    return this.#steps.find(({ key }) => !this.#progress.isDone(key));
  }

  #score(): Score {
    const done = this.#steps.filter(({ key }) => this.#progress.isDone(key));
    const points = (steps: readonly Step[]) => steps.reduce((sum, { task }) => sum + task.points, 0);
    return {
      tasks: done.length,
      allTasks: this.#steps.length,
      points: points(done),
      allPoints: points(this.#steps),
    };
  }
}

function textOf(path: string): string | undefined {
  const full = join(ROOT, path);
  return existsSync(full) ? readFileSync(full, "utf8") : undefined;
}
