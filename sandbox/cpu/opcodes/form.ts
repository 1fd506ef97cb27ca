/**
 * The shape of a line of the opcode map.
 *
 * Operands are written as in the manual's opcode maps (SDM vol. 2, A.2.1): a letter for where the operand
 * is and one for its size. `E` ModRM.rm, register or memory · `M` memory only · `R` register only ·
 * `G` ModRM.reg · `S` segment register · `C` `D` control and debug register · `I` immediate · `J` relative
 * jump · `O` offset without ModRM · `A` far pointer · `X` `Y` string source and destination ·
 * `Z` register in the opcode's low bits · `P` `Q` MMX · `V` `W` `U` XMM; `b` byte · `w` word ·
 * `d` doubleword · `q` quadword · `v` word or doubleword by operand size · `z` the same of an immediate ·
 * `p` far pointer · `bs` byte sign-extended. Anything else is a register or constant by name.
 */
import type { Handler } from "../instruction.ts";

// Attributes.
/** LOCK is allowed if the destination is memory; without it LOCK is #UD. */
export const LOCK = 1;
/** Goes on elsewhere than at the next instruction, or changes how the next one is decoded or interrupted. */
export const ENDS = 2;
/** The default operand size is not changed by 66: it is a mandatory prefix, or ignored. */
export const NO_OPERAND_SIZE = 4;
/** No ModRM memory form: mod 0 to 2 is #UD. */
export const REGISTER_ONLY = 8;
/** mod 3 is #UD. */
export const MEMORY_ONLY = 16;
/** mod means nothing, the operand is always a register: MOV CR and DR. */
export const IGNORES_MOD = 32;

export interface Form {
  /** 0x00 to 0xff, or 0x0f00 to 0x0fff. */
  readonly opcode: number;
  /** ModRM.reg, where it extends the opcode. */
  readonly extension?: number;
  /** Mandatory prefix: 0x66, 0xf2 or 0xf3; 0 for none where another line of the opcode has one. */
  readonly prefix?: number;
  /** mod 3 with this ModRM.rm only: instructions that have their own ModRM byte. */
  readonly rm?: number;
  /** With a 32-bit operand size where it differs. */
  readonly mnemonic: string;
  readonly operands: string;
  /** For 16-bit and 32-bit operand size; the same twice where there is no difference. */
  readonly execute: readonly [Handler, Handler];
  /** Arithmetic flags written, in the order OSZAPC; in small letters those undefined, if only for some counts. */
  readonly flags: string;
  readonly attributes: number;
}

/** One line: opcode (with `/digit` for ModRM.reg), text, handler(s), flags, attributes. */
export function form(
  opcode: number | readonly [opcode: number, extension: number],
  text: string,
  execute: Handler | readonly [Handler, Handler],
  flags = "",
  attributes = 0,
  more: { prefix?: number; rm?: number } = {},
): Form {
  const [mnemonic, operands = ""] = text.split(" ");
  const [code, extension] = typeof opcode === "number" ? [opcode, undefined] : opcode;
  return {
    opcode: code,
    ...(extension === undefined ? {} : { extension }),
    ...more,
    mnemonic: mnemonic!,
    operands,
    execute: typeof execute === "function" ? [execute, execute] : execute,
    flags,
    attributes,
  };
}
