/** The course as a row of steps: every task of every chapter, in the book's order. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Chapter, Task } from "../chapter-manifest.ts";
import { layerFiles, ROOT } from "../chapters.ts";
import type { LayerTexts } from "../layer-bundle.ts";
import { findRegions, RegionError } from "../regions.ts";

export interface Step {
  readonly chapter: Chapter;
  readonly task: Task;
  /** Names the step in the state file, e.g. "05-pit/time". */
  readonly key: string;
  /** The learner's file, relative to the root. */
  readonly path: string;
}

export function stepsOf(chapters: readonly Chapter[]): Step[] {
  return chapters.flatMap(chapter =>
    chapter.tasks.map(task => ({
      chapter,
      task,
      key: `${chapter.name}/${task.id}`,
      path: `chapters/${chapter.name}/${task.file}`,
    })),
  );
}

/** The learner's files of some chapters, as they are on disk now. */
export function learnersFiles(chapters: readonly string[]): LayerTexts {
  const files = chapters.flatMap(name => layerFiles(name).map(file => `${name}/${file}`));
  return new Map(
    files
      .filter(file => existsSync(join(ROOT, "chapters", file)))
      .map(file => [file, readFileSync(join(ROOT, "chapters", file), "utf8")]),
  );
}

/** The line, from 1, where the task's first region begins in the learner's file; 1 where no marker is left. */
export function firstLine({ task, path }: Step): number {
  const regions = regionsOf(path, task.regions);
  return regions.length > 0 ? Math.min(...regions.map(({ start }) => start)) + 2 : 1;
}

/** Whether something of the task is still as the starter has it. */
export function hasHole({ task, path }: Step): boolean {
  if (!existsSync(join(ROOT, path))) return false;
  const text = readFileSync(join(ROOT, path), "utf8");
  return task.regions.some(region =>
    text.includes(`exercise ${region.replace("exercise-", "")}: ${task.write}`),
  );
}

/** The task's regions in a file of the project; none where the markers are damaged. */
export function regionsOf(path: string, names: readonly string[]) {
  if (!existsSync(join(ROOT, path))) return [];
  try {
    return findRegions(path, readFileSync(join(ROOT, path), "utf8")).filter(({ name }) =>
      names.includes(name),
    );
  } catch (error) {
    if (error instanceof RegionError) return [];
    throw error;
  }
}
