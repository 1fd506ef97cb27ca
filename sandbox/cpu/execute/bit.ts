/**
 * BT, BTS, BTR, BTC, BSF, BSR, and the atomic pair CMPXCHG, CMPXCHG8B, XADD.
 *
 * With a register as the bit's number and memory as the operand, the number reaches beyond the operand: it is
 * signed and picks a bit of a string that runs to both sides (SDM vol. 2, "BT").
 */
import { add, setArithmeticFlags, setCarry, subtract } from "#layers/02-real-mode/alu.ts";
import type { Cpu } from "../cpu.ts";
import type { Handler, Instruction } from "../instruction.ts";
import { EAX, EBX, ECX, EDX, FLAG_CARRIES, FLAG_RESULT, ZF } from "../state.ts";
import type { BySize } from "./arithmetic.ts";

/** What becomes of the operand; null: it is only read. */
type BitChange = ((value: number, bit: number) => number) | null;

export const setBit: BitChange = (value, bit) => value | (1 << bit);
export const resetBit: BitChange = (value, bit) => value & ~(1 << bit);
export const complementBit: BitChange = (value, bit) => value ^ (1 << bit);

function onRegister(cpu: Cpu, insn: Instruction, change: BitChange, number: number): void {
  const is16 = insn.operandSize === 2;
  const bit = number & (is16 ? 15 : 31);
  const value = is16 ? cpu.r16[insn.rmIndex] : cpu.r32[insn.rmIndex];
  setCarry(cpu.r32, ((value >>> bit) & 1) !== 0);
  if (change === null) return;
  if (is16) cpu.r16[insn.rmIndex] = change(value, bit);
  else cpu.r32[insn.rmIndex] = change(value, bit);
}

/** `step` counts whole operands from the one that ModRM names. */
function onMemory(cpu: Cpu, insn: Instruction, change: BitChange, number: number, step: number): void {
  const is16 = insn.operandSize === 2;
  const bit = number & (is16 ? 15 : 31);
  const offset = (cpu.effectiveAddress(insn) + step * insn.operandSize) & insn.addressMask;
  const { segment } = insn;
  if (change === null) {
    const value = is16 ? cpu.read16(segment, offset) : cpu.read32(segment, offset);
    setCarry(cpu.r32, ((value >>> bit) & 1) !== 0);
    return;
  }
  const value = is16 ? cpu.modify16(segment, offset) : cpu.modify32(segment, offset);
  if (is16) cpu.writeBack16(change(value, bit));
  else cpu.writeBack32(change(value, bit));
  setCarry(cpu.r32, ((value >>> bit) & 1) !== 0);
}

export function EvGv(change: BitChange): BySize {
  return [
    (cpu, insn) => {
      const number = (cpu.r16[insn.regIndex] << 16) >> 16;
      if (insn.isMemory) onMemory(cpu, insn, change, number, number >> 4);
      else onRegister(cpu, insn, change, number);
    },
    (cpu, insn) => {
      const number = cpu.r32[insn.regIndex];
      if (insn.isMemory) onMemory(cpu, insn, change, number, number >> 5);
      else onRegister(cpu, insn, change, number);
    },
  ];
}

export function EvIb(change: BitChange): Handler {
  return (cpu, insn) => {
    if (insn.isMemory) onMemory(cpu, insn, change, insn.immediate, 0);
    else onRegister(cpu, insn, change, insn.immediate);
  };
}

/** ZF is set for a source of 0, and then the destination stays as it is. */
function scan(cpu: Cpu, value: number, found: number): boolean {
  cpu.r32[FLAG_RESULT] = value === 0 ? 0 : 1;
  cpu.r32[FLAG_CARRIES] = 0;
  if (value !== 0) setArithmeticFlags(cpu.r32, 0);
  else setArithmeticFlags(cpu.r32, ZF | 4);
  return value !== 0 && found >= 0;
}

