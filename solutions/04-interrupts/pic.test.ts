import { describe, expect, it } from "vitest";
import { ElcrRegisters } from "../../sandbox/devices/elcr.ts";
import { PicPair } from "./pic.ts";

/** A pair initialized as Linux and every BIOS do, vectors 0x20 and 0x28, nothing masked. */
function initialized({ icw1 = 0x11, icw4 = 0x01, slaveIcw4 = 0x01 } = {}): PicPair {
  const pair = new PicPair();
  initialize(pair, { icw1, icw4, slaveIcw4 });
  return pair;
}

function initialize(pair: PicPair, { icw1 = 0x11, icw4 = 0x01, slaveIcw4 = 0x01 } = {}): void {
  pair.master.write(0, 1, icw1);
  pair.master.write(1, 1, 0x20);
  pair.master.write(1, 1, 0x04);
  pair.master.write(1, 1, icw4);
  pair.slave.write(0, 1, icw1);
  pair.slave.write(1, 1, 0x28);
  pair.slave.write(1, 1, 0x02);
  pair.slave.write(1, 1, slaveIcw4);
}

const pulse = (pair: PicPair, irq: number) => {
  pair.setIrq(irq, false);
  pair.setIrq(irq, true);
};
const irr = (pair: PicPair) => {
  pair.master.write(0, 1, 0x0a);
  return pair.master.read(0);
};
const isr = (pair: PicPair) => {
  pair.master.write(0, 1, 0x0b);
  return pair.master.read(0);
};

describe("initialization", () => {
  it("requests nothing before all its words came", () => {
    const pair = new PicPair();
    pair.setIrq(1, true);
    expect(pair.interruptPending).toBe(false);
    pair.master.write(0, 1, 0x11);
    pair.master.write(1, 1, 0x20);
    pair.master.write(1, 1, 0x04);
    pulse(pair, 1);
    expect(pair.interruptPending).toBe(false);
    pair.master.write(1, 1, 0x01);
    expect(pair.interruptPending).toBe(true);
  });

  it("skips ICW3 in single mode and ICW4 when ICW1 did not announce it", () => {
    const pair = new PicPair();
    pair.master.write(0, 1, 0x12);
    pair.master.write(1, 1, 0x40);
    pair.master.write(1, 1, 0b1111_1110); // already OCW1
    expect(pair.master.read(1)).toBe(0b1111_1110);
    pulse(pair, 0);
    expect(pair.acknowledge()).toBe(0x40);
  });

  it("in single mode gives the vector of IR2 itself", () => {
    const pair = initialized();
    pair.master.write(0, 1, 0x13);
    pair.master.write(1, 1, 0x40);
    pair.master.write(1, 1, 0x01);
    pulse(pair, 9);
    expect(pair.acknowledge()).toBe(0x42);
  });

  it("uses only the upper five bits of ICW2", () => {
    const pair = new PicPair();
    for (const word of [0x27, 0x04, 0x01]) {
      if (word === 0x27) pair.master.write(0, 1, 0x11);
      pair.master.write(1, 1, word);
    }
    pulse(pair, 3);
    expect(pair.acknowledge()).toBe(0x23);
  });

  it("clears the mask, the service register and rotated priorities, and needs new edges", () => {
    const pair = initialized();
    pulse(pair, 4);
    pair.acknowledge();
    pair.setIrq(5, true);
    pair.master.write(1, 1, 0xff);
    pair.master.write(0, 1, 0xc3); // set priority: IR3 lowest
    initialize(pair);
    expect(pair.master.read(1)).toBe(0);
    expect(isr(pair)).toBe(0);
    expect(irr(pair)).toBe(0);
    pulse(pair, 4);
    pulse(pair, 0);
    expect(pair.acknowledge()).toBe(0x20);
  });
});

