/**
 * The rows of tokens that two files have in common, for a person to look at: every shared fingerprint is
 * extended as far as both go on alike, and the longest rows are taken first, so that no token is in two.
 */
import type { Print } from "./compare.ts";
import { GRAM } from "./fingerprints.ts";

/** Places are of tokens in the one file and in the other. */
export interface Block {
  readonly a: number;
  readonly b: number;
  /** In tokens. */
  readonly length: number;
}

/** A fingerprint that stands in more places than this is of a table or the like. */
const MOST_PLACES = 16;

/** In the order of the first file. */
export function blocksOf(one: Print, other: Print): Block[] {
  const [freeA, freeB] = [ownTokens(one), ownTokens(other)];
  const blocks: Block[] = [];
  for (const row of maximalRows(one, other, freeA, freeB)) {
    for (const block of freeParts(row, freeA, freeB)) {
      freeA.fill(0, block.a, block.a + block.length);
      freeB.fill(0, block.b, block.b + block.length);
      blocks.push(block);
    }
  }
  return blocks.sort((x, y) => x.a - y.a);
}

/** 1 for each token that its author wrote. */
function ownTokens({ tokens, runs }: Print): Uint8Array {
  const own = new Uint8Array(tokens.kinds.length);
  for (const { start, end } of runs) own.fill(1, start, end);
  return own;
}

/** The longest first. */
function maximalRows(one: Print, other: Print, ownA: Uint8Array, ownB: Uint8Array): Block[] {
  const [kindsA, kindsB] = [one.tokens.kinds, other.tokens.kinds];
  const isSame = (a: number, b: number) => ownA[a] === 1 && ownB[b] === 1 && kindsA[a] === kindsB[b];
  const rows = new Map<string, Block>();
  for (const [hash, placesA] of one.fingerprints) {
    for (const placeA of placesA.slice(0, MOST_PLACES)) {
      for (const placeB of other.fingerprints.get(hash)?.slice(0, MOST_PLACES) ?? []) {
        let [a, b] = [placeA, placeB];
        while (a > 0 && b > 0 && isSame(a - 1, b - 1)) [a, b] = [a - 1, b - 1];
        let length = 0;
        while (isSame(a + length, b + length)) length++;
        if (length >= GRAM) rows.set(`${a} ${b}`, { a, b, length });
      }
    }
  }
  return [...rows.values()].sort((x, y) => y.length - x.length || x.a - y.a || x.b - y.b);
}

/** The parts of a row that no longer row has taken, where they are still long enough. */
function freeParts({ a, b, length }: Block, freeA: Uint8Array, freeB: Uint8Array): Block[] {
  const parts: Block[] = [];
  let from = 0;
  for (let at = 0; at <= length; at++) {
    if (at < length && freeA[a + at] === 1 && freeB[b + at] === 1) continue;
    if (at - from >= GRAM) parts.push({ a: a + from, b: b + from, length: at - from });
    from = at + 1;
  }
  return parts;
}
