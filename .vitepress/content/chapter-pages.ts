/**
 * The chapters that the book can show: those with a manifest, and whether each has a page yet.
 * Read at build time only.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Chapter, parseChapter } from "../../chapters/tools/chapter-manifest.ts";

const ROOT = join(import.meta.dirname, "../..");

export interface ChapterPage {
  readonly number: number;
  readonly name: string;
  readonly title: string;
  /** The page's path inside the site, without base and extension. */
  readonly link: string;
  /** How many exercises the chapter has. */
  readonly exercises: number;
}

/** Every `chapters/NN-name/chapter.json`, by rising number. */
export function chapterManifests(): Chapter[] {
  return readdirSync(join(ROOT, "chapters"))
    .filter(name => /^\d\d-/.test(name))
    .sort()
    .map(name => join(ROOT, "chapters", name, "chapter.json"))
    .filter(existsSync)
    .map(file => parseChapter(JSON.parse(readFileSync(file, "utf8")), file));
}

/** The chapters that have a page in `docs/chapters`. */
export function chapterPages(): ChapterPage[] {
  return chapterManifests()
    .filter(({ name }) => existsSync(join(ROOT, "docs/chapters", `${name}.md`)))
    .map(({ number, name, title, tasks }) => ({
      number,
      name,
      title,
      link: `/chapters/${name}`,
      exercises: tasks.length,
    }));
}
