/** Puts a task back to its starter; what was there is kept beside it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../chapters.ts";
import { findRegions } from "../regions.ts";
import { backUp, generatedStarter } from "../starter-files.ts";
import { regionsOf, type Step } from "./course.ts";

/**
 * Resets the task's regions, or the whole file where its markers are no longer those of the starter.
 * Says in a sentence what it did.
 */
export function resetTask({ chapter, task, path }: Step): string {
  const starter = generatedStarter(chapter, task.file);
  const full = join(ROOT, path);
  const kept = existsSync(full) ? `, yours is kept as ${backUp(path)}` : "";
  const holes = findRegions(path, starter).filter(({ name }) => task.regions.includes(name));
  const mine = regionsOf(path, task.regions);
  const fits = mine.length === holes.length && mine.every(({ name }, at) => name === holes[at]!.name);
  if (!fits) {
    writeFileSync(full, starter);
    return `${path} is the starter again${kept}`;
  }
  const lines = readFileSync(full, "utf8").split("\n");
  const starterLines = starter.split("\n");
  for (let at = mine.length - 1; at >= 0; at--) {
    const { start, end } = mine[at]!;
    const hole = holes[at]!;
    lines.splice(start + 1, end - start - 1, ...starterLines.slice(hole.start + 1, hole.end));
  }
  writeFileSync(full, lines.join("\n"));
  return `task ${task.id} is the starter's again${kept}`;
}
