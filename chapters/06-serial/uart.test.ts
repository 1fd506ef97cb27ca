import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject, SerialOperation } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

/** The registers by their offsets. */
const [RBR, THR, IER, IIR, FCR, LCR, MCR, LSR, MSR, SCR] = [0, 0, 1, 2, 2, 3, 4, 5, 6, 7];
const [DR, OE, PE, FE, THRE, TEMT, FIFOERR] = [0x01, 0x02, 0x04, 0x08, 0x20, 0x40, 0x80];

/** Ten bits at 115,200 baud, in nanoseconds. */
const CHARACTER = 86_806;

const write = (at: number, ...bytes: number[]): SerialOperation => ({ do: "write", at, bytes });
const read = (at: number): SerialOperation => ({ do: "read", at });
const advance = (by: number): SerialOperation => ({ do: "advance", by });
const arrive = (...bytes: number[]): SerialOperation => ({ do: "arrive", bytes });
const irq: SerialOperation = { do: "irq" };
const readMany = (at: number, times: number): SerialOperation => ({ do: "readMany", at, times });

const text = (string: string) => [...string].map(character => character.charCodeAt(0));
const FIFO_OF_16 = Array.from({ length: 16 }, (_, at) => at + 1);

describe("character-time", () => {
  it("counts start bit, word, parity and stop bits", async ({ subject }) => {
    const baud = (bits: number, rate: number) => Math.ceil((bits * 1e9) / rate);
    const [plain, parity, twoStops, short] = await subject.call("characterTime", [
      [0b0_0011, 1],
      [0b0_1011, 1],
      [0b0_0111, 1],
      [0b0_0000, 1],
    ]);
    expect(plain, "8N1 is a start bit, 8 bits and a stop bit: ten").toBe(baud(10, 115_200));
    expect(parity, "a parity bit more").toBe(baud(11, 115_200));
    expect(twoStops, "a second stop bit").toBe(baud(11, 115_200));
    expect(short, "a word of 5 bits").toBe(baud(7, 115_200));
  });

  it("stretches with the divisor, and knows the odd cases", async ({ subject }) => {
    const [slow, half, zero] = await subject.call("characterTime", [
      [0b0011, 12],
      [0b0100, 1],
      [0b0011, 0],
    ]);
    expect(slow, "9,600 baud").toBe(Math.ceil(1e10 / 9600));
    expect(half, "with 5 bits the second stop bit is half a bit long").toBe(Math.ceil(7.5e9 / 115_200));
    expect(zero, "a divisor of 0 counts down from 65,536").toBe(Math.ceil((655_360 * 1e9) / 115_200));
  });
});

describe("registers", () => {
  it("shows the divisor at offsets 0 and 1 while DLAB is set", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      write(LCR, 0x83),
      write(0, 0x0c),
      write(1, 0x01),
      read(0),
      read(1),
      write(LCR, 0x03),
      read(IER),
    ]);
    expect(results.slice(3, 5), "DLAB swaps in the divisor at both offsets").toEqual([0x0c, 0x01]);
    expect(results[6], "and without it IER is back").toBe(0);
  });

  it("reads what was written to LCR, IER and SCR", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      write(LCR, 0x1b),
      write(IER, 0x05),
      write(SCR, 0xa5),
      ...[LCR, IER, SCR].map(read),
    ]);
    expect(results.slice(3)).toEqual([0x1b, 0x05, 0xa5]);
  });

  it("gives status and received byte", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      read(LSR),
      arrive(0x41),
      read(LSR),
      read(RBR),
      read(LSR),
    ]);
    expect(results, "LSR has bits of the transmitter and of the receiver").toEqual([
      THRE | TEMT,
      null,
      THRE | TEMT | DR,
      0x41,
      THRE | TEMT,
    ]);
  });
});

describe("fifo-control", () => {
  it("keeps the trigger level", async ({ subject }) => {
    for (const fcr of [0x01, 0x41, 0x81, 0xc1]) {
      const { results } = await subject.call("serial", "immediate", [write(FCR, fcr), { do: "fcr" }]);
      expect(results[1], "bits 7 and 6 of FCR").toBe(fcr);
    }
  });

  it("empties the receiver with bit 1, and leaves it alone without", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      write(FCR, 0x01),
      arrive(1, 2, 3),
      write(FCR, 0x05),
      read(LSR),
      write(FCR, 0x03),
      read(LSR),
      { do: "fcr" },
    ]);
    expect(Number(results[3]) & DR, "bit 2 is the transmitter's").toBe(DR);
    expect(Number(results[5]) & DR, "bit 1 empties the receiver").toBe(0);
    expect(results[6], "bits 1 and 2 are deeds, and not kept").toBe(0x01);
  });

  it("empties both when the FIFOs are switched", async ({ subject }) => {
    const { results, sent } = await subject.call("serial", "line", [
      write(FCR, 0x01),
      arrive(1, 2, 3),
      write(THR, ...text("abc")),
      write(FCR, 0x00),
      read(LSR),
      advance(10 * CHARACTER),
    ]);
    expect(results[4], "nothing waits, one character is still on the line").toBe(THRE);
    expect(
      sent.map(({ byte }) => byte),
      "a was in the shift register, which no reset empties",
    ).toEqual(text("a"));
  });

  it("takes nothing but the enable bit from a value that clears it", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      write(FCR, 0xc0),
      { do: "fcr" },
      arrive(1),
      write(FCR, 0x02),
      read(LSR),
    ]);
    expect(results[1], "no trigger level without FIFOs").toBe(0);
    expect(Number(results[4]) & DR, "and bit 1 resets nothing").toBe(DR);
  });
});

