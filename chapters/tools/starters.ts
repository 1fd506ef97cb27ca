/**
 * `npm run starters [check] [force] [NUMBER]`: makes chapters/NN/*.ts from solutions/NN/*.ts.
 *
 * A starter in which somebody has written is left alone; with `force` it is replaced, and what was there
 * is kept beside it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT, readChapters } from "./chapters.ts";
import { Complaint } from "./complaint.ts";
import { RegionError } from "./regions.ts";
import { runTool } from "./run-tool.ts";
import { backUp, type StarterFile, starterFiles } from "./starter-files.ts";

await runTool(() => starters(process.argv.slice(2)));

function starters(words: readonly string[]): number {
  const unknown = words.find(word => !["check", "force"].includes(word) && !/^\d+$/.test(word));
  if (unknown)
    throw new Complaint(`starters: unknown word “${unknown}”; known are check, force, a chapter's number`, 2);
  const wanted = words.filter(word => /^\d+$/.test(word)).map(Number);
  const chapters = readChapters().filter(({ number }) => wanted.length === 0 || wanted.includes(number));
  const files = filesOf(chapters);
  return words.includes("check") ? check(files) : generate(files, words.includes("force"));
}

function filesOf(chapters: ReturnType<typeof readChapters>): StarterFile[] {
  try {
    return starterFiles(chapters);
  } catch (error) {
    if (error instanceof RegionError) throw new Complaint(error.message);
    throw error;
  }
}

function check(files: readonly StarterFile[]): number {
  const different = files.filter(file => file.state !== "same");
  for (const { path, state } of different) console.log(`${path}: ${state}`);
  if (different.length === 0) console.log(`${files.length} starters are as the generator makes them`);
  return different.length === 0 ? 0 : 1;
}

function generate(files: readonly StarterFile[], force: boolean): number {
  let kept = 0;
  for (const { path, text, state } of files) {
    if (state === "same") continue;
    const target = join(ROOT, path);
    if (state === "edited" && !force) {
      console.log(`${path}: kept, as you wrote in it; the word \`force\` replaces it and keeps a backup`);
      kept++;
      continue;
    }
    const saved = state === "edited" ? ` (yours is kept as ${backUp(path)})` : "";
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    console.log(`${path}: written${saved}`);
  }
  if (files.every(({ state }) => state === "same")) console.log(`${files.length} starters, nothing to do`);
  return kept > 0 ? 1 : 0;
}
