import { describe, expect, it } from "vitest";
import { PicPair } from "#layers/04-interrupts/pic.ts";
import { Pit } from "#layers/05-pit/pit.ts";
import { Uart } from "#layers/06-serial/uart.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";
import { readPic } from "./pic-state.ts";
import { type ScopeSample, traceOutput } from "./timer-scope.ts";
import { readUart } from "./uart-state.ts";

describe("the timer’s outputs over time", () => {
  it("are those that the timer itself shows at each moment", () => {
    const clock = new ManualClock();
    const pit = new Pit(clock, { raise() {}, lower() {} });
    const samples: ScopeSample[] = [];
    const write = (offset: number, value: number) => {
      pit.write(offset, 1, value);
      samples.push({ time: clock.now(), counters: pit.save().counters });
    };
    write(3, 0x36); // counter 0, LSB then MSB, mode 3
    write(0, 100);
    write(0, 0);
    const levels: boolean[] = [];
    const [from, step, count] = [100_000, 3_000, 300];
    clock.advanceTo(from);
    for (let at = 0; at < count; at++) {
      levels.push(pit.output(0));
      clock.advance(step);
    }
    const { start, edges, denseFrom } = traceOutput(samples, 0, from, from + count * step);
    expect(denseFrom).toBeUndefined();
    const shown = levels.map(
      (_, at) => edges.findLast(({ time }) => time <= from + at * step)?.high ?? start,
    );
    expect(shown).toEqual(levels);
    expect(edges.length).toBeGreaterThan(15);
  });

  it("are told to be dense where they cannot be drawn", () => {
    const clock = new ManualClock();
    const pit = new Pit(clock, { raise() {}, lower() {} });
    for (const [offset, value] of [
      [3, 0x16],
      [0, 10],
    ] as const)
      pit.write(offset, 1, value);
    const samples = [{ time: 0, counters: pit.save().counters }];
    const { denseFrom } = traceOutput(samples, 0, 0, 1e9);
    expect(denseFrom).toBeGreaterThan(0);
    expect(denseFrom).toBeLessThan(1e7);
  });
});

describe("an interrupt controller’s state in words", () => {
  it("says what it was told, and which request is the most urgent", () => {
    const pics = new PicPair();
    for (const [offset, value] of [
      [0, 0x11],
      [1, 0x20],
      [1, 0x04],
      [1, 0x01],
    ] as const) {
      pics.master.write(offset, 1, value);
    }
    pics.setIrq(5, true);
    pics.setIrq(3, true);
    const { master, slave } = pics.save();
    const reading = readPic(master, true);
    expect(reading).toMatchObject({ irr: 0b10_1000, isr: 0, pending: 3, priority: [0, 1, 2, 3, 4, 5, 6, 7] });
    expect(reading.words).toContainEqual(["ICW2", "vectors 0x20 to 0x27"]);
    expect(readPic(slave, false).words).toEqual([["ICW", "not initialized"]]);
  });
});

describe("a UART’s state in words", () => {
  it("tells the cause without taking it away", () => {
    const clock = new ManualClock();
    const uart = new Uart({ clock, irq: { raise() {}, lower() {} }, peer: { transmit() {} }, pace: "line" });
    for (const [offset, value] of [
      [2, 0x81],
      [1, 0x01],
      [4, 0x0b],
    ] as const)
      uart.write(offset, 1, value);
    uart.receive([1, 2, 3, 4, 5, 6, 7, 8]);
    clock.advance(1e6);
    const before = uart.save();
    expect(readUart(before, clock.now())).toMatchObject({
      cause: "received data, at the trigger level",
      isPending: true,
      trigger: 8,
      hasFifos: true,
    });
    expect(uart.save()).toEqual(before);
  });
});
