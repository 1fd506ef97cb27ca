/**
 * Shifts and rotates. Counts are taken modulo 32; by 0 nothing changes, not even a flag.
 *
 * OF is defined for single shifts only. What is done here for all counts is what Intel's processors do:
 * it is the value that the last of `count` single shifts leaves.
 *
 * Source: SDM vol. 2, "RCL/RCR/ROL/ROR", "SAL/SAR/SHL/SHR", "SHLD", "SHRD".
 */
import { CARRY, CARRY_INTO_SIGN, carryFlag, setCarryAndOverflow } from "#layers/02-real-mode/alu.ts";
import type { Handler } from "../instruction.ts";
import { ECX, FLAG_CARRIES, FLAG_RESULT } from "../state.ts";
import type { BySize } from "./arithmetic.ts";

type Size = 8 | 16 | 32;
/** `a` is unsigned for 8 and 16 bits; `count` is 1 to 31. Returns the result; bits above `size` are ignored. */
export type Shift = (r: Int32Array, size: Size, a: number, count: number) => number;

function setShiftFlags(r: Int32Array, size: Size, result: number, carry: boolean, overflow: boolean): void {
  r[FLAG_RESULT] = (result << (32 - size)) >> (32 - size);
  r[FLAG_CARRIES] = (carry ? CARRY : 0) | (carry !== overflow ? CARRY_INTO_SIGN : 0);
}

function bit(value: number, number: number): boolean {
  return ((value >>> number) & 1) !== 0;
}

export const shl: Shift = (r, size, a, count) => {
  const result = a << count;
  const carry = bit(a << (count - 1), size - 1);
  setShiftFlags(r, size, result, carry, bit(result, size - 1) !== carry);
  return result;
};

export const shr: Shift = (r, size, a, count) => {
  const result = a >>> count;
  setShiftFlags(r, size, result, bit(a, count - 1), bit(result, size - 1) !== bit(result, size - 2));
  return result;
};

export const sar: Shift = (r, size, a, count) => {
  const signed = (a << (32 - size)) >> (32 - size);
  const result = signed >> count;
  setShiftFlags(r, size, result, ((signed >> (count - 1)) & 1) !== 0, false);
  return result;
};

export const rol: Shift = (r, size, a, count) => {
  const by = count % size;
  const result = by === 0 ? a : (a << by) | (a >>> (size - by));
  setCarryAndOverflow(r, bit(result, 0), bit(result, size - 1) !== bit(result, 0));
  return result;
};

export const ror: Shift = (r, size, a, count) => {
  const by = count % size;
  const result = by === 0 ? a : (a >>> by) | (a << (size - by));
  setCarryAndOverflow(r, bit(result, size - 1), bit(result, size - 1) !== bit(result, size - 2));
  return result;
};

/** Through carry: CF is one more bit, so 9, 17 or 33 single rotates change nothing. */
export const rcl: Shift = (r, size, a, count) => {
  let carry = carryFlag(r);
  let result = a;
  for (let left = count % (size + 1); left > 0; left--) {
    const out = bit(result, size - 1);
    result = (result << 1) | (carry ? 1 : 0);
    carry = out;
  }
  setCarryAndOverflow(r, carry, bit(result, size - 1) !== carry);
  return result;
};

export const rcr: Shift = (r, size, a, count) => {
  let carry = carryFlag(r);
  let result = a;
  for (let left = count % (size + 1); left > 0; left--) {
    const out = bit(result, 0);
    result = (result >>> 1) | (carry ? 1 << (size - 1) : 0);
    carry = out;
  }
  setCarryAndOverflow(r, carry, bit(result, size - 1) !== bit(result, size - 2));
  return result;
};

type Count = (r8: Uint8Array, immediate: number) => number;
const byCL: Count = r8 => r8[ECX * 4] & 31;
const byImmediate: Count = (_r8, immediate) => immediate & 31;

