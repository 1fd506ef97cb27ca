import { describe, expect, it } from "vitest";
import { ManualClock } from "../../sandbox/machine/clock.ts";
import { Pit, pulsesAt, timeOfPulse } from "./pit.ts";

class Irq {
  level = false;
  readonly rises: number[] = [];
  constructor(private readonly clock: ManualClock) {}
  raise(): void {
    this.level = true;
    this.rises.push(this.clock.now());
  }
  lower(): void {
    this.level = false;
  }
}

function bench() {
  const clock = new ManualClock();
  const irq = new Irq(clock);
  const pit = new Pit(clock, irq);
  return { clock, irq, pit };
}

/** Programs a counter with a two-byte count. */
function program(pit: Pit, channel: number, mode: number, count: number): void {
  pit.write(3, 1, (channel << 6) | 0b11_0000 | (mode << 1));
  pit.write(channel, 1, count & 0xff);
  pit.write(channel, 1, count >> 8);
}

const tick = (clock: ManualClock, pulses: number) =>
  clock.advanceTo(timeOfPulse(pulsesAt(clock.now()) + pulses));

describe("the timer's clock", () => {
  it("makes exactly 105/88 pulses a microsecond", () => {
    expect(pulsesAt(88_000)).toBe(105);
    expect(pulsesAt(87_999)).toBe(104);
    expect(pulsesAt(3_600_000_000_000)).toBe(Number((3_600_000_000_000n * 105n) / 88_000n));
  });

  it("agrees with exact arithmetic at any time of 104 days", () => {
    for (let time = 1; time < Number.MAX_SAFE_INTEGER; time = Math.floor(time * 1.37) + 1) {
      const pulses = pulsesAt(time);
      expect(BigInt(pulses)).toBe((BigInt(time) * 105n) / 88_000n);
      if (pulses === 0) continue;
      const start = timeOfPulse(pulses);
      expect(pulsesAt(start)).toBe(pulses);
      expect(pulsesAt(start - 1)).toBe(pulses - 1);
    }
  });
});

