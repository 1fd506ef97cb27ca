/** What is written beside the pages once they are built. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { precacheOf, serviceWorker } from "../offline/precache.ts";
import { cardOf, type SiteAddress } from "./address.ts";
import { figureWords } from "./figure-words.ts";
import { llmsIndex, plainMarkdown, type Section } from "./llms.ts";
import { socialCard } from "./social-card.ts";

export interface Publication {
  /** The folder of the built site. */
  readonly out: string;
  readonly address: SiteAddress;
  readonly summary: string;
  /** Every page, in reading order. */
  readonly sections: readonly Section[];
}

export async function publish({ out, address, summary, sections }: Publication): Promise<void> {
  const pages = sections.flatMap(section => section.pages);
  const texts = pages.map(({ file }) => {
    const html = readFileSync(join(out, file.replace(/\.md$/, ".html")), "utf8");
    return { file, text: plainMarkdown(file, figureWords(html)) };
  });
  for (const { file, text } of texts) write(out, file, text);
  write(out, "llms.txt", llmsIndex(summary, sections, address.url ?? address.base));
  write(out, "llms-full.txt", texts.map(({ text }) => text).join("\n"));

  if (address.url) {
    const chapters = pages.filter(({ file }) => file.startsWith("chapters/"));
    for (const page of pages) {
      const at = chapters.indexOf(page);
      const chapter = at < 0 ? {} : { chapter: { number: at + 1, of: chapters.length } };
      write(
        out,
        cardOf(page.file),
        socialCard({ ...page, title: page.title.replace(/^\d+ · /, ""), ...chapter }),
      );
    }
    // Robots look for it at the root of a host only.
    if (address.base === "/")
      write(out, "robots.txt", `User-agent: *\nAllow: /\nSitemap: ${address.url}sitemap.xml\n`);
  } else {
    console.log(
      "VMEXIT_SITE_URL is not set: the pages have no canonical links and no social cards, and there is no sitemap.",
    );
  }
  write(out, "sw.js", await serviceWorker(precacheOf(out)));
}

function write(out: string, file: string, content: string | Uint8Array): void {
  const path = join(out, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
