import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import { GUESTS } from "./guests.ts";
import type { subject as chapterSubject, StringCase } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

// As in registers.ts.
const [EAX, ESI, EDI] = [0, 12, 14] as const;
const [ES, DS] = [0, 6] as const;
const WORD = 0xffff;
const DOUBLEWORD = -1;
const [CF, ZF] = [1, 1 << 6];

const BASE: StringCase = {
  instruction: "movs",
  size: 1,
  addressMask: WORD,
  registers: { [ESI]: 0x100, [EDI]: 0x200 },
  memory: {},
};

describe("strings", () => {
  it("MOVS copies an item and moves both pointers on", async ({ subject }) => {
    const memory = { 256: 0x11, 257: 0x22, 258: 0x33, 259: 0x44 };
    for (const [size, value] of [
      [1, 0x11],
      [2, 0x2211],
      [4, 0x4433_2211],
    ] as const) {
      const [result] = await subject.call("strings", [{ ...BASE, size, memory }]);
      expect(result!.accesses, `MOVS of ${size}: from DS:SI to ES:DI, read before write`).toEqual([
        ["read", DS, 0x100],
        ["write", ES, 0x200, value],
      ]);
      expect(result!.registers, `both pointers move on by ${size}`).toEqual({
        [ESI]: 0x100 + size,
        [EDI]: 0x200 + size,
      });
    }
  });

  it("STOS stores the accumulator and leaves SI", async ({ subject }) => {
    const registers = { [EAX]: 0x1234_5678, [ESI]: 0x100, [EDI]: 0x200 };
    for (const [size, value] of [
      [1, 0x78],
      [2, 0x5678],
      [4, 0x1234_5678],
    ] as const) {
      const [result] = await subject.call("strings", [{ ...BASE, instruction: "stos", size, registers }]);
      expect(result!.accesses, `STOS of ${size}`).toEqual([["write", ES, 0x200, value]]);
      expect(result!.registers).toEqual({ ...registers, [EDI]: 0x200 + size });
    }
  });

  it("CMPS sets the flags of source less destination", async ({ subject }) => {
    const compare = (a: number, b: number): StringCase => ({
      ...BASE,
      instruction: "cmps",
      memory: { 256: a, 512: b },
    });
    const [less, equal, more] = await subject.call("strings", [compare(1, 2), compare(7, 7), compare(2, 1)]);
    const flags = [less, equal, more].map(result => result!.flags & (CF | ZF));
    expect(flags, "the item at DS:SI less the one at ES:DI: CF if it is below, ZF if they are equal").toEqual(
      [CF, ZF, 0],
    );
    expect(less!.accesses, "nothing is written").toEqual([
      ["read", DS, 0x100],
      ["read", ES, 0x200],
    ]);
    expect(less!.registers).toEqual({ [ESI]: 0x101, [EDI]: 0x201 });
  });

  it("goes down with DF set, by the size of the item", async ({ subject }) => {
    for (const size of [1, 2, 4] as const) {
      const [result] = await subject.call("strings", [{ ...BASE, size, down: true }]);
      expect(result!.registers, `DF is set, the items have ${size} bytes`).toEqual({
        [ESI]: 0x100 - size,
        [EDI]: 0x200 - size,
      });
    }
  });

  it("wraps 16-bit pointers and keeps the upper halves", async ({ subject }) => {
    const registers = { [ESI]: 0xaaaa_ffff, [EDI]: 0xbbbb_0000 };
    const [up, down] = await subject.call("strings", [
      { ...BASE, registers },
      { ...BASE, registers, down: true },
    ]);
    expect(up!.registers, "SI and DI alone move: 16-bit addresses").toEqual({
      [ESI]: 0xaaaa_0000,
      [EDI]: 0xbbbb_0001,
    });
    expect(down!.registers).toEqual({ [ESI]: 0xaaaa_fffe, [EDI]: 0xbbbb_ffff });
    expect(up!.accesses, "and only they are the offsets").toEqual([
      ["read", DS, 0xffff],
      ["write", ES, 0, 0],
    ]);
  });

  it("uses whole registers with 32-bit addresses", async ({ subject }) => {
    const registers = { [ESI]: 0xffff, [EDI]: 0x1_0000 };
    const [result] = await subject.call("strings", [{ ...BASE, addressMask: DOUBLEWORD, registers }]);
    expect(result!.registers).toEqual({ [ESI]: 0x1_0000, [EDI]: 0x1_0001 });
  });
});

describe("repeat", () => {
  it("counts in CX with 16-bit addresses, in ECX with 32-bit ones", async ({ subject }) => {
    const counted = await subject.call("repetitions", [
      [0x0001_0003, WORD, 1],
      [0x0001_0003, DOUBLEWORD, 1],
      [0x8000_0000, DOUBLEWORD, 0x8000_0000],
    ]);
    expect(counted, "the address size chooses the counter; the upper half of ECX is not CX's").toEqual([
      { left: 3, ecx: 0x0001_0002 },
      { left: 0x0001_0003, ecx: 0x0001_0002 },
      { left: 0x8000_0000, ecx: 0 },
    ]);
  });

  it("fills, and stops with CX at 0, on the processor", async ({ subject, show }) => {
    const code = [0xf3, 0xaa, 0xf4]; // rep stosb · hlt
    const regs = { rax: 0xeen, rcx: 0xabcd_0005n, rdi: 0x9002n };
    const run = await subject.call("execute", { code, instructions: 20, regs });
    const bytes = Uint8Array.from(code);
    show({ ...run, code: { bytes, address: 0x7c00, rip: run.after.rip, bits: 16 } });
    expect([...run.memory.bytes.subarray(0, 8)], "five bytes from 0x9002 on").toEqual([
      0, 0, 0xee, 0xee, 0xee, 0xee, 0xee, 0,
    ]);
    expect(run.after.rcx).toBe(0xabcd_0000n);
  });

  for (const guest of GUESTS) {
    it(`boots “${guest.name}”`, async ({ subject, show }) => {
      const run = await subject.call("guest", guest.image);
      const code = { bytes: guest.image, address: 0x7c00, rip: run.after.rip, bits: 16 } as const;
      show({ before: run.before, after: run.after, code });
      const expected = guest.output.split("\n");
      const printed = run.output.split("\n");
      expect(printed.slice(0, expected.length), "what it prints, line by line").toEqual(expected);
      expect(printed, "it prints nothing more").toHaveLength(expected.length);
      expect(run.last, "how it ends").toBe("HLT");
    });
  }
});
