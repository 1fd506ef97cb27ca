/** The public graded tests of a chapter, which the page runs; those of the instructor's edition stay out of it. */
import { join } from "node:path";
import type { Chapter } from "../../chapters/tools/chapter-manifest.ts";
import { ROOT } from "../../chapters/tools/chapters.ts";
import { gradedFiles } from "../../chapters/tools/graded-files.ts";

/** Paths in the file system. */
export function publicSuite(chapter: Chapter): string[] {
  return gradedFiles(chapter)
    .filter(file => file.split("/").length === 2)
    .map(file => join(ROOT, "chapters", file));
}
