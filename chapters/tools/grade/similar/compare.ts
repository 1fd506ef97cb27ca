/**
 * Which submissions are like each other: every file is compared with the same file of all others, by the
 * fingerprints of what its author wrote. Pure, and the same for the same submissions.
 */
import type { Submission } from "../submission.ts";
import { type Block, blocksOf } from "./blocks.ts";
import { type Fingerprints, ownRuns, type Run, winnow } from "./fingerprints.ts";
import { type Tokens, tokensOf } from "./tokens.ts";

/** The share of a file's fingerprints from which a pair is listed; three honest solutions stay below 0.1. */
export const LEAST_SHARE = 0.3;
/** Fewer are chance: about forty tokens, three or four lines. */
const LEAST_SHARED = 8;
/** What more than this share of a class has, was said in a lecture or is the only way to write it. */
const COMMON_SHARE = 0.5;
/** In a smaller class half of it is a handful of friends. */
const COMMON_CLASS = 10;
/** More pairs are not aligned and not shown. */
export const MOST_PAIRS = 100;

/** One file of one submission, ready to be compared. */
export interface Print {
  readonly tokens: Tokens;
  readonly runs: readonly Run[];
  readonly fingerprints: Fingerprints;
}

export interface FileMatch {
  readonly file: string;
  /** Shared fingerprints by those of the one that has fewer. */
  readonly share: number;
  readonly shared: number;
  /** The same rows of tokens in both, in the first one's order. */
  readonly blocks: readonly Block[];
  readonly prints: readonly [Print, Print];
}

export interface Pair {
  readonly ids: readonly [string, string];
  /** The largest of its files' shares. */
  readonly share: number;
  /** Of the largest share first. */
  readonly files: readonly FileMatch[];
}

export interface Comparison {
  /** The most alike first. */
  readonly pairs: readonly Pair[];
  /** How many pairs reach the share; more than are in `pairs` where those are too many. */
  readonly found: number;
  /** By file: fingerprints that more than half of the class have, and that do not count. */
  readonly common: ReadonlyMap<string, number>;
}

/** `beside` are no members of the class, as the reference: they are compared with it, but not counted. */
export function compare(
  submissions: readonly Submission[],
  beside: readonly Submission[],
  given: ReadonlySet<number>,
  least = LEAST_SHARE,
): Comparison {
  const all = [...submissions, ...beside];
  const found = new Map<string, Found>();
  const common = new Map<string, number>();
  for (const file of [...new Set(all.flatMap(({ files }) => [...files.keys()]))].sort()) {
    const prints = printsOf(all, file, given);
    const holders = holdersOf(prints, submissions.length);
    if (holders.common > 0) common.set(file, holders.common);
    for (const { a, b, shared, share } of alike(holders)) {
      if (share < least || a >= submissions.length) continue;
      const key = `${a} ${b}`;
      const pair = found.get(key) ?? { ids: [all[a]!.id, all[b]!.id], files: [] };
      pair.files.push({ file, share, shared, prints: [prints[a]!, prints[b]!] });
      found.set(key, pair);
    }
  }
  const pairs = [...found.values()].map(ranked).sort(byShare);
  return { pairs: pairs.slice(0, MOST_PAIRS).map(aligned), found: pairs.length, common };
}

interface Found {
  readonly ids: readonly [string, string];
  readonly files: Omit<FileMatch, "blocks">[];
}

function ranked({ ids, files }: Found): Found & { share: number; shared: number } {
  const sorted = files.sort((one, other) => other.share - one.share || other.shared - one.shared);
  const shared = files.reduce((sum, match) => sum + match.shared, 0);
  return { ids, share: sorted[0]!.share, shared, files: sorted };
}

function byShare(one: ReturnType<typeof ranked>, other: ReturnType<typeof ranked>): number {
  const order = other.share - one.share || other.shared - one.shared;
  return order || (one.ids.join(" ") < other.ids.join(" ") ? -1 : 1);
}

function aligned({ ids, share, files }: ReturnType<typeof ranked>): Pair {
  return { ids, share, files: files.map(match => ({ ...match, blocks: blocksOf(...match.prints) })) };
}

/** The same text is read once, however many have it. */
function printsOf(all: readonly Submission[], file: string, given: ReadonlySet<number>): Print[] {
  const known = new Map<string, Print>();
  return all.map(({ files }) => {
    const text = files.get(file) ?? "";
    let print = known.get(text);
    if (!print) {
      const tokens = tokensOf(text);
      const runs = ownRuns(tokens, given);
      print = { tokens, runs, fingerprints: winnow(tokens, runs) };
      known.set(text, print);
    }
    return print;
  });
}

/** Who has each fingerprint, and how many each has; without those that are common to most of the class. */
interface Holders {
  readonly lists: readonly (readonly number[])[];
  readonly sizes: Uint32Array;
  readonly common: number;
}

function holdersOf(prints: readonly Print[], members: number): Holders {
  const index = new Map<number, number[]>();
  for (const [at, { fingerprints }] of prints.entries()) {
    for (const hash of fingerprints.keys()) {
      const holders = index.get(hash);
      if (holders) holders.push(at);
      else index.set(hash, [at]);
    }
  }
  const most = members < COMMON_CLASS ? members : members * COMMON_SHARE;
  const inClass = (holders: readonly number[]) => holders.filter(at => at < members).length;
  const lists = [...index.values()].filter(holders => inClass(holders) <= most);
  const sizes = new Uint32Array(prints.length);
  for (const at of lists.flat()) sizes[at]!++;
  return { lists, sizes, common: index.size - lists.length };
}

/** All pairs that share enough, the first of each before the second. */
function alike({ lists, sizes }: Holders): { a: number; b: number; shared: number; share: number }[] {
  const count = sizes.length;
  const shared = new Uint32Array(count * count);
  for (const holders of lists) {
    for (let one = 0; one < holders.length; one++) {
      const row = holders[one]! * count;
      for (let other = one + 1; other < holders.length; other++) shared[row + holders[other]!]!++;
    }
  }
  const pairs: { a: number; b: number; shared: number; share: number }[] = [];
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const both = shared[a * count + b]!;
      if (both < LEAST_SHARED) continue;
      pairs.push({ a, b, shared: both, share: both / Math.min(sizes[a]!, sizes[b]!) });
    }
  }
  return pairs;
}
