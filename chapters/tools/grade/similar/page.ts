/**
 * The report as one page: pairs side by side, what is the same marked and numbered in both. It needs no
 * network and has no script, and a policy that allows none, whatever a submission has in it.
 */
import type { Block } from "./blocks.ts";
import type { Comparison, FileMatch, Pair, Print } from "./compare.ts";
import { escaped, STYLE } from "./page-style.ts";

/** Lines of given code that stay around what somebody wrote. */
const CONTEXT = 2;
const COLOURS = 6;

/** `title` names the class, `notes` are paragraphs above the pairs. */
export function reportPage(title: string, { pairs }: Comparison, notes: readonly string[]): string {
  const rows = pairs.map(
    ({ ids, share, files }, at) =>
      `<tr><td class="share">${percent(share)}</td><td><a href="#p${at}">${escaped(ids.join(" · "))}</a></td><td>${files
        .map(({ file, share: own }) => `${escaped(file)} ${percent(own)}`)
        .join("<br>")}</td></tr>`,
  );
  const table = `<table><thead><tr><th>alike</th><th>pair</th><th>files</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${notes.map(note => `<p>${escaped(note)}</p>`).join("\n")}
${pairs.length > 0 ? table : ""}
${pairs.map(pairSection).join("\n")}
</main>
</body>
</html>
`;
}

export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function pairSection({ ids, share, files }: Pair, at: number): string {
  const parts = files.map((match, file) => fileSection(ids, match, `p${at}f${file}`));
  return `<section id="p${at}">
<h2>${escaped(ids.join(" · "))} <span class="share">${percent(share)}</span></h2>
${parts.join("\n")}
</section>`;
}

function fileSection(ids: readonly [string, string], match: FileMatch, id: string): string {
  const { file, share, blocks, prints } = match;
  const tokens = blocks.reduce((sum, { length }) => sum + length, 0);
  const sides = ([0, 1] as const).map(side => {
    const label = `${file} of ${ids[side]}`;
    return `<div class="side"><h4>${escaped(ids[side])}</h4>
<pre tabindex="0" role="region" aria-label="${escaped(label)}">${sideLines(prints[side], blocks, side, id)}</pre></div>`;
  });
  return `<h3>${escaped(file)}: ${percent(share)}, ${blocks.length} same ${blocks.length === 1 ? "row" : "rows"} of ${tokens} tokens</h3>
<div class="pair">${sides.join("\n")}</div>`;
}

/** A piece of the text that is of one block. */
interface Mark {
  readonly start: number;
  readonly end: number;
  readonly block: number;
}

function sideLines(print: Print, blocks: readonly Block[], side: 0 | 1, id: string): string {
  const { text } = print.tokens;
  const marks = marksOf(print, blocks, side);
  const own = ownLines(print);
  const html: string[] = [];
  let start = 0;
  let left = 0;
  for (const [number, line] of text.split("\n").entries()) {
    const isNear = own.slice(Math.max(0, number - CONTEXT), number + CONTEXT + 1).some(Boolean);
    if (isNear) {
      if (left > 0) html.push(leftOut(left));
      left = 0;
      const content = markedLine(text, start, start + line.length, marks, side, id);
      html.push(own[number] ? content : `<span class="given">${content}</span>`);
    } else left++;
    start += line.length + 1;
  }
  if (left > 0) html.push(leftOut(left));
  return html.join("\n");
}

function leftOut(lines: number): string {
  return `<span class="left">⋯ ${lines} ${lines === 1 ? "line" : "lines"} given ⋯</span>`;
}

function marksOf({ tokens }: Print, blocks: readonly Block[], side: 0 | 1): Mark[] {
  return blocks
    .map((block, number) => {
      const first = side === 0 ? block.a : block.b;
      return { start: tokens.starts[first]!, end: tokens.ends[first + block.length - 1]!, block: number };
    })
    .sort((x, y) => x.start - y.start);
}

/** For each line, whether its author wrote a token of it. */
function ownLines({ tokens, runs }: Print): boolean[] {
  const lines: boolean[] = new Array(tokens.text.split("\n").length).fill(false);
  let line = 0;
  let at = 0;
  for (const { start, end } of runs) {
    for (let token = start; token < end; token++) {
      for (; at < tokens.starts[token]!; at++) if (tokens.text.charCodeAt(at) === 10) line++;
      lines[line] = true;
    }
  }
  return lines;
}

function markedLine(
  text: string,
  start: number,
  end: number,
  marks: readonly Mark[],
  side: 0 | 1,
  id: string,
): string {
  let html = "";
  let at = start;
  for (const mark of marks) {
    if (mark.end <= start || mark.start >= end) continue;
    const from = Math.max(mark.start, at);
    const to = Math.min(mark.end, end);
    html += escaped(text.slice(at, from));
    if (mark.start >= start) html += numberLink(mark.block, side, id);
    html += `<mark class="c${mark.block % COLOURS}">${escaped(text.slice(from, to))}</mark>`;
    at = to;
  }
  return html + escaped(text.slice(at, end));
}

/** Leads to the same row on the other side. */
function numberLink(block: number, side: 0 | 1, id: string): string {
  const [here, there] = side === 0 ? ["a", "b"] : ["b", "a"];
  return `<a class="n" id="${id}${here}${block}" href="#${id}${there}${block}">${block + 1}</a>`;
}
