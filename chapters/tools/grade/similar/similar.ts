/**
 * `npm run grade similar FOLDER`: reads a class as the grader does, compares all with all and with the
 * reference, and writes similar.html and similar.json.
 */
import { basename, join, resolve } from "node:path";
import type { Chapter } from "../../chapter-manifest.ts";
import { readSource, type Source } from "../class-folder.ts";
import { ownSubmission } from "../submission.ts";
import { writeWhole } from "../write-file.ts";
import { type Comparison, compare, LEAST_SHARE, type Pair } from "./compare.ts";
import { GRAM, WINDOW } from "./fingerprints.ts";
import { givenHashes } from "./given.ts";
import { percent, reportPage } from "./page.ts";
import type { Tokens } from "./tokens.ts";

/** No id of a submission has parentheses. */
const REFERENCE = "(reference)";
/** More are in the files. */
const SHOWN_PAIRS = 20;

export interface SimilarWish {
  readonly folder: string;
  readonly out: string | undefined;
  /** A share from 0 to 1. */
  readonly least: number | undefined;
}

/** Returns the lines to print. */
export async function similar(
  chapters: readonly Chapter[],
  sources: readonly Source[],
  { folder, out, least = LEAST_SHARE }: SimilarWish,
): Promise<string[]> {
  const all = await Promise.all(sources.map(source => readSource(source, chapters)));
  const read = all.filter(({ problem, files }) => problem === "" && files.size > 0);
  const reference = { ...ownSubmission(chapters, "solutions"), id: REFERENCE };
  const comparison = compare(read, [reference], givenHashes(chapters), least);
  const unread = all
    .filter(submission => !read.includes(submission))
    .map(({ id, problem }) => ({ id, problem: problem || "it has no file of these chapters" }));
  const target = resolve(out ?? `${folder}-similar`);
  const notes = notesOf(read.length, unread.length, comparison, least);
  writeWhole(join(target, "similar.html"), reportPage(`Similar in ${basename(folder)}`, comparison, notes));
  writeWhole(join(target, "similar.json"), json(chapters, read.length, unread, comparison, least));
  return [
    ...table(comparison.pairs),
    ...notes,
    ...unread.map(({ id, problem }) => `not compared: ${id}: ${problem}`),
    `side by side in ${join(target, "similar.html")}`,
  ];
}

function table(pairs: readonly Pair[]): string[] {
  if (pairs.length === 0) return [];
  const shown = pairs.slice(0, SHOWN_PAIRS);
  const widths = [0, 1].map(side => Math.max(...shown.map(({ ids }) => ids[side]!.length)));
  const rows = shown.map(({ ids, share, files }) => {
    const names = ids.map((id, side) => id.padEnd(widths[side]!)).join("  ");
    const where = files.map(match => `${match.file} ${percent(match.share)}`).join(", ");
    return `${percent(share).padStart(5)}  ${names}  ${where}`;
  });
  return pairs.length > shown.length
    ? [...rows, `and ${pairs.length - shown.length} more`, ""]
    : [...rows, ""];
}

function notesOf(
  read: number,
  unread: number,
  { pairs, found, common }: Comparison,
  least: number,
): string[] {
  const left = [...common].map(([file, count]) => `${count} of ${file}`).join(", ");
  return [
    `${read} submissions compared${unread > 0 ? `, ${unread} not` : ""}; ${found === 1 ? "1 pair shares" : `${found} pairs share`} at least ${percent(least)} of what was written in a file${found > pairs.length ? `, and the first ${pairs.length} are shown` : ""}`,
    ...(left ? [`more than half of the class have these fingerprints, so they do not count: ${left}`] : []),
    "likeness is a reason to look and to ask, and no proof",
  ];
}

function json(
  chapters: readonly Chapter[],
  submissions: number,
  notCompared: readonly { id: string; problem: string }[],
  { pairs, found, common }: Comparison,
  least: number,
): string {
  const document = {
    schema: "vmexit/similar/v1",
    chapters: chapters.map(({ name }) => name),
    submissions,
    notCompared,
    method: { name: "winnowing", gram: GRAM, window: WINDOW, least },
    common: Object.fromEntries(common),
    found,
    pairs: pairs.map(({ ids, share, files }) => ({
      ids,
      share: rounded(share),
      files: files.map(match => ({
        file: match.file,
        share: rounded(match.share),
        fingerprints: match.shared,
        rows: match.blocks.map(({ a, b, length }) => ({
          tokens: length,
          lines: [lines(match.prints[0].tokens, a, length), lines(match.prints[1].tokens, b, length)],
        })),
      })),
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The first and the last line of some tokens, counted from 1. */
function lines({ text, starts, ends }: Tokens, first: number, length: number): [number, number] {
  const lineAt = (position: number) => text.slice(0, position).split("\n").length;
  return [lineAt(starts[first]!), lineAt(ends[first + length - 1]!)];
}

function rounded(share: number): number {
  return Math.round(share * 1000) / 1000;
}
