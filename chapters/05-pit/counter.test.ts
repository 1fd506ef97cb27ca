import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { CounterOperation, subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

/** Control words, bits 5 to 0: a mode with one byte of count, and with two. */
const oneByte = (mode: number): CounterOperation => ({ do: "control", control: 0b01_0000 | (mode << 1) });
const twoBytes = (mode: number): CounterOperation => ({ do: "control", control: 0b11_0000 | (mode << 1) });
const decimal = (mode: number): CounterOperation => ({ do: "control", control: 0b11_0001 | (mode << 1) });
const write = (...bytes: number[]): CounterOperation => ({ do: "write", bytes });
const trace = (pulses: number): CounterOperation => ({ do: "trace", pulses });
const gate = (high: boolean): CounterOperation => ({ do: "gate", high });
const read: CounterOperation = { do: "read" };

describe("write-count", () => {
  it("takes the LSB alone, the MSB alone, or both with the LSB first", async ({ subject }) => {
    const count = async (...operations: CounterOperation[]) =>
      (await subject.call("countRegister", [...operations, trace(1)])).at(-1);
    const MSB_ONLY: CounterOperation = { do: "control", control: 0b10_1000 };
    expect(await count(oneByte(4), write(0x12)), "LSB only: the MSB is 0").toBe("12");
    expect(await count(MSB_ONLY, write(0x12)), "MSB only: the LSB is 0").toBe("1200");
    expect(await count(twoBytes(4), write(0x34, 0x12)), "of two bytes the LSB comes first").toBe("1234");
  });

  it("waits for the second byte, and begins anew after it", async ({ subject }) => {
    const [, , before, , after, , again] = await subject.call("countRegister", [
      twoBytes(4),
      write(0x08),
      trace(2),
      write(0x00),
      trace(2),
      write(0x05, 0x00),
      trace(1),
    ]);
    expect(before, "one byte of two is no count yet: nothing is loaded").toBe("0 0");
    expect(after, "the second byte completes the count").toBe("8 7");
    expect(again, "the next byte is the LSB of a new count").toBe("5");
  });

  it("stops mode 0 between the two bytes of a new count", async ({ subject }) => {
    const results = await subject.call("countRegister", [
      twoBytes(0),
      write(9, 0),
      trace(2),
      write(7),
      trace(3),
      write(0),
      trace(2),
    ]);
    expect(
      results[4],
      "in mode 0 the first byte stops the counting, so that no half count is ever used",
    ).toBe("8 8 8");
    expect(results[6], "the second byte lets the new count begin").toBe("7 6");
  });

  it("lets mode 4 count on between the two bytes of a new count", async ({ subject }) => {
    const results = await subject.call("countRegister", [
      twoBytes(4),
      write(9, 0),
      trace(2),
      write(5),
      trace(2),
      write(0),
      trace(2),
    ]);
    expect(results[4], "only mode 0 is stopped by a first byte").toBe("7 6");
    expect(results[6], "the second byte completes the new count").toBe("5 4");
  });

  it("takes 0 for the longest count, 65,536 or 10,000 in BCD", async ({ subject }) => {
    const last = async (control: CounterOperation, pulses: number) =>
      (await subject.call("countRegister", [control, write(0, 0), { do: "pass", pulses }, trace(2)])).at(-1);
    expect(await last(twoBytes(0), 65_535), "one pulse loads 65,536, and after as many it ends").toBe("1 0");
    expect(await last(decimal(0), 9_999), "in BCD it is 10,000").toBe("1 0");
  });
});

describe("count-once", () => {
  it("raises OUT in mode 0 after N + 1 pulses and counts on below zero", async ({ subject }) => {
    const results = await subject.call("counter", [oneByte(0), write(4), trace(7)]);
    expect(
      results[2],
      "one pulse loads the count, four count it down; OUT rises when the count reaches 0 and stays (the ')",
    ).toBe("4 3 2 1 0' ffff' fffe'");
  });

  it("lowers OUT in mode 0 with a new count", async ({ subject }) => {
    const results = await subject.call("counter", [
      oneByte(0),
      write(1),
      trace(2),
      write(2),
      { do: "out" },
      trace(3),
    ]);
    expect(results[2]).toBe("1 0'");
    expect(results[4], "writing a new count lowers OUT at once").toBe(false);
    expect(results[5]).toBe("2 1 0'");
  });

  it("keeps OUT low in mode 0 where no whole count was written", async ({ subject }) => {
    const results = await subject.call("counter", [
      twoBytes(0),
      { do: "out" },
      write(1, 0),
      trace(2),
      write(2),
      { do: "out" },
    ]);
    expect(results[1], "after the control word OUT is low, though no count was written").toBe(false);
    expect(results[3]).toBe("1 0'");
    expect(results[5], "the first byte of a new count lowers OUT at once").toBe(false);
  });

  it("strobes once in mode 4: OUT is low for the one pulse that ends the count", async ({ subject }) => {
    const results = await subject.call("counter", [
      oneByte(4),
      write(3),
      trace(6),
      { do: "pass", pulses: 65_534 },
      { do: "out" },
    ]);
    expect(results[2]).toBe("3' 2' 1' 0 ffff' fffe'");
    expect(results[4], "when the count passes 0 the next time, there is no second strobe").toBe(true);
    const jump = await subject.call("counter", [
      oneByte(4),
      write(3),
      { do: "pass", pulses: 10 },
      { do: "out" },
    ]);
    expect(jump[3], "one long step passes the strobe, and OUT is high again").toBe(true);
  });

  it("comes to the same by one long step as by many short ones", async ({ subject }) => {
    const results = await subject.call("counter", [
      oneByte(0),
      write(200),
      { do: "pass", pulses: 150 },
      trace(1),
      { do: "pass", pulses: 49 },
      trace(2),
    ]);
    expect(results[3], "one pulse loads, 150 more count: 200 - 150").toBe("32");
    expect(results[5]).toBe("0' ffff'");
  });
});

describe("periodic", () => {
  it("divides by N in mode 2, with OUT low for one pulse", async ({ subject }) => {
    const results = await subject.call("counter", [oneByte(2), write(3), trace(8)]);
    expect(results[2], "there are N pulses from one low pulse to the next: 3, 2, 1 and again").toBe(
      "3' 2' 1 3' 2' 1 3' 2'",
    );
  });

  it("halves an even count in mode 3", async ({ subject }) => {
    const results = await subject.call("counter", [oneByte(3), write(4), trace(9)]);
    expect(results[2], "mode 3 counts in twos, and reloads at the end of each half").toBe(
      "4' 2' 4 2 4' 2' 4 2 4'",
    );
  });

  it("is high one pulse longer with an odd count in mode 3", async ({ subject }) => {
    const results = await subject.call("counter", [oneByte(3), write(5), trace(11)]);
    expect(results[2], "an odd count has one pulse more in its high half").toBe(
      "4' 2' 0' 4 2 4' 2' 0' 4 2 4'",
    );
  });

  it("takes a new count at the end of the period, or of the half-cycle", async ({ subject }) => {
    const rate = await subject.call("counter", [
      oneByte(2),
      write(4),
      trace(2),
      write(5),
      { do: "status" },
      trace(4),
      { do: "status" },
    ]);
    expect(rate[5], "the running period ends as it began; the next has the new count").toBe("2' 1 5' 4'");
    expect(
      [Number(rate[4]) & 0x40, Number(rate[6]) & 0x40],
      "NULL COUNT until the new count is loaded",
    ).toEqual([0x40, 0]);
    const wave = await subject.call("counter", [
      oneByte(3),
      write(4),
      trace(1),
      write(6),
      { do: "status" },
      trace(7),
      { do: "status" },
    ]);
    expect(wave[5], "a half-cycle ends as it began").toBe("2' 6 4 2 6' 4' 2'");
    expect([Number(wave[4]) & 0x40, Number(wave[6]) & 0x40], "NULL COUNT, as in mode 2").toEqual([0x40, 0]);
  });

  it("jumps over a million million periods and lands where single steps would", async ({ subject }) => {
    for (const mode of [2, 3]) {
      const shown = async (pulses: number) =>
        (await subject.call("counter", [oneByte(mode), write(7), { do: "pass", pulses }, trace(8)])).at(-1);
      const steps = await shown(7);
      expect(String(steps).split(" "), "eight counts are shown").toHaveLength(8);
      expect(await shown(7e12), `mode ${mode}: after whole periods the wave is where it was`).toBe(steps);
    }
  });

  it("jumps from the running count into many periods of a new one", async ({ subject }) => {
    for (const mode of [2, 3]) {
      const shown = async (pulses: number) =>
        (
          await subject.call("counter", [
            oneByte(mode),
            write(7),
            trace(1),
            write(5),
            { do: "pass", pulses },
            trace(6),
          ])
        ).at(-1);
      const steps = await shown(7);
      expect(String(steps).split(" "), "six counts are shown").toHaveLength(6);
      expect(await shown(7 + 5 * 1000), `mode ${mode}: a thousand more periods of 5 change nothing`).toBe(
        steps,
      );
    }
  });
});

describe("gate", () => {
  it("holds modes 0 and 2 by its level", async ({ subject }) => {
    const held = await subject.call("counter", [
      oneByte(0),
      write(5),
      trace(2),
      gate(false),
      trace(3),
      gate(true),
      trace(2),
    ]);
    expect(held[4], "while the gate is shut the count stands").toBe("4 4 4");
    expect(held[6], "and goes on from there: in mode 0 the edge is no trigger").toBe("3 2");
    const rate = await subject.call("counter", [
      oneByte(2),
      write(5),
      trace(2),
      gate(false),
      trace(2),
      gate(true),
      trace(3),
    ]);
    expect(rate[4]).toBe("4' 4'");
    expect(rate[6], "in mode 2 the rising edge loads the count again").toBe("5' 4' 3'");
  });

  it("triggers modes 1 and 5 by its rising edge", async ({ subject }) => {
    const shot = await subject.call("counter", [
      oneByte(1),
      write(3),
      trace(2),
      gate(false),
      gate(true),
      trace(5),
    ]);
    expect(shot[5], "the one-shot is low for N pulses after the trigger").toBe("3 2 1 0' ffff'");
    const strobe = await subject.call("counter", [
      oneByte(5),
      write(2),
      gate(false),
      gate(true),
      trace(2),
      gate(false),
      trace(2),
    ]);
    expect(strobe[6], "once it is triggered, the level does not matter").toBe("0 ffff'");
  });

  it("lowers OUT in mode 1 with the pulse after the trigger, and keeps it low at another", async ({
    subject,
  }) => {
    const trigger = [gate(false), gate(true), { do: "out" }] as const;
    const results = await subject.call("counter", [
      oneByte(1),
      write(3),
      { do: "out" },
      ...trigger,
      trace(2),
      ...trigger,
      trace(4),
    ]);
    expect(results[2], "OUT is high until a trigger").toBe(true);
    expect(results[5], "OUT waits for the pulse that loads the count").toBe(true);
    expect(results[6]).toBe("3 2");
    expect(results[9], "a trigger in the low pulse makes it longer, and does not end it").toBe(false);
    expect(results[10]).toBe("3 2 1 0'");
  });

  it("takes only the rising edge as a trigger", async ({ subject }) => {
    const results = await subject.call("counter", [
      oneByte(1),
      write(4),
      gate(false),
      gate(true),
      trace(2),
      gate(true),
      trace(3),
    ]);
    expect(results[6], "the gate was high before: only the edge counts").toBe("2 1 0'");
  });

  it("raises OUT at once when it falls in the low half of mode 3", async ({ subject }) => {
    const falls = (count: number, pulses: number) =>
      subject.call("counter", [
        oneByte(3),
        write(count),
        trace(pulses),
        gate(false),
        { do: "out" },
        trace(1),
      ]);
    const even = await falls(4, 3);
    expect(even[2]).toBe("4' 2' 4");
    expect(even[4], "no pulse is needed for this").toBe(true);
    expect(even[5], "and the count stands").toBe("4'");
    const odd = await falls(5, 4);
    expect(odd[2]).toBe("4' 2' 0' 4");
    expect(odd[4]).toBe(true);
    expect(odd[5], "the count stands, with an odd count, too").toBe("4'");
  });

  it("raises OUT at once when it falls in the low pulse of mode 2", async ({ subject }) => {
    const results = await subject.call("counter", [
      oneByte(2),
      write(3),
      trace(3),
      gate(false),
      { do: "out" },
      trace(1),
    ]);
    expect(results[2]).toBe("3' 2' 1");
    expect(results[4], "no pulse is needed for this").toBe(true);
    expect(results[5], "and the count stands").toBe("1'");
  });
});

describe("latch", () => {
  it("reads the bytes that the control word names", async ({ subject }) => {
    const low = await subject.call("counter", [oneByte(4), write(0x42), trace(1), read, read]);
    expect(low.slice(3), "LSB only: each read is the LSB").toEqual([0x42, 0x42]);
    const both = await subject.call("counter", [twoBytes(4), write(0x34, 0x12), trace(1), read, read, read]);
    expect(both.slice(3), "both: LSB, MSB, and LSB again").toEqual([0x34, 0x12, 0x34]);
    const high = await subject.call("counter", [
      { do: "control", control: 0b10_1000 },
      write(0x12),
      trace(1),
      read,
      { do: "latch", what: "count" },
      trace(1),
      read,
      read,
    ]);
    expect(high[3], "MSB only: each read is the MSB").toBe(0x12);
    expect(high.slice(6), "a latched one is read once: 0x1200 and then 0x11ff").toEqual([0x12, 0x11]);
  });

  it("holds a latched count until both bytes are read", async ({ subject }) => {
    const results = await subject.call("counter", [
      twoBytes(4),
      write(0x00, 0x10),
      trace(1),
      { do: "latch", what: "count" },
      trace(1),
      read,
      { do: "pass", pulses: 0x300 },
      read,
      read,
    ]);
    expect(
      [results[5], results[7]],
      "both bytes must be of one moment, the one of the latch command",
    ).toEqual([0x00, 0x10]);
    expect(results[8], "after them the count runs again: 0x0fff - 0x300").toBe(0xff);
  });

  it("ignores a second latch command before the first was read", async ({ subject }) => {
    const latch: CounterOperation = { do: "latch", what: "count" };
    const results = await subject.call("counter", [
      oneByte(4),
      write(9),
      trace(1),
      latch,
      trace(2),
      latch,
      read,
      read,
    ]);
    expect(results[6], "the first latched count stays").toBe(9);
    expect(results[7], "then the running one").toBe(7);
  });

  it("holds a latched count of 0 as any other", async ({ subject }) => {
    const results = await subject.call("counter", [
      oneByte(4),
      write(1),
      trace(2),
      { do: "latch", what: "count" },
      trace(2),
      read,
      read,
    ]);
    expect(results[5], "0 is a count, and not a latch without one").toBe(0);
    expect(results[6], "then the running one").toBe(0xfe);
  });

  it("gives a latched status before a latched count, once", async ({ subject }) => {
    const results = await subject.call("counter", [
      oneByte(4),
      write(9),
      trace(1),
      { do: "latch", what: "count" },
      { do: "latch", what: "status" },
      trace(1),
      read,
      read,
      read,
    ]);
    expect(results[6], "first the status: OUT, NULL COUNT, and the control word").toBe(0b1001_1000);
    expect(results[7], "then the latched count").toBe(9);
    expect(results[8], "then the running one").toBe(8);
  });
});
