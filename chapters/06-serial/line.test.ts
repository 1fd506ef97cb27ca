/** The two halves of the port, each for itself. */
import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject, ReceiverOperation, TransmitterOperation } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

/** FCR with and without FIFOs, and with a trigger level of 8. */
const [SINGLE, FIFOS, FIFOS_AT_8] = [0x00, 0x01, 0x81];
const [DR, OE, PE, FE, THRE, TEMT, FIFOERR] = [0x01, 0x02, 0x04, 0x08, 0x20, 0x40, 0x80];
/** Ten bits at 115,200 baud, in nanoseconds. */
const CHARACTER = 86_806;

const text = (string: string) => [...string].map(character => character.charCodeAt(0));
const SIXTEEN = Array.from({ length: 16 }, (_, at) => at + 1);

describe("transmit", () => {
  const write = (bytes: string): TransmitterOperation => ({ do: "write", bytes: text(bytes) });
  const advance = (by: number): TransmitterOperation => ({ do: "advance", by });
  const status: TransmitterOperation = { do: "status" };
  const asks: TransmitterOperation = { do: "asks" };
  const textOf = (sent: readonly { byte: number }[]) => String.fromCharCode(...sent.map(({ byte }) => byte));

  it("has room in THR while a character is on the line", async ({ subject }) => {
    const { results, sent } = await subject.call("transmitter", "line", SINGLE, [
      status,
      write("A"),
      status,
      write("B"),
      status,
      advance(CHARACTER),
      status,
      advance(CHARACTER),
      status,
    ]);
    expect(results[0], "nothing waits and nothing is sent").toBe(THRE | TEMT);
    expect(results[2], "the character moved on to the shift register: THRE at once, TEMT not yet").toBe(THRE);
    expect(results[4], "the second one waits in THR").toBe(0);
    expect(results[6], "the first has left, the second moved on").toBe(THRE);
    expect(results[8], "now the line is idle").toBe(THRE | TEMT);
    expect(sent, "each leaves one character time after it moved into the shift register").toEqual([
      { byte: 0x41, at: CHARACTER },
      { byte: 0x42, at: 2 * CHARACTER },
    ]);
  });

  it("takes 16 characters behind the one on the line", async ({ subject }) => {
    const { sent } = await subject.call("transmitter", "line", FIFOS, [
      write("abcdefghijklmnopqrst"),
      advance(30 * CHARACTER),
    ]);
    expect(textOf(sent), "what does not fit is lost").toBe("abcdefghijklmnopq");
  });

  it("without FIFOs writes over the character that waits in THR", async ({ subject }) => {
    const { sent } = await subject.call("transmitter", "line", SINGLE, [
      write("abc"),
      advance(10 * CHARACTER),
    ]);
    expect(textOf(sent), "a is on the line, b waits, and c takes its place").toBe("ac");
  });

  it("interrupts when THR gets empty, and not before", async ({ subject }) => {
    const { results } = await subject.call("transmitter", "line", SINGLE, [
      { do: "enable" },
      asks,
      { do: "note" },
      write("A"),
      asks,
      write("B"),
      asks,
      advance(CHARACTER),
      asks,
    ]);
    expect(results[1], "THR was empty when the interrupt was enabled").toBe(true);
    expect(results[4], "THR is empty again as soon as its character moves on: it asks for the next").toBe(
      true,
    );
    expect(results[6], "a write answers it").toBe(false);
    expect(results[8], "and with the next move it asks again").toBe(true);
  });

  it("without a pace sends at once", async ({ subject }) => {
    const { results, sent } = await subject.call("transmitter", "immediate", FIFOS, [
      write("ab"),
      status,
      asks,
    ]);
    expect(sent, "isPaced is false: nothing waits for the alarm").toEqual([
      { byte: 0x61, at: 0 },
      { byte: 0x62, at: 0 },
    ]);
    expect(results.slice(1), "so the line is idle, and it asks for more").toEqual([THRE | TEMT, true]);
  });
});

const arrive = (...bytes: number[]): ReceiverOperation => ({ do: "arrive", bytes });
const advance = (by: number): ReceiverOperation => ({ do: "advance", by });
const read: ReceiverOperation = { do: "read" };

