/** Cases of chapter 6 that the book does not print. */
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject, ReceiverOperation } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "hidden");

describe("character-time", () => {
  it("adds up a slow line of 7 bits with parity and two stop bits", async ({ subject }) => {
    const [time] = await subject.call("characterTime", [[0b1_1110, 384]]);
    expect(time, "300 baud, eleven bits").toBe(Math.ceil((11 * 1e9) / 300));
  });
});

describe("receive", () => {
  it("takes in again after a full FIFO was emptied", async ({ subject }) => {
    const full = Array.from({ length: 16 }, (_, at) => 0x80 + at);
    const operations: ReceiverOperation[] = [
      { do: "arrive", bytes: [...full, 1, 2] },
      { do: "read", times: 16 },
      { do: "arrive", bytes: [3] },
      { do: "read" },
    ];
    const results = await subject.call("receiver", 0x01, operations, { isPatient: true });
    expect(results[1]).toEqual(full);
    expect(results[3]).toBe(3);
  });
});

describe("transmit", () => {
  it("sends in the time of a changed divisor", async ({ subject }) => {
    const { sent } = await subject.call("serial", "line", [
      { do: "write", at: 3, bytes: [0x83] },
      { do: "write", at: 0, bytes: [0x0c] },
      { do: "write", at: 3, bytes: [0x03] },
      { do: "write", at: 0, bytes: [0x55] },
      { do: "advance", by: 2_000_000 },
    ]);
    expect(sent).toEqual([{ byte: 0x55, at: Math.ceil(1e10 / 9600) }]);
  });
});

describe("modem", () => {
  it("shows the four outputs as inputs in loopback", async ({ subject }) => {
    const shown: (number | boolean | number[] | null)[] = [];
    for (const output of [0x01, 0x02, 0x04, 0x08]) {
      const { results } = await subject.call("serial", "immediate", [
        { do: "write", at: 4, bytes: [0x10 | output] },
        { do: "read", at: 6 },
        { do: "read", at: 6 },
      ]);
      shown.push(Number(results[2]) & 0xf0);
    }
    expect(shown, "DTR is DSR, RTS is CTS, OUT1 is RI, OUT2 is DCD").toEqual([0x20, 0x10, 0x40, 0x80]);
  });
});
