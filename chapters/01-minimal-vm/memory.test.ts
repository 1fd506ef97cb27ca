import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject, MemoryOperation } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const PAGE = 0x1000;

/** RAM of 16 pages: four at 0, the next four right behind them, and four at 0x0010_0000. */
const ADJACENT_SLOTS: MemoryOperation[] = [
  { do: "map", slot: 0, at: 0, size: 4 * PAGE },
  { do: "map", slot: 1, at: 4 * PAGE, size: 4 * PAGE, hostOffset: 8 * PAGE },
  { do: "map", slot: 2, at: 0x10_0000, size: 4 * PAGE, hostOffset: 4 * PAGE },
];
const RAM = 16 * PAGE;

describe("map-slots", () => {
  it("accepts slots that only touch", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "map", slot: 3, at: 0x10_0000 - 4 * PAGE, size: 4 * PAGE, hostOffset: 12 * PAGE },
      { do: "slots" },
    ]);
    expect(results.at(-1), "two slots may lie side by side: where one ends the next may begin").toEqual({
      value: [
        { slot: 0, guestAddress: 0, size: 4 * PAGE },
        { slot: 1, guestAddress: 4 * PAGE, size: 4 * PAGE },
        { slot: 3, guestAddress: 0x10_0000 - 4 * PAGE, size: 4 * PAGE },
        { slot: 2, guestAddress: 0x10_0000, size: 4 * PAGE },
      ],
    });
  });

  it("refuses a slot that overlaps another, from either side, inside or around", async ({ subject }) => {
    const overlapping: [at: number, pages: number][] = [
      [1 * PAGE, 2],
      [5 * PAGE, 2],
      [3 * PAGE, 1],
      [0, 8],
      [2 * PAGE, 4],
    ];
    for (const [at, pages] of overlapping) {
      const { results } = await subject.call("memory", RAM, [
        { do: "map", slot: 0, at: 2 * PAGE, size: 4 * PAGE },
        { do: "map", slot: 7, at, size: pages * PAGE },
        { do: "slots" },
      ]);
      const shape = `${pages} pages from page ${at / PAGE} on overlap the pages 2 to 5 of slot 0`;
      expect(results[1], `${shape}: no byte may belong to two slots`).toHaveProperty("error");
      expect(results[2], "a refused slot changes nothing").toEqual({
        value: [{ slot: 0, guestAddress: 2 * PAGE, size: 4 * PAGE }],
      });
    }
  });

  it("lets a slot replace itself in place", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      { do: "map", slot: 0, at: 0, size: 4 * PAGE },
      { do: "map", slot: 0, at: 0, size: 4 * PAGE, readOnly: true },
      { do: "map", slot: 0, at: 2 * PAGE, size: 4 * PAGE },
      { do: "slots" },
    ]);
    expect(results.slice(1, 3), "a slot does not overlap with itself: it is being replaced").toEqual([
      { value: undefined },
      { value: undefined },
    ]);
    expect(results[3]).toEqual({ value: [{ slot: 0, guestAddress: 2 * PAGE, size: 4 * PAGE }] });
  });

  it("refuses what is not page aligned, empty, or larger than the RAM", async ({ subject }) => {
    const refused: [why: string, operation: MemoryOperation][] = [
      ["the address is no multiple of 4096", { do: "map", slot: 0, at: 0x800, size: PAGE }],
      ["the size is no multiple of 4096", { do: "map", slot: 0, at: 0, size: 100 }],
      ["the host offset is no multiple of 4096", { do: "map", slot: 0, at: 0, size: PAGE, hostOffset: 16 }],
      ["the address is negative", { do: "map", slot: 0, at: -PAGE, size: PAGE }],
      ["the slot is empty", { do: "map", slot: 0, at: 0, size: 0 }],
      ["the slot is larger than the RAM", { do: "map", slot: 0, at: 0, size: RAM + PAGE }],
      ["the slot ends past the RAM", { do: "map", slot: 0, at: 0, size: 2 * PAGE, hostOffset: RAM - PAGE }],
    ];
    for (const [why, operation] of refused) {
      const { results } = await subject.call("memory", RAM, [operation]);
      expect(results[0], `must be refused: ${why}`).toHaveProperty("error");
    }
    const { results } = await subject.call("memory", RAM, [{ do: "map", slot: 0, at: 0, size: RAM }]);
    expect(results[0], "a slot may use the RAM to its last byte").toEqual({ value: undefined });
  });
});

describe("translate", () => {
  it("adds the distance from the slot's start to the slot's place in RAM", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "translate", at: 0x123 },
      { do: "translate", at: 4 * PAGE },
      { do: "translate", at: 0x10_0000 + 0x2345 },
    ]);
    expect(results.slice(3), "offset = hostOffset + (address − guestAddress)").toEqual([
      { value: { offset: 0x123, available: 4 * PAGE - 0x123 } },
      { value: { offset: 8 * PAGE, available: 4 * PAGE } },
      { value: { offset: 4 * PAGE + 0x2345, available: 4 * PAGE - 0x2345 } },
    ]);
  });

  it("ends a slot after its last byte", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      { do: "map", slot: 0, at: PAGE, size: PAGE },
      { do: "translate", at: 2 * PAGE - 1 },
      { do: "translate", at: 2 * PAGE },
      { do: "translate", at: PAGE - 1 },
    ]);
    expect(results[1], "the last byte of a slot is inside").toEqual({
      value: { offset: PAGE - 1, available: 1 },
    });
    expect(results[2], "one past the end is outside: the end is exclusive").toHaveProperty("error");
    expect(results[3], "one before the start is outside").toHaveProperty("error");
  });

  it("names the address where there is no memory", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "translate", at: 0xfee0_0000 },
    ]);
    expect(results[3]).toMatchObject({ error: expect.stringContaining("0xfee0_0000") });
  });
});

