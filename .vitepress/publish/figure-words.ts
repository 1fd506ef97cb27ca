/** What the figures of a built page show, in the words that their components compute for who cannot see them. */

/** The text alternatives by caption, both as plain text. Figures in figures count, too. */
export type FigureWords = ReadonlyMap<string, string>;

/** `html` is a page as VitePress rendered it. */
export function figureWords(html: string): FigureWords {
  const words = new Map<string, string>();
  const open: string[] = [];
  const PARTS =
    /<figure class="figure\b[^>]*?\saria-label="([^"]*)"|<figcaption[^>]*>([\s\S]*?)<\/figcaption>|<\/figure>/g;
  for (const [, label, caption] of html.matchAll(PARTS)) {
    if (label !== undefined) open.push(plainText(label));
    else if (caption === undefined) open.pop();
    else if (open.length > 0) words.set(plainText(caption), open.at(-1)!);
  }
  return words;
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', "#39": "'", lt: "<", gt: ">", amp: "&" };

/** Without tags, and with spaces that are no different from others. */
export function plainText(html: string): string {
  return html
    .replace(/<!--[\s\S]*?-->|<\/?[a-z][^>]*>/g, "")
    .replace(/&(quot|#39|lt|gt|amp);/g, (_, name: string) => ENTITIES[name]!)
    .replace(/\s+/g, " ")
    .trim();
}
