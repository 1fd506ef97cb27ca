/**
 * Two-operand arithmetic and its relatives: ADD to CMP, TEST, INC, DEC, NEG, NOT.
 *
 * The functions below make a handler from an operation of the layer; names give the operands as the opcode
 * map does. Suffix 8, 16 or 32 is the operand size in bits.
 */
import { and, decrement, increment, type Operation, subtract } from "#layers/02-real-mode/alu.ts";
import type { Handler } from "../instruction.ts";
import { EAX } from "../state.ts";

type Unary = (r: Int32Array, size: 8 | 16 | 32, a: number) => number;

/** For operand sizes 16 and 32. */
export type BySize = readonly [Handler, Handler];

export function EbGb(operation: Operation): Handler {
  return (cpu, insn) => {
    const a = cpu.modifyRm8(insn);
    cpu.replaceRm8(insn, operation(cpu.r32, 8, a, cpu.r8[insn.regIndex]));
  };
}

export function EvGv(operation: Operation): BySize {
  return [
    (cpu, insn) => {
      const a = cpu.modifyRm16(insn);
      cpu.replaceRm16(insn, operation(cpu.r32, 16, a, cpu.r16[insn.regIndex]));
    },
    (cpu, insn) => {
      const a = cpu.modifyRm32(insn);
      cpu.replaceRm32(insn, operation(cpu.r32, 32, a, cpu.r32[insn.regIndex]));
    },
  ];
}

export function GbEb(operation: Operation): Handler {
  return (cpu, insn) => {
    cpu.r8[insn.regIndex] = operation(cpu.r32, 8, cpu.r8[insn.regIndex], cpu.readRm8(insn));
  };
}

export function GvEv(operation: Operation): BySize {
  return [
    (cpu, insn) => {
      cpu.r16[insn.regIndex] = operation(cpu.r32, 16, cpu.r16[insn.regIndex], cpu.readRm16(insn));
    },
    (cpu, insn) => {
      cpu.r32[insn.regIndex] = operation(cpu.r32, 32, cpu.r32[insn.regIndex], cpu.readRm32(insn));
    },
  ];
}

export function EbIb(operation: Operation): Handler {
  return (cpu, insn) => {
    const a = cpu.modifyRm8(insn);
    cpu.replaceRm8(insn, operation(cpu.r32, 8, a, insn.immediate & 0xff));
  };
}

export function EvIz(operation: Operation): BySize {
  return [
    (cpu, insn) => {
      const a = cpu.modifyRm16(insn);
      cpu.replaceRm16(insn, operation(cpu.r32, 16, a, insn.immediate & 0xffff));
    },
    (cpu, insn) => {
      const a = cpu.modifyRm32(insn);
      cpu.replaceRm32(insn, operation(cpu.r32, 32, a, insn.immediate));
    },
  ];
}

export function ALIb(operation: Operation): Handler {
  return (cpu, insn) => {
    cpu.r8[EAX * 4] = operation(cpu.r32, 8, cpu.r8[EAX * 4], insn.immediate & 0xff);
  };
}

export function eAXIz(operation: Operation): BySize {
  return [
    (cpu, insn) => {
      cpu.r16[EAX * 2] = operation(cpu.r32, 16, cpu.r16[EAX * 2], insn.immediate & 0xffff);
    },
    (cpu, insn) => {
      cpu.r32[EAX] = operation(cpu.r32, 32, cpu.r32[EAX], insn.immediate);
    },
  ];
}

// CMP and TEST: as SUB and AND, but the destination is only read.

export function compareEbGb(operation: Operation): Handler {
  return (cpu, insn) => {
    operation(cpu.r32, 8, cpu.readRm8(insn), cpu.r8[insn.regIndex]);
  };
}

export function compareEvGv(operation: Operation): BySize {
  return [
    (cpu, insn) => {
      operation(cpu.r32, 16, cpu.readRm16(insn), cpu.r16[insn.regIndex]);
    },
    (cpu, insn) => {
      operation(cpu.r32, 32, cpu.readRm32(insn), cpu.r32[insn.regIndex]);
    },
  ];
}

export const cmpGbEb: Handler = (cpu, insn) => {
  subtract(cpu.r32, 8, cpu.r8[insn.regIndex], cpu.readRm8(insn));
};

export const cmpGvEv: BySize = [
  (cpu, insn) => {
    subtract(cpu.r32, 16, cpu.r16[insn.regIndex], cpu.readRm16(insn));
  },
  (cpu, insn) => {
    subtract(cpu.r32, 32, cpu.r32[insn.regIndex], cpu.readRm32(insn));
  },
];

export function compareEbIb(operation: Operation): Handler {
  return (cpu, insn) => {
    operation(cpu.r32, 8, cpu.readRm8(insn), insn.immediate & 0xff);
  };
}

export function compareEvIz(operation: Operation): BySize {
  return [
    (cpu, insn) => {
      operation(cpu.r32, 16, cpu.readRm16(insn), insn.immediate & 0xffff);
    },
    (cpu, insn) => {
      operation(cpu.r32, 32, cpu.readRm32(insn), insn.immediate);
    },
  ];
}

export function compareALIb(operation: Operation): Handler {
  return (cpu, insn) => {
    operation(cpu.r32, 8, cpu.r8[EAX * 4], insn.immediate & 0xff);
  };
}

export function compareeAXIz(operation: Operation): BySize {
  return [
    (cpu, insn) => {
      operation(cpu.r32, 16, cpu.r16[EAX * 2], insn.immediate & 0xffff);
    },
    (cpu, insn) => {
      operation(cpu.r32, 32, cpu.r32[EAX], insn.immediate);
    },
  ];
}

// One operand.

export const negate: Unary = (r, size, a) => subtract(r, size, 0, a);

/** NOT changes no flag. */
export const complement: Unary = (_r, _size, a) => ~a;

export function Eb(operation: Unary): Handler {
  return (cpu, insn) => {
    const a = cpu.modifyRm8(insn);
    cpu.replaceRm8(insn, operation(cpu.r32, 8, a));
  };
}

export function Ev(operation: Unary): BySize {
  return [
    (cpu, insn) => {
      const a = cpu.modifyRm16(insn);
      cpu.replaceRm16(insn, operation(cpu.r32, 16, a));
    },
    (cpu, insn) => {
      const a = cpu.modifyRm32(insn);
      cpu.replaceRm32(insn, operation(cpu.r32, 32, a));
    },
  ];
}

export const inc: Unary = increment;
export const dec: Unary = decrement;
export const test: Operation = and;
