/**
 * `npm run grade N [words]`: grades the learner's chapters, the reference's, one submission or a class.
 *
 * The words stand in any order; `npm run grade help` and the book list them.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { ManifestError } from "../chapter-manifest.ts";
import { readChapters } from "../chapters.ts";
import { Complaint } from "../complaint.ts";
import { PRACTICE_SEED } from "../graded-test.ts";
import { runTool } from "../run-tool.ts";
import { runAttacks } from "./attack-run.ts";
import { checkBench, GraderError, setUpBench } from "./bench.ts";
import { isOneSubmission, readSource, sourceOf, sourcesIn } from "./class-folder.ts";
import { classTable, progressLine } from "./class-report.ts";
import { type ClassWish, gradeClass, mergeShards, studentSeed } from "./class-run.ts";
import { writeCluster } from "./cluster/cluster.ts";
import { classroom50Tests } from "./formats/classroom50.ts";
import { FORMATS } from "./formats.ts";
import { checkGradescope } from "./gradescope-check.ts";
import { gradescopeZip, readNodeArchive } from "./gradescope-zip.ts";
import { gradeSubmission } from "./grading.ts";
import { chooseIsolation, IsolationError } from "./isolation.ts";
import { readHandedIn, readLatePolicy, withLateness } from "./late.ts";
import { help, parseWords, type Wish } from "./options.ts";
import { reportLines } from "./report.ts";
import type { GradeResult, Status } from "./result.ts";
import { writeSamples } from "./sample.ts";
import { similar } from "./similar/similar.ts";
import { ownSubmission, type Submission } from "./submission.ts";
import { writeWhole } from "./write-file.ts";

const EXIT_CODES: Readonly<Record<Status, number>> = { graded: 0, ungradable: 1, error: 3 };

// A submission that got out of its box could ask this process to open its debugger: it has none to open.
process.on("SIGUSR1", () => {});

await runTool(async () => {
  try {
    return await grade(parseWords(process.argv.slice(2), readChapters(), PRACTICE_SEED));
  } catch (error) {
    const isRefusal = error instanceof GraderError || error instanceof IsolationError;
    if (!isRefusal && (error instanceof Complaint || error instanceof ManifestError)) throw error;
    // Whatever happened was no submission's fault, and must not look like "nothing to grade".
    console.error(isRefusal ? error.message : error);
    return EXIT_CODES.error;
  }
});

async function grade(wish: Wish): Promise<number> {
  const { words, paths, chapters } = wish;
  if (words.has("help")) return print(help());
  if (words.has("attacks")) return await attacks(wish);
  if (words.has("merge")) return merge(wish);
  if (words.has("similar")) return await compareClass(wish);
  if (chapters.length === 0)
    throw new Complaint("which chapter? `npm run grade N`, or `npm run grade all`", 2);
  if (words.has("sample")) return await sample(wish);
  if (words.has("cluster")) return print(writeCluster(wish));
  if (words.has("gradescope")) return writeGradescope(wish);
  if (words.has("gradescope-check")) return print([checkGradescope(chapters, wish.seed, nodeOf(wish))]);
  if (words.has("classroom50")) return writeClassroom50(wish);
  const [path, ...more] = paths;
  if (path === undefined)
    return await gradeOne(wish, ownSubmission(chapters, words.has("solution") ? "solutions" : "chapters"));
  if (words.has("solution") || more.length > 0) throw new Complaint("one folder or archive at a time", 2);
  if (!existsSync(path)) throw new Complaint(`there is no ${path}`, 2);
  if (!words.has("one") && !isOneSubmission(path)) return await gradeFolder(wish, path);
  return await gradeOne(wish, await readSource(sourceOf(path), chapters));
}

async function gradeOne(wish: Wish, submission: Submission): Promise<number> {
  let bench = await setUpBench(wish.chapters, chooseIsolation(wish.isolation), wish.tasks);
  try {
    if (!wish.words.has("solution")) bench = await checkBench(bench, wish.seed);
    const seed = wish.paths.length > 0 ? studentSeed(wish.seed, submission.id) : wish.seed;
    const graded = await gradeSubmission(bench, submission, seed);
    const { late, handedIn } = latePolicy(wish);
    const result = late ? withLateness(graded, handedIn.get(submission.id), late) : graded;
    if (wish.out !== undefined) writeResult(wish.out, result, wish.formats);
    print(reportLines(result));
    if (wish.words.has("strict") && result.score !== result.max) return 1;
    return EXIT_CODES[result.status];
  } finally {
    bench.boxes.close();
  }
}

/** The canonical result and the wanted formats, each in a file of its own. */
function writeResult(folder: string, result: GradeResult, formats: readonly string[]): void {
  writeWhole(join(folder, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
  for (const name of formats) {
    const { file, write } = FORMATS[name]!;
    const text = write(result);
    if (text !== null) writeWhole(join(folder, file), text);
  }
}

async function gradeFolder(wish: Wish, folder: string): Promise<number> {
  const { index, of } = wish.shard;
  const sources = sourcesIn(folder).filter((_source, at) => at % of === index - 1);
  const out = resolve(wish.out ?? `${folder}-grades`);
  const jobs = wish.jobs ?? availableParallelism() + 1;
  const fresh = wish.words.has("fresh");
  const { seed, formats } = wish;
  const isolation = chooseIsolation(wish.isolation);
  const bench = await checkBench(await setUpBench(wish.chapters, isolation, wish.tasks), seed);
  try {
    const wanted: ClassWish = { out, seed, jobs, formats, fresh, ...latePolicy(wish) };
    const begun = performance.now();
    const results = await gradeClass(bench, sources, wanted, (done, all, cached) => {
      showProgress(progressLine(done, all, cached, (performance.now() - begun) / 1000), done, all);
    });
    print([...classTable(results), `results, feedback and tables are in ${out}`]);
    return results.some(({ status }) => status === "error") ? EXIT_CODES.error : 0;
  } finally {
    bench.boxes.close();
  }
}

function latePolicy(wish: Wish): Pick<ClassWish, "late" | "handedIn"> {
  return {
    late: wish.due === undefined ? undefined : readLatePolicy(wish.due),
    handedIn: wish.handedIn === undefined ? new Map() : readHandedIn(wish.handedIn),
  };
}

/** On a terminal one line that moves; in a pipe or a log a line for every tenth. */
function showProgress(line: string, done: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${line}\u001b[K${done === of ? "\n" : ""}`);
  else if (done === of || Math.floor((10 * done) / of) > Math.floor((10 * (done - 1)) / of))
    console.error(line);
}

function merge(wish: Wish): number {
  if (wish.paths.length === 0)
    throw new Complaint("which folders? npm run grade merge FOLDER… out=FOLDER", 2);
  const out = resolve(wish.out ?? "grades");
  const results = mergeShards(wish.paths, { out, formats: wish.formats });
  print([...classTable(results), `results, feedback and tables are in ${out}`]);
  return results.some(({ status }) => status === "error") ? EXIT_CODES.error : 0;
}

async function compareClass({ paths, chapters, out, least }: Wish): Promise<number> {
  const [folder, ...more] = paths;
  if (folder === undefined || more.length > 0)
    throw new Complaint("which folder? npm run grade similar FOLDER", 2);
  const wanted = chapters.length > 0 ? chapters : readChapters();
  return print(await similar(wanted, sourcesIn(folder), { folder, out, least }));
}

async function sample(wish: Wish): Promise<number> {
  const [folder] = wish.paths;
  if (folder === undefined) throw new Complaint("where to? npm run grade N|all sample FOLDER", 2);
  const samples = await writeSamples(folder, wish.chapters);
  return print([`${samples.length} submissions are in ${folder}; what each is stands in .samples.json`]);
}

function writeGradescope(wish: Wish): number {
  const out = resolve(wish.out ?? "gradescope.zip");
  writeWhole(out, gradescopeZip(wish.chapters, wish.seed, nodeOf(wish)));
  return print([`${out} is an autograder for Gradescope: it builds once with a network and grades without`]);
}

function nodeOf({ node }: Wish) {
  return node === undefined ? undefined : readNodeArchive(node);
}

function writeClassroom50(wish: Wish): number {
  const out = resolve(wish.out ?? "tests.json");
  writeWhole(out, classroom50Tests(wish.chapters));
  return print([`${out} has a test for each task; it lies beside the assignment's autograder`]);
}

async function attacks(wish: Wish): Promise<number> {
  const isolation = chooseIsolation("node", wish.isolation);
  const jobs = wish.jobs ?? availableParallelism();
  let found = 0;
  for (const isOpen of [false, true]) {
    const { rows, breaches } = await runAttacks(isolation, jobs, isOpen);
    const bad = rows.filter(row => row.breaches.length > 0);
    found += bad.length + breaches.length;
    print([
      `Node ${process.versions.node}, level ${isolation.level}${isOpen ? ", without the wall of the language" : ""}: ${rows.length} submissions`,
      ...bad.map(row => `  ${row.attack.name} behind the ${row.behind}: ${row.breaches.join("; ")}`),
      ...breaches.map(breach => `  ${breach}`),
      `  ${bad.length + breaches.length} got through`,
    ]);
  }
  return found === 0 ? 0 : 1;
}

function print(lines: readonly string[]): number {
  console.log(lines.join("\n"));
  return 0;
}
