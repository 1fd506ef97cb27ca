import { describe, expect, it } from "vitest";
import { ManualClock } from "../../sandbox/machine/clock.ts";
import { characterTime, LSR_FRAMING, LSR_PARITY } from "./registers.ts";
import { MSR_CTS, MSR_DCD, MSR_DSR, MSR_RI, Uart } from "./uart.ts";

const [RBR, THR, DLL, IER, DLM, IIR, FCR, LCR, MCR, LSR, MSR, SCR] = [0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7];

/** 8 bits, no parity, 1 stop bit at 115,200 baud: ten bits. */
const CHARACTER = characterTime({ ier: 0, fcr: 0, lcr: 3, mcr: 0, scr: 0, divisor: 1 });

function bench(pace: "line" | "immediate" = "immediate") {
  const clock = new ManualClock();
  const sent: string[] = [];
  const events: string[] = [];
  const irq = { level: false, edges: 0 };
  const uart = new Uart({
    clock,
    pace,
    irq: {
      raise() {
        irq.level = true;
        irq.edges++;
      },
      lower() {
        irq.level = false;
      },
    },
    peer: {
      transmit: byte => sent.push(String.fromCharCode(byte)),
      drained: () => events.push("drained"),
      breakChanged: isSending => events.push(`break ${isSending}`),
      modemChanged: ({ dtr, rts }) => events.push(`dtr ${dtr} rts ${rts}`),
    },
  });
  const read = (register: number) => uart.read(register);
  const write = (register: number, value: number) => uart.write(register, 1, value);
  const readAll = () => {
    const bytes: number[] = [];
    while (read(LSR) & 1) bytes.push(read(RBR));
    return bytes;
  };
  write(MCR, 0x0b); // DTR, RTS, OUT2
  events.length = 0;
  return { clock, sent, events, irq, uart, read, write, readAll };
}

const text = (string: string) => [...string].map(character => character.charCodeAt(0));

describe("registers", () => {
  it("keeps the scratch register and hides what has no meaning", () => {
    const { read, write } = bench();
    write(SCR, 0xa5);
    expect(read(SCR)).toBe(0xa5);
    write(IER, 0xff);
    expect(read(IER)).toBe(0x0f);
    write(MCR, 0xff);
    expect(read(MCR)).toBe(0x1f);
    write(LSR, 0xff);
    expect(read(LSR)).toBe(0x60);
  });

  it("swaps in the divisor latch with DLAB", () => {
    const { sent, read, write } = bench();
    write(LCR, 0x83);
    write(DLL, 0x0c);
    write(DLM, 0x01);
    expect([read(DLL), read(DLM)]).toEqual([0x0c, 0x01]);
    write(LCR, 0x03);
    expect(read(IER)).toBe(0);
    write(THR, 0x41);
    expect(sent).toEqual(["A"]);
  });

  it("tells by IIR that it has FIFOs, once they are on", () => {
    const { read, write } = bench();
    expect(read(IIR)).toBe(0x01);
    write(FCR, 0x01);
    expect(read(IIR)).toBe(0xc1);
    write(FCR, 0xc0); // the enable bit is off: nothing else is taken
    expect(read(IIR)).toBe(0x01);
  });
});

describe("the format of the line", () => {
  it("knows how long a character takes", () => {
    const at = (lcr: number, divisor: number) =>
      characterTime({ ier: 0, fcr: 0, lcr, mcr: 0, scr: 0, divisor });
    expect(at(0b0011, 12)).toBe(Math.ceil(1e9 / 960)); // 8N1 at 9,600
    expect(at(0b0_1111, 1)).toBe(Math.ceil((12 * 1e9) / 115_200)); // 8 bits, parity, 2 stop bits
    expect(at(0b0100, 1)).toBe(Math.ceil((7.5 * 1e9) / 115_200)); // 5 bits, 1.5 stop bits
    expect(at(0b0011, 0)).toBe(at(0b0011, 65_536));
  });

  it("sends and receives only the bits of a word", () => {
    const { sent, uart, read, write } = bench();
    write(LCR, 0x02);
    write(THR, 0xc1);
    expect(sent).toEqual(["A"]);
    uart.receive([0xc2]);
    expect(read(RBR)).toBe(0x42);
  });
});

