/**
 * Runs the tests of one step on the learner's files, again and again.
 *
 * The bundler is kept warm, and a worker waits with nothing loaded: each check has one of its own, so no
 * module of an earlier save is ever there. A check that a later save overtakes is
 * given up; what it would have said is never shown.
 */
import { join, relative } from "node:path";
import type { BuildFailure, Message } from "esbuild";
import { expect } from "../assertions.ts";
import type { Chapter } from "../chapter-manifest.ts";
import { ROOT } from "../chapters.ts";
import { type Place, placeText } from "../code-frame.ts";
import { gradedTests } from "../graded-files.ts";
import { failureOf } from "../graded-test.ts";
import { cacheBundle, LayerBundler } from "../layer-bundle.ts";
import { frameAt, learnersPlace } from "../report-error.ts";
import { holeRegion, taskOf } from "../starter.ts";
import { SubjectLimitError } from "../subject-calls.ts";
import { type GradedTest, useRegistrar } from "../suite.ts";
import {
  type SpareWorker,
  servedSubject,
  spareWorker,
  WorkerBackend,
  type WorkerLimits,
} from "../worker-backend.ts";
import { hasHole, learnersFiles, type Step } from "./course.ts";

export type Verdict = {
  readonly passed: number;
  readonly all: number;
} & (
  | { readonly state: "done" }
  /** The first failing test reached a hole: of this step, or of the one named. */
  | {
      readonly state: "to-write";
      readonly test: string;
      readonly of: string;
      readonly lines: readonly string[];
    }
  | { readonly state: "failed"; readonly test: string; readonly lines: readonly string[] }
  /** The files are no TypeScript. */
  | { readonly state: "broken"; readonly lines: readonly string[] }
);

const LIMITS: WorkerLimits = { milliseconds: 4000, heapMegabytes: 256 };

export class Checker {
  readonly #bundlers = new Map<string, LayerBundler>();
  #backend: WorkerBackend | undefined;
  #spare: SpareWorker | undefined;
  #run = 0;

  /** `mine`: all layers up to the step's are the learner's, as in `npm run chapter N mine`. */
  constructor(
    private readonly chapters: readonly Chapter[],
    private readonly mine: boolean,
  ) {}

  /** Makes what the next check can have beforehand, after this one's verdict is told. */
  prepare(): void {
    this.#spare ??= spareWorker(LIMITS);
  }

  /** Undefined where a later check overtook this one. */
  async check(step: Step): Promise<Verdict | undefined> {
    const run = ++this.#run;
    this.prepare();
    await this.#stop();
    const tests = (await gradedTests(step.chapter)).filter(({ task, kind }) => {
      return task.id === step.task.id && kind === "public";
    });
    useRegistrar({ expect, describe: () => {}, it: () => {} });
    let bundle: string;
    try {
      bundle = await this.#bundle(step.chapter);
    } catch (error) {
      if (!isBuildFailure(error)) throw error;
      return { state: "broken", passed: 0, all: tests.length, lines: await syntaxError(error.errors[0]!) };
    }
    if (run !== this.#run) return undefined;
    const backend = (this.#backend = new WorkerBackend(cacheBundle(bundle), LIMITS, this.#spare));
    this.#spare = undefined;
    let passed = 0;
    let first: { test: GradedTest; message: string; error: unknown } | undefined;
    for (const test of tests) {
      const failure = await failureOf(test, backend);
      if (run !== this.#run) return undefined;
      if (!failure) passed++;
      else first ??= { test, ...failure };
      // The loop that did not end would wait again in every other test.
      if (failure?.error instanceof SubjectLimitError) break;
    }
    await this.#stop();
    const count = { passed, all: tests.length };
    if (!first) return { state: "done", ...count };
    const { test, message, error } = first;
    const region = holeRegion(message);
    if (!region)
      return { state: "failed", ...count, test: test.name, lines: await withPlace(message, error) };
    const isOwn = taskOf(step.chapter, step.task.file, region) === step.task || hasHole(step);
    const owner = isOwn ? step.task : step.chapter.tasks.find(({ regions }) => regions.includes(region));
    return {
      state: "to-write",
      ...count,
      test: test.name,
      of: owner?.id ?? step.task.id,
      lines: [message],
    };
  }

  async close(): Promise<void> {
    this.#run++;
    await this.#stop();
    await this.#spare?.terminate();
    this.#spare = undefined;
    for (const bundler of this.#bundlers.values()) await bundler.close();
    this.#bundlers.clear();
  }

  async #stop(): Promise<void> {
    const backend = this.#backend;
    this.#backend = undefined;
    await backend?.close();
  }

  #bundle({ name }: Chapter): Promise<string> {
    let bundler = this.#bundlers.get(name);
    if (!bundler) this.#bundlers.set(name, (bundler = new LayerBundler(servedSubject(name))));
    const below = this.mine ? this.chapters.map(one => one.name).filter(other => other < name) : [];
    return bundler.bundle(learnersFiles([...below, name]));
  }
}

/** An error of the learner's code gets its place and the lines around it. */
async function withPlace(message: string, error: unknown): Promise<string[]> {
  const lines = message.split("\n");
  const isOurs = !(error instanceof Error) || ["AssertionError", "SubjectLimitError"].includes(error.name);
  const place = isOurs ? undefined : learnersPlace(error);
  if (!place) return lines;
  return [
    ...lines.slice(0, 1),
    `at ${placeText(place)}`,
    ...(await frameAt(place, false)),
    ...lines.slice(1),
  ];
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return (
    error instanceof Error && "errors" in error && Array.isArray(error.errors) && error.errors.length > 0
  );
}

async function syntaxError({ text, location }: Message): Promise<string[]> {
  if (!location) return [text];
  const file = relative(ROOT, join(ROOT, location.file));
  const place: Place = { file, line: location.line, column: location.column + 1 };
  return [`${placeText(place)}: ${text}`, ...(await frameAt(place, false))];
}
