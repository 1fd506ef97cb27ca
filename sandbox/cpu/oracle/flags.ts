/** Which arithmetic flags an instruction leaves undefined, by the manual (SDM vol. 2, each instruction's page). */
import type { CaseInput } from "./case.ts";
import { WORLDS } from "./world.ts";

const CF = 0x001;
const PF = 0x004;
const AF = 0x010;
const ZF = 0x040;
const SF = 0x080;
const OF = 0x800;

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** What a case leaves open. */
export interface Undefined {
  readonly flags: number;
  /** The destination is undefined too. */
  readonly result: boolean;
}

const NOTHING: Undefined = { flags: 0, result: false };
const flagsOnly = (flags: number): Undefined => ({ flags, result: false });

export function undefinedOf(input: CaseInput): Undefined {
  const { code } = input;
  let at = 0;
  let bits = WORLDS[input.world]!.bits;
  while (PREFIXES.has(code[at]!)) {
    if (code[at] === 0x66) bits = WORLDS[input.world]!.bits === 16 ? 32 : 16;
    at++;
  }
  const opcode = code[at]!;
  const immediate = code[code.length - 1]!;
  if (opcode === 0x0f) return twoByte(code[at + 1]!, bits, immediate, input);
  const reg = (code[at + 1]! >>> 3) & 7;
  const wide = opcode & 1 ? bits : 8;
  if (opcode < 0x38 && (opcode & 7) < 6) {
    const operation = opcode >>> 3;
    return operation === 1 || operation === 4 || operation === 6 ? flagsOnly(AF) : NOTHING;
  }
  switch (opcode) {
    case 0x27:
    case 0x2f:
      return flagsOnly(OF);
    case 0x37:
    case 0x3f:
      return flagsOnly(OF | SF | ZF | PF);
    case 0xd4:
    case 0xd5:
      return flagsOnly(OF | AF | CF);
    case 0x69:
    case 0x6b:
      return flagsOnly(SF | ZF | AF | PF);
    case 0x80:
    case 0x81:
    case 0x82:
    case 0x83:
      return reg === 1 || reg === 4 || reg === 6 ? flagsOnly(AF) : NOTHING;
    case 0x84:
    case 0x85:
    case 0xa8:
    case 0xa9:
      return flagsOnly(AF);
    case 0xc0:
    case 0xc1:
      return shift(reg, immediate & 31, wide);
    case 0xd0:
    case 0xd1:
      return shift(reg, 1, wide);
    case 0xd2:
    case 0xd3:
      return shift(reg, input.gpr[1]! & 31, wide);
    case 0xf6:
    case 0xf7:
      if (reg < 2) return flagsOnly(AF);
      if (reg < 4) return NOTHING;
      return flagsOnly(reg < 6 ? SF | ZF | AF | PF : OF | SF | ZF | AF | PF | CF);
    default:
      return NOTHING;
  }
}

function shift(reg: number, count: number, bits: number): Undefined {
  if (count === 0) return NOTHING;
  let flags = count === 1 ? 0 : OF;
  if (reg < 4) return flagsOnly(flags);
  flags |= AF;
  if (reg !== 7 && count >= bits) flags |= CF;
  return flagsOnly(flags);
}

function twoByte(opcode: number, bits: number, immediate: number, input: CaseInput): Undefined {
  switch (opcode) {
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xbb:
    case 0xba:
      return flagsOnly(OF | SF | AF | PF);
    case 0xa4:
    case 0xac:
      return doubleShift(immediate & 31, bits);
    case 0xa5:
    case 0xad:
      return doubleShift(input.gpr[1]! & 31, bits);
    case 0xaf:
      return flagsOnly(SF | ZF | AF | PF);
    case 0xbc:
    case 0xbd:
      // Intel leaves the destination alone where the source is 0, and so do we: compared.
      return flagsOnly(CF | OF | SF | AF | PF);
    case 0xc8:
    case 0xc9:
    case 0xca:
    case 0xcb:
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return { flags: 0, result: bits === 16 };
    default:
      return NOTHING;
  }
}

function doubleShift(count: number, bits: number): Undefined {
  if (count === 0) return NOTHING;
  if (count > bits) return { flags: CF | PF | AF | ZF | SF | OF, result: true };
  return flagsOnly(AF | (count === 1 ? 0 : OF));
}
