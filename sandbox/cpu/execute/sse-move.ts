/**
 * Moves of SSE and SSE2, from and to memory and between XMM registers. None of them looks at the values.
 *
 * Source: SDM vol. 2, MOVAPS, MOVUPS, MOVLPS, MOVHPS, MOVSS, MOVQ, MOVMSKPS, MOVNTI, UNPCKLPS …
 */
import type { Cpu } from "../cpu.ts";
import { VECTOR } from "../fpu/unit.ts";
import type { Instruction } from "../instruction.ts";
import {
  beginSse,
  copyVector,
  load64,
  load128,
  source64,
  source128,
  store64,
  store128,
  xmm,
} from "./sse-steps.ts";

/** MOVAPS, MOVAPD, MOVDQA Vdq,Wdq. */
export function loadAligned(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  if (insn.isMemory) load128(cpu, insn, xmm(insn.reg));
  else copyVector(cpu.r32, xmm(insn.reg), xmm(insn.rm));
}

/** The same Wdq,Vdq, and MOVNTPS, MOVNTPD, MOVNTDQ. */
export function storeAligned(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  if (insn.isMemory) store128(cpu, insn, xmm(insn.reg));
  else copyVector(cpu.r32, xmm(insn.rm), xmm(insn.reg));
}

/** MOVUPS, MOVUPD, MOVDQU Vdq,Wdq. */
export function loadUnaligned(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  if (insn.isMemory) load128(cpu, insn, xmm(insn.reg), true);
  else copyVector(cpu.r32, xmm(insn.reg), xmm(insn.rm));
}

export function storeUnaligned(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  if (insn.isMemory) store128(cpu, insn, xmm(insn.reg), true);
  else copyVector(cpu.r32, xmm(insn.rm), xmm(insn.reg));
}

/** MOVSS Vd,Wd: from memory the rest becomes zero, from a register it stays. */
export function loadSingle(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const to = xmm(insn.reg);
  if (!insn.isMemory) {
    r[to] = r[xmm(insn.rm)];
    return;
  }
  r[to] = cpu.read32(insn.segment, cpu.effectiveAddress(insn));
  r[to + 1] = 0;
  r[to + 2] = 0;
  r[to + 3] = 0;
}

export function storeSingle(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  if (insn.isMemory) cpu.write32(insn.segment, cpu.effectiveAddress(insn), r[xmm(insn.reg)]);
  else r[xmm(insn.rm)] = r[xmm(insn.reg)];
}

/** MOVSD Vq,Wq: as MOVSS. */
export function loadDouble(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const to = xmm(insn.reg);
  if (insn.isMemory) {
    load64(cpu, insn, to);
    r[to + 2] = 0;
    r[to + 3] = 0;
    return;
  }
  r[to] = r[xmm(insn.rm)];
  r[to + 1] = r[xmm(insn.rm) + 1];
}

export function storeDouble(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const from = xmm(insn.reg);
  if (insn.isMemory) {
    store64(cpu, insn, from);
    return;
  }
  r[xmm(insn.rm)] = r[from];
  r[xmm(insn.rm) + 1] = r[from + 1];
}

/** MOVQ Vq,Wq: the upper half becomes zero in any case. */
export function loadQuadword(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const source = source64(cpu, insn);
  const to = xmm(insn.reg);
  r[to] = r[source];
  r[to + 1] = r[source + 1];
  r[to + 2] = 0;
  r[to + 3] = 0;
}

/** MOVQ Wq,Vq. */
export function storeQuadword(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const from = xmm(insn.reg);
  if (insn.isMemory) {
    store64(cpu, insn, from);
    return;
  }
  const to = xmm(insn.rm);
  r[to] = r[from];
  r[to + 1] = r[from + 1];
  r[to + 2] = 0;
  r[to + 3] = 0;
}

/** MOVLPS and MOVLPD from memory; between registers MOVHLPS, which takes the source's upper half. */
export function loadLow(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const to = xmm(insn.reg);
  if (insn.isMemory) load64(cpu, insn, to);
  else {
    r[to] = r[xmm(insn.rm) + 2];
    r[to + 1] = r[xmm(insn.rm) + 3];
  }
}

export function storeLow(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  store64(cpu, insn, xmm(insn.reg));
}

/** MOVHPS and MOVHPD from memory; between registers MOVLHPS, which takes the source's lower half. */
export function loadHigh(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const to = xmm(insn.reg);
  if (insn.isMemory) load64(cpu, insn, to + 2);
  else {
    r[to + 2] = r[xmm(insn.rm)];
    r[to + 3] = r[xmm(insn.rm) + 1];
  }
}

export function storeHigh(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  store64(cpu, insn, xmm(insn.reg) + 2);
}

/** MOVNTI: an ordinary store to us; it needs no unit. */
export function movnti(cpu: Cpu, insn: Instruction): void {
  cpu.write32(insn.segment, cpu.effectiveAddress(insn), cpu.r32[2 * insn.reg]);
}

export function movmskps(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const from = xmm(insn.rm);
  r[2 * insn.reg] =
    (r[from] >>> 31) |
    ((r[from + 1] >>> 31) << 1) |
    ((r[from + 2] >>> 31) << 2) |
    ((r[from + 3] >>> 31) << 3);
}

export function movmskpd(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const r = cpu.r32;
  const from = xmm(insn.rm);
  r[2 * insn.reg] = (r[from + 1] >>> 31) | ((r[from + 3] >>> 31) << 1);
}

/** Vdq = two words of each operand, alternating, from word `first` on. */
function interleave(cpu: Cpu, insn: Instruction, first: number): void {
  beginSse(cpu);
  const source = source128(cpu, insn);
  const r = cpu.r32;
  const to = xmm(insn.reg);
  copyVector(r, VECTOR, source);
  const a0 = r[to + first];
  const a1 = r[to + first + 1];
  r[to] = a0;
  r[to + 1] = r[VECTOR + first];
  r[to + 2] = a1;
  r[to + 3] = r[VECTOR + first + 1];
}

export function unpcklps(cpu: Cpu, insn: Instruction): void {
  interleave(cpu, insn, 0);
}

export function unpckhps(cpu: Cpu, insn: Instruction): void {
  interleave(cpu, insn, 2);
}
