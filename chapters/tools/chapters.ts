/** The chapters on disk: finds them, reads and checks their manifests. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Chapter, ManifestError, parseChapter } from "./chapter-manifest.ts";

/** The project's root folder. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** The chapters' folder names, e.g. "01-minimal-vm", in order; only those with a chapter.json. */
export function chapterNames(): string[] {
  return readdirSync(join(ROOT, "chapters"))
    .filter(name => /^\d\d-/.test(name) && existsSync(join(ROOT, "chapters", name, "chapter.json")))
    .sort();
}

/** Reads one chapter's manifest; throws a `ManifestError` that says what is wrong in it and where. */
export function readChapter(name: string): Chapter {
  const path = join(ROOT, "chapters", name, "chapter.json");
  const file = relative(ROOT, path);
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ManifestError(file, "", error instanceof Error ? error.message : String(error));
  }
  const chapter = parseChapter(document, file);
  if (chapter.name !== name)
    throw new ManifestError(file, "name", `is “${chapter.name}” in the folder ${name}`);
  return chapter;
}

export function readChapters(): Chapter[] {
  return chapterNames().map(readChapter);
}

/** The layer files of a chapter's solution, e.g. ["bus.ts", "memory.ts"]; tests are none. */
export function layerFiles(name: string): string[] {
  const folder = join(ROOT, "solutions", name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(file => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .sort();
}
