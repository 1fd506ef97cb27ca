/**
 * The book as plain Markdown, for readers that are programs: `llms.txt` lists the pages, each page stands
 * beside its HTML as `.md`, and `llms-full.txt` has them all. Imported code and outputs are written out;
 * figures become their captions and what they show in words.
 *
 * Source: llmstxt.org.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { partOf } from "../markdown/regions.ts";
import type { FigureWords } from "./figure-words.ts";
import type { PageFacts } from "./head.ts";
import { inWords } from "./in-words.ts";

const DOCS = join(import.meta.dirname, "../../docs");

export interface Section {
  readonly title: string;
  readonly pages: readonly PageFacts[];
}

/** `prefix` stands before each link: the site's address, or its base where that is not known. */
export function llmsIndex(summary: string, sections: readonly Section[], prefix: string): string {
  const list = sections.map(({ title, pages }) => {
    const lines = pages.map(page => `- [${page.title}](${prefix}${page.file}): ${page.description}`);
    return `## ${title}\n\n${lines.join("\n")}`;
  });
  return `# vmexit\n\n> ${summary}\n\n${list.join("\n\n")}\n\n## All in one\n\n- [The whole book](${prefix}llms-full.txt)\n`;
}

/** A page as Markdown that stands for itself. `file` is relative to docs/; `figures` are those of the page once built. */
export function plainMarkdown(file: string, figures?: FigureWords): string {
  const source = readFileSync(join(DOCS, file), "utf8");
  return source
    .replace(/^---\n[\s\S]*?\n---\n/, "")
    .replace(/<script[\s\S]*?<\/script>\n?/g, "")
    .replace(/^<<< @\/(\S+?)(?:#([\w-]+))?(?:\{([^}]*)\})?$/gm, (_, path: string, region, notes) =>
      importedBlock(path, region, notes),
    )
    .replace(/<Predict\s+question="([^"]*)">/g, (_, question: string) => `**Predict:** ${question}`)
    .replace(/<summary>([\s\S]*?)<\/summary>/g, "**$1**")
    .replace(/<([A-Z]\w*)((?:"[^"]*"|'[^']*'|[^>"'])*)\/>/g, (_, name: string, attributes: string) =>
      inWords(name, attributes, figures),
    )
    .replace(/<\/?(?:details|Predict|div)(?:\s[^>]*)?>\n?/g, "")
    .replace(/<dl[\s\S]*?<\/dl>/g, definitionsInWords)
    .replace(/\n{3,}/g, "\n\n")
    .trim()
    .concat("\n");
}

/** A list of terms, as Markdown has none: a paragraph each. */
function definitionsInWords(list: string): string {
  return list
    .replace(/<dt[^>]*>([\s\S]*?)<\/dt>\s*<dd>([\s\S]*?)<\/dd>/g, "**$1**: $2")
    .replace(/<a href="([^"]*)">([\s\S]*?)<\/a>/g, "[$2]($1)")
    .replace(/<\/?code>/g, "`")
    .replace(/<\/?dl[^>]*>/g, "");
}

/** `notes` is what stands in braces behind the path: the language if it is not the file's, and lines to mark. */
function importedBlock(path: string, region: string | undefined, notes = ""): string {
  const file = join(DOCS, path);
  const name = path.replace(/^(\.\.\/)+/, "");
  if (path.endsWith(".bin")) return `*(${name}: ${readFileSync(file).length} bytes)*`;
  const text = partOf(readFileSync(file, "utf8"), region, name).trimEnd();
  const language = notes.split(" ").find(note => /^[a-z]/.test(note));
  const kind = language ?? path.slice(path.lastIndexOf(".") + 1);
  const title = name.startsWith("outputs/") ? "" : `\`${name}\`:\n\n`;
  return `${title}\`\`\`${kind}\n${text}\n\`\`\``;
}
