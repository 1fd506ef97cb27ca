/** What the service worker keeps: every file of the built site that a page may ask for, by its content. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { build } from "esbuild";

export interface Precache {
  /** Changes when any file does. */
  readonly version: string;
  /** Path inside the site → hash of the content. */
  readonly files: Readonly<Record<string, string>>;
}

/** Programs that read, and pictures for other sites, have no use for a copy in the reader's browser. */
const LEFT_OUT = /^(?:social\/|linux\/|sw\.js$|sitemap\.xml$|hashmap\.json$|.*\.(?:md|txt|map)$)/;

const hash = (content: string | Buffer) =>
  createHash("sha256").update(content).digest("base64url").slice(0, 16);

export function precacheOf(site: string): Precache {
  const files: Record<string, string> = {};
  const entries = readdirSync(site, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(site.length + 1));
  for (const path of paths.map(name => name.split(sep).join("/")).sort()) {
    if (!LEFT_OUT.test(path)) files[path] = hash(readFileSync(join(site, path)));
  }
  return { version: hash(JSON.stringify(files)), files };
}

/** The service worker as one script. */
export async function serviceWorker(precache: Precache): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "service-worker.ts")],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    target: "es2022",
    define: { PRECACHE: JSON.stringify(precache) },
  });
  return outputFiles[0]!.text;
}
