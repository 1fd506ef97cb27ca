/** What a chapter gives to everybody, and so is nobody's copy: its starters, and the code in its hints. */
import type { Chapter } from "../../chapter-manifest.ts";
import { starterLayer } from "../../layer-variants.ts";
import { gramHashes } from "./fingerprints.ts";
import { tokensOf } from "./tokens.ts";

/** The hashes of all rows of tokens that are given. */
export function givenHashes(chapters: readonly Chapter[]): Set<number> {
  const texts = chapters.flatMap(chapter => [
    ...starterLayer(chapter).values(),
    // A hint is prose with code in it. As tokens the prose is a row of names, which no program has.
    ...chapter.tasks.flatMap(({ hints }) => hints),
  ]);
  return new Set(texts.flatMap(text => [...gramHashes(tokensOf(text))]));
}