describe("receive", () => {
  /** The timeout comes later. */
  const PATIENT = { isPatient: true };
  const errors: ReceiverOperation = { do: "errors" };

  it("gives the characters in the order of their arrival", async ({ subject }) => {
    const results = await subject.call(
      "receiver",
      FIFOS,
      [arrive(...text("abc")), { do: "read", times: 3 }],
      PATIENT,
    );
    expect(results[1], "first in, first out").toEqual(text("abc"));
  });

  it("without FIFOs keeps the newest, and tells of the overrun", async ({ subject }) => {
    const results = await subject.call(
      "receiver",
      SINGLE,
      [arrive(0x41), errors, arrive(0x42), errors, read, read],
      PATIENT,
    );
    expect(results[1], "the first has room").toBe(0);
    expect(results[3], "the second finds RBR full: OE").toBe(OE);
    expect(results[4], "RBR is overwritten").toBe(0x42);
    expect(results[5], "reading an empty RBR gives what was there").toBe(0x42);
  });

  it("keeps a full FIFO as it is, and loses the newcomer", async ({ subject }) => {
    const results = await subject.call(
      "receiver",
      FIFOS,
      [arrive(...SIXTEEN), errors, arrive(17), errors, { do: "read", times: 17 }],
      PATIENT,
    );
    expect(results[1], "sixteen fit").toBe(0);
    expect(results[3], "the overrun is told").toBe(OE);
    expect(results[4], "the FIFO keeps what it has, and then reads the last one again").toEqual([
      ...SIXTEEN,
      16,
    ]);
  });

  it("loses nothing of a paste, whatever its length", async ({ subject }) => {
    const bytes = Uint8Array.from({ length: 400 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
    for (const pace of ["line", "immediate"] as const) {
      const got = await subject.call("paste", pace, bytes);
      expect(got.length, "every byte arrives, and none twice").toBe(bytes.length);
      expect(
        got.findIndex((byte, at) => byte !== bytes[at]),
        "the first byte that differs",
      ).toBe(-1);
    }
  });
});

describe("timeout", () => {
  const timedOut: ReceiverOperation = { do: "timedOut" };

  it("interrupts after four character times of silence", async ({ subject }) => {
    const results = await subject.call("receiver", FIFOS_AT_8, [
      arrive(0x41),
      advance(4 * CHARACTER - 1),
      timedOut,
      advance(1),
      timedOut,
    ]);
    expect(results[2], "four character times have not passed").toBe(false);
    expect(results[4], "now they have").toBe(true);
  });

  it("waits anew with each character", async ({ subject }) => {
    const results = await subject.call("receiver", FIFOS_AT_8, [
      arrive(0x41),
      advance(3 * CHARACTER),
      arrive(0x42),
      advance(3 * CHARACTER),
      timedOut,
      advance(CHARACTER),
      timedOut,
    ]);
    expect([results[4], results[6]], "silence counts from the last character").toEqual([false, true]);
  });

  it("interrupts again while characters stay behind", async ({ subject }) => {
    const results = await subject.call("receiver", FIFOS_AT_8, [
      arrive(0x41, 0x42),
      advance(4 * CHARACTER),
      read,
      timedOut,
      advance(4 * CHARACTER),
      timedOut,
      read,
      advance(40 * CHARACTER),
      timedOut,
    ]);
    expect(results[3], "a read ends the interrupt").toBe(false);
    expect(results[5], "the time begins anew with a read, and one character is still there").toBe(true);
    expect(results[8], "nothing waits, nothing interrupts").toBe(false);
  });

  it("is ended by a read, and by nothing that arrives", async ({ subject }) => {
    const results = await subject.call("receiver", FIFOS_AT_8, [
      arrive(0x41),
      advance(4 * CHARACTER),
      arrive(0x42),
      timedOut,
      read,
      timedOut,
    ]);
    expect(results[3], "the driver has not come yet: a newcomer does not take its interrupt away").toBe(true);
    expect(results[5], "now it has").toBe(false);
  });

  it("is not there without FIFOs", async ({ subject }) => {
    const results = await subject.call("receiver", SINGLE, [arrive(0x41), advance(40 * CHARACTER), timedOut]);
    expect(results[2], "one character is received data, and no timeout").toBe(false);
  });
});

describe("line-status", () => {
  const status: ReceiverOperation = { do: "status" };

  it("tells an error once", async ({ subject }) => {
    const results = await subject.call("receiver", SINGLE, [
      { do: "arrive", bytes: [0x41], errors: PE },
      status,
      status,
    ]);
    expect(results[1], "a character waits, and its parity is wrong").toBe(PE | DR);
    expect(results[2], "reading LSR clears the errors that it showed").toBe(DR);
  });

  it("tells each character's errors when it is the oldest", async ({ subject }) => {
    const results = await subject.call("receiver", FIFOS, [
      arrive(0x41),
      { do: "arrive", bytes: [0x42], errors: FE },
      status,
      read,
      status,
      status,
    ]);
    expect(results[2], "the oldest is good; bit 7 warns of one behind it").toBe(FIFOERR | DR);
    expect(results[4], "now the damaged one is the oldest").toBe(FIFOERR | FE | DR);
    expect(results[5], "told, so forgotten, also in the FIFO: bit 7 has nothing to warn of").toBe(DR);
  });

  it("has no bit 7 without FIFOs", async ({ subject }) => {
    const results = await subject.call("receiver", SINGLE, [
      { do: "arrive", bytes: [0x41], errors: FE },
      status,
    ]);
    expect(results[1], "bit 7 speaks of the FIFO, and there is none").toBe(FE | DR);
  });
});
