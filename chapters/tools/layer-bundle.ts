/**
 * Bundles project code with some layer files replaced: mutants, starters, later a submission. What comes
 * out is one module that depends on nothing of the project, so any number of variants can live at once.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildContext, type BuildOptions, build, context, type Plugin } from "esbuild";
import { ROOT } from "./chapters.ts";

/**
 * A learner's layer files by their name, as in "01-minimal-vm/vmm.ts". Of a layer that has any, the files
 * that are not named are the solution's, and all stand where the learner's would: in chapters/.
 */
export type LayerTexts = ReadonlyMap<string, string>;

const CACHE = join(ROOT, ".cache/layers");

/** Bundles the module `source` (its imports are relative to the root) and returns the JavaScript. */
export async function bundleWithLayers(source: string, layers: LayerTexts): Promise<string> {
  const result = await build({ ...bundleOptions(source), plugins: [layerPlugin(() => layers)] });
  return result.outputFiles[0]!.text;
}

/** The same again and again while the layers change: what did not change is not parsed twice. */
export class LayerBundler {
  #layers: LayerTexts = new Map();
  #context: Promise<BuildContext<BundleOptions>> | undefined;

  constructor(private readonly source: string) {}

  /** The files of `layers` must be of the same chapters each time. */
  async bundle(layers: LayerTexts): Promise<string> {
    this.#layers = layers;
    this.#context ??= context({
      ...bundleOptions(this.source),
      plugins: [layerPlugin(() => this.#layers)],
    });
    const result = await (await this.#context).rebuild();
    return result.outputFiles[0]!.text;
  }

  async close(): Promise<void> {
    await (await this.#context)?.dispose();
  }
}

type BundleOptions = ReturnType<typeof bundleOptions>;

function bundleOptions(source: string) {
  return {
    stdin: { contents: source, resolveDir: ROOT, sourcefile: "entry.ts", loader: "ts" },
    bundle: true,
    write: false,
    outdir: CACHE,
    sourcemap: "inline",
    sourcesContent: false,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "silent",
  } as const satisfies BuildOptions;
}

/** Writes a bundle where packages can be found from it, outside of node_modules for its source map, and returns its path. The same text is written once. */
export function cacheBundle(code: string): string {
  const path = join(CACHE, `${createHash("sha256").update(code).digest("hex").slice(0, 16)}.mjs`);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  dropOldBundles();
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, code);
  renameSync(partial, path); // Another process may be about to load the same bundle: it sees all or nothing.
  return path;
}

const DAY = 24 * 60 * 60 * 1000;

function dropOldBundles(): void {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - made > DAY) rmSync(path, { force: true });
  }
}

function layerPlugin(current: () => LayerTexts): Plugin {
  const isLearners = (file: string) => [...current().keys()].some(key => dirname(key) === dirname(file));
  return {
    name: "layers",
    setup(bundler) {
      bundler.onResolve({ filter: /^#layers\// }, ({ path }) => {
        const file = path.slice("#layers/".length);
        return { path: join(ROOT, isLearners(file) ? "chapters" : "solutions", file) };
      });
      bundler.onResolve({ filter: /^\.\.?\/.*\.(ts|json)$/ }, ({ path, resolveDir }) => ({
        path: resolve(resolveDir, path),
      }));
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: textOf(path).replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
        loader: "ts",
        resolveDir: dirname(path),
      }));
    },
  };

  function textOf(path: string): string {
    const file = relative(join(ROOT, "chapters"), path);
    const solution = join(ROOT, "solutions", file);
    const isLayer = isLearners(file) && existsSync(solution);
    return isLayer ? (current().get(file) ?? readFileSync(solution, "utf8")) : readFileSync(path, "utf8");
  }
}
