/** Addresses: IPv4 as an unsigned 32-bit number, Ethernet as a string like `52:55:0a:00:02:02`. */

/** An IPv4 address, 0 to 2 ** 32 - 1; 10.0.2.2 is 0x0a00_0202. */
export type Ipv4 = number;

/** A port at an address. */
export interface Endpoint {
  readonly address: Ipv4;
  readonly port: number;
}

export const ANY = 0;
export const LOOPBACK = 0x7f00_0001;
export const EVERYBODY = 0xffff_ffff;

/** The number of an address like `10.0.2.2`; null if it is none. */
export function parseIpv4Address(text: string): Ipv4 | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return null;
  const parts = text.split(".").map(Number);
  if (parts.some(part => part > 255)) return null;
  return parts.reduce((address, part) => address * 256 + part, 0);
}

export function formatIpv4(address: Ipv4): string {
  return [address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff].join(".");
}

export function isMulticast(address: Ipv4): boolean {
  return address >>> 28 === 0b1110;
}

export function isLoopback(address: Ipv4): boolean {
  return address >>> 24 === 127;
}

export function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function read32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
