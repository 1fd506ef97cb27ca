/**
 * Grades a class: in parallel, with a cache by content, so that an interrupted run goes on where it was.
 *
 *     OUT/results/ID.json    the canonical result of each, with what lateness costs
 *     OUT/feedback/ID.md     for its student
 *     OUT/class.csv, canvas.csv, moodle.csv
 *     OUT/cache/KEY.json     grades by what they depend on: files, seed, tests, level of isolation
 *
 * A failure of the grader is not cached: the next run tries it again.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Complaint } from "../complaint.ts";
import { readSource, type Source } from "./class-folder.ts";
import { FORMATS } from "./formats.ts";
import { canvasCsv, classCsv, moodleCsv } from "./gradebook.ts";
import { type Bench, gradeSubmission } from "./grading.ts";
import { inParallel } from "./in-parallel.ts";
import { type LatePolicy, withLateness } from "./late.ts";
import { type GradeResult, SCHEMA } from "./result.ts";
import { type Submission, submissionDigest } from "./submission.ts";
import { writeWhole } from "./write-file.ts";

export interface ClassWish {
  readonly out: string;
  readonly seed: string;
  readonly jobs: number;
  readonly formats: readonly string[];
  readonly late: LatePolicy | undefined;
  readonly handedIn: ReadonlyMap<string, string>;
  /** Grades again what is cached. */
  readonly fresh: boolean;
}

/** Told after each submission. */
export type Progress = (done: number, of: number, cached: number) => void;

export async function gradeClass(
  bench: Bench,
  sources: readonly Source[],
  wish: ClassWish,
  progress: Progress,
): Promise<GradeResult[]> {
  const chapters = bench.courses.map(({ chapter }) => chapter);
  let [done, cached] = [0, 0];
  const results = await inParallel(sources, wish.jobs, async source => {
    const submission = await readSource(source, chapters);
    const seed = studentSeed(wish.seed, source.id);
    const path = join(wish.out, "cache", `${cacheKey(bench, submission, seed)}.json`);
    const known = wish.fresh ? undefined : readResult(path);
    if (known) cached++;
    const graded = known ?? (await gradeSubmission(bench, submission, seed));
    if (!known && graded.status !== "error") writeWhole(path, json(graded));
    const result = wish.late ? withLateness(graded, wish.handedIn.get(source.id), wish.late) : graded;
    writeOne(wish, result);
    progress(++done, sources.length, cached);
    return result;
  });
  writeTables(wish.out, results);
  return results;
}

/** A student's own seed: it tells nothing of the class's, and no two are alike. */
export function studentSeed(seed: string, id: string): string {
  return createHash("sha256").update(`${seed}\0${id}`).digest("hex").slice(0, 16);
}

/** Of all that a grade depends on, and nothing else. */
function cacheKey(bench: Bench, submission: Submission, seed: string): string {
  const parts = [
    ...[SCHEMA, submission.id, submission.name, submission.problem, submissionDigest(submission)],
    ...[seed, bench.suite, bench.isolation.level, process.versions.node],
  ];
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32);
}

export function writeOne(wish: Pick<ClassWish, "out" | "formats">, result: GradeResult): void {
  const { id } = result.submission;
  writeWhole(join(wish.out, "results", `${id}.json`), json(result));
  for (const name of new Set([...wish.formats, "feedback"])) {
    const { file, write } = FORMATS[name]!;
    const text = write(result);
    if (text === null) continue;
    const extension = file.slice(file.indexOf("."));
    writeWhole(join(wish.out, name, `${id}${extension}`), text);
  }
}

export function writeTables(out: string, results: readonly GradeResult[]): void {
  const sorted = [...results].sort((a, b) => (a.submission.id < b.submission.id ? -1 : 1));
  writeWhole(join(out, "class.csv"), classCsv(sorted));
  writeWhole(join(out, "canvas.csv"), canvasCsv(sorted, "vmexit"));
  writeWhole(join(out, "moodle.csv"), moodleCsv(sorted));
}

/** The results of several shards as one class. One submission in two shards must have one result. */
export function mergeShards(
  folders: readonly string[],
  wish: Pick<ClassWish, "out" | "formats">,
): GradeResult[] {
  const merged = new Map<string, GradeResult>();
  let suite: string | undefined;
  for (const folder of folders) {
    for (const result of readResults(folder)) {
      const { id } = result.submission;
      suite ??= result.grader.suite;
      if (result.grader.suite !== suite)
        throw new Complaint(`${folder} was graded with other tests: grade it again`);
      const other = merged.get(id);
      if (other && withoutTime(other) !== withoutTime(result)) {
        throw new Complaint(`${id} has two results that differ; the second is in ${folder}`);
      }
      merged.set(id, result);
    }
  }
  const results = [...merged.values()].sort((a, b) => (a.submission.id < b.submission.id ? -1 : 1));
  for (const result of results) writeOne(wish, result);
  writeTables(wish.out, results);
  return results;
}

export function withoutTime(result: GradeResult): string {
  return JSON.stringify({ ...result, time: null });
}

function readResults(folder: string): GradeResult[] {
  const path = join(folder, "results");
  if (!existsSync(path)) throw new Complaint(`${folder} has no results of \`npm run grade\``);
  return readdirSync(path)
    .filter(name => name.endsWith(".json"))
    .map(name => {
      const result = readResult(join(path, name));
      if (!result) throw new Complaint(`${join(path, name)} is no result of \`npm run grade\``);
      return result;
    });
}

function readResult(path: string): GradeResult | undefined {
  try {
    const result = JSON.parse(readFileSync(path, "utf8")) as GradeResult;
    return result.schema === SCHEMA ? result : undefined;
  } catch {
    return undefined;
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
