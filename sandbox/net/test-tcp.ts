/**
 * A guest's TCP for tests: raw segments to send by hand, and a small end of a connection of its own making
 * that survives loss, repetition and disorder. It shares no code with what it tests.
 */
import type { NetBackend, Offload } from "#layers/07-virtio-net/net-backend.ts";
import type { ManualClock } from "../machine/clock.ts";
import { arp, GATEWAY, GUEST, ipv4, long, type Received, sumOf, take, word } from "./test-guest.ts";

export const [FIN, SYN, RST, PSH, ACK] = [1, 2, 4, 8, 16];

export interface TestSegment {
  readonly from: number;
  readonly to: number;
  readonly sequence: number;
  readonly acknowledgment?: number;
  readonly flags: number;
  readonly window?: number;
  readonly options?: readonly number[];
  readonly data?: readonly number[] | Uint8Array;
  readonly destination?: readonly number[];
}

export function tcp(segment: TestSegment): Uint8Array {
  const { from, to, sequence, acknowledgment = 0, flags, window = 65535, options = [], data = [] } = segment;
  const destination = segment.destination ?? GATEWAY;
  const offset = ((20 + options.length) / 4) << 4;
  const head = [...word(from), ...word(to), ...long(sequence), ...long(acknowledgment), offset, flags];
  const bytes = [...head, ...word(window), 0, 0, 0, 0, ...options, ...data];
  const sum = sumOf([...GUEST, ...destination, 0, 6, ...word(bytes.length), ...bytes]);
  return ipv4(destination, 6, [...bytes.slice(0, 16), ...word(sum), ...bytes.slice(18)]);
}

const at32 = (bytes: readonly number[], at: number) =>
  (bytes[at]! * 256 ** 3 + bytes[at + 1]! * 256 ** 2 + bytes[at + 2]! * 256 + bytes[at + 3]!) >>> 0;

/** The segment in a received packet. */
export function readTcp({ payload, source, protocol, offload, frame }: Received) {
  if (protocol !== 6) throw new Error(`protocol ${protocol}, not TCP`);
  const headerLength = (payload[12]! >> 4) * 4;
  return {
    source,
    offload,
    from: payload[0]! * 256 + payload[1]!,
    to: payload[2]! * 256 + payload[3]!,
    sequence: at32(payload, 4),
    acknowledgment: at32(payload, 8),
    flags: payload[13]!,
    window: payload[14]! * 256 + payload[15]!,
    options: payload.slice(20, headerLength),
    data: frame.subarray(34 + headerLength),
  };
}

const behind = (a: number, b: number) => (a - b) | 0;
const RTO = 300e6;

export interface TestConnectionOptions {
  readonly clock: ManualClock;
  readonly transmit: (frame: Uint8Array) => void;
  readonly from: number;
  readonly to: number;
  readonly destination?: readonly number[];
  /** The receive window in bytes. */
  readonly window?: number;
}

/** A connection's end: opens, sends what it is given with go-back-N, keeps what comes in order. */
export class TestConnection {
  state: "closed" | "syn-sent" | "open" | "reset" = "closed";
  readonly received: number[] = [];
  hasRemoteEnded = false;
  isFinAcknowledged = false;
  window: number;
  readonly #options: TestConnectionOptions;
  readonly #early = new Map<number, { data: Uint8Array; fin: boolean }>();
  #outgoing: number[] = [];
  #base = 1000;
  #next = 1000;
  #receiveNext = 0;
  #peerWindow = 0;
  #isEnding = false;
  #cancel: (() => void) | null = null;
  remotePort: number;

  constructor(options: TestConnectionOptions) {
    this.#options = options;
    this.window = options.window ?? 65535;
    this.remotePort = options.to;
  }

  connect(): void {
    this.state = "syn-sent";
    this.#transmit(SYN, this.#base, []);
    this.#arm();
  }

  send(bytes: readonly number[]): void {
    for (const byte of bytes) this.#outgoing.push(byte);
    this.#pump();
  }

  end(): void {
    this.#isEnding = true;
    this.#pump();
  }

  get unacknowledged(): number {
    return this.#outgoing.length;
  }

  /** Tells the other side of its window. */
  tellWindow(): void {
    this.#transmit(ACK, this.#next, []);
  }

