/**
 * The other end of the cable: a host at 10.0.2.2 that answers ARP requests and echo requests, after the time
 * that light and its own processor would need.
 *
 * It is a `NetBackend`, and so small that you can read it: the sandbox has a whole network in its place.
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import { completeChecksum } from "#layers/07-virtio-net/net-header.ts";
import { macBytes } from "#layers/07-virtio-net/receive-filter.ts";
import {
  ARP_REPLY,
  ARP_REQUEST,
  ETHERNET_HEADER,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  IPV4_HEADER,
  ipAt,
  PROTOCOL_ICMP,
  word,
} from "./packets.ts";

export const PEER_MAC = "52:55:0a:00:02:02";
export const PEER_IP = "10.0.2.2";
const ANSWER_NANOSECONDS = 150_000;
const ICMP = ETHERNET_HEADER + IPV4_HEADER;

/** A frame passes: `"out"` from the guest, `"in"` to it. */
export type Watcher = (direction: "out" | "in", frame: Uint8Array) => void;

/** An answer on its way; `at` in nanoseconds of guest time. */
interface Arrival<Frame> {
  readonly at: number;
  readonly frame: Frame;
}

export interface WireState {
  readonly onTheWay: readonly Arrival<readonly number[]>[];
  readonly waiting: readonly (readonly number[])[];
}

export class Wire implements NetBackend {
  onFrame: NetBackend["onFrame"] = null;
  #onTheWay: Arrival<Uint8Array>[] = [];
  /** Answers for which the guest had no room. */
  #waiting: Uint8Array[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly watch: Watcher,
  ) {}

  send(frame: Uint8Array): void {
    this.watch("out", frame);
    const answer = answerTo(frame);
    if (answer) this.#schedule({ at: this.clock.now() + ANSWER_NANOSECONDS, frame: answer });
  }

  roomAgain(): void {
    const frames = this.#waiting;
    this.#waiting = [];
    for (const frame of frames) this.#deliver(frame);
  }

  save(): WireState {
    return {
      onTheWay: this.#onTheWay.map(({ at, frame }) => ({ at, frame: [...frame] })),
      waiting: this.#waiting.map(frame => [...frame]),
    };
  }

  /** For a wire on which nothing has passed, and a clock that has come to the moment of the `save`. */
  restore({ onTheWay, waiting }: WireState): void {
    this.#waiting = waiting.map(frame => Uint8Array.from(frame));
    for (const { at, frame } of onTheWay) this.#schedule({ at, frame: Uint8Array.from(frame) });
  }

  #schedule(arrival: Arrival<Uint8Array>): void {
    this.#onTheWay.push(arrival);
    this.clock.schedule(arrival.at, () => {
      // All take equally long, so the first on its way is the first to arrive.
      this.#onTheWay.shift();
      this.#deliver(arrival.frame);
    });
  }

  #deliver(frame: Uint8Array): void {
    // Who waits stays in order.
    if (this.#waiting.length > 0 || !this.onFrame?.(frame)) this.#waiting.push(frame);
    else this.watch("in", frame);
  }
}

/** What the host at 10.0.2.2 answers to a frame; null if it says nothing. */
export function answerTo(frame: Uint8Array): Uint8Array | null {
  const type = word(frame, 12);
  if (type === ETHERTYPE_ARP) return answerToArp(frame);
  if (type === ETHERTYPE_IPV4 && frame[23] === PROTOCOL_ICMP) return answerToEcho(frame);
  return null;
}

function answerToArp(frame: Uint8Array): Uint8Array | null {
  if (word(frame, 20) !== ARP_REQUEST || ipAt(frame, 38) !== PEER_IP) return null;
  const answer = frame.slice();
  answer[21] = ARP_REPLY;
  answer.copyWithin(32, 22, 32); // who asks is the target
  answer.set(macBytes(PEER_MAC), 22);
  answer.set(frame.subarray(38, 42), 28);
  return addressed(answer, frame);
}

/** An echo whose checksum is wrong gets no answer, as from any host. */
function answerToEcho(frame: Uint8Array): Uint8Array | null {
  const length = word(frame, 16);
  const isEcho = frame[ICMP] === ICMP_ECHO_REQUEST && ipAt(frame, 30) === PEER_IP;
  if (!isEcho || frame.length < ETHERNET_HEADER + length || length < IPV4_HEADER + 8) return null;
  const request = frame.subarray(0, ETHERNET_HEADER + length);
  if (sum(request.subarray(ETHERNET_HEADER, ICMP)) !== 0xffff || sum(request.subarray(ICMP)) !== 0xffff) {
    return null;
  }
  const answer = request.slice();
  answer.copyWithin(26, 30, 34);
  answer.set(request.subarray(26, 30), 30);
  answer[ICMP] = ICMP_ECHO_REPLY;
  answer.fill(0, ICMP + 2, ICMP + 4);
  completeChecksum(answer, { start: ICMP, offset: 2 });
  return addressed(answer, frame);
}

function addressed(answer: Uint8Array, request: Uint8Array): Uint8Array {
  answer.set(request.subarray(6, 12), 0);
  answer.set(macBytes(PEER_MAC), 6);
  return answer;
}

/** Ones' complement sum of big-endian words; 0xffff where the checksum among them is right (RFC 1071). */
function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += word(bytes, at);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}
