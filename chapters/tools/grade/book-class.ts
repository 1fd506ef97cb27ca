/**
 * The small class of the book's pages for instructors, and what commands on it print.
 *
 * Everybody in it is made up of what stands in the repository; names and forms are those of Canvas, Moodle
 * and GitHub Classroom.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import { ROOT, readChapters } from "../chapters.ts";
import { Complaint } from "../complaint.ts";
import { layerWithMistake, starterLayer } from "../layer-variants.ts";
import { disguised, otherNumbers, reordered } from "./similar/disguise.ts";
import { honestSubmissions } from "./similar/honest.ts";
import { ownSubmission, type Submission } from "./submission.ts";

/** Of chapter 6. */
const CHAPTER = 6;
const MISTAKE = "timeout-below-four";

const DUE = { due: "2026-10-01T23:59:00Z", graceMinutes: 15, perDay: 0.1, lowest: 0.5, extensions: {} };
const TIMES = [
  "submission,time",
  "serial-lab-ada,2026-10-01T18:02:11Z",
  "hoppergrace_4712,2026-10-02T09:30:00Z",
  "Lin-Chen_4713,2026-10-02T00:10:00Z",
];

type Files = Submission["files"];

/** Writes lab/, due.json and times.csv. */
function writeClass(folder: string): void {
  const chapter = readChapters().find(({ number }) => number === CHAPTER)!;
  const [ada, grace, lin] = honestSubmissions(chapter) as [Submission, Submission, Submission];
  const mistake = chapter.mistakes.find(({ id }) => id === MISTAKE)!;
  const reference = ownSubmission([chapter], "solutions").files;
  const lab = join(folder, "lab");
  writeTree(join(lab, "serial-lab-ada"), ada.files);
  writeTree(join(lab, "serial-lab-eve"), disguised(ada, "eve", reordered, otherNumbers).files);
  writeTree(join(lab, "serial-lab-sam"), starterLayer(chapter));
  writeTree(join(lab, "serial-lab-tim"), new Map([...reference, ...layerWithMistake(chapter, mistake)]));
  writeTree(join(lab, "Lin Chen_4713_assignsubmission_file_"), lin.files);
  const zip = zipSync(
    Object.fromEntries([...grace.files].map(([path, text]) => [path, new TextEncoder().encode(text)])),
  );
  writeFileSync(join(lab, "hoppergrace_LATE_4712_90002_work.zip"), zip);
  writeFileSync(join(lab, "kimpark_4714_90003_work.zip"), zip.subarray(0, zip.length >> 1));
  writeFileSync(join(folder, "due.json"), `${JSON.stringify(DUE)}\n`);
  writeFileSync(join(folder, "times.csv"), `${TIMES.join("\n")}\n`);
}

function writeTree(root: string, files: Files): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** Folders in which these commands were run already. */
const prepared = new Map<string, string>();

/**
 * What a command prints where lab/, due.json and times.csv lie, after the commands in `first`. It is
 * `npm run grade …`, of which its progress is left out, or `cat FILE`.
 */
export function classOutput(run: string, first: readonly string[]): string {
  const key = JSON.stringify(first);
  let folder = prepared.get(key);
  if (folder === undefined) {
    folder = mkdtempSync(join(tmpdir(), "vmexit-book-class-"));
    prepared.set(key, folder);
    process.once("exit", () => rmSync(folder!, { recursive: true, force: true }));
    writeClass(folder);
    for (const command of first) printed(command, folder);
  }
  return masked(printed(run, folder).replaceAll(`${folder}/`, ""));
}

function printed(command: string, folder: string): string {
  const [, file] = /^cat (\S+)$/.exec(command) ?? [];
  if (file !== undefined) return readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n");
  const [, words] = /^npm run grade (.+)$/.exec(command) ?? [];
  if (words === undefined) throw new Complaint(`“${command}” is no command on the book's class`);
  const args = ["--import", import.meta.resolve("tsx"), join(ROOT, "chapters/tools/grade/grade.ts")];
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
  const { stdout, stderr, status } = spawnSync(process.execPath, [...args, ...words.split(" ")], {
    ...{ cwd: folder, env, encoding: "utf8", timeout: 300_000 },
  });
  if (status !== 0 && status !== 1) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return stdout;
}

/** What differs from machine to machine and from run to run. */
function masked(text: string): string {
  return text
    .replace(/^isolation: \w+ · Node [\d.]+ · (.*) · [\d.]+ s$/gm, "isolation: … · Node … · $1 · … s")
    .replace(/"(isolation|node|gradedAt)": "[^"]*"/g, '"$1": "…"')
    .replace(/"seconds": [\d.]+/g, '"seconds": …');
}
