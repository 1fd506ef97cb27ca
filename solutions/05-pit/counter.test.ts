import { describe, expect, it } from "vitest";
import { Counter } from "./counter.ts";

/** A counter on a clock that is moved pulse by pulse, as the data sheet's timing diagrams are drawn. */
class Bench {
  readonly counter = new Counter();
  tick = 0;

  constructor(control: number, count?: number) {
    this.counter.writeControl(control);
    if (count !== undefined) this.counter.writeByte(count);
  }

  /** The next `pulses` pulses as the diagrams print them: the count, and a line above it where OUT is high. */
  trace(pulses: number): string {
    const seen: string[] = [];
    for (let pulse = 0; pulse < pulses; pulse++) {
      this.counter.advance(++this.tick);
      seen.push(`${this.counter.count.toString(16)}${this.counter.out ? "'" : ""}`);
    }
    return seen.join(" ");
  }

  gate(high: boolean): void {
    this.counter.setGate(high);
  }

  trigger(): void {
    this.counter.setGate(false);
    this.counter.setGate(true);
  }
}

/** A control word's bits 5 to 0 for the LSB alone. */
const lsb = (mode: number, bcd = 0) => 0b01_0000 | (mode << 1) | bcd;
const both = (mode: number, bcd = 0) => 0b11_0000 | (mode << 1) | bcd;

describe("mode 0, interrupt on terminal count", () => {
  it("raises OUT N + 1 pulses after the write and counts on", () => {
    const bench = new Bench(lsb(0), 4);
    expect(bench.counter.out).toBe(false);
    expect(bench.trace(7)).toBe("4 3 2 1 0' ffff' fffe'");
  });

  it("holds the count while GATE is low, and loads all the same", () => {
    const bench = new Bench(lsb(0), 3);
    bench.gate(false);
    expect(bench.trace(3)).toBe("3 3 3");
    bench.gate(true);
    expect(bench.trace(3)).toBe("2 1 0'");
  });

  it("starts again from a new count, with OUT low", () => {
    const bench = new Bench(lsb(0), 3);
    expect(bench.trace(3)).toBe("3 2 1");
    bench.counter.writeByte(2);
    expect(bench.trace(4)).toBe("2 1 0' ffff'");
    bench.counter.writeByte(1);
    expect(bench.counter.out).toBe(false);
    expect(bench.trace(2)).toBe("1 0'");
  });

  it("stops at the first of two bytes and goes on with the second", () => {
    const bench = new Bench(both(0));
    bench.counter.writeByte(0x02);
    bench.counter.writeByte(0x00);
    expect(bench.trace(3)).toBe("2 1 0'");
    bench.counter.writeByte(0x03);
    expect(bench.trace(3)).toBe("0 0 0");
    bench.counter.writeByte(0x00);
    expect(bench.trace(4)).toBe("3 2 1 0'");
  });
});

describe("mode 1, hardware retriggerable one-shot", () => {
  it("lowers OUT for N pulses after a trigger", () => {
    const bench = new Bench(lsb(1), 3);
    expect(bench.counter.out).toBe(true);
    bench.trace(2);
    expect(bench.counter.out).toBe(true);
    bench.trigger();
    expect(bench.trace(5)).toBe("3 2 1 0' ffff'");
  });

  it("begins anew when triggered again, and takes a new count only then", () => {
    const bench = new Bench(lsb(1), 3);
    bench.trigger();
    expect(bench.trace(2)).toBe("3 2");
    bench.counter.writeByte(2);
    expect(bench.counter.status & 0x40).toBe(0x40);
    bench.trigger();
    expect(bench.trace(3)).toBe("2 1 0'");
    bench.gate(false);
    expect(bench.trace(1)).toBe("ffff'"); // the level of GATE does not matter
  });
});