describe("the transmitter", () => {
  it("at a line's pace empties THR at once and the line a character later", () => {
    const { clock, sent, read, write } = bench("line");
    write(THR, 0x41);
    expect(read(LSR)).toBe(0x20); // in the shift register: THRE, not TEMT
    write(THR, 0x42);
    expect(read(LSR)).toBe(0x00);
    clock.advance(CHARACTER - 1);
    expect(sent).toEqual([]);
    clock.advance(1);
    expect(sent).toEqual(["A"]);
    expect(read(LSR)).toBe(0x20);
    clock.advance(CHARACTER);
    expect(sent).toEqual(["A", "B"]);
    expect(read(LSR)).toBe(0x60);
  });

  it("takes 16 characters behind the one on the line, and loses the next", () => {
    const { clock, sent, write } = bench("line");
    write(FCR, 0x01);
    for (const byte of text("abcdefghijklmnopqrst")) write(THR, byte);
    clock.advance(100 * CHARACTER);
    expect(sent.join("")).toBe("abcdefghijklmnopq");
  });

  it("sends 1,000 characters in 1,000 character times", () => {
    const { clock, sent, read, write } = bench("line");
    for (let byte = 0; byte < 1000; byte++) {
      while ((read(LSR) & 0x20) === 0) clock.advanceToNext();
      write(THR, byte & 0x7f);
    }
    while ((read(LSR) & 0x40) === 0) clock.advanceToNext();
    expect(sent.length).toBe(1000);
    expect(clock.now()).toBe(1000 * CHARACTER);
  });

  it("interrupts when THR gets empty, until IIR is read or THR is written", () => {
    const { clock, irq, read, write } = bench("line");
    write(IER, 0x02);
    expect(irq.level).toBe(true); // THR was empty when the interrupt was enabled
    expect(read(IIR)).toBe(0x02);
    expect(irq.level).toBe(false);
    expect(read(IIR)).toBe(0x01);
    write(THR, 0x41);
    expect(irq.level).toBe(true); // it moved on to the shift register
    write(THR, 0x42);
    expect(irq.level).toBe(false);
    clock.advance(CHARACTER);
    expect(irq.level).toBe(true);
    write(IER, 0x00);
    expect(irq.level).toBe(false);
    write(IER, 0x02);
    expect(irq.level).toBe(true);
  });

  it("makes an edge for every character that is sent immediately", () => {
    const { irq, write } = bench();
    write(IER, 0x02);
    const before = irq.edges;
    for (const byte of text("abc")) write(THR, byte);
    expect(irq.edges - before).toBe(3);
  });

  it("does not end the transmitter's interrupt by reading IIR when it tells of another", () => {
    const { uart, irq, read, write } = bench();
    write(IER, 0x03);
    uart.receive([0x41]);
    expect(read(IIR)).toBe(0x04);
    read(RBR);
    expect(irq.level).toBe(true);
    expect(read(IIR)).toBe(0x02);
  });

  it("holds the line and says so while a break is sent", () => {
    const { sent, events, write } = bench();
    write(LCR, 0x43);
    write(THR, 0x41);
    write(LCR, 0x03);
    expect(sent).toEqual([]);
    expect(events).toEqual(["break true", "break false"]);
  });
});

