/** What the processor's own table says of an instruction: whether it has a ModRM byte, and what it does to flags. */
import { type Prefixes, readPrefixes } from "#layers/02-real-mode/prefixes.ts";
import { DS } from "#layers/02-real-mode/registers.ts";
import { findShape, OPCODES } from "../../sandbox/cpu/opcodes/opcodes.ts";

/** The arithmetic flags, in the order of the register. */
export const ARITHMETIC_FLAGS = ["OF", "SF", "ZF", "AF", "PF", "CF"] as const;
export type ArithmeticFlag = (typeof ARITHMETIC_FLAGS)[number];

/** "undefined": the manual does not say what the flag is afterwards, if only for some operands. */
export type FlagEffect = "writes" | "undefined" | "keeps";

export interface InstructionForm {
  readonly hasModRm: boolean;
  readonly flags: Readonly<Record<ArithmeticFlag, FlagEffect>>;
}

/** For the bytes of one instruction; undefined where the table has no such opcode. */
export function instructionForm(bytes: ArrayLike<number>): InstructionForm | undefined {
  let at = 0;
  const next8 = () => bytes[at++] ?? 0;
  const insn: Prefixes = { prefixes: 0, segment: DS };
  const first = readPrefixes({ next8 }, insn);
  const lines = OPCODES[first === 0x0f ? 0x0f00 | next8() : first];
  const shape = lines && findShape(lines.shapes, insn.prefixes, lines.hasModRm ? next8() : 0);
  if (!lines || !shape) return undefined;
  const written = shape.form.flags;
  const effect = (name: string): FlagEffect => {
    const letter = name[0]!;
    if (written.includes(letter)) return "writes";
    return written.includes(letter.toLowerCase()) ? "undefined" : "keeps";
  };
  const flags = Object.fromEntries(ARITHMETIC_FLAGS.map(name => [name, effect(name)]));
  return { hasModRm: lines.hasModRm, flags: flags as InstructionForm["flags"] };
}
