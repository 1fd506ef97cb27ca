/** A learner's way through the course: which task, what its tests say, what is done. No terminal in here. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Chapter } from "../chapter-manifest.ts";
import { ROOT } from "../chapters.ts";
import { starterFiles } from "../starter-files.ts";
import { Checker, type Verdict } from "./check.ts";
import { firstLine, type Step, stepsOf } from "./course.ts";
import { differenceToReference, hasReference } from "./difference.ts";
import { Progress, STATE_FILE } from "./progress.ts";
import { resetTask } from "./reset.ts";
import { type Look, render, type Score } from "./screen.ts";

export class Course {
  readonly #steps: readonly Step[];
  readonly #progress = new Progress();
  readonly #checker: Checker;
  #step: Step;
  #verdict: Verdict | undefined;
  #seconds: number | undefined;
  #panel: readonly string[] | undefined;
  #notices: string[] = [];
  #isWhole = false;

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
    while (this.isDone && this.#firstLeft() && written.has(this.#firstLeft()!.path)) {
      this.#step = this.#firstLeft()!;
      await this.check();
    }
    if (this.isDone && this.#firstLeft()) await this.next();
  }

  /** Tests the task. False where a later check overtook this one. `saved`: the files whose save asked for it. */
  async check(saved: readonly string[] = []): Promise<boolean> {
    const step = this.#step;
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

  /** Whether what was done in these files still is; those that are not are done no longer. */
  async checkAgain(saved: readonly string[]): Promise<boolean> {
    const before = this.#steps.filter(step => {
      return step !== this.#step && saved.includes(step.path) && this.#progress.isDone(step.key);
    });
    const broken: string[] = [];
    for (const step of before) {
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

  async next(): Promise<void> {
    const next = this.#firstLeft();
    if (!next) {
      this.#notices.push("every task is done");
    } else if (!this.isDone) {
      this.#notices.push("the tests of this task do not pass yet; l lists the others");
    } else {
      this.#step = next;
      this.#verdict = undefined;
      await this.check();
    }
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
        `${chapter.number} ${chapter.title}`,
        ...this.#steps.filter(step => step.chapter === chapter).map(step => this.#listLine(step, width)),
      ]),
    ];
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
        verdict: this.#verdict,
        seconds: this.#seconds,
        hints: this.#progress.hints(this.#step.key),
        panel: this.#panel,
        notices: this.#notices,
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
