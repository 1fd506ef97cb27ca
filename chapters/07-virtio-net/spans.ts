// Given: this file of the layer has no exercises.
// Generated from solutions/07-virtio-net/spans.ts by `npm run starters` (8f6d4526).
/**
 * Pieces of guest memory, and copying into and out of them as if they were one.
 *
 * A guest names its buffers by address and length. Neither can be trusted, so every piece is checked to be
 * RAM before anybody touches it: an address may lie beyond the end, in a hole, or in memory to read only.
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";

/** A piece of guest-physical memory, `length` bytes and never 0; all of it is RAM. */
export interface Span {
  readonly address: number;
  readonly length: number;
}

/** Whether a range of guest-physical addresses is RAM throughout, and to be written if it must be. */
export function isRam(memory: GuestMemory, address: number, length: number, isWritten: boolean): boolean {
  // What is left is counted down: the sum of a wild address and a length would not be exact.
  let left = length;
  for (const slot of memory.slots) {
    const distance = address - slot.guestAddress;
    if (left <= 0) break;
    if (distance < 0 || distance >= slot.size) continue;
    if (isWritten && slot.readOnly) return false;
    left -= slot.size - distance;
    address = slot.guestAddress + slot.size;
  }
  return left <= 0;
}

// #region spans
/** Copies up to `limit` bytes out of spans, from the `skip`th on. */
export function readSpans(
  memory: GuestMemory,
  spans: readonly Span[],
  limit = Number.POSITIVE_INFINITY,
  skip = 0,
): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(limit, totalLength(spans) - skip)));
  visitSpans(spans, skip, bytes.length, (address, done, length) => {
    bytes.set(memory.readBytes(address, length), done);
  });
  return bytes;
}

/** Copies bytes into spans, from the `skip`th on; returns how many had room. */
export function writeSpans(memory: GuestMemory, spans: readonly Span[], bytes: Uint8Array, skip = 0): number {
  return visitSpans(spans, skip, bytes.length, (address, done, length) => {
    memory.writeBytes(address, bytes.subarray(done, done + length));
  });
}

/** Calls `visit(address, bytes done, length)` for the pieces of `wanted` bytes; returns the bytes visited. */
function visitSpans(
  spans: readonly Span[],
  skip: number,
  wanted: number,
  visit: (address: number, done: number, length: number) => void,
): number {
  let done = 0;
  for (const span of spans) {
    if (done >= wanted) break;
    const inside = Math.min(skip, span.length);
    skip -= inside;
    const length = Math.min(span.length - inside, wanted - done);
    if (length === 0) continue;
    visit(span.address + inside, done, length);
    done += length;
  }
  return done;
}
// #endregion spans

/** Bytes. */
export function totalLength(spans: readonly Span[]): number {
  let total = 0;
  for (const { length } of spans) total += length;
  return total;
}

/** As in 0x1f00. */
export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
