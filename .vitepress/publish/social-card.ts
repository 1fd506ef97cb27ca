/**
 * The picture that is shown with a link to a page: drawn as SVG, made a PNG by resvg with fonts of its own, so
 * that it is the same picture whatever the system has installed.
 */
import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";

export const CARD = { width: 1200, height: 630 } as const;

const MARGIN = 84;
const INK = "#e2dfd8";
const FAINT = "#a8a49b";
const GUEST = "#f2ab62";
const MONITOR = "#62d2c8";

const require = createRequire(import.meta.url);
const FONTS = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono-Bold.ttf"].map(file =>
  require.resolve(`dejavu-fonts-ttf/ttf/${file}`),
);

export interface CardText {
  readonly title: string;
  readonly description: string;
  /** The page's place among the chapters, counted from 1. */
  readonly chapter?: { readonly number: number; readonly of: number };
}

export function socialCard(text: CardText): Buffer {
  return render(cardSvg(text)).asPng();
}

function render(svg: string) {
  return new Resvg(svg, {
    font: { fontFiles: FONTS, loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" },
  }).render();
}

interface Style {
  readonly size: number;
  readonly bold?: boolean;
}

/** Exported for the test that no line runs over the edge. */
export function cardSvg({ title, description, chapter }: CardText): string {
  const heading: Style = { size: 76, bold: true };
  const small: Style = { size: 32 };
  const titleLines = wrap(title, heading, 2);
  const descriptionLines = wrap(description, small, 3);
  const top = 250;
  const below = top + titleLines.length * 92 + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${CARD.width}" height="${CARD.height}" font-family="DejaVu Sans">
  <rect width="100%" height="100%" fill="#14161a"/>
  <g transform="translate(${MARGIN - 8} 68) scale(2.4)" fill="none" stroke-width="4" stroke-linecap="round">
    <path stroke="${GUEST}" d="M16 5a11 11 0 0 1 7.8 18.8"/>
    <path stroke="${MONITOR}" d="M16 27A11 11 0 0 1 8.2 8.2"/>
    <circle cx="22" cy="25.5" r="3" fill="${MONITOR}"/>
  </g>
  <text x="${MARGIN + 84}" y="124" font-size="44" font-weight="bold" font-family="DejaVu Sans Mono" fill="${INK}">vmexit</text>
  ${chapter ? progress(chapter) : ""}
  ${lines(titleLines, heading, top, 92, INK)}
  ${lines(descriptionLines, small, below, 46, FAINT)}
</svg>`;
}

/** One square a chapter, those up to this one lit. */
function progress({ number, of }: { number: number; of: number }): string {
  const squares = Array.from({ length: of }, (_, index) => {
    const x = CARD.width - MARGIN - (of - index) * 34;
    const colour = index + 1 === number ? GUEST : index + 1 < number ? MONITOR : "#3d424b";
    return `<rect x="${x}" y="98" width="24" height="24" rx="5" fill="${colour}"/>`;
  });
  return squares.join("");
}

function lines(texts: readonly string[], style: Style, top: number, step: number, fill: string): string {
  return texts
    .map(
      (text, index) =>
        `<text x="${MARGIN}" y="${top + index * step}" font-size="${style.size}" font-weight="${style.bold ? "bold" : "normal"}" fill="${fill}">${escaped(text)}</text>`,
    )
    .join("\n  ");
}

/** Breaks a text into at most `most` lines that fit between the margins; what is left over ends in "…". */
function wrap(text: string, style: Style, most: number): string[] {
  const room = CARD.width - 2 * MARGIN;
  const broken: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (!line || widthOf(longer, style) <= room) {
      line = longer;
      continue;
    }
    if (broken.length === most - 1) {
      let cut = line;
      while (widthOf(`${cut}…`, style) > room) cut = cut.slice(0, cut.lastIndexOf(" "));
      return [...broken, `${cut.replace(/[,;:.]$/, "")}…`];
    }
    broken.push(line);
    line = word;
  }
  return [...broken, line];
}

function widthOf(text: string, { size, bold }: Style): number {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><text y="${size}" font-family="DejaVu Sans" font-size="${size}" font-weight="${bold ? "bold" : "normal"}">${escaped(text)}</text></svg>`;
  const box = new Resvg(svg, { font: { fontFiles: FONTS, loadSystemFonts: false } }).getBBox();
  return box?.width ?? 0;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
