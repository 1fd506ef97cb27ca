/**
 * What the page needs to run a learner's layers: JavaScript modules, made when the site is built and linked in the
 * page (link.ts).
 *
 * The layers are apart from what is around them, file by file, so that each can be the reference's or the
 * learner's. As a layer imports nothing but layers, and all else is bundled, the modules never form a circle.
 */
import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { build, type Plugin, type TransformOptions, transform } from "esbuild";
import { chapterNames, layerFiles, ROOT } from "../../chapters/tools/chapters.ts";
import { moduleForBrowsers } from "../iced.ts";
import { layerModule, type ModuleTexts } from "./module-texts.ts";

const LOOK = {
  format: "esm",
  target: "es2022",
  platform: "browser",
  // Not the syntax: with it esbuild 0.28 inlines constants over the borders of its chunks, and loses some.
  minifyWhitespace: true,
  minifyIdentifiers: true,
  legalComments: "none",
  logLevel: "silent",
} as const satisfies TransformOptions;

/** Every file of every layer, as the reference has it. */
export async function layerModules(): Promise<ModuleTexts> {
  const files = chapterNames().flatMap(name => layerFiles(name).map(file => [name, file] as const));
  const modules = files.map(async ([name, file]) => {
    const text = readFileSync(join(ROOT, "solutions", name, file), "utf8");
    const { code } = await transform(text, { ...LOOK, loader: "ts" });
    return [layerModule(name, file), code] as const;
  });
  return Object.fromEntries(await Promise.all(modules));
}

/** What serves a chapter's subject to the graded tests, in any worker of a page. */
export function subjectModules(chapter: string): Promise<ModuleTexts> {
  return modulesAround(
    "subject",
    `import { subject } from "./chapters/${chapter}/subject.ts";
    import { serveSubject } from "./.vitepress/solve/serve-subject.ts";
    serveSubject(subject);`,
  );
}

/** The worker with the machine of any chapter. The addresses of its guests are left open, too. */
export function machineModules(): Promise<ModuleTexts> {
  return modulesAround(
    "machine",
    `import { serveMachine } from "./.vitepress/machine/serve-machine.ts";
    import { troubleOf } from "./.vitepress/solve/trouble.ts";
    serveMachine(troubleOf);`,
  );
}

async function modulesAround(name: string, entry: string): Promise<ModuleTexts> {
  const { outputFiles } = await build({
    ...LOOK,
    entryPoints: {
      [name]: "solve:entry",
      loops: join(ROOT, ".vitepress/solve/turn-of-loop.ts"),
      memory: join(ROOT, ".vitepress/solve/memory-budget.ts"),
    },
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    write: false,
    outdir: "/",
    chunkNames: "shared-[hash]",
    plugins: [layersLeftOpen(entry)],
  });
  return Object.fromEntries(outputFiles.map(({ path, text }) => [path.replace(/^\//, ""), text]));
}

function layersLeftOpen(entry: string): Plugin {
  return {
    name: "layers-left-open",
    setup(bundler) {
      bundler.onResolve({ filter: /^solve:entry$/ }, () => ({ path: "entry", namespace: "solve" }));
      bundler.onLoad({ filter: /^entry$/, namespace: "solve" }, () => ({
        contents: entry,
        resolveDir: ROOT,
        loader: "ts",
      }));
      bundler.onResolve({ filter: /^#layers\// }, ({ path }) => ({ path, external: true }));
      // What only the bundler of the site knows, the page writes.
      bundler.onResolve({ filter: /\/guest-images\.ts$/ }, () => ({ path: "site:images", external: true }));
      bundler.onResolve({ filter: /\.wasm\?url$/ }, () => ({ path: "site:iced", external: true }));
      // The files of a layer may also be imported by their neighbours' names.
      bundler.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) => {
        const file = resolve(resolveDir, path);
        const chapter = basename(dirname(file));
        return dirname(file) === join(ROOT, "chapters", chapter) && isLayerFile(chapter, file)
          ? { path: `#layers/${chapter}/${basename(file)}`, external: true }
          : { path: file };
      });
      bundler.onLoad({ filter: /[\\/]iced_x86\.js$/ }, ({ path }) => ({
        contents: moduleForBrowsers(readFileSync(path, "utf8")),
        loader: "js",
      }));
    },
  };
}

function isLayerFile(chapter: string, path: string): boolean {
  return chapterNames().includes(chapter) && layerFiles(chapter).includes(basename(path));
}
