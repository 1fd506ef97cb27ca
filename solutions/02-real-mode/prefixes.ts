/**
 * Prefixes: the bytes in front of an opcode that change how the rest of the instruction is read.
 *
 *     F0 LOCK   F2 REPNE   F3 REP, REPE   66 operand size   67 address size
 *     26 ES   2E CS   36 SS   3E DS   64 FS   65 GS
 *
 * They stand in any order and may repeat; of two of one kind the last counts. The first byte that is no
 * prefix is the opcode.
 *
 * Source: SDM vol. 2, 2.1.1 "Instruction Prefixes".
 */
import type { InstructionBytes } from "./modrm.ts";
import { CS, DS, ES, FS, GS, SS } from "./registers.ts";

// #region prefixes
export const PREFIX_LOCK = 1;
/** F2: REPNE, and a mandatory prefix of SSE. */
export const PREFIX_REPNE = 2;
/** F3: REP and REPE, and a mandatory prefix of SSE. */
export const PREFIX_REP = 4;
/** 66, also where it does not change the operand size. */
export const PREFIX_OPERAND = 8;
export const PREFIX_ADDRESS = 16;
export const PREFIX_SEGMENT = 32;

/** What an instruction's prefixes say: PREFIX_… bits, and the segment if one is named. */
export interface Prefixes {
  prefixes: number;
  segment: number;
}
// #endregion prefixes

/** The segment register that a prefix names, by the prefix's byte; -1 for any other byte. */
export const SEGMENT_OF_PREFIX = new Int8Array(256).fill(-1);
for (const [byte, segment] of [
  [0x26, ES],
  [0x2e, CS],
  [0x36, SS],
  [0x3e, DS],
  [0x64, FS],
  [0x65, GS],
] as const) {
  SEGMENT_OF_PREFIX[byte] = segment;
}

// #region read-prefixes
/** Takes bytes off the stream up to the opcode, which it returns; notes the prefixes in `insn`. */
export function readPrefixes(bytes: Pick<InstructionBytes, "next8">, insn: Prefixes): number {
  // #region exercise-prefixes
  for (;;) {
    const byte = bytes.next8();
    const segment = SEGMENT_OF_PREFIX[byte];
    if (segment >= 0) {
      insn.prefixes |= PREFIX_SEGMENT;
      insn.segment = segment;
    } else if (byte === 0x66) insn.prefixes |= PREFIX_OPERAND;
    else if (byte === 0x67) insn.prefixes |= PREFIX_ADDRESS;
    else if (byte === 0xf0) insn.prefixes |= PREFIX_LOCK;
    else if (byte === 0xf2) insn.prefixes = (insn.prefixes & ~PREFIX_REP) | PREFIX_REPNE;
    else if (byte === 0xf3) insn.prefixes = (insn.prefixes & ~PREFIX_REPNE) | PREFIX_REP;
    else return byte;
  }
  // #endregion exercise-prefixes
}
// #endregion read-prefixes
