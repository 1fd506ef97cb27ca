// Starter: write the exercises here; `npm run chapter 7` runs them, `npm run chapter 7 test` tests them.
// Generated from solutions/07-virtio-net/net-header.ts by `npm run starters` (4cceb525).
/**
 * The header that a virtio network card puts before each frame, and the driver too: what is left to do
 * with it.
 *
 *     0 flags (1)   1 gso_type (1)   2 hdr_len (2)   4 gso_size (2)   6 csum_start (2)   8 csum_offset (2)
 *     10 num_buffers (2): over how many buffers a received frame is spread
 *
 * Source: VIRTIO 1.2, 5.1.6 "Device Operation", `struct virtio_net_hdr`.
 */
import type { Offload } from "./net-backend.ts";

/** Bytes; a device of the standard always has num_buffers, VIRTIO_NET_F_MRG_RXBUF or not. */
export const NET_HEADER_SIZE = 12;
export const NUM_BUFFERS = 10;

const F_NEEDS_CSUM = 0b1;

const GSO_NONE = 0;
const GSO_TCPV4 = 1;
const GSO_TCPV6 = 4;
const GSO_ECN = 0x80;

/** A header that asks for what was not negotiated, or that does not fit its frame. */
export type BadHeader = "bad header";

/** What a driver may leave to do, as it was negotiated. */
export interface TransmitOffloads {
  readonly checksum: boolean;
  readonly tcp4: boolean;
  readonly tcp6: boolean;
  readonly ecn: boolean;
}

// #region parse
/**
 * What the driver leaves to do with a frame of `frameLength` bytes; null if nothing.
 */
export function parseHeader(
  header: Uint8Array,
  frameLength: number,
  allowed: TransmitOffloads,
): Offload | null | BadHeader {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  // #region exercise-parse
  throw new Error(
    "exercise parse: read from a header what the driver leaves to do, and complete the Internet checksum that a frame lacks · chapter 7, “A header before each frame”",
  );
  // #endregion exercise-parse
}
// #endregion parse

// #region make
/** The header of a received frame that is spread over one buffer. */
export function makeHeader(offload: Offload | null): Uint8Array {
  const header = new Uint8Array(NET_HEADER_SIZE);
  const view = new DataView(header.buffer);
  view.setUint16(NUM_BUFFERS, 1, true);
  if (offload?.checksum) {
    view.setUint8(0, F_NEEDS_CSUM);
    view.setUint16(6, offload.checksum.start, true);
    view.setUint16(8, offload.checksum.offset, true);
  }
  if (offload?.segmentation) {
    const { protocol, size, headerLength, hasEcn } = offload.segmentation;
    view.setUint8(1, (protocol === "tcp4" ? GSO_TCPV4 : GSO_TCPV6) | (hasEcn ? GSO_ECN : 0));
    view.setUint16(2, headerLength, true);
    view.setUint16(4, size, true);
  }
  return header;
}
// #endregion make

// #region checksum
/** Completes the sum that a frame lacks: ones' complement of the ones' complement sum (RFC 1071). */
export function completeChecksum(
  frame: Uint8Array,
  { start, offset }: { start: number; offset: number },
): void {
  // #region exercise-checksum
  throw new Error(
    "exercise checksum: read from a header what the driver leaves to do, and complete the Internet checksum that a frame lacks · chapter 7, “A header before each frame”",
  );
  // #endregion exercise-checksum
}
// #endregion checksum
