/**
 * How much may be under way: slow start, congestion avoidance and fast recovery.
 *
 * The wire to a guest loses nothing by itself, but a guest's card may have no room, and a switch or a
 * test may lose what it likes. Source: RFC 5681; recovery: RFC 6582. Sizes in bytes.
 */
import { distance } from "./tcp-segment.ts";

const FIRST_SEGMENTS = 10; // RFC 6928
const LARGEST_WINDOW = 2 ** 30;

export class CongestionControl {
  window: number;
  #threshold = LARGEST_WINDOW;
  /** While it recovers from a loss: what was sent when that was seen. */
  #recoverUntil: number | null = null;

  constructor(private readonly segment: number) {
    this.window = FIRST_SEGMENTS * segment;
  }

  get isRecovering(): boolean {
    return this.#recoverUntil !== null;
  }

  /** `count` bytes up to `acknowledgment` arrived. Returns whether the next segment is lost too. */
  acknowledged(count: number, acknowledgment: number): boolean {
    if (this.#recoverUntil !== null) {
      if (distance(acknowledgment, this.#recoverUntil) < 0) {
        this.window = Math.max(this.window - count, 0) + this.segment;
        return true;
      }
      this.#recoverUntil = null;
      this.window = this.#threshold;
      return false;
    }
    const growth =
      this.window < this.#threshold
        ? count
        : Math.ceil((this.segment * Math.min(count, this.window)) / this.window);
    this.window = Math.min(this.window + growth, LARGEST_WINDOW);
    return false;
  }

  /** Three repeated acknowledgments: a segment is lost and later ones arrived. */
  lost(inFlight: number, sent: number): void {
    this.#threshold = Math.max(inFlight / 2, 2 * this.segment);
    this.window = this.#threshold + 3 * this.segment;
    this.#recoverUntil = sent;
  }

  /** One more repeated acknowledgment: one more segment has left the wire. */
  repeated(): void {
    if (this.#recoverUntil !== null) this.window += this.segment;
  }

  timedOut(inFlight: number): void {
    this.#threshold = Math.max(inFlight / 2, 2 * this.segment);
    this.window = this.segment;
    this.#recoverUntil = null;
  }
}
