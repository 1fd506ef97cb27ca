/**
 * A neighbour on the guest's wire for tests: frames by hand, each that the guest sends taken apart and its
 * sums checked.
 */
import { expect } from "vitest";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import type { Dialogue } from "../machine/dialogue.ts";
import { long, sumOf, word } from "../net/test-guest.ts";
import { bootGuest, MAC } from "./guest-dialogue.ts";

export const GUEST = [10, 0, 2, 15];
export const PEER = [10, 0, 2, 2];
const GUEST_MAC = MAC.split(":").map(digits => Number.parseInt(digits, 16));
const PEER_MAC = [0x52, 0x55, 10, 0, 2, 2];
export const BROADCAST = [255, 255, 255, 255];
const EVERY_CARD = [255, 255, 255, 255, 255, 255];

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;

/** An IP packet that the guest sent. */
export interface Packet {
  readonly protocol: number;
  /** Guest time in nanoseconds. */
  readonly time: number;
  readonly source: readonly number[];
  readonly destination: readonly number[];
  readonly payload: Uint8Array;
}

const read16 = (bytes: Uint8Array, at: number) => bytes[at]! * 256 + bytes[at + 1]!;
const put16 = (bytes: number[], at: number, value: number) => bytes.splice(at, 2, ...word(value));

export class Peer implements NetBackend {
  onFrame: NetBackend["onFrame"] = null;
  /** Frames with an ARP packet, and IP packets, in their order; whoever waits takes them away. */
  readonly arp: Uint8Array[] = [];
  readonly packets: Packet[] = [];
  answersArp = true;
  now = () => 0;
  /** Frames that the guest's card has no room for yet. */
  readonly #waiting: Uint8Array[] = [];

  send(frame: Uint8Array): void {
    expect(frame.length).toBeGreaterThanOrEqual(60);
    expect([...frame.subarray(6, 12)]).toEqual(GUEST_MAC);
    const type = read16(frame, 12);
    if (type === 0x0806) {
      this.arp.push(frame);
      const isForUs = PEER.every((byte, at) => frame[38 + at] === byte);
      if (this.answersArp && isForUs && frame[21] === 1) this.sendArp(2);
      return;
    }
    expect(type).toBe(0x0800);
    expect(frame[14]).toBe(0x45);
    expect(sumOf([...frame.subarray(14, 34)])).toBe(0);
    const length = read16(frame, 16);
    expect(length).toBeLessThanOrEqual(frame.length - 14);
    const packet = {
      protocol: frame[23]!,
      time: this.now(),
      source: [...frame.subarray(26, 30)],
      destination: [...frame.subarray(30, 34)],
      payload: frame.slice(34, 14 + length),
    };
    const sum = packet.protocol === ICMP ? [] : pseudoHeader(packet, packet.payload.length);
    expect(sumOf([...sum, ...packet.payload])).toBe(0);
    this.packets.push(packet);
  }

  /** A frame for the guest. */
  deliver(frame: Iterable<number>): void {
    this.#waiting.push(Uint8Array.from(frame));
    this.roomAgain();
  }

