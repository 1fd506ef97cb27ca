/**
 * PUSHF, POPF, CLI, STI: who may see and change which flag.
 *
 * Source: SDM vol. 2, "POPF/POPFD", "PUSHF/PUSHFD", "CLI", "STI"; vol. 3A, 20.2.7 for virtual-8086 mode.
 */
import type { Cpu } from "../cpu.ts";
import type { Instruction } from "../instruction.ts";
import {
  AC,
  ARITHMETIC_FLAGS,
  CPL,
  DF,
  GENERAL_PROTECTION,
  ID,
  IF,
  IOPL,
  NT,
  RF,
  SHADOW,
  STI_SHADOW,
  SYSTEM_FLAGS,
  TF,
  VM,
} from "../state.ts";

/** What any program may change. */
const PROGRAM_FLAGS = ARITHMETIC_FLAGS | TF | DF | NT | AC | ID;

function ioPrivilege(cpu: Cpu): number {
  return (cpu.r32[SYSTEM_FLAGS] & IOPL) >>> 12;
}

/** A virtual-8086 program needs IOPL 3 for every instruction that shows or changes IF. */
export function requireVirtual8086Privilege(cpu: Cpu): void {
  if (cpu.isVirtual8086 && ioPrivilege(cpu) !== 3) cpu.fault(GENERAL_PROTECTION, 0);
}

export function pushf(cpu: Cpu, insn: Instruction): void {
  requireVirtual8086Privilege(cpu);
  cpu.push(insn.operandSize, cpu.getFlags() & ~(VM | RF));
}

export function popf(cpu: Cpu, insn: Instruction): void {
  requireVirtual8086Privilege(cpu);
  const value = cpu.pop(insn.operandSize);
  const cpl = cpu.isProtected ? cpu.r32[CPL] : 0;
  let mask = PROGRAM_FLAGS;
  if (cpl <= ioPrivilege(cpu)) mask |= IF;
  if (cpl === 0) mask |= IOPL;
  if (insn.operandSize === 2) mask &= 0xffff;
  else mask |= RF;
  cpu.setFlags(value & ~RF, mask);
}

/** Raises #GP(0) unless CPL is at most IOPL. */
function requireIoPrivilege(cpu: Cpu): void {
  if (cpu.isProtected && cpu.r32[CPL] > ioPrivilege(cpu)) cpu.fault(GENERAL_PROTECTION, 0);
}

export function cli(cpu: Cpu): void {
  requireIoPrivilege(cpu);
  cpu.setFlags(0, IF);
}

/** After an STI that changes IF no interrupt is taken until the next instruction is done: RET, or HLT. */
export function sti(cpu: Cpu): void {
  requireIoPrivilege(cpu);
  if ((cpu.r32[SYSTEM_FLAGS] & IF) !== 0) return;
  cpu.setFlags(IF, IF);
  cpu.r32[SHADOW] = STI_SHADOW;
}
