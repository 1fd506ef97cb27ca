import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject, PitOperation } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const CONTROL = 3;
const HOUR = 3600e9;

/** The first nanosecond at which `pulses` have passed, in exact integers. */
const timeOf = (pulses: number) => Number((BigInt(pulses) * 17_600n + 20n) / 21n);

/** Programs a counter with a two-byte count at time 0; the next pulse, the first, loads it. */
const program = (channel: number, mode: number, count: number): PitOperation[] => [
  { do: "write", offset: CONTROL, bytes: [(channel << 6) | 0b11_0000 | (mode << 1)] },
  { do: "write", offset: channel, bytes: [count & 0xff, count >> 8] },
];
const control = (word: number): PitOperation => ({ do: "write", offset: CONTROL, bytes: [word] });
const read = (channel: number): PitOperation => ({ do: "read", offset: channel });
const advanceTo = (time: number): PitOperation => ({ do: "advanceTo", time });

describe("time", () => {
  it("counts 21 pulses in 17,600 ns", async ({ subject }) => {
    expect(await subject.call("pulsesAt", [0, 838, 839, 17_599, 17_600, 35_200])).toEqual([
      0, 0, 1, 20, 21, 42,
    ]);
  });

  it("counts exactly after hours", async ({ subject }) => {
    const times = [1, 24, 24 * 100].map(hours => hours * HOUR);
    const exact = times.map(time => Number((BigInt(time) * 105n) / 88_000n));
    expect(
      await subject.call("pulsesAt", times),
      "105/88 MHz is no decimal number: a clock that drifts by a pulse an hour is wrong by a pulse an hour",
    ).toEqual(exact);
  });

  it("tells the first nanosecond of a pulse", async ({ subject }) => {
    // The last two are weeks away, where a product of time and frequency no longer fits a number.
    const pulses = [0, 1, 20, 21, 22, 1_193_182, 3_999_999_999_997, 8_000_000_000_055];
    const times = await subject.call("timeOfPulse", pulses);
    expect(times).toEqual(pulses.map(timeOf));
    expect(await subject.call("pulsesAt", times), "at that time the pulse has passed").toEqual(pulses);
    const before = times.slice(1).map(time => time - 1);
    expect(await subject.call("pulsesAt", before), "a nanosecond earlier it has not").toEqual(
      pulses.slice(1).map(pulse => pulse - 1),
    );
  });
});

describe("commands", () => {
  it("programs the counter that bits 7 and 6 select", async ({ subject }) => {
    const results = await subject.call("counters", [
      ...program(0, 2, 0x1111),
      ...program(1, 2, 0x2222),
      advanceTo(timeOf(1)),
      read(0),
      read(0),
      read(1),
      read(1),
    ]);
    expect(results.slice(5)).toEqual([0x11, 0x11, 0x22, 0x22]);
  });

  it("takes RW 0 as the command to latch the count", async ({ subject }) => {
    const results = await subject.call("counters", [
      ...program(0, 2, 0x1234),
      advanceTo(timeOf(1)),
      control(0b0000_0000),
      advanceTo(timeOf(100)),
      read(0),
      read(0),
    ]);
    expect(results.slice(5), "it is no new mode: the counter runs on, and the count is held").toEqual([
      0x34, 0x12,
    ]);
  });

  it("reads back status and count of two counters at once", async ({ subject }) => {
    const results = await subject.call("counters", [
      ...program(0, 2, 0x1234),
      ...program(1, 3, 0x0008),
      advanceTo(timeOf(3)),
      control(0b1100_0110),
      advanceTo(timeOf(50)),
      ...[0, 0, 0, 1, 1, 1].map(read),
    ]);
    expect(results.slice(7, 10), "status and count of counter 0: a clear bit asks for it").toEqual([
      0b1011_0100, 0x32, 0x12,
    ]);
    expect(results.slice(10), "and of counter 1").toEqual([0b1011_0110, 0x04, 0x00]);
  });

  it("reads back the status alone, and only of the counters that are named", async ({ subject }) => {
    const results = await subject.call("counters", [
      ...program(0, 2, 0x1234),
      ...program(1, 2, 0x0050),
      advanceTo(timeOf(1)),
      control(0b1110_0010),
      read(0),
      read(0),
      read(1),
    ]);
    expect(results.slice(6), "bit 5 set: no count; bit 2 clear: not counter 1").toEqual([
      0b1011_0100, 0x34, 0x50,
    ]);
  });
});

describe("irq", () => {
  it("interrupts once in mode 0, N + 1 pulses after the count", async ({ subject }) => {
    const { rises } = await subject.call("pit", [...program(0, 0, 1000), advanceTo(1e9)]);
    expect(rises, "one pulse loads the count, 1,000 count it down").toEqual([timeOf(1001)]);
  });

  it("interrupts with every period in modes 2 and 3", async ({ subject }) => {
    for (const mode of [2, 3]) {
      const { rises } = await subject.call("pit", [
        ...program(0, mode, 1193),
        advanceTo(timeOf(1193 * 4 + 2)),
      ]);
      const expected = [1, 2, 3, 4].map(period => timeOf(1 + period * 1193));
      expect(rises, `mode ${mode}: OUT rises at the end of each period`).toEqual(expected);
    }
  });

  it("stays on time over a minute", async ({ subject }) => {
    const { rises } = await subject.call("pit", [...program(0, 2, 0), advanceTo(60e9)]);
    const expected = Array.from({ length: rises.length }, (_, period) => timeOf(1 + (period + 1) * 65_536));
    expect(rises.length, "18.2 interrupts a second, 60 seconds").toBe(1092);
    const wrong = rises.findIndex((time, at) => time !== expected[at]);
    expect(
      wrong,
      `interrupt ${wrong} comes at another time: each interrupt has its own time, whenever the one before came`,
    ).toBe(-1);
  });

  it("sleeps in between: the clock is asked for two calls a period, not for every pulse", async ({
    subject,
  }) => {
    const { calls } = await subject.call("pit", [...program(0, 2, 11_932), advanceTo(1e9)]);
    expect(calls, "a hundred periods in a second").toBeGreaterThan(99);
    expect(calls).toBeLessThan(210);
  });

  it("gives an edge and no burst when the clock comes a thousand periods late", async ({ subject }) => {
    const { rises, out } = await subject.call("lateClock", 0b0011_0100, 1193, 1e9);
    expect(rises, "the line saw edges meanwhile: at least one must arrive").toBeGreaterThan(0);
    expect(rises, "the PIC can hold one; a thousand would only cost time").toBeLessThan(10);
    expect(out).toBe(true);
  });
});
