/** Which layers of a chapter's machine are the learner's: this one's, and those below it that they have solved. */
import { CHAPTERS } from "virtual:vmexit/layers";
import type { ChapterFacts } from "../content/chapters.data.ts";
import { readWork, type WorkStorage } from "./kept-work.ts";
import type { LayerFiles, OwnLayers } from "./learner-modules.ts";

/** The chapters below one of which every exercise has passed its tests. */
export function solvedBelow(
  chapter: string,
  chapters: readonly Pick<ChapterFacts, "name" | "tasks">[],
  storage: WorkStorage | undefined,
): string[] {
  return chapters
    .filter(({ name }) => name < chapter)
    .filter(({ name, tasks }) => {
      const { passed } = readWork(storage, name);
      return tasks.length > 0 && tasks.every(({ id }) => passed.includes(id));
    })
    .map(({ name }) => name);
}

/** A layer's files as the browser keeps them, on the starters. */
export async function keptLayers(
  names: readonly string[],
  storage: WorkStorage | undefined,
): Promise<OwnLayers> {
  const layers = names.map(async (name): Promise<readonly [string, LayerFiles]> => {
    const { starters } = await CHAPTERS[name]!();
    return [name, { ...starters, ...readWork(storage, name).files }];
  });
  return Object.fromEntries(await Promise.all(layers));
}

/** "chapter 5's layer, and those of chapters 1 and 3" */
export function layersInWords(chapter: string, below: readonly string[]): string {
  const number = (name: string) => String(Number(name.slice(0, 2)));
  const own = `chapter ${number(chapter)}’s layer`;
  if (below.length === 0) return own;
  const numbers = below.map(number);
  const list =
    numbers.length === 1
      ? `that of chapter ${numbers[0]}`
      : `those of chapters ${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}`;
  return `${own}, and ${list}`;
}
