import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject, PicOperation } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const EOI = 0x20;
const SPECIFIC_EOI = 0x60;
const ROTATE_ON_EOI = 0xa0;
const SPECIAL_MASK_ON = 0x68;

const write = (offset: 0 | 1, ...bytes: number[]): PicOperation => ({ do: "write", offset, bytes });
const toSlave = (offset: 0 | 1, ...bytes: number[]): PicOperation => ({
  do: "write",
  offset,
  bytes,
  chip: "slave",
});
const high = (irq: number): PicOperation => ({ do: "line", irq, high: true });
const low = (irq: number): PicOperation => ({ do: "line", irq, high: false });
const irr: PicOperation = { do: "irr" };
const isr: PicOperation = { do: "isr" };
const int: PicOperation = { do: "int" };
const pending: PicOperation = { do: "pending" };
const serve = (level: number): PicOperation => ({ do: "serve", level });
const acknowledge: PicOperation = { do: "acknowledge" };
/** No level is pending. */
const NONE = -1;

/** A single controller in 8086 mode, vectors from 0x20, nothing masked. */
const SINGLE: PicOperation[] = [write(0, 0x13), write(1, 0x20, 0x01)];
/** The pair of a PC: vectors from 0x20 and 0x28, the slave at IR2. */
const PAIR: PicOperation[] = [
  write(0, 0x11),
  write(1, 0x20, 0x04, 0x01),
  toSlave(0, 0x11),
  toSlave(1, 0x28, 0x02, 0x01),
];

/** The results that are shown, without those of operations that show nothing. */
const shown = (results: readonly (number | boolean | null)[]) => results.filter(result => result !== null);

describe("requests", () => {
  it("takes the words that ICW1 announces", async ({ subject }) => {
    const imr: PicOperation = { do: "imr" };
    const programs: [string, PicOperation[]][] = [
      ["ICW4, and ICW3 only without SNGL", [write(0, 0x13), write(1, 0x20, 0x01, 0xab)]],
      ["neither ICW3 nor ICW4", [write(0, 0x12), write(1, 0x20, 0xab)]],
      ["ICW3 and ICW4", [write(0, 0x11), write(1, 0x20, 0x04, 0x01, 0xab)]],
      ["ICW3 and no ICW4", [write(0, 0x10), write(1, 0x20, 0x04, 0xab)]],
    ];
    for (const [words, program] of programs) {
      const results = await subject.call("inputs", [...program, imr]);
      expect(shown(results), `with ${words} announced, the next word is the mask`).toEqual([0xab]);
    }
  });

  it("asks for nothing before its last word came", async ({ subject }) => {
    const results = await subject.call("inputs", [
      write(0, 0x13),
      write(1, 0x20),
      high(3),
      int,
      write(1, 0x01),
      int,
    ]);
    expect(shown(results), "INT stays low without a vector to give").toEqual([false, true]);
  });

  it("takes one request an edge", async ({ subject }) => {
    const results = await subject.call("inputs", [
      ...SINGLE,
      ...[high(3), irr, serve(3), irr],
      ...[high(3), irr],
      ...[low(3), high(3), irr],
    ]);
    expect(shown(results), "a line that stays high has asked once; it must fall to ask again").toEqual([
      0b1000, 0, 0, 0b1000,
    ]);
  });

  it("requests for as long as a level-triggered line is high", async ({ subject }) => {
    const results = await subject.call("inputs", [
      ...SINGLE,
      { do: "elcr", mask: 0b1000 },
      ...[high(3), serve(3), irr],
      ...[low(3), irr],
    ]);
    expect(shown(results), "the ELCR makes IR3 level triggered, as PCI wants it").toEqual([0b1000, 0]);
  });
});

