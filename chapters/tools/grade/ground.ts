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
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { Chapter } from "../chapter-manifest.ts";
import { chapterNames, layerFiles, ROOT } from "../chapters.ts";

const SOFT = join(ROOT, "sandbox/kvm/soft/soft.ts");

/** Files by their path in a box. */
export type BoxFiles = ReadonlyMap<string, string>;

export interface Ground {
  readonly chapter: string;
  readonly files: BoxFiles;
  /** Of all its text: what a cached grade depends on. */
  readonly digest: string;
}

const grounds = new Map<string, Promise<Ground>>();

/**
 * The ground of one chapter for a submission that imports these lower files, as "01-minimal-vm/bus.ts". Most
 * import what the reference does, and get a ground of few modules; the others get one with all.
 */
export function groundOf(chapter: Chapter, imports: readonly string[] = []): Promise<Ground> {
  const usual = importsOfReference(chapter.name);
  const isUsual = imports.every(file => usual.includes(file));
  const key = `${chapter.name} ${isUsual}`;
  const made = grounds.get(key) ?? makeGround(chapter.name, isUsual ? usual : lowerFiles(chapter.name));
  grounds.set(key, made);
  return made;
}

function importsOfReference(chapter: string): string[] {
  const texts = layerFiles(chapter).map(file => readFileSync(join(ROOT, "solutions", chapter, file), "utf8"));
  const imported = texts.flatMap(text => [...text.matchAll(/"#layers\/([^"]+)"/g)].map(([, file]) => file!));
  return lowerFiles(chapter).filter(file => imported.includes(file));
}

function lowerFiles(chapter: string): string[] {
  return lowerLayers(chapter).flatMap(layer => layerFiles(layer).map(file => `${layer}/${file}`));
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

async function makeGround(chapter: string, imports: readonly string[]): Promise<Ground> {
  const entries = imports.map(path => ({
    in: join(ROOT, "solutions", path),
    out: groundModule(dirname(path), basename(path)).replace(/\.mjs$/, ""),
  }));
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
      bundler.onResolve({ filter: /^\.\.?\/.*\.(ts|json)$/ }, ({ path, resolveDir, importer }) => {
        const found = resolve(resolveDir, path);
        const isLate = found === SOFT && /\/chapters\/[^/]+\/subject\.ts$/.test(importer);
        return isLate ? { path: found, namespace: "late" } : { path: found };
      });
      // Only a call that boots a guest needs the engine; most do not, and it is the larger half of the code.
      bundler.onLoad({ filter: /.*/, namespace: "late" }, ({ path }) => ({
        contents: `export const openSoft = (...args) => require(${JSON.stringify(path)}).openSoft(...args);`,
        loader: "js",
        resolveDir: dirname(path),
      }));
      bundler.onResolve({ filter: /^\//, namespace: "late" }, ({ path }) => ({ path }));
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
