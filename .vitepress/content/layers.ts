/** What each chapter adds to the machine, counted and compared in the sources. Read at build time only. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { structuredPatch } from "diff";
import { partOf } from "../markdown/regions.ts";
import { sourceUrl } from "../repository.ts";
import { chapterManifests } from "./chapter-pages.ts";

const ROOT = join(import.meta.dirname, "../..");
const CONTEXT = 3;

export interface LayerFile {
  readonly path: string;
  /** Undefined where the book does not know its repository. */
  readonly url: string | undefined;
  readonly lines: number;
  /** The first sentence of the file. */
  readonly about: string;
}

export interface LayerFacts {
  readonly number: number;
  readonly title: string;
  readonly files: readonly LayerFile[];
  /** How the chapter's machine is put together, against the chapter before; each line with " ", "+", "-" or "@". */
  readonly change: readonly string[];
}

export function layerFacts(): LayerFacts[] {
  const chapters = chapterManifests();
  return chapters.map(({ number, name, title }, index) => {
    const before = chapters[index - 1];
    return {
      number,
      title,
      files: layerFiles(name),
      change: before ? difference(machineOf(before.name), machineOf(name)) : [],
    };
  });
}

function layerFiles(name: string): LayerFile[] {
  // An edition that holds a layer's source back has what can be read of it among its starters.
  const folder = [`starters/${name}`, `solutions/${name}`].find(path => existsSync(join(ROOT, path)))!;
  return readdirSync(join(ROOT, folder))
    .filter(file => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map(file => {
      const text = readFileSync(join(ROOT, folder, file), "utf8");
      const path = `${folder}/${file}`;
      return {
        path,
        url: sourceUrl(path),
        lines: text.trimEnd().split("\n").length,
        about: firstSentence(text),
      };
    });
}

/** The first sentence of a file's doc comment, behind a note in lines; throws where there is none. */
export function firstSentence(source: string): string {
  const comment = /^(?:\/\/.*\n)*\s*\/\*\*([\s\S]*?)\*\//.exec(source)?.[1];
  if (!comment) throw new Error(`a file of a layer begins with what it is, not with ${source.slice(0, 60)}`);
  const text = comment.replace(/^[ \t]*\* ?/gm, "").trim();
  const paragraph = text.split(/\n\s*\n/)[0]!.replace(/\s+/g, " ");
  return /^.*?[.:!?](?=\s+[A-Z]|$)/.exec(paragraph)?.[0] ?? paragraph;
}

function machineOf(name: string): string {
  const path = `chapters/${name}/machine.ts`;
  return partOf(readFileSync(join(ROOT, path), "utf8"), "machine", path);
}

function difference(before: string, after: string): string[] {
  const { hunks } = structuredPatch("before", "after", `${before}\n`, `${after}\n`, "", "", {
    context: CONTEXT,
  });
  return hunks.flatMap((hunk, index) => [...(index > 0 ? ["@"] : []), ...hunk.lines]);
}
