/**
 * Winnowing: of the hashes of all rows of GRAM tokens, the smallest in each window of WINDOW. What two
 * texts share in GRAM + WINDOW - 1 tokens or more always leaves a fingerprint in both, wherever it stands.
 *
 * Source: Schleimer, Wilkerson, Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD
 * 2003, sections 3 and 4.
 */
import type { Tokens } from "./tokens.ts";

/** Tokens in a row that are hashed together: shorter likeness is chance. */
export const GRAM = 12;
/** Hashes of which at least one is kept. */
export const WINDOW = 5;

/** Tokens from `start` to before `end`. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** Where each fingerprint stands, by its hash. */
export type Fingerprints = ReadonlyMap<number, readonly number[]>;

const BASE = 0x01000193;

/** The hash of the GRAM tokens at each place; empty where there are fewer. */
export function gramHashes({ kinds }: Pick<Tokens, "kinds">): Uint32Array {
  const hashes = new Uint32Array(Math.max(0, kinds.length - GRAM + 1));
  for (let at = 0; at < hashes.length; at++) {
    let hash = 0;
    for (let next = at; next < at + GRAM; next++) hash = Math.imul(hash, BASE) + kinds[next]! + 1;
    hashes[at] = mix(hash);
  }
  return hashes;
}

/** Spreads what differs in a few low bits over all of them (Murmur3's last step). */
function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The tokens that are in no row of GRAM that was given: what somebody wrote. */
export function ownRuns(tokens: Tokens, given: ReadonlySet<number>): Run[] {
  const { length } = tokens.kinds;
  const runs: Run[] = [];
  let givenUntil = 0;
  gramHashes(tokens).forEach((hash, at) => {
    if (!given.has(hash)) return;
    if (at > givenUntil) runs.push({ start: givenUntil, end: at });
    givenUntil = at + GRAM;
  });
  if (length > givenUntil) runs.push({ start: givenUntil, end: length });
  return runs;
}

/** The fingerprints of these runs; none reaches from one into another. */
export function winnow(tokens: Tokens, runs: readonly Run[]): Fingerprints {
  const hashes = gramHashes(tokens);
  const found = new Map<number, number[]>();
  for (const { start, end } of runs) {
    const last = end - GRAM;
    let chosen = -1;
    // A run of fewer hashes than a window has one window, and leaves one fingerprint.
    for (let window = start; window <= last && (window === start || window + WINDOW - 1 <= last); window++) {
      const least = leastFrom(hashes, window, Math.min(window + WINDOW - 1, last));
      if (least === chosen) continue;
      chosen = least;
      const places = found.get(hashes[least]!);
      if (places) places.push(least);
      else found.set(hashes[least]!, [least]);
    }
  }
  return found;
}

/** The place of the smallest hash; of equal ones the last, so that it stays chosen for longest. */
function leastFrom(hashes: Uint32Array, first: number, last: number): number {
  let least = first;
  for (let at = first + 1; at <= last; at++) if (hashes[at]! <= hashes[least]!) least = at;
  return least;
}
