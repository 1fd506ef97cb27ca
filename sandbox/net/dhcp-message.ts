/**
 * Messages of the Dynamic Host Configuration Protocol.
 *
 *     0 op  1 htype  2 hlen  3 hops  4 xid (4)  8 secs (2)  10 flags (2)  12 ciaddr  16 yiaddr  20 siaddr
 *     24 giaddr  28 chaddr (16)  44 sname (64)  108 file (128)  236 magic cookie (4)  240 options
 *
 * Source: RFC 2131, 2; options: RFC 2132.
 */
import { type Ipv4, read16, read32, write16, write32 } from "./addresses.ts";

const REQUEST = 1;
const REPLY = 2;
const ETHERNET = 1;
const COOKIE = 0x6382_5363;
const OPTIONS = 240;
const SNAME = 44;
const FILE = 108;
const BROADCAST_FLAG = 0x8000;
/** BOOTP's smallest message, which some clients insist on (RFC 1542, 2.1). */
const SMALLEST = 300;

const PAD = 0;
const END = 255;
const OVERLOAD = 52;

export const SUBNET_MASK = 1;
export const ROUTER = 3;
export const NAME_SERVER = 6;
export const INTERFACE_MTU = 26;
export const BROADCAST_ADDRESS = 28;
export const REQUESTED_ADDRESS = 50;
export const LEASE_TIME = 51;
export const MESSAGE_TYPE = 53;
export const SERVER_IDENTIFIER = 54;
export const MESSAGE = 56;
export const RENEWAL_TIME = 58;
export const REBINDING_TIME = 59;

export const DISCOVER = 1;
export const OFFER = 2;
export const REQUEST_ADDRESS = 3;
export const DECLINE = 4;
export const ACK = 5;
export const NAK = 6;
export const RELEASE = 7;
export const INFORM = 8;

export interface DhcpRequest {
  readonly type: number;
  readonly transaction: number;
  readonly wantsBroadcast: boolean;
  readonly clientAddress: Ipv4;
  /** As in `52:54:00:12:34:56`. */
  readonly mac: string;
  readonly requestedAddress: Ipv4 | null;
  readonly server: Ipv4 | null;
  /** The whole message. */
  readonly bytes: Uint8Array;
}

/** A client's message; null if it is none that a server could answer. */
export function parseDhcp(bytes: Uint8Array): DhcpRequest | null {
  if (bytes.length < OPTIONS || bytes[0] !== REQUEST || bytes[1] !== ETHERNET || bytes[2] !== 6) return null;
  if (read32(bytes, 236) !== COOKIE) return null;
  const options = new Map<number, Uint8Array>();
  parseOptions(bytes.subarray(OPTIONS), options);
  const overload = options.get(OVERLOAD)?.[0] ?? 0;
  if (overload & 1) parseOptions(bytes.subarray(FILE, 236), options);
  if (overload & 2) parseOptions(bytes.subarray(SNAME, FILE), options);
  const address = (option: number) => {
    const value = options.get(option);
    return value?.length === 4 ? read32(value, 0) : null;
  };
  return {
    type: options.get(MESSAGE_TYPE)?.[0] ?? 0,
    transaction: read32(bytes, 4),
    wantsBroadcast: (read16(bytes, 10) & BROADCAST_FLAG) !== 0,
    clientAddress: read32(bytes, 12),
    mac: Array.from(bytes.subarray(28, 34), byte => byte.toString(16).padStart(2, "0")).join(":"),
    requestedAddress: address(REQUESTED_ADDRESS),
    server: address(SERVER_IDENTIFIER),
    bytes,
  };
}

function parseOptions(bytes: Uint8Array, options: Map<number, Uint8Array>): void {
  for (let at = 0; at < bytes.length && bytes[at] !== END; ) {
    const code = bytes[at++]!;
    if (code === PAD) continue;
    const length = bytes[at++] ?? 0;
    if (at + length > bytes.length) return;
    options.set(code, bytes.subarray(at, at + length));
    at += length;
  }
}

/** The answer to `request`: its type, the client's address, and options of whole bytes. */
export function makeDhcp(
  request: DhcpRequest,
  address: Ipv4,
  options: readonly (readonly [code: number, value: Uint8Array])[],
): Uint8Array {
  const length = options.reduce((sum, [, value]) => sum + 2 + value.length, OPTIONS + 1);
  const bytes = new Uint8Array(Math.max(length, SMALLEST));
  bytes[0] = REPLY;
  bytes[1] = ETHERNET;
  bytes[2] = 6;
  write32(bytes, 4, request.transaction);
  write16(bytes, 10, request.wantsBroadcast ? BROADCAST_FLAG : 0);
  write32(bytes, 12, request.clientAddress);
  write32(bytes, 16, address);
  bytes.set(request.bytes.subarray(28, 44), 28);
  write32(bytes, 236, COOKIE);
  let at = OPTIONS;
  for (const [code, value] of options) {
    bytes[at] = code;
    bytes[at + 1] = value.length;
    bytes.set(value, at + 2);
    at += 2 + value.length;
  }
  bytes[at] = END;
  return bytes;
}

/** Addresses or other 32-bit numbers as an option's value. */
export function option32(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  values.forEach((value, index) => {
    write32(bytes, 4 * index, value);
  });
  return bytes;
}
