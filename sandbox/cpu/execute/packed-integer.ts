/**
 * MMX, and the integer half of SSE2: the same operations on 64 and on 128 bits.
 *
 * Source: SDM vol. 2, the instructions' own pages; SDM vol. 3A, 14.2 "The MMX State and MMX Register Aliasing".
 */
import type { Cpu } from "../cpu.ts";
import { byteSigns, type LaneOperation, shuffleHalves, shuffleWords } from "../fpu/packed-integers.ts";
import { USED, VECTOR, VECTOR2, VECTOR3 } from "../fpu/unit.ts";
import type { Handler, Instruction } from "../instruction.ts";
import { EDI } from "../state.ts";
import {
  beginMmx,
  beginSse,
  copyVector,
  enterMmx,
  mm,
  source128,
  sourceMmx,
  writeMmx,
  xmm,
} from "./sse-steps.ts";

/** Pq = Pq op Qq. */
export function onMmx(operation: LaneOperation): Handler {
  return (cpu, insn) => {
    beginMmx(cpu);
    const source = sourceMmx(cpu, insn);
    enterMmx(cpu.r32);
    operation(cpu, VECTOR3, mm(insn.reg), source, 2);
    writeMmx(cpu.r32, insn.reg, VECTOR3);
  };
}

/** Vdq = Vdq op Wdq. */
export function onXmm(operation: LaneOperation): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    const source = source128(cpu, insn);
    const to = xmm(insn.reg);
    operation(cpu, to, to, source, 4);
  };
}

/** Shifts of an MMX register by an immediate. */
export function shiftMmx(operation: LaneOperation): Handler {
  return (cpu, insn) => {
    beginMmx(cpu);
    enterMmx(cpu.r32);
    setCount(cpu, insn);
    operation(cpu, VECTOR3, mm(insn.rm), VECTOR2, 2);
    writeMmx(cpu.r32, insn.rm, VECTOR3);
  };
}

export function shiftXmm(operation: LaneOperation): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    setCount(cpu, insn);
    operation(cpu, xmm(insn.rm), xmm(insn.rm), VECTOR2, 4);
  };
}

function setCount(cpu: Cpu, insn: Instruction): void {
  cpu.r32[VECTOR2] = insn.immediate & 0xff;
  cpu.r32[VECTOR2 + 1] = 0;
}

export function emms(cpu: Cpu): void {
  beginMmx(cpu);
  enterMmx(cpu.r32);
  cpu.r32[USED] = 0;
}

// Moves between the register files.

/** MOVD Pd,Ed. */
export function movdToMmx(cpu: Cpu, insn: Instruction): void {
  beginMmx(cpu);
  const value = cpu.readRm32(insn);
  enterMmx(cpu.r32);
  cpu.r32[VECTOR] = value;
  cpu.r32[VECTOR + 1] = 0;
  writeMmx(cpu.r32, insn.reg, VECTOR);
}

/** MOVD Ed,Pd. */
export function movdFromMmx(cpu: Cpu, insn: Instruction): void {
  beginMmx(cpu);
  cpu.writeRm32(insn, cpu.r32[mm(insn.reg)]);
  enterMmx(cpu.r32);
}

/** MOVD Vd,Ed: the rest becomes zero. */
export function movdToXmm(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const to = xmm(insn.reg);
  r[to] = cpu.readRm32(insn);
  r[to + 1] = 0;
  r[to + 2] = 0;
  r[to + 3] = 0;
}

export function movdFromXmm(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  cpu.writeRm32(insn, cpu.r32[xmm(insn.reg)]);
}

/** MOVQ Pq,Qq. */
export function movqToMmx(cpu: Cpu, insn: Instruction): void {
  beginMmx(cpu);
  const source = sourceMmx(cpu, insn);
  enterMmx(cpu.r32);
  writeMmx(cpu.r32, insn.reg, source);
}

/** MOVQ Qq,Pq, and MOVNTQ. */
export function movqFromMmx(cpu: Cpu, insn: Instruction): void {
  beginMmx(cpu);
  const from = mm(insn.reg);
  if (insn.isMemory) {
    cpu.write64(insn.segment, cpu.effectiveAddress(insn), cpu.r32[from], cpu.r32[from + 1]);
  } else writeMmx(cpu.r32, insn.rm, from);
  enterMmx(cpu.r32);
}

/** MOVQ2DQ Vdq,Nq. */
export function movq2dq(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  beginMmx(cpu);
  const r = cpu.r32;
  enterMmx(r);
  const to = xmm(insn.reg);
  r[to] = r[mm(insn.rm)];
  r[to + 1] = r[mm(insn.rm) + 1];
  r[to + 2] = 0;
  r[to + 3] = 0;
}

/** MOVDQ2Q Pq,Uq. */
export function movdq2q(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  beginMmx(cpu);
  enterMmx(cpu.r32);
  writeMmx(cpu.r32, insn.reg, xmm(insn.rm));
}