describe("mode 2, rate generator", () => {
  it("lowers OUT for the last of every N pulses", () => {
    expect(new Bench(lsb(2), 3).trace(7)).toBe("3' 2' 1 3' 2' 1 3'");
  });

  it("starts over at a trigger, with OUT high from the moment that GATE falls", () => {
    const bench = new Bench(lsb(2), 3);
    expect(bench.trace(3)).toBe("3' 2' 1");
    bench.gate(false);
    expect(bench.counter.out).toBe(true);
    expect(bench.trace(2)).toBe("1' 1'");
    bench.gate(true);
    expect(bench.trace(4)).toBe("3' 2' 1 3'");
  });

  it("takes a new count at the end of the period, and tells by NULL COUNT until then", () => {
    const bench = new Bench(lsb(2), 4);
    expect(bench.trace(2)).toBe("4' 3'");
    bench.counter.writeByte(5);
    expect(bench.counter.status & 0x40).toBe(0x40);
    expect(bench.trace(4)).toBe("2' 1 5' 4'");
    expect(bench.counter.status & 0x40).toBe(0);
  });
});

describe("mode 3, square wave", () => {
  it("halves an even count", () => {
    expect(new Bench(lsb(3), 4).trace(9)).toBe("4' 2' 4 2 4' 2' 4 2 4'");
  });

  it("is high one pulse longer with an odd count", () => {
    expect(new Bench(lsb(3), 5).trace(11)).toBe("4' 2' 0' 4 2 4' 2' 0' 4 2 4'");
  });

  it("raises OUT when GATE falls and starts over at a trigger", () => {
    const bench = new Bench(lsb(3), 4);
    expect(bench.trace(3)).toBe("4' 2' 4");
    bench.gate(false);
    expect(bench.trace(1)).toBe("4'");
    bench.gate(true);
    expect(bench.trace(5)).toBe("4' 2' 4 2 4'");
  });

  it("takes a new count at the end of the half-cycle", () => {
    const bench = new Bench(lsb(3), 4);
    bench.trace(1);
    bench.counter.writeByte(6);
    expect(bench.trace(8)).toBe("2' 6 4 2 6' 4' 2' 6");
  });
});

describe("mode 4, software triggered strobe", () => {
  it("lowers OUT for one pulse, once, N + 1 pulses after the write", () => {
    expect(new Bench(lsb(4), 3).trace(6)).toBe("3' 2' 1' 0 ffff' fffe'");
  });

  it("holds while GATE is low and starts again from a new count", () => {
    const bench = new Bench(lsb(4), 3);
    bench.gate(false);
    expect(bench.trace(2)).toBe("3' 3'");
    bench.gate(true);
    expect(bench.trace(1)).toBe("2'");
    bench.counter.writeByte(2);
    expect(bench.trace(4)).toBe("2' 1' 0 ffff'");
  });

  it("does not strobe again when it passes zero the next time", () => {
    const bench = new Bench(lsb(4), 3);
    bench.counter.advance(4 + 0x1_0000);
    expect(bench.counter.count).toBe(0);
    expect(bench.counter.out).toBe(true);
  });
});

describe("mode 5, hardware triggered strobe", () => {
  it("strobes N + 1 pulses after a trigger, whatever GATE does then", () => {
    const bench = new Bench(lsb(5), 3);
    bench.trace(4);
    expect(bench.counter.out).toBe(true);
    bench.trigger();
    expect(bench.trace(2)).toBe("3' 2'");
    bench.gate(false);
    expect(bench.trace(3)).toBe("1' 0 ffff'");
  });

  it("begins anew when triggered again", () => {
    const bench = new Bench(lsb(5), 3);
    bench.trigger();
    expect(bench.trace(2)).toBe("3' 2'");
    bench.trigger();
    expect(bench.trace(5)).toBe("3' 2' 1' 0 ffff'");
  });
});

