/**
 * Grades one submission: translates its files, runs every graded test of the wanted chapters against it in
 * a process of its own, and turns outcomes into points.
 *
 * Nothing here ever throws for what a submission is or does. What is thrown is the grader's own failure.
 */
import { performance } from "node:perf_hooks";
import type { Chapter } from "../chapter-manifest.ts";
import { failureOf } from "../graded-test.ts";
import type { SubjectBackend } from "../subject.ts";
import { SubjectLimitError } from "../subject-calls.ts";
import type { GradedTest } from "../suite.ts";
import type { Boxes } from "./box.ts";
import { Cell, CellError, type CellLimits, LAST_WORDS, printable } from "./cell.ts";
import { ChildBackend } from "./child-backend.ts";
import { type Ground, groundOf } from "./ground.ts";
import type { Isolation } from "./isolation.ts";
import { gradeTask, sumPoints, withPrerequisites } from "./points.ts";
import {
  type ChapterGrade,
  type ChapterState,
  countKinds,
  type GradedCase,
  type GradeResult,
  SCHEMA,
  type Status,
} from "./result.ts";
import { layerOf, type Submission, submissionDigest } from "./submission.ts";
import { TranslationError, translate } from "./translate.ts";

/** A chapter with all that grading it needs; made once for any number of submissions. */
export interface Course {
  /** With the tasks that are graded. */
  readonly chapter: Chapter;
  /** With all of its tasks: a file that was not handed in is the starter's, whole. */
  readonly whole: Chapter;
  readonly tests: readonly GradedTest[];
  readonly ground: Ground;
  /** The reference's answers, for seeded tests; given here, in the grader. */
  readonly reference: SubjectBackend;
}

export interface Bench {
  readonly courses: readonly Course[];
  readonly boxes: Boxes;
  readonly isolation: Isolation;
  readonly limits: CellLimits;
  readonly suite: string;
  /** Without the first wall, the language: see attacks.ts. */
  readonly isOpen?: boolean;
}

/** What submissions took, in seconds. */
export interface Pace {
  /** The slowest call, on the clock. */
  seconds: number;
  /** Processor time of their processes. */
  processor: number;
}

/** A process that does not even start is tried again: the machine may be short of something. */
const ATTEMPTS = 3;

/** `pace`, where it is given, takes what it took. */
export async function gradeSubmission(
  bench: Bench,
  submission: Submission,
  seed: string,
  pace?: Pace,
): Promise<GradeResult> {
  const begun = performance.now();
  const graded = await gradeChapters(bench, submission, seed, pace);
  return {
    schema: SCHEMA,
    submission: {
      id: submission.id,
      name: submission.name,
      userId: submission.userId,
      digest: submissionDigest(submission),
      files: [...submission.files.keys()].sort(),
    },
    status: graded.status,
    reason: graded.reason,
    score: graded.status === "graded" ? sumPoints(graded.chapters.map(({ score }) => score)) : null,
    max: sumPoints(bench.courses.flatMap(({ chapter }) => chapter.tasks.map(({ points }) => points))),
    late: null,
    chapters: graded.chapters,
    prints: graded.prints,
    grader: {
      isolation: bench.isolation.level,
      node: process.versions.node,
      seed,
      suite: bench.suite,
      tests: countKinds(bench.courses.flatMap(({ tests }) => tests)),
    },
    time: {
      gradedAt: new Date().toISOString(),
      seconds: Math.round(performance.now() - begun) / 1000,
    },
  };
}

interface Graded {
  readonly status: Status;
  readonly reason: string;
  readonly chapters: readonly ChapterGrade[];
  readonly prints: string;
}

async function gradeChapters(
  bench: Bench,
  submission: Submission,
  seed: string,
  pace?: Pace,
): Promise<Graded> {
  const nothing = { chapters: [], prints: "" };
  if (submission.problem) return { status: "ungradable", reason: submission.problem, ...nothing };
  const prepared = await Promise.all(bench.courses.map(course => prepare(course, submission, bench.isOpen)));
  if (prepared.every(({ state }) => state === "not-handed-in")) {
    const wanted = bench.courses.map(({ chapter }) => chapter.name).join(", ");
    return { status: "ungradable", reason: `it has no file of ${wanted}`, ...nothing };
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return { status: "graded", reason: "", ...(await runInBox(bench, prepared, seed, pace)) };
    } catch (error) {
      if (!(error instanceof CellError)) throw error;
      if (attempt === ATTEMPTS) return { status: "error", reason: error.message, ...nothing };
    }
  }
}

