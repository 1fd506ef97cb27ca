/** Cases of chapter 5 that the book does not print. */
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "hidden");

describe("periodic", () => {
  it("has a duty of four to three with a count of 7 in mode 3", async ({ subject }) => {
    const results = await subject.call("counter", [
      { do: "control", control: 0b01_0110 },
      { do: "write", bytes: [7] },
      { do: "trace", pulses: 14 },
    ]);
    expect(results[2]).toBe("6' 4' 2' 0' 6 4 2 6' 4' 2' 0' 6 4 2");
  });

  it("divides by 2 in mode 2", async ({ subject }) => {
    const results = await subject.call("counter", [
      { do: "control", control: 0b01_0100 },
      { do: "write", bytes: [2] },
      { do: "trace", pulses: 6 },
    ]);
    expect(results[2]).toBe("2' 1 2' 1 2' 1");
  });
});

describe("count-once", () => {
  it("takes a new count in the middle of mode 4", async ({ subject }) => {
    const results = await subject.call("counter", [
      { do: "control", control: 0b01_1000 },
      { do: "write", bytes: [9] },
      { do: "trace", pulses: 3 },
      { do: "write", bytes: [2] },
      { do: "trace", pulses: 4 },
    ]);
    expect(results[2]).toBe("9' 8' 7'");
    expect(results[4], "the new count is loaded with the next pulse").toBe("2' 1' 0 ffff'");
  });
});

describe("irq", () => {
  it("interrupts once in mode 0", async ({ subject }) => {
    const { rises } = await subject.call("pit", [
      { do: "write", offset: 3, bytes: [0b11_0000] },
      { do: "write", offset: 0, bytes: [0x00, 0x10] },
      { do: "advanceTo", time: 1e9 },
    ]);
    expect(rises, "one pulse to load, 4,096 to count").toEqual([Math.ceil((4097 * 17_600) / 21)]);
  });
});
