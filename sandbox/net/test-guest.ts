/**
 * A guest's side of the wire for tests: makes frames by hand and reads what comes, on code of its own, so
 * that a fault in the network's does not hide itself.
 */
import type { NetBackend, Offload } from "#layers/07-virtio-net/net-backend.ts";

export const GUEST = [10, 0, 2, 15];
export const GUEST_MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
export const GATEWAY = [10, 0, 2, 2];
export const DNS = [10, 0, 2, 3];
export const GATEWAY_MAC = [0x52, 0x55, 10, 0, 2, 2];

export const word = (value: number) => [(value >>> 8) & 0xff, value & 0xff];
export const long = (value: number) => [...word(value >>> 16), ...word(value & 0xffff)];

/** The Internet checksum of bytes whose own sum field is 0. */
export function sumOf(bytes: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += bytes[at]! * 256 + (bytes[at + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

/** `bytes` with the sum over `covered` put at `at`. */
function withSum(bytes: number[], at: number, before: readonly number[] = []): number[] {
  const sum = sumOf([...before, ...bytes]);
  return [...bytes.slice(0, at), ...word(sum), ...bytes.slice(at + 2)];
}

export interface PacketOptions {
  readonly source?: readonly number[];
  readonly ttl?: number;
  readonly id?: number;
  /** The word of flags and fragment offset. */
  readonly fragment?: number;
}

export function ethernet(type: number, payload: readonly number[], to = GATEWAY_MAC): Uint8Array {
  return Uint8Array.from([...to, ...GUEST_MAC, ...word(type), ...payload]);
}

export function ipv4(
  destination: readonly number[],
  protocol: number,
  payload: readonly number[],
  { source = GUEST, ttl = 64, id = 1, fragment = 0 }: PacketOptions = {},
): Uint8Array {
  const length = 20 + payload.length;
  const header = [0x45, 0, ...word(length), ...word(id), ...word(fragment), ttl, protocol, 0, 0];
  return ethernet(0x0800, [...withSum([...header, ...source, ...destination], 10), ...payload]);
}

export function icmp(type: number, code: number, rest: readonly number[]): number[] {
  return withSum([type, code, 0, 0, ...rest], 2);
}

export function udp(
  destination: readonly number[],
  ports: readonly [from: number, to: number],
  data: readonly number[],
  source: readonly number[] = GUEST,
): number[] {
  const length = word(8 + data.length);
  const bytes = [...word(ports[0]), ...word(ports[1]), ...length, 0, 0, ...data];
  return withSum(bytes, 6, [...source, ...destination, 0, 17, ...length]);
}

export function arp(
  operation: number,
  target: readonly number[],
  sender: readonly number[] = GUEST,
  targetMac: readonly number[] = [0, 0, 0, 0, 0, 0],
): Uint8Array {
  const head = [0, 1, 8, 0, 6, 4, ...word(operation)];
  const broadcast = [255, 255, 255, 255, 255, 255];
  return ethernet(0x0806, [...head, ...GUEST_MAC, ...sender, ...targetMac, ...target], broadcast);
}

/** A frame that came, taken apart. */
export interface Received {
  readonly frame: Uint8Array;
  readonly offload: Offload | null;
  readonly to: number[];
  readonly from: number[];
  readonly type: number;
  readonly source: number[];
  readonly destination: number[];
  readonly protocol: number;
  /** The word of flags and fragment offset. */
  readonly fragment: number;
  /** What follows the IP header, or the Ethernet header of what is no IP. */
  readonly payload: number[];
}

/** Takes a frame apart; throws if a sum that must be right is wrong. */
export function take(frame: Uint8Array, offload: Offload | null = null): Received {
  const bytes = [...frame];
  const type = bytes[12]! * 256 + bytes[13]!;
  const [to, from] = [bytes.slice(0, 6), bytes.slice(6, 12)];
  const common = { frame, offload, to, from, type };
  if (type !== 0x0800) {
    return { ...common, source: [], destination: [], protocol: -1, fragment: 0, payload: bytes.slice(14) };
  }
  if (sumOf(bytes.slice(14, 34)) !== 0) throw new Error("a wrong sum over an IP header");
  const length = bytes[16]! * 256 + bytes[17]!;
  if (length !== bytes.length - 14) throw new Error(`an IP length of ${length} in ${bytes.length} bytes`);
  const protocol = bytes[23]!;
  const payload = bytes.slice(34);
  const [source, destination] = [bytes.slice(26, 30), bytes.slice(30, 34)];
  const fragment = bytes[20]! * 256 + bytes[21]!;
  const isWhole = (fragment & 0x3fff) === 0;
  const pseudo = protocol === 1 ? [] : [...source, ...destination, 0, protocol, ...word(payload.length)];
  if (isWhole && !offload?.checksum && sumOf([...pseudo, ...payload]) !== 0) {
    throw new Error(`a wrong sum over protocol ${protocol}`);
  }
  return { ...common, source, destination, protocol, fragment, payload };
}

/** Plugs an ear into a backend and gathers what comes. */
export function listen(backend: NetBackend) {
  const wire = { frames: [] as Received[], hasRoom: true };
  backend.onFrame = (frame, offload = null) => {
    if (wire.hasRoom) wire.frames.push(take(frame, offload));
    return wire.hasRoom;
  };
  return {
    wire,
    /** Sends a frame and returns what came since the last look. */
    send(frame: Uint8Array, offload: Offload | null = null): Received[] {
      backend.send(frame, offload);
      return wire.frames.splice(0);
    },
    received: () => wire.frames.splice(0),
  };
}
