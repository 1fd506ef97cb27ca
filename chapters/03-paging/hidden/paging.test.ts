/** Cases of chapter 3 that the book does not print. */
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "hidden");

const PG = 0x8000_0001 | 0;
const [WRITE, USER] = [2, 4];

describe("segment-limit", () => {
  it("begins behind the limit where a segment grows down", async ({ subject }) => {
    const results = await subject.call("inSegment", [
      [0x1000, 4, 0x0fff, 0x4096],
      [0x0fff, 4, 0x0fff, 0x4096],
      [0xffff_fffc, 4, 0x0fff, 0x4096],
      [0x1_0000, 4, 0x0fff, 0x0096],
      [0xfffc, 4, 0x0fff, 0x0096],
    ]);
    expect(results, "up to 4 GiB with B set, to 64 KiB without").toEqual([true, false, true, false, true]);
  });
});

describe("load-segments", () => {
  it("tells a stack that is not present apart from data that is not", async ({ subject }) => {
    const results = await subject.call("checks", [
      { kind: "data", selector: 0x28, rights: 0x12, cpl: 0 },
      { kind: "stack", selector: 0x28, rights: 0x12, cpl: 0 },
    ]);
    expect(results, "#NP for data, #SS for the stack").toEqual(["#11(0x28)", "#12(0x28)"]);
  });
});

describe("page-fault", () => {
  it("tells a write of the user to a missing page from one to a page of the kernel", async ({ subject }) => {
    const registers = { cr0: PG, cr3: 0x1000, cr4: 0, efer: 0 };
    const results = await subject.call(
      "walks",
      registers,
      [
        [0x1000, 0x2000 | 7],
        [0x2000, 0x3000 | 3],
      ],
      [
        { linear: 0x0123, access: WRITE | USER },
        { linear: 0x1123, access: WRITE | USER },
      ],
    );
    expect(results.map(({ errorCode }) => errorCode)).toEqual([0b111, 0b110]);
  });
});

describe("tlb", () => {
  it("forgets a page in all of its tables, and the next page in none", async ({ subject }) => {
    const tables = [0, 4096, 8192, 12_288];
    const results = await subject.call("tlb", [
      ...tables.flatMap(table => [
        { do: "insert", table, linear: 0x7000, hostPage: 0x1000 } as const,
        { do: "insert", table, linear: 0x8000, hostPage: 0x2000 } as const,
      ]),
      { do: "flushPage", linear: 0x7fff },
      ...tables.flatMap(table => [
        { do: "lookup", table, linear: 0x7000, size: 1 } as const,
        { do: "lookup", table, linear: 0x8000, size: 1 } as const,
      ]),
    ]);
    expect(results.slice(9)).toEqual(tables.flatMap(() => [-1, 0x2000]));
  });
});
