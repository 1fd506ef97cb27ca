/**
 * The steps that MMX and SSE instructions are made of: whether they may run, their operands, their exceptions.
 *
 * Source: SDM vol. 2, table 2-18 ff. "Exceptions Type"; SDM vol. 3A, chapter 14 "Intel MMX", 13.1 "System
 * Programming for SSE"; SDM vol. 1, 11.5.
 */

import type { Cpu } from "../cpu.ts";
import { DENORMAL, INVALID, SIGN_EXPONENT, ZERO_DIVIDE } from "../fpu/float80.ts";
import { ERROR_SUMMARY, MXCSR, STATUS, TOP, USED, VECTOR, X87, XMM } from "../fpu/unit.ts";
import type { Instruction } from "../instruction.ts";
import {
  CR0,
  CR0_EM,
  CR0_TS,
  CR4,
  CR4_OSFXSR,
  CR4_OSXMMEXCPT,
  DEVICE_NOT_AVAILABLE,
  GENERAL_PROTECTION,
  INVALID_OPCODE,
  SIMD_FAULT,
} from "../state.ts";
import { reportPending } from "./x87-steps.ts";

/** What an instruction on XMM registers begins with. */
export function beginSse(cpu: Cpu): void {
  const r = cpu.r32;
  if ((r[CR0] & CR0_EM) !== 0 || (r[CR4] & CR4_OSFXSR) === 0) cpu.fault(INVALID_OPCODE);
  if ((r[CR0] & CR0_TS) !== 0) cpu.fault(DEVICE_NOT_AVAILABLE);
  cpu.fpu.sse.raised = 0;
}

/** What an instruction on MMX registers begins with. They are the x87's: its pending exception is due. */
export function beginMmx(cpu: Cpu): void {
  const r = cpu.r32;
  if ((r[CR0] & CR0_EM) !== 0) cpu.fault(INVALID_OPCODE);
  if ((r[CR0] & CR0_TS) !== 0) cpu.fault(DEVICE_NOT_AVAILABLE);
  if ((r[STATUS] & ERROR_SUMMARY) !== 0) reportPending(cpu);
}

/** The x87 stack becomes a file of eight registers: top at 0, all in use. */
export function enterMmx(r: Int32Array): void {
  r[TOP] = 0;
  r[USED] = 0xff;
}

/** Word index of MM(i). */
export function mm(i: number): number {
  return X87 + (i << 2);
}

/** Word index of XMM(i). */
export function xmm(i: number): number {
  return XMM + (i << 2);
}

/** Gives MM(i) two words. Its upper 16 bits, the x87's sign and exponent, become ones. */
export function writeMmx(r: Int32Array, i: number, from: number): void {
  const to = mm(i);
  r[to] = r[from];
  r[to + 1] = r[from + 1];
  r[to + SIGN_EXPONENT] = 0xffff;
}

export function copyVector(r: Int32Array, to: number, from: number): void {
  r[to] = r[from];
  r[to + 1] = r[from + 1];
  r[to + 2] = r[from + 2];
  r[to + 3] = r[from + 3];
}

/** Reads 8 bytes of memory to word index `to`. */
export function load64(cpu: Cpu, insn: Instruction, to: number): void {
  cpu.read64(insn.segment, cpu.effectiveAddress(insn));
  cpu.r32[to] = cpu.low;
  cpu.r32[to + 1] = cpu.high;
}

/** Reads 16 bytes of memory to word index `to`; unless `unaligned`, an address that is no multiple is #GP. */
export function load128(cpu: Cpu, insn: Instruction, to: number, unaligned = false): void {
  const address = cpu.effectiveAddress(insn);
  const linear = cpu.linear(insn.segment, address, 16, false);
  if ((linear & 15) !== 0 && !unaligned) cpu.fault(GENERAL_PROTECTION, 0);
  cpu.read64(insn.segment, address);
  const { low, high } = cpu;
  cpu.read64(insn.segment, (address + 8) & insn.addressMask);
  const r = cpu.r32;
  r[to] = low;
  r[to + 1] = high;
  r[to + 2] = cpu.low;
  r[to + 3] = cpu.high;
}

export function store64(cpu: Cpu, insn: Instruction, from: number): void {
  cpu.write64(insn.segment, cpu.effectiveAddress(insn), cpu.r32[from], cpu.r32[from + 1]);
}

export function store128(cpu: Cpu, insn: Instruction, from: number, unaligned = false): void {
  const address = cpu.effectiveAddress(insn);
  const linear = cpu.linear(insn.segment, address, 16, true);
  if ((linear & 15) !== 0 && !unaligned) cpu.fault(GENERAL_PROTECTION, 0);
  const r = cpu.r32;
  cpu.checkWrite(insn.segment, address, 16);
  cpu.write64(insn.segment, address, r[from], r[from + 1]);
  cpu.write64(insn.segment, (address + 8) & insn.addressMask, r[from + 2], r[from + 3]);
}

/** Word index of operand Qq: an MMX register, or eight bytes of memory brought into VECTOR. */
export function sourceMmx(cpu: Cpu, insn: Instruction): number {
  if (!insn.isMemory) return mm(insn.rm);
  load64(cpu, insn, VECTOR);
  return VECTOR;
}

/** Word index of operand Wdq: an XMM register, or sixteen aligned bytes of memory brought into VECTOR. */
export function source128(cpu: Cpu, insn: Instruction): number {
  if (!insn.isMemory) return xmm(insn.rm);
  load128(cpu, insn, VECTOR);
  return VECTOR;
}

/** Word index of operand Wq: half an XMM register, or eight bytes of memory brought into VECTOR. */
export function source64(cpu: Cpu, insn: Instruction): number {
  if (!insn.isMemory) return xmm(insn.rm);
  load64(cpu, insn, VECTOR);
  return VECTOR;
}

/** Word index of operand Wd. */
export function source32(cpu: Cpu, insn: Instruction): number {
  if (!insn.isMemory) return xmm(insn.rm);
  cpu.r32[VECTOR] = cpu.read32(insn.segment, cpu.effectiveAddress(insn));
  return VECTOR;
}

/**
 * Takes what the lanes raised into MXCSR. An unmasked exception is #XM, or #UD where the system has not
 * promised to handle that; the instruction has no other effect then.
 */
export function settleSse(cpu: Cpu): void {
  const { sse } = cpu.fpu;
  let raised = sse.raised & 0x3f;
  if (raised === 0) return;
  const r = cpu.r32;
  const before = raised & ~sse.masks & (INVALID | DENORMAL | ZERO_DIVIDE);
  if (before !== 0) raised &= INVALID | DENORMAL | ZERO_DIVIDE;
  r[MXCSR] |= raised;
  if ((raised & ~sse.masks) !== 0) {
    cpu.fault((r[CR4] & CR4_OSXMMEXCPT) !== 0 ? SIMD_FAULT : INVALID_OPCODE);
  }
}
