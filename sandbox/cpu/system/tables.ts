/**
 * Descriptor tables and the instructions that ask about descriptors.
 *
 * Source: SDM vol. 2, "LGDT/LIDT", "SGDT", "SIDT", "LLDT", "SLDT", "LTR", "STR", "LAR", "LSL", "VERR/VERW",
 * "ARPL".
 */
import {
  BUSY,
  CALL_GATE16,
  CALL_GATE32,
  descriptorPrivilege,
  isCode,
  isConformingCode,
  isNull,
  isReadable,
  isWritableData,
  LDT,
  P,
  requestedPrivilege,
  S,
  SegmentImage,
  systemType,
  TASK_GATE,
  TSS16_AVAILABLE,
  TSS16_BUSY,
  TSS32_AVAILABLE,
  TSS32_BUSY,
} from "#layers/03-paging/descriptors.ts";
import type { Cpu } from "../cpu.ts";
import type { Instruction } from "../instruction.ts";
import {
  CPL,
  GDT_BASE,
  GDT_LIMIT,
  GENERAL_PROTECTION,
  IDT_BASE,
  IDT_LIMIT,
  INVALID_OPCODE,
  LDTR,
  SEGMENT_NOT_PRESENT,
  SELECTOR,
  TR,
  ZF,
} from "../state.ts";
import { requireRing0 } from "./control.ts";

const descriptor = new SegmentImage();

// LGDT, LIDT, SGDT, SIDT: a limit of 2 bytes and a base of 4, of which a 16-bit operand size loads 3.

export function lgdt(cpu: Cpu, insn: Instruction): void {
  loadTable(cpu, insn, GDT_BASE, GDT_LIMIT);
}

export function lidt(cpu: Cpu, insn: Instruction): void {
  loadTable(cpu, insn, IDT_BASE, IDT_LIMIT);
}

export function sgdt(cpu: Cpu, insn: Instruction): void {
  storeTable(cpu, insn, GDT_BASE, GDT_LIMIT);
}

export function sidt(cpu: Cpu, insn: Instruction): void {
  storeTable(cpu, insn, IDT_BASE, IDT_LIMIT);
}

function loadTable(cpu: Cpu, insn: Instruction, base: number, limit: number): void {
  requireRing0(cpu);
  const address = cpu.effectiveAddress(insn);
  const newLimit = cpu.read16(insn.segment, address);
  const newBase = cpu.read32(insn.segment, (address + 2) & insn.addressMask);
  cpu.r32[limit] = newLimit;
  cpu.r32[base] = insn.operandSize === 2 ? newBase & 0x00ff_ffff : newBase;
}

/** All processors since the 80386 store 32 bits of the base, whatever the operand size. */
function storeTable(cpu: Cpu, insn: Instruction, base: number, limit: number): void {
  const address = cpu.effectiveAddress(insn);
  cpu.checkWrite(insn.segment, address, 6);
  cpu.write16(insn.segment, address, cpu.r32[limit]);
  cpu.write32(insn.segment, (address + 2) & insn.addressMask, cpu.r32[base]);
}

// LLDT, LTR, SLDT, STR.

/** These and the questions below do not exist in real and virtual-8086 mode. */
function requireProtectedMode(cpu: Cpu): void {
  if (!cpu.isProtected || cpu.isVirtual8086) cpu.fault(INVALID_OPCODE);
}

export function lldt(cpu: Cpu, insn: Instruction): void {
  requireProtectedMode(cpu);
  requireRing0(cpu);
  const selector = cpu.readRm16(insn);
  const { processor } = cpu.system;
  if (isNull(selector)) {
    processor.loadNull(LDTR, selector);
    return;
  }
  findInGdt(cpu, selector);
  if (systemType(descriptor.rights) !== LDT) cpu.fault(GENERAL_PROTECTION, selector & 0xfffc);
  if ((descriptor.rights & P) === 0) cpu.fault(SEGMENT_NOT_PRESENT, selector & 0xfffc);
  processor.loadSegment(LDTR, descriptor);
}

export function ltr(cpu: Cpu, insn: Instruction): void {
  requireProtectedMode(cpu);
  requireRing0(cpu);
  const selector = cpu.readRm16(insn);
  const { processor } = cpu.system;
  if (isNull(selector)) cpu.fault(GENERAL_PROTECTION, 0);
  findInGdt(cpu, selector);
  const type = systemType(descriptor.rights);
  if (type !== TSS16_AVAILABLE && type !== TSS32_AVAILABLE) cpu.fault(GENERAL_PROTECTION, selector & 0xfffc);
  if ((descriptor.rights & P) === 0) cpu.fault(SEGMENT_NOT_PRESENT, selector & 0xfffc);
  processor.setType(descriptor, descriptor.high | (BUSY << 8));
  processor.loadSegment(TR, descriptor);
}

