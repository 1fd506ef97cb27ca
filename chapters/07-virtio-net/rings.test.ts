import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import {
  type DescriptorFields,
  describeAt,
  INDIRECT,
  littleEndian,
  makeAvailable,
  NEXT,
  type Poke,
  type QueueOperation,
  WRITE,
} from "./operations.ts";
import type { ChainCase, subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

/** Where the subject has the rings of its queue, and how much memory there is. */
const [TABLE, AVAILABLE, USED, RAM] = [0x1000, 0x2000, 0x3000, 0x2_0000];
const BUFFER = 0x8000;
const INNER = 0x9000;

const [pop, publish, used, waiting]: QueueOperation[] = [
  { do: "pop" },
  { do: "publish" },
  { do: "used" },
  { do: "waiting" },
] as const as QueueOperation[];
const push = (written: number): QueueOperation => ({ do: "push", written });
const chain = (...descriptors: DescriptorFields[]): ChainCase => ({
  tables: [[TABLE, ...descriptors]],
  head: 0,
  entries: 8,
});

/** A VirtqueueError; in which words is up to who writes it. */
const REFUSED = { error: expect.any(String) };

describe("walk", () => {
  it("follows the chain from descriptor to descriptor", async ({ subject }) => {
    const [result] = await subject.call("chains", [
      {
        tables: [[TABLE, [BUFFER + 2, 3, 0], [0, 0, 0], [BUFFER, 2, NEXT, 0], [BUFFER + 9, 9, 0]]],
        head: 2,
        entries: 8,
      },
    ]);
    expect(result, "from 2 to 0, and no further").toEqual({
      head: 2,
      readable: [
        { address: BUFFER, length: 2 },
        { address: BUFFER + 2, length: 3 },
      ],
      writable: [],
      readableLength: 5,
      writableLength: 0,
    });
  });

  it("tells what is to be read from what is to be written", async ({ subject }) => {
    const [mixed, wrong] = await subject.call("chains", [
      chain([BUFFER, 4, NEXT, 1], [BUFFER + 4, 5, WRITE | NEXT, 2], [BUFFER + 9, 6, WRITE]),
      chain([BUFFER, 4, WRITE | NEXT, 1], [BUFFER + 4, 5, 0]),
    ]);
    expect(mixed, "WRITE is for the device to write").toMatchObject({
      readableLength: 4,
      writableLength: 11,
    });
    expect(wrong, "what is to be read comes first").toEqual(REFUSED);
  });

  it("refuses an index beyond the table", async ({ subject }) => {
    const [next, head] = await subject.call("chains", [
      chain([BUFFER, 4, NEXT, 8]),
      { tables: [[TABLE, [BUFFER, 4, 0]]], head: 8, entries: 8 },
    ]);
    for (const result of [next, head]) {
      expect(result, "a table of 8 ends at 7").toEqual(REFUSED);
    }
  });

  it("ends a chain that runs in a circle", async ({ subject }) => {
    const [one, two] = await subject.call("chains", [
      chain([BUFFER, 1, NEXT, 0]),
      chain([BUFFER, 1, NEXT, 1], [BUFFER, 1, NEXT, 0]),
    ]);
    for (const result of [one, two]) {
      expect(result).toEqual(REFUSED);
    }
  });

  it("refuses a buffer that is not all in RAM", async ({ subject }) => {
    const results = await subject.call("chains", [
      chain([RAM - 1, 2, 0]),
      chain([0xffff_ffff_ffff_f000n, 1, WRITE]),
      chain([BUFFER, 0xffff_ffff, WRITE]),
      chain([RAM - 2, 2, 0]),
    ]);
    for (const result of results.slice(0, 3)) {
      expect(result, "its last byte counts").toEqual(REFUSED);
    }
    expect(results[3], "up to the last byte of memory it is").toMatchObject({ readableLength: 2 });
  });

  it("leaves out empty pieces", async ({ subject }) => {
    const [result] = await subject.call("chains", [chain([0xffff_ffff, 0, NEXT, 1], [BUFFER, 4, WRITE])]);
    expect(result).toMatchObject({ readable: [], writable: [{ address: BUFFER, length: 4 }] });
  });
});

describe("indirect", () => {
  const indirect = (outer: DescriptorFields, ...inner: DescriptorFields[]): ChainCase => ({
    tables: [
      [TABLE, outer, [BUFFER, 1, 0]],
      [INNER, ...inner],
    ],
    head: 0,
    entries: 8,
    hasIndirectDescriptors: true,
  });

  it("goes on in the table that a descriptor names", async ({ subject }) => {
    const pair: DescriptorFields[] = [
      [BUFFER, 2, NEXT, 1],
      [BUFFER + 2, 3, WRITE],
    ];
    const [plain, flagged] = await subject.call("chains", [
      indirect([INNER, 32, INDIRECT], ...pair),
      indirect([INNER, 32, INDIRECT | WRITE], ...pair),
    ]);
    expect(plain).toMatchObject({ head: 0, readableLength: 2, writableLength: 3 });
    expect(flagged, "WRITE of the outer descriptor means nothing (2.7.5.3.2)").toEqual(plain);
  });

  it("ends with the table", async ({ subject }) => {
    const [result] = await subject.call("chains", [indirect([INNER, 16, INDIRECT], [BUFFER, 2, NEXT, 1])]);
    expect(result).toEqual(REFUSED);
  });

  it("refuses a table in a table", async ({ subject }) => {
    const [result] = await subject.call("chains", [
      indirect([INNER, 16, INDIRECT], [INNER + 0x100, 16, INDIRECT]),
    ]);
    expect(result, "one level and no more").toEqual(REFUSED);
  });

  it("refuses a table of a wild size or place, and one with a next", async ({ subject }) => {
    const results = await subject.call("chains", [
      indirect([INNER, 0, INDIRECT]),
      indirect([INNER, 24, INDIRECT]),
      indirect([RAM, 16, INDIRECT]),
      indirect([INNER, 16, INDIRECT | NEXT, 1], [BUFFER, 1, 0]),
    ]);
    expect(results).toEqual([REFUSED, REFUSED, REFUSED, REFUSED]);
  });

  it("refuses what was not negotiated", async ({ subject }) => {
    const [result] = await subject.call("chains", [
      { ...indirect([INNER, 16, INDIRECT], [BUFFER, 1, 0]), hasIndirectDescriptors: false },
    ]);
    expect(result).toEqual(REFUSED);
  });
});

/** Eight descriptors of one byte each, at BUFFER and on. */
const BYTES = describeAt(
  TABLE,
  ...Array.from({ length: 8 }, (_, at): DescriptorFields => [BUFFER + at, 1, 0]),
);
const offer = (heads: readonly number[], from = 0, size = 4) => makeAvailable(AVAILABLE, size, heads, from);

/** A queue of four entries, without notifications. */
const PLAIN = { size: 4, isPlain: true };

describe("available", () => {
  it("takes chains in the order of the ring", async ({ subject }) => {
    const results = await subject.call("queue", PLAIN, [
      BYTES,
      ...offer([3, 1, 2]),
      waiting,
      pop,
      pop,
      waiting,
      pop,
      pop,
    ]);
    const [three, first, second, one, third, none] = results.slice(5);
    expect([three, one]).toEqual([3, 1]);
    expect([first, second, third]).toMatchObject([{ head: 3 }, { head: 1 }, { head: 2 }]);
    expect(none, "nothing is left").toBeNull();
  });

  it("finds an entry at its count modulo the size", async ({ subject }) => {
    const heads: unknown[] = [];
    const operations: QueueOperation[] = [BYTES];
    for (let count = 0; count < 10; count++) operations.push(...offer([count % 4], count), pop);
    const results = await subject.call("queue", PLAIN, operations);
    for (const result of results) {
      if (result !== null && typeof result === "object" && "head" in result) heads.push(result.head);
    }
    expect(heads, "the ring has 4 places").toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1]);
  });

  it("counts modulo 65,536", async ({ subject }) => {
    const results = await subject.call("queue", PLAIN, [
      BYTES,
      { do: "take", count: 65_535 },
      { do: "poke", at: AVAILABLE + 2, bytes: [0, 0] },
      waiting,
      pop,
    ]);
    expect(results.slice(-2), "from 65,535 to 0 is one more").toMatchObject([1, { head: 0 }]);
  });

  it("refuses more than the ring has room for", async ({ subject }) => {
    for (const index of [5, 0xffff]) {
      const results = await subject.call("queue", PLAIN, [
        { do: "poke", at: AVAILABLE + 2, bytes: littleEndian(index, 2) },
        waiting,
        pop,
      ]);
      expect(results.slice(1)).toEqual([REFUSED, REFUSED]);
    }
  });
});

