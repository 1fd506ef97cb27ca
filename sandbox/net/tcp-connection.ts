/**
 * One end of a TCP connection: the network's, towards a guest.
 *
 * It knows nothing of frames or of the host: segments, bytes and events go to its `TcpUser`. What is received goes up at once and counts against the window until the user has got rid
 * of it; what is to be sent waits here until the guest acknowledged it.
 *
 * Source: RFC 9293; window scale: RFC 7323; resets and strays: RFC 5961.
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import { ByteRing } from "./byte-ring.ts";
import { CongestionControl } from "./congestion.ts";
import { PIECE_COST, withoutRest } from "./kept-bytes.ts";
import { RetransmissionTimeout } from "./retransmission-timeout.ts";
import { TcpReassembly } from "./tcp-reassembly.ts";
import { ACK, distance, FIN, PSH, RST, SYN, type TcpSegment } from "./tcp-segment.ts";

export type TcpState =
  /** The guest's SYN is here; whether it is answered depends on the host. */
  | "opening"
  | "syn-sent"
  | "syn-received"
  | "established"
  | "fin-wait-1"
  | "fin-wait-2"
  | "close-wait"
  | "closing"
  | "last-ack"
  | "time-wait"
  | "closed";

/** A segment to send; its data are `length` bytes of `ring` from `offset` on. */
export interface OutgoingSegment {
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly window: number;
  readonly maximumSegmentSize: number | null;
  readonly windowScale: number | null;
  readonly ring: ByteRing;
  readonly offset: number;
  readonly length: number;
  /** Data beyond this many bytes are to be cut into as many segments. */
  readonly segmentSize: number;
}

export interface TcpWire {
  readonly clock: Clock;
  /** The largest segment that the wire takes, in bytes of data. */
  readonly maximumSegmentSize: number;
  /** There is no room now; `stalled` is told who waits for it, to be pumped later. */
  readonly isBlocked: boolean;
  stalled(connection: TcpConnection): void;
  /** How much one `send` takes of data that are cut into segments of `segmentSize`. */
  mostData(segmentSize: number): number;
}

export interface TcpUser {
  /** A segment for the guest; what it tells of the ring holds during the call. */
  send(segment: OutgoingSegment): void;
  /** Bytes from the guest, the user's to keep; once it is rid of them it calls `consumed`. */
  received(bytes: Uint8Array): void;
  /** The guest sends no more. */
  ended(): void;
  /** There is less to be sent than before. */
  acknowledged(): void;
  /** Nothing comes after this. Not called for `abort`. */
  closed(how: "finished" | "reset" | "timed out"): void;
}

/** What is received and not consumed, in bytes and cost. */
const RECEIVE_LIMIT = 0x4_0000;
const OWN_WINDOW_SCALE = 4;
const DEFAULT_SEGMENT_SIZE = 536; // RFC 9293, 3.7.1
const SMALLEST_SEGMENT_SIZE = 64;

const MOST_SYNS = 6;
const MOST_RETRIES = 12;
const ACK_DELAY = 40e6;
/** Twice the maximum segment lifetime, as short as on a wire with no routers behind it. */
const TIME_WAIT = 60e9;

const SENDS: ReadonlySet<TcpState> = new Set<TcpState>([
  "established",
  "close-wait",
  "fin-wait-1",
  "closing",
  "last-ack",
]);
const RECEIVES: ReadonlySet<TcpState> = new Set<TcpState>(["established", "fin-wait-1", "fin-wait-2"]);

export class TcpConnection {
  state: TcpState = "closed";
  lastActivity: number;
  readonly #wire: TcpWire;
  readonly #user: TcpUser;

  // What is sent: acknowledged up to `una`, goes on at `next`, never was beyond `most`.
  readonly #ring = new ByteRing();
  #una: number;
  #next: number;
  #most: number;
  #sendWindow = 0;
  #windowSequence = 0;
  #windowAcknowledgment = 0;
  #sendScale = 0;
  #segmentSize = DEFAULT_SEGMENT_SIZE;
  #congestion: CongestionControl;
  #isEnding = false;
  #duplicates = 0;
  #retries = 0;
  readonly #timeout = new RetransmissionTimeout();
  /** The one segment whose round trip is timed. */
  #timed: { readonly end: number; readonly at: number } | null = null;

