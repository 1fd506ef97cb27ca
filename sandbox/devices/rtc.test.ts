import { describe, expect, it } from "vitest";
import { ManualClock } from "../machine/clock.ts";
import { RealTimeClock } from "./rtc.ts";

const SECOND = 1e9;
const MIB = 1024 * 1024;

function bench(start = "2026-02-28T23:59:58Z", memory = 0) {
  const clock = new ManualClock();
  const irq = { level: false, rises: [] as number[] };
  const rtc = new RealTimeClock({
    clock,
    start: Date.parse(start),
    memory,
    irq: {
      raise() {
        irq.level = true;
        irq.rises.push(clock.now());
      },
      lower() {
        irq.level = false;
      },
    },
  });
  const get = (index: number) => {
    rtc.write(0, 1, index);
    return rtc.read(1);
  };
  const set = (index: number, value: number) => {
    rtc.write(0, 1, index);
    rtc.write(1, 1, value);
  };
  /** Century, year, month, day, weekday, hours, minutes, seconds, as hex. */
  const time = () =>
    [0x32, 9, 8, 7, 6, 4, 2, 0].map(index => get(index).toString(16).padStart(2, "0")).join(" ");
  return { clock, irq, rtc, get, set, time };
}

describe("the calendar", () => {
  it("starts at the given time and goes over the end of a month", () => {
    const { clock, time } = bench();
    expect(time()).toBe("20 26 02 28 07 23 59 58");
    clock.advance(2 * SECOND);
    expect(time()).toBe("20 26 03 01 01 00 00 00");
  });

  it("knows leap years and centuries", () => {
    const leap = bench("2028-02-28T23:59:59Z");
    leap.clock.advance(SECOND);
    expect(leap.time()).toBe("20 28 02 29 03 00 00 00");
    const century = bench("1999-12-31T23:59:59Z");
    century.clock.advance(SECOND);
    expect(century.time()).toBe("20 00 01 01 07 00 00 00");
  });

  it("counts in binary and with 12 hours when register B says so", () => {
    const { clock, get, set } = bench("2026-06-15T12:34:56Z");
    set(0x0b, 0x82);
    set(0x0b, 0x84); // binary, 12 hours: the guest sets the time anew
    for (const [index, value] of [
      [0, 59],
      [2, 59],
      [4, 0x80 | 11], // 11 pm
      [7, 31],
      [8, 12],
      [9, 99],
      [6, 5],
    ] as const) {
      set(index, value);
    }
    set(0x0b, 0x04);
    clock.advance(SECOND);
    expect([0, 2, 4, 7, 8, 9, 6].map(get)).toEqual([0, 0, 12, 1, 1, 0, 6]); // midnight is 12 am
  });

  it("stands still under SET and goes on afterwards", () => {
    const { clock, set, time } = bench();
    set(0x0b, 0x82);
    clock.advance(100 * SECOND);
    expect(time()).toBe("20 26 02 28 07 23 59 58");
    set(0x0b, 0x02);
    clock.advance(SECOND);
    expect(time()).toBe("20 26 02 28 07 23 59 59");
  });

  it("makes the first update half a second after the divider is released", () => {
    const { clock, get, set } = bench();
    set(0x0a, 0x76);
    clock.advance(10.3 * SECOND);
    set(0x0a, 0x26);
    expect(get(0)).toBe(0x58);
    clock.advance(SECOND / 2 - 1);
    expect(get(0)).toBe(0x58);
    clock.advance(1);
    expect(get(0)).toBe(0x59);
  });

  it("announces an update by UIP, 2,228 µs before the time changes", () => {
    const { clock, get } = bench();
    clock.advance(SECOND - 2_228_001);
    expect(get(0x0a) & 0x80).toBe(0);
    clock.advance(1);
    expect(get(0x0a) & 0x80).toBe(0x80);
    clock.advance(2_228_000);
    expect(get(0x0a) & 0x80).toBe(0);
    expect(get(0)).toBe(0x59);
  });
});

