/** Random traffic through the serial port, compared with the reference's. */
import type { Random } from "../../tools/random.ts";
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type {
  subject as chapterSubject,
  ReceiverOperation,
  SerialOperation,
  TransmitterOperation,
} from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "seeded");

const CHARACTER = 86_806;
const [RBR, THR, IER, IIR, FCR, MCR, LSR, MSR] = [0, 0, 1, 2, 2, 4, 5, 6];

const write = (at: number, ...bytes: number[]): SerialOperation => ({ do: "write", at, bytes });
const read = (at: number): SerialOperation => ({ do: "read", at });
const wait = (random: Random): SerialOperation => ({ do: "advance", by: random.below(3 * CHARACTER) });

/** Sixty operations, each one of those that `make` offers. */
const traffic = (random: Random, ...make: (() => SerialOperation)[]): SerialOperation[] =>
  random.list(60, () => random.pick(make)());

describe("character-time", () => {
  it("knows the time of any format", async ({ subject, reference, random }) => {
    const formats = random.list(40, () => [random.below(0x20), random.below(0x1_0000)] as [number, number]);
    expect(await subject.call("characterTime", formats)).toEqual(
      await reference.call("characterTime", formats),
    );
  });
});

describe("transmit", () => {
  it("sends any bytes in their time, with and without FIFOs", async ({ subject, reference, random }) => {
    for (const fifo of [0, 1]) {
      const operations = random.list(60, (): TransmitterOperation => {
        const bytes = random.bytes(random.between(1, 4));
        return random.pick<TransmitterOperation>([
          { do: "write", bytes },
          { do: "status" },
          { do: "advance", by: random.below(3 * CHARACTER) },
        ]);
      });
      expect(await subject.call("transmitter", "line", fifo, operations)).toEqual(
        await reference.call("transmitter", "line", fifo, operations),
      );
    }
  });
});

describe("receive", () => {
  it("receives any bytes in their order", async ({ subject, reference, random }) => {
    for (const fifo of [0, 1]) {
      const operations = random.list(60, (): ReceiverOperation => {
        const bytes = random.bytes(random.between(1, 5));
        return random.pick<ReceiverOperation>([{ do: "arrive", bytes }, { do: "read" }, { do: "errors" }]);
      });
      const patient = { isPatient: true };
      expect(await subject.call("receiver", fifo, operations, patient)).toEqual(
        await reference.call("receiver", fifo, operations, patient),
      );
    }
  });
});

describe("interrupts", () => {
  it("tells the most urgent reason in any traffic", async ({ subject, reference, random }) => {
    const operations: SerialOperation[] = [
      { do: "openGate" },
      write(FCR, random.pick([0x00, 0x01, 0x41, 0x81, 0xc1])),
      write(IER, random.between(1, 15)),
      ...traffic(
        random,
        () => ({
          do: "arrive",
          bytes: random.bytes(random.between(1, 3)),
          errors: random.pick([0, 0, 4, 8]),
        }),
        () => write(THR, random.below(0x100)),
        () => read(random.pick([RBR, IIR, LSR])),
        () => write(IER, random.below(16)),
        () => wait(random),
        () => ({ do: "irq" }),
      ),
      read(IIR),
    ];
    const got = await subject.call("serial", "line", operations);
    expect(got.results).toEqual((await reference.call("serial", "line", operations)).results);
  });
});

describe("modem", () => {
  it("interrupts while a change is not read", async ({ subject, reference, random }) => {
    const [OFF, ON] = [0b0000, 0b1000];
    const operations = [
      write(MCR, 0x0b),
      ...traffic(
        random,
        () => ({ do: "modem", lines: random.below(16) << 4 }),
        () => write(IER, random.pick([OFF, ON, ON])),
        () => read(random.pick([IIR, MSR])),
        () => ({ do: "irq" }),
      ),
      read(IIR),
    ];
    const got = await subject.call("serial", "line", operations);
    expect(got.results).toEqual((await reference.call("serial", "line", operations)).results);
  });

  it("follows the lines, looped back or not", async ({ subject, reference, random }) => {
    const operations = [
      read(MSR),
      ...traffic(
        random,
        () => ({ do: "modem", lines: random.below(16) << 4 }),
        () => write(MCR, random.below(32)),
        () => read(MSR),
      ),
      read(MSR),
    ];
    const got = await subject.call("serial", "immediate", operations);
    expect(got.results).toEqual((await reference.call("serial", "immediate", operations)).results);
  });
});
