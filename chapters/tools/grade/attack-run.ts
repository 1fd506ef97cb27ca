/** Runs the attack corpus and tells what got through: points, secrets, files, connections. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, readChapters } from "../chapters.ts";
import { type Attack, attackSubmission, type Earnings, readAttacks, type Targets } from "./attacks.ts";
import { checkBench, setUpBench } from "./bench.ts";
import { Boxes } from "./box.ts";
import { type Bench, gradeSubmission } from "./grading.ts";
import { inParallel } from "./in-parallel.ts";
import { type Isolation, LEVELS } from "./isolation.ts";
import type { GradeResult } from "./result.ts";

export interface AttackRow {
  readonly attack: Attack;
  readonly behind: "solution" | "starter";
  /** Whether the first wall, the language, was taken away. */
  readonly isOpen: boolean;
  readonly result: GradeResult;
  /** What went wrong; empty where the attack got nothing. */
  readonly breaches: readonly string[];
}

export interface AttackRun {
  readonly rows: readonly AttackRow[];
  /** What was found when all was over: files of the grader that changed, processes that are left. */
  readonly breaches: readonly string[];
}

/** A submission that prints one of these has read what it must not. */
const SECRETS = [
  "the-secret-that-nobody-may-read",
  "secret-source",
  "secret-listing",
  "secret-debugger",
  "root:",
];

export async function runAttacks(
  isolation: Isolation,
  jobs: number,
  isOpen: boolean,
  chosen: readonly Attack[] = readAttacks(),
): Promise<AttackRun> {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-attacks-"));
  const server = await countingServer();
  const targets = layTargets(folder, server);
  const before = digestOfGrader();
  const attacks = chosen.filter(({ openLevel }) => {
    return !isOpen || LEVELS.indexOf(isolation.level) >= LEVELS.indexOf(openLevel);
  });
  const benches = new Map<string, Bench>();
  for (const name of new Set(attacks.map(({ file }) => file.split("/")[0]!))) {
    const chapters = readChapters().filter(chapter => chapter.name === name);
    const bench = await checkBench(await setUpBench(chapters, isolation, [], new WatchedBoxes()), "attacks");
    benches.set(name, { ...bench, isOpen });
  }
  try {
    const work = attacks.flatMap(attack =>
      (["solution", "starter"] as const).map(behind => ({ attack, behind })),
    );
    const rows = await inParallel(work, jobs, async ({ attack, behind }): Promise<AttackRow> => {
      const bench = benches.get(attack.file.split("/")[0]!)!;
      const submission = attackSubmission(attack, bench.courses[0]!.chapter, behind, targets);
      const result = await gradeSubmission(bench, submission, "attacks");
      const expected = behind === "starter" ? "none" : isOpen ? attack.open : attack.honest;
      return { attack, behind, isOpen, result, breaches: breachesOf(result, expected, isOpen) };
    });
    return {
      rows,
      breaches: [...(await aftermath(server, targets, folder)), ...grader(before), ...changedBoxes(benches)],
    };
  } finally {
    server.close();
    for (const { boxes } of benches.values()) boxes.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function breachesOf(result: GradeResult, expected: Earnings, isOpen: boolean): string[] {
  const { status, score, max, reason } = result;
  const breaches: string[] = [];
  if (status !== "graded") breaches.push(`it made the grader say “${status}: ${reason}”`);
  // Without the first wall it may harm its own process in more ways, and still earn nothing by it.
  if (expected === "all" && score !== max && !isOpen) breaches.push(`it lost points: ${score} of ${max}`);
  if (expected === "none" && score !== 0) breaches.push(`it earned ${score} of ${max}`);
  if ((score ?? 0) > max) breaches.push(`it earned ${score} of ${max}`);
  for (const secret of SECRETS) {
    if (JSON.stringify(result).includes(secret)) breaches.push(`it read what it must not (${secret})`);
  }
  return breaches;
}

interface Counting extends Server {
  connected: number;
}

function countingServer(): Promise<Counting> {
  const server = createServer(socket => {
    server.connected++;
    socket.on("error", () => {}).end();
  }) as Counting;
  server.connected = 0;
  return new Promise(resolve => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** A secret that only this user may read, and a folder in which everybody may write: the walls must do. */
function layTargets(folder: string, server: Server): Targets {
  chmodSync(folder, 0o755);
  const secret = join(folder, "secret");
  writeFileSync(secret, SECRETS[0]!, { mode: 0o600 });
  const open = join(folder, "open");
  mkdirSync(open);
  chmodSync(open, 0o777);
  return { secret, folder: open, port: (server.address() as AddressInfo).port };
}

async function aftermath(server: Counting, targets: Targets, folder: string): Promise<string[]> {
  await new Promise(resolve => setTimeout(resolve, 1500)); // Something may have been left to act later.
  const breaches: string[] = [];
  const written = existsSync(targets.folder) ? readdirSync(targets.folder) : ["(the folder itself is gone)"];
  if (written.length > 0) breaches.push(`files were written: ${written.join(", ")}`);
  if (!existsSync(targets.secret)) breaches.push("the secret was deleted");
  else if (readFileSync(targets.secret, "utf8") !== SECRETS[0]) breaches.push("the secret was changed");
  if (server.connected > 0) breaches.push(`${server.connected} connections came over the network`);
  const left = readdirSync(folder).filter(name => name !== "secret" && name !== "open");
  if (left.length > 0) breaches.push(`files were written: ${left.join(", ")}`);
  for (const path of ["/tmp/results.json", "/autograder/results/results.json"]) {
    if (existsSync(path)) breaches.push(`${path} was written`);
  }
  return breaches;
}

/** The files of the grader and of the reference, by digest. */
function digestOfGrader(): Map<string, string> {
  const digests = new Map<string, string>();
  for (const folder of ["chapters", "solutions", "sandbox/machine", "package.json"])
    visit(join(ROOT, folder), digests);
  return digests;
}

function visit(path: string, digests: Map<string, string>): void {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch {
    digests.set(path, createHash("sha256").update(readFileSync(path)).digest("hex"));
    return;
  }
  for (const name of names) visit(join(path, name), digests);
}

function grader(before: ReadonlyMap<string, string>): string[] {
  const after = digestOfGrader();
  const changed = [...before].filter(([path, digest]) => after.get(path) !== digest).map(([path]) => path);
  const added = [...after.keys()].filter(path => !before.has(path));
  return [...changed, ...added].map(path => `${path} was changed`);
}

/** Boxes that look, when they are deleted, whether they are as they were made. */
class WatchedBoxes extends Boxes {
  readonly #made = new Map<string, string>();
  readonly changed: string[] = [];

  override async make(...parts: Parameters<Boxes["make"]>): Promise<string> {
    const box = await super.make(...parts);
    this.#made.set(box, digestOfFolder(box));
    return box;
  }

  override delete(box: string): void {
    if (digestOfFolder(box) !== this.#made.get(box)) this.changed.push(box);
    this.#made.delete(box);
    super.delete(box);
  }
}

function digestOfFolder(folder: string): string {
  const digests = new Map<string, string>();
  visit(folder, digests);
  return JSON.stringify([...digests].sort());
}

function changedBoxes(benches: ReadonlyMap<string, Bench>): string[] {
  return [...benches.values()].flatMap(({ boxes }) =>
    (boxes as WatchedBoxes).changed.map(box => `the box ${box} was changed`),
  );
}