describe("priority", () => {
  it("serves the lowest number first, and no level that is masked", async ({ subject }) => {
    const results = await subject.call("pic", [
      ...SINGLE,
      write(1, 0b0000_0010),
      ...[high(6), high(4), high(1)],
      ...[int, pending],
    ]);
    expect(shown(results), "IR1 is masked, IR4 is more urgent than IR6").toEqual([true, 4]);
  });

  it("holds back what is not more urgent than the level in service", async ({ subject }) => {
    const results = await subject.call("pic", [
      ...SINGLE,
      ...[high(3), serve(3)],
      ...[high(5), pending],
      ...[low(3), high(3), pending],
      ...[high(2), pending],
    ]);
    expect(
      shown(results),
      "IR3 is in service: IR5 waits, IR3 itself waits until its end of interrupt, IR2 comes through",
    ).toEqual([NONE, NONE, 2]);
  });

  it("begins behind the level of lowest priority", async ({ subject }) => {
    const results = await subject.call("pic", [
      ...SINGLE,
      { do: "lowest", level: 4 },
      ...[high(1), high(4), high(6)],
      ...[pending, low(6), pending, low(1), pending],
    ]);
    expect(shown(results), "after 4 come 5, 6, 7, 0, 1 …").toEqual([6, 1, 4]);
  });

  it("does not count masked levels in special mask mode", async ({ subject }) => {
    const results = await subject.call("pic", [
      ...SINGLE,
      ...[high(3), serve(3), high(5), pending],
      ...[write(1, 0b1000), write(0, SPECIAL_MASK_ON), pending],
    ]);
    expect(shown(results), "IR3 is in service and masked: now IR5 comes through").toEqual([NONE, 5]);
  });
});

describe("acknowledge", () => {
  it("moves a level from IRR to ISR and lets INT fall", async ({ subject }) => {
    const results = await subject.call("pic", [...SINGLE, high(3), irr, int, acknowledge, irr, isr, int]);
    expect(shown(results)).toEqual([0b1000, true, 3, 0, 0b1000, false]);
  });

  it("answers with level 7 when the request is gone", async ({ subject }) => {
    const results = await subject.call("pic", [...SINGLE, high(3), low(3), acknowledge, isr]);
    expect(shown(results), "a spurious interrupt: level 7, and no bit in the ISR").toEqual([7, 0]);
  });

  it("ends at once in automatic EOI mode", async ({ subject }) => {
    const results = await subject.call("pic", [
      write(0, 0x13),
      write(1, 0x20, 0x03),
      high(3),
      acknowledge,
      isr,
    ]);
    expect(shown(results), "ICW4 has AEOI set").toEqual([3, 0]);
  });

  it("gives the vector of ICW2, the slave's for a slave's level", async ({ subject }) => {
    const vectors = [];
    for (const irq of [1, 10]) {
      vectors.push(...shown(await subject.call("pair", [...PAIR, high(irq), acknowledge])));
    }
    expect(vectors).toEqual([0x21, 0x2a]);
  });

  it("puts a level of the slave in service at both", async ({ subject }) => {
    const results = await subject.call("pair", [
      ...PAIR,
      ...[high(10), acknowledge, isr],
      { do: "isr", chip: "slave" },
    ]);
    expect(shown(results), "IR2 at the slave is IR2 at the master, in service at both controllers").toEqual([
      0x2a, 0b0100, 0b0100,
    ]);
  });

  it("reads a floating bus when no slave has that number", async ({ subject }) => {
    const wrong = [...PAIR.slice(0, 3), toSlave(1, 0x28, 0x05, 0x01)];
    const results = await subject.call("pair", [...wrong, high(10), acknowledge]);
    expect(shown(results), "the slave was told that it sits at IR5: nobody answers for IR2").toEqual([0xff]);
  });
});

describe("end-of-interrupt", () => {
  /** IR5 in service, interrupted by IR2. */
  const nested: PicOperation[] = [...SINGLE, high(5), acknowledge, high(2), acknowledge];

  it("ends the most urgent level, and only that", async ({ subject }) => {
    const results = await subject.call("pic", [...nested, isr, write(0, EOI), isr, write(0, EOI), isr]);
    expect(shown(results).slice(2), "IR2 interrupted IR5: one EOI ends one interrupt").toEqual([
      0b10_0100, 0b10_0000, 0,
    ]);
  });

  it("ends the level that is named", async ({ subject }) => {
    const results = await subject.call("pic", [...nested, write(0, SPECIFIC_EOI | 5), isr]);
    expect(shown(results).slice(2), "SL is set: level 5 is meant").toEqual([0b0100]);
  });

  it("makes the served level the least urgent when it rotates", async ({ subject }) => {
    const results = await subject.call("pic", [
      ...SINGLE,
      ...[high(3), acknowledge, low(3), write(0, ROTATE_ON_EOI)],
      ...[high(3), high(5), acknowledge],
    ]);
    expect(shown(results), "3 was just served: 5 goes before it").toEqual([3, 5]);
  });
});
