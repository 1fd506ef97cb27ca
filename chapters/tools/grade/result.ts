/**
 * The canonical result of grading one submission, of which every other format is made.
 *
 * Its schema is result.schema.json. It is written for the instructor: it names hidden tests and says what
 * they saw. `studentView` leaves that out; whatever a student gets is made from it.
 */

import type { TestKind } from "../suite.ts";
import type { Level } from "./isolation.ts";

export const SCHEMA = "vmexit/grade/v1";

/**
 * `graded`: the score counts, 0 included · `ungradable`: there is nothing to grade, and a person should
 * look · `error`: the grader failed, not the student; grade again. Only `graded` has a score.
 */
export type Status = "graded" | "ungradable" | "error";

/** `limit`: a limit ended it · `not-run`: nothing was recorded, as the chapter did not load. */
export type Outcome = "passed" | "failed" | "limit" | "not-run";

export interface GradedCase {
  readonly name: string;
  readonly kind: TestKind;
  readonly outcome: Outcome;
  /** Why it did not pass; empty where it did. */
  readonly message: string;
}

export interface TaskGrade {
  readonly id: string;
  readonly title: string;
  /** Points with at most two decimals: the task's points by the share of its tests that passed. */
  readonly score: number;
  readonly max: number;
  /** Tasks to finish first that are not finished. They cost nothing here; they may be why it fails. */
  readonly waitsFor: readonly string[];
  readonly tests: readonly GradedCase[];
}

/** `handed-in`, or why no test of the chapter could pass. */
export type ChapterState = "handed-in" | "not-handed-in" | "does-not-translate" | "does-not-load";

export interface ChapterGrade {
  readonly number: number;
  readonly name: string;
  readonly title: string;
  readonly state: ChapterState;
  /** What is wrong where the state is not `handed-in`; else empty. */
  readonly reason: string;
  readonly score: number;
  readonly max: number;
  readonly tasks: readonly TaskGrade[];
}

export interface Lateness {
  /** ISO 8601, as `handedIn`. */
  readonly due: string;
  readonly handedIn: string;
  readonly daysLate: number;
  /** What the score was multiplied with. */
  readonly factor: number;
  readonly scoreBefore: number;
}

export interface GradeResult {
  readonly schema: typeof SCHEMA;
  readonly submission: {
    /** Of the folder or archive, e.g. "doe_jane". */
    readonly id: string;
    /** For people; the id where nothing better is known. */
    readonly name: string;
    /** The number that Canvas or Moodle knows the student by; empty where none is known. */
    readonly userId: string;
    /** SHA-256 over the files that were graded. */
    readonly digest: string;
    readonly files: readonly string[];
  };
  readonly status: Status;
  /** Why there is no score; empty where there is. */
  readonly reason: string;
  readonly score: number | null;
  readonly max: number;
  readonly late: Lateness | null;
  readonly chapters: readonly ChapterGrade[];
  /** What the submission itself printed, cut short. */
  readonly prints: string;
  readonly grader: {
    readonly isolation: Level;
    readonly node: string;
    readonly seed: string;
    /** Digest of tests, manifests and reference: two grades of one suite can be compared. */
    readonly suite: string;
    readonly tests: Readonly<Record<TestKind, number>>;
  };
  /** All that differs when the same is graded again. */
  readonly time: { readonly gradedAt: string; readonly seconds: number };
}

/** The number of tests of each kind. */
export function countKinds(tests: readonly { readonly kind: TestKind }[]): Record<TestKind, number> {
  const count = (kind: TestKind) => tests.filter(test => test.kind === kind).length;
  return { public: count("public"), hidden: count("hidden"), seeded: count("seeded") };
}

/**
 * The result as its student may see it: hidden tests have numbers for names and say only whether they
 * passed. A seeded case is shown: it is different for everybody.
 */
export function studentView(result: GradeResult): GradeResult {
  return {
    ...result,
    chapters: result.chapters.map(chapter => ({
      ...chapter,
      tasks: chapter.tasks.map(task => ({ ...task, tests: task.tests.map(veiled) })),
    })),
  };
}

function veiled(test: GradedCase, _at: number, tests: readonly GradedCase[]): GradedCase {
  if (test.kind !== "hidden") return test;
  const number = tests.filter(({ kind }) => kind === "hidden").indexOf(test) + 1;
  const message = test.outcome === "passed" ? "" : "A hidden test; what it tries is not shown.";
  return { ...test, name: `hidden test ${number}`, message };
}

/** "12.5", "20", "0.33": as few digits as the points need. */
export function pointsText(points: number): string {
  return String(Math.round(points * 100) / 100);
}

/** The line that ends every output for people, and nothing else may begin with. */
export function scoreLine(result: GradeResult): string {
  if (result.score === null) return `Score: none (${result.status}: ${result.reason})`;
  return `Score: ${pointsText(result.score)}/${pointsText(result.max)}`;
}