describe("used", () => {
  it("writes head and length where the driver looks", async ({ subject }) => {
    const results = await subject.call("queue", PLAIN, [
      BYTES,
      ...offer([3, 1]),
      pop,
      pop,
      push(100),
      push(200),
      used,
    ]);
    expect(results.at(-1), "the first entry is entry 0").toMatchObject({
      entries: [{ id: 3, length: 100 }, { id: 1, length: 200 }, {}, {}],
    });
  });

  it("tells of all that were returned, at once", async ({ subject }) => {
    const results = await subject.call("queue", PLAIN, [
      BYTES,
      ...offer([0, 1]),
      pop,
      pop,
      push(0),
      push(0),
      used,
      publish,
      used,
      publish,
    ]);
    const [before, wanted, after, again] = results.slice(-4);
    expect(before, "a written entry is not told yet").toMatchObject({ index: 0 });
    expect(after, "idx tells of both").toMatchObject({ index: 2 });
    expect([wanted, again], "an interrupt for what is new, and none for nothing").toEqual([true, false]);
  });

  it("goes around the ring", async ({ subject }) => {
    const rounds = Array.from({ length: 6 }, (_, at) => [...offer([at % 4], at), pop, push(at), publish]);
    const results = await subject.call("queue", PLAIN, [BYTES, ...rounds.flat(), used]);
    expect(results.at(-1)).toMatchObject({
      index: 6,
      entries: [{ length: 4 }, { length: 5 }, { length: 2 }, { length: 3 }],
    });
  });
});

