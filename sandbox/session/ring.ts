/**
 * The last entries of something that happens again and again, numbered from 0: an exit log, samples over
 * time. It can be cut back when the machine goes back, and tells what is new since somebody looked.
 */
export interface News<Entry> {
  /** Number of the first entry of `entries`; what a reader has from here on is out of date. */
  readonly from: number;
  readonly entries: readonly Entry[];
}

export class Ring<Entry> {
  #entries: Entry[] = [];
  /** Number of the first entry that is still here. */
  #first = 0;
  #news = 0;

  /** `capacity` is how many entries are kept at least; twice as many are never kept. */
  constructor(private readonly capacity: number) {}

  /** How many there have been. */
  get length(): number {
    return this.#first + this.#entries.length;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length < 2 * this.capacity) return;
    this.#entries = this.#entries.slice(this.capacity);
    this.#first += this.capacity;
  }

  /** Forgets all entries from number `length` on. */
  cut(length: number): void {
    if (length >= this.length) return;
    if (length < this.#first) this.#first = length;
    this.#entries.length = length - this.#first;
    this.#news = Math.min(this.#news, length);
  }

  /** The last `count` entries, or fewer. */
  last(count: number): readonly Entry[] {
    return count > 0 ? this.#entries.slice(-count) : [];
  }

  /** What is new since the last call. */
  takeNews(): News<Entry> {
    const from = Math.max(this.#news, this.#first);
    this.#news = this.length;
    return { from, entries: this.#entries.slice(from - this.#first) };
  }

  /** The next `takeNews` tells everything again. */
  tellAgain(): void {
    this.#news = 0;
  }
}
