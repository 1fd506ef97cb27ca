/**
 * Ethernet frames in words: who sends what to whom. It knows what this chapter's guests send, ARP, ICMP
 * echo and UDP, and names the rest by its number.
 *
 * Sources: RFC 894 (IP over Ethernet), 826 (ARP), 791 (IPv4), 792 (ICMP), 768 (UDP).
 */
import { macAt } from "#layers/07-virtio-net/receive-filter.ts";

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const PROTOCOL_ICMP = 1;
const PROTOCOL_UDP = 17;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
export const ICMP_ECHO_REPLY = 0;
export const ICMP_ECHO_REQUEST = 8;

export const ETHERNET_HEADER = 14;
export const IPV4_HEADER = 20;

export interface Packet {
  /** Hardware addresses, as in `52:54:00:12:34:56`. */
  readonly from: string;
  readonly to: string;
  /** As in "ARP". */
  readonly protocol: string;
  /** As in "who has 10.0.2.2? tell 10.0.2.15". */
  readonly text: string;
  /** Bytes of the frame. */
  readonly length: number;
}

/** What a frame says. Any bytes will do; a frame that ends early is told as such. */
export function describeFrame(frame: Uint8Array): Packet {
  const [to, from] = [macAt(frame, 0), macAt(frame, 6)];
  const { protocol, text } =
    frame.length < ETHERNET_HEADER ? { protocol: "?", text: "shorter than a header" } : payload(frame);
  return { from, to, protocol, text, length: frame.length };
}

type Words = Pick<Packet, "protocol" | "text">;

function payload(frame: Uint8Array): Words {
  const type = word(frame, 12);
  if (type === ETHERTYPE_ARP) return arp(frame);
  if (type === ETHERTYPE_IPV4) return ipv4(frame);
  return { protocol: `0x${type.toString(16).padStart(4, "0")}`, text: `${frame.length} bytes` };
}

function arp(frame: Uint8Array): Words {
  const operation = word(frame, 20);
  const [sender, target] = [ipAt(frame, 28), ipAt(frame, 38)];
  if (operation === ARP_REQUEST) return { protocol: "ARP", text: `who has ${target}? tell ${sender}` };
  if (operation === ARP_REPLY) return { protocol: "ARP", text: `${sender} is at ${macAt(frame, 22)}` };
  return { protocol: "ARP", text: `operation ${operation}` };
}

function ipv4(frame: Uint8Array): Words {
  const data = ETHERNET_HEADER + 4 * (frame[ETHERNET_HEADER]! & 15);
  const [from, to] = [ipAt(frame, 26), ipAt(frame, 30)];
  const way = `${from} → ${to}`;
  const bytes = `${Math.max(0, frame.length - data - 8)} bytes`;
  switch (frame[23]) {
    case PROTOCOL_ICMP: {
      const kind = { [ICMP_ECHO_REQUEST]: "echo request", [ICMP_ECHO_REPLY]: "echo reply" }[
        frame[data] ?? -1
      ];
      const number = kind ? `${kind} ${word(frame, data + 6)}` : `type ${frame[data]}`;
      return { protocol: "ICMP", text: `${way} ${number}, ${bytes}` };
    }
    case PROTOCOL_UDP:
      return { protocol: "UDP", text: `${way} port ${word(frame, data + 2)}, ${bytes}` };
    default:
      return { protocol: "IPv4", text: `${way} protocol ${frame[23]}` };
  }
}

/** The big-endian word at `at`; network byte order. */
export function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** The address of 4 bytes at `at`, as in 10.0.2.15. */
export function ipAt(bytes: Uint8Array, at: number): string {
  return Array.from(bytes.subarray(at, at + 4)).join(".");
}