export const bsf: BySize = [
  (cpu, insn) => {
    const value = cpu.readRm16(insn);
    const found = 31 - Math.clz32(value & -value);
    if (scan(cpu, value, found)) cpu.r16[insn.regIndex] = found;
  },
  (cpu, insn) => {
    const value = cpu.readRm32(insn);
    const found = 31 - Math.clz32(value & -value);
    if (scan(cpu, value, found)) cpu.r32[insn.regIndex] = found;
  },
];

export const bsr: BySize = [
  (cpu, insn) => {
    const value = cpu.readRm16(insn);
    const found = 31 - Math.clz32(value);
    if (scan(cpu, value, found)) cpu.r16[insn.regIndex] = found;
  },
  (cpu, insn) => {
    const value = cpu.readRm32(insn);
    const found = 31 - Math.clz32(value);
    if (scan(cpu, value, found)) cpu.r32[insn.regIndex] = found;
  },
];

// The destination is written in either case, so that it must be writable in either.

export const cmpxchgEbGb: Handler = (cpu, insn) => {
  const value = cpu.modifyRm8(insn);
  const before = cpu.r8[EAX * 4];
  const isEqual = value === before;
  cpu.replaceRm8(insn, isEqual ? cpu.r8[insn.regIndex] : value);
  subtract(cpu.r32, 8, before, value);
  if (!isEqual) cpu.r8[EAX * 4] = value;
};

export const cmpxchgEvGv: BySize = [
  (cpu, insn) => {
    const value = cpu.modifyRm16(insn);
    const before = cpu.r16[EAX * 2];
    const isEqual = value === before;
    cpu.replaceRm16(insn, isEqual ? cpu.r16[insn.regIndex] : value);
    subtract(cpu.r32, 16, before, value);
    if (!isEqual) cpu.r16[EAX * 2] = value;
  },
  (cpu, insn) => {
    const value = cpu.modifyRm32(insn);
    const before = cpu.r32[EAX];
    const isEqual = value === before;
    cpu.replaceRm32(insn, isEqual ? cpu.r32[insn.regIndex] : value);
    subtract(cpu.r32, 32, before, value);
    if (!isEqual) cpu.r32[EAX] = value;
  },
];

export const cmpxchg8b: Handler = (cpu, insn) => {
  const offset = cpu.effectiveAddress(insn);
  cpu.checkWrite(insn.segment, offset, 8);
  cpu.read64(insn.segment, offset);
  const { low, high } = cpu;
  const isEqual = low === cpu.r32[EAX] && high === cpu.r32[EDX];
  if (isEqual) cpu.write64(insn.segment, offset, cpu.r32[EBX], cpu.r32[ECX]);
  else {
    cpu.write64(insn.segment, offset, low, high);
    cpu.r32[EAX] = low;
    cpu.r32[EDX] = high;
  }
  cpu.setArithmetic(isEqual ? ZF : 0, ZF);
};

export const xaddEbGb: Handler = (cpu, insn) => {
  const value = cpu.modifyRm8(insn);
  const source = cpu.r8[insn.regIndex];
  const sum = add(cpu.r32, 8, value, source);
  if (insn.isMemory) cpu.writeBack8(sum);
  cpu.r8[insn.regIndex] = value;
  if (!insn.isMemory) cpu.r8[insn.rmIndex] = sum;
};

export const xaddEvGv: BySize = [
  (cpu, insn) => {
    const value = cpu.modifyRm16(insn);
    const sum = add(cpu.r32, 16, value, cpu.r16[insn.regIndex]);
    if (insn.isMemory) cpu.writeBack16(sum);
    cpu.r16[insn.regIndex] = value;
    if (!insn.isMemory) cpu.r16[insn.rmIndex] = sum;
  },
  (cpu, insn) => {
    const value = cpu.modifyRm32(insn);
    const sum = add(cpu.r32, 32, value, cpu.r32[insn.regIndex]);
    if (insn.isMemory) cpu.writeBack32(sum);
    cpu.r32[insn.regIndex] = value;
    if (!insn.isMemory) cpu.r32[insn.rmIndex] = sum;
  },
];
