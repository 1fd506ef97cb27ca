import { CpuidFeature, type Instruction as Decoded, Decoder, DecoderOptions, Mnemonic } from "iced-x86";
import { describe, expect, it } from "vitest";
import { CodePage } from "../code-page.ts";
import { decode } from "../decode.ts";
import { PREFIX_OPERAND, PREFIX_REP, PREFIX_REPNE } from "../instruction.ts";
import { MODE_CODE32 } from "../state.ts";
import { MEMORY_ONLY } from "./form.ts";
import { FORMS, findShape, OPCODES } from "./opcodes.ts";

/** What a processor of the P6 family with SSE2 has; everything newer is an invalid opcode. */
const FEATURES = new Set(
  [
    "INTEL8086",
    "INTEL8086_ONLY",
    "INTEL186",
    "INTEL286",
    "INTEL386",
    "INTEL486",
    "FPU",
    "FPU287",
    "FPU387",
    "MMX",
    "SSE",
    "SSE2",
    "CMOV",
    "CX8",
    "CPUID",
    "TSC",
    "MSR",
    "SEP",
    "FXSR",
    "PAUSE",
    "RDPMC",
    "CLFSH",
    "MULTIBYTENOP",
    "SMM",
    "CLFLUSH",
    "UDBG",
    "FPU287XL_ONLY",
  ].map(name => CpuidFeature[name as keyof typeof CpuidFeature]),
);

const PREFIXES = [
  { bytes: [], prefixes: 0 },
  { bytes: [0x66], prefixes: PREFIX_OPERAND },
  { bytes: [0xf2], prefixes: PREFIX_REPNE },
  { bytes: [0xf3], prefixes: PREFIX_REP },
];
/** ModRM with memory without displacement, with a SIB and a displacement, and with registers. */
const MODRM = [0x03, 0x84, 0xc1];

interface Encoding {
  readonly bytes: readonly number[];
  readonly opcode: number;
  readonly prefixes: number;
  readonly modrm: number;
}

