/**
 * The instructions on the unit itself: control and status words, environment, whole state, stack pointer.
 *
 * Those whose name begins with FN do not wait: they work with an exception pending.
 *
 * Source: SDM vol. 1, 8.1.10 "Saving the x87 FPU's State" (figures 8-9 to 8-12); SDM vol. 2A.
 */

import type { Cpu } from "../cpu.ts";
import { C1, HIGH, SIGN_EXPONENT, WAS_DENORMAL } from "../fpu/float80.ts";
import {
  CONTROL,
  ERROR_SUMMARY,
  LAST_CS,
  LAST_DP,
  LAST_DS,
  LAST_IP,
  LAST_OPCODE,
  STATUS,
  TOP,
  USED,
} from "../fpu/unit.ts";
import type { Instruction } from "../instruction.ts";
import { CR0, CR0_MP, CR0_TS, DEVICE_NOT_AVAILABLE, EAX } from "../state.ts";
import { begin, notePlace, pop, reportPending, requireUnit, st } from "./x87-steps.ts";

export function fldcw(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  cpu.fpu.setControl(cpu.read16(insn.segment, cpu.effectiveAddress(insn)));
  cpu.fpu.summarize();
}

export function fnstcw(cpu: Cpu, insn: Instruction): void {
  requireUnit(cpu);
  cpu.write16(insn.segment, cpu.effectiveAddress(insn), cpu.r32[CONTROL]);
}

export function fnstswMemory(cpu: Cpu, insn: Instruction): void {
  requireUnit(cpu);
  cpu.write16(insn.segment, cpu.effectiveAddress(insn), cpu.fpu.getStatus());
}

export function fnstswAx(cpu: Cpu): void {
  requireUnit(cpu);
  cpu.r16[EAX * 2] = cpu.fpu.getStatus();
}

/** Clears the exceptions; the condition codes, too, are undefined after it and stay. */
export function fnclex(cpu: Cpu): void {
  requireUnit(cpu);
  cpu.r32[STATUS] &= ~(ERROR_SUMMARY | 0x7f);
}

export function fninit(cpu: Cpu): void {
  requireUnit(cpu);
  cpu.fpu.initialize();
}

/** FNENI, FNDISI and FNSETPM mattered to the 8087 and the 287; nothing since. */
export function ignored(cpu: Cpu): void {
  requireUnit(cpu);
}

/** FNOP waits like its neighbours in the map. */
export function fnop(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
}

/** FWAIT heeds TS only where MP is set. */
export function fwait(cpu: Cpu): void {
  const r = cpu.r32;
  if ((r[CR0] & (CR0_MP | CR0_TS)) === (CR0_MP | CR0_TS)) cpu.fault(DEVICE_NOT_AVAILABLE);
  if ((r[STATUS] & ERROR_SUMMARY) !== 0) reportPending(cpu);
}

export function fincstp(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  r[TOP] = (r[TOP] + 1) & 7;
  r[STATUS] &= ~C1;
}

export function fdecstp(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  r[TOP] = (r[TOP] - 1) & 7;
  r[STATUS] &= ~C1;
}

export function ffree(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  r[USED] &= ~(1 << ((r[TOP] + insn.rm) & 7));
  r[STATUS] &= ~C1;
}

export function ffreep(cpu: Cpu, insn: Instruction): void {
  ffree(cpu, insn);
  pop(cpu.r32);
}

// The environment: 14 bytes with 16-bit operands, 28 with 32-bit ones; real mode packs linear addresses.

function environmentSize(insn: Instruction): number {
  return insn.operandSize === 2 ? 14 : 28;
}

/** Addresses in real and virtual-8086 mode are kept as 20 (or 32) bits, not as selector and offset. */
function keepsLinear(cpu: Cpu): boolean {
  return !cpu.isProtected || cpu.isVirtual8086;
}

function writeEnvironment(cpu: Cpu, insn: Instruction, address: number): void {
  const r = cpu.r32;
  const { segment, addressMask } = insn;
  const put16 = (at: number, value: number) => cpu.write16(segment, (address + at) & addressMask, value);
  const put32 = (at: number, value: number) => cpu.write32(segment, (address + at) & addressMask, value);
  const linear = keepsLinear(cpu);
  const ip = linear ? (r[LAST_CS] << 4) + r[LAST_IP] : r[LAST_IP];
  const dp = linear ? (r[LAST_DS] << 4) + r[LAST_DP] : r[LAST_DP];
  if (insn.operandSize === 2) {
    put16(0, r[CONTROL]);
    put16(2, cpu.fpu.getStatus());
    put16(4, cpu.fpu.getTags());
    put16(6, ip);
    put16(8, linear ? ((ip >>> 4) & 0xf000) | r[LAST_OPCODE] : r[LAST_CS]);
    put16(10, dp);
    put16(12, linear ? (dp >>> 4) & 0xf000 : r[LAST_DS]);
    return;
  }
  // The unused upper halves read as ones.
  put32(0, r[CONTROL] | 0xffff_0000);
  put32(4, cpu.fpu.getStatus() | 0xffff_0000);
  put32(8, cpu.fpu.getTags() | 0xffff_0000);
  if (linear) {
    put32(12, (ip & 0xffff) | 0xffff_0000);
    put32(16, ((ip >>> 4) & 0x0fff_f000) | r[LAST_OPCODE]);
    put32(20, (dp & 0xffff) | 0xffff_0000);
    put32(24, (dp >>> 4) & 0x0fff_f000);
  } else {
    put32(12, ip);
    put32(16, r[LAST_CS] | (r[LAST_OPCODE] << 16));
    put32(20, dp);
    put32(24, r[LAST_DS] | 0xffff_0000);
  }
}

