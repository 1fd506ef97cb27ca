/** What a guest has printed: the last so many bytes, and what of them is new since somebody looked. */
export class Tape {
  readonly #bytes: number[] = [];
  /** Number of the first byte that is still here. */
  #first = 0;
  #news = 0;

  /** At least `capacity` bytes are kept, at most twice as many. */
  constructor(private readonly capacity: number) {}

  /** How many bytes there have been. */
  get length(): number {
    return this.#first + this.#bytes.length;
  }

  push(byte: number): void {
    this.#bytes.push(byte & 0xff);
    if (this.#bytes.length < 2 * this.capacity) return;
    this.#bytes.splice(0, this.capacity);
    this.#first += this.capacity;
  }

  /** Forgets everything from byte `length` on. */
  cut(length: number): void {
    if (length >= this.length) return;
    if (length < this.#first) this.#first = length;
    this.#bytes.length = length - this.#first;
    this.#news = Math.min(this.#news, length);
  }

  /** What is new since the last call; `from` is the number of its first byte. */
  takeNews(): { readonly from: number; readonly bytes: Uint8Array } {
    const from = Math.max(this.#news, this.#first);
    this.#news = this.length;
    return { from, bytes: Uint8Array.from(this.#bytes.slice(from - this.#first)) };
  }

  /** The next `takeNews` tells everything again. */
  tellAgain(): void {
    this.#news = 0;
  }

  /** All that is still here, a character a byte. */
  toString(): string {
    return this.#bytes.map(byte => String.fromCharCode(byte)).join("");
  }
}
