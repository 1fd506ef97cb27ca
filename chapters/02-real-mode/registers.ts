// Given: this file of the layer has no exercises.
// Generated from solutions/02-real-mode/registers.ts by `npm run starters` (07d054d0).
/**
 * The register file: every register has one 8-byte slot in one array, named after the manual.
 *
 * The names below are indices into the file seen as 32-bit numbers (`r32`), two a slot. The same bytes seen
 * as 16-bit numbers give AX at `EAX * 2`, and seen as bytes AL at `EAX * 4` and AH right after it.
 *
 * Source: SDM vol. 1, 3.4 Basic Program Execution Registers.
 */

/** The register file seen in three widths. All three arrays look at the same bytes. */
export interface Registers {
  readonly r32: Int32Array;
  readonly r16: Uint16Array;
  readonly r8: Uint8Array;
}

// #region registers
export const EAX = 0;
export const ECX = 2;
export const EDX = 4;
export const EBX = 6;
export const ESP = 8;
export const EBP = 10;
export const ESI = 12;
export const EDI = 14;
/** Slots 8 to 15 wait for R8 to R15 of long mode. */
export const R8 = 16;
/** Always 0: what an effective address without a base or an index adds. */
export const ZERO = 32;
/** The instruction to execute next; while one executes, the one after it. */
export const EIP = 34;
/** Where the instruction that executes now began. */
export const INSTRUCTION_EIP = 36;
/** EFLAGS without the six arithmetic flags, which `alu.ts` keeps in the next two. */
export const SYSTEM_FLAGS = 38;
export const FLAG_RESULT = 40;
export const FLAG_CARRIES = 42;
// #endregion registers

// #region segment-registers
/** Segment registers, in the order of the manual's encoding. */
export const ES = 0;
export const CS = 2;
export const SS = 4;
export const DS = 6;
export const FS = 8;
export const GS = 10;
export const LDTR = 12;
export const TR = 14;

/** `r32[SELECTOR + DS]` is the visible part of DS; the other three are its hidden part. */
export const SELECTOR = 64;
export const BASE = 80;
/** In bytes, with the granularity applied; unsigned. */
export const LIMIT = 96;
/** Bits 8 to 23 of the descriptor's upper half, without the limit: type, S, DPL, P; AVL, L, D/B, G. */
export const ACCESS = 112;
/** What `segments.ts` made of ACCESS: which accesses are allowed. */
export const RIGHTS = 128;
// #endregion segment-registers

/** Slots of the file, 8 bytes each. */
export const SLOTS = 512;

/** The three views of the register file that begins at byte `offset` of `buffer`. */
export function viewRegisters(buffer: ArrayBufferLike, offset: number): Registers {
  return {
    r32: new Int32Array(buffer, offset, SLOTS * 2),
    r16: new Uint16Array(buffer, offset, SLOTS * 4),
    r8: new Uint8Array(buffer, offset, SLOTS * 8),
  };
}

/** Index of byte register `number` (AL CL DL BL AH CH DH BH) in the file seen as bytes. */
export function byteRegister(number: number): number {
  return (number & 3) * 8 + (number >> 2);
}
