import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

// As in registers.ts.
const [EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI] = [0, 2, 4, 6, 8, 10, 12, 14] as const;
const ZERO = 32;
const [ES, CS, SS, DS, FS, GS] = [0, 2, 4, 6, 8, 10] as const;
const NAMES: Readonly<Record<number, string>> = {
  [EAX]: "EAX",
  [ECX]: "ECX",
  [EDX]: "EDX",
  [EBX]: "EBX",
  [ESP]: "ESP",
  [EBP]: "EBP",
  [ESI]: "ESI",
  [EDI]: "EDI",
};

// As in prefixes.ts.
const LOCK = 1;
const REPNE = 2;
const REP = 4;
const OPERAND = 8;
const ADDRESS = 16;
const SEGMENT = 32;

const NO_DISPLACEMENT = 0;
const hex = (value: number) => `0x${(value >>> 0).toString(16).padStart(2, "0")}`;

describe("prefixes", () => {
  it("returns the opcode when there is no prefix", async ({ subject }) => {
    const read = await subject.call("prefixes", [[0x90], [0x0f, 0xaf]]);
    expect(read, "0F is no prefix: it is the first byte of the two-byte opcodes").toEqual([
      { opcode: 0x90, prefixes: 0, segment: DS, taken: 1 },
      { opcode: 0x0f, prefixes: 0, segment: DS, taken: 1 },
    ]);
  });

  it("notes each prefix", async ({ subject }) => {
    const cases: [byte: number, prefixes: number, segment: number][] = [
      [0xf0, LOCK, DS],
      [0xf2, REPNE, DS],
      [0xf3, REP, DS],
      [0x66, OPERAND, DS],
      [0x67, ADDRESS, DS],
      [0x26, SEGMENT, ES],
      [0x2e, SEGMENT, CS],
      [0x36, SEGMENT, SS],
      [0x3e, SEGMENT, DS],
      [0x64, SEGMENT, FS],
      [0x65, SEGMENT, GS],
    ];
    const read = await subject.call(
      "prefixes",
      cases.map(([byte]) => [byte, 0xa4]),
    );
    for (const [at, [byte, prefixes, segment]] of cases.entries()) {
      expect(read[at], `prefix ${hex(byte)} before opcode 0xa4`).toEqual({
        opcode: 0xa4,
        prefixes,
        segment,
        taken: 2,
      });
    }
  });

  it("takes any number in any order", async ({ subject }) => {
    const read = await subject.call("prefixes", [
      [0x66, 0x67, 0x2e, 0xf3, 0xa5],
      [0xf3, 0x2e, 0x67, 0x66, 0xa5],
      [0x66, 0x66, 0x66, 0x90],
    ]);
    const all = { opcode: 0xa5, prefixes: OPERAND | ADDRESS | SEGMENT | REP, segment: CS, taken: 5 };
    expect(read, "the order means nothing, and repeating one changes nothing").toEqual([
      all,
      all,
      { opcode: 0x90, prefixes: OPERAND, segment: DS, taken: 4 },
    ]);
  });

  it("lets the last of two of one kind count", async ({ subject }) => {
    const read = await subject.call("prefixes", [
      [0xf2, 0xf3, 0xa6],
      [0xf3, 0xf2, 0xa6],
      [0x26, 0x36, 0x8a],
    ]);
    expect(
      read.map(({ prefixes, segment }) => [prefixes, segment]),
      "an instruction repeats by F2 or by F3, not by both; and it has one segment",
    ).toEqual([
      [REP, DS],
      [REPNE, DS],
      [SEGMENT, SS],
    ]);
  });

  it("chains 64 bits with ADD and ADC on the processor", async ({ subject, show }) => {
    const code = [0x66, 0x01, 0xd8, 0x66, 0x11, 0xca]; // add eax, ebx · adc edx, ecx
    const regs = { rax: 0xffff_ffffn, rbx: 2n, rcx: 0x10n, rdx: 0x20n };
    const run = await subject.call("execute", { code, instructions: 2, regs });
    show({ ...run, code: { bytes: Uint8Array.from(code), address: 0x7c00, rip: run.after.rip, bits: 16 } });
    expect([run.after.rdx, run.after.rax], "0x20_ffff_ffff + 0x10_0000_0002 = 0x31_0000_0001").toEqual([
      0x31n,
      1n,
    ]);
  });

  it("jumps on the processor", async ({ subject, show }) => {
    const code = [0x38, 0xe0, 0x7c, 0x02, 0xb3, 0x01, 0xf4]; // cmp al, ah · jl +2 · mov bl, 1 · hlt
    for (const [ax, taken] of [
      [0x0180n, true],
      [0x0101n, false],
    ] as const) {
      const run = await subject.call("execute", { code, instructions: 3, regs: { rax: ax } });
      show({ ...run, code: { bytes: Uint8Array.from(code), address: 0x7c00, rip: run.after.rip, bits: 16 } });
      expect(run.after.rbx, `JL after CMP AL, AH with AX = ${hex(Number(ax))}`).toBe(taken ? 0n : 1n);
    }
  });
});

