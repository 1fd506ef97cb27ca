/** A queue of bytes that can be read anywhere before they are dropped: what TCP may have to send again. */
export class ByteRing {
  #bytes = new Uint8Array(0x4000);
  #start = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(added: Uint8Array): void {
    this.#makeRoom(this.#length + added.length);
    const capacity = this.#bytes.length;
    const end = (this.#start + this.#length) % capacity;
    const untilWrap = Math.min(added.length, capacity - end);
    this.#bytes.set(added.subarray(0, untilWrap), end);
    this.#bytes.set(added.subarray(untilWrap), 0);
    this.#length += added.length;
  }

  /** Copies `length` bytes from `offset` on to `into` at `at`. */
  copy(offset: number, length: number, into: Uint8Array, at: number): void {
    const capacity = this.#bytes.length;
    const start = (this.#start + offset) % capacity;
    const untilWrap = Math.min(length, capacity - start);
    into.set(this.#bytes.subarray(start, start + untilWrap), at);
    into.set(this.#bytes.subarray(0, length - untilWrap), at + untilWrap);
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    this.#start = (this.#start + count) % this.#bytes.length;
    this.#length -= count;
  }

  #makeRoom(needed: number): void {
    let capacity = this.#bytes.length;
    if (needed <= capacity) return;
    while (capacity < needed) capacity *= 2;
    const larger = new Uint8Array(capacity);
    this.copy(0, this.#length, larger, 0);
    this.#bytes = larger;
    this.#start = 0;
  }
}
