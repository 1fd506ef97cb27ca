/** Sets the bench up: tests, grounds and references of the wanted chapters, and the check that it grades right. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "../assertions.ts";
import type { Chapter } from "../chapter-manifest.ts";
import { ROOT } from "../chapters.ts";
import { gradedFiles, gradedTests } from "../graded-files.ts";
import { DirectBackend, type SubjectFunctions } from "../subject.ts";
import { useRegistrar } from "../suite.ts";
import { Boxes } from "./box.ts";
import { LIMITS } from "./cell.ts";
import { type Bench, type Course, gradeSubmission } from "./grading.ts";
import { digestOf, groundOf } from "./ground.ts";
import type { Isolation } from "./isolation.ts";
import { ownSubmission } from "./submission.ts";

/** The grader does not grade right on this machine, so it grades nothing. */
export class GraderError extends Error {
  override readonly name = "GraderError";
}

/** What a call may take, in times of the reference's slowest on this machine. */
const PATIENCE = 10;

export async function setUpBench(
  chapters: readonly Chapter[],
  isolation: Isolation,
  tasks: readonly string[] = [],
  boxes = new Boxes(),
): Promise<Bench> {
  const courses: Course[] = [];
  for (const chapter of chapters) courses.push(only(tasks, await courseOf(chapter)));
  // The tests of several submissions run at the same time: who takes them is settled once, here.
  useRegistrar({ expect, describe: () => {}, it: () => {} });
  return { courses, boxes, isolation, limits: LIMITS, suite: suiteDigest(courses) };
}

async function courseOf(chapter: Chapter): Promise<Course> {
  const tests = await gradedTests(chapter);
  const path = `../../${chapter.name}/subject.ts`;
  const { subject } = (await import(/* @vite-ignore */ path)) as { subject: SubjectFunctions };
  return {
    chapter,
    whole: chapter,
    tests,
    ground: await groundOf(chapter),
    reference: new DirectBackend(subject),
  };
}

/** The course with only these tasks; all of them where none is named. */
function only(tasks: readonly string[], course: Course): Course {
  if (tasks.length === 0) return course;
  const chapter = { ...course.chapter, tasks: course.chapter.tasks.filter(({ id }) => tasks.includes(id)) };
  return { ...course, chapter, tests: course.tests.filter(({ task }) => tasks.includes(task.id)) };
}

function suiteDigest(courses: readonly Course[]): string {
  const files = new Map<string, string>();
  for (const { chapter, ground } of courses) {
    files.set(chapter.name, `${JSON.stringify(chapter)}${ground.digest}`);
    for (const file of gradedFiles(chapter))
      files.set(file, readFileSync(join(ROOT, "chapters", file), "utf8"));
  }
  return digestOf(files).slice(0, 16);
}

/**
 * Grades the reference first. It must earn every point; the time of its slowest call is the measure of
 * what a submission's calls may take here.
 */
export async function checkBench(bench: Bench, seed: string): Promise<Bench> {
  const reference = ownSubmission(
    bench.courses.map(({ chapter }) => chapter),
    "solutions",
  );
  const slowest = { seconds: 0, processor: 0 };
  const result = await gradeSubmission(bench, reference, seed, slowest);
  if (result.status !== "graded" || result.score !== result.max) {
    const failed = result.chapters
      .flatMap(({ tasks }) => tasks.flatMap(({ tests }) => tests))
      .find(({ outcome }) => outcome !== "passed");
    const why = result.reason || `${failed?.name}: ${failed?.message}`;
    throw new GraderError(`the reference does not earn full marks here, so nothing is graded. ${why}`);
  }
  const callSeconds = Math.max(LIMITS.callSeconds, Math.ceil(slowest.seconds * PATIENCE));
  const totalSeconds = callSeconds * (LIMITS.totalSeconds / LIMITS.callSeconds);
  return { ...bench, limits: { ...bench.limits, callSeconds, totalSeconds } };
}
