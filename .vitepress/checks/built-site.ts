/** The site as it is built: for the tests that look at every page, link and figure of it. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { buildOnce } from "./one-build.ts";

export const ROOT = join(import.meta.dirname, "../..");
export const SITE = join(ROOT, "node_modules/.cache/vmexit/site");

/** Not the root, so that a link that forgets the base is a broken link. */
export const BASE = "/books/vmexit/";
export const REPOSITORY = "https://example.org/vmexit";

/** Where the tests pretend that it stands. */
export const SITE_URL = "https://books.example.org";
/** Milliseconds that a test file may wait for the build, which another one may have begun. */
export const BUILD_TIMEOUT = 300_000;

const SOURCES = [
  ...[".vitepress", "docs", "chapters", "solutions", "sandbox"],
  ...["package.json", "package-lock.json"],
].map(name => join(ROOT, name));

/** Builds the site unless it is there; rejects with VitePress's own message if it does not build. */
export function buildSite(): Promise<void> {
  return buildOnce(SITE, SOURCES, runVitePress);
}

async function runVitePress(): Promise<void> {
  await promisify(execFile)(
    process.execPath,
    [join(ROOT, "node_modules/vitepress/bin/vitepress.js"), "build", ROOT, "--outDir", SITE],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        VMEXIT_BASE: BASE,
        VMEXIT_REPOSITORY: REPOSITORY,
        VMEXIT_SITE_URL: SITE_URL,
        NODE_ENV: "production",
      },
    },
  );
}

/** Paths of the book's markdown pages, relative to docs/, e.g. "chapters/01-minimal-vm.md". */
export function markdownPages(): string[] {
  return readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .map(path => path.replaceAll("\\", "/"))
    .filter(path => path.endsWith(".md") && !path.startsWith("outputs/"))
    .sort();
}

export function markdownOf(page: string): string {
  return readFileSync(join(ROOT, "docs", page), "utf8");
}

/** The built page of a markdown page. */
export function htmlOf(page: string): string {
  return readFileSync(join(SITE, page.replace(/\.md$/, ".html")), "utf8");
}

/** A page's text without tags, with entities resolved as far as this book uses them. */
export function textOf(html: string): string {
  return html
    .replace(/<script[\s\S]*?<\/script>/g, "")
    .replace(/<[^>]+>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

export interface BrokenLink {
  readonly page: string;
  readonly target: string;
  readonly problem: string;
}

/** Every link, image, script and style of every page that leads to no file or no anchor of the site. */
export function brokenLinks(): BrokenLink[] {
  const broken: BrokenLink[] = [];
  const anchors = new Map<string, Set<string>>();
  const anchorsOf = (file: string) => {
    let ids = anchors.get(file);
    if (!ids) {
      const html = readFileSync(join(SITE, file), "utf8");
      anchors.set(file, (ids = new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(match => match[1]!))));
    }
    return ids;
  };
  for (const page of [...markdownPages().map(name => name.replace(/\.md$/, ".html")), "404.html"]) {
    const html = readFileSync(join(SITE, page), "utf8");
    for (const [, raw] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
      const target = raw!.replaceAll("&amp;", "&");
      if (/^(https:|mailto:|data:)/.test(target)) continue;
      const problem = problemOf(target, page, anchorsOf);
      if (problem) broken.push({ page, target, problem });
    }
  }
  return broken;
}

function problemOf(
  target: string,
  page: string,
  anchorsOf: (file: string) => Set<string>,
): string | undefined {
  const [path = "", hash] = target.split("#");
  if (/^[a-z]+:/.test(path)) return "is no https link";
  let file = page;
  if (path.startsWith("/")) {
    if (!path.startsWith(BASE)) return `is outside of ${BASE}`;
    file = path.slice(BASE.length);
  } else if (path) {
    file = posix.join(posix.dirname(page), path);
  }
  if (file === "" || file.endsWith("/")) file += "index.html";
  if (!existsSync(join(SITE, file))) return "leads to no file";
  if (hash && file.endsWith(".html") && !anchorsOf(file).has(decodeURIComponent(hash)))
    return "leads to no anchor";
  return undefined;
}
