/** What the graded tests of chapter 2 may ask of a learner's processor: plain data in, plain data out. */
import * as alu from "#layers/02-real-mode/alu.ts";
import {
  type AddressForm,
  effectiveAddress,
  readAddress16,
  readAddress32,
} from "#layers/02-real-mode/modrm.ts";
import { readPrefixes } from "#layers/02-real-mode/prefixes.ts";
import {
  BASE,
  DS,
  FLAG_CARRIES,
  FLAG_RESULT,
  LIMIT,
  RIGHTS,
  SELECTOR,
  SYSTEM_FLAGS,
  viewRegisters,
} from "#layers/02-real-mode/registers.ts";
import { loadRealModeSegment, segmentAllows } from "#layers/02-real-mode/segments.ts";
import * as strings from "#layers/02-real-mode/strings.ts";
import type { Hypervisor, Regs } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { build, SECTOR_SIZE } from "./machine.ts";

type Size = 8 | 16 | 32;

/** What one instruction's prefixes were read as. `segment` is DS unless a prefix names another. */
export interface ReadPrefixes {
  readonly opcode: number;
  readonly prefixes: number;
  readonly segment: number;
  /** Bytes taken, the opcode's included. */
  readonly taken: number;
}

export interface ReadAddress extends AddressForm {
  /** Bytes taken after the ModRM byte. */
  readonly taken: number;
}

/** A segment register's hidden part, as far as `allows` looks at it. */
export interface SegmentState {
  readonly limit: number;
  readonly rights: number;
}

/** A string instruction on registers and a memory of 64 KiB in which every segment begins at 0. */
export interface StringCase {
  readonly instruction: keyof typeof STRING_INSTRUCTIONS;
  readonly size: 1 | 2 | 4;
  readonly addressMask: number;
  /** Registers by their index in the register file. */
  readonly registers: Readonly<Record<number, number>>;
  readonly down?: boolean;
  readonly memory: Readonly<Record<number, number>>;
}

export interface StringResult {
  /** The same registers as in the case, afterwards. */
  readonly registers: Record<number, number>;
  /** Every access: kind, segment, offset, and the value written. */
  readonly accesses: [kind: "read" | "write", segment: number, offset: number, value?: number][];
  readonly flags: number;
}

/** A few instructions of real mode, and what they are to find. */
export interface Snippet {
  readonly code: readonly number[];
  readonly instructions: number;
  readonly regs?: Partial<Regs>;
  readonly ds?: number;
  readonly memory?: readonly { readonly address: number; readonly bytes: readonly number[] }[];
}

export interface SnippetRun {
  readonly before: Regs;
  readonly after: Regs;
  /** How the run ended: INTR after all instructions. */
  readonly ends: string;
  /** The 16 bytes at linear SCRATCH. */
  readonly memory: { readonly address: number; readonly bytes: Uint8Array };
}

export interface GuestRun {
  readonly output: string;
  readonly exits: number;
  readonly last: string;
  readonly before: Regs;
  readonly after: Regs;
}

/** Where snippets may write; `SnippetRun.memory` shows it. */
const SCRATCH = 0x9000;