describe("interrupts", () => {
  it("come with every update, once acknowledged by reading C", () => {
    const { clock, irq, get, set } = bench();
    set(0x0b, 0x12);
    clock.advance(3 * SECOND);
    expect(irq.rises).toEqual([SECOND]);
    expect(get(0x0c)).toBe(0xf0); // PF and the alarm at midnight show, too, though not enabled
    expect(irq.level).toBe(false);
    clock.advance(SECOND);
    expect(irq.rises).toEqual([SECOND, 4 * SECOND]);
  });

  it("come 1,024 times a second, without drift", () => {
    const { clock, irq, get, set } = bench();
    set(0x0b, 0x42);
    for (let tick = 1; tick <= 10_240; tick++) {
      clock.advanceToNext();
      expect(irq.level).toBe(true);
      get(0x0c);
    }
    expect(clock.now()).toBe(10 * SECOND);
  });

  it("come at the alarm's time, and every minute where hours and minutes match anything", () => {
    const { clock, irq, get, set } = bench("2026-06-15T12:00:00Z");
    set(0x01, 0x30);
    set(0x03, 0x01);
    set(0x05, 0x12);
    set(0x0b, 0x22);
    clock.advance(3 * 3600 * SECOND);
    expect(irq.rises).toEqual([90 * SECOND]);
    expect(get(0x0c) & 0xa0).toBe(0xa0);
    set(0x03, 0xff);
    set(0x05, 0xc0);
    clock.advance(40 * SECOND);
    expect(irq.rises.length).toBe(2);
    expect(get(0)).toBe(0x40);
    get(0x0c);
    clock.advance(60 * SECOND);
    expect(irq.rises.length).toBe(3);
  });

  it("are flagged even while disabled, and the line follows when they are enabled", () => {
    const { clock, irq, set } = bench();
    clock.advance(SECOND);
    expect(irq.level).toBe(false);
    set(0x0b, 0x12);
    expect(irq.level).toBe(true);
  });

  it("schedules nothing while none is enabled", () => {
    const { clock, get } = bench();
    get(0);
    expect(clock.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("the CMOS memory", () => {
  it("tells the size of memory where firmware does", () => {
    const { get } = bench(undefined, 64 * MIB);
    expect(get(0x15) | (get(0x16) << 8)).toBe(640);
    expect(get(0x17) | (get(0x18) << 8)).toBe(63 * 1024);
    expect(get(0x30) | (get(0x31) << 8)).toBe(63 * 1024);
    expect(get(0x34) | (get(0x35) << 8)).toBe((48 * MIB) / 65_536);
    const huge = bench(undefined, 3072 * MIB);
    expect(huge.get(0x17) | (huge.get(0x18) << 8)).toBe(0xffff);
  });

  it("keeps what is written, and masks NMIs by bit 7 of the index", () => {
    const { rtc, get, set } = bench();
    set(0x0f, 0x5a);
    expect(get(0x0f)).toBe(0x5a);
    rtc.write(0, 1, 0x8f);
    expect(rtc.isNmiMasked).toBe(true);
    expect(rtc.read(1)).toBe(0x5a);
    expect(get(0x0d)).toBe(0x80);
  });
});

describe("saving and hostile guests", () => {
  it("restores into another clock that goes on in the same way", () => {
    const first = bench();
    first.set(0x0b, 0x72);
    first.clock.advance(1.25 * SECOND);
    first.get(0x0c);
    const second = bench("1980-01-01T00:00:00Z");
    second.clock.advance(first.clock.now());
    second.rtc.restore(JSON.parse(JSON.stringify(first.rtc.save())));
    const before = first.irq.rises.length;
    for (const { clock, get } of [first, second]) {
      clock.advance(SECOND);
      get(0x0c);
      clock.advance(SECOND);
    }
    expect(second.irq.rises).toEqual(first.irq.rises.slice(before));
    expect(second.time()).toBe(first.time());
  });

  it("gets through 100,000 random operations", () => {
    const { clock, rtc } = bench();
    let seed = 5;
    const random = (bound: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed >>> 9) % bound;
    };
    for (let step = 0; step < 100_000; step++) {
      const choice = random(4);
      if (choice === 0) expect(rtc.read(random(2)) & ~0xff).toBe(0);
      else if (choice === 1 && random(20) === 0) clock.advance(random(1e6) * 3000);
      else rtc.write(random(2), 1, random(256) >> (random(3) === 0 ? 4 : 0));
    }
  });
});
