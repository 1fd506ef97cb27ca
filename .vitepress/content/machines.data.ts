/** The guests of every chapter, for the machines on the pages; VitePress loads it when the site is built. */
import { defineLoader } from "vitepress";
import { chapterManifests } from "./chapter-pages.ts";

export interface GuestFacts {
  readonly name: string;
  readonly does: string;
}

declare const data: Readonly<Record<string, readonly GuestFacts[]>>;

export { data };

export default defineLoader({
  watch: ["../../chapters/*/chapter.json"],
  load: (): Record<string, GuestFacts[]> =>
    Object.fromEntries(
      chapterManifests().map(({ name, guests }) => [name, guests.map(({ name, does }) => ({ name, does }))]),
    ),
});
