/** The opcodes of far transfers: they find selector and offset, `far.ts` does the rest. */
import type { Cpu } from "../cpu.ts";
import type { Instruction } from "../instruction.ts";

function size(insn: Instruction): 2 | 4 {
  return insn.operandSize === 2 ? 2 : 4;
}

/** JMP and CALL with the pointer in the instruction. */
export function jmpFar(cpu: Cpu, insn: Instruction): void {
  cpu.system.far.jump(insn.immediate2 & 0xffff, pointerOffset(insn));
}

export function callFar(cpu: Cpu, insn: Instruction): void {
  cpu.system.far.call(insn.immediate2 & 0xffff, pointerOffset(insn), size(insn));
}

/** JMP and CALL with the pointer in memory. */
export function jmpFarMemory(cpu: Cpu, insn: Instruction): void {
  const offset = readOffset(cpu, insn);
  cpu.system.far.jump(readSelector(cpu, insn), offset);
}

export function callFarMemory(cpu: Cpu, insn: Instruction): void {
  const offset = readOffset(cpu, insn);
  cpu.system.far.call(readSelector(cpu, insn), offset, size(insn));
}

export function retFar(cpu: Cpu, insn: Instruction): void {
  cpu.system.far.return(size(insn), 0);
}

export function retFarImmediate(cpu: Cpu, insn: Instruction): void {
  cpu.system.far.return(size(insn), insn.immediate & 0xffff);
}

function pointerOffset(insn: Instruction): number {
  return insn.operandSize === 2 ? insn.immediate & 0xffff : insn.immediate >>> 0;
}

function readOffset(cpu: Cpu, insn: Instruction): number {
  const address = cpu.effectiveAddress(insn);
  cpu.linear(insn.segment, address, insn.operandSize + 2, false);
  if (insn.operandSize === 2) return cpu.read16(insn.segment, address);
  return cpu.read32(insn.segment, address) >>> 0;
}

function readSelector(cpu: Cpu, insn: Instruction): number {
  const address = (cpu.effectiveAddress(insn) + insn.operandSize) & insn.addressMask;
  return cpu.read16(insn.segment, address);
}