  #transmit(flags: number, sequence: number, data: readonly number[]): void {
    const { from, destination, transmit } = this.#options;
    const acknowledgment = flags & ACK ? this.#receiveNext : 0;
    const segment = { from, to: this.remotePort, sequence, acknowledgment, flags, window: this.window, data };
    const options = flags & SYN ? [2, 4, ...word(1460)] : [];
    transmit(tcp({ ...segment, options, ...(destination ? { destination } : {}) }));
  }

  #pump(): void {
    if (this.state !== "open") return;
    for (;;) {
      const offset = behind(this.#next, this.#base);
      const size = Math.min(1460, this.#outgoing.length - offset, this.#peerWindow - offset);
      const isLast =
        this.#isEnding && !this.isFinAcknowledged && offset + Math.max(size, 0) === this.#outgoing.length;
      if (size <= 0 && !isLast) break;
      const data = this.#outgoing.slice(offset, offset + Math.max(size, 0));
      this.#transmit(ACK | (isLast ? FIN : 0), this.#next, data);
      this.#next = (this.#next + data.length + (isLast ? 1 : 0)) >>> 0;
      if (isLast) break;
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#cancel) return;
    const { clock } = this.#options;
    this.#cancel = clock.schedule(clock.now() + RTO, () => {
      this.#cancel = null;
      if (this.state === "syn-sent") this.#transmit(SYN, 1000, []);
      else if (
        this.state === "open" &&
        (this.#outgoing.length > 0 || (this.#isEnding && !this.isFinAcknowledged))
      ) {
        this.#next = this.#base;
        if (this.#peerWindow === 0) this.#transmit(ACK, this.#base, this.#outgoing.slice(0, 1));
        else this.#pump();
      } else return;
      this.#arm();
    });
  }

  receive(segment: ReturnType<typeof readTcp>): void {
    const { flags, sequence, acknowledgment, data, window } = segment;
    if (flags & RST) {
      this.state = "reset";
      return;
    }
    if (flags & SYN) {
      if (this.state === "closed") {
        this.#receiveNext = (sequence + 1) >>> 0;
        this.#peerWindow = window;
        this.remotePort = segment.from;
        this.#transmit(SYN | ACK, 1000, []);
        this.state = "syn-sent";
        this.#base = this.#next = 1001;
        return;
      }
      if (this.state === "syn-sent" && acknowledgment === 1001) {
        this.#receiveNext = (sequence + 1) >>> 0;
        this.#base = this.#next = 1001;
        this.#peerWindow = window;
        this.state = "open";
      }
      this.#transmit(ACK, this.#next, []);
      this.#pump();
      return;
    }
    if (this.state === "syn-sent") this.state = "open";
    const count = behind(acknowledgment, this.#base);
    if (count > 0) {
      if (count > this.#outgoing.length) this.isFinAcknowledged = true;
      this.#outgoing = this.#outgoing.slice(count);
      this.#base = acknowledgment;
      if (behind(this.#next, this.#base) < 0) this.#next = this.#base;
    }
    if (count >= 0) this.#peerWindow = window;
    if (data.length > 0 || flags & FIN) {
      if (behind(sequence, this.#receiveNext) < this.window) {
        const known = this.#early.get(sequence);
        if (!known || known.data.length <= data.length)
          this.#early.set(sequence, { data, fin: (flags & FIN) !== 0 });
      }
      this.#takeEarly();
      this.#transmit(ACK, this.#next, []);
    }
    this.#pump();
  }

  #takeEarly(): void {
    for (let found = true; found; ) {
      found = false;
      for (const [sequence, { data, fin }] of this.#early) {
        const known = behind(this.#receiveNext, sequence);
        if (known < 0) continue;
        this.#early.delete(sequence);
        const fresh = data.subarray(known);
        for (const byte of fresh) this.received.push(byte);
        this.#receiveNext = (this.#receiveNext + fresh.length) >>> 0;
        if (fin && !this.hasRemoteEnded && known <= data.length) {
          this.hasRemoteEnded = true;
          this.#receiveNext = (this.#receiveNext + 1) >>> 0;
        }
        found = true;
      }
    }
  }
}

/** A queue of what happens later, for `MemorySockets`. */
export class Later {
  readonly #queue: (() => void)[] = [];
  readonly add = (callback: () => void): void => void this.#queue.push(callback);

  /** Runs what is waiting, and what that causes. */
  run(): void {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) next();
  }
}

/** Plugs a guest of several connections into a backend; `pass` decides on what goes over the wire. */
export function tcpGuest(
  backend: NetBackend,
  pass: (frame: Uint8Array, deliver: (frame: Uint8Array) => void) => void = (frame, deliver) =>
    deliver(frame),
) {
  const connections = new Map<number, TestConnection>();
  const strays: Received[] = [];
  backend.onFrame = (frame: Uint8Array, offload: Offload | null = null) => {
    pass(frame, passed => {
      const packet = take(passed, offload);
      const connection = packet.protocol === 6 ? connections.get(readTcp(packet).to) : undefined;
      if (connection) connection.receive(readTcp(packet));
      else strays.push(packet);
    });
    return true;
  };
  backend.send(arp(1, GATEWAY), null);
  strays.length = 0;
  return {
    connections,
    strays,
    transmit: (frame: Uint8Array) => pass(frame, passed => backend.send(passed, null)),
  };
}