describe("the receiver", () => {
  it("without FIFOs overwrites RBR and tells of the overrun", () => {
    const { uart, read } = bench();
    uart.arrive(0x41);
    uart.arrive(0x42);
    expect(read(LSR)).toBe(0x63);
    expect(read(LSR)).toBe(0x61);
    expect(read(RBR)).toBe(0x42);
    expect(read(LSR)).toBe(0x60);
    expect(read(RBR)).toBe(0x42); // what was there stays there
  });

  it("with FIFOs keeps 16 and loses the newcomer", () => {
    const { uart, read, write, readAll } = bench();
    write(FCR, 0x01);
    for (let byte = 1; byte <= 17; byte++) uart.arrive(byte);
    expect(read(LSR) & 0x03).toBe(0x03);
    expect(readAll()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  });

  it.each([
    [0x01, 1],
    [0x41, 4],
    [0x81, 8],
    [0xc1, 14],
  ])("with FCR %#x interrupts at %i characters and stops below", (fcr, level) => {
    const { uart, irq, read, write } = bench();
    write(FCR, fcr);
    write(IER, 0x01);
    for (let byte = 1; byte < level; byte++) uart.arrive(byte);
    expect(irq.level).toBe(false);
    uart.arrive(level);
    expect(irq.level).toBe(true);
    expect(read(IIR)).toBe(0xc4);
    read(RBR);
    expect(irq.level).toBe(false);
  });

  it("interrupts after four character times of silence below the trigger level", () => {
    const { clock, uart, irq, read, write } = bench();
    write(FCR, 0x81);
    write(IER, 0x01);
    uart.arrive(0x41);
    clock.advance(4 * CHARACTER - 1);
    uart.arrive(0x42); // starts the time anew
    clock.advance(4 * CHARACTER - 1);
    expect(irq.level).toBe(false);
    clock.advance(1);
    expect(irq.level).toBe(true);
    expect(read(IIR)).toBe(0xcc);
    expect(read(RBR)).toBe(0x41);
    expect(irq.level).toBe(false); // a read ends it and starts the time anew
    clock.advance(4 * CHARACTER);
    expect(read(IIR)).toBe(0xcc);
    read(RBR);
    clock.advance(100 * CHARACTER);
    expect(irq.level).toBe(false);
  });

  it("shows each character's errors in LSR when it is the oldest", () => {
    const { uart, irq, read, write } = bench();
    write(FCR, 0x81);
    write(IER, 0x04);
    uart.arrive(0x41);
    uart.arrive(0x42, LSR_PARITY);
    uart.arrive(0x43, LSR_FRAMING);
    expect(read(LSR)).toBe(0xe1); // an error is somewhere in the FIFO
    expect(irq.level).toBe(false);
    read(RBR);
    expect(irq.level).toBe(true);
    expect(read(IIR)).toBe(0xc6);
    expect(read(LSR)).toBe(0xe5);
    expect(irq.level).toBe(false);
    read(RBR);
    expect(read(LSR)).toBe(0xe9);
    expect(read(LSR)).toBe(0x61);
  });

  it("receives a break as one zero character", () => {
    const { uart, read } = bench();
    uart.receiveBreak();
    expect(read(LSR)).toBe(0x71);
    expect(read(RBR)).toBe(0);
  });

  it("forgets what it has with the receiver reset and when the FIFOs are switched", () => {
    const { uart, read, write } = bench();
    write(FCR, 0x01);
    uart.arrive(0x41);
    write(FCR, 0x03);
    expect(read(LSR) & 1).toBe(0);
    uart.arrive(0x42);
    write(FCR, 0x00);
    expect(read(LSR) & 1).toBe(0);
  });
});

describe("interrupt priorities", () => {
  it("go from line status over data and transmitter to modem status", () => {
    const { uart, read, write } = bench();
    write(IER, 0x0f);
    uart.setModemLines(0);
    uart.arrive(0x41, LSR_PARITY);
    expect(read(IIR)).toBe(0x06);
    read(LSR);
    expect(read(IIR)).toBe(0x04);
    read(RBR);
    expect(read(IIR)).toBe(0x02);
    expect(read(IIR)).toBe(0x00);
    read(MSR);
    expect(read(IIR)).toBe(0x01);
  });

  it("reach the processor only through OUT2's gate", () => {
    const { uart, irq, write } = bench();
    write(MCR, 0x03);
    write(IER, 0x01);
    uart.arrive(0x41);
    expect(irq.level).toBe(false);
    write(MCR, 0x0b);
    expect(irq.level).toBe(true);
  });
});

describe("the modem", () => {
  it("shows the lines, and what changed since the last read", () => {
    const { uart, read } = bench();
    expect(read(MSR)).toBe(MSR_CTS | MSR_DSR | MSR_DCD);
    uart.setModemLines(MSR_DSR | MSR_DCD | MSR_RI);
    expect(read(MSR)).toBe(MSR_DSR | MSR_DCD | MSR_RI | 0b0001);
    uart.setModemLines(MSR_DSR);
    expect(read(MSR)).toBe(MSR_DSR | 0b1100); // the end of the ring, and the carrier
    expect(read(MSR)).toBe(MSR_DSR);
  });

  it("tells the peer of DTR and RTS", () => {
    const { events, write } = bench();
    write(MCR, 0x09);
    expect(events).toEqual(["dtr true rts false"]);
  });
});

describe("loopback", () => {
  it("brings sent characters back and keeps the line out", () => {
    const { sent, uart, read, write, readAll } = bench();
    write(FCR, 0x01);
    write(MCR, 0x10);
    uart.receive(text("line"));
    for (const byte of text("loop")) write(THR, byte);
    expect(readAll()).toEqual(text("loop"));
    expect(sent).toEqual([]);
    write(LCR, 0x43);
    expect(read(LSR) & 0x10).toBe(0x10);
    read(RBR);
  });

  it("gives the line's bytes afterwards", () => {
    const { clock, uart, write, readAll } = bench();
    write(FCR, 0x01);
    write(MCR, 0x10);
    uart.receive(text("line"));
    write(MCR, 0x0b);
    clock.advance(CHARACTER);
    expect(readAll()).toEqual(text("line"));
  });

  it("turns the four modem outputs into inputs", () => {
    const { read, write } = bench();
    write(MCR, 0x10);
    read(MSR);
    for (const [mcr, msr] of [
      [0x12, MSR_CTS],
      [0x11, MSR_DSR],
      [0x14, MSR_RI],
      [0x18, MSR_DCD],
    ] as const) {
      write(MCR, mcr);
      expect(read(MSR) & 0xf0).toBe(msr);
    }
    write(MCR, 0x1f);
    read(MSR);
    write(MCR, 0x10);
    expect(read(MSR)).toBe(0x0f);
  });
});

describe("a paste", () => {
  it.each(["line", "immediate"] as const)("of 100,000 bytes loses none (%s)", pace => {
    const { clock, events, uart, read, write } = bench(pace);
    write(FCR, 0xc7);
    const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
    const got: number[] = [];
    uart.receive(bytes.subarray(0, 70_000));
    uart.receive(bytes.subarray(70_000));
    while (got.length < bytes.length) {
      while (read(LSR) & 0x01) got.push(read(RBR));
      if (got.length < bytes.length && !clock.advanceToNext()) break;
    }
    expect(got.length).toBe(bytes.length);
    expect(Uint8Array.from(got)).toEqual(bytes);
    expect(events).toEqual(["drained"]);
    if (pace === "line") expect(clock.now()).toBe(100_000 * CHARACTER);
  });

  it("ends a loop that reads until nothing is left, so that the guest's handler returns", () => {
    const { uart, write, readAll } = bench();
    write(FCR, 0x01);
    expect(uart.receive(text("x".repeat(1000)))).toBe(984);
    expect(readAll().length).toBe(16);
  });

  it("waits in the line, without overrun, for a guest that does not read", () => {
    const { clock, uart, read } = bench("line");
    uart.receive(text("abc"));
    clock.advance(50 * CHARACTER);
    expect(read(LSR)).toBe(0x61);
    expect(read(RBR)).toBe(0x61);
    clock.advance(CHARACTER);
    expect(read(RBR)).toBe(0x62);
  });
});

describe("saving", () => {
  it("restores mid-flight into another UART that goes on in the same way", () => {
    const first = bench("line");
    first.write(FCR, 0x81);
    first.write(IER, 0x07);
    for (const byte of text("hello")) first.write(THR, byte);
    first.uart.receive(text("world"));
    first.clock.advance(2.5 * CHARACTER);
    const saved = JSON.parse(JSON.stringify(first.uart.save()));
    const second = bench("line");
    second.clock.advance(first.clock.now());
    second.uart.restore(saved);
    const sentBefore = first.sent.length;
    for (const { clock } of [first, second]) clock.advance(20 * CHARACTER);
    expect(second.sent).toEqual(first.sent.slice(sentBefore));
    expect(second.sent.join("")).toBe("llo");
    expect(second.uart.save()).toEqual(first.uart.save());
    expect(second.irq.level).toBe(first.irq.level);
    expect(second.readAll()).toEqual(text("world"));
  });
});

describe("a hostile guest", () => {
  it.each(["line", "immediate"] as const)("gets through 100,000 random operations (%s)", pace => {
    const { clock, uart, read, write } = bench(pace);
    let seed = 11;
    const random = (bound: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed >>> 9) % bound;
    };
    for (let step = 0; step < 100_000; step++) {
      const choice = random(6);
      if (choice < 2) expect(read(random(8)) & ~0xff).toBe(0);
      else if (choice < 4) write(random(8), random(256));
      else if (choice === 4) clock.advance(random(1_000_000));
      else if (random(2)) uart.receive([random(256)]);
      else uart.arrive(random(256), random(256) & 0x1c);
    }
  });
});