function findInGdt(cpu: Cpu, selector: number): void {
  const isLocal = (selector & 0b100) !== 0;
  if (isLocal || !cpu.system.processor.findDescriptor(selector, descriptor)) {
    cpu.fault(GENERAL_PROTECTION, selector & 0xfffc);
  }
}

export function sldt(cpu: Cpu, insn: Instruction): void {
  requireProtectedMode(cpu);
  storeSelector(cpu, insn, cpu.r32[SELECTOR + LDTR]);
}

export function str(cpu: Cpu, insn: Instruction): void {
  requireProtectedMode(cpu);
  storeSelector(cpu, insn, cpu.r32[SELECTOR + TR]);
}

/** To memory always 16 bits; a 32-bit register is cleared above them. */
function storeSelector(cpu: Cpu, insn: Instruction, selector: number): void {
  if (insn.isMemory) cpu.write16(insn.segment, cpu.effectiveAddress(insn), selector);
  else if (insn.operandSize === 2) cpu.r16[4 * insn.rm] = selector;
  else cpu.r32[2 * insn.rm] = selector;
}

// LAR, LSL, VERR, VERW: questions that never fault about the descriptor itself, and answer with ZF.

/** Finds the descriptor that the operand names, if this program may know of it. */
function mayAsk(cpu: Cpu, selector: number): boolean {
  if (isNull(selector) || !cpu.system.processor.findDescriptor(selector, descriptor)) return false;
  if (isConformingCode(descriptor.rights)) return true;
  const dpl = descriptorPrivilege(descriptor.rights);
  return cpu.r32[CPL] <= dpl && requestedPrivilege(selector) <= dpl;
}

function answer(cpu: Cpu, yes: boolean): void {
  cpu.setFlags(yes ? ZF : 0, ZF);
}

/** The selector operand: 16 bits, from memory or a register of whichever size. */
function selectorOperand(cpu: Cpu, insn: Instruction): number {
  if (insn.isMemory) return cpu.read16(insn.segment, cpu.effectiveAddress(insn));
  return cpu.r32[2 * insn.rm] & 0xffff;
}

function setRegister(cpu: Cpu, insn: Instruction, value: number): void {
  if (insn.operandSize === 2) cpu.r16[4 * insn.reg] = value;
  else cpu.r32[2 * insn.reg] = value;
}

export function lar(cpu: Cpu, insn: Instruction): void {
  requireProtectedMode(cpu);
  const known = mayAsk(cpu, selectorOperand(cpu, insn)) && hasAccessRights(descriptor.rights);
  // The manual leaves bits 16 to 19 undefined; Intel's processors give the limit's.
  if (known) setRegister(cpu, insn, descriptor.high & 0x00ff_ff00);
  answer(cpu, known);
}

export function lsl(cpu: Cpu, insn: Instruction): void {
  requireProtectedMode(cpu);
  const known = mayAsk(cpu, selectorOperand(cpu, insn)) && hasLimit(descriptor.rights);
  if (known) setRegister(cpu, insn, descriptor.limit);
  answer(cpu, known);
}

function hasLimit(rights: number): boolean {
  if ((rights & S) !== 0) return true;
  const type = systemType(rights);
  return (
    type === LDT ||
    type === TSS16_AVAILABLE ||
    type === TSS16_BUSY ||
    type === TSS32_AVAILABLE ||
    type === TSS32_BUSY
  );
}

/** LAR knows call and task gates too, but not interrupt and trap gates. */
function hasAccessRights(rights: number): boolean {
  const type = systemType(rights);
  return hasLimit(rights) || type === CALL_GATE16 || type === CALL_GATE32 || type === TASK_GATE;
}

export function verr(cpu: Cpu, insn: Instruction): void {
  requireProtectedMode(cpu);
  answer(cpu, mayAsk(cpu, selectorOperand(cpu, insn)) && isReadable(descriptor.rights));
}

export function verw(cpu: Cpu, insn: Instruction): void {
  requireProtectedMode(cpu);
  const may = mayAsk(cpu, selectorOperand(cpu, insn));
  answer(cpu, may && !isCode(descriptor.rights) && isWritableData(descriptor.rights));
}

/** Raises the RPL of the destination to that of the source: an OS stamps a caller's selector with it. */
export function arpl(cpu: Cpu, insn: Instruction): void {
  requireProtectedMode(cpu);
  const target = cpu.readRm16(insn);
  const caller = requestedPrivilege(cpu.r16[4 * insn.reg]);
  const isRaised = requestedPrivilege(target) < caller;
  // Only a selector that changes is written, so that one which needs no change may be read-only.
  if (isRaised) cpu.writeRm16(insn, (target & 0xfffc) | caller);
  answer(cpu, isRaised);
}
