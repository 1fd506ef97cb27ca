/** The submissions of a class, as they lie in a folder: folders, archives, and the loose files of Canvas. */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Chapter } from "../chapter-manifest.ts";
import { Complaint } from "../complaint.ts";
import { className, commonPrefix, isArchive } from "./class-names.ts";
import { readFiles } from "./read-files.ts";
import { allowedFiles, type Submission, submissionOf } from "./submission.ts";

/** One student's, not read yet. */
export interface Source {
  readonly id: string;
  readonly name: string;
  readonly userId: string;
  /** Oldest first: where two have the same file, the later counts. */
  readonly paths: readonly string[];
}

/** Whether a path is one submission and no class: an archive, a file, or a folder that has layer files. */
export function isOneSubmission(path: string): boolean {
  if (!statSync(path).isDirectory()) return true;
  const entries = readdirSync(path);
  return (
    entries.includes("chapters") ||
    entries.some(entry => /^\d\d-[a-z]/.test(entry) || entry === "package.json")
  );
}

export function sourceOf(path: string): Source {
  const { id, name, userId } = className(basename(path));
  return { id, name, userId, paths: [path] };
}

/** All submissions of a folder, sorted by id; other files are left out. */
export function sourcesIn(folder: string): Source[] {
  const entries = readdirSync(folder, { withFileTypes: true })
    .filter(entry => !entry.name.startsWith("."))
    .filter(entry => entry.isDirectory() || isArchive(entry.name) || /\.ts$/i.test(entry.name))
    .map(entry => entry.name)
    .sort();
  const prefix = commonPrefix(entries);
  const students = new Map<
    string,
    { name: string; userId: string; tries: { attempt: number; path: string }[] }
  >();
  for (const entry of entries) {
    const { id, name, userId, attempt } = className(entry, prefix);
    const student = students.get(id) ?? { name, userId, tries: [] };
    student.tries.push({ attempt, path: join(folder, entry) });
    students.set(id, student);
  }
  if (students.size === 0) throw new Complaint(`${folder} has no folder and no archive of a submission`);
  return [...students]
    .map(([id, { name, userId, tries }]) => ({
      id,
      name,
      userId,
      paths: tries.sort((a, b) => a.attempt - b.attempt).map(({ path }) => path),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Reads a student's files; never throws for what they are. */
export async function readSource(source: Source, chapters: readonly Chapter[]): Promise<Submission> {
  const { id, name, userId } = source;
  const files = new Map<string, string>();
  for (const path of source.paths) {
    // Canvas puts names of its own before a loose file's.
    const found = await readFiles(path, allowedFiles(chapters), className(basename(path)).file);
    if ("problem" in found) return { ...submissionOf(id, new Map(), found.problem), name, userId };
    for (const [file, text] of found.files) files.set(file, text);
  }
  return { ...submissionOf(id, files), name, userId };
}