describe("event-index", () => {
  const mark = (count: number, size = 4): Poke => {
    return { do: "poke", at: AVAILABLE + 4 + 2 * size, bytes: littleEndian(count, 2) };
  };
  const round = (count: number): QueueOperation[] => [...offer([0], count), pop, push(0), publish];

  it("knows whether an entry was passed", async ({ subject }) => {
    const results = await subject.call("hasPassed", [
      [63, 63, 64],
      [63, 56, 64],
      [63, 56, 63],
      [63, 64, 72],
      [0xffff, 0xfffe, 0],
      [0, 0xfffe, 0],
      [0, 0xfffe, 1],
      [5, 5, 5],
    ]);
    expect(results[0], "entry 63 was among those from 63 to 64").toBe(true);
    expect(results[2], "from 56 to 63 it was not: 63 is next").toBe(false);
    expect(results, "and so around the wrap").toEqual([true, true, false, false, true, false, true, false]);
  });

  it("does not interrupt a driver whose flag says no", async ({ subject }) => {
    const results = await subject.call("queue", { size: 4 }, [
      BYTES,
      { do: "poke", at: AVAILABLE, bytes: [1, 0] },
      ...round(0),
      { do: "poke", at: AVAILABLE, bytes: [0, 0] },
      ...round(1),
    ]);
    expect(results.filter(result => typeof result === "boolean")).toEqual([false, true]);
  });

  it("interrupts when the driver's mark is passed, and the flag does not count", async ({ subject }) => {
    const results = await subject.call("queue", { size: 4, hasEventIndex: true }, [
      BYTES,
      { do: "poke", at: AVAILABLE, bytes: [1, 0] },
      mark(2),
      ...[0, 1, 2, 3].flatMap(round),
    ]);
    expect(
      results.filter(result => typeof result === "boolean"),
      "the third entry is entry 2",
    ).toEqual([false, false, true, false]);
  });

  it("asks to be notified of the next chain", async ({ subject }) => {
    const results = await subject.call("queue", { size: 4, hasEventIndex: true }, [
      BYTES,
      ...offer([0, 1, 2]),
      pop,
      pop,
      pop,
      used,
      pop,
      used,
    ]);
    expect(results.at(-3), "there may be more, so it does not ask yet").toMatchObject({ availableEvent: 0 });
    expect(results.at(-1), "avail_event is the count of those taken").toMatchObject({ availableEvent: 3 });
  });

  it("leaves the used ring's end alone without the feature", async ({ subject }) => {
    const results = await subject.call("queue", { size: 4 }, [BYTES, ...round(0), pop, used]);
    expect(results.at(-1)).toMatchObject({ index: 1, availableEvent: 0 });
  });
});
