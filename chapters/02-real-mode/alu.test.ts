import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const CF = 1 << 0;
const PF = 1 << 2;
const AF = 1 << 4;
const ZF = 1 << 6;
const SF = 1 << 7;
const OF = 1 << 11;

const CARRY = 1 << 31;
const CARRY_INTO_SIGN = 1 << 30;
const HALF_CARRY = 1 << 3;

const NAMES = [
  ["O", OF],
  ["S", SF],
  ["Z", ZF],
  ["A", AF],
  ["P", PF],
  ["C", CF],
] as const;
const letters = (flags: number) => NAMES.map(([name, bit]) => (flags & bit ? name : ".")).join("");
const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;

describe("keep-flags", () => {
  it("keeps the result sign-extended from its size", async ({ subject }) => {
    const kept = await subject.call("keepFlags", [
      [8, 0x80, 0],
      [8, 0x1_00, 0],
      [16, 0x1234_8000, 0],
      [32, -5, 0],
    ]);
    expect(
      kept.map(({ result }) => result),
      "then 0 means ZF and a negative number means SF, whatever the size was",
    ).toEqual([-128, 0, -32_768, -5]);
  });

  it("moves the topmost carry to bit 31, whatever the size", async ({ subject }) => {
    const kept = await subject.call("keepFlags", [
      [8, 0, 1 << 7],
      [8, 0, 1 << 6],
      [16, 0, 1 << 15],
      [16, 0, 1 << 14],
      [32, 0, CARRY | CARRY_INTO_SIGN],
    ]);
    expect(
      kept.map(({ carries }) => carries),
      "the carry out of bit 7 of a byte is CF, and CF is kept in bit 31; its neighbour goes to bit 30",
    ).toEqual([CARRY, CARRY_INTO_SIGN, CARRY, CARRY_INTO_SIGN, CARRY | CARRY_INTO_SIGN]);
  });

  it("keeps the carry out of bit 3 where it is, and no other", async ({ subject }) => {
    const kept = await subject.call("keepFlags", [
      [8, 0, HALF_CARRY],
      [32, 0, HALF_CARRY],
      [8, 0, 0x3f & ~HALF_CARRY],
      [32, 0, 0x3fff_fff7],
    ]);
    expect(
      kept.map(({ carries }) => carries),
      "AF is the carry out of bit 3, for every size; bits 0 and 8 to 15 would be corrections of SF and PF",
    ).toEqual([HALF_CARRY, HALF_CARRY, 0, 0]);
  });

  it("clears CF, OF and AF after a logical operation", async ({ subject }) => {
    const kept = await subject.call("keepFlags", [
      [8, 0xff],
      [16, 0x1_0000],
      [32, CARRY],
    ]);
    expect(kept, "AND, OR and XOR have no carries").toEqual([
      { result: -1, carries: 0 },
      { result: 0, carries: 0 },
      { result: CARRY, carries: 0 },
    ]);
  });
});

describe("read-flags", () => {
  it("takes the sign from the result", async ({ subject }) => {
    const read = await subject.call("readFlags", [
      [-1, 0],
      [1, 0],
      [CARRY, CARRY],
      [0, 0],
    ]);
    expect(read.map(({ sign }) => sign)).toEqual([true, false, true, false]);
  });

  it("lets bit 0 of the carries turn the sign over", async ({ subject }) => {
    const read = await subject.call("readFlags", [
      [0, 1],
      [-1, 1],
    ]);
    expect(
      read.map(({ sign }) => sign),
      "POPF can set ZF and SF together, which no result has: the correction makes it so",
    ).toEqual([true, false]);
  });

  it("overflows where the two topmost carries differ", async ({ subject }) => {
    const read = await subject.call("readFlags", [
      [0, 0],
      [0, CARRY],
      [0, CARRY_INTO_SIGN],
      [0, CARRY | CARRY_INTO_SIGN],
    ]);
    expect(
      read.map(({ overflow }) => overflow),
      "OF compares the carry out of the sign with the carry into it: 0 and 0, 1 and 0, 0 and 1, 1 and 1",
    ).toEqual([false, true, true, false]);
  });

  it("takes the parity of the low byte only", async ({ subject }) => {
    const results = [0x00, 0x01, 0x03, 0x07, 0x80, 0xff, 0x1_00, 0x1_01, 0x0101_0103, -1, -2];
    const read = await subject.call(
      "readFlags",
      results.map(result => [result, 0] as const),
    );
    const even = (value: number) =>
      [...(value & 0xff).toString(2)].filter(bit => bit === "1").length % 2 === 0;
    for (const [at, result] of results.entries()) {
      expect(read[at]!.parity, `parity of ${hex(result)}: only the low byte counts`).toBe(even(result));
    }
  });

  it("lets bits 8 to 15 of the carries correct the parity", async ({ subject }) => {
    const read = await subject.call("readFlags", [
      [0, 0x0100],
      [1, 0x0100],
    ]);
    expect(
      read.map(({ parity }) => parity),
      "POPF can set ZF and clear PF",
    ).toEqual([false, true]);
  });
});

/** One operation on bytes as the manual says it: with numbers that are large enough to see what happened. */
function reference(a: number, b: number, carry: number, subtracts: boolean): number {
  const signed = (byte: number) => (byte << 24) >> 24;
  const exact = subtracts ? a - b - carry : a + b + carry;
  const signedExact = subtracts ? signed(a) - signed(b) - carry : signed(a) + signed(b) + carry;
  const nibble = subtracts ? (a & 15) - (b & 15) - carry : (a & 15) + (b & 15) + carry;
  const result = exact & 0xff;
  const ones = [...result.toString(2)].filter(bit => bit === "1").length;
  return (
    (result << 16) |
    (exact < 0 || exact > 0xff ? CF : 0) |
    (ones % 2 === 0 ? PF : 0) |
    (nibble < 0 || nibble > 15 ? AF : 0) |
    (result === 0 ? ZF : 0) |
    (result >= 0x80 ? SF : 0) |
    (signedExact < -128 || signedExact > 127 ? OF : 0)
  );
}

