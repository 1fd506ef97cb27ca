/** What the components know of the chapters; VitePress loads it when the site is built. */
import { defineLoader } from "vitepress";
import type { Task } from "../../chapters/tools/chapter-manifest.ts";
import packageJson from "../../package.json" with { type: "json" };
import { chapterManifests, chapterPages } from "./chapter-pages.ts";

export interface ChapterFacts {
  readonly number: number;
  readonly name: string;
  readonly title: string;
  /** The page's path inside the site, if there is a page. */
  readonly link?: string;
  readonly tasks: readonly Omit<Task, "regions">[];
}

declare const data: ChapterFacts[];

export { data };

export default defineLoader({
  watch: ["../../chapters/*/chapter.json", "../../docs/chapters/*.md"],
  load(): ChapterFacts[] {
    const pages = new Map(chapterPages().map(page => [page.number, page.link]));
    const facts = chapterManifests().map(({ number, name, title, tasks }) => ({
      number,
      name,
      title,
      tasks: tasks.map(({ regions: _, ...task }) => task),
      ...(pages.has(number) && { link: pages.get(number)! }),
    }));
    const known = new Set(facts.map(({ name }) => name));
    const planned = Object.keys(packageJson.imports)
      .map(key => /^#layers\/(\d\d-[a-z0-9-]+)\//.exec(key)?.[1])
      .filter(name => name !== undefined)
      .filter(name => !known.has(name))
      .map(name => ({ number: Number(name.slice(0, 2)), name, title: name.slice(3), tasks: [] }));
    return [...facts, ...planned].sort((a, b) => a.number - b.number);
  },
});