function encodings(): Encoding[] {
  const all: Encoding[] = [];
  const isPrefix = new Set([0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
  for (let number = 0; number < 0x200; number++) {
    if (number < 0x100 && isPrefix.has(number)) continue;
    const opcode = number < 0x100 ? number : 0x0f00 | (number & 0xff);
    const head = number < 0x100 ? [number] : [0x0f, number & 0xff];
    for (const { bytes, prefixes } of PREFIXES) {
      for (const form of MODRM) {
        for (let reg = 0; reg < 8; reg++) {
          const modrm = form | (reg << 3);
          all.push({
            bytes: [...bytes, ...head, modrm, 0x21, 1, 2, 3, 4, 5, 6, 7, 8].slice(0, 15),
            opcode,
            prefixes,
            modrm,
          });
        }
      }
    }
  }
  return all;
}

function ours({ bytes, opcode, prefixes, modrm }: Encoding) {
  const line = OPCODES[opcode];
  const shape = line && findShape(line.shapes, prefixes, modrm);
  const memory = new Uint8Array(4096);
  memory.set(bytes);
  const instruction = new CodePage(0, MODE_CODE32, memory, 0).at(0);
  decode(instruction);
  return { shape, length: instruction.length };
}

function theirs(bytes: readonly number[]): { decoded: Decoded; isKnown: boolean } {
  const decoder = new Decoder(
    32,
    Uint8Array.from(bytes),
    DecoderOptions.NoWbnoinvd |
      DecoderOptions.NoMPFX_0FBC |
      DecoderOptions.NoMPFX_0FBD |
      DecoderOptions.NoLahfSahf64,
  );
  const decoded = decoder.decode();
  const isKnown = decoded.code !== 0 && [...decoded.cpuidFeatures()].every(feature => FEATURES.has(feature));
  decoder.free();
  return { decoded, isKnown };
}

/** Where the manual has several names for one opcode, ours by theirs. */
const SYNONYMS: Readonly<Record<string, string>> = {
  jae: "jnb",
  ja: "jnbe",
  je: "jz",
  jne: "jnz",
  jge: "jnl",
  jg: "jnle",
  setae: "setnb",
  seta: "setnbe",
  sete: "setz",
  setne: "setnz",
  setge: "setnl",
  setg: "setnle",
  cmovae: "cmovnb",
  cmova: "cmovnbe",
  cmove: "cmovz",
  cmovne: "cmovnz",
  cmovge: "cmovnl",
  cmovg: "cmovnle",
  xlatb: "xlat",
  sal: "shl",
  jecxz: "jcxz",
  wait: "fwait",
  reservednop: "nop",
  retf: "retf",
};

/** One name for all operand sizes: MOVSB and MOVSD, PUSHFD and PUSHF, CWDE and CBW. */
const SIZED: Readonly<Record<string, string>> = {
  cwde: "cbw",
  cdq: "cwd",
  pushad: "pusha",
  popad: "popa",
  pushaw: "pusha",
  popaw: "popa",
  pushfd: "pushf",
  popfd: "popf",
  iretd: "iret",
  movsd: "movsv",
  movsw: "movsv",
  cmpsd: "cmpsv",
  cmpsw: "cmpsv",
  stosd: "stosv",
  stosw: "stosv",
  lodsd: "lodsv",
  lodsw: "lodsv",
  scasd: "scasv",
  scasw: "scasv",
  insd: "insv",
  insw: "insv",
  outsd: "outsv",
  outsw: "outsv",
};

/** Second encodings of x87 instructions carry a number in our table: FCOM2, FSTP8. */
const ALIAS = /^(f(?:com|comp|xch|stp))\d$/;

/** A reserved no-op that a later processor gave a meaning: CLDEMOTE, RDSSP, … */
function isNewerHint(ourName: string, isKnown: boolean): boolean {
  return ourName === "nop" && !isKnown;
}

/** Registers that do not exist (segment 6, CR1, …) and LOCK are refused when executed. */
function isChecked({ opcode, modrm }: Encoding): boolean {
  const reg = (modrm >> 3) & 7;
  if (opcode === 0x8c || opcode === 0x8e) return reg > 5 || (opcode === 0x8e && reg === 1);
  return opcode >= 0x0f20 && opcode <= 0x0f23;
}

function name(decoded: Decoded, opcode: number): string {
  const mnemonic = Mnemonic[decoded.mnemonic]!.toLowerCase();
  const isString = opcode < 0x100;
  return SYNONYMS[mnemonic] ?? (isString ? SIZED[mnemonic] : undefined) ?? mnemonic;
}

describe("the opcode map", () => {
  it("has exactly the opcodes of the processor, under their names, with their lengths", () => {
    const differences = new Map<string, string>();
    for (const encoding of encodings()) {
      const { shape, length } = ours(encoding);
      const { decoded, isKnown } = theirs(encoding.bytes);
      const theirName = isKnown ? name(decoded, encoding.opcode) : "invalid";
      const ourName = shape?.form.mnemonic.toLowerCase().replace(ALIAS, "$1") ?? "invalid";
      const text = encoding.bytes
        .slice(0, 6)
        .map(byte => byte.toString(16).padStart(2, "0"))
        .join(" ");
      const key = `${encoding.opcode.toString(16)}: ${ourName} is ${theirName}`;
      if (isNewerHint(ourName, isKnown) || isChecked(encoding)) continue;
      if (ourName !== theirName) differences.set(key, text);
      else if (isKnown && decoded.length !== length)
        differences.set(`${key}, ${length} bytes for ${decoded.length}`, text);
      decoded.free();
    }
    expect([...differences].map(([key, text]) => `${key} (${text})`)).toEqual([]);
  });

  it("has a line only once", () => {
    const seen = new Set<string>();
    for (const { opcode, extension, prefix, rm, attributes } of FORMS) {
      const key = [opcode, extension, prefix, rm, attributes & MEMORY_ONLY].join(" ");
      expect(seen.has(key), `${opcode.toString(16)} /${extension}`).toBe(false);
      seen.add(key);
    }
  });
});
