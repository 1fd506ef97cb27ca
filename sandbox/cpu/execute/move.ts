/** MOV, XCHG, LEA, MOVZX, MOVSX, CMOVcc, XLAT, BSWAP, and the conversions of AL to EDX:EAX. */
import { condition } from "#layers/02-real-mode/alu.ts";
import type { Handler } from "../instruction.ts";
import { EAX, EBX, EDX } from "../state.ts";
import type { BySize } from "./arithmetic.ts";

export const movEbGb: Handler = (cpu, insn) => cpu.writeRm8(insn, cpu.r8[insn.regIndex]);

export const movEvGv: BySize = [
  (cpu, insn) => cpu.writeRm16(insn, cpu.r16[insn.regIndex]),
  (cpu, insn) => cpu.writeRm32(insn, cpu.r32[insn.regIndex]),
];

export const movGbEb: Handler = (cpu, insn) => {
  cpu.r8[insn.regIndex] = cpu.readRm8(insn);
};

export const movGvEv: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.regIndex] = cpu.readRm16(insn);
  },
  (cpu, insn) => {
    cpu.r32[insn.regIndex] = cpu.readRm32(insn);
  },
];

export const movEbIb: Handler = (cpu, insn) => cpu.writeRm8(insn, insn.immediate & 0xff);

export const movEvIz: BySize = [
  (cpu, insn) => cpu.writeRm16(insn, insn.immediate & 0xffff),
  (cpu, insn) => cpu.writeRm32(insn, insn.immediate),
];

export const movZbIb: Handler = (cpu, insn) => {
  cpu.r8[insn.rmIndex] = insn.immediate;
};

export const movZvIv: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.rmIndex] = insn.immediate;
  },
  (cpu, insn) => {
    cpu.r32[insn.rmIndex] = insn.immediate;
  },
];

export const movALOb: Handler = (cpu, insn) => {
  cpu.r8[EAX * 4] = cpu.readRm8(insn);
};

export const moveAXOv: BySize = [
  (cpu, insn) => {
    cpu.r16[EAX * 2] = cpu.readRm16(insn);
  },
  (cpu, insn) => {
    cpu.r32[EAX] = cpu.readRm32(insn);
  },
];

export const movObAL: Handler = (cpu, insn) => cpu.writeRm8(insn, cpu.r8[EAX * 4]);

export const movOveAX: BySize = [
  (cpu, insn) => cpu.writeRm16(insn, cpu.r16[EAX * 2]),
  (cpu, insn) => cpu.writeRm32(insn, cpu.r32[EAX]),
];

export const xchgEbGb: Handler = (cpu, insn) => {
  const old = cpu.modifyRm8(insn);
  cpu.replaceRm8(insn, cpu.r8[insn.regIndex]);
  cpu.r8[insn.regIndex] = old;
};

export const xchgEvGv: BySize = [
  (cpu, insn) => {
    const old = cpu.modifyRm16(insn);
    cpu.replaceRm16(insn, cpu.r16[insn.regIndex]);
    cpu.r16[insn.regIndex] = old;
  },
  (cpu, insn) => {
    const old = cpu.modifyRm32(insn);
    cpu.replaceRm32(insn, cpu.r32[insn.regIndex]);
    cpu.r32[insn.regIndex] = old;
  },
];

export const xchgZveAX: BySize = [
  (cpu, insn) => {
    const old = cpu.r16[EAX * 2];
    cpu.r16[EAX * 2] = cpu.r16[insn.rmIndex];
    cpu.r16[insn.rmIndex] = old;
  },
  (cpu, insn) => {
    const old = cpu.r32[EAX];
    cpu.r32[EAX] = cpu.r32[insn.rmIndex];
    cpu.r32[insn.rmIndex] = old;
  },
];

export const lea: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.regIndex] = cpu.effectiveAddress(insn);
  },
  (cpu, insn) => {
    cpu.r32[insn.regIndex] = cpu.effectiveAddress(insn);
  },
];

export const movzxGvEb: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.regIndex] = cpu.readRm8(insn);
  },
  (cpu, insn) => {
    cpu.r32[insn.regIndex] = cpu.readRm8(insn);
  },
];

export const movzxGvEw: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.regIndex] = cpu.readRm16(insn);
  },
  (cpu, insn) => {
    cpu.r32[insn.regIndex] = cpu.readRm16(insn);
  },
];

export const movsxGvEb: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.regIndex] = (cpu.readRm8(insn) << 24) >> 24;
  },
  (cpu, insn) => {
    cpu.r32[insn.regIndex] = (cpu.readRm8(insn) << 24) >> 24;
  },
];

export const movsxGvEw: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.regIndex] = cpu.readRm16(insn);
  },
  (cpu, insn) => {
    cpu.r32[insn.regIndex] = (cpu.readRm16(insn) << 16) >> 16;
  },
];

/** The memory operand is read, and may fault, even where the condition does not hold. */
export const cmovGvEv: BySize = [
  (cpu, insn) => {
    const value = cpu.readRm16(insn);
    if (condition(cpu.r32, insn.opcode & 0xf)) cpu.r16[insn.regIndex] = value;
  },
  (cpu, insn) => {
    const value = cpu.readRm32(insn);
    if (condition(cpu.r32, insn.opcode & 0xf)) cpu.r32[insn.regIndex] = value;
  },
];

export const setccEb: Handler = (cpu, insn) => {
  cpu.writeRm8(insn, condition(cpu.r32, insn.opcode & 0xf) ? 1 : 0);
};

export const xlat: Handler = (cpu, insn) => {
  const offset = (cpu.r32[EBX] + cpu.r8[EAX * 4]) & insn.addressMask;
  cpu.r8[EAX * 4] = cpu.read8(insn.segment, offset);
};

/** With a 16-bit operand the result is undefined; Intel's processors clear it. */
export const bswap: BySize = [
  (cpu, insn) => {
    cpu.r16[insn.rmIndex] = 0;
  },
  (cpu, insn) => {
    const a = cpu.r32[insn.rmIndex];
    cpu.r32[insn.rmIndex] = (a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24);
  },
];

/** CBW and CWDE. */
export const cbw: BySize = [
  cpu => {
    cpu.r16[EAX * 2] = (cpu.r8[EAX * 4] << 24) >> 24;
  },
  cpu => {
    cpu.r32[EAX] = (cpu.r16[EAX * 2] << 16) >> 16;
  },
];

/** CWD and CDQ. */
export const cwd: BySize = [
  cpu => {
    cpu.r16[EDX * 2] = (cpu.r16[EAX * 2] << 16) >> 31;
  },
  cpu => {
    cpu.r32[EDX] = cpu.r32[EAX] >> 31;
  },
];

export const nop: Handler = () => {};