describe("interrupts", () => {
  const openGate: SerialOperation = { do: "openGate" };

  it("tells the most urgent of all that are pending", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      { do: "openGate", modemChanges: 0b0001 },
      write(IER, 0x0f),
      { do: "arrive", bytes: [0x41], errors: PE },
      read(IIR),
      read(LSR),
      read(IIR),
      read(RBR),
      read(IIR),
      read(IIR),
    ]);
    expect(results[3], "line status first").toBe(0x06);
    expect(results[5], "then received data").toBe(0x04);
    expect(results[7], "then the transmitter").toBe(0x02);
    expect(results[8], "then the modem").toBe(0x00);
  });

  it("tells only of what IER enables", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      openGate,
      { do: "arrive", bytes: [0x41], errors: PE },
      read(IIR),
      write(IER, 0x01),
      read(IIR),
      irq,
    ]);
    expect(results[2], "nothing is enabled").toBe(0x01);
    expect(results.slice(4), "received data is, line status is not").toEqual([0x04, true]);
  });

  it("interrupts at the trigger level", async ({ subject }) => {
    for (const [fcr, level] of [
      [0x01, 1],
      [0x41, 4],
      [0x81, 8],
      [0xc1, 14],
    ] as const) {
      const { results } = await subject.call("serial", "immediate", [
        openGate,
        write(FCR, fcr),
        write(IER, 0x01),
        arrive(...FIFO_OF_16.slice(0, level - 1)),
        irq,
        arrive(0xff),
        irq,
      ]);
      expect([results[4], results[6]], `FCR 0x${fcr.toString(16)} interrupts at ${level}`).toEqual([
        false,
        true,
      ]);
    }
  });

  it("tells the timeout from the trigger level", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      openGate,
      write(FCR, 0x41),
      write(IER, 0x01),
      arrive(1),
      advance(4 * CHARACTER),
      irq,
      read(IIR),
      arrive(2, 3, 4),
      read(IIR),
    ]);
    expect(results.slice(5, 7), "IIR 1100, and FIFOs are on").toEqual([true, 0xcc]);
    expect(results[8], "at the level received data comes before the timeout").toBe(0xc4);
  });

  it("ends the transmitter's interrupt when IIR tells of it", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      openGate,
      write(IER, 0x02),
      irq,
      read(IIR),
      irq,
      read(IIR),
    ]);
    expect(results.slice(2), "raised, told, and with that ended").toEqual([true, 0x02, false, 0x01]);
  });

  it("keeps the transmitter's interrupt while IIR tells of another", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      openGate,
      write(IER, 0x03),
      arrive(0x41),
      read(IIR),
      read(RBR),
      read(IIR),
    ]);
    expect(results[3]).toBe(0x04);
    expect(results[5], "the transmitter is still empty, and nobody has heard of it yet").toBe(0x02);
  });

  it("says by IIR whether the FIFOs are on", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [read(IIR), write(FCR, 0x01), read(IIR)]);
    expect([results[0], results[2]], "bits 7 and 6 are set while they are").toEqual([0x01, 0xc1]);
  });
});

describe("modem", () => {
  it("loops the four outputs back to the four inputs", async ({ subject }) => {
    const pairs = [
      [0x12, 0x10, "RTS is CTS"],
      [0x11, 0x20, "DTR is DSR"],
      [0x14, 0x40, "OUT1 is RI"],
      [0x18, 0x80, "OUT2 is DCD"],
    ] as const;
    for (const [mcr, msr, name] of pairs) {
      const { results } = await subject.call("serial", "immediate", [write(MCR, mcr), read(MSR), read(MCR)]);
      expect(Number(results[1]) & 0xf0, name).toBe(msr);
      expect(results[2], "MCR reads as it was written").toBe(mcr);
    }
  });

  it("notes the changes, of a ring only its end", async ({ subject }) => {
    const lines = (value: number): SerialOperation => ({ do: "modem", lines: value });
    const { results } = await subject.call("serial", "immediate", [
      read(MSR),
      lines(0x70),
      read(MSR),
      lines(0x20),
      read(MSR),
      read(MSR),
    ]);
    expect(results[0], "a terminal is ready: CTS, DSR and DCD, and no change").toBe(0xb0);
    expect(results[2], "DCD fell; of RI only the trailing edge is told").toBe(0x78);
    expect(results[4], "CTS fell, and the ring ended").toBe(0x25);
    expect(results[5], "a read forgets the changes").toBe(0x20);
  });

  it("interrupts with a change until MSR is read", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      write(MCR, 0x0b),
      write(IER, 0x08),
      irq,
      { do: "modem", lines: 0 },
      irq,
      read(IIR),
      read(MSR),
      irq,
    ]);
    expect(results[2], "nothing has changed yet").toBe(false);
    expect(results.slice(4, 6), "three lines fell").toEqual([true, 0x00]);
    expect(results.slice(6), "the read tells of them and ends it").toEqual([0x0b, false]);
  });
});
