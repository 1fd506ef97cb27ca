/**
 * From bytes to an Instruction.
 *
 * Layout of an instruction (SDM vol. 2, 2.1): prefixes, opcode of one or two bytes, ModRM, SIB,
 * displacement, immediates; 15 bytes at most. What operands an opcode has, its line of the table says.
 */
import { type AddressForm, readAddress16, readAddress32 } from "#layers/02-real-mode/modrm.ts";
import { readPrefixes } from "#layers/02-real-mode/prefixes.ts";
import { BASE, byteRegister, CS, DS, SS, ZERO } from "#layers/02-real-mode/registers.ts";
import { chooseForm } from "./choose-form.ts";
import type { CodePage } from "./code-page.ts";
import type { Cpu } from "./cpu.ts";
import { CAREFUL, GENERAL_ENDS } from "./hot.ts";
import { Instruction, PREFIX_ADDRESS, PREFIX_LOCK, PREFIX_OPERAND, PREFIX_SEGMENT } from "./instruction.ts";
import { IGNORES_MOD, LOCK } from "./opcodes/form.ts";
import { findShape, OPCODES, type OperandSize, type Shape } from "./opcodes/opcodes.ts";
import {
  EIP,
  GENERAL_PROTECTION,
  INSTRUCTION_EIP,
  INVALID_OPCODE,
  MODE_CAREFUL,
  MODE_CODE32,
} from "./state.ts";

const PAGE = 4096;
const LONGEST = 15;

/** Thrown inside the decoder when an instruction goes on past the bytes that it was given. */
const OUT_OF_BYTES = { name: "the instruction goes on in the next page" };

/** Hands out the bytes of one instruction. */
class Bytes {
  bytes: Uint8Array = new Uint8Array();
  at = 0;
  end = 0;
  start = 0;

  begin(bytes: Uint8Array, start: number, available: number): void {
    this.bytes = bytes;
    this.start = start;
    this.at = start;
    this.end = start + Math.min(available, LONGEST);
  }

  next8(): number {
    if (this.at >= this.end) throw OUT_OF_BYTES;
    return this.bytes[this.at++];
  }

  next16(): number {
    const low = this.next8();
    return low | (this.next8() << 8);
  }

  next32(): number {
    const low = this.next16();
    return low | (this.next16() << 16);
  }

  get taken(): number {
    return this.at - this.start;
  }
}

const stream = new Bytes();
const address: AddressForm = { base: 0, index: 0, scale: 0, displacement: 0, usesStack: false };

/** Decodes the place that `insn` stands for. Never throws: what cannot be executed faults when it is. */
export function decode(insn: Instruction): void {
  const page = insn.page!;
  const available = PAGE - insn.offset;
  reset(insn);
  stream.begin(page.bytes, page.start + insn.offset, available);
  try {
    decodeBytes(insn, page.mode);
  } catch (error) {
    if (error !== OUT_OF_BYTES) throw error;
    reset(insn);
    // Its own limit check looks at all of it, so the place itself claims one byte.
    insn.length = 1;
    insn.form = (page.mode & MODE_CAREFUL) !== 0 ? CAREFUL : GENERAL_ENDS;
    insn.execute = available < LONGEST ? executeCrossing : tooLong;
    return;
  }
  insn.next = page.at(insn.offset + insn.length);
  insn.form = chooseForm(insn, shapeOfLast, page.mode);
}

/** The shape that `decodeBytes` found, for `chooseForm`. */
let shapeOfLast: Shape | null = null;

/**
 * An instruction that goes on in the next page. What was decoded last time counts while all of its bytes
 * are the same: nobody is told of writes to the second page, or that it was exchanged for another.
 */
function executeCrossing(cpu: Cpu, place: Instruction): void {
  const page = place.page!;
  const start = cpu.r32[INSTRUCTION_EIP];
  page.crossing ??= new Crossing();
  const { crossing } = page;
  if (
    !crossing.isAt(
      place,
      cpu.knownCodePage((cpu.r32[BASE + CS] + start + PAGE - place.offset) | 0, page.mode),
    )
  ) {
    crossing.decode(cpu, place);
  }
  const { insn } = crossing;
  cpu.checkCodeLimit(start, insn.length);
  cpu.r32[EIP] = start + insn.length;
  insn.execute(cpu, insn);
}

/** The instruction over the end of a page that was decoded last, and the bytes that it was made of. */
export class Crossing {
  readonly insn = new Instruction(null, 0, tooLong);
  readonly #bytes = new Uint8Array(LONGEST);
  #offset = -1;

