/**
 * What one end of a TCP connection sends: what is acknowledged, what is under way, and what may go next.
 *
 * Numbers and bytes only; the connection makes segments of the pieces that it is given here.
 * Source: RFC 9293, 3.4 and 3.8; the round trip's time: RFC 6298; lost segments: RFC 5681.
 */
import { ByteRing } from "./byte-ring.ts";
import { CongestionControl } from "./congestion.ts";
import { RetransmissionTimeout } from "./retransmission-timeout.ts";
import { distance, FIN, SYN, type TcpSegment } from "./tcp-segment.ts";

export const DEFAULT_SEGMENT_SIZE = 536; // RFC 9293, 3.7.1
const SMALLEST_SEGMENT_SIZE = 64;
/** Repeated acknowledgments that tell of a lost segment (RFC 5681, 3.2). */
const DUPLICATES_OF_LOSS = 3;

/** Bytes of the ring from `offset` on, and perhaps FIN behind them. */
export interface Piece {
  readonly sequence: number;
  readonly offset: number;
  readonly size: number;
  readonly hasFin: boolean;
}

/** What an acknowledgment did. */
export interface Progress {
  /** Sequence numbers that it covers for the first time. */
  readonly count: number;
  /** Of those, bytes of data. */
  readonly data: number;
  readonly isFinAcknowledged: boolean;
  /** The first segment that is not acknowledged is to be sent again at once. */
  readonly isLost: boolean;
}

export class TcpSender {
  /** What is not acknowledged yet, sent or not. */
  readonly ring = new ByteRing();
  /** The guest's largest segment, in bytes of data. */
  segmentSize = DEFAULT_SEGMENT_SIZE;
  /** Nothing is pushed any more: FIN goes behind what is here. */
  isEnding = false;
  /** How often in a row it was waited in vain. */
  retries = 0;
  readonly timeout = new RetransmissionTimeout();

  // Acknowledged up to `una`, goes on at `next`, never was beyond `most`.
  #una: number;
  #next: number;
  #most: number;
  #window = 0;
  #windowSequence = 0;
  #windowAcknowledgment = 0;
  #scale = 0;
  #congestion = new CongestionControl(DEFAULT_SEGMENT_SIZE);
  #duplicates = 0;
  /** The one segment whose round trip is timed. */
  #timed: { readonly end: number; readonly at: number } | null = null;

  constructor(initialSequence: number) {
    this.#una = this.#next = this.#most = initialSequence;
  }

  /** The first number that is not acknowledged: that of SYN, before it is. */
  get first(): number {
    return this.#una;
  }

  /** The number behind all that was sent. */
  get end(): number {
    return this.#most;
  }

  get isAllAcknowledged(): boolean {
    return this.#una === this.#most;
  }

  get isWindowClosed(): boolean {
    return this.#window === 0;
  }

  // #region opening
  /** Learns from the guest's SYN what it takes; the wire takes `largest` bytes of data. */
  begin({ maximumSegmentSize, windowScale, window }: TcpSegment, largest: number): void {
    this.#scale = windowScale ?? 0;
    const size = Math.max(maximumSegmentSize ?? DEFAULT_SEGMENT_SIZE, SMALLEST_SEGMENT_SIZE);
    this.segmentSize = Math.min(size, largest);
    this.#congestion = new CongestionControl(this.segmentSize);
    this.#window = window;
  }

  synSent(): void {
    this.#next = this.#most = (this.#una + 1) >>> 0;
  }

  /** The guest acknowledged SYN. */
  opened({ sequence, acknowledgment, window, flags }: TcpSegment): void {
    this.#una = acknowledgment;
    this.retries = 0;
    this.#window = flags & SYN ? window : window << this.#scale;
    this.#windowSequence = sequence;
    this.#windowAcknowledgment = acknowledgment;
  }
  // #endregion opening

