/**
 * A guest's TCP for transfers of many megabytes in tests: in order, lossless, quick; acknowledges, keeps to
 * the window, and with `offloads` sends and takes large frames as a driver of a virtio card does.
 */
import { type NetBackend, NO_OFFLOADS, type Offload } from "#layers/07-virtio-net/net-backend.ts";
import { arp, GATEWAY, GATEWAY_MAC, GUEST, GUEST_MAC, sumOf, take } from "./test-guest.ts";

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];
const WINDOW_SCALE = 7;
const SEGMENT = 1460;

interface Connection {
  readonly remote: readonly number[];
  readonly port: number;
  readonly local: number;
  base: number;
  next: number;
  receiveNext: number;
  window: number;
  scale: number;
  isOpen: boolean;
  hasRemoteEnded: boolean;
  readonly received: Uint8Array[];
  outgoing: Uint8Array;
  isEnding: boolean;
  isEnded: boolean;
  readonly done: (error: Error | null) => void;
  readonly answer: ((bytes: Uint8Array) => Uint8Array) | null;
}

export class FastGuest {
  readonly #backend: NetBackend;
  readonly #offloads: boolean;
  readonly #connections = new Map<number, Connection>();
  readonly #services = new Map<number, (bytes: Uint8Array) => Uint8Array>();
  #port = 10_000;

  constructor(backend: NetBackend, { offloads }: { offloads: boolean }) {
    this.#backend = backend;
    this.#offloads = offloads;
    backend.onFrame = (frame, offload = null) => {
      this.#receive(frame, offload);
      return true;
    };
    backend.guestTakes?.(offloads ? { checksum: true, segmentation: true } : NO_OFFLOADS);
    backend.send(arp(1, GATEWAY), null);
  }

  /** Answers connections to `port`, all that came when the other side has ended. */
  serve(port: number, answer: (bytes: Uint8Array) => Uint8Array): void {
    this.#services.set(port, answer);
  }