/** Compares all 65,536 pairs and shows the first that differs. */
function comparePairs(all: Uint32Array, name: string, expected: (a: number, b: number) => number): void {
  expect(all.length, "a result for each pair of bytes").toBe(0x1_0000);
  for (let pair = 0; pair < all.length; pair++) {
    const [a, b] = [pair >> 8, pair & 0xff];
    const right = expected(a, b);
    if (all[pair] === right) continue;
    const shown = (value: number) => `${hex(value >> 16)} ${letters(value)}`;
    expect(shown(all[pair]!), `${name} of ${hex(a)} and ${hex(b)}`).toBe(shown(right));
  }
}

describe("arithmetic", () => {
  it("finds the carry out of every bit position", async ({ subject }) => {
    const carries = await subject.call("carries", [
      ["add", 0b0110, 0b0011],
      ["add", 0xff, 0x01],
      ["add", -1, 1],
      ["subtract", 0b1000, 0b0001],
      ["subtract", 0, 1],
    ]);
    expect(
      carries.map(value => value | 0),
      "6 + 3 carries out of bits 1 and 2; 255 + 1 out of bits 0 to 7; 8 − 1 borrows out of bits 0 to 2",
    ).toEqual([0b0110, 0xff, -1, 0b0111, -1]);
  });

  it("adds all pairs of bytes as arithmetic says", async ({ subject }) => {
    const all = await subject.call("allBytes", "add", 0);
    comparePairs(all, "ADD", (a, b) => reference(a, b, 0, false));
    const withCarry = await subject.call("allBytes", "addWithCarry", CF);
    comparePairs(withCarry, "ADC with CF set", (a, b) => reference(a, b, 1, false));
  });

  it("subtracts all pairs of bytes as arithmetic says", async ({ subject }) => {
    const all = await subject.call("allBytes", "subtract", 0);
    comparePairs(all, "SUB", (a, b) => reference(a, b, 0, true));
    const withBorrow = await subject.call("allBytes", "subtractWithBorrow", CF);
    comparePairs(withBorrow, "SBB with CF set", (a, b) => reference(a, b, 1, true));
  });

  it("INC and DEC leave CF as it was", async ({ subject }) => {
    for (const carry of [0, CF]) {
      for (const operation of ["increment", "decrement"] as const) {
        const all = await subject.call("allBytes", operation, carry);
        for (const a of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
          const right = (reference(a, 1, 0, operation === "decrement") & ~CF) | carry;
          expect(
            letters(all[a << 8]!),
            `${operation} ${hex(a)}, CF ${carry} before: a loop counter must not disturb a carry chain`,
          ).toBe(letters(right));
        }
      }
    }
  });
});

const CONDITIONS: [name: string, holds: (flags: number) => boolean][] = [
  ["O", flags => (flags & OF) !== 0],
  ["B", flags => (flags & CF) !== 0],
  ["E", flags => (flags & ZF) !== 0],
  ["BE", flags => (flags & (CF | ZF)) !== 0],
  ["S", flags => (flags & SF) !== 0],
  ["P", flags => (flags & PF) !== 0],
  ["L", flags => ((flags & SF) !== 0) !== ((flags & OF) !== 0)],
  ["LE", flags => (flags & ZF) !== 0 || ((flags & SF) !== 0) !== ((flags & OF) !== 0)],
];

describe("conditions", () => {
  it("is what the manual's table says, for all flags", async ({ subject }) => {
    const all = Array.from({ length: 64 }, (_, bits) =>
      NAMES.reduce((flags, [, bit], at) => flags | ((bits >> at) & 1 ? bit : 0), 0),
    );
    const results = await subject.call("conditions", all);
    for (const [at, flags] of all.entries()) {
      for (const [half, [name, holds]] of CONDITIONS.entries()) {
        const where = `with flags ${letters(flags)}`;
        expect(results[at]![2 * half], `condition ${2 * half}, ${name}, ${where}`).toBe(holds(flags));
        expect(
          results[at]![2 * half + 1],
          `condition ${2 * half + 1}, N${name}: the opposite, ${where}`,
        ).toBe(!holds(flags));
      }
    }
  });

  it("compares signed and unsigned numbers", async ({ subject }) => {
    const pairs: [al: number, ah: number][] = [
      [1, 2],
      [0xff, 1],
      [0x80, 1],
      [0x7f, 0xff],
      [5, 5],
    ];
    const results = await subject.call(
      "conditions",
      pairs.map(([a, b]) => reference(a, b, 0, true) & 0xffff),
    );
    const signed = (byte: number) => (byte << 24) >> 24;
    for (const [at, [a, b]] of pairs.entries()) {
      const what = `after CMP ${hex(a)}, ${hex(b)}`;
      expect(results[at]![2], `B ${what}: ${a} < ${b}, as unsigned numbers`).toBe(a < b);
      expect(
        results[at]![12],
        `L ${what}: ${signed(a)} < ${signed(b)}, as signed numbers; after an overflow the sign is the wrong way round`,
      ).toBe(signed(a) < signed(b));
      expect(results[at]![6], `BE ${what}`).toBe(a <= b);
      expect(results[at]![14], `LE ${what}`).toBe(signed(a) <= signed(b));
    }
  });
});
