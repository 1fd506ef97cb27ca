/**
 * The book's pages in Chromium as a reader meets them for the first time, from a server that compresses: how much
 * script and other bytes come before anything is touched, when the largest piece of text stands there, and by how
 * much the layout shifts.
 */
import { chromium } from "playwright-core";
import { buildSite, markdownPages } from "../../.vitepress/checks/built-site.ts";
import { type PageWeight, visit } from "../../.vitepress/checks/page-weight.ts";
import { serveSite } from "../../.vitepress/checks/serve.ts";
import { pathOf } from "../../.vitepress/publish/address.ts";
import { requires } from "../../chapters/tools/requires.ts";
import { type BenchResult, CannotMeasure, type Row, thisMachine } from "./result.ts";

export const description =
  "the book's pages in Chromium: bytes of script, largest contentful paint, layout shift";

const ROUNDS = 3;

export async function run(rounds = ROUNDS): Promise<BenchResult> {
  const browser = requires("chromium");
  if (!browser.available) throw new CannotMeasure(browser.reason);
  await buildSite();
  const server = await serveSite();
  const chrome = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const rows: Row[] = [];
  try {
    for (const page of markdownPages()) {
      const visits: PageWeight[] = [];
      for (let round = 0; round < rounds; round++)
        visits.push(await visit(chrome, server.url + pathOf(page)));
      rows.push(
        row(
          `${page}: script`,
          "bytes",
          visits.map(({ script }) => script),
        ),
        row(
          `${page}: all`,
          "bytes",
          visits.map(({ all }) => all),
        ),
        row(
          `${page}: largest contentful paint`,
          "ms",
          visits.map(({ largestPaint }) => largestPaint),
        ),
        row(
          `${page}: layout shift`,
          "of the window",
          visits.map(({ layoutShift }) => layoutShift),
        ),
      );
    }
  } finally {
    await chrome.close();
    await server.close();
  }
  return { bench: "site", machine: thisMachine(), rows, notes: [] };
}

function row(name: string, unit: string, samples: readonly number[]): Row {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1) + 0.5)]!;
  const ours = at(0.5);
  return { name, unit, ours, peers: {}, spread: { ours: ours && (at(0.75) - at(0.25)) / ours }, ratio: {} };
}
