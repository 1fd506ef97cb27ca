/** Cases of chapter 7 that the book does not print. */
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import { INDIRECT, NEXT, REGISTERS, read, write } from "../operations.ts";
import type { subject as chapterSubject } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "hidden");

const [TABLE, INNER, BUFFER] = [0x1000, 0x9000, 0x8000];

describe("status", () => {
  it("forgets the driver's way with a reset", async ({ subject }) => {
    const { status } = REGISTERS;
    const { results } = await subject.call("card", [
      write(status, 1),
      write(status, 3),
      read(status),
      write(status, 0),
      read(status),
    ]);
    expect([results[2], results[4]]).toEqual([3, 0]);
  });
});

describe("indirect", () => {
  it("takes no second table from within a table", async ({ subject }) => {
    const results = await subject.call("chains", [
      {
        tables: [
          [TABLE, [INNER, 32, INDIRECT, 0]],
          [INNER, [BUFFER, 4, NEXT, 1], [INNER, 16, INDIRECT, 0]],
        ],
        ...{ head: 0, entries: 8, hasIndirectDescriptors: true },
      },
    ]);
    expect(results).toEqual([{ error: expect.any(String) }]);
  });
});

describe("event-index", () => {
  it("knows by the distance, over the wrap of 16 bits", async ({ subject }) => {
    const passed = await subject.call("hasPassed", [
      [0xfffe, 0xfff0, 0x0004],
      [0x0004, 0xfff0, 0x0004],
      [0x0003, 0xfff0, 0x0004],
      [0xffef, 0xfff0, 0x0004],
    ]);
    expect(passed).toEqual([true, false, true, false]);
  });
});

describe("checksum", () => {
  it("adds an odd byte and a carry together", async ({ subject }) => {
    const [frame] = await subject.call("completeChecksum", [
      { frame: [0xff, 0xff, 0x00, 0x00, 0x80], start: 0, offset: 2 },
    ]);
    expect(frame, "0xffff + 0x8000 is 0x8000 with the carry, and not 0x7fff").toEqual([
      ...[0xff, 0xff, 0x7f, 0xff, 0x80],
    ]);
  });
});
