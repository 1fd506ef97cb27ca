/** What a TCP connection stands between: the wire to the guest, and the user on whose behalf it speaks. */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import type { ByteRing } from "./byte-ring.ts";

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

/** One who waits until the wire has room. */
export interface Stalled {
  pump(): void;
}

export interface TcpWire {
  readonly clock: Clock;
  /** The largest segment that the wire takes, in bytes of data. */
  readonly maximumSegmentSize: number;
  /** There is no room now; `stalled` is told who waits for it, to be pumped later. */
  readonly isBlocked: boolean;
  stalled(connection: Stalled): void;
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
