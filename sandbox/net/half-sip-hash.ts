/**
 * HalfSipHash-2-4: a number from a few words that tells nothing about them, or about others', without the key.
 *
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), and the 32-bit variant of their
 * reference implementation.
 */

/** 64 bits. */
export type SipKey = readonly [low: number, high: number];

/** The hash of whole 32-bit words, as an unsigned number. */
export function halfSipHash([low, high]: SipKey, words: readonly number[]): number {
  const state = Int32Array.of(low, high, 0x6c79_6765 ^ low, 0x7465_6462 ^ high);
  // After the message there is its length in bytes, in the highest byte.
  for (const word of [...words, words.length << 26]) {
    state[3]! ^= word;
    mix(state, 2);
    state[0]! ^= word;
  }
  state[2]! ^= 0xff;
  mix(state, 4);
  return (state[1]! ^ state[3]!) >>> 0;
}

function mix(state: Int32Array, rounds: number): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  for (let round = 0; round < rounds; round++) {
    a = (a + b) | 0;
    b = rotate(b, 5) ^ a;
    a = rotate(a, 16);
    c = (c + d) | 0;
    d = rotate(d, 8) ^ c;
    a = (a + d) | 0;
    d = rotate(d, 7) ^ a;
    c = (c + b) | 0;
    b = rotate(b, 13) ^ c;
    c = rotate(c, 16);
  }
  state.set([a, b, c, d]);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