  /** Whether it is the one at `place`, if its second part lies at the start of `second` (null: who knows). */
  isAt({ page, offset }: Instruction, second: CodePage | null): boolean {
    if (second === null || offset !== this.#offset) return false;
    const { insn } = this;
    const known = this.#bytes;
    const here = PAGE - offset;
    const from = page!.start + offset;
    for (let i = 0; i < here; i++) if (page!.bytes[from + i] !== known[i]) return false;
    const { bytes, start } = second;
    for (let i = here; i < insn.length; i++) if (bytes[start + i - here] !== known[i]) return false;
    return true;
  }

  /** Fetches no byte that the instruction does not have: the next page may not be there. */
  decode(cpu: Cpu, { page, offset }: Instruction): void {
    const { insn } = this;
    const bytes = this.#bytes;
    const linear = (cpu.r32[BASE + CS] + cpu.r32[INSTRUCTION_EIP]) | 0;
    const here = PAGE - offset;
    this.#offset = -1;
    bytes.set(page!.bytes.subarray(page!.start + offset, page!.start + PAGE));
    for (let count = here + 1; ; count++) {
      bytes[count - 1] = cpu.fetchByte((linear + count - 1) | 0);
      reset(insn);
      stream.begin(bytes, 0, count);
      try {
        decodeBytes(insn, page!.mode);
        break;
      } catch (error) {
        if (error !== OUT_OF_BYTES) throw error;
        if (count === LONGEST) cpu.fault(GENERAL_PROTECTION, 0);
      }
    }
    this.#offset = offset;
  }
}

function tooLong(cpu: Cpu): void {
  cpu.fault(GENERAL_PROTECTION, 0);
}

function invalidOpcode(cpu: Cpu): void {
  cpu.fault(INVALID_OPCODE);
}

function reset(insn: Instruction): void {
  insn.prefixes = 0;
  insn.modrm = 0;
  insn.reg = 0;
  insn.rm = 0;
  insn.isMemory = false;
  insn.immediate = 0;
  insn.immediate2 = 0;
  insn.immediateAt = 0;
  insn.segment = DS;
  insn.target = insn;
}

// #region decode-bytes
function decodeBytes(insn: Instruction, mode: number): void {
  const is32 = (mode & MODE_CODE32) !== 0;
  let opcode = readPrefixes(stream, insn);
  if (opcode === 0x0f) opcode = 0x0f00 | stream.next8();
  insn.opcode = opcode;
  const operand32 = is32 !== ((insn.prefixes & PREFIX_OPERAND) !== 0);
  const address32 = is32 !== ((insn.prefixes & PREFIX_ADDRESS) !== 0);
  insn.operandSize = operand32 ? 4 : 2;
  insn.addressMask = address32 ? -1 : 0xffff;
  const line = OPCODES[opcode];
  let modrm = 0;
  if (line?.hasModRm) {
    modrm = stream.next8();
    insn.modrm = modrm;
    insn.rm = modrm & 7;
    insn.reg = (modrm >> 3) & 7;
  } else insn.reg = opcode & 7;
  const shape = line && findShape(line.shapes, insn.prefixes, modrm);
  shapeOfLast = shape ?? null;
  const ignoresMod = ((shape?.attributes ?? 0) & IGNORES_MOD) !== 0;
  insn.isMemory = (line?.hasModRm ?? false) && modrm < 0xc0 && !ignoresMod;
  if (insn.isMemory) readMemoryOperand(insn, address32);
  if (shape === undefined) {
    insn.length = stream.taken;
    insn.execute = invalidOpcode;
    return;
  }
  insn.regIndex = registerIndex(insn.reg, sizeOf(shape.regSize, operand32));
  insn.rmIndex = registerIndex(shape.inOpcode ? opcode & 7 : insn.rm, sizeOf(shape.rmSize, operand32));
  readImmediates(insn, shape, operand32, address32);
  insn.length = stream.taken;
  const mayLock = (shape.attributes & LOCK) !== 0 && insn.isMemory;
  insn.execute =
    (insn.prefixes & PREFIX_LOCK) !== 0 && !mayLock ? invalidOpcode : shape.execute[operand32 ? 1 : 0];
}
// #endregion decode-bytes

function readMemoryOperand(insn: Instruction, address32: boolean): void {
  if (address32) readAddress32(stream, insn.modrm, address);
  else readAddress16(stream, insn.modrm, address);
  insn.base = address.base;
  insn.index = address.index;
  insn.scale = address.scale;
  insn.displacement = address.displacement;
  if ((insn.prefixes & PREFIX_SEGMENT) === 0 && address.usesStack) insn.segment = SS;
}

/** Operand size letters to bytes. */
function sizeOf(size: OperandSize, operand32: boolean): 1 | 2 | 4 {
  return size === 0 ? (operand32 ? 4 : 2) : size;
}

/** Where register `number` lies in the view of its size. */
function registerIndex(number: number, size: 1 | 2 | 4): number {
  if (size === 4) return number * 2;
  return size === 2 ? number * 4 : byteRegister(number);
}

function readImmediates(insn: Instruction, shape: Shape, operand32: boolean, address32: boolean): void {
  switch (shape.immediate) {
    case "b":
      insn.immediate = stream.next8();
      break;
    case "bs":
      insn.immediate = (stream.next8() << 24) >> 24;
      break;
    case "w":
      insn.immediate = stream.next16();
      break;
    case "z":
      insn.immediateAt = operand32 ? stream.taken : 0;
      insn.immediate = operand32 ? stream.next32() : stream.next16();
      break;
    case "wb":
      insn.immediate = stream.next16();
      insn.immediate2 = stream.next8();
      break;
    case "far":
      insn.immediate = operand32 ? stream.next32() : stream.next16();
      insn.immediate2 = stream.next16();
      break;
    case "offset":
      insn.isMemory = true;
      // The register is EAX, AX or AL, whatever the opcode's low bits are.
      insn.regIndex = 0;
      insn.base = ZERO;
      insn.index = ZERO;
      insn.scale = 0;
      insn.displacement = address32 ? stream.next32() : stream.next16();
      break;
    case "jump":
      insn.immediate = operand32 ? stream.next32() : (stream.next16() << 16) >> 16;
      break;
    case "1":
      insn.immediate = 1;
      break;
    default:
  }
}
