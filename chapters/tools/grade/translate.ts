/**
 * From a submission's TypeScript to the modules of its box.
 *
 * The bundler is given texts and never a path of the submission, so it reads nothing but them: no package,
 * no configuration, no source map. What a file imports is either a file of its own layer, a lower layer
 * of the ground, or absent: an absent module can be imported, and throws when something of it is used.
 * `import(…)` is translated to a call that does not exist in a box.
 */
import { basename } from "node:path";
import { build, type Message, type Plugin } from "esbuild";
import { layerFiles } from "../chapters.ts";
import { groundModule, lowerLayers } from "./ground.ts";

/** A submission's layer files of one chapter by name, e.g. "pit.ts". */
export type LayerFiles = ReadonlyMap<string, string>;

export interface Translation {
  /** JavaScript by path in the box, e.g. "05-pit/mine/pit.mjs". */
  readonly modules: ReadonlyMap<string, string>;
  /** Source maps by the same paths, for the places of errors. */
  readonly maps: ReadonlyMap<string, string>;
  /** The files of lower layers that are imported, e.g. "01-minimal-vm/bus.ts". */
  readonly imports: readonly string[];
}

/** A file that is no TypeScript. The message names the place. */
export class TranslationError extends Error {
  override readonly name = "TranslationError";
}

const MILLISECONDS = 20_000;

/** `isOpen` leaves it every import: only to show that the walls behind this one hold. */
export async function translate(chapter: string, files: LayerFiles, isOpen = false): Promise<Translation> {
  const imports = new Set<string>();
  const work = build({
    entryPoints: [...files.keys()].map(file => ({ in: `mine:${file}`, out: basename(file, ".ts") })),
    bundle: true,
    write: false,
    outdir: "/mine",
    outExtension: { ".js": ".mjs" },
    format: "esm",
    platform: "neutral",
    target: "node20",
    supported: { "dynamic-import": isOpen },
    tsconfigRaw: {},
    sourcemap: "external",
    sourcesContent: false,
    legalComments: "none",
    logLevel: "silent",
    plugins: [onlyWhatIsGiven(chapter, files, imports, isOpen)],
  });
  const result = await withinTime(work).catch((error: unknown) => {
    throw new TranslationError(problemOf(chapter, error));
  });
  const modules = new Map<string, string>();
  const maps = new Map<string, string>();
  for (const { path, text } of result.outputFiles) {
    const name = `${chapter}/mine/${basename(path, ".map")}`;
    (path.endsWith(".map") ? maps : modules).set(name, text);
  }
  return { modules, maps, imports: [...imports].sort() };
}

async function withinTime<Value>(work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("translating it takes too long")), MILLISECONDS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function problemOf(chapter: string, error: unknown): string {
  const [first] = (error as { errors?: Message[] }).errors ?? [];
  if (!first?.location) return error instanceof Error ? error.message.split("\n")[0]! : String(error);
  const { file, line, column } = first.location;
  return `${chapter}/${file.replace(/^mine:/, "")}:${line}:${column + 1}: ${first.text}`;
}

function onlyWhatIsGiven(chapter: string, files: LayerFiles, imports: Set<string>, isOpen: boolean): Plugin {
  const lower = new Set(lowerLayers(chapter));
  const own = new Set(layerFiles(chapter));
  return {
    name: "only-what-is-given",
    setup(bundler) {
      bundler.onResolve({ filter: /.*/ }, ({ path, kind }) => {
        if (kind === "entry-point") return { path: path.slice("mine:".length), namespace: "mine" };
        const [, layer = chapter, file = ""] =
          /^#layers\/([^/]+)\/([a-z0-9-]+\.ts)$/.exec(path) ?? /^\.()\/([a-z0-9-]+\.ts)$/.exec(path) ?? [];
        const where = layer || chapter;
        if (where === chapter && own.has(file)) {
          return { path: `./${basename(file, ".ts")}.mjs`, external: true };
        }
        if (lower.has(where) && layerFiles(where).includes(file)) {
          imports.add(`${where}/${file}`);
          return { path: `../ground/${groundModule(where, file)}`, external: true };
        }
        return isOpen ? { path, external: true } : { path, namespace: "absent" };
      });
      bundler.onLoad({ filter: /.*/, namespace: "mine" }, ({ path }) => ({
        contents: files.get(path) ?? "",
        loader: "ts",
      }));
      bundler.onLoad({ filter: /.*/, namespace: "absent" }, ({ path }) => ({
        contents: absentModule(path),
        loader: "js",
      }));
    },
  };
}

/** Every name that is imported of it throws when it is read. */
function absentModule(name: string): string {
  const message = JSON.stringify(`a box has no module “${name}”: a layer imports layers and nothing else`);
  return `module.exports = Object.create(new Proxy({}, {
    get(_target, key) { if (key === "then" || key === "__esModule") return; throw new Error(${message}); },
  }));`;
}
