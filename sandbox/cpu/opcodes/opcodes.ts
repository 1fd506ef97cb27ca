/**
 * The opcode map, indexed: from an opcode to its lines, and from a line to what the decoder must do for it.
 */
import type { Handler } from "../instruction.ts";
import { PREFIX_OPERAND, PREFIX_REP, PREFIX_REPNE } from "../instruction.ts";
import { type Form, MEMORY_ONLY, REGISTER_ONLY } from "./form.ts";
import { ONE_BYTE } from "./one-byte.ts";
import { SIMD } from "./simd.ts";
import { SYSTEM } from "./system.ts";
import { RESERVED_NOPS, TWO_BYTE } from "./two-byte.ts";
import { X87 } from "./x87.ts";

/** All lines, in the order of the manual. */
export const FORMS: readonly Form[] = [
  ...ONE_BYTE,
  ...TWO_BYTE,
  ...X87,
  ...SIMD,
  ...SYSTEM,
  ...RESERVED_NOPS,
];

/** Bytes of an operand; 0 is 2 or 4 by operand size. */
export type OperandSize = 0 | 1 | 2 | 4;

/** A line as the decoder needs it. */
export interface Shape {
  readonly form: Form;
  readonly execute: readonly [Handler, Handler];
  readonly attributes: number;
  readonly extension: number;
  readonly prefix: number;
  readonly onlyRm: number;
  readonly regSize: OperandSize;
  readonly rmSize: OperandSize;
  /** Operand `Z`: the register is in the opcode's low bits. */
  readonly inOpcode: boolean;
  readonly immediate: "" | "b" | "bs" | "w" | "z" | "wb" | "far" | "offset" | "jump" | "1";
}

/** All lines of one opcode. */
export interface OpcodeLines {
  readonly hasModRm: boolean;
  readonly shapes: readonly Shape[];
}

const SIZES: Readonly<Record<string, OperandSize>> = { b: 1, w: 2, d: 4, v: 0, z: 0 };

const IMMEDIATES: Readonly<Record<string, Shape["immediate"]>> = {
  Ib: "b",
  Ibs: "bs",
  Iw: "w",
  Iz: "z",
  Iv: "z",
  Jb: "bs",
  Jz: "jump",
  Ap: "far",
  Ob: "offset",
  Ov: "offset",
  1: "1",
};

export function shapeOf(form: Form): Shape {
  const operands = form.operands === "" ? [] : form.operands.split(",");
  const sizeOf = (letters: string): OperandSize => {
    const operand = operands.find(text => text.length > 1 && letters.includes(text[0]!));
    return SIZES[operand?.[1] ?? "v"] ?? 0;
  };
  const inOpcode = operands.some(operand => /^Z[bvd]$/.test(operand));
  const immediates = operands.flatMap(operand => IMMEDIATES[operand] ?? []);
  return {
    form,
    execute: form.execute,
    attributes: form.attributes,
    extension: form.extension ?? -1,
    prefix: form.prefix ?? -1,
    onlyRm: form.rm ?? -1,
    regSize: sizeOf("G"),
    rmSize: sizeOf("ERMZ"),
    inOpcode,
    immediate: immediates.length === 2 ? "wb" : (immediates[0] ?? ""),
  };
}

const HAS_MODRM = /^[EMRGSCDPQVWUN]([bwdvqpsz]|dq|ps|pd|ss|sd)*$/;

function hasModRm(form: Form): boolean {
  return (
    form.extension !== undefined ||
    form.rm !== undefined ||
    (form.attributes & (REGISTER_ONLY | MEMORY_ONLY)) !== 0 ||
    form.operands.split(",").some(operand => HAS_MODRM.test(operand) && !/^[A-Z]{2}$/.test(operand))
  );
}

/** By opcode, 0x00 to 0x0fff. */
export const OPCODES: readonly (OpcodeLines | undefined)[] = index();

function index(): (OpcodeLines | undefined)[] {
  const lines: (OpcodeLines | undefined)[] = new Array(0x1000).fill(undefined);
  for (const form of FORMS) {
    const before = lines[form.opcode];
    lines[form.opcode] = {
      hasModRm: (before?.hasModRm ?? false) || hasModRm(form),
      shapes: [...(before?.shapes ?? []), shapeOf(form)],
    };
  }
  return lines;
}

/** The line that these prefixes and this ModRM byte choose, or undefined: the opcode is invalid. */
export function findShape(shapes: readonly Shape[], prefixes: number, modrm: number): Shape | undefined {
  const mandatory =
    (prefixes & PREFIX_REP) !== 0
      ? 0xf3
      : (prefixes & PREFIX_REPNE) !== 0
        ? 0xf2
        : (prefixes & PREFIX_OPERAND) !== 0
          ? 0x66
          : 0;
  const isRegister = modrm >= 0xc0;
  for (const shape of shapes) {
    if (shape.extension >= 0 && shape.extension !== ((modrm >> 3) & 7)) continue;
    if (shape.prefix >= 0 && shape.prefix !== mandatory) continue;
    if (shape.onlyRm >= 0 && (!isRegister || shape.onlyRm !== (modrm & 7))) continue;
    if ((shape.attributes & MEMORY_ONLY) !== 0 && isRegister) continue;
    if ((shape.attributes & REGISTER_ONLY) !== 0 && !isRegister) continue;
    return shape;
  }
  return undefined;
}
