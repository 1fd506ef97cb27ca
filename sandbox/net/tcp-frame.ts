/** Segments as frames to the guest: an IPv4 packet with its sums, or with what the guest's card takes over of them. */
import type { Offload, OffloadSupport } from "#layers/07-virtio-net/net-backend.ts";
import { type Endpoint, write16 } from "./addresses.ts";
import { addWords, fold, pseudoHeader } from "./checksum.ts";
import { makeIpv4, PAYLOAD, TCP } from "./ipv4.ts";
import {
  CHECKSUM_OFFSET,
  TCP_HEADER,
  type TcpHeader,
  tcpHeaderLength,
  writeTcpHeader,
} from "./tcp-segment.ts";
import type { OutgoingSegment } from "./tcp-sides.ts";

/** A segment as a frame, with what is left to do with it. */
export function segmentFrame(
  segment: OutgoingSegment,
  guest: Endpoint,
  remote: Endpoint,
  support: OffloadSupport,
): [frame: Uint8Array, offload: Offload | null] {
  const { ring, offset, length, segmentSize } = segment;
  const header = { ...segment, sourcePort: remote.port, destinationPort: guest.port };
  const headerLength = tcpHeaderLength(header);
  const frame = newFrame(guest, remote, headerLength + length);
  writeTcpHeader(frame, PAYLOAD, header);
  ring.copy(offset, length, frame, PAYLOAD + headerLength);
  if (!support.checksum || length === 0) {
    completeSum(frame, guest, remote);
    return [frame, null];
  }
  const pseudo = pseudoHeader(remote.address, guest.address, TCP, headerLength + length);
  write16(frame, PAYLOAD + CHECKSUM_OFFSET, fold(pseudo));
  const checksum = { start: PAYLOAD, offset: CHECKSUM_OFFSET };
  if (length <= segmentSize) return [frame, { checksum, segmentation: null }];
  const headers = PAYLOAD + headerLength;
  const segmentation = { protocol: "tcp4", size: segmentSize, headerLength: headers, hasEcn: false } as const;
  return [frame, { checksum, segmentation }];
}

/** A segment that breaks a connection off. */
export function resetFrame(
  guest: Endpoint,
  remote: Endpoint,
  { flags, sequence, acknowledgment }: Pick<TcpHeader, "flags" | "sequence" | "acknowledgment">,
): Uint8Array {
  const frame = newFrame(guest, remote, TCP_HEADER);
  writeTcpHeader(frame, PAYLOAD, {
    sourcePort: remote.port,
    destinationPort: guest.port,
    sequence,
    acknowledgment,
    flags,
    window: 0,
    maximumSegmentSize: null,
    windowScale: null,
  });
  completeSum(frame, guest, remote);
  return frame;
}

function newFrame(guest: Endpoint, remote: Endpoint, length: number): Uint8Array {
  return makeIpv4({
    source: remote.address,
    destination: guest.address,
    protocol: TCP,
    length,
    dontFragment: true,
  });
}

function completeSum(frame: Uint8Array, guest: Endpoint, remote: Endpoint): void {
  const pseudo = pseudoHeader(remote.address, guest.address, TCP, frame.length - PAYLOAD);
  write16(frame, PAYLOAD + CHECKSUM_OFFSET, ~fold(addWords(pseudo, frame, PAYLOAD, frame.length)) & 0xffff);
}
