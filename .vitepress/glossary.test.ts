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

/** What stands under a heading that has this anchor, with the heading and the rows of its figures. */
function sectionOf(page: string, anchor: string): string | undefined {
  const whole = markdownOf(page);
  const section = whole.split(/^(?=#{1,3} )/m).find(part => {
    const [, heading] = /^#{1,3} (.*)$/m.exec(part) ?? [];
    return (
      heading !== undefined &&
      plain(heading)
        .match(/[a-z0-9]+/g)
        ?.join("-") === anchor
    );
  });
  const rows = [...(section ?? "").matchAll(/:fields="(\w+)"/g)].map(
    ([, name]) => new RegExp(`^const ${name} = \\[[\\s\\S]*?^\\];`, "m").exec(whole)?.[0] ?? "",
  );
  return section && [section, ...rows].join("\n");
}

/** Whether a text has any word of a term, in any of its forms. */
function speaksOf(text: string, term: string): boolean {
  const words = plain(term).match(/[a-z0-9]{2,}/g) ?? [];
  const stems = words.filter(word => !SMALL_WORDS.has(word)).map(word => word.replace(/(?:s|ion)$/, ""));
  return stems.some(stem => new RegExp(`\\b${stem}`, "i").test(text));
}

const SMALL_WORDS: ReadonlySet<string> = new Set(["and", "of", "in", "the"]);

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

  it("points to where a term is spoken of", () => {
    const links = entries.flatMap(({ term, meaning }) =>
      [...meaning.matchAll(/href="\.\/([^"#]+)\.html#([^"]+)"/g)].map(([, page, anchor]) => ({
        term,
        page: page!,
        anchor: anchor!,
      })),
    );
    expect(links.length).toBeGreaterThan(80);
    const wrong = links.filter(
      ({ term, page, anchor }) => !speaksOf(sectionOf(`${page}.md`, anchor) ?? "", term),
    );
    expect(wrong).toEqual([]);
  });
});