/** SDM vol. 2, table 2-1, without displacements: what [rm] is made of. */
const FORMS_16: [base: number, index: number][] = [
  [EBX, ESI],
  [EBX, EDI],
  [EBP, ESI],
  [EBP, EDI],
  [ESI, ZERO],
  [EDI, ZERO],
  [EBP, ZERO],
  [EBX, ZERO],
];

describe("modrm-16", () => {
  it("knows the eight forms", async ({ subject }) => {
    const read = await subject.call(
      "addresses",
      16,
      FORMS_16.map((_, rm) => [0b01_000_000 | rm, 0x12] as const),
    );
    for (const [rm, [base, index]] of FORMS_16.entries()) {
      const { base: b, index: i } = read[rm]!;
      // A sum has no order: which of the two is called base does not matter.
      expect(
        [b, i].sort((x, y) => x - y),
        `rm ${rm} is [${NAMES[base]}${index === ZERO ? "" : `+${NAMES[index]}`}], in 16 bits`,
      ).toEqual([base, index].sort((x, y) => x - y));
      expect(read[rm]!.scale, "16-bit addresses have no scale").toBe(0);
    }
  });

  it("takes no byte, one or two for the displacement, as mod says", async ({ subject }) => {
    const read = await subject.call("addresses", 16, [
      [0b00_000_111, 0x34, 0x12],
      [0b01_000_111, 0x34, 0x12],
      [0b10_000_111, 0x34, 0x12],
    ]);
    expect(read.map(({ displacement, taken }) => [displacement, taken])).toEqual([
      [NO_DISPLACEMENT, 0],
      [0x34, 1],
      [0x1234, 2],
    ]);
  });

  it("sign-extends a displacement of one byte", async ({ subject }) => {
    const read = await subject.call("addresses", 16, [
      [0b01_000_110, 0xfe],
      [0b01_000_110, 0x7f],
    ]);
    expect(
      read.map(({ displacement }) => displacement),
      "0xfe is −2: [BP-2] is how a function reaches its locals",
    ).toEqual([-2, 0x7f]);
  });

  it("reads an address without registers for mod 0, rm 6", async ({ subject }) => {
    const [direct, withBp] = await subject.call("addresses", 16, [
      [0b00_000_110, 0x00, 0x80],
      [0b01_000_110, 0x00],
    ]);
    expect(direct, "there is no [BP] without a displacement: that place means [disp16]").toMatchObject({
      base: ZERO,
      index: ZERO,
      displacement: 0x8000,
      usesStack: false,
      taken: 2,
    });
    expect(withBp, "an assembler writes [BP] as [BP+0]").toMatchObject({ base: EBP, taken: 1 });
  });

  it("puts what is built on BP into the stack segment", async ({ subject }) => {
    const read = await subject.call(
      "addresses",
      16,
      FORMS_16.map((_, rm) => [0b10_000_000 | rm, 0, 0] as const),
    );
    expect(
      read.map(({ usesStack }) => usesStack),
      "[BP+SI], [BP+DI] and [BP]",
    ).toEqual([false, false, true, true, false, false, true, false]);
  });

  it("wraps the offset at the address size", async ({ subject }) => {
    const form = { base: EBX, index: ESI, scale: 0, displacement: 5, usesStack: false };
    const registers = { [EBX]: 0xffff, [ESI]: 0x1234_0003 };
    const offset = await subject.call("effectiveAddress", registers, form, 0xffff);
    expect(offset, "0xffff + 3 + 5, cut to 16 bits; the upper half of ESI does not count").toBe(7);
  });

  it("scales the index and adds all three", async ({ subject }) => {
    const form = { base: EAX, index: ECX, scale: 3, displacement: -1, usesStack: false };
    const offset = await subject.call("effectiveAddress", { [EAX]: 0x1000, [ECX]: 5 }, form, -1);
    expect(offset, "0x1000 + 5 × 8 − 1").toBe(0x1027);
  });

  it("loads through [BX+SI+disp8] on the processor", async ({ subject, show }) => {
    const code = [0x8a, 0x40, 0xff]; // mov al, [bx+si-1]
    const memory = [{ address: 0x9004, bytes: [0xa7] }];
    const regs = { rbx: 0x9000n, rsi: 5n };
    const run = await subject.call("execute", { code, instructions: 1, regs, memory });
    show({ ...run, code: { bytes: Uint8Array.from(code), address: 0x7c00, rip: run.after.rip, bits: 16 } });
    expect(run.after.rax, "BX + SI − 1 is 0x9004").toBe(0xa7n);
    expect(run.after.rip, "opcode, ModRM and one byte of displacement").toBe(0x7c03n);
  });

  it("reads through another segment on the processor", async ({ subject, show }) => {
    const code = [0x26, 0xa0, 0x00, 0x90]; // es mov al, [0x9000]
    const memory = [{ address: 0x9000, bytes: [0x5a] }];
    const run = await subject.call("execute", { code, instructions: 1, ds: 0x100, memory });
    show({ ...run, code: { bytes: Uint8Array.from(code), address: 0x7c00, rip: run.after.rip, bits: 16 } });
    expect(run.after.rax, "DS begins elsewhere, ES at 0: the prefix decides").toBe(0x5an);
  });

  it("reads one byte by two names on the processor", async ({ subject, show }) => {
    const code = [0x8e, 0xd8, 0x8a, 0x1e, 0x34, 0x00]; // mov ds, ax · mov bl, [0x34]
    const memory = [{ address: 0x9034, bytes: [0x77] }];
    const run = await subject.call("execute", { code, instructions: 2, regs: { rax: 0x0900n }, memory });
    show({ ...run, code: { bytes: Uint8Array.from(code), address: 0x7c00, rip: run.after.rip, bits: 16 } });
    expect(run.after.rbx, "0900:0034 is linear 0x9034").toBe(0x77n);
  });

  it("raises #GP for a word at offset 0xffff on the processor", async ({ subject, show }) => {
    const code = [0xa1, 0xff, 0xff, 0xf4]; // mov ax, [0xffff] · hlt
    const handler = [0xb3, 0x0d, 0xf4]; // mov bl, 13 · hlt
    const memory = [
      { address: 13 * 4, bytes: [0x00, 0x91, 0, 0] },
      { address: 0x9100, bytes: handler },
    ];
    const regs = { rsp: 0x7c00n };
    const run = await subject.call("execute", { code, instructions: 10, regs, memory });
    show({ ...run, code: { bytes: Uint8Array.from(code), address: 0x7c00, rip: run.after.rip, bits: 16 } });
    expect(run.after.rbx, "the handler of vector 13 ran").toBe(13n);
  });
});

