// Given: this file of the layer has no exercises.
// Generated from solutions/04-interrupts/processor.ts by `npm run starters` (cec82e0a).
/**
 * What taking an interrupt, and returning from one, needs of a processor.
 *
 * The processor of the soft engine stands behind it, and in a test whatever records the calls.
 * Segment registers are named by the indices of `02-real-mode/registers.ts` (ES, CS, SS, DS, FS, GS).
 */
import type { SegmentImage } from "#layers/03-paging/descriptors.ts";

// #region eflags
export const TF = 1 << 8;
export const IF = 1 << 9;
export const IOPL = 0b11 << 12;
export const NT = 1 << 14;
export const RF = 1 << 16;
export const VM = 1 << 17;
export const AC = 1 << 18;
export const VIF = 1 << 19;
export const VIP = 1 << 20;
// #endregion eflags

/** Why a task switch happens: each kind treats busy bits, back link and NT in its own way. */
export type TaskSwitchCause = "jump" | "call" | "interrupt" | "return";

// #region processor
export interface Processor {
  /** CR0.PE. */
  readonly isProtectedMode: boolean;
  /** Current privilege level, 0 to 3; 3 in virtual-8086 mode. */
  readonly cpl: number;
  /** The instruction to go on with. */
  eip: number;
  eflags: number;
  /** All 32 bits of the stack pointer, also where the stack is a 16-bit one. */
  esp: number;

  readonly idtBase: number;
  /** Offset of the table's last byte. */
  readonly idtLimit: number;
  /** The current task's TSS, from TR. */
  readonly task: SegmentImage;
  /** What SS holds. */
  readonly stackSegment: SegmentImage;
  /** Offset of the last byte of the code segment. */
  readonly codeLimit: number;
  selector(register: number): number;
  segmentRights(register: number): number;

  /** Reads and writes 2 or 4 bytes at a linear address: as CPL 3 does, or as the processor itself. */
  read(linear: number, size: 2 | 4, asUser: boolean): number;
  write(linear: number, size: 2 | 4, value: number, asUser: boolean): void;
  /** Reads a descriptor of the GDT or LDT. False: null, or beyond the table. */
  findDescriptor(selector: number, into: SegmentImage): boolean;
  /** Sets the accessed bit in the descriptor's memory and in `segment`, where it is clear. */
  markAccessed(segment: SegmentImage): void;

  /** SS, DS, ES, FS or GS in protected mode, after all checks. */
  loadSegment(register: number, segment: SegmentImage): void;
  /** Takes a segment register away: null selector, every use faults. */
  loadNull(register: number): void;
  /** CS in protected mode, with the privilege level that its code runs at. */
  loadCode(segment: SegmentImage, cpl: number): void;
  /** Any segment register in real and virtual-8086 mode: base is 16 times the selector. */
  loadRealSegment(register: number, selector: number): void;

  switchTask(selector: number, cause: TaskSwitchCause, isExternal: boolean): void;
  /** Raises an exception of the guest; the instruction, or delivery, ends here. */
  fault(vector: number, errorCode: number): never;
}
// #endregion processor