export const subject = {
  prefixes: (instructions: readonly (readonly number[])[]): ReadPrefixes[] =>
    instructions.map(bytes => {
      const stream = new ByteStream(bytes);
      const read = { prefixes: 0, segment: DS };
      const opcode = readPrefixes(stream, read);
      return { opcode, ...read, taken: stream.at };
    }),

  /** ModRM bytes that name memory, each with the bytes after it. */
  addresses: (
    addressSize: 16 | 32,
    operands: readonly (readonly [modrm: number, ...after: number[]])[],
  ): ReadAddress[] =>
    operands.map(([modrm, ...after]) => {
      const stream = new ByteStream(after);
      const form = { base: -1, index: -1, scale: -1, displacement: -1, usesStack: false };
      if (addressSize === 16) readAddress16(stream, modrm, form);
      else readAddress32(stream, modrm, form);
      return { ...form, taken: stream.at };
    }),

  effectiveAddress(registers: Readonly<Record<number, number>>, form: AddressForm, mask: number): number {
    const { r32 } = registerFile();
    for (const [index, value] of Object.entries(registers)) r32[Number(index)] = value;
    return effectiveAddress(r32, form, mask);
  },

  /** Loads DS as real mode does; its limit and rights are `before`, so that a change shows. */
  loadSegments: (selectors: readonly number[], before: SegmentState) =>
    selectors.map(selector => {
      const { r32 } = registerFile();
      r32[LIMIT + DS] = before.limit;
      r32[RIGHTS + DS] = before.rights;
      loadRealModeSegment(r32, DS, selector);
      return {
        selector: r32[SELECTOR + DS],
        base: r32[BASE + DS],
        limit: r32[LIMIT + DS]! >>> 0,
        rights: r32[RIGHTS + DS],
      };
    }),

  allows: (
    { limit, rights }: SegmentState,
    accesses: readonly (readonly [offset: number, size: number, isWrite: boolean])[],
  ): boolean[] => {
    const { r32 } = registerFile();
    r32[LIMIT + DS] = limit;
    r32[RIGHTS + DS] = rights;
    return accesses.map(([offset, size, isWrite]) => segmentAllows(r32, DS, offset | 0, size, isWrite));
  },

  /** What setFlags (or setLogicFlags, without `carries`) keeps. */
  keepFlags: (cases: readonly (readonly [size: Size, result: number, carries?: number])[]) =>
    cases.map(([size, result, carries]) => {
      const { r32 } = registerFile();
      r32[FLAG_CARRIES] = 0x5555_5555;
      if (carries === undefined) alu.setLogicFlags(r32, size, result);
      else alu.setFlags(r32, size, result, carries);
      return { result: r32[FLAG_RESULT]!, carries: r32[FLAG_CARRIES]! };
    }),

  /** The flags that a kept result and carries stand for. */
  readFlags: (cases: readonly (readonly [result: number, carries: number])[]) =>
    cases.map(([result, carries]) => {
      const { r32 } = registerFile();
      r32[FLAG_RESULT] = result;
      r32[FLAG_CARRIES] = carries;
      return { sign: alu.signFlag(r32), overflow: alu.overflowFlag(r32), parity: alu.parityFlag(r32) };
    }),

  carries: (cases: readonly (readonly [kind: "add" | "subtract", a: number, b: number])[]): number[] =>
    cases.map(([kind, a, b]) =>
      kind === "add" ? alu.carriesOfAdd(a, b, (a + b) | 0) : alu.borrowsOfSubtract(a, b, (a - b) | 0),
    ),

  /** Result and EFLAGS of an operation on all pairs of bytes: `flags[a * 256 + b]`, the result in bits 16 to 23. */
  allBytes(operation: keyof typeof OPERATIONS, flagsBefore: number): Uint32Array {
    const { r32 } = registerFile();
    const all = new Uint32Array(0x1_0000);
    for (let pair = 0; pair < all.length; pair++) {
      alu.setArithmeticFlags(r32, flagsBefore);
      const result = OPERATIONS[operation](r32, 8, pair >> 8, pair & 0xff);
      all[pair] = ((result & 0xff) << 16) | alu.arithmeticFlags(r32);
    }
    return all;
  },

  /** For each value of EFLAGS the sixteen conditions, number 0 first. */
  conditions: (flags: readonly number[]): boolean[][] =>
    flags.map(value => {
      const { r32 } = registerFile();
      alu.setArithmeticFlags(r32, value);
      return Array.from({ length: 16 }, (_, code) => alu.condition(r32, code));
    }),

  strings: (cases: readonly StringCase[]): StringResult[] => cases.map(runString),

  /** CX after `done` of the repetitions that ECX holds, and how many it held. */
  repetitions: (cases: readonly (readonly [ecx: number, addressMask: number, done: number])[]) =>
    cases.map(([ecx, mask, done]) => {
      const { r32 } = registerFile();
      r32[ECX_INDEX] = ecx;
      const left = strings.repetitions(r32, mask);
      strings.countDown(r32, mask, done);
      return { left, ecx: r32[ECX_INDEX]! >>> 0 };
    }),

  /** Executes a snippet on the whole processor, with your layer in it. */
  execute({ code, instructions, regs = {}, ds = 0, memory: contents = [] }: Snippet): SnippetRun {
    const hypervisor = openSoft();
    try {
      const sector = new Uint8Array(SECTOR_SIZE);
      sector.set(code);
      sector.set([0x55, 0xaa], SECTOR_SIZE - 2);
      const { vcpu, memory } = build(hypervisor, sector, () => {});
      for (const { address, bytes } of contents) memory.writeBytes(address, Uint8Array.from(bytes));
      const sregs = vcpu.getSregs();
      sregs.ds.selector = ds;
      sregs.ds.base = BigInt(ds * 16);
      vcpu.setSregs(sregs);
      vcpu.setRegs({ ...vcpu.getRegs(), rdx: 0n, ...regs });
      const before = vcpu.getRegs();
      const { reason } = vcpu.run({ instructions });
      return {
        before,
        after: vcpu.getRegs(),
        ends: reason,
        memory: { address: SCRATCH, bytes: memory.readBytes(SCRATCH, 16) },
      };
    } finally {
      hypervisor.close();
    }
  },

  /** Boots a sector of this chapter on the soft engine. */
  guest(image: Uint8Array): GuestRun {
    const hypervisor = openSoft();
    try {
      return bootGuest(hypervisor, image);
    } finally {
      hypervisor.close();
    }
  },
};