describe("requests", () => {
  it("keeps an edge-triggered request until it is acknowledged, once an edge", () => {
    const pair = initialized();
    pair.setIrq(4, true);
    expect(irr(pair)).toBe(0b0001_0000);
    expect(pair.acknowledge()).toBe(0x24);
    expect(irr(pair)).toBe(0);
    expect(isr(pair)).toBe(0b0001_0000);
    pair.master.write(0, 1, 0x20);
    expect(pair.interruptPending).toBe(false); // still high: no new edge
    pulse(pair, 4);
    expect(pair.interruptPending).toBe(true);
  });

  it("repeats a level-triggered request for as long as the line is high", () => {
    const pair = initialized({ icw1: 0x19 });
    pair.setIrq(4, true);
    expect(pair.acknowledge()).toBe(0x24);
    expect(pair.interruptPending).toBe(false);
    pair.master.write(0, 1, 0x20);
    expect(pair.acknowledge()).toBe(0x24);
    pair.setIrq(4, false);
    pair.master.write(0, 1, 0x20);
    expect(pair.interruptPending).toBe(false);
  });

  it("takes the trigger mode of a line from the ELCR", () => {
    const pair = initialized();
    const elcr = new ElcrRegisters(pair);
    elcr.write(1, 1, 0xff);
    expect(elcr.read(1)).toBe(0b1101_1110); // IRQ 8 and 13 cannot be level triggered
    elcr.write(0, 1, 0xff);
    expect(elcr.read(0)).toBe(0b1111_1000); // nor 0, 1 and 2
    pair.setIrq(11, true);
    expect(pair.acknowledge()).toBe(0x2b);
    pair.slave.write(0, 1, 0x20);
    pair.master.write(0, 1, 0x20);
    expect(pair.acknowledge()).toBe(0x2b);
  });

  it("holds back what is masked and lets it through when unmasked", () => {
    const pair = initialized();
    pair.master.write(1, 1, 0b0000_0010);
    pair.setIrq(1, true);
    expect(pair.interruptPending).toBe(false);
    expect(irr(pair)).toBe(0b0000_0010);
    pair.master.write(1, 1, 0);
    expect(pair.acknowledge()).toBe(0x21);
  });

  it("drives INTR up with the request and down with the acknowledgement", () => {
    const seen: string[] = [];
    const pair = new PicPair({ raise: () => seen.push("up"), lower: () => seen.push("down") });
    initialize(pair);
    pair.setIrq(3, true);
    pair.acknowledge();
    pair.setIrq(1, true);
    pair.setIrq(1, false);
    expect(seen).toEqual(["up", "down", "up", "down"]);
  });
});

describe("spurious interrupts", () => {
  it("answers with level 7 and leaves the ISR alone when the request went away", () => {
    const pair = initialized();
    pair.setIrq(4, true);
    pair.setIrq(4, false);
    expect(pair.acknowledge()).toBe(0x27);
    expect(isr(pair)).toBe(0);
  });

  it("answers with the slave's level 7 when only the cascade line rose, in service at the master alone", () => {
    const pair = initialized();
    pair.master.setLine(2, true);
    expect(pair.acknowledge()).toBe(0x2f);
    expect(isr(pair)).toBe(0b0000_0100);
    expect(pair.slave.isr).toBe(0);
  });

  it("reads a floating bus when the slave was given another number", () => {
    const pair = initialized();
    for (const word of [0x28, 0x05, 0x01]) {
      if (word === 0x28) pair.slave.write(0, 1, 0x11);
      pair.slave.write(1, 1, word);
    }
    pulse(pair, 9);
    expect(pair.acknowledge()).toBe(0xff);
  });
});

describe("priority", () => {
  it("serves the lowest number first and nests only upwards", () => {
    const pair = initialized();
    pulse(pair, 5);
    pulse(pair, 3);
    expect(pair.acknowledge()).toBe(0x23);
    expect(pair.interruptPending).toBe(false); // 5 waits for 3
    pulse(pair, 1);
    expect(pair.acknowledge()).toBe(0x21);
    expect(isr(pair)).toBe(0b0000_1010);
    pair.master.write(0, 1, 0x20); // ends 1
    expect(isr(pair)).toBe(0b0000_1000);
    pair.master.write(0, 1, 0x20); // ends 3
    expect(pair.acknowledge()).toBe(0x25);
  });

  it("ends the level that a specific EOI names", () => {
    const pair = initialized();
    pulse(pair, 5);
    pair.acknowledge();
    pulse(pair, 1);
    pair.acknowledge();
    pair.master.write(0, 1, 0x65);
    expect(isr(pair)).toBe(0b0000_0010);
  });

  it("rotates with a non-specific EOI: the level served last becomes the lowest", () => {
    const pair = initialized();
    pulse(pair, 1);
    pair.acknowledge();
    pair.master.write(0, 1, 0xa0);
    pulse(pair, 1);
    pulse(pair, 6);
    expect(pair.acknowledge()).toBe(0x26);
  });

  it("rotates with a specific EOI and by set priority", () => {
    const pair = initialized();
    pulse(pair, 4);
    pair.acknowledge();
    pair.master.write(0, 1, 0xe4);
    expect(isr(pair)).toBe(0);
    pulse(pair, 4);
    pulse(pair, 5);
    expect(pair.acknowledge()).toBe(0x25);
    pair.master.write(0, 1, 0x65);
    pair.master.write(0, 1, 0xc3); // IR3 lowest, so IR4 is highest
    pulse(pair, 0);
    expect(pair.acknowledge()).toBe(0x24);
  });

  it("ends by itself in automatic EOI mode, and rotates there when told", () => {
    const pair = initialized({ icw4: 0x03 });
    pulse(pair, 3);
    expect(pair.acknowledge()).toBe(0x23);
    expect(isr(pair)).toBe(0);
    pair.master.write(0, 1, 0x80); // rotate in automatic EOI mode
    pulse(pair, 3);
    pair.acknowledge();
    pulse(pair, 3);
    pulse(pair, 7);
    expect(pair.acknowledge()).toBe(0x27);
    pair.master.write(0, 1, 0x00); // and no more: 7 stays lowest
    expect(pair.acknowledge()).toBe(0x23);
    pulse(pair, 0);
    pulse(pair, 4);
    expect(pair.acknowledge()).toBe(0x20);
  });

  it("in special mask mode lets lower levels through a level in service that is masked", () => {
    const pair = initialized();
    pulse(pair, 2 + 1);
    pair.acknowledge();
    pulse(pair, 6);
    expect(pair.interruptPending).toBe(false);
    pair.master.write(1, 1, 0b0000_1000);
    expect(pair.interruptPending).toBe(false);
    pair.master.write(0, 1, 0x68);
    expect(pair.acknowledge()).toBe(0x26);
    pair.master.write(0, 1, 0x20); // passes over the masked level 3
    expect(isr(pair)).toBe(0b0000_1000);
    pair.master.write(0, 1, 0x48); // special mask mode off
    pulse(pair, 6);
    expect(pair.interruptPending).toBe(false);
  });
});

