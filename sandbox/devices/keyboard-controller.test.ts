import { describe, expect, it } from "vitest";
import { KeyboardController } from "./keyboard-controller.ts";

const [DATA, COMMAND, STATUS] = [0, 4, 4];

function bench() {
  const a20 = { isOpen: true };
  const events: string[] = [];
  const irq = { keyboard: false, auxiliary: false };
  const line = (name: "keyboard" | "auxiliary") => ({
    raise() {
      irq[name] = true;
    },
    lower() {
      irq[name] = false;
    },
  });
  const controller = new KeyboardController({
    keyboardIrq: line("keyboard"),
    auxiliaryIrq: line("auxiliary"),
    a20,
    reset: () => events.push("reset"),
  });
  const command = (value: number, ...data: number[]) => {
    controller.write(COMMAND, 1, value);
    for (const byte of data) controller.write(DATA, 1, byte);
  };
  const read = () => controller.read(DATA);
  const status = () => controller.read(STATUS);
  const readAll = () => {
    const bytes: number[] = [];
    while (status() & 1) bytes.push(read());
    return bytes;
  };
  return { a20, events, irq, controller, command, read, readAll, status };
}

describe("the keyboard controller", () => {
  it("passes its self-test and the tests of both interfaces", () => {
    const { command, read } = bench();
    const answers = [0xaa, 0xab, 0xa9].map(test => {
      command(test);
      return read();
    });
    expect(answers).toEqual([0x55, 0x00, 0x00]);
  });

  it("keeps its configuration and RAM", () => {
    const { command, read } = bench();
    command(0x60, 0x47);
    command(0x20);
    expect(read()).toBe(0x47);
    command(0x75, 0x99);
    command(0x35);
    expect(read()).toBe(0x99);
  });

  it("opens and shuts A20 by its output port", () => {
    const { a20, command, read } = bench();
    command(0xd1, 0xdd);
    expect(a20.isOpen).toBe(false);
    command(0xd0);
    expect(read() & 0x02).toBe(0);
    command(0xd1, 0xdf);
    expect(a20.isOpen).toBe(true);
  });

  it("resets the processor by a pulse and by the output port, and not by other pulses", () => {
    const { events, command } = bench();
    command(0xff);
    expect(events).toEqual([]);
    command(0xfe);
    command(0xd1, 0x02);
    expect(events).toEqual(["reset", "reset"]);
  });

  it("translates scan codes to set 1 and raises IRQ 1 for each byte", () => {
    const { irq, controller, read, readAll } = bench();
    controller.press([0x1c]); // A
    expect(irq.keyboard).toBe(true);
    expect(read()).toBe(0x1e);
    expect(irq.keyboard).toBe(false);
    controller.press([0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75, 0x83]);
    expect(readAll()).toEqual([0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41]);
  });

  it("sends them as they are without translation, and none while the keyboard is off", () => {
    const { irq, controller, command, readAll } = bench();
    command(0x60, 0x10);
    controller.press([0xf0, 0x1c]);
    expect(readAll()).toEqual([]);
    command(0xae);
    expect(irq.keyboard).toBe(false); // the configuration has no interrupt now
    expect(readAll()).toEqual([0xf0, 0x1c]);
  });

  it("lets the guest put bytes into the output buffer, for either channel", () => {
    const { irq, command, read, status } = bench();
    command(0xd2, 0x12);
    expect([irq.keyboard, status() & 0x21]).toEqual([true, 0x01]);
    expect(read()).toBe(0x12);
    command(0xd3, 0x34);
    expect([irq.auxiliary, status() & 0x21]).toEqual([true, 0x21]);
    expect(read()).toBe(0x34);
    expect(irq.auxiliary).toBe(false);
  });

  it("times out what is sent to the mouse that is not there", () => {
    const { command, read, status } = bench();
    command(0xd4, 0xf2);
    expect(status() & 0x61).toBe(0x61);
    expect(read()).toBe(0xfe);
  });

  it("answers for the keyboard: reset, identity, echo, LEDs", () => {
    const { controller, readAll } = bench();
    const ask = (...bytes: number[]) => {
      for (const byte of bytes) controller.write(DATA, 1, byte);
      return readAll();
    };
    expect(ask(0xff)).toEqual([0xfa, 0xaa]);
    expect(ask(0xf2)).toEqual([0xfa, 0xab, 0x41]); // 0x83, translated as on every PC
    expect(ask(0xee)).toEqual([0xee]);
    expect(ask(0xed, 0x05)).toEqual([0xfa, 0xfa]);
    expect(controller.keyboard.leds).toBe(5);
    expect(ask(0xf5)).toEqual([0xfa]);
    controller.press([0x1c]);
    expect(ask(0xf4)).toEqual([0xfa]);
    expect(ask(0x05)).toEqual([0xfe]);
    expect(ask(0xfe)).toEqual([0xfe]);
  });

  it("refuses keys when its buffer is full, and never grows without bound", () => {
    const { controller } = bench();
    let taken = 0;
    while (controller.press([0x1c]) && taken < 10_000) taken++;
    expect(taken).toBeLessThan(10_000);
    for (let step = 0; step < 10_000; step++) controller.write(DATA, 1, 0xee);
    expect(controller.save().keyboard.queue.length).toBeLessThanOrEqual(4096);
  });

  it("restores in the middle of a key", () => {
    const first = bench();
    first.controller.press([0xe0, 0xf0, 0x75]);
    const second = bench();
    second.controller.restore(JSON.parse(JSON.stringify(first.controller.save())));
    expect(second.irq.keyboard).toBe(true);
    expect(second.readAll()).toEqual([0xe0, 0xc8]);
  });

  it("gets through 100,000 random operations", () => {
    const { controller } = bench();
    let seed = 9;
    const random = (bound: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed >>> 9) % bound;
    };
    for (let step = 0; step < 100_000; step++) {
      const choice = random(3);
      if (choice === 0) expect(controller.read(random(5)) & ~0xff).toBe(0);
      else if (choice === 1) controller.press([random(256), random(256)]);
      else controller.write(random(5), 1, random(256));
    }
  });
});
