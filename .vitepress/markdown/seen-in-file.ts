/**
 * The colours of a part of a file are those that it has in the file: inside of a class `load(): void` is a method,
 * and without the class in front of it the grammar takes it for a call.
 *
 * The fence rule of source-blocks.ts tells this transformer which part of which file the block shows.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ShikiTransformer } from "shiki";
import { textBefore } from "./regions.ts";

const ROOT = join(import.meta.dirname, "../..");
const PART = /(?:^|\s)part=([^\s#]+)#(\S+)/;

/** The info string of a fence that shows a region of the file at `path`, relative to the project. */
export function partInfo(info: string, path: string, region: string): string {
  return `${info} part=${path}#${region}`;
}

export function seenInFile(): ShikiTransformer {
  return {
    name: "vmexit:seen-in-file",
    preprocess(_code, options) {
      const [, path, region] = PART.exec(options.meta?.__raw ?? "") ?? [];
      if (!path || !region) return;
      options.grammarContextCode = textBefore(readFileSync(join(ROOT, path), "utf8"), region);
    },
  };
}
