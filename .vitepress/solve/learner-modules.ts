/** A learner's layer files as modules of the page: types taken off, linked with the modules that the site brings. */
import { transform } from "sucrase";
import { type Linking, link } from "./link.ts";
import type { ModuleTexts } from "./module-texts.ts";

/** A file that is no TypeScript. `line` counts from 1. */
export class LearnerSyntaxError extends Error {
  override readonly name = "LearnerSyntaxError";
  constructor(
    readonly file: string,
    readonly line: number | undefined,
    problem: string,
  ) {
    super(`${file}${line === undefined ? "" : `, line ${line}`}: ${problem}`);
  }
}

/** JavaScript of the same lines. Types are taken off and not checked. */
export function withoutTypes(file: string, text: string): string {
  try {
    const { code } = transform(text, {
      transforms: ["typescript"],
      disableESTransforms: true,
      filePath: file,
    });
    return code;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, problem = message, line] =
      /^(?:Error transforming .*?: )?(.*?)(?: \((\d+):\d+\))?$/s.exec(message) ?? [];
    throw new LearnerSyntaxError(file, line === undefined ? undefined : Number(line), `${problem}.`);
  }
}

/** The layer's files by name, as in "bus.ts", with their TypeScript. */
export type LayerFiles = Readonly<Record<string, string>>;

/** Links `entry` of the site's modules with a learner's files; returns the URL that runs it. */
export function linkLayer(
  chapter: string,
  entry: string,
  modules: ModuleTexts,
  files: LayerFiles,
  place: Linking["place"],
): Promise<string> {
  const all = new Map(Object.entries(modules));
  for (const [file, text] of Object.entries(files)) {
    all.set(file, `${withoutTypes(file, text)}\n//# sourceURL=${file}\n`);
  }
  return link(entry, { modules: all, place, resolve });

  function resolve(specifier: string, from: string): string | undefined {
    const layer = /^#layers\/([^/]+)\/([^/]+?)(?:\.ts)?$/.exec(specifier);
    if (layer) return layer[1] === chapter ? `${layer[2]}.ts` : `layers/${layer[1]}/${layer[2]}.js`;
    if (!specifier.startsWith(".")) return undefined;
    if (from in files) return `${specifier.replace(/^\.\//, "").replace(/\.ts$/, "")}.ts`;
    return new URL(specifier, `file:///${from}`).pathname.slice(1);
  }
}
