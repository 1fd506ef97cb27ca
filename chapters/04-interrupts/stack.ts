// Starter: write the exercises here; `npm run chapter 4` runs them, `npm run chapter 4 test` tests them.
// Generated from solutions/04-interrupts/stack.ts by `npm run starters` (5f8bb03f).
/**
 * A stack that is not the current one yet, or still is: where an interrupt's frame is written and read.
 *
 * Nothing of the processor changes while a frame is built. Only when all of it is in memory, and nothing
 * can fault any more, does the stack become the processor's: so a page fault in the middle of it finds the
 * interrupted program as it was.
 */
import { DB, inSegment, type SegmentImage } from "#layers/03-paging/descriptors.ts";
import { STACK_FAULT } from "./exceptions.ts";
import type { Processor } from "./processor.ts";

// #region stack
export class Stack {
  /** All 32 bits; a 16-bit stack uses, and changes, the low half. */
  esp = 0;
  #base = 0;
  #limit = 0;
  #rights = 0;
  #asUser = false;
  #errorCode = 0;

  constructor(private readonly processor: Processor) {}

  /** `errorCode` is that of the #SS for a frame that does not fit; `cpl` who uses the stack. */
  use(segment: SegmentImage, esp: number, cpl: number, errorCode: number): void {
    this.esp = esp;
    this.#base = segment.base;
    this.#limit = segment.limit;
    this.#rights = segment.rights;
    this.#asUser = cpl === 3;
    this.#errorCode = errorCode;
  }

  push(size: 2 | 4, value: number): void {
    // #region exercise-push
    throw new Error(
      "exercise push: move the stack pointer down, write, and only then keep the new pointer; without B in the segment only SP moves · chapter 4, “Through the vector table”",
    );
    // #endregion exercise-push
  }

  pop(size: 2 | 4): number {
    const value = this.processor.read(this.#linear(this.esp, size), size, this.#asUser);
    this.esp = this.#moved(size);
    return value;
  }

  /** Drops bytes without reading them. */
  skip(bytes: number): void {
    this.esp = this.#moved(bytes);
  }

  /** ESP after it moved by `bytes`: without B in the segment only its low half moves. */
  #moved(bytes: number): number {
    // #region exercise-push
    throw new Error(
      "exercise push: move the stack pointer down, write, and only then keep the new pointer; without B in the segment only SP moves · chapter 4, “Through the vector table”",
    );
    // #endregion exercise-push
  }

  #linear(esp: number, size: 2 | 4): number {
    const offset = (this.#rights & DB) !== 0 ? esp : esp & 0xffff;
    if (!inSegment(offset, size, this.#limit, this.#rights)) {
      this.processor.fault(STACK_FAULT, this.#errorCode);
    }
    return (this.#base + offset) >>> 0;
  }
}
// #endregion stack
