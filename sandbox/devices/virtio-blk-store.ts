/**
 * What a disk's bytes are kept in: a file at the rim, an array in a page or a test; and a snapshot over
 * any of them, which keeps what the guest writes to itself.
 *
 * Stores are read and written in place, never as a whole, so an image may be larger than memory.
 */

/** All offsets and sizes are bytes. A store that fails throws; the guest then sees an I/O error. */
export interface BlockStore {
  readonly size: number;
  readonly isReadOnly: boolean;
  /** Fills `into` from `offset` on. */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, bytes: Uint8Array): void;
  /** Returns once all that was written is kept. */
  flush(): void;
}

/** A store failed, or was asked for bytes that it has not got. */
export class BlockStoreError extends Error {
  override readonly name = "BlockStoreError";
}

export class MemoryStore implements BlockStore {
  constructor(
    readonly bytes: Uint8Array,
    readonly isReadOnly = false,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, into: Uint8Array): void {
    requireInside(this, offset, into.length);
    into.set(this.bytes.subarray(offset, offset + into.length));
  }

  write(offset: number, bytes: Uint8Array): void {
    requireInside(this, offset, bytes.length);
    if (this.isReadOnly) throw new BlockStoreError("this disk is read-only");
    this.bytes.set(bytes, offset);
  }

  flush(): void {}
}

/** Bytes that are copied at the first write to one of them. */
const CHUNK = 0x1000;

export interface SnapshotState {
  /** The store below must have this size again. */
  size: number;
  chunks: { index: number; bytes: number[] }[];
}

/** A store that only reads the one below it, and keeps changed chunks in memory. */
export class SnapshotStore implements BlockStore {
  readonly isReadOnly = false;
  readonly #chunks = new Map<number, Uint8Array>();

  constructor(private readonly below: BlockStore) {}

  get size(): number {
    return this.below.size;
  }

  /** Bytes of memory that the changes take. */
  get changedBytes(): number {
    return this.#chunks.size * CHUNK;
  }

  read(offset: number, into: Uint8Array): void {
    requireInside(this, offset, into.length);
    forEachChunk(offset, into.length, (index, inside, done, length) => {
      const part = into.subarray(done, done + length);
      const chunk = this.#chunks.get(index);
      if (chunk) part.set(chunk.subarray(inside, inside + length));
      else this.below.read(index * CHUNK + inside, part);
    });
  }

  write(offset: number, bytes: Uint8Array): void {
    requireInside(this, offset, bytes.length);
    forEachChunk(offset, bytes.length, (index, inside, done, length) => {
      this.#own(index).set(bytes.subarray(done, done + length), inside);
    });
  }

  #own(index: number): Uint8Array {
    let chunk = this.#chunks.get(index);
    if (!chunk) {
      chunk = new Uint8Array(CHUNK);
      this.below.read(index * CHUNK, chunk.subarray(0, Math.min(CHUNK, this.size - index * CHUNK)));
      this.#chunks.set(index, chunk);
    }
    return chunk;
  }

  flush(): void {}

  save(): SnapshotState {
    const chunks = [...this.#chunks].map(([index, bytes]) => ({ index, bytes: [...bytes] }));
    return { size: this.size, chunks };
  }

  restore(state: SnapshotState): void {
    if (state.size !== this.size) {
      throw new BlockStoreError(
        `the changes were saved over a disk of ${state.size} bytes, this one has ${this.size}`,
      );
    }
    this.#chunks.clear();
    for (const { index, bytes } of state.chunks) this.#chunks.set(index, Uint8Array.from(bytes));
  }
}

function forEachChunk(
  offset: number,
  total: number,
  visit: (index: number, inside: number, done: number, length: number) => void,
): void {
  for (let done = 0; done < total; ) {
    const at = offset + done;
    const inside = at % CHUNK;
    const length = Math.min(CHUNK - inside, total - done);
    visit((at - inside) / CHUNK, inside, done, length);
    done += length;
  }
}

function requireInside(store: BlockStore, offset: number, length: number): void {
  if (offset < 0 || offset + length > store.size) {
    throw new BlockStoreError(`${length} bytes at ${offset}: the disk has ${store.size}`);
  }
}