  // #region pieces
  /** What may be sent now, at most `most` bytes; null if nothing may. */
  nextPiece(most: number): Piece | null {
    const offset = distance(this.#next, this.#una);
    const waiting = this.ring.length - offset;
    if (waiting < 0 || (waiting === 0 && !this.isEnding)) return null;
    const window = Math.max(Math.min(this.#window, this.#congestion.window) - offset, 0);
    let size = Math.min(waiting, window, most);
    if (size < waiting) {
      if (size > this.segmentSize) size -= size % this.segmentSize;
      else if (size < this.segmentSize && offset > 0) return null; // silly windows: RFC 9293, 3.8.6.2.1
    }
    const hasFin = this.isEnding && size === waiting && size < window;
    return size > 0 || hasFin ? { sequence: this.#next, offset, size, hasFin } : null;
  }

  /** Notes that a piece leaves at `now`. */
  sent(piece: Piece, now: number): void {
    const end = endOf(piece);
    if (piece.sequence === this.#most) this.#timed ??= { end, at: now };
    else this.#timed = null; // Karn: what was sent twice tells nothing
    this.#next = end;
    this.#reached(end);
  }

  /** The first unacknowledged piece, to be sent again; at most `most` bytes. */
  firstPiece(most: number): Piece {
    const size = Math.min(this.ring.length, most);
    return { sequence: this.#una, offset: 0, size, hasFin: this.isEnding && size === this.ring.length };
  }

  /** Notes that a first piece leaves again. */
  sentAgain(piece: Piece): void {
    this.#timed = null;
    this.#reached(endOf(piece));
  }

  #reached(end: number): void {
    if (distance(end, this.#most) > 0) this.#most = end;
  }
  // #endregion pieces

  // #region acknowledgments
  /** Whether an acknowledgment covers SYN, and nothing that never was sent. */
  opens(acknowledgment: number): boolean {
    return distance(acknowledgment, this.#una) > 0 && !this.isBeyond(acknowledgment);
  }

  /** Whether what it acknowledges never was sent. */
  isBeyond(acknowledgment: number): boolean {
    return distance(acknowledgment, this.#most) > 0;
  }

  /** Takes what a segment says about what was sent; it is not beyond that. */
  acknowledged(segment: TcpSegment, now: number): Progress {
    const { flags, acknowledgment, sequence, data } = segment;
    const count = distance(acknowledgment, this.#una);
    const window = segment.window << this.#scale;
    const isDuplicate =
      count === 0 &&
      data.length === 0 &&
      !(flags & FIN) &&
      window === this.#window &&
      !this.isAllAcknowledged;
    if (count >= 0) this.retries = 0;
    const progress =
      count > 0
        ? this.#advance(acknowledgment, count, now)
        : { count: 0, data: 0, isFinAcknowledged: false, isLost: isDuplicate && this.#countDuplicate() };
    const isNewer =
      distance(sequence, this.#windowSequence) > 0 ||
      (sequence === this.#windowSequence && distance(acknowledgment, this.#windowAcknowledgment) >= 0);
    if (count >= 0 && isNewer) {
      this.#window = window;
      this.#windowSequence = sequence;
      this.#windowAcknowledgment = acknowledgment;
    }
    return progress;
  }

  #advance(acknowledgment: number, count: number, now: number): Progress {
    const data = Math.min(count, this.ring.length);
    const isFinAcknowledged = count > this.ring.length;
    this.ring.drop(data);
    this.#una = acknowledgment;
    if (distance(this.#next, this.#una) < 0) this.#next = this.#una;
    this.#duplicates = 0;
    if (this.#timed && distance(acknowledgment, this.#timed.end) >= 0) {
      this.timeout.measured(now - this.#timed.at);
      this.#timed = null;
    }
    const isHoleLeft = this.#congestion.acknowledged(count, acknowledgment);
    return { count, data, isFinAcknowledged, isLost: isHoleLeft && !this.isAllAcknowledged };
  }

  /** Returns whether one more repeated acknowledgment tells that a segment is lost. */
  #countDuplicate(): boolean {
    this.#duplicates++;
    if (this.#duplicates === DUPLICATES_OF_LOSS && !this.#congestion.isRecovering) {
      this.#congestion.lost(distance(this.#most, this.#una), this.#most);
      return true;
    }
    if (this.#duplicates > DUPLICATES_OF_LOSS) this.#congestion.repeated();
    return false;
  }
  // #endregion acknowledgments

  /** Nothing was acknowledged in time: all that is under way counts as lost, and is to be sent again. */
  timedOut(): void {
    this.#congestion.timedOut(distance(this.#most, this.#una));
    this.#duplicates = 0;
    this.rewind();
  }

  /** Goes on where the acknowledged ends. */
  rewind(): void {
    this.#next = this.#una;
  }
}

function endOf({ sequence, size, hasFin }: Piece): number {
  return (sequence + size + (hasFin ? 1 : 0)) >>> 0;
}
