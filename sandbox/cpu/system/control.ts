/**
 * Control registers, and the instructions about them.
 *
 * Source: SDM vol. 3A, 2.5 "Control Registers"; vol. 2, "MOV—Move to/from Control Registers", "LMSW",
 * "SMSW", "CLTS", "INVLPG".
 */
import type { Cpu } from "../cpu.ts";
import type { Instruction } from "../instruction.ts";
import {
  CPL,
  CR0,
  CR0_AM,
  CR0_CD,
  CR0_EM,
  CR0_ET,
  CR0_MP,
  CR0_NE,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR2,
  CR3,
  CR4,
  CR4_DE,
  CR4_OSFXSR,
  CR4_OSXMMEXCPT,
  CR4_PAE,
  CR4_PCE,
  CR4_PGE,
  CR4_PSE,
  CR4_TSD,
  GENERAL_PROTECTION,
  INVALID_OPCODE,
} from "../state.ts";

const CR0_BITS =
  CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
const CR4_BITS = CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
/** What LMSW and SMSW's machine status word had on the 80286. */
const MSW_BITS = CR0_PE | CR0_MP | CR0_EM | CR0_TS;
/** A change of these makes every translation in the TLB doubtful. */
const CR0_PAGING = CR0_PE | CR0_WP | CR0_PG;
const CR4_PAGING = CR4_PSE | CR4_PAE | CR4_PGE;

/** Raises #GP(0) unless CPL is 0. */
export function requireRing0(cpu: Cpu): void {
  if (cpu.r32[CPL] !== 0) cpu.fault(GENERAL_PROTECTION, 0);
}

/** MOV to CR0, with its refusals. */
export function loadCr0(cpu: Cpu, value: number): void {
  const r = cpu.r32;
  const turnsPagingOn = (value & CR0_PG) !== 0;
  if (turnsPagingOn && (value & CR0_PE) === 0) cpu.fault(GENERAL_PROTECTION, 0);
  if ((value & CR0_NW) !== 0 && (value & CR0_CD) === 0) cpu.fault(GENERAL_PROTECTION, 0);
  const before = r[CR0];
  r[CR0] = (value & CR0_BITS) | CR0_ET;
  const changed = before ^ r[CR0];
  if ((changed & CR0_PAGING) !== 0) {
    cpu.flushTranslations();
    if (turnsPagingOn && (changed & CR0_PG) !== 0) loadPdptesOr(cpu, () => restore(cpu, CR0, before));
  }
  cpu.updateMode();
}

/** MOV to CR3, and the CR3 of a new task. */
export function loadCr3(cpu: Cpu, value: number): void {
  const before = cpu.r32[CR3];
  cpu.r32[CR3] = value;
  cpu.flushTranslations(true);
  loadPdptesOr(cpu, () => restore(cpu, CR3, before));
  cpu.attend();
}

export function loadCr4(cpu: Cpu, value: number): void {
  if ((value & ~CR4_BITS) !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  const before = cpu.r32[CR4];
  cpu.r32[CR4] = value;
  if (((before ^ value) & CR4_PAGING) !== 0) {
    cpu.flushTranslations();
    loadPdptesOr(cpu, () => restore(cpu, CR4, before));
  }
  cpu.attend();
}

/** Under PAE paging the four pointers are read now; a bad one undoes the load and is #GP(0). */
function loadPdptesOr(cpu: Cpu, undo: () => void): void {
  if (cpu.walker.mode !== "PAE" || cpu.walker.loadPdptes()) return;
  undo();
  cpu.fault(GENERAL_PROTECTION, 0);
}

function restore(cpu: Cpu, register: number, value: number): void {
  cpu.r32[register] = value;
  cpu.flushTranslations();
}

/** MOV r32, CRn. */
export function movFromCr(cpu: Cpu, insn: Instruction): void {
  const register = controlRegister(cpu, insn.reg);
  requireRing0(cpu);
  cpu.r32[2 * insn.rm] = cpu.r32[register];
}

/** MOV CRn, r32. */
export function movToCr(cpu: Cpu, insn: Instruction): void {
  const register = controlRegister(cpu, insn.reg);
  requireRing0(cpu);
  const value = cpu.r32[2 * insn.rm];
  if (register === CR0) loadCr0(cpu, value);
  else if (register === CR3) loadCr3(cpu, value);
  else if (register === CR4) loadCr4(cpu, value);
  else cpu.r32[CR2] = value;
}

function controlRegister(cpu: Cpu, number: number): number {
  switch (number) {
    case 0:
      return CR0;
    case 2:
      return CR2;
    case 3:
      return CR3;
    case 4:
      return CR4;
    default:
      return cpu.fault(INVALID_OPCODE);
  }
}

/** Can set PE, but not clear it. */
export function lmsw(cpu: Cpu, insn: Instruction): void {
  requireRing0(cpu);
  const source = cpu.readRm16(insn) & MSW_BITS;
  const kept = cpu.r32[CR0] & ~(MSW_BITS & ~CR0_PE);
  loadCr0(cpu, kept | source);
}

/** Not privileged. To memory always 16 bits, to a 32-bit register all of CR0. */
export function smsw(cpu: Cpu, insn: Instruction): void {
  if (insn.isMemory) cpu.write16(insn.segment, cpu.effectiveAddress(insn), cpu.r32[CR0]);
  else if (insn.operandSize === 2) cpu.r16[4 * insn.rm] = cpu.r32[CR0];
  else cpu.r32[2 * insn.rm] = cpu.r32[CR0];
}

export function clts(cpu: Cpu): void {
  requireRing0(cpu);
  cpu.r32[CR0] &= ~CR0_TS;
  cpu.attend();
}

/** The address goes through the segment's base, but no limit or page is checked. */
export function invlpg(cpu: Cpu, insn: Instruction): void {
  requireRing0(cpu);
  cpu.flushPage(cpu.system.linearUnchecked(insn));
}

/** INVD and WBINVD: there is no cache between the guest and its memory. */
export function flushCaches(cpu: Cpu): void {
  requireRing0(cpu);
}
