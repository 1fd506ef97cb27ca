/**
 * Decoded code, kept by *physical* page, so that no change of page tables makes it stale.
 *
 * A page of code has one `CodePage` for each mode in which it was executed (16 or 32 bits, flat or not, …),
 * as the same bytes decode differently. Each holds one Instruction for every place that was reached.
 * A page with decoded instructions is never writable through the TLB's fast path; the slow path comes here.
 */

import type { Crossing } from "./decode.ts";
import { UNDECODED } from "./hot.ts";
import { Instruction } from "./instruction.ts";
import type { Slot } from "./physical-memory.ts";

const PAGE = 4096;
/** Longest instruction (SDM vol. 2, 2.3.11): a write can change one that begins up to 14 bytes before it. */
const LONGEST = 15;
/** After this many writes a page is data that was code once: forget its code, and writes are fast again. */
const PATIENCE = 256;
/** More decoded pages than this and all are forgotten. */
const MOST_PAGES = 8192;

function undecoded(): never {
  throw new Error("an instruction was executed before it was decoded");
}

export class CodePage {
  readonly #places = new Uint16Array(PAGE);
  readonly #instructions: Instruction[] = [];
  /** Execution goes on here after the last instruction of the page. */
  readonly end: Instruction;
  /** The instruction that goes on in the next page, as it was decoded last. */
  crossing: Crossing | null = null;
  writes = 0;
  isDropped = false;

  /** `frame` is the physical page's number; its bytes are `bytes[start]` to `bytes[start + 4095]`. */
  constructor(
    readonly frame: number,
    readonly mode: number,
    readonly bytes: Uint8Array,
    readonly start: number,
  ) {
    this.end = new Instruction(this, PAGE, undecoded);
    this.end.form = UNDECODED;
  }

  /** The instruction at `offset`, perhaps not decoded yet. 4096 is the place after the page. */
  at(offset: number): Instruction {
    if (offset === PAGE) return this.end;
    const place = this.#places[offset];
    if (place !== 0) return this.#instructions[place - 1];
    const instruction = new Instruction(this, offset, undecoded);
    instruction.form = UNDECODED;
    this.#instructions.push(instruction);
    this.#places[offset] = this.#instructions.length;
    return instruction;
  }

  /** Makes every instruction that has one of these bytes UNDECODED again. */
  invalidate(from: number, to: number): void {
    for (let offset = Math.max(0, from - LONGEST + 1); offset < to; offset++) {
      const place = this.#places[offset];
      if (place === 0) continue;
      const instruction = this.#instructions[place - 1];
      if (offset + instruction.length <= from || instruction.form === UNDECODED) continue;
      const { immediateAt } = instruction;
      // Code that patches a constant, the commonest kind of self-modifying code, needs no decoding.
      if (immediateAt !== 0 && from === offset + immediateAt && to === from + 4) {
        instruction.immediate = this.#read32(from);
        this.writes = 0;
      } else this.#forget(instruction);
    }
  }

  drop(): void {
    this.isDropped = true;
    for (const instruction of this.#instructions) this.#forget(instruction);
  }

  #read32(offset: number): number {
    const { bytes } = this;
    const at = this.start + offset;
    return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
  }

  #forget(instruction: Instruction): void {
    instruction.form = UNDECODED;
    instruction.execute = undecoded;
  }
}

/** What a processor must do when pages become code or stop being code. */
export interface CodeObserver {
  /** No TLB may still allow writes to the pages that are code. */
  codeAppeared(): void;
  /** No link to a dropped CodePage may be left. */
  codeDropped(): void;
}

export class CodeCache {
  /** By frame: the pages of each mode. */
  readonly #pages = new Map<number, CodePage[]>();
  readonly #observers: CodeObserver[] = [];
  #count = 0;

  observe(observer: CodeObserver): void {
    this.#observers.push(observer);
  }

  forget(observer: CodeObserver): void {
    const index = this.#observers.indexOf(observer);
    if (index >= 0) this.#observers.splice(index, 1);
  }

  has(frame: number): boolean {
    return this.#pages.has(frame);
  }

  page(frame: number, mode: number, slot: Slot): CodePage {
    let pages = this.#pages.get(frame);
    if (pages === undefined) {
      if (this.#count >= MOST_PAGES) this.dropAll();
      pages = [];
      this.#pages.set(frame, pages);
      for (const observer of this.#observers) observer.codeAppeared();
    }
    for (const page of pages) if (page.mode === mode) return page;
    const page = new CodePage(frame, mode, slot.bytes, frame * PAGE + slot.delta);
    pages.push(page);
    this.#count++;
    return page;
  }

  /** Somebody wrote `length` bytes at physical `address`. */
  written(address: number, length: number): void {
    if (this.#count === 0) return;
    const first = Math.floor(address / PAGE);
    const last = Math.floor((address + length - 1) / PAGE);
    if (last - first >= this.#pages.size) {
      for (const frame of [...this.#pages.keys()]) {
        if (frame >= first && frame <= last) this.#writtenIn(frame, address, length);
      }
    } else for (let frame = first; frame <= last; frame++) this.#writtenIn(frame, address, length);
  }

  #writtenIn(frame: number, address: number, length: number): void {
    const start = frame * PAGE;
    this.writtenInPage(frame, Math.max(0, address - start), Math.min(PAGE, address + length - start));
  }

  /** Somebody wrote the bytes `from` to `to - 1` of one page. */
  writtenInPage(frame: number, from: number, to: number): void {
    const pages = this.#pages.get(frame);
    if (pages === undefined) return;
    let writes = 0;
    for (const page of pages) {
      page.invalidate(from, to);
      writes = Math.max(writes, ++page.writes);
    }
    if (writes > PATIENCE) this.#drop(frame, pages);
  }

  #drop(frame: number, pages: CodePage[]): void {
    for (const page of pages) page.drop();
    this.#pages.delete(frame);
    this.#count -= pages.length;
    for (const observer of this.#observers) observer.codeDropped();
  }

  dropAll(): void {
    for (const pages of this.#pages.values()) for (const page of pages) page.drop();
    this.#pages.clear();
    this.#count = 0;
    for (const observer of this.#observers) observer.codeDropped();
  }
}