  /** Connects to a port, the gateway's if not told, sends the parts, and resolves to all that came until the end. */
  exchange(
    port: number,
    parts: readonly Uint8Array[],
    { endsFirst = false, remote = GATEWAY } = {},
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const local = this.#port++;
      const done = (error: Error | null) => {
        this.#connections.delete(local);
        if (error) reject(error);
        else resolve(join(connection.received));
      };
      const connection = newConnection(remote, port, local, done, null);
      connection.outgoing = join(parts);
      connection.isEnding = endsFirst;
      this.#connections.set(local, connection);
      this.#send(connection, SYN, connection.base, new Uint8Array(0));
      connection.next = connection.base + 1;
    });
  }

  #receive(frame: Uint8Array, offload: Offload | null): void {
    if (frame[12] !== 8 || frame[13] !== 0) return;
    if (frame[23] !== 6) {
      take(frame, offload);
      return;
    }
    const view = new DataView(frame.buffer, frame.byteOffset);
    const flags = frame[47]!;
    const local = view.getUint16(36);
    let connection = this.#connections.get(local);
    const service = this.#services.get(local);
    if (!connection && service && flags & SYN) {
      const done = () => void this.#connections.delete(local);
      connection = newConnection([...frame.subarray(26, 30)], view.getUint16(34), local, done, service);
      this.#connections.set(local, connection);
    }
    if (!connection) return;
    const data = frame.subarray(34 + (frame[46]! >> 4) * 4);
    this.#take(connection, flags, view.getUint32(38), view.getUint32(42), view.getUint16(48), data);
  }

  #take(
    connection: Connection,
    flags: number,
    sequence: number,
    ack: number,
    window: number,
    data: Uint8Array,
  ) {
    if (flags & RST) {
      connection.done(new Error("reset"));
      return;
    }
    if (flags & SYN) {
      connection.receiveNext = (sequence + 1) >>> 0;
      connection.window = window;
      connection.scale = 4;
      if (!(flags & ACK)) {
        const first = connection.base;
        connection.next = connection.base = first + 1;
        connection.isOpen = true;
        this.#send(connection, SYN | ACK, first, new Uint8Array(0));
        return;
      }
      connection.base = ack;
      connection.isOpen = true;
      this.#send(connection, ACK, connection.next, new Uint8Array(0));
    } else {
      if (sequence !== connection.receiveNext && data.length > 0) throw new Error("out of order");
      if (data.length > 0) connection.received.push(data);
      connection.receiveNext = (connection.receiveNext + data.length) >>> 0;
      connection.window = window << connection.scale;
      const count = (ack - connection.base) | 0;
      if (count > 0) {
        connection.outgoing = connection.outgoing.subarray(Math.min(count, connection.outgoing.length));
        connection.base = ack;
      }
      if (flags & FIN) {
        connection.receiveNext = (connection.receiveNext + 1) >>> 0;
        connection.hasRemoteEnded = true;
        if (connection.answer) connection.outgoing = connection.answer(join(connection.received));
        connection.isEnding = true;
      }
      if (data.length > 0 || flags & FIN) this.#send(connection, ACK, connection.next, new Uint8Array(0));
    }
    this.#pump(connection);
  }

  #pump(connection: Connection): void {
    const largest = this.#offloads ? 44 * SEGMENT : SEGMENT;
    for (;;) {
      const offset = (connection.next - connection.base) | 0;
      const size = Math.min(largest, connection.outgoing.length - offset, connection.window - offset);
      if (size <= 0) break;
      const { next } = connection;
      connection.next = (next + size) >>> 0;
      this.#send(connection, ACK, next, connection.outgoing.subarray(offset, offset + size));
      if (this.#connections.get(connection.local) !== connection) return;
    }
    const isAllAcknowledged = connection.outgoing.length === 0;
    if (connection.isEnding && isAllAcknowledged && !connection.isEnded) {
      connection.isEnded = true;
      const { next } = connection;
      connection.next = (next + 1) >>> 0;
      this.#send(connection, ACK | FIN, next, new Uint8Array(0));
    }
    if (connection.isEnded && connection.hasRemoteEnded) connection.done(null);
  }

  #send(
    { remote, local, port, receiveNext }: Connection,
    flags: number,
    sequence: number,
    data: Uint8Array,
  ): void {
    const options = flags & SYN ? [2, 4, SEGMENT >> 8, SEGMENT & 0xff, 1, 3, 3, WINDOW_SCALE] : [];
    const frame = new Uint8Array(54 + options.length + data.length);
    const view = new DataView(frame.buffer);
    frame.set([...GATEWAY_MAC, ...GUEST_MAC, 8, 0, 0x45, 0]);
    view.setUint16(16, frame.length - 14);
    frame.set([0x40, 0, 64, 6, 0, 0, ...GUEST, ...remote], 20);
    view.setUint16(24, sumOf([...frame.subarray(14, 34)]));
    view.setUint16(34, local);
    view.setUint16(36, port);
    view.setUint32(38, sequence);
    view.setUint32(42, flags & ACK ? receiveNext : 0);
    frame[46] = (5 + options.length / 4) << 4;
    frame[47] = flags;
    view.setUint16(48, 0xffff);
    frame.set(options, 54);
    frame.set(data, 54 + options.length);
    const length = frame.length - 34;
    const pseudo = [...GUEST, ...remote, 0, 6, length >> 8, length & 0xff];
    if (!this.#offloads) {
      view.setUint16(50, fullSum(pseudo, frame));
      this.#backend.send(frame, null);
      return;
    }
    view.setUint16(50, 0xffff - sumOf(pseudo));
    const checksum = { start: 34, offset: 16 };
    const segmentation =
      data.length > SEGMENT
        ? ({ protocol: "tcp4", size: SEGMENT, headerLength: 54, hasEcn: false } as const)
        : null;
    this.#backend.send(frame, { checksum, segmentation });
  }
}

function fullSum(pseudo: readonly number[], frame: Uint8Array): number {
  let sum = 0xffff - sumOf(pseudo);
  for (let at = 34; at < frame.length; at += 2) sum += frame[at]! * 256 + (frame[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return 0xffff - sum;
}

function newConnection(
  remote: readonly number[],
  port: number,
  local: number,
  done: (error: Error | null) => void,
  answer: ((bytes: Uint8Array) => Uint8Array) | null,
): Connection {
  return {
    remote,
    port,
    local,
    base: 5000,
    next: 5000,
    receiveNext: 0,
    window: 0,
    scale: 0,
    isOpen: false,
    hasRemoteEnded: false,
    received: [],
    outgoing: new Uint8Array(0),
    isEnding: false,
    isEnded: false,
    done,
    answer,
  };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