describe("the cascade", () => {
  it("raises IR2 of the master when the slave requests, and both are in service then", () => {
    const pair = initialized();
    pulse(pair, 10);
    expect(irr(pair)).toBe(0b0000_0100);
    expect(pair.acknowledge()).toBe(0x2a);
    expect(isr(pair)).toBe(0b0000_0100);
    expect(pair.slave.isr).toBe(0b0000_0100);
  });

  it("holds a second, more urgent slave request until the master's EOI", () => {
    const pair = initialized();
    pulse(pair, 12);
    pair.acknowledge();
    pulse(pair, 8);
    expect(pair.interruptPending).toBe(false);
    pair.master.write(0, 1, 0x20);
    expect(pair.acknowledge()).toBe(0x28);
  });

  it("lets it through at once in special fully nested mode, but nothing below IR2", () => {
    const pair = initialized({ icw4: 0x11 });
    pulse(pair, 12);
    pair.acknowledge();
    pulse(pair, 5);
    pulse(pair, 14);
    expect(pair.interruptPending).toBe(false);
    pulse(pair, 8);
    expect(pair.acknowledge()).toBe(0x28);
    expect(pair.slave.isr).toBe(0b0001_0001);
  });

  it("requests again for what waits at the slave after both EOIs", () => {
    const pair = initialized();
    pulse(pair, 9);
    pulse(pair, 11);
    expect(pair.acknowledge()).toBe(0x29);
    pair.slave.write(0, 1, 0x20);
    pair.master.write(0, 1, 0x20);
    expect(pair.acknowledge()).toBe(0x2b);
  });
});

describe("polling", () => {
  it("acknowledges by a read and tells the level, at either offset, once", () => {
    const pair = initialized();
    pulse(pair, 3);
    pair.master.write(0, 1, 0x0c);
    expect(pair.master.read(1)).toBe(0b1000_0011);
    expect(isr(pair)).toBe(0b0000_1000);
    expect(pair.master.read(1)).toBe(0); // the mask again
    pair.master.write(0, 1, 0x0c);
    expect(pair.master.read(0) & 0x80).toBe(0);
  });
});

describe("any guest and any device", () => {
  it("survives 100,000 random operations, keeps its registers 8 bits wide, and restores exactly", () => {
    let seed = 1;
    const random = (bound: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % bound;
    };
    let pair = new PicPair();
    for (let step = 0; step < 100_000; step++) {
      const chip = random(2) ? pair.master : pair.slave;
      const choice = random(5);
      if (choice === 0) chip.write(random(2), 1, random(256));
      else if (choice === 1) expect(chip.read(random(2)) & ~0xff).toBe(0);
      else if (choice === 2) pair.setIrq(random(16), random(2) === 1);
      else if (choice === 3 && pair.interruptPending) expect(pair.acknowledge() & ~0xff).toBe(0);
      else chip.elcr = random(256);
      if (step % 1000 === 0) {
        const saved = structuredClone(pair.save());
        const other = new PicPair();
        other.restore(saved);
        expect(other.save()).toEqual(saved);
        expect(other.interruptPending).toBe(pair.interruptPending);
        pair = other;
      }
    }
  });
});
