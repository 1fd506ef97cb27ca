/** The disk images of the command line, as the stores of the machine's virtio disks. */
import { type BlockStore, SnapshotStore } from "../devices/virtio-blk-store.ts";
import type { DiskOption } from "./device-options.ts";
import { FileStore } from "./file-store.ts";

export interface Disks {
  readonly stores: readonly BlockStore[];
  close(): void;
}

/** Opens all of them or none. Throws a `BlockStoreError`. */
export function openDisks(options: readonly DiskOption[]): Disks {
  const files: FileStore[] = [];
  const close = () => {
    for (const file of files) file.close();
  };
  try {
    const stores = options.map(({ path, mode }) => {
      const file = new FileStore(path, mode !== "write");
      files.push(file);
      return mode === "snapshot" ? new SnapshotStore(file) : file;
    });
    return { stores, close };
  } catch (error) {
    close();
    throw error;
  }
}
