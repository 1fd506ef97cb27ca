/**
 * What the runner prints when a chapter ends in an error: a panel for a starter's hole, a code frame for
 * a slip in the learner's file, one line for what can be mended; a stack only for a defect of ours.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { HypervisorError } from "../../sandbox/kvm/api.ts";
import { type Chapter, ManifestError, type Task } from "./chapter-manifest.ts";
import { ROOT, readChapters } from "./chapters.ts";
import { codeFrame, type Place, placeText } from "./code-frame.ts";
import { Complaint } from "./complaint.ts";
import { holeRegion, taskOf } from "./starter.ts";
import { hanging } from "./words.ts";

/** Characters that a line of a panel may take: what is to write is told in whole sentences. */
const PANEL_COLUMNS = 88;

export interface Report {
  readonly lines: readonly string[];
  readonly exitCode: 1 | 2;
}

/** Never throws; `colour` is for the code frame. */
export async function reportError(error: unknown, colour: boolean): Promise<Report> {
  if (error instanceof Complaint) return { lines: [error.message], exitCode: error.exitCode };
  if (error instanceof ManifestError || error instanceof HypervisorError) {
    return { lines: [error.message], exitCode: 1 };
  }
  if (!(error instanceof Error)) return { lines: [`something threw ${String(error)}`], exitCode: 1 };
  const lines = syntaxPlace(error)
    ? await syntaxError(error, colour)
    : (holePanel(error) ?? (await learnerError(error, colour)) ?? [error.stack ?? error.message]);
  return { lines, exitCode: 1 };
}

function holePanel(error: Error): string[] | undefined {
  const region = holeRegion(error.message);
  const place = framesOf(error)[0];
  if (!region || !place) return undefined;
  const found = taskAt(place, region);
  if (!found) return undefined;
  const { chapter, task } = found;
  const command = `npm run chapter ${chapter.number}`;
  return [
    `── yours to write: ${task.title} (task ${task.id}, ${task.points} ${task.points === 1 ? "point" : "points"})`,
    `   where   ${placeText(place)}`,
    ...hanging("   write   ", task.write, PANEL_COLUMNS),
    `   read    “${task.heading}” in docs/chapters/${chapter.name}.md, or \`npm start\` for the book`,
    `   then    \`${command}\` again, or \`${command} test\` for this chapter's tests`,
  ];
}

function taskAt({ file }: Place, region: string): { chapter: Chapter; task: Task } | undefined {
  const [, name, layerFile] = /^(?:chapters|solutions)\/([^/]+)\/(.+)$/.exec(file) ?? [];
  const chapter = readChapters().find(one => one.name === name);
  const task = chapter && layerFile ? taskOf(chapter, layerFile, region) : undefined;
  return chapter && task ? { chapter, task } : undefined;
}

/** esbuild's own form, as tsx passes it on: `path:line:column: ERROR: what`; columns there count from 0. */
const SYNTAX = /^(.+?):(\d+):(\d+): ERROR: (.+)$/m;

function syntaxPlace(error: Error): { place: Place; problem: string } | undefined {
  const [, path = "", line, column, problem = ""] = SYNTAX.exec(error.message) ?? [];
  if (error.name !== "TransformError" || !line) return undefined;
  return { place: { file: relative(ROOT, path), line: Number(line), column: Number(column) + 1 }, problem };
}

async function syntaxError(error: Error, colour: boolean): Promise<string[]> {
  const { place, problem } = syntaxPlace(error)!;
  return [`${placeText(place)}: ${problem}`, ...(await frameAt(place, colour))];
}

/** Where in a chapter's own files an error was thrown, if it was. */
export function learnersPlace(error: Error): Place | undefined {
  return framesOf(error).find(({ file }) => /^chapters\/\d\d-/.test(file));
}

/** An error thrown in a chapter's own files: its message, its place, and the way there inside the project. */
async function learnerError(error: Error, colour: boolean): Promise<string[] | undefined> {
  const place = learnersPlace(error);
  if (!place) return undefined;
  const way = framesOf(error)
    .filter(frame => placeText(frame) !== placeText(place) && !frame.file.startsWith("chapters/tools/"))
    .slice(0, 4);
  return [
    `${placeText(place)}: ${error.name}: ${error.message}`,
    ...(await frameAt(place, colour)),
    ...way.map(frame => `    from ${placeText(frame)}`),
  ];
}

/** The lines of a file around a place; none where the file is not there. */
export async function frameAt(place: Place, colour: boolean): Promise<string[]> {
  const path = join(ROOT, place.file);
  return existsSync(path) ? await codeFrame(readFileSync(path, "utf8"), place, colour) : [];
}

/** The places of a stack that are files of the project, innermost first. */
function framesOf(error: Error): Place[] {
  return (error.stack ?? "").split("\n").flatMap(line => {
    const [, where = "", row, column] =
      /(?:\(|at (?:async )?|^)((?:file:\/\/)?\/[^()]+?):(\d+)(?::(\d+))?\)?$/.exec(line.trim()) ?? [];
    if (!row) return [];
    const path = where.startsWith("file:") ? fileURLToPath(where.replace(/\?.*$/, "")) : where;
    const file = relative(ROOT, path);
    if (file.startsWith("..") || file.includes("node_modules")) return [];
    return [{ file, line: Number(row), column: Number(column ?? 1) }];
  });
}
