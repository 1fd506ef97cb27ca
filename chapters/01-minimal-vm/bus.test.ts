import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { BusAccess, subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const SERIAL: BusAccess = { do: "register", name: "serial", start: 0x3f8, length: 8, answer: 0x1122_3344 };
const CLOCK: BusAccess = { do: "register", name: "clock", start: 0x70, length: 2, answer: 0x5566_7788 };

describe("register", () => {
  it("accepts ranges that only touch", async ({ subject }) => {
    const { results } = await subject.call("bus", [
      SERIAL,
      { do: "register", name: "before", start: 0x3f0, length: 8 },
      { do: "register", name: "after", start: 0x400, length: 1 },
    ]);
    expect(results, "0x3f0–0x3f7, 0x3f8–0x3ff and 0x400 share no address").toEqual(
      Array(3).fill({ value: undefined }),
    );
  });

  it("refuses a range that another device has, and names both", async ({ subject }) => {
    const overlapping: [start: number, length: number][] = [
      [0x3f8, 8],
      [0x3f7, 2],
      [0x3ff, 4],
      [0x3fa, 1],
      [0x300, 0x200],
    ];
    for (const [start, length] of overlapping) {
      const { results } = await subject.call("bus", [
        SERIAL,
        { do: "register", name: "modem", start, length },
      ]);
      expect(
        results[1],
        `modem at 0x${start.toString(16)}, ${length} long, overlaps serial at 0x3f8`,
      ).toMatchObject({
        error: expect.stringMatching(/modem.*serial/),
      });
    }
  });
});

describe("dispatch", () => {
  it("gives devices offsets, not addresses", async ({ subject }) => {
    const { results, seen } = await subject.call("bus", [
      CLOCK,
      SERIAL,
      { do: "read", at: 0x3fd, size: 1 },
      { do: "write", at: 0x3f8, size: 1, value: 0x41 },
      { do: "write", at: 0x71, size: 1, value: 7 },
    ]);
    expect(seen, "a device may sit anywhere: it sees the distance from its range's start").toEqual([
      ["serial", "read", 5, 1],
      ["serial", "write", 0, 1, 0x41],
      ["clock", "write", 1, 1, 7],
    ]);
    expect(results[2]).toEqual({ value: 0x1122_3344 });
  });

  it("reads all ones where no device answers", async ({ subject }) => {
    const { results, seen } = await subject.call("bus", [
      SERIAL,
      { do: "read", at: 0x2f8, size: 1 },
      { do: "read", at: 0x2f8, size: 2 },
      { do: "read", at: 0x2f8, size: 4 },
      { do: "write", at: 0x2f8, size: 4, value: 1 },
    ]);
    expect(results.slice(1), "nobody drives the lines, so they stay high: 0xff, 0xffff, 0xffff_ffff").toEqual(
      [{ value: 0xff }, { value: 0xffff }, { value: 0xffff_ffff }, { value: undefined }],
    );
    expect(seen).toEqual([]);
  });

  it("passes wide accesses whole to a device that covers them", async ({ subject }) => {
    const { results, seen } = await subject.call("bus", [
      SERIAL,
      { do: "read", at: 0x3f8, size: 4 },
      { do: "write", at: 0x3fc, size: 4, value: 0xdead_beef },
    ]);
    expect(results[1]).toEqual({ value: 0x1122_3344 });
    expect(seen).toEqual([
      ["serial", "read", 0, 4],
      ["serial", "write", 4, 4, 0xdead_beef],
    ]);
  });

  it("splits an access that runs over the end of a range into bytes", async ({ subject }) => {
    const { results, seen } = await subject.call("bus", [
      { do: "register", name: "low", start: 0x10, length: 2, answer: 0x11 },
      { do: "register", name: "high", start: 0x13, length: 1, answer: 0x22 },
      { do: "read", at: 0x11, size: 4 },
      { do: "write", at: 0x11, size: 4, value: 0xd4c3_b2a1 },
    ]);
    expect(results[2], "bytes 0x11 of low, nothing, 0x22 of high, nothing; the lowest comes first").toEqual({
      value: 0xff22_ff11,
    });
    expect(seen).toEqual([
      ["high", "read", 0, 1],
      ["low", "read", 1, 1],
      ["low", "write", 1, 1, 0xa1],
      ["high", "write", 0, 1, 0xc3],
    ]);
  });
});