/** An environment in memory, read whole before any of it counts. */
const environment = new Int32Array(7);

function readEnvironment(cpu: Cpu, insn: Instruction, address: number): void {
  const { segment, addressMask } = insn;
  cpu.linear(segment, address, environmentSize(insn), false);
  for (let i = 0; i < 7; i++) {
    environment[i] =
      insn.operandSize === 2
        ? cpu.read16(segment, (address + 2 * i) & addressMask)
        : cpu.read32(segment, (address + 4 * i) & addressMask);
  }
}

function applyEnvironment(cpu: Cpu, insn: Instruction): void {
  const r = cpu.r32;
  const [control, status, tags, ip, code, dp, data] = environment;
  cpu.fpu.setControl(control);
  cpu.fpu.setStatus(status);
  cpu.fpu.setTags(tags);
  if (!keepsLinear(cpu)) {
    r[LAST_IP] = ip;
    r[LAST_CS] = code & 0xffff;
    if (insn.operandSize === 4) r[LAST_OPCODE] = (code >>> 16) & 0x7ff;
    r[LAST_DP] = dp;
    r[LAST_DS] = data & 0xffff;
    return;
  }
  const mask = insn.operandSize === 2 ? 0xf000 : 0x0fff_f000;
  r[LAST_IP] = (ip & 0xffff) | ((code & mask) << 4);
  r[LAST_CS] = 0;
  r[LAST_OPCODE] = code & 0x7ff;
  r[LAST_DP] = (dp & 0xffff) | ((data & mask) << 4);
  r[LAST_DS] = 0;
}

/** FNSTENV masks all exceptions afterwards. */
export function fnstenv(cpu: Cpu, insn: Instruction): void {
  requireUnit(cpu);
  const address = cpu.effectiveAddress(insn);
  cpu.checkWrite(insn.segment, address, environmentSize(insn));
  writeEnvironment(cpu, insn, address);
  cpu.fpu.setControl(cpu.r32[CONTROL] | 0x3f);
  cpu.fpu.summarize();
}

export function fldenv(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  readEnvironment(cpu, insn, cpu.effectiveAddress(insn));
  applyEnvironment(cpu, insn);
}

/** FNSAVE: the environment, then ST(0) to ST(7), ten bytes each; and FNINIT. */
export function fnsave(cpu: Cpu, insn: Instruction): void {
  requireUnit(cpu);
  const { segment, addressMask } = insn;
  const r = cpu.r32;
  const size = environmentSize(insn);
  const address = cpu.effectiveAddress(insn);
  cpu.checkWrite(segment, address, size + 80);
  writeEnvironment(cpu, insn, address);
  for (let i = 0; i < 8; i++) {
    const at = address + size + 10 * i;
    const slot = st(r, i);
    cpu.write32(segment, at & addressMask, r[slot]);
    cpu.write32(segment, (at + 4) & addressMask, r[slot + HIGH]);
    cpu.write16(segment, (at + 8) & addressMask, r[slot + SIGN_EXPONENT]);
  }
  cpu.fpu.initialize();
}

const registers = new Int32Array(24);

export function frstor(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const { segment, addressMask } = insn;
  const r = cpu.r32;
  const size = environmentSize(insn);
  const address = cpu.effectiveAddress(insn);
  cpu.linear(segment, address, size + 80, false);
  readEnvironment(cpu, insn, address);
  for (let i = 0; i < 8; i++) {
    const at = address + size + 10 * i;
    registers[3 * i] = cpu.read32(segment, at & addressMask);
    registers[3 * i + 1] = cpu.read32(segment, (at + 4) & addressMask);
    registers[3 * i + 2] = cpu.read16(segment, (at + 8) & addressMask);
  }
  applyEnvironment(cpu, insn);
  for (let i = 0; i < 8; i++) {
    const slot = st(r, i);
    r[slot] = registers[3 * i];
    r[slot + HIGH] = registers[3 * i + 1];
    r[slot + SIGN_EXPONENT] = registers[3 * i + 2];
    r[slot + WAS_DENORMAL] = 0;
  }
}
