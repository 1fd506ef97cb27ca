/** A learner's layer files as modules of the page: types taken off, linked with the modules that the site brings. */
import { transform } from "sucrase";
import type { SourceLine } from "../../sandbox/session/protocol.ts";
import { guardLoops } from "./guard-loops.ts";
import { type Linking, link } from "./link.ts";
import { LOOPS, layerModule, MEMORY, type ModuleTexts } from "./module-texts.ts";
import { underBudget } from "./under-budget.ts";

/** A file that is no TypeScript. */
export class LearnerSyntaxError extends Error {
  override readonly name = "LearnerSyntaxError";
  constructor(
    file: string,
    problem: string,
    readonly place?: SourceLine,
  ) {
    super(`${file}${place ? `, line ${place.line}` : ""}: ${problem}`);
  }
}

/** JavaScript of the same lines. Types are taken off and not checked. */
export function withoutTypes(chapter: string, file: string, text: string): string {
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
    const place = line === undefined ? undefined : { chapter, file, line: Number(line) };
    throw new LearnerSyntaxError(file, `${problem}.`, place);
  }
}

/** A layer's files by name, as in "bus.ts", with their TypeScript. */
export type LayerFiles = Readonly<Record<string, string>>;

/** By chapter; the others are the reference's. */
export type OwnLayers = Readonly<Record<string, LayerFiles>>;

/** Links `entry` of the site's modules, which have all layers, with a learner's; returns the URL that runs it. */
export function linkLayers(
  entry: string,
  modules: ModuleTexts,
  own: OwnLayers,
  place: Linking["place"],
): Promise<string> {
  const all = new Map(Object.entries(modules));
  for (const [chapter, files] of Object.entries(own)) {
    for (const [file, text] of Object.entries(files)) {
      const code = underBudget(guardLoops(withoutTypes(chapter, file, text), GUARD), BUDGET);
      all.set(layerModule(chapter, file), `${code}\n//# sourceURL=${layerModule(chapter, file)}\n`);
    }
  }
  return link(entry, { modules: all, place, resolve });
}

const GUARD = "site:loops";
const BUDGET = "site:memory";

function resolve(specifier: string, from: string): string | undefined {
  if (specifier === GUARD) return LOOPS;
  if (specifier === BUDGET) return MEMORY;
  if (specifier.startsWith("site:")) return specifier;
  const path = specifier.startsWith("#layers/")
    ? specifier.slice("#layers/".length)
    : specifier.startsWith(".")
      ? new URL(specifier, `file:///${from}`).pathname.slice(1)
      : undefined;
  const isLayer = (name: string) => /^\d\d-/.test(name);
  if (path === undefined || !isLayer(path)) return path;
  if (isLayer(from) && path.slice(0, 2) > from.slice(0, 2)) return undefined;
  // A learner may leave out the ending.
  return path.endsWith(".ts") ? path : `${path}.ts`;
}

/** Where a module can be imported from; its name is behind the address, for what browsers say of it. */
export function placeModule(urls: string[]): Linking["place"] {
  return (code, name) => {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    urls.push(url);
    return `${url}#${name}`;
  };
}
