/**
 * IPv4 packets, in Ethernet frames.
 *
 *     frame:  0 destination (6)   6 source (6)   12 type (2)   14 packet
 *     packet: 0 version, header length   2 total length   4 identification   6 flags, fragment offset
 *             8 time to live   9 protocol   10 header checksum   12 source   16 destination   20 options
 *
 * Source: RFC 791, 3.1; RFC 894.
 */
import { type Ipv4, read16, read32, write16, write32 } from "./addresses.ts";
import { checksum } from "./checksum.ts";

export const ETHERNET_HEADER = 14;
export const ETHERTYPE = 12;
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;

export const IPV4_HEADER = 20;
/** Where a packet's data begins in the frames that are made here. */
export const PAYLOAD = ETHERNET_HEADER + IPV4_HEADER;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

export interface Ipv4Packet {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly protocol: number;
  readonly timeToLive: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Where `payload` belongs in the datagram, in bytes. */
  readonly fragmentOffset: number;
  readonly payload: Uint8Array;
  /** Header and data as they came, without what an Ethernet frame is padded with. */
  readonly bytes: Uint8Array;
}

/** The packet in a frame; null if it is malformed or its header's sum is wrong. */
export function parseIpv4(frame: Uint8Array): Ipv4Packet | null {
  const packet = frame.subarray(ETHERNET_HEADER);
  if (packet.length < IPV4_HEADER || packet[0]! >> 4 !== 4) return null;
  const headerLength = (packet[0]! & 0xf) * 4;
  const length = read16(packet, 2);
  if (headerLength < IPV4_HEADER || length < headerLength || length > packet.length) return null;
  if (checksum(packet, 0, headerLength) !== 0) return null;
  const fragment = read16(packet, 6);
  const fragmentOffset = (fragment & 0x1fff) * 8;
  if (fragmentOffset + length - headerLength > 0xffff - IPV4_HEADER) return null;
  return {
    source: read32(packet, 12),
    destination: read32(packet, 16),
    protocol: packet[9]!,
    timeToLive: packet[8]!,
    identification: read16(packet, 4),
    dontFragment: (fragment & DONT_FRAGMENT) !== 0,
    moreFragments: (fragment & MORE_FRAGMENTS) !== 0,
    fragmentOffset,
    payload: packet.subarray(headerLength, length),
    bytes: packet.subarray(0, length),
  };
}

export interface Ipv4Header {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly protocol: number;
  /** Bytes of data. */
  readonly length: number;
  readonly identification?: number;
  readonly fragmentOffset?: number;
  readonly moreFragments?: boolean;
  readonly dontFragment?: boolean;
}

/** A frame with this header, room for the data at `PAYLOAD`, and its Ethernet addresses left open. */
export function makeIpv4(header: Ipv4Header): Uint8Array {
  const { source, destination, protocol, length, identification = 0, fragmentOffset = 0 } = header;
  const frame = new Uint8Array(PAYLOAD + length);
  write16(frame, ETHERTYPE, ETHERTYPE_IPV4);
  const at = ETHERNET_HEADER;
  frame[at] = 0x45;
  write16(frame, at + 2, IPV4_HEADER + length);
  write16(frame, at + 4, identification);
  const flags = (header.moreFragments ? MORE_FRAGMENTS : 0) | (header.dontFragment ? DONT_FRAGMENT : 0);
  write16(frame, at + 6, flags | (fragmentOffset / 8));
  frame[at + 8] = 64;
  frame[at + 9] = protocol;
  write32(frame, at + 12, source);
  write32(frame, at + 16, destination);
  write16(frame, at + 10, checksum(frame, at, at + IPV4_HEADER));
  return frame;
}

/** Cuts a frame of `makeIpv4` into fragments whose packets have at most `mtu` bytes. */
export function fragmentIpv4(frame: Uint8Array, mtu: number, identification: number): Uint8Array[] {
  if (frame.length - ETHERNET_HEADER <= mtu) return [frame];
  const source = read32(frame, ETHERNET_HEADER + 12);
  const destination = read32(frame, ETHERNET_HEADER + 16);
  const protocol = frame[ETHERNET_HEADER + 9]!;
  const size = (mtu - IPV4_HEADER) & ~7;
  const fragments: Uint8Array[] = [];
  for (let done = 0; done < frame.length - PAYLOAD; done += size) {
    const data = frame.subarray(PAYLOAD + done, PAYLOAD + done + size);
    const moreFragments = PAYLOAD + done + size < frame.length;
    const fragmentOffset = done;
    const length = data.length;
    const fragment = makeIpv4({
      source,
      destination,
      protocol,
      length,
      identification,
      fragmentOffset,
      moreFragments,
    });
    fragment.set(data, PAYLOAD);
    fragments.push(fragment);
  }
  return fragments;
}
