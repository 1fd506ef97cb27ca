/** Near jumps, calls and returns; LOOP, JCXZ. A 16-bit operand size cuts the target to 16 bits. */
import { condition, zeroFlag } from "#layers/02-real-mode/alu.ts";
import { countDown, repetitions } from "#layers/02-real-mode/strings.ts";
import type { Cpu } from "../cpu.ts";
import type { Handler, Instruction } from "../instruction.ts";
import { CS, ECX, EIP, ESP, GENERAL_PROTECTION, LIMIT } from "../state.ts";
import type { BySize } from "./arithmetic.ts";

function relative(cpu: Cpu, insn: Instruction): number {
  const target = cpu.r32[EIP] + insn.immediate;
  return insn.operandSize === 2 ? target & 0xffff : target | 0;
}

export const jmpJ: Handler = (cpu, insn) => cpu.jump(relative(cpu, insn));

export const jcc: Handler = (cpu, insn) => {
  if (condition(cpu.r32, insn.opcode & 0xf)) cpu.jump(relative(cpu, insn));
};

export const jmpEv: BySize = [
  (cpu, insn) => cpu.jump(cpu.readRm16(insn)),
  (cpu, insn) => cpu.jump(cpu.readRm32(insn)),
];

/** The target is checked before anything is pushed. */
function call(cpu: Cpu, insn: Instruction, target: number): void {
  if (target >>> 0 > cpu.r32[LIMIT + CS] >>> 0) cpu.fault(GENERAL_PROTECTION, 0);
  cpu.push(insn.operandSize, cpu.r32[EIP]);
  cpu.r32[EIP] = target;
}

export const callJ: Handler = (cpu, insn) => call(cpu, insn, relative(cpu, insn));

export const callEv: BySize = [
  (cpu, insn) => call(cpu, insn, cpu.readRm16(insn)),
  (cpu, insn) => call(cpu, insn, cpu.readRm32(insn)),
];

export const ret: Handler = (cpu, insn) => {
  cpu.jump(cpu.pop(insn.operandSize));
};

export const retIw: Handler = (cpu, insn) => {
  const target = cpu.pop(insn.operandSize);
  cpu.setStackPointer(cpu.r32[ESP] + (insn.immediate & 0xffff));
  cpu.jump(target);
};

function loop(cpu: Cpu, insn: Instruction, goesOn: boolean): void {
  const left = (cpu.r32[ECX] - 1) & insn.addressMask;
  if (left !== 0 && goesOn) cpu.jump(relative(cpu, insn));
  countDown(cpu.r32, insn.addressMask, 1);
}

export const loopJb: Handler = (cpu, insn) => loop(cpu, insn, true);
export const loopeJb: Handler = (cpu, insn) => loop(cpu, insn, zeroFlag(cpu.r32));
export const loopneJb: Handler = (cpu, insn) => loop(cpu, insn, !zeroFlag(cpu.r32));

export const jcxzJb: Handler = (cpu, insn) => {
  if (repetitions(cpu.r32, insn.addressMask) === 0) cpu.jump(relative(cpu, insn));
};
