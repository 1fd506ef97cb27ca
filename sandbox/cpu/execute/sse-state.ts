/**
 * FXSAVE and FXRSTOR, MXCSR, fences and cache hints.
 *
 * Source: SDM vol. 1, 10.5 "FXSAVE and FXRSTOR Instructions"; SDM vol. 2A, table 3-45.
 */

import type { Cpu } from "../cpu.ts";
import { EXPONENT, HIGH, SIGN, SIGN_EXPONENT, WAS_DENORMAL } from "../fpu/float80.ts";
import {
  CONTROL,
  LAST_CS,
  LAST_DP,
  LAST_DS,
  LAST_IP,
  LAST_OPCODE,
  MXCSR,
  MXCSR_MASK,
  USED,
} from "../fpu/unit.ts";
import type { Instruction } from "../instruction.ts";
import { CR0, CR0_EM, CR0_TS, CR4, CR4_OSFXSR, DEVICE_NOT_AVAILABLE, GENERAL_PROTECTION } from "../state.ts";
import { beginSse, xmm } from "./sse-steps.ts";
import { st } from "./x87-steps.ts";

const IMAGE = 512;
const STACK = 32;
const VECTORS = 160;

/** The address of the image, which must be a multiple of 16. */
function imageAddress(cpu: Cpu, insn: Instruction, isWrite: boolean): number {
  if ((cpu.r32[CR0] & (CR0_EM | CR0_TS)) !== 0) cpu.fault(DEVICE_NOT_AVAILABLE);
  const address = cpu.effectiveAddress(insn);
  const linear = cpu.linear(insn.segment, address, IMAGE, isWrite);
  if ((linear & 15) !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  return address;
}

/** FXSAVE: bytes 464 to 511 belong to software and stay; so do the XMM registers without CR4.OSFXSR. */
export function fxsave(cpu: Cpu, insn: Instruction): void {
  const start = imageAddress(cpu, insn, true);
  const r = cpu.r32;
  cpu.checkWrite(insn.segment, start, IMAGE);
  const put = (at: number, value: number) =>
    cpu.write32(insn.segment, (start + at) & insn.addressMask, value);
  put(0, r[CONTROL] | (cpu.fpu.getStatus() << 16));
  put(4, r[USED] | (r[LAST_OPCODE] << 16));
  put(8, r[LAST_IP]);
  put(12, r[LAST_CS]);
  put(16, r[LAST_DP]);
  put(20, r[LAST_DS]);
  put(24, r[MXCSR]);
  put(28, MXCSR_MASK);
  for (let i = 0; i < 8; i++) {
    const slot = st(r, i);
    put(STACK + 16 * i, r[slot]);
    put(STACK + 16 * i + 4, r[slot + HIGH]);
    put(STACK + 16 * i + 8, r[slot + SIGN_EXPONENT]);
    put(STACK + 16 * i + 12, 0);
  }
  if ((r[CR4] & CR4_OSFXSR) === 0) return;
  for (let i = 0; i < 32; i++) put(VECTORS + 4 * i, r[xmm(0) + i]);
}

/** An image in memory, read whole before any of it counts. */
const image = new Int32Array(IMAGE / 4);

export function fxrstor(cpu: Cpu, insn: Instruction): void {
  const start = imageAddress(cpu, insn, false);
  const r = cpu.r32;
  const withVectors = (r[CR4] & CR4_OSFXSR) !== 0;
  const words = withVectors ? (VECTORS + 128) / 4 : VECTORS / 4;
  for (let i = 0; i < words; i++) {
    image[i] = cpu.read32(insn.segment, (start + 4 * i) & insn.addressMask);
  }
  if (withVectors && (image[6] & ~MXCSR_MASK) !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  cpu.fpu.setControl(image[0]);
  cpu.fpu.setStatus(image[0] >>> 16);
  r[USED] = image[1] & 0xff;
  r[LAST_OPCODE] = (image[1] >>> 16) & 0x7ff;
  r[LAST_IP] = image[2];
  r[LAST_CS] = image[3] & 0xffff;
  r[LAST_DP] = image[4];
  r[LAST_DS] = image[5] & 0xffff;
  for (let i = 0; i < 8; i++) {
    const slot = st(r, i);
    const from = STACK / 4 + 4 * i;
    r[slot] = image[from];
    r[slot + HIGH] = image[from + 1];
    r[slot + SIGN_EXPONENT] = image[from + 2] & (SIGN | EXPONENT);
    r[slot + WAS_DENORMAL] = 0;
  }
  if (!withVectors) return;
  cpu.fpu.setMxcsr(image[6]);
  for (let i = 0; i < 32; i++) r[xmm(0) + i] = image[VECTORS / 4 + i];
}

export function ldmxcsr(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const value = cpu.read32(insn.segment, cpu.effectiveAddress(insn));
  if ((value & ~MXCSR_MASK) !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  cpu.fpu.setMxcsr(value);
}

export function stmxcsr(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  cpu.write32(insn.segment, cpu.effectiveAddress(insn), cpu.r32[MXCSR]);
}

/** LFENCE, MFENCE, SFENCE and PREFETCH: memory here is in order and has no cache. */
export function nothing(): void {}

/** CLFLUSH checks its operand as a load of a byte does. */
export function clflush(cpu: Cpu, insn: Instruction): void {
  cpu.read8(insn.segment, cpu.effectiveAddress(insn));
}
