/**
 * Bundles project code with some layer files replaced: mutants, starters, later a submission. What comes
 * out is one module that depends on nothing of the project, so any number of variants can live at once.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { ROOT } from "./chapters.ts";

/** Texts by layer file, as in "01-minimal-vm/vmm.ts"; files that are not named are the solution's. */
export type LayerTexts = ReadonlyMap<string, string>;

/** Bundles the module `source` (its imports are relative to the root) and returns the JavaScript. */
export async function bundleWithLayers(source: string, layers: LayerTexts): Promise<string> {
  const result = await build({
    stdin: { contents: source, resolveDir: ROOT, sourcefile: "entry.ts", loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "silent",
    plugins: [layerPlugin(layers)],
  });
  return result.outputFiles[0]!.text;
}

/** Writes a bundle where packages can be found from it, and returns its path. The same text is written once. */
export function cacheBundle(code: string): string {
  const folder = join(ROOT, "node_modules/.cache/vmexit");
  const path = join(folder, `${createHash("sha256").update(code).digest("hex").slice(0, 16)}.mjs`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, code);
  return path;
}

function layerPlugin(layers: LayerTexts): Plugin {
  return {
    name: "layers",
    setup(bundler) {
      bundler.onResolve({ filter: /^#layers\// }, ({ path }) => ({
        path: join(ROOT, "solutions", path.slice("#layers/".length)),
      }));
      bundler.onResolve({ filter: /^\.\.?\/.*\.(ts|json)$/ }, ({ path, resolveDir }) => ({
        path: resolve(resolveDir, path),
      }));
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const layer = relative(join(ROOT, "solutions"), path);
        const text = layers.get(layer) ?? readFileSync(path, "utf8");
        const url = JSON.stringify(pathToFileURL(path).href);
        return {
          contents: text.replaceAll("import.meta.url", url),
          loader: "ts",
          resolveDir: dirname(path),
        };
      });
    },
  };
}
