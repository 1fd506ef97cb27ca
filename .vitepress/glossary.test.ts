import { describe, expect, it } from "vitest";
import { markdownOf } from "./checks/built-site.ts";
import { chapterPages } from "./content/chapter-pages.ts";

const glossary = markdownOf("glossary.md");
const entries = [...glossary.matchAll(/<dt id="([^"]+)">(.*?)<\/dt>\n<dd>([\s\S]*?)<\/dd>/g)].map(
  ([, id, term, meaning]) => ({ id: id!, term: term!, meaning: meaning! }),
);

/** Letters and figures only, without the ending of a plural. */
const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/<[^>]*>/g, "")
    .replaceAll("’", "'")
    .replace(/[-–]/g, " ");

/** What a page defines: bold inside a sentence. At the start of a line bold is a heading of its paragraph. */
function termsOf(page: string): string[] {
  return [...markdownOf(page).matchAll(/^(?![-*|]|\d+\.).*$/gm)].flatMap(([line]) =>
    [...line.matchAll(/(?<=.)\*\*([^*]+)\*\*/g)].map(([, term]) => term!),
  );
}

describe("the glossary", () => {
  it("has each term once, in the order of the alphabet", () => {
    const key = (term: string) => plain(term).replace(/[^a-z0-9 ]/g, "");
    const terms = entries.map(({ term }) => key(term));
    expect(terms).toEqual([...new Set(terms)].sort((a, b) => (a < b ? -1 : 1)));
    expect(entries.length).toBe(glossary.match(/<dt/g)!.length);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  });

  const words = plain(entries.map(({ term, meaning }) => `${term} ${meaning}`).join("\n"));

  it.each(["what-is-a-virtual-machine.md", ...chapterPages().map(({ link }) => `${link.slice(1)}.md`)])(
    "has every term that %s defines",
    page => {
      const terms = termsOf(page);
      expect(terms.length).toBeGreaterThan(3);
      expect(terms.filter(term => !words.includes(plain(term).replace(/s$/, "")))).toEqual([]);
    },
  );
});
