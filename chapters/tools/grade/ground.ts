/**
 * The ground that a submission stands on: a chapter's subject and all that it needs, bundled once without
 * the layer files of the chapter itself. Those are looked for beside it, in `mine/`, where each submission
 * puts its own. So a submission costs the translation of its few files and no more.
 *
 *     05-pit/ground/subject.mjs             the subject, the machine, the soft engine, other layers
 *     05-pit/ground/01-minimal-vm.bus.mjs   what the submission's files may import
 *     05-pit/mine/pit.mjs                   the submission's
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { Chapter } from "../chapter-manifest.ts";
import { chapterNames, layerFiles, ROOT } from "../chapters.ts";

/** Files by their path in a box. */
export type BoxFiles = ReadonlyMap<string, string>;

export interface Ground {
  readonly chapter: string;
  readonly files: BoxFiles;
  /** Of all its text: what a cached grade depends on. */
  readonly digest: string;
}

const grounds = new Map<string, Promise<Ground>>();

/** The ground of one chapter; made once. */
export function groundOf(chapter: Chapter): Promise<Ground> {
  const made = grounds.get(chapter.name) ?? makeGround(chapter.name);
  grounds.set(chapter.name, made);
  return made;
}

/** The module of a box by which a layer file of a lower chapter is imported. */
export function groundModule(layer: string, file: string): string {
  return `${layer}.${basename(file, ".ts")}.mjs`;
}

/** Layers that a chapter's own layer may import: those with a smaller number. */
export function lowerLayers(chapter: string): string[] {
  return layerNames().filter(layer => layer < chapter);
}

function layerNames(): string[] {
  return chapterNames();
}

async function makeGround(chapter: string): Promise<Ground> {
  const entries = lowerLayers(chapter).flatMap(layer =>
    layerFiles(layer).map(file => ({
      in: join(ROOT, "solutions", layer, file),
      out: groundModule(layer, file).replace(/\.mjs$/, ""),
    })),
  );
  const result = await build({
    entryPoints: [{ in: join(ROOT, "chapters", chapter, "subject.ts"), out: "subject" }, ...entries],
    bundle: true,
    splitting: true,
    write: false,
    outdir: "/ground",
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunk-[hash]",
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "silent",
    plugins: [ownLayerApart(chapter)],
  });
  const files = new Map(
    result.outputFiles.map(({ path, text }) => [`${chapter}/ground/${basename(path)}`, text] as const),
  );
  return { chapter, files, digest: digestOf(files) };
}

/** Digest of files by name and text. */
export function digestOf(files: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256");
  for (const [path, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${path}\0${Buffer.byteLength(text)}\0`).update(text);
  }
  return hash.digest("hex");
}

function ownLayerApart(chapter: string): Plugin {
  return {
    name: "own-layer-apart",
    setup(bundler) {
      bundler.onResolve({ filter: /^#layers\// }, ({ path }) => {
        const file = path.slice("#layers/".length);
        if (!file.startsWith(`${chapter}/`)) return { path: join(ROOT, "solutions", file) };
        return { path: `../mine/${basename(file, ".ts")}.mjs`, external: true };
      });
      bundler.onResolve({ filter: /^\.\.?\/.*\.(ts|json)$/ }, ({ path, resolveDir }) => ({
        path: resolve(resolveDir, path),
      }));
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: readFileSync(path, "utf8").replaceAll(
          "import.meta.url",
          JSON.stringify(pathToFileURL(path).href),
        ),
        loader: "ts",
      }));
    },
  };
}
