/**
 * What one end of a TCP connection receives: bytes in their order, and the window that promises room for more.
 *
 * What comes in order goes up at once, and counts against the window until its user is rid of it.
 * Source: RFC 9293, 3.8.6 and 3.10.7.4; window scale: RFC 7323.
 */
import { PIECE_COST, withoutRest } from "./kept-bytes.ts";
import { TcpReassembly } from "./tcp-reassembly.ts";
import { distance, FIN, PSH, type TcpSegment } from "./tcp-segment.ts";
import { DEFAULT_SEGMENT_SIZE } from "./tcp-sender.ts";

/** What is received and not consumed, in bytes and cost. */
const RECEIVE_LIMIT = 0x4_0000;
const OWN_WINDOW_SCALE = 4;

/** When a segment's data are to be acknowledged. */
export type Urgency = "never" | "soon" | "now";

export class TcpReceiver {
  /** All before this number is here. */
  next = 0;
  /** Promised up to here. */
  #edge = 0;
  #scale = 0;
  #hasScale = true;
  #segmentSize = DEFAULT_SEGMENT_SIZE;
  readonly #reassembly = new TcpReassembly(RECEIVE_LIMIT);
  #unconsumed = 0;
  #finAt: number | null = null;
  /** Bytes since the last acknowledgment. */
  #unacknowledged = 0;

  /** `deliver` gives bytes up, and returns whether more of them can go. */
  constructor(private readonly deliver: (bytes: Uint8Array) => boolean) {}

  /** The guest's SYN; `segmentSize` is what its segments carry. */
  begin({ sequence, windowScale }: TcpSegment, segmentSize: number): void {
    this.next = this.#edge = (sequence + 1) >>> 0;
    this.#hasScale = windowScale !== null;
    this.#scale = this.#hasScale ? OWN_WINDOW_SCALE : 0;
    this.#segmentSize = segmentSize;
  }

  /** The window scale for a SYN; null if the guest does not want one. */
  get windowScale(): number | null {
    return this.#hasScale ? OWN_WINDOW_SCALE : null;
  }

  /** What comes next came with FIN. */
  get hasReachedFin(): boolean {
    return this.#finAt === this.next;
  }

  // #region window
  /** Bytes that the guest may send, by what it was told. */
  get promised(): number {
    return distance(this.#edge, this.next);
  }

  /** The window as a segment has it; that of a SYN is without scale. */
  window(isSyn: boolean): number {
    const room = this.#room();
    return Math.min(isSyn ? room : room >> this.#scale, 0xffff);
  }

  /** That window is told, in a segment that acknowledges what came. */
  told(window: number, isSyn: boolean): void {
    const edge = (this.next + (isSyn ? window : window << this.#scale)) >>> 0;
    if (distance(edge, this.#edge) > 0) this.#edge = edge;
    this.#unacknowledged = 0;
  }

  /** `count` bytes, that went up in one piece, are held no more. Returns whether the guest is to hear of the room. */
  consumed(count: number): boolean {
    this.#unconsumed -= count + PIECE_COST;
    const { promised } = this;
    const grown = this.#room() - promised;
    const half = this.#largestWindow / 2;
    // Told when it matters: when the guest may soon have to stop (RFC 9293, 3.8.6.2.2).
    return promised < half && grown >= Math.min(half, 2 * this.#segmentSize);
  }

  /** What fits, but never less than was promised. */
  #room(): number {
    const free = RECEIVE_LIMIT - this.#unconsumed - this.#reassembly.cost;
    return Math.max(this.promised, free < this.#segmentSize ? 0 : Math.min(free, this.#largestWindow));
  }

  get #largestWindow(): number {
    return Math.min(RECEIVE_LIMIT, 0xffff << this.#scale);
  }
  // #endregion window

  // #region data
  /** Takes the data of a segment that is inside the window, as far as they are new and fit. */
  take({ sequence, flags, data }: TcpSegment): Urgency {
    if (data.length === 0 && !(flags & FIN)) return "never";
    const known = Math.max(distance(this.next, sequence), 0);
    const room = Math.max(distance(this.#edge, sequence), 0);
    const start = (sequence + known) >>> 0;
    const fresh = data.subarray(known, Math.max(room, known));
    if (flags & FIN && room >= data.length) this.#finAt = (sequence + data.length) >>> 0;
    const isInOrder = start === this.next;
    let isHeld = true;
    if (isInOrder && fresh.length > 0) isHeld = this.#give(fresh);
    else if (fresh.length > 0) this.#reassembly.add(start, fresh);
    const isGapLeft = this.#reassembly.cost > 0;
    for (let next = this.#reassembly.take(this.next); next; next = this.#reassembly.take(this.next)) {
      isHeld = this.#give(next);
      if (!isHeld) break;
    }
    this.#unacknowledged += data.length;
    const isUrgent = this.#unacknowledged >= 2 * this.#segmentSize || (flags & (PSH | FIN)) !== 0;
    const isAsExpected = isInOrder && !isGapLeft && isHeld && fresh.length === data.length;
    return isAsExpected && !isUrgent ? "soon" : "now";
  }

  /** Gives bytes up; but many tiny segments can cost more than the window promised, and those are lost. */
  #give(bytes: Uint8Array): boolean {
    if (this.#unconsumed > 2 * RECEIVE_LIMIT) return false;
    this.#unconsumed += bytes.length + PIECE_COST;
    this.next = (this.next + bytes.length) >>> 0;
    return this.deliver(withoutRest(bytes));
  }

  /** FIN has its turn. */
  takeFin(): void {
    this.#finAt = null;
    this.next = (this.next + 1) >>> 0;
  }
  // #endregion data
}
