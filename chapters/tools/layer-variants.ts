/** Variants of a chapter's layer: the starter, with some tasks written, with one left; the solution with a mistake. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Chapter, Mistake, Task } from "./chapter-manifest.ts";
import { layerFiles, ROOT } from "./chapters.ts";
import type { LayerTexts } from "./layer-bundle.ts";
import { starterBody } from "./starter.ts";
import { generatedStarter, starterText } from "./starter-files.ts";

/** The chapter's layer as the learner finds it, byte for byte. */
export function starterLayer(chapter: Chapter): LayerTexts {
  return new Map(
    layerFiles(chapter.name).map(file => [`${chapter.name}/${file}`, generatedStarter(chapter, file)]),
  );
}

/** The layer of a learner who has written these tasks, under the starters' headers: its lines are theirs. */
export function layerWith(chapter: Chapter, written: readonly Task[]): LayerTexts {
  return new Map(
    layerFiles(chapter.name).map(file => {
      const isHole = (task: Task) => !written.includes(task);
      const body = starterBody(chapter, file, solutionText(chapter, file), isHole);
      return [`${chapter.name}/${file}`, starterText(chapter, file, body)];
    }),
  );
}

/** The solution, with only one task left to write. */
export function layerWithout(chapter: Chapter, task: Task): LayerTexts {
  return new Map(
    layerFiles(chapter.name).map(file => {
      const text = starterBody(chapter, file, solutionText(chapter, file), ({ id }) => id === task.id);
      return [`${chapter.name}/${file}`, text];
    }),
  );
}

/** The solution with a mistake in it. Throws unless the mistake's text stands there exactly once. */
export function layerWithMistake(chapter: Chapter, { id, file, find, replace }: Mistake): LayerTexts {
  const text = solutionText(chapter, file);
  const times = text.split(find).length - 1;
  if (times !== 1)
    throw new Error(`mistake ${id}: its text stands ${times} times in ${chapter.name}/${file}`);
  return new Map([[`${chapter.name}/${file}`, text.replace(find, () => replace)]]);
}

function solutionText(chapter: Chapter, file: string): string {
  return readFileSync(join(ROOT, "solutions", chapter.name, file), "utf8");
}
