/** A submission, however it came: the texts of allow-listed files, and nothing else of it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Chapter } from "../chapter-manifest.ts";
import { layerFiles, ROOT } from "../chapters.ts";
import { generatedStarter } from "../starter-files.ts";
import { digestOf } from "./ground.ts";
import type { LayerFiles } from "./translate.ts";

export interface Submission {
  readonly id: string;
  readonly name: string;
  readonly userId: string;
  /** Texts by layer and file, e.g. "05-pit/pit.ts". */
  readonly files: ReadonlyMap<string, string>;
  /** When it was handed in, ISO 8601, where that is known. */
  readonly handedIn?: string;
  /** Why it cannot be graded at all; empty where it can. */
  readonly problem: string;
}

export const LARGEST_FILE = 0x2_0000;

/** The files of a submission that are read, e.g. "05-pit/pit.ts". */
export function allowedFiles(chapters: readonly Chapter[]): string[] {
  return chapters.flatMap(({ name }) => layerFiles(name).map(file => `${name}/${file}`));
}

/** A submission of files that are at hand, e.g. the reference's or a variant of it. */
export function submissionOf(id: string, files: ReadonlyMap<string, string>, problem = ""): Submission {
  return { id, name: id, userId: "", files, problem };
}

/** The learner's own files in chapters/, or the reference's in solutions/. */
export function ownSubmission(chapters: readonly Chapter[], of: "chapters" | "solutions"): Submission {
  const files = new Map<string, string>();
  for (const file of allowedFiles(chapters)) {
    const path = join(ROOT, of, file);
    if (existsSync(path)) files.set(file, readFileSync(path, "utf8"));
  }
  return submissionOf(of === "chapters" ? "yours" : "reference", files);
}

/**
 * A chapter's whole layer: the submission's files, and for those it lacks the starter's. Undefined where
 * it has none.
 */
export function layerOf(submission: Submission, chapter: Chapter): LayerFiles | undefined {
  const names = layerFiles(chapter.name);
  if (!names.some(file => submission.files.has(`${chapter.name}/${file}`))) return undefined;
  return new Map(
    names.map(file => [
      file,
      submission.files.get(`${chapter.name}/${file}`) ?? generatedStarter(chapter, file),
    ]),
  );
}

export function submissionDigest(submission: Submission): string {
  return digestOf(submission.files);
}
