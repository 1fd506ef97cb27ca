import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject, SerialOperation } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const [RBR, THR, IER, IIR, FCR, MCR, LSR] = [0, 0, 1, 2, 2, 4, 5];
const [DR, OE, PE, FE, THRE, TEMT, FIFOERR] = [0x01, 0x02, 0x04, 0x08, 0x20, 0x40, 0x80];
const CHARACTER = 86_806;

const write = (at: number, ...bytes: number[]): SerialOperation => ({ do: "write", at, bytes });
const read = (at: number): SerialOperation => ({ do: "read", at });
const advance = (by: number): SerialOperation => ({ do: "advance", by });
const arrive = (...bytes: number[]): SerialOperation => ({ do: "arrive", bytes });
const readMany = (at: number, times: number): SerialOperation => ({ do: "readMany", at, times });
const irq: SerialOperation = { do: "irq" };

const text = (string: string) => [...string].map(character => character.charCodeAt(0));
const SIXTEEN = Array.from({ length: 16 }, (_, at) => at + 1);

describe("transmit", () => {
  it("has room in THR while a character is on the line", async ({ subject }) => {
    const { results, sent } = await subject.call("serial", "line", [
      write(THR, 0x41),
      read(LSR),
      write(THR, 0x42),
      read(LSR),
      advance(CHARACTER),
      read(LSR),
      advance(CHARACTER),
      read(LSR),
    ]);
    expect(results[1], "the character moved on to the shift register: THRE at once, TEMT not yet").toBe(THRE);
    expect(results[3], "the second one waits in THR").toBe(0);
    expect(results[5], "the first has left, the second moved on").toBe(THRE);
    expect(results[7], "now the line is idle").toBe(THRE | TEMT);
    expect(sent).toEqual([
      { byte: 0x41, at: CHARACTER },
      { byte: 0x42, at: 2 * CHARACTER },
    ]);
  });

  it("takes 16 characters behind the one on the line", async ({ subject }) => {
    const { sent } = await subject.call("serial", "line", [
      write(FCR, 0x01),
      write(THR, ...text("abcdefghijklmnopqrst")),
      advance(30 * CHARACTER),
    ]);
    expect(String.fromCharCode(...sent.map(({ byte }) => byte)), "what does not fit is lost").toBe(
      "abcdefghijklmnopq",
    );
  });

  it("interrupts when THR gets empty, and not before", async ({ subject }) => {
    const { results } = await subject.call("serial", "line", [
      write(MCR, 0x0b),
      write(IER, 0x02),
      read(IIR),
      write(THR, 0x41),
      irq,
      write(THR, 0x42),
      irq,
      advance(CHARACTER),
      irq,
    ]);
    expect(results[2], "THR was empty when the interrupt was enabled").toBe(0x02);
    expect(results[4], "THR is empty again as soon as its character moves on: it asks for the next").toBe(
      true,
    );
    expect(results[6], "a write answers it").toBe(false);
    expect(results[8], "and with the next move it asks again").toBe(true);
  });
});

describe("receive", () => {
  it("gives the characters in the order of their arrival", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      write(FCR, 0x01),
      arrive(...text("abc")),
      readMany(RBR, 3),
    ]);
    expect(results[2], "first in, first out").toEqual(text("abc"));
  });

  it("without FIFOs keeps the newest, and tells of the overrun", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      arrive(0x41, 0x42),
      read(LSR),
      read(RBR),
      read(RBR),
    ]);
    expect(results[1]).toBe(THRE | TEMT | OE | DR);
    expect(results[2], "RBR is overwritten").toBe(0x42);
    expect(results[3], "reading an empty RBR gives what was there").toBe(0x42);
  });

  it("keeps a full FIFO as it is, and loses the newcomer", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      write(FCR, 0x01),
      arrive(...SIXTEEN, 17),
      read(LSR),
      readMany(RBR, 16),
      read(LSR),
    ]);
    expect(Number(results[2]) & OE, "the overrun is told").toBe(OE);
    expect(results[3], "the FIFO keeps what it has").toEqual(SIXTEEN);
    expect(results[4]).toBe(THRE | TEMT);
  });

  it("loses nothing of a paste, whatever its length", async ({ subject }) => {
    const bytes = Uint8Array.from({ length: 400 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
    for (const pace of ["line", "immediate"] as const) {
      const got = await subject.call("paste", pace, bytes);
      expect(got.length, "every byte arrives, and none twice").toBe(bytes.length);
      expect(got.findIndex((byte, at) => byte !== bytes[at])).toBe(-1);
    }
  });
});

describe("line-status", () => {
  it("tells an error once", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      { do: "arrive", bytes: [0x41], errors: PE },
      read(LSR),
      read(LSR),
    ]);
    expect(Number(results[1]) & PE).toBe(PE);
    expect(Number(results[2]) & PE, "reading LSR clears the errors that it showed").toBe(0);
  });

  it("tells each character's errors when it is the oldest", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      write(FCR, 0x01),
      arrive(0x41),
      { do: "arrive", bytes: [0x42], errors: FE },
      read(LSR),
      read(RBR),
      read(LSR),
      read(LSR),
    ]);
    expect(results[3], "the oldest is good; bit 7 warns of one behind it").toBe(FIFOERR | THRE | TEMT | DR);
    expect(results[5], "now the damaged one is the oldest").toBe(FIFOERR | THRE | TEMT | FE | DR);
    expect(results[6], "told, and no other is behind it").toBe(THRE | TEMT | DR);
  });

  it("has no bit 7 without FIFOs", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      { do: "arrive", bytes: [0x41], errors: FE },
      read(LSR),
    ]);
    expect(results[1]).toBe(THRE | TEMT | FE | DR);
  });
});

describe("timeout", () => {
  const started: SerialOperation[] = [write(MCR, 0x0b), write(FCR, 0x81), write(IER, 0x01)];

  it("interrupts after four character times of silence", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      ...started,
      arrive(0x41),
      advance(4 * CHARACTER - 1),
      irq,
      advance(1),
      irq,
      read(IIR),
    ]);
    expect(results[5], "the level of 8 is not reached, and four character times have not passed").toBe(false);
    expect(results[7], "now they have").toBe(true);
    expect(results[8]).toBe(0xcc);
  });

  it("waits anew with each character", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      ...started,
      arrive(0x41),
      advance(3 * CHARACTER),
      arrive(0x42),
      advance(3 * CHARACTER),
      irq,
      advance(CHARACTER),
      irq,
    ]);
    expect([results[7], results[9]], "silence counts from the last character").toEqual([false, true]);
  });

  it("interrupts again while characters stay behind", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      ...started,
      arrive(0x41, 0x42),
      advance(4 * CHARACTER),
      read(RBR),
      irq,
      advance(4 * CHARACTER),
      irq,
      read(RBR),
      advance(40 * CHARACTER),
      irq,
    ]);
    expect(results[6], "a read ends the interrupt").toBe(false);
    expect(results[8], "the time begins anew with a read, and one character is still there").toBe(true);
    expect(results[11], "nothing waits, nothing interrupts").toBe(false);
  });

  it("is not there without FIFOs", async ({ subject }) => {
    const { results } = await subject.call("serial", "immediate", [
      arrive(0x41),
      advance(40 * CHARACTER),
      write(MCR, 0x0b),
      write(IER, 0x01),
      read(IIR),
    ]);
    expect(results[4], "one character is received data, and no timeout").toBe(0x04);
  });
});