describe("counts", () => {
  it("takes 0 for 65,536, and for 10,000 in BCD", () => {
    const binary = new Bench(both(2));
    for (const byte of [0, 0]) binary.counter.writeByte(byte);
    expect(binary.trace(2)).toBe("0' ffff'");
    expect(binary.counter.pulsesToEvent).toBe(0xfffe);
    const decimal = new Bench(both(2, 1));
    for (const byte of [0, 0]) decimal.counter.writeByte(byte);
    expect(decimal.trace(2)).toBe("0' 9999'");
    expect(decimal.counter.pulsesToEvent).toBe(9998);
  });

  it("borrows in decimal when BCD is set", () => {
    const bench = new Bench(both(0, 1));
    for (const byte of [0x01, 0x10]) bench.counter.writeByte(byte);
    expect(bench.trace(3)).toBe("1001 1000 999");
  });

  it("takes a count of the MSB alone as a multiple of 256", () => {
    const bench = new Bench(0b10_0000, 0x12);
    expect(bench.trace(1)).toBe("1200");
    expect(bench.counter.readByte()).toBe(0x12);
  });

  it("survives the digits A to F in a BCD count", () => {
    const bench = new Bench(both(2, 1));
    for (const byte of [0xff, 0xff]) bench.counter.writeByte(byte);
    bench.counter.advance(1_000_000);
    expect(bench.counter.count).toBeGreaterThanOrEqual(0);
  });

  it("never wakes anybody for a count of 1 in modes 2 and 3, where it is illegal", () => {
    for (const mode of [2, 3]) {
      const bench = new Bench(lsb(mode), 1);
      bench.trace(3);
      expect(bench.counter.pulsesToEvent).toBe(Number.POSITIVE_INFINITY);
      bench.counter.writeByte(4);
      bench.trace(4);
      expect(bench.counter.pulsesToEvent).toBeLessThan(4);
    }
  });
});

describe("reading", () => {
  it("reads the running count byte by byte, and a latched one as it was", () => {
    const bench = new Bench(both(0));
    for (const byte of [0x00, 0x10]) bench.counter.writeByte(byte);
    bench.trace(1);
    bench.counter.latchCount();
    bench.trace(1);
    bench.counter.latchCount(); // ignored: the first was not read yet
    expect(bench.counter.readByte()).toBe(0x00);
    expect(bench.counter.readByte()).toBe(0x10);
    expect(bench.counter.readByte()).toBe(0xff);
    bench.trace(0x200);
    expect(bench.counter.readByte()).toBe(0x0d); // torn, as on the chip
  });

  it("returns a latched status before a latched count", () => {
    const bench = new Bench(lsb(3), 4);
    bench.trace(3);
    bench.counter.latchStatus();
    bench.counter.latchCount();
    bench.trace(1);
    bench.counter.latchStatus();
    expect(bench.counter.readByte()).toBe(0b0001_0110);
    expect(bench.counter.readByte()).toBe(4);
    expect(bench.counter.readByte()).toBe(2);
  });

  it("forgets its latches with a new control word", () => {
    const bench = new Bench(lsb(0), 9);
    bench.trace(1);
    bench.counter.latchCount();
    bench.counter.latchStatus();
    bench.counter.writeControl(lsb(0));
    bench.counter.writeByte(5);
    bench.trace(1);
    expect(bench.counter.readByte()).toBe(5);
  });

  it("keeps the mode bits in the status as they were written", () => {
    expect(new Bench(lsb(6)).counter.status).toBe(0b1101_1100);
    expect(new Bench(lsb(6)).counter.mode).toBe(2);
    expect(new Bench(lsb(7)).counter.mode).toBe(3);
  });
});

