/**
 * A chain of descriptors: how a driver says which pieces of memory make one buffer.
 *
 *     descriptor, 16 bytes:   address (8)   length (4)   flags (2)   next (2)
 *
 * The chain goes on at `next` while the flag NEXT is set: first what the device may read, then what it may
 * write. A descriptor with the flag INDIRECT names a table of its own, in which the chain goes on from
 * entry 0: so one entry of the queue's table carries a buffer of any number of pieces.
 *
 * All of this is the guest's memory, so none of it can be trusted. A chain that breaks the rules ends in a
 * `VirtqueueError`, upon which the device gives up (DEVICE_NEEDS_RESET).
 *
 * Source: VIRTIO 1.2, 2.7.4 "Message Framing", 2.7.5 "The Virtqueue Descriptor Table".
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { hex, isRam, type Span, totalLength } from "./spans.ts";

export const DESCRIPTOR_SIZE = 16;

export const DESCRIPTOR_F_NEXT = 0b001;
export const DESCRIPTOR_F_WRITE = 0b010; // for the device to write, else to read
export const DESCRIPTOR_F_INDIRECT = 0b100; // the buffer is itself a table of descriptors

/** One entry of a table. `address` is guest-physical; it is exact up to 2^53, where no memory is. */
export interface Descriptor {
  readonly address: number;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

/** A buffer from the driver: first what the device may read, then what it may write. */
export interface Chain {
  /** Index of the first descriptor, by which the buffer is returned. */
  readonly head: number;
  readonly readable: readonly Span[];
  readonly writable: readonly Span[];
  /** Bytes. */
  readonly readableLength: number;
  readonly writableLength: number;
}

/** The table that chains begin in. */
export interface DescriptorTable {
  readonly address: number;
  readonly entries: number;
  /** The most descriptors of a chain. */
  readonly longest: number;
  /** VIRTIO_F_INDIRECT_DESC was negotiated. */
  readonly hasIndirectDescriptors: boolean;
}

/** The driver broke a rule of the rings. */
export class VirtqueueError extends Error {
  override readonly name = "VirtqueueError";
}

// #region walk
/** Follows the chain that begins at descriptor `head`, and checks every step. */
export function walkChain(memory: GuestMemory, queueTable: DescriptorTable, head: number): Chain {
  const readable: Span[] = [];
  const writable: Span[] = [];
  // #region exercise-walk
  let { address: table, entries } = queueTable;
  let isIndirect = false;
  let index = head;
  for (let steps = 0; ; steps++) {
    if (index >= entries) {
      throw new VirtqueueError(`a chain names descriptor ${index} of a table of ${entries}`);
    }
    // No chain is longer than the queue (2.7.5.3.1), so one that is runs in a circle.
    if (steps > queueTable.longest) {
      throw new VirtqueueError(`the chain from descriptor ${head} does not end`);
    }
    const descriptor = readDescriptor(memory, table, index);
    const { address, length, flags, next } = descriptor;
    if (flags & DESCRIPTOR_F_INDIRECT) {
      requireIndirect(memory, queueTable, isIndirect, descriptor);
      [table, entries, isIndirect, index] = [address, length / DESCRIPTOR_SIZE, true, 0];
      continue;
    }
    const isWritable = (flags & DESCRIPTOR_F_WRITE) !== 0;
    if (!isWritable && writable.length > 0) {
      throw new VirtqueueError(`descriptor ${index} is to be read, after one to be written`);
    }
    if (!isRam(memory, address, length, isWritable)) {
      const wanted = isWritable ? "writable RAM" : "RAM";
      throw new VirtqueueError(
        `descriptor ${index}: ${length} bytes at ${hex(address)} are not all in ${wanted}`,
      );
    }
    if (length > 0) (isWritable ? writable : readable).push({ address, length });
    if (!(flags & DESCRIPTOR_F_NEXT)) break;
    index = next;
  }
  // #endregion exercise-walk
  return {
    head,
    readable,
    writable,
    readableLength: totalLength(readable),
    writableLength: totalLength(writable),
  };
}
// #endregion walk

export function readDescriptor(memory: GuestMemory, table: number, index: number): Descriptor {
  const at = table + DESCRIPTOR_SIZE * index;
  return {
    address: memory.read(at + 4, 4) * 0x1_0000_0000 + memory.read(at, 4),
    length: memory.read(at + 8, 4),
    flags: memory.read(at + 12, 2),
    next: memory.read(at + 14, 2),
  };
}

// #region indirect
/**
 * Throws unless a descriptor may name a table of descriptors (2.7.5.3). `isInside`: it stands in such a
 * table itself. Its flag WRITE means nothing.
 */
function requireIndirect(
  memory: GuestMemory,
  { hasIndirectDescriptors }: DescriptorTable,
  isInside: boolean,
  { address, length, flags }: Descriptor,
): void {
  // #region exercise-indirect
  if (!hasIndirectDescriptors) {
    throw new VirtqueueError("an indirect descriptor, without VIRTIO_F_INDIRECT_DESC");
  }
  if (isInside) throw new VirtqueueError("an indirect descriptor within an indirect table");
  if (flags & DESCRIPTOR_F_NEXT) throw new VirtqueueError("an indirect descriptor with a next one");
  if (length === 0 || length % DESCRIPTOR_SIZE !== 0) {
    throw new VirtqueueError(`an indirect table of ${length} bytes: no multiple of ${DESCRIPTOR_SIZE}`);
  }
  if (!isRam(memory, address, length, false)) {
    throw new VirtqueueError(`the indirect table, ${length} bytes at ${hex(address)}, is not all in RAM`);
  }
  // #endregion exercise-indirect
}
// #endregion indirect