// Shuffles, extracts, masks.

export function pshufw(cpu: Cpu, insn: Instruction): void {
  beginMmx(cpu);
  const source = sourceMmx(cpu, insn);
  enterMmx(cpu.r32);
  shuffleHalves(cpu.r16, VECTOR3, source, insn.immediate);
  writeMmx(cpu.r32, insn.reg, VECTOR3);
}

export function pshufd(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const source = source128(cpu, insn);
  shuffleWords(cpu.r32, xmm(insn.reg), source, source, insn.immediate);
}

/** Shuffles the low halves, copies the high ones. */
export function pshuflw(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const source = source128(cpu, insn);
  const to = xmm(insn.reg);
  shuffleHalves(cpu.r16, to, source, insn.immediate);
  cpu.r32[to + 2] = cpu.r32[source + 2];
  cpu.r32[to + 3] = cpu.r32[source + 3];
}

export function pshufhw(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const source = source128(cpu, insn);
  const to = xmm(insn.reg);
  shuffleHalves(cpu.r16, to + 2, source + 2, insn.immediate);
  cpu.r32[to] = cpu.r32[source];
  cpu.r32[to + 1] = cpu.r32[source + 1];
}

/** The 16 bits that PINSRW inserts: of a general register, or of memory. */
function insertedHalf(cpu: Cpu, insn: Instruction): number {
  return insn.isMemory ? cpu.read16(insn.segment, cpu.effectiveAddress(insn)) : cpu.r32[2 * insn.rm];
}

export function pinsrwMmx(cpu: Cpu, insn: Instruction): void {
  beginMmx(cpu);
  const value = insertedHalf(cpu, insn);
  const r = cpu.r32;
  enterMmx(r);
  r[VECTOR3] = r[mm(insn.reg)];
  r[VECTOR3 + 1] = r[mm(insn.reg) + 1];
  cpu.r16[2 * VECTOR3 + (insn.immediate & 3)] = value;
  writeMmx(r, insn.reg, VECTOR3);
}

export function pinsrwXmm(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  cpu.r16[2 * xmm(insn.reg) + (insn.immediate & 7)] = insertedHalf(cpu, insn);
}

export function pextrwMmx(cpu: Cpu, insn: Instruction): void {
  beginMmx(cpu);
  enterMmx(cpu.r32);
  cpu.r32[2 * insn.reg] = cpu.r16[2 * mm(insn.rm) + (insn.immediate & 3)];
}

export function pextrwXmm(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  cpu.r32[2 * insn.reg] = cpu.r16[2 * xmm(insn.rm) + (insn.immediate & 7)];
}

export function pmovmskbMmx(cpu: Cpu, insn: Instruction): void {
  beginMmx(cpu);
  enterMmx(cpu.r32);
  cpu.r32[2 * insn.reg] = byteSigns(cpu.r8, mm(insn.rm), 8);
}

export function pmovmskbXmm(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  cpu.r32[2 * insn.reg] = byteSigns(cpu.r8, xmm(insn.rm), 16);
}

/** Writes those bytes to DS:(E)DI whose mask byte has its top bit set. */
function maskedStore(cpu: Cpu, insn: Instruction, from: number, mask: number, bytes: number): void {
  const segment = insn.segment;
  const address = cpu.r32[EDI] & insn.addressMask;
  // Every byte that will be written is checked before the first one is.
  for (let i = 0; i < bytes; i++) {
    if (cpu.r8[4 * mask + i] >= 0x80) cpu.checkWrite(segment, (address + i) & insn.addressMask, 1);
  }
  for (let i = 0; i < bytes; i++) {
    if (cpu.r8[4 * mask + i] >= 0x80) {
      cpu.write8(segment, (address + i) & insn.addressMask, cpu.r8[4 * from + i]);
    }
  }
}

export function maskmovq(cpu: Cpu, insn: Instruction): void {
  beginMmx(cpu);
  maskedStore(cpu, insn, mm(insn.reg), mm(insn.rm), 8);
  enterMmx(cpu.r32);
}

export function maskmovdqu(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  maskedStore(cpu, insn, xmm(insn.reg), xmm(insn.rm), 16);
}

/** SHUFPS: two words of each operand. */
export function shufps(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const source = source128(cpu, insn);
  shuffleWords(cpu.r32, xmm(insn.reg), xmm(insn.reg), source, insn.immediate);
}

/** SHUFPD: one double of each operand. */
export function shufpd(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const source = source128(cpu, insn);
  const r = cpu.r32;
  const to = xmm(insn.reg);
  copyVector(r, VECTOR3, to);
  copyVector(r, VECTOR2, source);
  const first = VECTOR3 + ((insn.immediate & 1) << 1);
  const second = VECTOR2 + (insn.immediate & 2);
  r[to] = r[first];
  r[to + 1] = r[first + 1];
  r[to + 2] = r[second];
  r[to + 3] = r[second + 1];
}