describe("modrm-32", () => {
  it("takes any register but two for the base", async ({ subject }) => {
    const registers = [EAX, ECX, EDX, EBX, undefined, EBP, ESI, EDI];
    const read = await subject.call(
      "addresses",
      32,
      registers.map((_, rm) => [0b01_000_000 | rm, 0x24, 0x10] as const),
    );
    for (const [rm, base] of registers.entries()) {
      if (base === undefined) continue;
      expect(read[rm], `mod 1, rm ${rm} is [${NAMES[base]}+disp8]`).toMatchObject({
        base,
        index: ZERO,
        displacement: 0x24,
        usesStack: base === EBP,
        taken: 1,
      });
    }
  });

  it("reads an address without registers for mod 0, rm 5", async ({ subject }) => {
    const [direct] = await subject.call("addresses", 32, [[0b00_000_101, 0x78, 0x56, 0x34, 0x12]]);
    expect(direct, "[disp32]").toMatchObject({
      base: ZERO,
      index: ZERO,
      displacement: 0x1234_5678,
      usesStack: false,
      taken: 4,
    });
  });

  it("reads a SIB byte where rm is 4", async ({ subject }) => {
    const [scaled] = await subject.call("addresses", 32, [[0b01_000_100, 0b10_110_011, 0xf8]]);
    expect(scaled, "SIB 10 110 011 is [EBX + ESI*4], and the displacement comes after it").toMatchObject({
      base: EBX,
      index: ESI,
      scale: 2,
      displacement: -8,
      usesStack: false,
      taken: 2,
    });
  });

  it("knows no index 4", async ({ subject }) => {
    const [stack] = await subject.call("addresses", 32, [[0b00_000_100, 0b00_100_100]]);
    expect(stack, "SIB 00 100 100 is [ESP]: ESP can be no index, so index 4 means none").toMatchObject({
      base: ESP,
      index: ZERO,
      displacement: NO_DISPLACEMENT,
      usesStack: true,
      taken: 1,
    });
  });

  it("has no base for mod 0, base 5 of the SIB", async ({ subject }) => {
    const read = await subject.call("addresses", 32, [
      [0b00_000_100, 0b11_000_101, 0, 0, 1, 0],
      [0b01_000_100, 0b11_000_101, 4],
    ]);
    expect(read[0], "[EAX*8 + disp32]: how a compiler indexes a table").toMatchObject({
      base: ZERO,
      index: EAX,
      scale: 3,
      displacement: 0x1_0000,
      usesStack: false,
      taken: 5,
    });
    expect(read[1], "with mod 1 the base is EBP after all").toMatchObject({
      base: EBP,
      index: EAX,
      displacement: 4,
      usesStack: true,
      taken: 2,
    });
  });

  it("multiplies by five with LEA on the processor", async ({ subject, show }) => {
    const code = [0x66, 0x67, 0x8d, 0x04, 0x80]; // lea eax, [eax + eax*4]
    const run = await subject.call("execute", { code, instructions: 1, regs: { rax: 0x1_0001n } });
    show({ ...run, code: { bytes: Uint8Array.from(code), address: 0x7c00, rip: run.after.rip, bits: 16 } });
    expect(run.after.rax, "an address that nobody reads is a sum").toBe(0x5_0005n);
  });
});
