/**
 * The state of the floating-point unit: x87 register stack, MMX and XMM registers, control and status.
 *
 * It lies in the register file (`state.ts`), 256 words from FPU_SLOTS on:
 *
 * ```
 *    0 …  31   R0 to R7: slots of `float80.ts`; the low 64 bits are MM0 to MM7
 *   32 …  95   XMM0 to XMM15, four words each
 *   96 … 114   control, status, stack top, tags, pointers, MXCSR
 *  116 … 255   temporaries of one instruction
 * ```
 *
 * Source: SDM vol. 1, 8.1 "x87 FPU Execution Environment", 10.2 "SSE Programming Environment".
 */

import type { Fpu } from "../../kvm/api.ts";
import { FPU_SLOTS } from "../state.ts";
import type { Arithmetic } from "./float80.ts";
import { EXPONENT, EXTENDED, HIGH, NEAREST, SIGN_EXPONENT, SLOT, WAS_DENORMAL } from "./float80.ts";

/** R0; R(i) and MM(i) are at `X87 + 4 * i`. */
export const X87 = FPU_SLOTS;
/** XMM0; XMM(i) is at `XMM + 4 * i`. */
export const XMM = FPU_SLOTS + 32;
export const CONTROL = FPU_SLOTS + 96;
/** The status word, but for its TOP field. */
export const STATUS = FPU_SLOTS + 98;
/** Which of R0 to R7 is ST(0). */
export const TOP = FPU_SLOTS + 100;
/** A bit for each of R0 to R7: 1 where it holds something, the "abridged tag word" of FXSAVE. */
export const USED = FPU_SLOTS + 102;
/** The last instruction but for control instructions: 11 bits of its opcode, and where it was. */
export const LAST_OPCODE = FPU_SLOTS + 104;
export const LAST_IP = FPU_SLOTS + 106;
export const LAST_CS = FPU_SLOTS + 108;
/** Its memory operand. */
export const LAST_DP = FPU_SLOTS + 110;
export const LAST_DS = FPU_SLOTS + 112;
export const MXCSR = FPU_SLOTS + 114;
/** Temporaries: slots, or 128-bit values. */
export const OPERAND = FPU_SLOTS + 116;
export const SECOND = FPU_SLOTS + 120;
export const RESULT = FPU_SLOTS + 124;
export const RESULT2 = FPU_SLOTS + 128;
export const VECTOR = FPU_SLOTS + 132;
export const VECTOR2 = FPU_SLOTS + 136;
export const VECTOR3 = FPU_SLOTS + 140;

// The status word.
/** An unmasked exception waits: ES, and B, which mirrors it since the 387. */
export const ERROR_SUMMARY = 0x8080;
export const CONDITION_CODES = 0x4700;

export const CONTROL_AFTER_INIT = 0x037f;
export const MXCSR_AFTER_RESET = 0x1f80;
/** Bits of MXCSR that exist: DAZ (bit 6) came with SSE2. */
export const MXCSR_MASK = 0xffff;

/** Significant bits by the precision-control field; the reserved value 1 acts as 64. */
const PRECISIONS = [24, 64, 53, 64] as const;

class Context implements Arithmetic {
  rounding = NEAREST;
  precision = 64;
  masks = 0x3f;
  raised = 0;
  format = EXTENDED;
  isUsual = false;
  flushToZero = false;
  constructor(readonly words: Int32Array) {}
}

export class FloatingPointUnit {
  /** Rules of the x87 instructions, as the control word says. */
  readonly x87: Arithmetic;
  /** Rules of the SSE instructions, as MXCSR says. */
  readonly sse: Arithmetic;
  /** MXCSR.DAZ. */
  denormalsAreZeros = false;
  /** The register file as floats: lanes of the XMM registers are read and written through these. */
  readonly singles: Float32Array;
  readonly doubles: Float64Array;
  /** Drives FERR#: CR0.NE is 0 and an unmasked x87 exception met a waiting instruction (SDM vol. 3A, 2.5). */
  errorLine: ((asserted: boolean) => void) | null = null;

  /** `words` is the register file. */
  constructor(readonly words: Int32Array) {
    this.x87 = new Context(words);
    this.sse = new Context(words);
    this.singles = new Float32Array(words.buffer, words.byteOffset, words.length);
    this.doubles = new Float64Array(words.buffer, words.byteOffset, words.length / 2);
    this.reset();
  }

  /** RESET: unlike FNINIT it leaves +0 in the registers, and control word 0x40 (SDM vol. 3A, table 9-1). */
  reset(): void {
    this.words.fill(0, X87, X87 + 256);
    this.setControl(0x40);
    this.setMxcsr(MXCSR_AFTER_RESET);
    this.words[USED] = 0xff;
  }

  /** FNINIT. */
  initialize(): void {
    const w = this.words;
    this.setControl(CONTROL_AFTER_INIT);
    w[STATUS] = 0;
    w[TOP] = 0;
    w[USED] = 0;
    w[LAST_OPCODE] = 0;
    w[LAST_IP] = 0;
    w[LAST_CS] = 0;
    w[LAST_DP] = 0;
    w[LAST_DS] = 0;
  }

