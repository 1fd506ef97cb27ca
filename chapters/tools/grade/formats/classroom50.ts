/**
 * Classroom 50: the result of a submission (classroom50/result/v1), and the declarative tests of an
 * assignment (classroom50/tests/v1). Both take whole numbers only, so points stand in hundredths.
 *
 * A result without a score is not written at all: the runner then says so itself, and no earlier score is
 * overwritten. Who submitted what comes from the runner's environment.
 */
import type { Chapter } from "../../chapter-manifest.ts";
import { type GradeResult, studentView } from "../result.ts";
import { json, taskText } from "./gradescope.ts";

/** What the runner of Classroom 50 tells an autograder. */
export interface Classroom50Context {
  readonly classroom: string;
  readonly assignment: string;
  readonly assignmentType: "individual" | "group";
  readonly owner: string;
  readonly submission: string;
  readonly commit: string;
  readonly release: string;
  readonly review: string;
  /** When it was handed in, as in 2026-11-27T23:59:00Z. */
  readonly datetime: string;
}

const HUNDREDTHS = 100;
const whole = (points: number) => Math.round(points * HUNDREDTHS);

export function classroom50(result: GradeResult, context = contextOf(process.env, result)): string | null {
  if (result.score === null) return null;
  const tests = studentView(result).chapters.flatMap(chapter =>
    chapter.tasks.map(task => ({
      "test-name": `${chapter.number} ${chapter.title}: ${task.title}`,
      passed: task.score === task.max,
      score: whole(task.score),
      "max-score": whole(task.max),
      output: taskText(task, chapter.reason),
    })),
  );
  const { classroom, assignment, owner, submission, commit, release, review, datetime } = context;
  return json({
    schema: "classroom50/result/v1",
    ...{ classroom, assignment, assignment_type: context.assignmentType, owner },
    ...{ submission, commit, release, review, datetime },
    graded_at: result.time.gradedAt.replace(/\.\d+Z$/, "Z"),
    score: whole(result.score),
    "max-score": whole(result.max),
    tests,
  });
}

/** The variables that the runner sets; outside of it, words that say that there was none. */
export function contextOf(
  environment: Readonly<Record<string, string | undefined>>,
  { submission, time }: GradeResult,
): Classroom50Context {
  const value = (name: string, otherwise: string) => environment[name] || otherwise;
  const commit = value("COMMIT_URL", "none");
  return {
    classroom: value("CLASSROOM", "none"),
    assignment: value("ASSIGNMENT", "none"),
    assignmentType: environment["MODE"] === "group" ? "group" : "individual",
    owner: value("OWNER", submission.id || "none"),
    submission: value("SUBMISSION_TAG", `submit/${submission.digest.slice(0, 12)}`),
    commit,
    release: value("RELEASE_URL", "none"),
    review: value("REVIEW_URL", commit),
    datetime: value("SUBMITTED_AT", time.gradedAt.replace(/\.\d+Z$/, "Z")),
  };
}

/** One declarative test a task: the task's whole points, or none. */
export function classroom50Tests(chapters: readonly Chapter[]): string {
  return json({
    schema: "classroom50/tests/v1",
    defaults: { "failure-details": "actual-only" },
    tests: chapters.flatMap(({ number, title, tasks }) =>
      tasks.map(task => ({
        name: `${number} ${title}: ${task.title}`.slice(0, 100),
        type: "run",
        setup: "test -d node_modules || npm ci",
        run: `npm run grade ${number} task=${task.id} strict`,
        timeout: 300,
        "exit-code": 0,
        points: task.points,
      })),
    ),
  });
}
