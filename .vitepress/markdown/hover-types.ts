/**
 * What TypeScript knows of each name in a part of a file: its type, and the first paragraph of its comment.
 *
 * The whole file is compiled where it lies, with the project's own options, so that its imports lead to the
 * real modules. An error in it is thrown, with file and line: a block that shows types is a block that compiles.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createTwoslasher, type TwoslashInstance } from "twoslash";
import ts from "typescript";
import { shownPart } from "./regions.ts";

const ROOT = join(import.meta.dirname, "../..");

export interface HoverType {
  /** Line and column in the shown part, counted from 0. */
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** What kind of thing it is, where TypeScript's own syntax does not say so: "method", "parameter". */
  readonly kind: string;
  /** As TypeScript would declare it. */
  readonly signature: string;
  /** The first paragraph of its doc comment; empty without one. */
  readonly says: string;
}

export interface TypedPart {
  readonly text: string;
  readonly types: readonly HoverType[];
}

const known = new Map<string, { readonly source: string; readonly part: TypedPart }>();

/** The types in a region of a file, in order. `path` is relative to the project. */
export function typedPart(path: string, region?: string): TypedPart {
  const source = readFileSync(join(ROOT, path), "utf8");
  const key = `${path}#${region ?? ""}`;
  const before = known.get(key);
  if (before?.source === source) return before.part;
  const part = typesIn(path, source, region);
  known.set(key, { source, part });
  return part;
}

/** The same for a text that stands in place of the file. */
export function typesIn(path: string, source: string, region?: string): TypedPart {
  const { text, lines, indent } = shownPart(source, region, path);
  const shownAt = new Map(lines.map((number, line) => [number, line]));
  // Twoslash puts what follows such a line into a file of this name.
  const head = `// @filename: ${path}\n`;
  const lineOf = lineNumbers(source);
  const { hovers, errors } = compiler().compile(head + source, path, source, start =>
    shownAt.has(lineOf(start - head.length)),
  );
  const [error] = errors;
  if (error) throw new TypeError(`${path}:${error.line}:${error.character + 1}: ${error.text}`);
  const types = hovers.map(({ line, character, length, text: hover, docs }) => ({
    line: shownAt.get(line)!,
    column: character - indent,
    length,
    ...described(hover),
    says: firstParagraph(docs ?? ""),
  }));
  return { text, types };
}

/** For a position its line, counted from 1. */
function lineNumbers(text: string): (position: number) => number {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return position => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= position) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

interface Compiler {
  compile(
    code: string,
    path: string,
    source: string,
    isShown: (start: number) => boolean,
  ): ReturnType<TwoslashInstance>;
}

let theCompiler: Compiler | undefined;

/** One compiler for all blocks, as it reads the library's types and the project's modules once. */
function compiler(): Compiler {
  if (theCompiler) return theCompiler;
  const environments = new Map();
  const twoslash = createTwoslasher({
    vfsRoot: ROOT,
    compilerOptions: projectOptions(),
    cache: environments,
    tsLibDirectory: dirname(ts.getDefaultLibFilePath({})),
  });
  theCompiler = {
    compile(code, path, source, isShown) {
      const result = twoslash(code, "ts", {
        handbookOptions: { keepNotations: true, noErrorValidation: true },
        shouldGetHoverInfo: (_, start) => isShown(start),
      });
      // Twoslash leaves its files empty; the next block may import this one.
      for (const environment of environments.values()) environment.createFile(join(ROOT, path), source);
      return result;
    },
  };
  return theCompiler;
}

function projectOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), path => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, ROOT);
  return { ...options, incremental: false, tsBuildInfoFile: undefined };
}

/** TypeScript's text for an editor's hover, as kind and declaration. */
function described(hover: string): { kind: string; signature: string } {
  const text = hover.replace(/\n(?:import|export) [\s\S]*$/, "").replace(/^\(alias\) /, "");
  const [, kind = "", signature = text] = /^\(([a-z ]+)\) ([\s\S]*)$/.exec(text) ?? [];
  return { kind, signature };
}

function firstParagraph(docs: string): string {
  return docs
    .split(/\n\s*\n/)[0]!
    .replace(/\s+/g, " ")
    .trim();
}
