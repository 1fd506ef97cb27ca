/** Layers that several people wrote on their own, for the measure of what is like by chance: honest/*.txt. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Chapter } from "../../chapter-manifest.ts";
import { layerFiles } from "../../chapters.ts";
import { findRegions } from "../../regions.ts";
import { generatedStarter } from "../../starter-files.ts";
import { type Submission, submissionOf } from "../submission.ts";

const FOLDER = fileURLToPath(new URL("honest/", import.meta.url));

/** “// FILE REGION” opens what was written into a hole; the same name twice is its first and second hole. */
const HEAD = /^\/\/ (\S+\.ts) (exercise-\S+)$/;

/** They are all of chapter 6. */
export function honestSubmissions(chapter: Chapter): Submission[] {
  return readdirSync(FOLDER)
    .sort()
    .map(entry => {
      const written = bodies(readFileSync(`${FOLDER}${entry}`, "utf8"));
      const files = layerFiles(chapter.name).map(file => {
        const text = fill(file, generatedStarter(chapter, file), written.get(file) ?? []);
        return [`${chapter.name}/${file}`, text] as const;
      });
      return submissionOf(entry.replace(".txt", ""), new Map(files));
    });
}

interface Body {
  readonly region: string;
  readonly lines: string[];
}

function bodies(text: string): Map<string, Body[]> {
  const files = new Map<string, Body[]>();
  let body: Body | undefined;
  for (const line of text.trimEnd().split("\n")) {
    const [, file, region] = HEAD.exec(line) ?? [];
    if (file && region) {
      body = { region, lines: [] };
      files.set(file, [...(files.get(file) ?? []), body]);
    } else body?.lines.push(line);
  }
  return files;
}

/** The starter with what was written in its holes, hole after hole. */
function fill(file: string, starter: string, written: readonly Body[]): string {
  const left = [...written];
  const lines = starter.split("\n");
  const holes = findRegions(file, starter).filter(({ name }) => name.startsWith("exercise-"));
  const bodies = holes.map(({ name }) => {
    const at = left.findIndex(({ region }) => region === name);
    if (at < 0) throw new Error(`honest: nothing was written for ${file} ${name}`);
    return left.splice(at, 1)[0]!;
  });
  for (const [at, { start, end, indent }] of [...holes.entries()].reverse()) {
    lines.splice(start + 1, end - start - 1, ...bodies[at]!.lines.map(line => indent + line));
  }
  return lines.join("\n");
}
