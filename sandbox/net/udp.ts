/**
 * UDP datagrams.
 *
 *     0 source port   2 destination port   4 length   6 checksum (0: none)   8 data
 *
 * Source: RFC 768.
 */
import { type Endpoint, read16, write16 } from "./addresses.ts";
import { addWords, fold, pseudoHeader } from "./checksum.ts";
import { type Ipv4Packet, makeIpv4, PAYLOAD, UDP } from "./ipv4.ts";

export const UDP_HEADER = 8;

export interface Datagram {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly data: Uint8Array;
}

/** The datagram in a packet; null if it is malformed or, where that is to be seen, its sum is wrong. */
export function parseUdp(packet: Ipv4Packet, isSumLeftOut: boolean): Datagram | null {
  const { source, destination, payload } = packet;
  if (payload.length < UDP_HEADER) return null;
  const length = read16(payload, 4);
  if (length < UDP_HEADER || length > payload.length) return null;
  const isSummed = read16(payload, 6) !== 0 && !isSumLeftOut;
  const pseudo = pseudoHeader(source, destination, UDP, length);
  if (isSummed && fold(addWords(pseudo, payload, 0, length)) !== 0xffff) return null;
  return {
    from: { address: source, port: read16(payload, 0) },
    to: { address: destination, port: read16(payload, 2) },
    data: payload.subarray(UDP_HEADER, length),
  };
}

/** A datagram as a frame without Ethernet addresses. */
export function makeUdp({ from, to, data }: Datagram): Uint8Array {
  const length = UDP_HEADER + data.length;
  const frame = makeIpv4({ source: from.address, destination: to.address, protocol: UDP, length });
  write16(frame, PAYLOAD, from.port);
  write16(frame, PAYLOAD + 2, to.port);
  write16(frame, PAYLOAD + 4, length);
  frame.set(data, PAYLOAD + UDP_HEADER);
  const pseudo = pseudoHeader(from.address, to.address, UDP, length);
  // A sum of 0 is sent as its other spelling, since 0 says that there is none.
  write16(frame, PAYLOAD + 6, ~fold(addWords(pseudo, frame, PAYLOAD, frame.length)) & 0xffff || 0xffff);
  return frame;
}