  /** Sets the control word: bits 13 to 15 and 7 do not exist, bit 6 is always 1. */
  setControl(value: number): void {
    const control = (value & 0x1f7f) | 0x40;
    this.words[CONTROL] = control;
    this.x87.rounding = (control >>> 10) & 3;
    this.x87.precision = PRECISIONS[(control >>> 8) & 3] ?? 64;
    this.x87.masks = control & 0x3f;
    this.x87.isUsual = this.x87.rounding === NEAREST && this.x87.precision === 64;
  }

  /** The status word, TOP included. */
  getStatus(): number {
    return this.words[STATUS] | (this.words[TOP] << 11);
  }

  /** Sets the status word; the error summary follows from it and the masks. */
  setStatus(value: number): void {
    this.words[TOP] = (value >>> 11) & 7;
    this.words[STATUS] = value & (CONDITION_CODES | 0x7f);
    this.summarize();
  }

  /** ES and B: an exception flag is set whose mask is not. */
  summarize(): void {
    const w = this.words;
    if ((w[STATUS] & ~w[CONTROL] & 0x3f) !== 0) w[STATUS] |= ERROR_SUMMARY;
    else w[STATUS] &= ~ERROR_SUMMARY;
  }

  setMxcsr(value: number): void {
    this.words[MXCSR] = value;
    this.sse.rounding = (value >>> 13) & 3;
    this.sse.masks = (value >>> 7) & 0x3f;
    this.sse.flushToZero = (value & 0x8000) !== 0;
    this.denormalsAreZeros = (value & 0x40) !== 0;
  }

  /** The full tag word: 0 valid, 1 zero, 2 special, 3 empty, for R0 in the low bits. */
  getTags(): number {
    const w = this.words;
    let tags = 0;
    for (let i = 7; i >= 0; i--) {
      tags <<= 2;
      if (((w[USED] >>> i) & 1) === 0) tags |= 3;
      else {
        const slot = X87 + SLOT * i;
        const exponent = w[slot + SIGN_EXPONENT] & EXPONENT;
        if (exponent === 0 && (w[slot] | w[slot + HIGH]) === 0) tags |= 1;
        else if (exponent === 0 || exponent === EXPONENT || w[slot + HIGH] >= 0) tags |= 2;
      }
    }
    return tags;
  }

  /** From a full tag word: all that counts is which registers are empty. */
  setTags(tags: number): void {
    let used = 0;
    for (let i = 0; i < 8; i++) if (((tags >>> (2 * i)) & 3) !== 3) used |= 1 << i;
    this.words[USED] = used;
  }

  /** KVM_GET_FPU. */
  save(): Fpu {
    const w = this.words;
    const fpr = new Uint8Array(128);
    const view = new DataView(fpr.buffer);
    for (let i = 0; i < 8; i++) {
      const slot = X87 + SLOT * ((w[TOP] + i) & 7);
      view.setInt32(16 * i, w[slot], true);
      view.setInt32(16 * i + 4, w[slot + HIGH], true);
      view.setUint16(16 * i + 8, w[slot + SIGN_EXPONENT], true);
    }
    return {
      fpr,
      fcw: w[CONTROL],
      fsw: this.getStatus(),
      ftwx: w[USED],
      lastOpcode: w[LAST_OPCODE],
      lastIp: BigInt(w[LAST_IP] >>> 0),
      lastDp: BigInt(w[LAST_DP] >>> 0),
      xmm: new Uint8Array(w.buffer.slice(w.byteOffset + 4 * XMM, w.byteOffset + 4 * (XMM + 64))),
      mxcsr: w[MXCSR],
    };
  }

  /** KVM_SET_FPU. */
  restore(fpu: Fpu): void {
    const w = this.words;
    this.setControl(fpu.fcw);
    this.setStatus(fpu.fsw);
    w[USED] = fpu.ftwx & 0xff;
    w[LAST_OPCODE] = fpu.lastOpcode & 0x7ff;
    w[LAST_IP] = Number(BigInt.asIntN(32, fpu.lastIp));
    w[LAST_DP] = Number(BigInt.asIntN(32, fpu.lastDp));
    w[LAST_CS] = 0;
    w[LAST_DS] = 0;
    const view = new DataView(fpu.fpr.buffer, fpu.fpr.byteOffset, fpu.fpr.byteLength);
    for (let i = 0; i < 8; i++) {
      const slot = X87 + SLOT * ((w[TOP] + i) & 7);
      w[slot] = view.getInt32(16 * i, true);
      w[slot + HIGH] = view.getInt32(16 * i + 4, true);
      w[slot + SIGN_EXPONENT] = view.getUint16(16 * i + 8, true);
      w[slot + WAS_DENORMAL] = 0;
    }
    new Uint8Array(w.buffer, w.byteOffset + 4 * XMM, 256).set(fpu.xmm);
    this.setMxcsr(fpu.mxcsr & MXCSR_MASK);
  }
}
