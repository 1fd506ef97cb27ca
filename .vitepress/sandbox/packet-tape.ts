/** What passed at a machine's card: counted, the last frames in words, and the last of all for a capture file. */
import type { Direction } from "../../sandbox/net/pcapng.ts";
import { frameWords } from "./frame-words.ts";
import type { FrameCounters, SeenFrame } from "./protocol.ts";

/** Frames that can be shown. */
const SHOWN = 200;
/** Bytes of blocks that are kept for a file; the oldest go first. */
const KEPT = 16 * 2 ** 20;

export class PacketTape {
  readonly #counters = { sent: 0, sentBytes: 0, received: 0, receivedBytes: 0 };
  readonly #frames: { number: number; time: number; direction: Direction; frame: Uint8Array }[] = [];
  /** The first says what file this is, and stays. */
  #header: Uint8Array | null = null;
  #blocks: Uint8Array[] = [];
  #length = 0;

  get counters(): FrameCounters {
    return { ...this.#counters };
  }

  readonly add = (block: Uint8Array): void => {
    if (!this.#header) {
      this.#header = block;
      return;
    }
    this.#blocks.push(block);
    this.#length += block.length;
    if (this.#length > KEPT) this.#forgetOldest();
  };

  see(frame: Uint8Array, direction: Direction, time: number): void {
    const counters = this.#counters;
    if (direction === "from guest") {
      counters.sent++;
      counters.sentBytes += frame.length;
    } else {
      counters.received++;
      counters.receivedBytes += frame.length;
    }
    this.#frames.push({ number: counters.sent + counters.received, time, direction, frame: frame.slice() });
    if (this.#frames.length > SHOWN) this.#frames.shift();
  }

  /** The last frames, oldest first. */
  last(count: number): SeenFrame[] {
    return this.#frames.slice(-count).map(({ number, time, direction, frame }) => {
      return { number, time, direction, length: frame.length, ...frameWords(frame) };
    });
  }

  /** A pcapng file. */
  file(): Uint8Array {
    const parts = [...(this.#header ? [this.#header] : []), ...this.#blocks];
    const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** A quarter at once, so that a busy wire does not move the list for every frame. */
  #forgetOldest(): void {
    let first = 0;
    while (this.#length > (KEPT * 3) / 4) this.#length -= this.#blocks[first++]!.length;
    this.#blocks = this.#blocks.slice(first);
  }
}
