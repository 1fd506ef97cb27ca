/** Random operations on guest memory and the bus, compared with the reference's answers. */
import type { Random } from "../../tools/random.ts";
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { BusAccess, subject as chapterSubject, MemoryOperation, Result } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "seeded");

const PAGE = 0x1000;
const RAM = 16 * PAGE;
const SIZES = [1, 2, 4] as const;

/** Three slots: two that touch, one apart; between and behind them there is nothing. */
const SLOTS: MemoryOperation[] = [
  { do: "map", slot: 0, at: 0, size: 2 * PAGE, hostOffset: 4 * PAGE },
  { do: "map", slot: 1, at: 2 * PAGE, size: 2 * PAGE },
  { do: "map", slot: 2, at: 8 * PAGE, size: PAGE, hostOffset: 8 * PAGE },
];

/** An address near a border of a slot. */
const nearBorder = (random: Random) =>
  Math.max(0, random.pick([0, 2, 4, 8, 9]) * PAGE + random.between(-8, 8));

/** The words of an error are the learner's own. */
const outcomes = (results: readonly Result[]) =>
  results.map(result => ("error" in result ? "refused" : result.value));

describe("map-slots", () => {
  it("maps, replaces and removes slots in any order", async ({ subject, reference, random }) => {
    const operations = random
      .list(40, (): MemoryOperation => {
        const slot = random.below(6);
        if (random.oneIn(4)) return { do: "unmap", slot };
        const pages = random.between(0, 4);
        const hostOffset = random.below(16) * PAGE;
        return { do: "map", slot, at: random.below(24) * PAGE, size: pages * PAGE, hostOffset };
      })
      .flatMap((operation): MemoryOperation[] => [operation, { do: "slots" }]);
    const { results } = await subject.call("memory", RAM, operations);
    const expected = await reference.call("memory", RAM, operations);
    expect(outcomes(results)).toEqual(outcomes(expected.results));
  });
});

describe("translate", () => {
  it("finds bytes near the borders of slots, and refuses the others", async ({
    subject,
    reference,
    random,
  }) => {
    const operations = [
      ...SLOTS,
      ...random.list(60, (): MemoryOperation => ({ do: "translate", at: nearBorder(random) })),
    ];
    const { results } = await subject.call("memory", RAM, operations);
    const expected = await reference.call("memory", RAM, operations);
    expect(outcomes(results)).toEqual(outcomes(expected.results));
  });
});

describe("read-write", () => {
  it("reads back what was written, of any size, near any border", async ({ subject, reference, random }) => {
    const operations = [
      ...SLOTS,
      ...random.list(80, (): MemoryOperation => {
        const [at, size] = [nearBorder(random), random.pick(SIZES)];
        if (random.oneIn(2)) return { do: "read", at, size };
        return { do: "write", at, size, value: random.below(2 ** (8 * size)) };
      }),
    ];
    const { results, written } = await subject.call("memory", RAM, operations);
    const expected = await reference.call("memory", RAM, operations);
    expect(outcomes(results)).toEqual(outcomes(expected.results));
    expect(written, "and tells what was written").toEqual(expected.written);
  });
});

describe("pieces", () => {
  it("copies and fills across borders", async ({ subject, reference, random }) => {
    const operations = [
      ...SLOTS,
      ...random.list(30, (): MemoryOperation => {
        const [at, length] = [nearBorder(random), random.between(1, 24)];
        if (random.oneIn(3)) return { do: "readBytes", at, length };
        if (random.oneIn(2)) return { do: "writeBytes", at, bytes: random.bytes(length) };
        return { do: "fill", at, length, value: random.below(0x100) };
      }),
      { do: "readBytes", at: 2 * PAGE - 16, length: 32 } as const,
    ];
    const { results } = await subject.call("memory", RAM, operations);
    const expected = await reference.call("memory", RAM, operations);
    expect(outcomes(results)).toEqual(outcomes(expected.results));
  });
});

describe("dispatch", () => {
  it("asks the device whose range it is, by its own offset", async ({ subject, reference, random }) => {
    const devices = random.list(
      4,
      (): BusAccess => ({
        do: "register",
        name: `device ${random.below(1000)}`,
        start: random.below(16) * 8,
        length: random.between(1, 8),
        answer: random.below(0x100),
      }),
    );
    const accesses = random.list(60, (): BusAccess => {
      const [at, size] = [random.below(140), random.pick(SIZES)];
      return random.oneIn(2)
        ? { do: "read", at, size }
        : { do: "write", at, size, value: random.below(0x100) };
    });
    const got = await subject.call("bus", [...devices, ...accesses]);
    const expected = await reference.call("bus", [...devices, ...accesses]);
    expect(outcomes(got.results)).toEqual(outcomes(expected.results));
    expect(got.seen).toEqual(expected.seen);
  });
});
