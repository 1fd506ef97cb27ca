/** A disk image in a file of the host, read and written in place: it may be larger than memory. */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { type BlockStore, BlockStoreError } from "../devices/virtio-blk-store.ts";
import { fileProblem } from "./file-problem.ts";

export class FileStore implements BlockStore {
  readonly size: number;
  readonly #descriptor: number;

  /** Opens a raw image; throws a `BlockStoreError` with a sentence if that cannot be. */
  constructor(
    readonly path: string,
    readonly isReadOnly: boolean,
  ) {
    try {
      this.#descriptor = openSync(path, isReadOnly ? "r" : "r+");
    } catch (error) {
      throw new BlockStoreError(`the disk image ${path}: ${fileProblem(error)}`, { cause: error });
    }
    const stat = fstatSync(this.#descriptor);
    if (!stat.isFile() || stat.size < 512) {
      closeSync(this.#descriptor);
      const what = stat.isFile() ? `has ${stat.size} bytes, less than one sector` : "is not a file";
      throw new BlockStoreError(`the disk image ${path} ${what}`);
    }
    this.size = stat.size;
  }

  read(offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const count = readSync(this.#descriptor, into, done, into.length - done, offset + done);
      if (count === 0) throw new BlockStoreError(`${this.path} ends at ${offset + done}, before its size`);
      done += count;
    }
  }

  write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
    }
  }

  flush(): void {
    if (!this.isReadOnly) fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
