/** MUL, IMUL, DIV, IDIV, AAM, AAD. Source: SDM vol. 2. */
import { CARRY, setLogicFlags } from "#layers/02-real-mode/alu.ts";
import type { Cpu } from "../cpu.ts";
import type { Handler } from "../instruction.ts";
import { DIVIDE_ERROR, EAX, EDX, FLAG_CARRIES } from "../state.ts";
import type { BySize } from "./arithmetic.ts";

/** CF and OF say that the upper half matters; the other flags follow the lower half. */
function setFlags(cpu: Cpu, size: 8 | 16 | 32, low: number, overflows: boolean): void {
  setLogicFlags(cpu.r32, size, low);
  if (overflows) cpu.r32[FLAG_CARRIES] = CARRY;
}

/** The upper 32 bits of the unsigned 64-bit product. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = (middle % 0x1_0000) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x1_0000) + Math.floor(other / 0x1_0000)) | 0;
}

export const mulEb: Handler = (cpu, insn) => {
  const product = cpu.r8[EAX * 4] * cpu.readRm8(insn);
  cpu.r16[EAX * 2] = product;
  setFlags(cpu, 8, product, product > 0xff);
};

export const mulEv: BySize = [
  (cpu, insn) => {
    const product = cpu.r16[EAX * 2] * cpu.readRm16(insn);
    cpu.r16[EAX * 2] = product;
    cpu.r16[EDX * 2] = product >>> 16;
    setFlags(cpu, 16, product, product > 0xffff);
  },
  (cpu, insn) => {
    const a = cpu.r32[EAX];
    const b = cpu.readRm32(insn);
    const low = Math.imul(a, b);
    const high = multiplyHigh(a, b);
    cpu.r32[EAX] = low;
    cpu.r32[EDX] = high;
    setFlags(cpu, 32, low, high !== 0);
  },
];

export const imulEb: Handler = (cpu, insn) => {
  const product = signed8(cpu.r8[EAX * 4]) * signed8(cpu.readRm8(insn));
  cpu.r16[EAX * 2] = product;
  setFlags(cpu, 8, product, product !== signed8(product));
};

export const imulEv: BySize = [
  (cpu, insn) => {
    const product = signed16(cpu.r16[EAX * 2]) * signed16(cpu.readRm16(insn));
    cpu.r16[EAX * 2] = product;
    cpu.r16[EDX * 2] = product >> 16;
    setFlags(cpu, 16, product, product !== signed16(product));
  },
  (cpu, insn) => {
    const a = cpu.r32[EAX];
    const b = cpu.readRm32(insn);
    const low = Math.imul(a, b);
    const high = (multiplyHigh(a, b) - ((a >> 31) & b) - ((b >> 31) & a)) | 0;
    cpu.r32[EAX] = low;
    cpu.r32[EDX] = high;
    setFlags(cpu, 32, low, high !== low >> 31);
  },
];

function multiply16(cpu: Cpu, a: number, b: number): number {
  const product = signed16(a) * signed16(b);
  setFlags(cpu, 16, product, product !== signed16(product));
  return product;
}

function multiply32(cpu: Cpu, a: number, b: number): number {
  const low = Math.imul(a, b);
  setFlags(cpu, 32, low, a * b !== low);
  return low;
}

export const imulGvEv: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.regIndex] = multiply16(cpu, cpu.r16[insn.regIndex], cpu.readRm16(insn));
  },
  (cpu, insn) => {
    cpu.r32[insn.regIndex] = multiply32(cpu, cpu.r32[insn.regIndex], cpu.readRm32(insn));
  },
];

export const imulGvEvI: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.regIndex] = multiply16(cpu, cpu.readRm16(insn), insn.immediate);
  },
  (cpu, insn) => {
    cpu.r32[insn.regIndex] = multiply32(cpu, cpu.readRm32(insn), insn.immediate);
  },
];

// Division: a quotient that does not fit, or a divisor of 0, is #DE and changes nothing.

export const divEb: Handler = (cpu, insn) => {
  const divisor = cpu.readRm8(insn);
  const dividend = cpu.r16[EAX * 2];
  if (divisor === 0) cpu.fault(DIVIDE_ERROR);
  const quotient = Math.floor(dividend / divisor);
  if (quotient > 0xff) cpu.fault(DIVIDE_ERROR);
  cpu.r8[EAX * 4] = quotient;
  cpu.r8[EAX * 4 + 1] = dividend % divisor;
};

export const idivEb: Handler = (cpu, insn) => {
  const divisor = signed8(cpu.readRm8(insn));
  const dividend = signed16(cpu.r16[EAX * 2]);
  if (divisor === 0) cpu.fault(DIVIDE_ERROR);
  const quotient = Math.trunc(dividend / divisor);
  if (quotient !== signed8(quotient)) cpu.fault(DIVIDE_ERROR);
  cpu.r8[EAX * 4] = quotient;
  cpu.r8[EAX * 4 + 1] = dividend % divisor;
};

export const divEv: BySize = [
  (cpu, insn) => {
    const divisor = cpu.readRm16(insn);
    const dividend = cpu.r16[EDX * 2] * 0x1_0000 + cpu.r16[EAX * 2];
    if (divisor === 0) cpu.fault(DIVIDE_ERROR);
    const quotient = Math.floor(dividend / divisor);
    if (quotient > 0xffff) cpu.fault(DIVIDE_ERROR);
    cpu.r16[EAX * 2] = quotient;
    cpu.r16[EDX * 2] = dividend % divisor;
  },
  (cpu, insn) => {
    const divisor = cpu.readRm32(insn) >>> 0;
    const high = cpu.r32[EDX] >>> 0;
    if (high >= divisor) cpu.fault(DIVIDE_ERROR);
    divide64(high, cpu.r32[EAX] >>> 0, divisor);
    cpu.r32[EAX] = quotient64;
    cpu.r32[EDX] = remainder64;
  },
];

export const idivEv: BySize = [
  (cpu, insn) => {
    const divisor = signed16(cpu.readRm16(insn));
    const dividend = (cpu.r16[EDX * 2] << 16) | cpu.r16[EAX * 2];
    if (divisor === 0) cpu.fault(DIVIDE_ERROR);
    const quotient = Math.trunc(dividend / divisor);
    if (quotient !== signed16(quotient)) cpu.fault(DIVIDE_ERROR);
    cpu.r16[EAX * 2] = quotient;
    cpu.r16[EDX * 2] = dividend % divisor;
  },
  (cpu, insn) => {
    const divisor = cpu.readRm32(insn);
    let low = cpu.r32[EAX];
    let high = cpu.r32[EDX];
    const isNegative = high < 0;
    if (isNegative) {
      low = (0 - low) | 0;
      high = (~high + (low === 0 ? 1 : 0)) | 0;
    }
    const by = Math.abs(divisor);
    if (high >>> 0 >= by) cpu.fault(DIVIDE_ERROR);
    divide64(high >>> 0, low >>> 0, by);
    const quotient = isNegative !== divisor < 0 ? -quotient64 : quotient64;
    if (quotient !== (quotient | 0)) cpu.fault(DIVIDE_ERROR);
    cpu.r32[EAX] = quotient;
    cpu.r32[EDX] = isNegative ? -remainder64 : remainder64;
  },
];

let quotient64 = 0;
let remainder64 = 0;

/** Divides high * 2^32 + low, where high < divisor: in two steps of 16 bits, each exact in a double. */
function divide64(high: number, low: number, divisor: number): void {
  const upper = high * 0x1_0000 + (low >>> 16);
  const first = Math.floor(upper / divisor);
  const lower = (upper - first * divisor) * 0x1_0000 + (low & 0xffff);
  const second = Math.floor(lower / divisor);
  quotient64 = first * 0x1_0000 + second;
  remainder64 = lower - second * divisor;
}

export const aam: Handler = (cpu, insn) => {
  const divisor = insn.immediate & 0xff;
  if (divisor === 0) cpu.fault(DIVIDE_ERROR);
  const al = cpu.r8[EAX * 4];
  cpu.r8[EAX * 4 + 1] = Math.floor(al / divisor);
  cpu.r8[EAX * 4] = al % divisor;
  setLogicFlags(cpu.r32, 8, al % divisor);
};

export const aad: Handler = (cpu, insn) => {
  const al = (cpu.r8[EAX * 4] + cpu.r8[EAX * 4 + 1] * (insn.immediate & 0xff)) & 0xff;
  cpu.r16[EAX * 2] = al;
  setLogicFlags(cpu.r32, 8, al);
};

function signed8(value: number): number {
  return (value << 24) >> 24;
}

function signed16(value: number): number {
  return (value << 16) >> 16;
}
