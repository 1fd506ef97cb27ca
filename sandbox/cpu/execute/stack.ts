/** PUSH, POP, PUSHA, POPA, ENTER, LEAVE. Source: SDM vol. 2. */
import type { Cpu } from "../cpu.ts";
import type { Handler } from "../instruction.ts";
import { EBP, ESP, SS } from "../state.ts";
import type { BySize } from "./arithmetic.ts";

export const pushZv: BySize = [
  (cpu, insn) => cpu.push16(cpu.r16[insn.rmIndex]),
  (cpu, insn) => cpu.push32(cpu.r32[insn.rmIndex]),
];

export const pushI: BySize = [
  (cpu, insn) => cpu.push16(insn.immediate),
  (cpu, insn) => cpu.push32(insn.immediate),
];

export const pushEv: BySize = [
  (cpu, insn) => cpu.push16(cpu.readRm16(insn)),
  (cpu, insn) => cpu.push32(cpu.readRm32(insn)),
];

export const popZv: BySize = [
  (cpu, insn) => {
    const value = cpu.pop16();
    cpu.r16[insn.rmIndex] = value;
  },
  (cpu, insn) => {
    const value = cpu.pop32();
    cpu.r32[insn.rmIndex] = value;
  },
];

/** The address of a memory operand is computed after ESP has moved. */
export const popEv: BySize = [
  (cpu, insn) => {
    const value = cpu.pop16();
    cpu.writeRm16(insn, value);
  },
  (cpu, insn) => {
    const value = cpu.pop32();
    cpu.writeRm32(insn, value);
  },
];

/** EAX ECX EDX EBX ESP EBP ESI EDI, with ESP as it was before the first. */
export const pusha: Handler = (cpu, insn) => {
  const size = insn.operandSize;
  const top = cpu.r32[ESP];
  // All or nothing: on a stack that ends half way nothing is written.
  for (let i = 1; i <= 8; i++) cpu.checkWrite(SS, (top - i * size) & cpu.stackMask, size);
  for (let i = 1; i <= 8; i++) {
    const register = 2 * (i - 1);
    const offset = (top - i * size) & cpu.stackMask;
    if (size === 2) cpu.write16(SS, offset, cpu.r16[register * 2]);
    else cpu.write32(SS, offset, cpu.r32[register]);
  }
  cpu.setStackPointer(top - 8 * size);
};

const popped = new Int32Array(8);

export const popa: Handler = (cpu, insn) => {
  const size = insn.operandSize;
  const top = cpu.r32[ESP];
  for (let i = 0; i < 8; i++) {
    const offset = (top + i * size) & cpu.stackMask;
    popped[7 - i] = size === 2 ? cpu.read16(SS, offset) : cpu.read32(SS, offset);
  }
  for (let i = 0; i < 8; i++) {
    const register = 2 * i;
    if (register === ESP) continue;
    if (size === 2) cpu.r16[register * 2] = popped[i];
    else cpu.r32[register] = popped[i];
  }
  cpu.setStackPointer(top + 8 * size);
};

export const leave: Handler = (cpu, insn) => {
  const frame = cpu.r32[EBP];
  const mask = cpu.stackMask;
  if (insn.operandSize === 2) cpu.r16[EBP * 2] = cpu.read16(SS, frame & mask);
  else cpu.r32[EBP] = cpu.read32(SS, frame & mask);
  cpu.setStackPointer(frame + insn.operandSize);
};

/** A stack frame with the frame pointers of `level` - 1 enclosing procedures. */
export const enter: Handler = (cpu, insn) => {
  const size = insn.operandSize;
  const level = insn.immediate2 & 31;
  const mask = cpu.stackMask;
  cpu.push(size, cpu.r32[EBP]);
  const frame = cpu.r32[ESP];
  let enclosing = cpu.r32[EBP];
  for (let i = 1; i < level; i++) {
    enclosing -= size;
    cpu.push(size, read(cpu, size, enclosing & mask));
  }
  if (level > 0) cpu.push(size, frame);
  const top = frame - (level > 0 ? level * size : 0) - insn.immediate;
  // The new top must be writable, although nothing is written there.
  cpu.checkWrite(SS, top & mask, size);
  if (size === 2) cpu.r16[EBP * 2] = frame;
  else cpu.r32[EBP] = frame;
  cpu.setStackPointer(top);
};

function read(cpu: Cpu, size: number, offset: number): number {
  return size === 2 ? cpu.read16(SS, offset) : cpu.read32(SS, offset);
}
