/**
 * Loading segment registers: MOV and POP to one, LDS and its kin.
 *
 * Source: SDM vol. 2, "MOV", "POP", "LDS/LES/LFS/LGS/LSS"; vol. 3A, 5.6 and 5.7.
 */
import {
  checkDataSegment,
  checkStackSegment,
  faultErrorCode,
  faultVector,
  isNull,
  OK,
  SegmentImage,
} from "#layers/03-paging/descriptors.ts";
import type { Cpu } from "../cpu.ts";
import type { Handler, Instruction } from "../instruction.ts";
import {
  CPL,
  CS,
  DS,
  ES,
  ESP,
  FS,
  GENERAL_PROTECTION,
  GS,
  INVALID_OPCODE,
  MOV_SS_SHADOW,
  SELECTOR,
  SHADOW,
  SS,
} from "../state.ts";

const segment = new SegmentImage();

/**
 * Loads ES, SS, DS, FS or GS with all checks. MOV SS and POP SS also hold back interrupts for one
 * instruction (`shadowStackLoad`); LSS has no need to.
 */
export function loadSegment(cpu: Cpu, register: number, selector: number): void {
  const { processor } = cpu.system;
  if (!cpu.isProtected || cpu.isVirtual8086) {
    processor.loadRealSegment(register, selector);
    return;
  }
  if (isNull(selector)) {
    if (register === SS) cpu.fault(GENERAL_PROTECTION, 0);
    processor.loadNull(register, selector);
    return;
  }
  if (!processor.findDescriptor(selector, segment)) cpu.fault(GENERAL_PROTECTION, selector & 0xfffc);
  const cpl = cpu.r32[CPL];
  const problem =
    register === SS
      ? checkStackSegment(selector, segment.rights, cpl)
      : checkDataSegment(selector, segment.rights, cpl);
  if (problem !== OK) cpu.fault(faultVector(problem), faultErrorCode(problem));
  processor.markAccessed(segment);
  processor.loadSegment(register, segment);
}

/** After MOV SS and POP SS the next instruction sets ESP: nothing may come between. */
export function shadowStackLoad(cpu: Cpu, register: number): void {
  if (register !== SS) return;
  cpu.r32[SHADOW] = MOV_SS_SHADOW;
  cpu.attend();
}

/** LDS, LES, LFS, LGS, LSS: offset and selector from memory. */
function loadFarPointer(register: number): Handler {
  return (cpu, insn) => {
    const address = cpu.effectiveAddress(insn);
    const { operandSize } = insn;
    // One access: a pointer that sticks out of its segment faults before anything is loaded.
    cpu.linear(insn.segment, address, operandSize + 2, false);
    const offset = operandSize === 2 ? cpu.read16(insn.segment, address) : cpu.read32(insn.segment, address);
    const selector = cpu.read16(insn.segment, (address + operandSize) & insn.addressMask);
    loadSegment(cpu, register, selector);
    if (operandSize === 2) cpu.r16[insn.regIndex] = offset;
    else cpu.r32[insn.regIndex] = offset;
  };
}

export const lds = loadFarPointer(DS);
export const les = loadFarPointer(ES);
export const lfs = loadFarPointer(FS);
export const lgs = loadFarPointer(GS);
export const lss = loadFarPointer(SS);

/** PUSH of a segment register: with 32-bit operands ESP moves by 4, but only 2 bytes are written. */
function pushSegment(register: number): Handler {
  return (cpu, insn) => {
    const top = (cpu.r32[ESP] - insn.operandSize) & cpu.stackMask;
    cpu.write16(SS, top, cpu.r32[SELECTOR + register]);
    cpu.setStackPointer(top);
  };
}

function popSegment(register: number): Handler {
  return (cpu, insn) => {
    loadSegment(cpu, register, cpu.pop(insn.operandSize) & 0xffff);
    shadowStackLoad(cpu, register);
  };
}

export const pushEs = pushSegment(ES);
export const pushCs = pushSegment(CS);
export const pushSs = pushSegment(SS);
export const pushDs = pushSegment(DS);
export const pushFs = pushSegment(FS);
export const pushGs = pushSegment(GS);
export const popEs = popSegment(ES);
export const popSs = popSegment(SS);
export const popDs = popSegment(DS);
export const popFs = popSegment(FS);
export const popGs = popSegment(GS);

const LAST_SEGMENT_NUMBER = 5;

/** MOV Sw,Ew: CS cannot be loaded this way. */
export function movToSegment(cpu: Cpu, insn: Instruction): void {
  const register = 2 * insn.reg;
  if (register === CS || insn.reg > LAST_SEGMENT_NUMBER) cpu.fault(INVALID_OPCODE);
  const selector = insn.isMemory
    ? cpu.read16(insn.segment, cpu.effectiveAddress(insn))
    : cpu.r32[2 * insn.rm] & 0xffff;
  loadSegment(cpu, register, selector);
  shadowStackLoad(cpu, register);
}

/** MOV Ev,Sw: to memory always 16 bits, in a 32-bit register the upper half is cleared. */
export function movFromSegment(cpu: Cpu, insn: Instruction): void {
  if (insn.reg > LAST_SEGMENT_NUMBER) cpu.fault(INVALID_OPCODE);
  const selector = cpu.r32[SELECTOR + 2 * insn.reg];
  if (insn.isMemory) cpu.write16(insn.segment, cpu.effectiveAddress(insn), selector);
  else if (insn.operandSize === 2) cpu.r16[4 * insn.rm] = selector;
  else cpu.r32[2 * insn.rm] = selector;
}
