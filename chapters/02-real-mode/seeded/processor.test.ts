/** Random operands, prefixes, addresses and string instructions, compared with the reference's processor. */
import type { Random } from "../../tools/random.ts";
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject, StringCase } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "seeded");

const number = (random: Random): number => random.below(2 ** 32) | 0;
/** Of the carries only these are kept: out of bits 3, 6, 7, 14, 15, 30 and 31. */
const KEPT = (1 << 3) | (1 << 6) | (1 << 7) | (1 << 14) | (1 << 15) | (1 << 30) | (1 << 31);
const STATUS = 0b1000_1101_0101;

// As in registers.ts: the general registers, and the base or index that is none.
const GENERAL = [0, 2, 4, 6, 8, 10, 12, 14];
const [EAX, ESI, EDI] = [0, 12, 14] as const;

describe("keep-flags", () => {
  it("keeps any result of any size", async ({ subject, reference, random }) => {
    const cases = random.list(60, (): [8 | 16 | 32, number, number] => {
      return [random.pick([8, 16, 32] as const), number(random), number(random) & KEPT];
    });
    expect(await subject.call("keepFlags", cases)).toEqual(await reference.call("keepFlags", cases));
  });
});

describe("read-flags", () => {
  it("reads the flags of any result", async ({ subject, reference, random }) => {
    const kept = (1 << 31) | (1 << 30) | (1 << 3);
    const cases = random.list(60, (): [number, number] => [number(random), number(random) & kept]);
    expect(await subject.call("readFlags", cases)).toEqual(await reference.call("readFlags", cases));
  });
});

describe("arithmetic", () => {
  it("carries and borrows between any two numbers", async ({ subject, reference, random }) => {
    const cases = random.list(80, (): ["add" | "subtract", number, number] => {
      return [random.pick(["add", "subtract"] as const), number(random), number(random)];
    });
    const kept = (carries: readonly number[]) => carries.map(value => value & KEPT);
    expect(kept(await subject.call("carries", cases))).toEqual(kept(await reference.call("carries", cases)));
  });
});

describe("conditions", () => {
  it("decides under any flags", async ({ subject, reference, random }) => {
    const flags = random.list(60, () => random.below(0x1000) & STATUS);
    expect(await subject.call("conditions", flags)).toEqual(await reference.call("conditions", flags));
  });
});

describe("prefixes", () => {
  it("reads any prefixes in any order", async ({ subject, reference, random }) => {
    const prefixes = [0xf0, 0xf2, 0xf3, 0x66, 0x67, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
    const instructions = random.list(40, () => [
      ...random.list(random.below(6), () => random.pick(prefixes)),
      random.pick([0x90, 0x0f, 0xa4, 0x8b, 0xcd]),
    ]);
    expect(await subject.call("prefixes", instructions)).toEqual(
      await reference.call("prefixes", instructions),
    );
  });
});

describe("real-mode", () => {
  it("puts any segment to its place", async ({ subject, reference, random }) => {
    const selectors = random.list(20, () => random.below(0x1_0000));
    const before = { limit: random.below(2 ** 32), rights: random.below(16) };
    expect(await subject.call("loadSegments", selectors, before)).toEqual(
      await reference.call("loadSegments", selectors, before),
    );
  });
});

describe("limits", () => {
  it("ends any segment where it ends", async ({ subject, reference, random }) => {
    for (const rights of random.list(12, () => random.below(16))) {
      const limit = random.oneIn(4) ? 0xffff_ffff : random.below(random.pick([0x100, 0x1_0000, 2 ** 32]));
      const accesses = random.list(30, (): [number, number, boolean] => {
        const near = (limit + random.between(-6, 6)) >>> 0;
        const offset = random.oneIn(3) ? random.below(2 ** 32) : near;
        const size = random.pick([1, 2, 4]);
        // Whether one that goes on at 0 behind 4 GiB faults is left to the processor (SDM vol. 3A, 5.3).
        return [Math.min(offset, 2 ** 32 - size), size, random.oneIn(2)];
      });
      const state = { limit, rights };
      expect(await subject.call("allows", state, accesses)).toEqual(
        await reference.call("allows", state, accesses),
      );
    }
  });
});

for (const size of [16, 32] as const) {
  describe(`modrm-${size}`, () => {
    it("finds any operand in memory", async ({ subject, reference, random }) => {
      const operands = random.list(30, (): [number, ...number[]] => {
        return [(random.below(3) << 6) | random.below(64), ...random.bytes(6)];
      });
      const registers = Object.fromEntries(GENERAL.map(index => [index, random.below(2 ** 32)]));
      const theirs = await subject.call("addresses", size, operands);
      const ours = await reference.call("addresses", size, operands);
      const rest = (forms: typeof ours) => forms.map(({ taken, usesStack }) => ({ taken, usesStack }));
      expect(rest(theirs)).toEqual(rest(ours));
      const mask = size === 16 ? 0xffff : -1;
      for (const [at, form] of ours.entries()) {
        // One address may have several forms; where it leads is what counts.
        expect(await reference.call("effectiveAddress", registers, theirs[at]!, mask)).toBe(
          await reference.call("effectiveAddress", registers, form, mask),
        );
      }
    });
  });
}

describe("strings", () => {
  it("moves, stores, loads and compares anything, up and down", async ({ subject, reference, random }) => {
    const cases = random.list(40, (): StringCase => {
      const from = random.below(0x8000);
      const to = 0x8000 + random.below(0x7000);
      const bytes = random.bytes(4);
      const same = random.oneIn(2);
      return {
        instruction: random.pick(["movs", "stos", "lods", "cmps", "scas"] as const),
        size: random.pick([1, 2, 4] as const),
        addressMask: random.pick([0xffff, -1]),
        registers: { [EAX]: random.below(2 ** 32), [ESI]: from, [EDI]: to },
        down: random.oneIn(2),
        memory: Object.fromEntries(
          bytes.flatMap((byte, at) => [
            [from + at, byte],
            [to + at, same ? byte : random.below(0x100)],
          ]),
        ),
      };
    });
    expect(await subject.call("strings", cases)).toEqual(await reference.call("strings", cases));
  });
});

describe("repeat", () => {
  it("counts down from any number", async ({ subject, reference, random }) => {
    const cases = random.list(30, (): [number, number, number] => {
      return [random.below(2 ** 32), random.pick([0xffff, -1]), random.below(0x100)];
    });
    expect(await subject.call("repetitions", cases)).toEqual(await reference.call("repetitions", cases));
  });
});
