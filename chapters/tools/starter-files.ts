/**
 * The starters on disk: what the generator makes, and what is there.
 *
 * The header of a starter carries a digest of the text that the generator made. So it can be told whether
 * somebody wrote in it, without git, and a learner's work is never overwritten unasked.
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Chapter } from "./chapter-manifest.ts";
import { layerFiles, ROOT, readChapters } from "./chapters.ts";
import { starterBody } from "./starter.ts";

/**
 * `same` as the generator makes it · `missing` · `stale`: untouched, but the solution has moved on ·
 * `edited`: somebody wrote in it.
 */
export type StarterState = "same" | "missing" | "stale" | "edited";

export interface StarterFile {
  readonly chapter: Chapter;
  /** Relative to the root, e.g. "chapters/01-minimal-vm/vmm.ts". */
  readonly path: string;
  /** What the generator makes. */
  readonly text: string;
  readonly state: StarterState;
}

/** Every starter of one chapter, or of all that have tasks. Throws a `RegionError` for markers that are wrong. */
export function starterFiles(chapters: readonly Chapter[] = readChapters()): StarterFile[] {
  const written = chapters.filter(({ tasks }) => tasks.length > 0);
  return written.flatMap(chapter =>
    layerFiles(chapter.name).map(file => {
      const path = `chapters/${chapter.name}/${file}`;
      const text = generatedStarter(chapter, file);
      return { chapter, path, text, state: stateOf(join(ROOT, path), text) };
    }),
  );
}

/**
 * The starter of a layer file as the generator makes it. A student edition, whose solutions are closed, has
 * it ready in `starters/`.
 */
export function generatedStarter(chapter: Chapter, file: string): string {
  const ready = join(ROOT, "starters", chapter.name, file);
  if (existsSync(ready)) return readFileSync(ready, "utf8");
  const solution = readFileSync(join(ROOT, "solutions", chapter.name, file), "utf8");
  return starterText(chapter, file, starterBody(chapter, file, solution));
}

/** A starter's body under its header. */
export function starterText(chapter: Chapter, file: string, body: string): string {
  return `${header(chapter, file, body)}${body}`;
}

function header(chapter: Chapter, file: string, body: string): string {
  const exercises = body.includes("// #region exercise-");
  const command = `npm run chapter ${chapter.number}`;
  const text = exercises
    ? `// Starter: write the exercises here; \`${command}\` runs them, \`${command} test\` tests them.`
    : `// Given: this file of the layer has no exercises.`;
  return `${text}\n// Generated from solutions/${chapter.name}/${file} by \`npm run starters\` (${digest(body)}).\n`;
}

const HEADER = /^\/\/ .*\n\/\/ Generated from .* \(([0-9a-f]{8})\)\.\n/;

function stateOf(path: string, generated: string): StarterState {
  if (!existsSync(path)) return "missing";
  const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  if (text === generated) return "same";
  const [found, recorded] = HEADER.exec(text) ?? [];
  return found !== undefined && digest(text.slice(found.length)) === recorded ? "stale" : "edited";
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Copies a file to the next free `….backup`, `….backup-2`, … and returns that path, relative to the root. */
export function backUp(path: string): string {
  for (let count = 1; ; count++) {
    const backup = `${path}.backup${count === 1 ? "" : `-${count}`}`;
    if (existsSync(join(ROOT, backup))) continue;
    copyFileSync(join(ROOT, path), join(ROOT, backup));
    return backup;
  }
}
