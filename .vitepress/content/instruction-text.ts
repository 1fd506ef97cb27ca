/**
 * What stands at CS:IP, in the words of the processor's own table: prefixes, mnemonic and operands as the
 * manual's opcode map writes them, and how many bytes that is. For 16-bit code.
 */
import { type AddressForm, readAddress16, readAddress32 } from "#layers/02-real-mode/modrm.ts";
import {
  PREFIX_ADDRESS,
  PREFIX_LOCK,
  PREFIX_OPERAND,
  PREFIX_REP,
  PREFIX_REPNE,
  readPrefixes,
} from "#layers/02-real-mode/prefixes.ts";
import { DS } from "#layers/02-real-mode/registers.ts";
import { findShape, OPCODES, type Shape } from "../../sandbox/cpu/opcodes/opcodes.ts";

export interface InstructionText {
  readonly length: number;
  /** As in "rep movsb" or "mov Gb,Eb"; "(bad)" where the table has no line. */
  readonly text: string;
}

/** Reads one instruction from the front of `bytes`. */
export function instructionText(bytes: Uint8Array): InstructionText {
  let at = 0;
  const next8 = () => bytes[at++] ?? 0;
  const next16 = () => next8() | (next8() << 8);
  const stream = { next8, next16, next32: () => next16() | (next16() << 16) };

  const insn = { prefixes: 0, segment: DS };
  const first = readPrefixes(stream, insn);
  const opcode = first === 0x0f ? 0x0f00 | next8() : first;
  const operand32 = (insn.prefixes & PREFIX_OPERAND) !== 0;
  const address32 = (insn.prefixes & PREFIX_ADDRESS) !== 0;
  const line = OPCODES[opcode];
  const modrm = line?.hasModRm ? next8() : 0;
  const shape = line && findShape(line.shapes, insn.prefixes, modrm);
  if (line?.hasModRm && modrm < 0xc0) {
    const form: AddressForm = { base: 0, index: 0, scale: 0, displacement: 0, usesStack: false };
    if (address32) readAddress32(stream, modrm, form);
    else readAddress16(stream, modrm, form);
  }
  if (!shape) return { length: at, text: "(bad)" };
  const length = at + immediateBytes(shape, operand32, address32);
  const { mnemonic, operands } = shape.form;
  return { length, text: `${repetition(insn.prefixes)}${mnemonic.toLowerCase()} ${operands}`.trim() };
}

function repetition(prefixes: number): string {
  if ((prefixes & PREFIX_LOCK) !== 0) return "lock ";
  if ((prefixes & PREFIX_REP) !== 0) return "rep ";
  return (prefixes & PREFIX_REPNE) !== 0 ? "repne " : "";
}

function immediateBytes({ immediate }: Shape, operand32: boolean, address32: boolean): number {
  switch (immediate) {
    case "b":
    case "bs":
      return 1;
    case "w":
      return 2;
    case "wb":
      return 3;
    case "z":
    case "jump":
      return operand32 ? 4 : 2;
    case "far":
      return operand32 ? 6 : 4;
    case "offset":
      return address32 ? 4 : 2;
    default:
      return 0;
  }
}