describe("against a counter that is moved pulse by pulse", () => {
  it("agrees in 60,000 random steps of writes, gates and jumps", () => {
    let seed = 7;
    const random = (bound: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed >>> 9) % bound;
    };
    const fast = new Counter();
    let slow = new PulseByPulse(0b01_0100, true);
    fast.writeControl(0b01_0100);
    let tick = 0;
    for (let step = 0; step < 60_000; step++) {
      const choice = random(12);
      if (choice === 0) {
        const control = 0b01_0000 | (random(8) << 1) | random(2);
        fast.writeControl(control);
        slow = new PulseByPulse(control, slow.gate);
      } else if (choice <= 2) {
        const digits = random(4) === 0 ? 0 : random(8) + 2;
        fast.writeByte(digits);
        slow.write(digits);
      } else if (choice <= 4) {
        const gate = random(2) === 1;
        fast.setGate(gate);
        slow.setGate(gate);
      } else {
        const event = fast.pulsesToEvent;
        const pulses = random(3) ? random(9) : random(300);
        const out = slow.out;
        for (let pulse = 1; pulse <= pulses; pulse++) {
          slow.pulse();
          if (pulse < event && slow.out !== out) throw new Error(`OUT moved before the event, step ${step}`);
        }
        fast.advance((tick += pulses));
      }
      const seen = [fast.out, fast.status >> 6, slow.loaded ? fast.count : "idle"];
      const expected = [
        slow.out,
        (slow.out ? 2 : 0) | (slow.nullCount ? 1 : 0),
        slow.loaded ? slow.shown : "idle",
      ];
      if (String(seen) !== String(expected))
        expect({ step, mode: fast.mode, seen }).toEqual({ step, seen: expected });
    }
  });
});

/** The mode definitions of the data sheet, word by word, one pulse at a time. */
class PulseByPulse {
  ce = 0;
  cr = 0;
  out: boolean;
  loaded = false;
  loading = false;
  nullCount = true;
  done = false;
  odd = false;
  strobe = false;
  readonly mode: number;
  readonly modulus: number;

  constructor(
    control: number,
    public gate: boolean,
  ) {
    this.mode = [0, 1, 2, 3, 4, 5, 2, 3][(control >> 1) & 7]!;
    this.modulus = control & 1 ? 10_000 : 65_536;
    this.out = this.mode !== 0;
  }

  write(digits: number): void {
    this.cr = digits || this.modulus;
    this.nullCount = true;
    if (this.mode === 0) this.out = false;
    if (this.mode === 0 || this.mode === 4) this.loading = true;
    if ((this.mode === 2 || this.mode === 3) && !this.loaded) this.loading = true;
  }

  setGate(high: boolean): void {
    if (high && !this.gate && this.mode !== 0 && this.mode !== 4 && this.cr) this.loading = true;
    if (!high && (this.mode === 2 || this.mode === 3)) this.out = true;
    this.gate = high;
  }

  pulse(): void {
    if (this.strobe) {
      this.strobe = false;
      this.out = true;
    }
    if (this.loading) {
      this.loading = false;
      this.loaded = true;
      this.done = false;
      if (this.mode === 1) this.out = false;
      if (this.mode === 3) this.out = true;
      this.reload();
      return;
    }
    if (!this.loaded) return;
    if (this.mode !== 1 && this.mode !== 5 && !this.gate) return;
    if (this.mode === 2) {
      if (this.ce === 1) {
        this.reload();
        this.out = true;
      } else if (--this.ce === 1) this.out = false;
    } else if (this.mode === 3) {
      if (this.odd && this.out) {
        if (this.ce === 0) this.toggle();
        else this.ce -= 2;
      } else if ((this.ce -= 2) === 0) this.toggle();
    } else {
      this.ce = (this.ce - 1 + this.modulus) % this.modulus;
      if (this.ce === 0 && !this.done) {
        this.done = true;
        this.out = this.mode < 2;
        this.strobe = this.mode > 3;
      }
    }
  }

  private toggle(): void {
    this.out = !this.out;
    this.reload();
  }

  private reload(): void {
    this.odd = this.cr % 2 === 1;
    this.ce = this.mode === 3 && this.odd ? this.cr - 1 : this.cr;
    this.nullCount = false;
  }

  get shown(): number {
    const value = this.ce % this.modulus;
    return this.modulus === 10_000 ? Number.parseInt(String(value), 16) : value;
  }
}
