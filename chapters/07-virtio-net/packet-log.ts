/**
 * What passes on the wire, a line each, and under it how far the rings have come. Frames that say the same
 * are counted, not repeated.
 */
import type { NetVm } from "./machine.ts";
import { describeFrame } from "./packets.ts";
import { ringsOf } from "./rings.ts";

/** Characters that the longest text of this chapter's frames takes. */
const TEXT_WIDTH = 46;

export const QUEUE_NAMES = ["receive", "transmit", "control"];

export class PacketLog {
  #last = "";
  #repeated = 0;
  #owesRings = false;

  constructor(private readonly print: (line: string) => void) {}

  /** A frame passes, at `time` nanoseconds. */
  frame(frame: Uint8Array, time: number): void {
    const { from, to, protocol, text } = describeFrame(frame);
    const words = `${protocol.padEnd(4)}  ${text.padEnd(TEXT_WIDTH)}  ${from} → ${to}`;
    if (words === this.#last) {
      this.#repeated++;
      return;
    }
    this.flush();
    this.#last = words;
    this.#owesRings = true;
    this.print(`wire  │ ${(time / 1e6).toFixed(3).padStart(5)} ms  ${words}`);
  }

  /** Something else is printed next. */
  flush(): void {
    if (this.#repeated > 0) this.print(`wire  │ and ${this.#repeated} more like it`);
    this.#repeated = 0;
    this.#last = "";
  }

  /** After the exit in which a frame passed: the rings' indices, in order of the queues. */
  rings({ card, memory }: NetVm): void {
    if (!this.#owesRings) return;
    this.#owesRings = false;
    const queues = ringsOf(card.save().device.queues, QUEUE_NAMES, memory);
    const words = queues.map(({ name, available, used }) => {
      return `${name}: available ${available.index}, used ${used.index}`;
    });
    this.print(`rings │ ${words.join("    ")}`);
  }
}