  // What is received: in order up to `receiveNext`, promised up to `edge`.
  #receiveNext = 0;
  #edge = 0;
  #receiveScale = 0;
  #hasScale = true;
  readonly #reassembly = new TcpReassembly(RECEIVE_LIMIT);
  #unconsumed = 0;
  #finAt: number | null = null;
  #unacknowledged = 0;
  #mustAcknowledge = false;

  #timeoutAt = Number.POSITIVE_INFINITY;
  #ackAt = Number.POSITIVE_INFINITY;
  #alarmAt = Number.POSITIVE_INFINITY;
  #cancelAlarm: () => void = () => {};

  constructor(wire: TcpWire, user: TcpUser, initialSequence: number) {
    this.#wire = wire;
    this.#user = user;
    this.#una = this.#next = this.#most = initialSequence;
    this.#congestion = new CongestionControl(this.#segmentSize);
    this.lastActivity = wire.clock.now();
  }

  /** Bytes that are not acknowledged yet, sent or not. */
  get unsent(): number {
    return this.#ring.length;
  }

  /** What the two sides would say next: enough to reset the connection later. */
  get sequences(): { readonly sequence: number; readonly acknowledgment: number } {
    return { sequence: this.#most, acknowledgment: this.#receiveNext };
  }

  // #region user
  /** The guest asks for the connection with `syn`; `accept` or `abort` answers it. */
  asked(syn: TcpSegment): void {
    this.state = "opening";
    this.#takeSyn(syn);
  }

  /** Asks the guest for the connection. */
  ask(): void {
    this.state = "syn-sent";
    this.#sendSyn();
  }

  accept(): void {
    if (this.state !== "opening") return;
    this.state = "syn-received";
    this.#sendSyn();
  }

  /** Bytes for the guest; they are copied. */
  push(bytes: Uint8Array): void {
    if (this.state === "closed" || this.#isEnding) return;
    this.#ring.push(bytes);
    this.pump();
  }

  /** Sends no more after what was pushed. */
  end(): void {
    this.#isEnding = true;
    this.pump();
  }

  /** `count` received bytes, that came in one piece, are held no more. */
  consumed(count: number): void {
    this.#unconsumed -= count + PIECE_COST;
    if (!RECEIVES.has(this.state)) return;
    const promised = distance(this.#edge, this.#receiveNext);
    const grown = this.#room() - promised;
    const half = this.#largestWindow / 2;
    // Told when it matters: when the guest may soon have to stop (RFC 9293, 3.8.6.2.2).
    if (promised < half && grown >= Math.min(half, 2 * this.#segmentSize)) this.#acknowledge();
  }

  /** Breaks the connection off. */
  abort(): void {
    if (this.state === "opening") this.#emit(RST | ACK, 0);
    else if (this.state !== "closed" && this.state !== "time-wait") {
      this.#emit(this.state === "syn-sent" ? RST : RST | ACK, this.#most);
    }
    this.#stop();
  }

  /** Forgets the connection without a word. */
  drop(): void {
    this.#stop();
  }
  // #endregion user

  // #region send
  /** Sends what may be sent now. */
  pump(): void {
    while (SENDS.has(this.state)) {
      const offset = distance(this.#next, this.#una);
      const waiting = this.#ring.length - offset;
      if (waiting < 0 || (waiting === 0 && !this.#isEnding)) break;
      const window = Math.max(Math.min(this.#sendWindow, this.#congestion.window) - offset, 0);
      let size = Math.min(waiting, window, this.#wire.mostData(this.#segmentSize));
      if (size < waiting) {
        if (size > this.#segmentSize) size -= size % this.#segmentSize;
        else if (size < this.#segmentSize && offset > 0) break; // silly windows: RFC 9293, 3.8.6.2.1
      }
      const takesFin = this.#isEnding && size === waiting && size < window;
      if (size === 0 && !takesFin) break;
      if (this.#wire.isBlocked) {
        this.#wire.stalled(this);
        break;
      }
      this.#transmit(offset, size, takesFin);
    }
    if (SENDS.has(this.state)) this.#awaitAcknowledgment();
  }

  /** Everything is noted before the segment leaves: the answer may come inside the call. */
  #transmit(offset: number, size: number, takesFin: boolean): void {
    const sequence = this.#next;
    const isLast = offset + size === this.#ring.length;
    const flags = ACK | (isLast && size > 0 ? PSH : 0) | (takesFin ? FIN : 0);
    const end = (sequence + size + (takesFin ? 1 : 0)) >>> 0;
    if (sequence === this.#most) this.#timed ??= { end, at: this.#wire.clock.now() };
    else this.#timed = null; // Karn: what was sent twice tells nothing
    this.#next = end;
    this.#noteSent(end, takesFin);
    this.#emit(flags, sequence, offset, size);
  }

  #noteSent(end: number, hasFin: boolean): void {
    if (distance(end, this.#most) > 0) this.#most = end;
    if (!hasFin) return;
    if (this.state === "established") this.state = "fin-wait-1";
    else if (this.state === "close-wait") this.state = "last-ack";
  }

  /** Sends the first unacknowledged segment again, or a byte to probe a closed window. */
  #retransmit(most: number): void {
    const size = Math.min(this.#ring.length, most);
    const hasFin = this.#isEnding && size === this.#ring.length;
    const end = (this.#una + size + (hasFin ? 1 : 0)) >>> 0;
    this.#timed = null;
    this.#noteSent(end, hasFin);
    this.#emit(ACK | (hasFin ? FIN : 0), this.#una, 0, size);
  }

  #sendSyn(): void {
    const isAnswer = this.state === "syn-received";
    this.#next = this.#most = (this.#una + 1) >>> 0;
    this.#timeoutAt = this.#wire.clock.now() + this.#timeout.nanoseconds;
    this.#arm();
    this.#emit(isAnswer ? SYN | ACK : SYN, this.#una);
  }

  #acknowledge(): void {
    this.#emit(ACK, this.#most);
  }

  #emit(flags: number, sequence: number, offset = 0, length = 0): void {
    const isSyn = (flags & SYN) !== 0;
    const room = this.#room();
    let window = Math.min(isSyn ? room : room >> this.#receiveScale, 0xffff);
    if (flags & ACK) {
      const edge = (this.#receiveNext + (isSyn ? window : window << this.#receiveScale)) >>> 0;
      if (distance(edge, this.#edge) > 0) this.#edge = edge;
      this.#ackAt = Number.POSITIVE_INFINITY;
      this.#unacknowledged = 0;
      this.#mustAcknowledge = false;
    } else if (!isSyn) window = 0;
    this.#user.send({
      flags,
      sequence,
      acknowledgment: flags & ACK ? this.#receiveNext : 0,
      window,
      maximumSegmentSize: isSyn ? this.#wire.maximumSegmentSize : null,
      windowScale: isSyn && this.#hasScale ? OWN_WINDOW_SCALE : null,
      ring: this.#ring,
      offset,
      length,
      segmentSize: this.#segmentSize,
    });
  }

  /** The window: what fits, but never less than was promised. */
  #room(): number {
    const promised = distance(this.#edge, this.#receiveNext);
    const free = RECEIVE_LIMIT - this.#unconsumed - this.#reassembly.cost;
    return Math.max(promised, free < this.#segmentSize ? 0 : Math.min(free, this.#largestWindow));
  }

  get #largestWindow(): number {
    return Math.min(RECEIVE_LIMIT, 0xffff << this.#receiveScale);
  }
  // #endregion send

  // #region receive
  receive(segment: TcpSegment): void {
    this.lastActivity = this.#wire.clock.now();
    if (this.state === "opening") {
      if (segment.flags & RST) this.#finish("reset");
      return; // the guest sends its SYN again
    }
    if (this.state === "syn-sent") {
      this.#receiveInSynSent(segment);
      return;
    }
    if (this.#isAcceptable(segment) && this.#takeAcknowledgment(segment)) {
      this.#takeData(segment);
      this.pump();
    }
    if (this.#mustAcknowledge && this.state !== "closed") this.#acknowledge();
    this.#arm();
  }

  /** RFC 9293, 3.10.7.3. */
  #receiveInSynSent(segment: TcpSegment): void {
    const { flags, acknowledgment } = segment;
    const isAnswer = (flags & ACK) !== 0 && acknowledgment === this.#next;
    if (flags & ACK && !isAnswer) {
      if (!(flags & RST)) this.#emit(RST, acknowledgment);
      return;
    }
    if (flags & RST) {
      if (isAnswer) this.#finish("reset");
      return;
    }
    if (!(flags & SYN)) return;
    this.#takeSyn(segment);
    if (!isAnswer) {
      this.state = "syn-received"; // both asked at once
      this.#sendSyn();
      return;
    }
    this.#establish(segment);
    this.#acknowledge();
    this.pump();
    this.#arm();
  }

  #takeSyn({ sequence, maximumSegmentSize, windowScale, window }: TcpSegment): void {
    this.#receiveNext = this.#edge = (sequence + 1) >>> 0;
    this.#hasScale = windowScale !== null;
    this.#sendScale = windowScale ?? 0;
    this.#receiveScale = this.#hasScale ? OWN_WINDOW_SCALE : 0;
    const size = Math.max(maximumSegmentSize ?? DEFAULT_SEGMENT_SIZE, SMALLEST_SEGMENT_SIZE);
    this.#segmentSize = Math.min(size, this.#wire.maximumSegmentSize);
    this.#congestion = new CongestionControl(this.#segmentSize);
    this.#sendWindow = window;
  }

  #establish({ sequence, acknowledgment, window, flags }: TcpSegment): void {
    this.state = "established";
    this.#una = acknowledgment;
    this.#retries = 0;
    this.#timeoutAt = Number.POSITIVE_INFINITY;
    this.#sendWindow = flags & SYN ? window : window << this.#sendScale;
    this.#windowSequence = sequence;
    this.#windowAcknowledgment = acknowledgment;
  }

  /** The first checks of RFC 9293, 3.10.7.4: sequence, RST, SYN. Returns whether to go on. */
  #isAcceptable({ sequence, flags, data }: TcpSegment): boolean {
    const length = data.length + (flags & FIN ? 1 : 0) + (flags & SYN ? 1 : 0);
    const ahead = distance(sequence, this.#receiveNext);
    const window = distance(this.#edge, this.#receiveNext);
    // At the very place, even into a closed window: what it acknowledges counts.
    const isInside = ahead === 0 || (ahead < window && (length === 0 ? ahead > 0 : ahead + length > 0));
    if (flags & RST) {
      if (ahead === 0) this.#finish("reset");
      else if (isInside) this.#mustAcknowledge = true; // RFC 5961, 3.2: a challenge
      return false;
    }
    if (!isInside || flags & SYN) {
      const isRepeatedSyn = this.state === "syn-received" && flags & SYN && ahead === -1;
      if (isRepeatedSyn && !(flags & ACK)) this.#emit(SYN | ACK, this.#una);
      else if (isRepeatedSyn)
        return true; // the answer of one who asked at the same time
      else this.#mustAcknowledge = true;
      if (this.state === "time-wait") this.#timeoutAt = this.#wire.clock.now() + TIME_WAIT;
      return false;
    }
    return true;
  }

  /** Returns whether the segment's data count. */
  #takeAcknowledgment(segment: TcpSegment): boolean {
    const { flags, acknowledgment, sequence, data } = segment;
    if (!(flags & ACK)) return false;
    const acknowledged = distance(acknowledgment, this.#una);
    const beyond = distance(acknowledgment, this.#most);
    if (this.state === "syn-received") {
      if (acknowledged <= 0 || beyond > 0) {
        this.#emit(RST, acknowledgment);
        return false;
      }
      this.#establish(segment);
      return true;
    }
    if (beyond > 0) {
      this.#mustAcknowledge = true;
      return false;
    }
    const window = segment.window << this.#sendScale;
    const isDuplicate =
      acknowledged === 0 &&
      data.length === 0 &&
      !(flags & FIN) &&
      window === this.#sendWindow &&
      this.#una !== this.#most;
    if (acknowledged >= 0) this.#retries = 0;
    if (acknowledged > 0) this.#advance(acknowledgment, acknowledged);
    else if (isDuplicate) this.#countDuplicate();
    const isNewer =
      distance(sequence, this.#windowSequence) > 0 ||
      (sequence === this.#windowSequence && distance(acknowledgment, this.#windowAcknowledgment) >= 0);
    if (acknowledged >= 0 && isNewer) {
      this.#sendWindow = window;
      this.#windowSequence = sequence;
      this.#windowAcknowledgment = acknowledgment;
    }
    return !this.#isClosed;
  }

  get #isClosed(): boolean {
    return this.state === "closed";
  }

  #advance(acknowledgment: number, count: number): void {
    const data = Math.min(count, this.#ring.length);
    const isFinAcknowledged = count > this.#ring.length;
    this.#ring.drop(data);
    this.#una = acknowledgment;
    if (distance(this.#next, this.#una) < 0) this.#next = this.#una;
    this.#duplicates = 0;
    const now = this.#wire.clock.now();
    if (this.#timed && distance(acknowledgment, this.#timed.end) >= 0) {
      this.#timeout.measured(now - this.#timed.at);
      this.#timed = null;
    }
    const isHoleLeft = this.#congestion.acknowledged(count, acknowledgment) && this.#una !== this.#most;
    this.#timeoutAt = this.#una === this.#most ? Number.POSITIVE_INFINITY : now + this.#timeout.nanoseconds;
    if (isFinAcknowledged) this.#finWasAcknowledged();
    if (data > 0) this.#user.acknowledged();
    if (isHoleLeft) this.#retransmit(this.#segmentSize);
  }

  #finWasAcknowledged(): void {
    if (this.state === "fin-wait-1") this.state = "fin-wait-2";
    else if (this.state === "closing") this.#waitLast();
    else if (this.state === "last-ack") this.#finish("finished");
  }

  #countDuplicate(): void {
    this.#duplicates++;
    if (this.#duplicates === 3 && !this.#congestion.isRecovering) {
      this.#congestion.lost(distance(this.#most, this.#una), this.#most);
      this.#retransmit(this.#segmentSize);
    } else if (this.#duplicates > 3) this.#congestion.repeated();
  }

  #takeData({ sequence, flags, data }: TcpSegment): void {
    if (this.state === "time-wait" || (!RECEIVES.has(this.state) && (data.length > 0 || flags & FIN))) {
      if (data.length > 0 || flags & FIN) this.#mustAcknowledge = true;
      return;
    }
    if (data.length === 0 && !(flags & FIN)) return;
    const known = Math.max(distance(this.#receiveNext, sequence), 0);
    const room = Math.max(distance(this.#edge, sequence), 0);
    const start = (sequence + known) >>> 0;
    const fresh = data.subarray(known, Math.max(room, known));
    if (flags & FIN && room >= data.length) this.#finAt = (sequence + data.length) >>> 0;
    const isInOrder = start === this.#receiveNext;
    if (isInOrder && fresh.length > 0) this.#deliver(fresh);
    else if (fresh.length > 0) this.#reassembly.add(start, fresh);
    const isGapLeft = this.#reassembly.cost > 0;
    for (let next = this.#reassembly.take(this.#receiveNext); next && this.#deliver(next); ) {
      next = this.#reassembly.take(this.#receiveNext);
    }
    if (this.#isClosed) return; // the user has broken it off
    this.#unacknowledged += data.length;
    const isUrgent = this.#unacknowledged >= 2 * this.#segmentSize || (flags & (PSH | FIN)) !== 0;
    if (!isInOrder || isGapLeft || isUrgent || fresh.length < data.length) this.#mustAcknowledge = true;
    else if (this.#ackAt === Number.POSITIVE_INFINITY) this.#ackAt = this.#wire.clock.now() + ACK_DELAY;
    if (this.#finAt === this.#receiveNext) this.#takeFin();
  }

  /** Gives bytes up; but many tiny segments can cost more than the window promised, and those are lost. */
  #deliver(bytes: Uint8Array): boolean {
    if (this.#isClosed) return false;
    if (this.#unconsumed > 2 * RECEIVE_LIMIT) {
      this.#mustAcknowledge = true;
      return false;
    }
    this.#unconsumed += bytes.length + PIECE_COST;
    this.#receiveNext = (this.#receiveNext + bytes.length) >>> 0;
    this.#user.received(withoutRest(bytes));
    return true;
  }

  #takeFin(): void {
    this.#finAt = null;
    this.#receiveNext = (this.#receiveNext + 1) >>> 0;
    this.#mustAcknowledge = true;
    if (this.state === "established") this.state = "close-wait";
    else if (this.state === "fin-wait-1") this.state = "closing";
    else if (this.state === "fin-wait-2") this.#waitLast();
    this.#user.ended();
  }
  // #endregion receive

  // #region time
  #waitLast(): void {
    this.state = "time-wait";
    this.#timeoutAt = this.#wire.clock.now() + TIME_WAIT;
  }

  /** Sets the timer that sends again or probes, where there is something to wait for. */
  #awaitAcknowledgment(): void {
    const hasMore = this.#ring.length > 0 || (this.#isEnding && SENDS.has(this.state));
    const isWaiting = this.#una !== this.#most || (hasMore && this.#sendWindow === 0);
    if (!isWaiting) this.#timeoutAt = Number.POSITIVE_INFINITY;
    else if (this.#timeoutAt === Number.POSITIVE_INFINITY) {
      this.#timeoutAt = this.#wire.clock.now() + this.#timeout.nanoseconds;
    }
    this.#arm();
  }

  /** One alarm for both times; one that comes too early looks again. */
  #arm(): void {
    const earliest = Math.min(this.#timeoutAt, this.#ackAt);
    if (this.state === "closed" || earliest >= this.#alarmAt) return;
    this.#cancelAlarm();
    this.#alarmAt = earliest;
    this.#cancelAlarm = this.#wire.clock.schedule(earliest, () => this.#alarm());
  }

  #alarm(): void {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    this.#cancelAlarm = () => {};
    const now = this.#wire.clock.now();
    if (this.#ackAt <= now) this.#acknowledge();
    if (this.#timeoutAt <= now) this.#timedOut();
    this.#arm();
  }

  #timedOut(): void {
    if (this.state === "time-wait") {
      this.#finish("finished");
      return;
    }
    this.#timeoutAt = Number.POSITIVE_INFINITY;
    if (this.#wire.isBlocked) {
      this.#timeoutAt = this.#wire.clock.now() + this.#timeout.nanoseconds;
      return; // nothing was lost: the guest's card has no room
    }
    const isOpening = this.state === "syn-sent" || this.state === "syn-received";
    this.#retries++;
    if (this.#retries > (isOpening ? MOST_SYNS : MOST_RETRIES)) {
      this.abort();
      this.#user.closed("timed out");
      return;
    }
    this.#timeout.backOff();
    if (isOpening) {
      this.#sendSyn();
      return;
    }
    if (this.#sendWindow === 0) {
      this.#next = this.#una;
      this.#retransmit(1);
    } else {
      this.#congestion.timedOut(distance(this.#most, this.#una));
      this.#duplicates = 0;
      this.#next = this.#una;
      this.pump();
    }
    this.#awaitAcknowledgment();
  }

  #finish(how: "finished" | "reset"): void {
    this.#stop();
    this.#user.closed(how);
  }

  #stop(): void {
    this.state = "closed";
    this.#timeoutAt = this.#ackAt = this.#alarmAt = Number.POSITIVE_INFINITY;
    this.#cancelAlarm();
    this.#cancelAlarm = () => {};
  }
  // #endregion time
}
