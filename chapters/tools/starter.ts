/**
 * A starter from a solution: the same file, with the body of every exercise replaced by a throw that
 * tells what to write. Pure, so that the page can make one too.
 */
import type { Chapter, Task } from "./chapter-manifest.ts";
import { findRegions, RegionError } from "./regions.ts";

/** biome.json's line width, as the starter must be stable under the formatter. */
const LINE_WIDTH = 110;

/**
 * Makes the starter of one layer file, without its header. `file` is relative to the chapter's folder;
 * `isHole` chooses the tasks that are left to write, by default all.
 */
export function starterBody(
  chapter: Chapter,
  file: string,
  solution: string,
  isHole: (task: Task) => boolean = () => true,
): string {
  const path = `solutions/${chapter.name}/${file}`;
  const lines = solution.split("\n");
  for (const region of findRegions(path, solution).reverse()) {
    if (!region.name.startsWith("exercise-")) continue;
    const task = taskOf(chapter, file, region.name);
    if (!task) {
      throw new RegionError(path, region.start + 1, `${region.name} belongs to no task of chapter.json`);
    }
    if (!isHole(task)) continue;
    const hole = throwStatement(region.indent, holeMessage(chapter, task, region.name));
    lines.splice(region.start + 1, region.end - region.start - 1, ...hole);
  }
  return lines.join("\n");
}

/** The task that a region of a layer file belongs to. */
export function taskOf(chapter: Chapter, file: string, region: string): Task | undefined {
  return chapter.tasks.find(task => task.file === file && task.regions.includes(region));
}

/** What a hole throws. It must tell everything by itself: the file also runs alone, in a browser. */
export function holeMessage(chapter: Chapter, task: Task, region: string): string {
  const name = region.replace("exercise-", "");
  return `exercise ${name}: ${task.write} · chapter ${chapter.number}, “${task.heading}”`;
}

/** The region that a hole's message names, or undefined where the message is not of a hole. */
export function holeRegion(message: string): string | undefined {
  const name = /^exercise ([a-z0-9-]+): .* · chapter \d+, “.*”$/su.exec(message)?.[1];
  return name && `exercise-${name}`;
}

function throwStatement(indent: string, message: string): string[] {
  const quoted = message.includes('"') && !message.includes("'") ? `'${message}'` : JSON.stringify(message);
  const short = `${indent}throw new Error(${quoted});`;
  if (short.length <= LINE_WIDTH) return [short];
  return [`${indent}throw new Error(`, `${indent}  ${quoted},`, `${indent});`];
}
