/** Segments that came before their turn, within bounds. Source: RFC 9293, 3.10.7.4, "segment text". */
import { PIECE_COST } from "./kept-bytes.ts";
import { distance } from "./tcp-segment.ts";

interface Piece {
  sequence: number;
  bytes: Uint8Array;
}

export class TcpReassembly {
  /** By rising sequence, without overlaps. */
  readonly #pieces: Piece[] = [];
  /** Bytes held, and the cost of holding them. */
  cost = 0;

  constructor(private readonly limit: number) {}

  /** Keeps bytes that begin at `sequence`; what is here already, or has no room, is left out. */
  add(sequence: number, bytes: Uint8Array): void {
    let at = this.#pieces.findIndex(piece => distance(piece.sequence, sequence) > 0);
    if (at < 0) at = this.#pieces.length;
    const before = this.#pieces[at - 1];
    if (before) {
      const known = distance((before.sequence + before.bytes.length) >>> 0, sequence);
      if (known > 0) {
        bytes = bytes.subarray(known);
        sequence = (sequence + known) >>> 0;
      }
    }
    // What lies behind the next pieces goes in front of them, between them and after them.
    while (bytes.length > 0) {
      const next = this.#pieces[at];
      const free = next ? Math.min(distance(next.sequence, sequence), bytes.length) : bytes.length;
      if (free > 0) {
        if (this.cost + free + PIECE_COST > this.limit) return;
        this.#pieces.splice(at, 0, { sequence, bytes: bytes.slice(0, free) });
        this.cost += free + PIECE_COST;
        at++;
      }
      const skipped = next ? free + next.bytes.length : free;
      bytes = bytes.subarray(Math.min(skipped, bytes.length));
      sequence = (sequence + skipped) >>> 0;
      at++;
    }
  }

  /** The bytes that come next at `sequence`, taken out; null if they are not here. */
  take(sequence: number): Uint8Array | null {
    for (let first = this.#pieces[0]; first; first = this.#pieces[0]) {
      const known = distance(sequence, first.sequence);
      if (known < 0) return null;
      this.#pieces.shift();
      this.cost -= first.bytes.length + PIECE_COST;
      if (known < first.bytes.length) return first.bytes.subarray(known);
    }
    return null;
  }
}
