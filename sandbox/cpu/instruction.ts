/**
 * A decoded instruction: one record of one shape, with every operand resolved as far as that is possible
 * without the values of registers.
 *
 * A record stands for a *place* in a page of code. It is UNDECODED until the place is first reached, and
 * again when somebody wrote over its bytes, so links to it (`next`, `target`) stay good for ever.
 */
import type { CodePage } from "./code-page.ts";
import type { Cpu } from "./cpu.ts";
import { DS, ZERO } from "./state.ts";

/** Executes one instruction. EIP has already been moved past it; faults leave by a throw. */
export type Handler = (cpu: Cpu, insn: Instruction) => void;

export {
  PREFIX_ADDRESS,
  PREFIX_LOCK,
  PREFIX_OPERAND,
  PREFIX_REP,
  PREFIX_REPNE,
  PREFIX_SEGMENT,
} from "#layers/02-real-mode/prefixes.ts";

export class Instruction {
  /** Which arm of the interpreter's switch executes it: the forms of `hot.ts`. */
  form = 0;
  /** Executes it in full generality. */
  execute: Handler;
  /** The place right after it, and where it jumps to, if inside the page. */
  next: Instruction;
  target: Instruction;
  readonly page: CodePage | null;
  /** Where in its page it begins. */
  readonly offset: number;
  /** In bytes, prefixes included. */
  length = 0;

  /** 0x00 to 0xff, or 0x0f00 to 0x0fff for the two-byte map. */
  opcode = 0;
  /** PREFIX_… bits. */
  prefixes = 0;
  /** In bytes: 2 or 4. */
  operandSize = 2;
  /** The ModRM byte, or 0. */
  modrm = 0;
  /** ModRM.reg, or the register in the opcode's low three bits where the form has no ModRM. */
  reg = 0;
  /** ModRM.rm. */
  rm = 0;
  /** ModRM names memory: the effective address is made from the next five fields. */
  isMemory = false;
  /** Indices into r32; ZERO where there is none. */
  base = ZERO;
  index = ZERO;
  scale = 0;
  displacement = 0;
  /** 0xffff or -1: the address size. */
  addressMask = 0xffff;
  /** Of the memory operand, override applied: ES, CS, SS, DS, FS or GS. */
  segment = DS;
  /** Sign-extended where the form says so; relative jumps: the displacement; far pointers: the offset. */
  immediate = 0;
  /** Where in the instruction a 4-byte immediate stands that can be replaced without decoding again; 0: none. */
  immediateAt = 0;
  /** ENTER: the level; far pointers: the selector. */
  immediate2 = 0;

  /** Register operand `Gx`: index into r32, r16 or r8, as its size demands. */
  regIndex = 0;
  /** Register operand `Ex`: index into r32, r16 or r8; meaningful unless `isMemory`. */
  rmIndex = 0;
  /** Registers of a hot form: indices into r32, r16 or r8. */
  destination = 0;
  source = 0;
  /** Which table of the TLB the memory operand of a hot form uses, and its size less 1. */
  tlbTable = 0;
  span = 0;

  constructor(page: CodePage | null, offset: number, execute: Handler) {
    this.page = page;
    this.offset = offset;
    this.execute = execute;
    this.next = this;
    this.target = this;
  }
}
