/**
 * The opcode map as the page shows it: every line of the processor's own table, and which bytes are prefixes.
 * VitePress loads it when the site is built, so the page carries the table and not the processor.
 */
import { defineLoader } from "vitepress";
import { ENDS, LOCK, MEMORY_ONLY, REGISTER_ONLY } from "../../sandbox/cpu/opcodes/form.ts";
import { FORMS } from "../../sandbox/cpu/opcodes/opcodes.ts";
import { readPrefixes } from "../../solutions/02-real-mode/prefixes.ts";

/** One line of the table. Opcodes of the two-byte map are 0x0f00 to 0x0fff. */
export interface OpcodeLine {
  readonly opcode: number;
  /** As "/6": ModRM.reg extends the opcode. */
  readonly extension?: number;
  /** Mandatory prefix. */
  readonly prefix?: number;
  readonly text: string;
  /** Arithmetic flags written, undefined ones in small letters. */
  readonly flags: string;
  readonly lock?: true;
  /** Goes on elsewhere, or changes how the next instruction is fetched. */
  readonly ends?: true;
  readonly operand?: "memory" | "register";
}

export interface OpcodeMapFacts {
  readonly lines: readonly OpcodeLine[];
  readonly prefixes: readonly number[];
}

declare const data: OpcodeMapFacts;

export { data };

export default defineLoader({
  watch: ["../../sandbox/cpu/opcodes/*.ts"],
  load: (): OpcodeMapFacts => ({
    lines: FORMS.map(({ opcode, extension, prefix, mnemonic, operands, flags, attributes }) => ({
      opcode,
      ...(extension !== undefined && { extension }),
      ...(prefix && { prefix }),
      text: `${mnemonic} ${operands}`.trim(),
      flags,
      ...((attributes & LOCK) !== 0 && { lock: true as const }),
      ...((attributes & ENDS) !== 0 && { ends: true as const }),
      ...((attributes & MEMORY_ONLY) !== 0 && { operand: "memory" as const }),
      ...((attributes & REGISTER_ONLY) !== 0 && { operand: "register" as const }),
    })),
    prefixes: Array.from({ length: 256 }, (_, byte) => byte).filter(isPrefix),
  }),
});

/** Asks the decoder: a prefix is a byte after which it reads on. */
function isPrefix(byte: number): boolean {
  const bytes = [byte, 0x90];
  const opcode = readPrefixes({ next8: () => bytes.shift() ?? 0 }, { prefixes: 0, segment: 0 });
  return opcode === 0x90 && bytes.length === 0;
}