function Eb(shift: Shift, count: Count): Handler {
  return (cpu, insn) => {
    const by = count(cpu.r8, insn.immediate);
    const a = cpu.modifyRm8(insn);
    if (by !== 0) cpu.replaceRm8(insn, shift(cpu.r32, 8, a, by));
    else cpu.replaceRm8(insn, a);
  };
}

function Ev(shift: Shift, count: Count): BySize {
  return [
    (cpu, insn) => {
      const by = count(cpu.r8, insn.immediate);
      const a = cpu.modifyRm16(insn);
      if (by !== 0) cpu.replaceRm16(insn, shift(cpu.r32, 16, a, by));
      else cpu.replaceRm16(insn, a);
    },
    (cpu, insn) => {
      const by = count(cpu.r8, insn.immediate);
      const a = cpu.modifyRm32(insn);
      if (by !== 0) cpu.replaceRm32(insn, shift(cpu.r32, 32, a, by));
      else cpu.replaceRm32(insn, a);
    },
  ];
}

export const EbI = (shift: Shift): Handler => Eb(shift, byImmediate);
export const EbCL = (shift: Shift): Handler => Eb(shift, byCL);
export const EvI = (shift: Shift): BySize => Ev(shift, byImmediate);
export const EvCL = (shift: Shift): BySize => Ev(shift, byCL);

/**
 * SHLD and SHRD. By more than 16, 16-bit operands are undefined; Intel's processors go on as if the
 * destination followed the source again.
 */
export function shld16(r: Int32Array, a: number, b: number, count: number): number {
  const wide = a * 2 ** 32 + b * 2 ** 16 + a;
  const result = Math.floor(wide / 2 ** (32 - count)) & 0xffff;
  const carry = (Math.floor(wide / 2 ** (48 - count)) & 1) !== 0;
  setShiftFlags(r, 16, result, carry, bit(result, 15) !== carry);
  return result;
}

export function shrd16(r: Int32Array, a: number, b: number, count: number): number {
  const wide = a * 2 ** 32 + b * 2 ** 16 + a;
  const result = Math.floor(wide / 2 ** count) & 0xffff;
  const carry = (Math.floor(wide / 2 ** (count - 1)) & 1) !== 0;
  setShiftFlags(r, 16, result, carry, bit(result, 15) !== bit(result, 14));
  return result;
}

export function shld32(r: Int32Array, a: number, b: number, count: number): number {
  const result = (a << count) | (b >>> (32 - count));
  const carry = bit(a, 32 - count);
  setShiftFlags(r, 32, result, carry, bit(result, 31) !== carry);
  return result;
}

export function shrd32(r: Int32Array, a: number, b: number, count: number): number {
  const result = (a >>> count) | (b << (32 - count));
  setShiftFlags(r, 32, result, bit(a, count - 1), bit(result, 31) !== bit(result, 30));
  return result;
}

type DoubleShift = (r: Int32Array, a: number, b: number, count: number) => number;

function EvGv(shift16: DoubleShift, shift32: DoubleShift, count: Count): BySize {
  return [
    (cpu, insn) => {
      const by = count(cpu.r8, insn.immediate);
      const a = cpu.modifyRm16(insn);
      cpu.replaceRm16(insn, by === 0 ? a : shift16(cpu.r32, a, cpu.r16[insn.regIndex], by));
    },
    (cpu, insn) => {
      const by = count(cpu.r8, insn.immediate);
      const a = cpu.modifyRm32(insn);
      cpu.replaceRm32(insn, by === 0 ? a : shift32(cpu.r32, a, cpu.r32[insn.regIndex], by));
    },
  ];
}

export const shldIb = EvGv(shld16, shld32, byImmediate);
export const shldCL = EvGv(shld16, shld32, byCL);
export const shrdIb = EvGv(shrd16, shrd32, byImmediate);
export const shrdCL = EvGv(shrd16, shrd32, byCL);
