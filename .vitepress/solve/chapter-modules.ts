/**
 * What the page needs to run a learner's layer: everything around it as JavaScript modules, made when the site is
 * built. The layer's own files are left open, and are linked in the page (link.ts).
 *
 * As a layer imports only layers with smaller numbers, the modules fall into two heaps that never form a circle:
 * those that the layer can import, and those that import the layer.
 */
import { basename, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { chapterNames, layerFiles, ROOT } from "../../chapters/tools/chapters.ts";
import type { ModuleTexts } from "./module-texts.ts";

/** Bundles a chapter's subject around its layer. Everything else is inside, and runs in any worker of a page. */
export async function chapterModules(chapter: string): Promise<ModuleTexts> {
  const lower = chapterNames().filter(name => name < chapter);
  const layers = lower.flatMap(name => layerFiles(name).map(file => `${name}/${file}`));
  const { outputFiles } = await build({
    entryPoints: {
      subject: "solve:subject",
      ...Object.fromEntries(
        layers.map(file => [`layers/${file.replace(/\.ts$/, "")}`, join(ROOT, "solutions", file)]),
      ),
    },
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    write: false,
    outdir: "/",
    chunkNames: "shared-[hash]",
    format: "esm",
    platform: "browser",
    target: "es2022",
    // Not the syntax: with it esbuild 0.28 inlines constants over the borders of its chunks, and loses some.
    minifyWhitespace: true,
    minifyIdentifiers: true,
    legalComments: "none",
    logLevel: "silent",
    plugins: [layerLeftOpen(chapter)],
  });
  return Object.fromEntries(outputFiles.map(({ path, text }) => [path.replace(/^\//, ""), text]));
}

function layerLeftOpen(chapter: string): Plugin {
  return {
    name: "layer-left-open",
    setup(bundler) {
      bundler.onResolve({ filter: /^solve:subject$/ }, () => ({ path: "subject", namespace: "solve" }));
      bundler.onLoad({ filter: /^subject$/, namespace: "solve" }, () => ({
        contents: `
          import { subject } from "./chapters/${chapter}/subject.ts";
          import { serveSubject } from "./.vitepress/solve/serve-subject.ts";
          serveSubject(subject);
        `,
        resolveDir: ROOT,
        loader: "ts",
      }));
      bundler.onResolve({ filter: /^#layers\// }, ({ path }) => {
        const file = path.slice("#layers/".length);
        return file.startsWith(`${chapter}/`)
          ? { path, external: true }
          : { path: join(ROOT, "solutions", file) };
      });
      // The files of the layer may also be imported by their neighbours' names.
      bundler.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) => {
        const file = resolve(resolveDir, path);
        const isOpen = file.startsWith(join(ROOT, "chapters", chapter)) && isLayerFile(chapter, file);
        return isOpen ? { path: `#layers/${chapter}/${basename(file)}`, external: true } : { path: file };
      });
    },
  };
}

function isLayerFile(chapter: string, path: string): boolean {
  return layerFiles(chapter).includes(basename(path));
}