/** Runs a boot sector to its end on any engine. */
export function bootGuest(hypervisor: Hypervisor, image: Uint8Array): GuestRun {
  let output = "";
  let exits = 0;
  const { vcpu, run } = build(hypervisor, image, byte => (output += String.fromCharCode(byte)));
  const before = vcpu.getRegs();
  const last = run({
    maxExits: 10_000,
    budget: { instructions: 2_000_000, milliseconds: 5000 },
    onExit: () => void exits++,
  });
  return { output, exits, last: last.reason, before, after: vcpu.getRegs() };
}

const OPERATIONS = {
  add: alu.add,
  addWithCarry: alu.addWithCarry,
  subtract: alu.subtract,
  subtractWithBorrow: alu.subtractWithBorrow,
  increment: alu.increment,
  decrement: alu.decrement,
} as const;
const STRING_INSTRUCTIONS = {
  movs: strings.movs,
  stos: strings.stos,
  lods: strings.lods,
  cmps: strings.cmps,
  scas: strings.scas,
} as const;
const ECX_INDEX = 2;
const FILE_BYTES = 4096;

function registerFile() {
  return viewRegisters(new ArrayBuffer(FILE_BYTES), 0);
}

/** A few bytes as the decoder hands them out; past their end it reads 0xcc. */
class ByteStream {
  at = 0;

  constructor(private readonly bytes: readonly number[]) {}

  next8(): number {
    return this.bytes[this.at++] ?? 0xcc;
  }

  next16(): number {
    return this.next8() | (this.next8() << 8);
  }

  next32(): number {
    return this.next16() | (this.next16() << 16);
  }
}

function runString({ instruction, size, addressMask, registers, down, memory }: StringCase): StringResult {
  const file = registerFile();
  const bytes = new Uint8Array(0x1_0000);
  for (const [at, value] of Object.entries(memory)) bytes[Number(at)] = value;
  for (const [index, value] of Object.entries(registers)) file.r32[Number(index)] = value;
  if (down) file.r32[SYSTEM_FLAGS] = strings.DF;
  const accesses: StringResult["accesses"] = [];
  const read = (count: number) => (segment: number, offset: number) => {
    accesses.push(["read", segment, offset]);
    let value = 0;
    for (let byte = count - 1; byte >= 0; byte--) value = (value << 8) | bytes[(offset + byte) & 0xffff]!;
    return value;
  };
  const write = (count: number) => (segment: number, offset: number, value: number) => {
    accesses.push(["write", segment, offset, count === 4 ? value >>> 0 : value & (2 ** (8 * count) - 1)]);
  };
  const processor = {
    ...file,
    read8: read(1),
    read16: read(2),
    read32: read(4),
    write8: write(1),
    write16: write(2),
    write32: write(4),
  };
  STRING_INSTRUCTIONS[instruction](processor, { size, segment: DS, addressMask });
  const after = Object.fromEntries(
    Object.keys(registers).map(index => [index, file.r32[Number(index)]! >>> 0]),
  );
  const compares = instruction === "cmps" || instruction === "scas";
  return { registers: after, accesses, flags: compares ? alu.arithmeticFlags(file.r32) : 0 };
}
