/** A small seeded generator (Marsaglia's xorshift32), so that a case can be made again from its seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // The finalizer of MurmurHash3: neighbouring seeds give unrelated sequences.
    let x = (seed ^ 0x5bd1_e995) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
    x = (x ^ (x >>> 16)) >>> 0;
    this.#state = x || 1;
  }

  /** 32 random bits. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * bound);
  }

  chance(probability: number): boolean {
    return this.next() < probability * 0x1_0000_0000;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

/** The seed of case `counter` of a form. */
export const caseSeed = (formSeed: number, counter: number): number =>
  (Math.imul(counter + 1, 0x9e37_79b1) ^ formSeed) >>> 0;

/** A seed from a name (FNV-1a). */
export function seedOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x0100_0193);
  return hash >>> 0;
}
