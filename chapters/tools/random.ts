/**
 * Numbers that look random and come from a seed: the same seed gives the same numbers on any machine.
 * For seeded cases; it keeps no secrets.
 */
export class Random {
  /** The state of sfc32, a small generator of 128 bits (Chris Doty-Humphrey, PractRand). */
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  constructor(seed: string) {
    for (const character of seed) {
      this.#a = Math.imul(this.#a ^ character.codePointAt(0)!, 0x0100_0193) ^ (this.#c >>> 7);
      this.#b = Math.imul(this.#b + this.#a, 0x85eb_ca6b) ^ (this.#b >>> 13);
      this.#c = (this.#c + this.#b) | 0;
    }
    for (let round = 0; round < 16; round++) this.#next();
  }

  /** A whole number from 0 to `limit` - 1; `limit` is at most 2^32. */
  below(limit: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * limit);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** One of the list. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** `count` times what `make` makes. */
  list<Item>(count: number, make: () => Item): Item[] {
    return Array.from({ length: count }, make);
  }

  bytes(count: number): number[] {
    return this.list(count, () => this.below(0x100));
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
