/** What the components know of the chapters; VitePress loads it when the site is built. */
import { defineLoader } from "vitepress";
import type { Task } from "../../chapters/tools/chapter-manifest.ts";
import { chapterManifests } from "./chapter-pages.ts";

export interface ChapterFacts {
  readonly number: number;
  readonly name: string;
  readonly tasks: readonly Omit<Task, "regions">[];
}

declare const data: ChapterFacts[];

export { data };

export default defineLoader({
  watch: ["../../chapters/*/chapter.json"],
  load: (): ChapterFacts[] =>
    chapterManifests().map(({ number, name, tasks }) => ({
      number,
      name,
      tasks: tasks.map(({ regions: _, ...task }) => task),
    })),
});