describe("pieces", () => {
  it("copies over the border of two slots", async ({ subject }) => {
    const bytes = Array.from({ length: 2 * PAGE }, (_, at) => (at * 7) & 0xff);
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "writeBytes", at: 3 * PAGE, bytes },
      { do: "readBytes", at: 3 * PAGE, length: 2 * PAGE },
      { do: "ram", offset: 3 * PAGE, length: PAGE },
      { do: "ram", offset: 8 * PAGE, length: PAGE },
    ]);
    expect(results[4], "what was written is read back").toEqual({ value: bytes });
    expect(results[5], "the first page lies in slot 0").toEqual({ value: bytes.slice(0, PAGE) });
    expect(results[6], "the second page lies in slot 1").toEqual({ value: bytes.slice(PAGE) });
  });

  it("writes nothing unless everything fits", async ({ subject }) => {
    const { results, written } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "writeBytes", at: 8 * PAGE - 2, bytes: [1, 2, 3, 4] },
      { do: "ram", offset: 12 * PAGE - 2, length: 2 },
    ]);
    expect(results[3], "the last two bytes have no memory").toMatchObject({
      error: expect.stringContaining("0x0000_8000"),
    });
    expect(results[4], "and so the first two must not be written either").toEqual({ value: [0, 0] });
    expect(written).toEqual([]);
  });

  it("fills over the border of two slots", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "fill", at: 4 * PAGE - 2, length: 4, value: 0xa5 },
      { do: "readBytes", at: 4 * PAGE - 3, length: 6 },
    ]);
    expect(results[4]).toEqual({ value: [0, 0xa5, 0xa5, 0xa5, 0xa5, 0] });
  });

  it("says which image does not fit", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "load", name: "add.bin", at: 8 * PAGE - 1, bytes: [0x90, 0xf4] },
    ]);
    expect(results[3]).toMatchObject({ error: expect.stringMatching(/add\.bin.*0x0000_8000/) });
  });
});

describe("read-write", () => {
  it("reads and writes little endian", async ({ subject, show }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "write", at: 0x100, size: 4, value: 0x1234_5678 },
      { do: "ram", offset: 0x100, length: 4 },
      { do: "read", at: 0x100, size: 1 },
      { do: "read", at: 0x100, size: 2 },
      { do: "read", at: 0x101, size: 2 },
    ]);
    const bytes = results[4];
    if (bytes && "value" in bytes)
      show({ memory: { address: 0x100, bytes: Uint8Array.from(bytes.value as number[]) } });
    expect(bytes, "x86 stores the lowest byte first").toEqual({ value: [0x78, 0x56, 0x34, 0x12] });
    expect(results.slice(5)).toEqual([{ value: 0x78 }, { value: 0x5678 }, { value: 0x3456 }]);
  });

  it("returns unsigned numbers", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "write", at: 0x100, size: 4, value: 0xffff_fffe },
      { do: "read", at: 0x100, size: 4 },
      { do: "read", at: 0x100, size: 2 },
      { do: "read", at: 0x100, size: 1 },
    ]);
    expect(results.slice(4), "no sign: 0xffff_fffe, not −2").toEqual([
      { value: 0xffff_fffe },
      { value: 0xfffe },
      { value: 0xfe },
    ]);
  });

  it("writes no byte more than asked", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "fill", at: 0x100, length: 8, value: 0xee },
      { do: "write", at: 0x102, size: 1, value: 0x1_11 },
      { do: "write", at: 0x104, size: 2, value: 0xabcd_2233 },
      { do: "ram", offset: 0x100, length: 8 },
    ]);
    expect(results.at(-1)).toEqual({ value: [0xee, 0xee, 0x11, 0xee, 0x33, 0x22, 0xee, 0xee] });
  });

  it("crosses from one slot into the next", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "write", at: 4 * PAGE - 1, size: 4, value: 0x4433_2211 },
      { do: "ram", offset: 4 * PAGE - 1, length: 1 },
      { do: "ram", offset: 8 * PAGE, length: 3 },
      { do: "read", at: 4 * PAGE - 1, size: 4 },
      { do: "read", at: 4 * PAGE - 1, size: 2 },
    ]);
    expect(results.slice(4), "slots that touch in the guest may lie apart in RAM").toEqual([
      { value: [0x11] },
      { value: [0x22, 0x33, 0x44] },
      { value: 0x4433_2211 },
      { value: 0x2211 },
    ]);
  });

  it("tells the VM what it wrote", async ({ subject }) => {
    const { written } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "write", at: 0x200, size: 2, value: 1 },
    ]);
    expect(written, "the engine must hear of it: the bytes may be code that it has decoded").toEqual([
      [0x200, 2],
    ]);
  });

  it("moves 64-bit numbers, also over the border", async ({ subject }) => {
    const { results } = await subject.call("memory", RAM, [
      ...ADJACENT_SLOTS,
      { do: "write64", at: 4 * PAGE - 4, value: 0x1122_3344_5566_7788n },
      { do: "read64", at: 4 * PAGE - 4 },
      { do: "ram", offset: 8 * PAGE, length: 4 },
    ]);
    expect(results[4]).toEqual({ value: 0x1122_3344_5566_7788n });
    expect(results[5]).toEqual({ value: [0x44, 0x33, 0x22, 0x11] });
  });
});