describe("counter 0 and IRQ 0", () => {
  it("interrupts once in mode 0, N + 1 pulses after the count", () => {
    const { clock, irq, pit } = bench();
    program(pit, 0, 0, 1000);
    clock.advanceTo(timeOfPulse(1001) - 1);
    expect(irq.level).toBe(false);
    clock.advance(1_000_000_000);
    expect(irq.rises).toEqual([timeOfPulse(1001)]);
    expect(irq.level).toBe(true);
  });

  it("interrupts every N pulses in modes 2 and 3", () => {
    for (const mode of [2, 3]) {
      const { clock, irq, pit } = bench();
      program(pit, 0, mode, 1193);
      tick(clock, 1193 * 5 + 1);
      expect(irq.rises).toEqual([1, 2, 3, 4, 5].map(period => timeOfPulse(1 + 1193 * period)));
    }
  });

  it("keeps time over a day: every one of 1,573,042 interrupts comes at its exact nanosecond", () => {
    const clock = new ManualClock();
    let rises = 0;
    let wrong = 0;
    const pit = new Pit(clock, {
      raise() {
        rises++;
        // The first nanosecond at which 1 + 65,536 × rises pulses have passed, in exact integers.
        const pulses = BigInt(1 + 65_536 * rises);
        if (BigInt(clock.now()) !== (pulses * 17_600n + 20n) / 21n) wrong++;
      },
      lower() {},
    });
    program(pit, 0, 2, 0);
    clock.advance(24 * 3600 * 1e9);
    expect(rises).toBe(1_573_042);
    expect(wrong).toBe(0);
  });

  it("schedules at most two calls a period, and none when nothing can come", () => {
    const { clock, pit } = bench();
    let calls = 0;
    const counting = new Pit(
      {
        now: () => clock.now(),
        schedule: (at, run) =>
          clock.schedule(at, () => {
            calls++;
            run();
          }),
      },
      { raise() {}, lower() {} },
    );
    program(counting, 0, 2, 11_932);
    clock.advance(1_000_000_000);
    expect(calls).toBeLessThanOrEqual(2 * 100 + 2);
    program(counting, 0, 1, 5);
    program(pit, 2, 3, 100);
    expect(clock.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  it("gives one edge, not a burst, for the periods that a late clock skipped", () => {
    let now = 0;
    let late: (() => void) | undefined;
    let rises = 0;
    const clock = {
      now: () => now,
      schedule: (_at: number, callback: () => void) => {
        late = callback;
        return () => {};
      },
    };
    const pit = new Pit(clock, { raise: () => rises++, lower() {} });
    program(pit, 0, 2, 1193);
    now = 1e9; // a thousand periods later
    late?.();
    expect(rises).toBeGreaterThanOrEqual(1);
    expect(rises).toBeLessThanOrEqual(4);
    expect(pit.output(0)).toBe(true);
  });
});

describe("commands", () => {
  it("latches one counter and leaves the others running", () => {
    const { clock, pit } = bench();
    program(pit, 0, 2, 0x1234);
    program(pit, 1, 2, 0x1234);
    tick(clock, 1);
    pit.write(3, 1, 0b0100_0000);
    tick(clock, 4);
    expect([pit.read(0), pit.read(1), pit.read(1)]).toEqual([0x30, 0x34, 0x12]);
  });

  it("reads back count and status of several counters at once", () => {
    const { clock, pit } = bench();
    program(pit, 0, 2, 0x1234);
    program(pit, 1, 3, 0x0008);
    tick(clock, 3);
    pit.write(3, 1, 0b1100_0110); // count and status of 0 and 1
    tick(clock, 100);
    expect([pit.read(0), pit.read(0), pit.read(0)]).toEqual([0b1011_0100, 0x32, 0x12]);
    expect([pit.read(1), pit.read(1), pit.read(1)]).toEqual([0b1011_0110, 0x04, 0x00]);
    pit.write(3, 1, 0b1110_1000); // status of 2, which was never programmed
    expect(pit.read(2) & 0b0100_0000).toBe(0b0100_0000);
  });

  it("reads nothing from the control word", () => {
    expect(bench().pit.read(3)).toBe(0xff);
  });
});

describe("counter 2", () => {
  it("stands until its gate opens", () => {
    const { clock, pit } = bench();
    program(pit, 2, 0, 10);
    tick(clock, 100);
    expect(pit.output(2)).toBe(false);
    pit.setGate(2, true);
    tick(clock, 9);
    expect(pit.output(2)).toBe(false);
    tick(clock, 1);
    expect(pit.output(2)).toBe(true);
  });
});

describe("saving", () => {
  it("restores into another timer that goes on as the first would have", () => {
    const { clock, irq, pit } = bench();
    program(pit, 0, 3, 4001);
    program(pit, 2, 2, 777);
    pit.setGate(2, true);
    clock.advance(123_456_789);
    const saved = structuredClone(pit.save());
    const laterClock = new ManualClock(clock.now());
    const laterIrq = new Irq(laterClock);
    const later = new Pit(laterClock, laterIrq);
    later.restore(saved);
    const before = irq.rises.length;
    clock.advance(50_000_000);
    laterClock.advance(50_000_000);
    expect(laterIrq.rises).toEqual(irq.rises.slice(before));
    expect(later.save()).toEqual(pit.save());
  });
});

describe("a hostile guest", () => {
  it("gets through 100,000 random operations without an exception or a value that is no byte", () => {
    const { clock, pit } = bench();
    let seed = 3;
    const random = (bound: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed >>> 9) % bound;
    };
    for (let step = 0; step < 100_000; step++) {
      const choice = random(4);
      if (choice === 0) expect(pit.read(random(4)) & ~0xff).toBe(0);
      else if (choice === 1) clock.advance(random(5000));
      else if (choice === 2 && random(8) === 0) pit.setGate(2, random(2) === 1);
      else pit.write(random(4), 1, random(256));
    }
  });
});