  roomAgain(): void {
    while (this.#waiting.length > 0 && this.onFrame!(this.#waiting[0]!, null)) this.#waiting.shift();
  }

  /** Request (1) or reply (2) about the guest's address, or another. */
  sendArp(operation: number, target: readonly number[] = GUEST, sender: readonly number[] = PEER): void {
    const head = [0, 1, 8, 0, 6, 4, 0, operation];
    const to = operation === 1 ? EVERY_CARD : GUEST_MAC;
    const body = [...head, ...PEER_MAC, ...sender, ...(operation === 1 ? [0, 0, 0, 0, 0, 0] : to), ...target];
    this.deliver([...to, ...PEER_MAC, 0x08, 0x06, ...body]);
  }

  sendIp(protocol: number, payload: readonly number[], { to = GUEST, from = PEER, fragment = 0 } = {}): void {
    this.deliver(ipFrame(protocol, payload, { to, from, fragment }));
  }

  sendIcmp(type: number, code: number, rest: readonly number[]): void {
    const bytes = [type, code, 0, 0, ...rest];
    put16(bytes, 2, sumOf(bytes));
    this.sendIp(ICMP, bytes);
  }

  sendUdp(ports: readonly [from: number, to: number], data: readonly number[], to = GUEST): void {
    const bytes = [...word(ports[0]), ...word(ports[1]), ...word(8 + data.length), 0, 0, ...data];
    put16(
      bytes,
      6,
      sumOf([...pseudoHeader({ source: PEER, destination: to, protocol: UDP }, bytes.length), ...bytes]),
    );
    this.sendIp(UDP, bytes, { to });
  }
}

function pseudoHeader(
  { source, destination, protocol }: Pick<Packet, "source" | "destination" | "protocol">,
  length: number,
): number[] {
  return [...source, ...destination, 0, protocol, ...word(length)];
}

export function ipFrame(
  protocol: number,
  payload: readonly number[],
  { to = GUEST, from = PEER, fragment = 0 } = {},
): number[] {
  const header = [
    0x45,
    0,
    ...word(20 + payload.length),
    0,
    1,
    ...word(fragment),
    64,
    protocol,
    0,
    0,
    ...from,
    ...to,
  ];
  put16(header, 10, sumOf(header));
  const mac = to[3] === 255 ? EVERY_CARD : GUEST_MAC;
  return [...mac, ...PEER_MAC, 0x08, 0x00, ...header, ...payload];
}

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

/** A TCP segment. The numbers are absolute, as on the wire. */
export interface Segment {
  readonly time: number;
  readonly from: number;
  readonly to: number;
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly window: number;
  readonly options: readonly number[];
  readonly data: Uint8Array;
}

export function tcpBytes(segment: Partial<Segment>): number[] {
  const { from = 40_000, to = 80, flags = ACK, sequence = 0, acknowledgment = 0, window = 65_535 } = segment;
  const { options = [], data = new Uint8Array(0) } = segment;
  const offset = ((20 + options.length) / 4) << 4;
  const numbers = [...long(sequence >>> 0), ...long(acknowledgment >>> 0)];
  const head = [...word(from), ...word(to), ...numbers, offset, flags, ...word(window), 0, 0, 0, 0];
  const bytes = [...head, ...options, ...data];
  const sum = pseudoHeader({ source: PEER, destination: GUEST, protocol: TCP }, bytes.length);
  put16(bytes, 16, sumOf([...sum, ...bytes]));
  return bytes;
}

export function parseTcp({ payload, time }: Packet): Segment {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const length = (payload[12]! >> 4) * 4;
  return {
    time,
    from: view.getUint16(0),
    to: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags: payload[13]!,
    window: view.getUint16(14),
    options: [...payload.subarray(20, length)],
    data: payload.subarray(length),
  };
}

/** The guest at its prompt, with the peer on its wire. */
export class Wire {
  readonly peer = new Peer();
  readonly dialogue: Dialogue;

  constructor(commandLine = "ip=10.0.2.15/24,10.0.2.2") {
    const network = { backend: this.peer, mac: MAC, transport: "mmio" } as const;
    this.dialogue = bootGuest(commandLine, { network });
    this.peer.now = () => this.now;
  }

  /** Waits for the prompt. */
  atPrompt(): this {
    this.dialogue.until("\n> ");
    this.peer.packets.length = this.peer.arp.length = 0;
    return this;
  }

  /** Runs until the guest has sent an IP packet like that, and takes it. */
  #take(isIt: (packet: Packet) => boolean, what: string, seconds: number): Packet {
    const { packets } = this.peer;
    this.dialogue.untilTrue(() => packets.some(isIt), what, seconds * 1e9);
    return packets.splice(packets.findIndex(isIt), 1)[0]!;
  }

  next(protocol: number, seconds = 60): Packet {
    return this.#take(packet => packet.protocol === protocol, `a packet of protocol ${protocol}`, seconds);
  }

  /** The next segment to a port of the peer, or to any. */
  nextTcp(port?: number, seconds = 60): Segment {
    const isIt = (packet: Packet) =>
      packet.protocol === TCP && (port === undefined || parseTcp(packet).to === port);
    return parseTcp(this.#take(isIt, "a TCP segment", seconds));
  }

  sendTcp(segment: Partial<Segment>): void {
    this.peer.sendIp(TCP, tcpBytes(segment));
  }

  /** How many packets come while guest time goes on, in milliseconds. */
  count(milliseconds: number): number {
    const before = this.peer.packets.length;
    this.dialogue.pass(milliseconds * 1e6);
    return this.peer.packets.length - before;
  }

  /** Nanoseconds of guest time. */
  get now(): number {
    return this.dialogue.machine.parts.time.clock.now();
  }
}

export const text = (words: string): Uint8Array => new TextEncoder().encode(words);
