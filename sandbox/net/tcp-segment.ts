/**
 * TCP segments.
 *
 *     0 source port   2 destination port   4 sequence   8 acknowledgment   12 data offset (4 bits of words)
 *     13 flags   14 window   16 checksum   18 urgent pointer   20 options
 *
 * Source: RFC 9293, 3.1; the window scale option: RFC 7323, 2.
 */
import { read16, read32, write16, write32 } from "./addresses.ts";
import { addWords, fold, pseudoHeader } from "./checksum.ts";
import { type Ipv4Packet, TCP } from "./ipv4.ts";

export const TCP_HEADER = 20;
export const CHECKSUM_OFFSET = 16;

export const FIN = 0b00_0001;
export const SYN = 0b00_0010;
export const RST = 0b00_0100;
export const PSH = 0b00_1000;
export const ACK = 0b01_0000;

const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;
const WINDOW_SCALE = 3;
/** RFC 7323, 2.3. */
const LARGEST_SCALE = 14;

export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  /** As it stands there, without scale. */
  readonly window: number;
  readonly maximumSegmentSize: number | null;
  readonly windowScale: number | null;
  readonly data: Uint8Array;
}

/** The segment in a packet; null if it is malformed or, where that is to be seen, its sum is wrong. */
export function parseTcp(packet: Ipv4Packet, isSumLeftOut: boolean): TcpSegment | null {
  const { source, destination, payload } = packet;
  if (payload.length < TCP_HEADER) return null;
  const headerLength = (payload[12]! >> 4) * 4;
  if (headerLength < TCP_HEADER || headerLength > payload.length) return null;
  const pseudo = pseudoHeader(source, destination, TCP, payload.length);
  if (!isSumLeftOut && fold(addWords(pseudo, payload, 0, payload.length)) !== 0xffff) return null;
  const flags = payload[13]!;
  const options = { maximumSegmentSize: null as number | null, windowScale: null as number | null };
  if (flags & SYN) parseOptions(payload.subarray(TCP_HEADER, headerLength), options);
  return {
    sourcePort: read16(payload, 0),
    destinationPort: read16(payload, 2),
    sequence: read32(payload, 4),
    acknowledgment: read32(payload, 8),
    flags,
    window: read16(payload, 14),
    ...options,
    data: payload.subarray(headerLength),
  };
}

function parseOptions(
  bytes: Uint8Array,
  options: { maximumSegmentSize: number | null; windowScale: number | null },
): void {
  for (let at = 0; at < bytes.length && bytes[at] !== END_OF_OPTIONS; ) {
    if (bytes[at] === NO_OPERATION) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) return;
    if (bytes[at] === MAXIMUM_SEGMENT_SIZE && length === 4)
      options.maximumSegmentSize = read16(bytes, at + 2);
    if (bytes[at] === WINDOW_SCALE && length === 3) {
      options.windowScale = Math.min(bytes[at + 2]!, LARGEST_SCALE);
    }
    at += length;
  }
}

export type TcpHeader = Omit<TcpSegment, "data">;

/** Bytes of the header with its options. */
export function tcpHeaderLength({ maximumSegmentSize, windowScale }: TcpHeader): number {
  return TCP_HEADER + (maximumSegmentSize === null ? 0 : 4) + (windowScale === null ? 0 : 4);
}

/** Writes a header at `at`, its checksum left 0. */
export function writeTcpHeader(bytes: Uint8Array, at: number, header: TcpHeader): void {
  write16(bytes, at, header.sourcePort);
  write16(bytes, at + 2, header.destinationPort);
  write32(bytes, at + 4, header.sequence);
  write32(bytes, at + 8, header.acknowledgment);
  bytes[at + 12] = (tcpHeaderLength(header) / 4) << 4;
  bytes[at + 13] = header.flags;
  write16(bytes, at + 14, header.window);
  let option = at + TCP_HEADER;
  if (header.maximumSegmentSize !== null) {
    bytes.set([MAXIMUM_SEGMENT_SIZE, 4], option);
    write16(bytes, option + 2, header.maximumSegmentSize);
    option += 4;
  }
  if (header.windowScale !== null) bytes.set([NO_OPERATION, WINDOW_SCALE, 3, header.windowScale], option);
}

/** How far sequence number `a` is behind `b` on the circle: negative if before it (RFC 9293, 3.4). */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}