interface Prepared {
  readonly course: Course;
  readonly state: ChapterState;
  readonly reason: string;
  readonly modules: ReadonlyMap<string, string>;
  readonly maps: ReadonlyMap<string, string>;
  readonly imports: readonly string[];
}

async function prepare(course: Course, submission: Submission, isOpen?: boolean): Promise<Prepared> {
  const empty = { course, modules: new Map<string, string>(), maps: new Map<string, string>(), imports: [] };
  const layer = layerOf(submission, course.whole);
  if (!layer) return { ...empty, state: "not-handed-in", reason: "no file of it was handed in" };
  try {
    return {
      course,
      state: "handed-in",
      reason: "",
      ...(await translate(course.chapter.name, layer, isOpen)),
    };
  } catch (error) {
    if (!(error instanceof TranslationError)) throw error;
    return { ...empty, state: "does-not-translate", reason: printable(error.message) };
  }
}

async function runInBox(
  bench: Bench,
  prepared: readonly Prepared[],
  seed: string,
  pace?: Pace,
): Promise<{ chapters: ChapterGrade[]; prints: string }> {
  const runnable = prepared.filter(({ state }) => state === "handed-in");
  const modules = new Map(runnable.flatMap(one => [...one.modules]));
  const box = await bench.boxes.make(
    await Promise.all(runnable.map(({ course, imports }) => groundOf(course.chapter, imports))),
    modules,
  );
  const totalSeconds = bench.limits.totalSeconds * runnable.length;
  const cell = new Cell(box, bench.isolation, { ...bench.limits, totalSeconds }, bench.isOpen);
  const chapters: ChapterGrade[] = [];
  try {
    for (const one of prepared) chapters.push(await gradeChapter(one, cell, seed));
    await cell.close();
    if (pace) {
      pace.seconds = Math.max(pace.seconds, cell.slowest);
      pace.processor += cell.used;
    }
    return { chapters, prints: printable(cell.prints.split(LAST_WORDS)[0]!) };
  } finally {
    await cell.close();
    bench.boxes.delete(box);
  }
}

async function gradeChapter(prepared: Prepared, cell: Cell, seed: string): Promise<ChapterGrade> {
  const { course, maps } = prepared;
  let { state, reason } = prepared;
  if (state === "handed-in") {
    reason = await cell.load(course.chapter.name);
    if (reason) state = "does-not-load";
  }
  const backend = new ChildBackend(cell, course.chapter.name, maps);
  const cases: { task: string; graded: GradedCase }[] = [];
  for (const test of course.tests) {
    const graded = state === "handed-in" ? await runTest(test, backend, course, seed) : notRun(test, reason);
    cases.push({ task: test.task.id, graded });
  }
  const { number, name, title, tasks } = course.chapter;
  const grades = tasks.map(task => {
    const own = cases.filter(one => one.task === task.id).map(({ graded }) => graded);
    return gradeTask(task, own);
  });
  return {
    ...{ number, name, title, state, reason },
    score: sumPoints(grades.map(({ score }) => score)),
    max: sumPoints(grades.map(({ max }) => max)),
    tasks: withPrerequisites(tasks, grades),
  };
}

function notRun({ name, kind }: GradedTest, message: string): GradedCase {
  return { name, kind, outcome: "not-run", message };
}

async function runTest(
  test: GradedTest,
  backend: SubjectBackend,
  { reference }: Course,
  seed: string,
): Promise<GradedCase> {
  const { name, kind } = test;
  const failure = await failureOf(test, backend, { reference, seed });
  if (!failure) return { name, kind, outcome: "passed", message: "" };
  if (failure.error instanceof CellError) throw failure.error;
  const outcome = failure.error instanceof SubjectLimitError ? "limit" : "failed";
  return { name, kind, outcome, message: printable(failure.message) };
}
