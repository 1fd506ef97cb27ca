import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import {
  ACKNOWLEDGE,
  type CardOperation,
  type DescriptorFields,
  DRIVER,
  DRIVER_OK,
  describeAt,
  driverOk,
  FAILED,
  FEATURES_OK,
  makeAvailable,
  NEEDS_RESET,
  NEXT,
  negotiate,
  REGISTERS,
  read,
  setUpQueue,
  WRITE,
  write,
} from "./operations.ts";
import type { CardTrace, subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const R = REGISTERS;
const look: CardOperation = { do: "look" };
const irq: CardOperation = { do: "irq" };
const UP = ACKNOWLEDGE | DRIVER | FEATURES_OK;
/** The features of this chapter's guests, and merged receive buffers. */
const [MAC, MRG_RXBUF] = [1 << 5, 1 << 15];

const [RECEIVE, TRANSMIT] = [0, 1];
const SIZE = 8;
const RX = { descriptorTable: 0x1000, availableRing: 0x1100, usedRing: 0x1200 };
const TX = { descriptorTable: 0x2000, availableRing: 0x2100, usedRing: 0x2200 };
const HEADER = Array(12).fill(0);
const FRAME = Array.from({ length: 60 }, (_, at) => (at < 6 ? 0xff : at));
const BUFFER = 0x8000;

/** A card that is live, with both queues. */
const live = (features = MAC): CardOperation[] => [
  ...negotiate(features),
  ...setUpQueue(RECEIVE, SIZE, RX),
  ...setUpQueue(TRANSMIT, SIZE, TX),
  driverOk,
];
const peek = (at: number, length: number): CardOperation => ({ do: "peek", at, length });
const arrive = (frame: number[]): CardOperation => ({ do: "arrive", frame });
const last = ({ results }: CardTrace) => results.at(-1);

describe("registers", () => {
  it("says who it is", async ({ subject }) => {
    const { results } = await subject.call("card", [
      read(R.magicValue),
      read(R.version),
      read(R.deviceId),
      read(R.vendorId),
    ]);
    expect(results.slice(0, 3), "“virt”, the modern interface, a network card").toEqual([0x7472_6976, 2, 1]);
    expect(results[3], "some vendor").not.toBe(0);
  });

  it("knows how many queues there are", async ({ subject }) => {
    const { results } = await subject.call(
      "card",
      [0, 1, 2, 3].flatMap(queue => [write(R.queueSel, queue), read(R.queueNumMax)]),
    );
    expect([results[1], results[3], results[5]]).toEqual([256, 256, 64]);
    expect(results[7], "0 says that there is no such queue").toBe(0);
  });

  it("shows 64 bits of features through 32", async ({ subject }) => {
    const { results } = await subject.call("card", [
      ...[write(R.deviceFeaturesSel, 1), read(R.deviceFeatures)],
      ...[write(R.deviceFeaturesSel, 0), read(R.deviceFeatures)],
      ...[write(R.deviceFeaturesSel, 2), read(R.deviceFeatures)],
      ...[write(R.driverFeaturesSel, 1), write(R.driverFeatures, 0x101)],
      ...[write(R.driverFeaturesSel, 0), write(R.driverFeatures, 0x20)],
      look,
    ]);
    expect(Number(results[1]) & 1, "VERSION_1 is bit 32").toBe(1);
    expect(Number(results[3]) & MAC, "MAC is bit 5").toBe(MAC);
    expect(results[5], "there are no others").toBe(0);
    expect(results.at(-1)).toMatchObject({ driverFeatures: [0x20, 0x101] });
  });

  it("takes a queue's place, and keeps it while the queue is in use", async ({ subject }) => {
    const { results } = await subject.call("card", [
      ...setUpQueue(TRANSMIT, SIZE, TX),
      read(R.queueReady),
      write(R.queueDescLow, 0x7000),
      look,
      write(R.queueReady, 0),
      read(R.queueReady),
      write(R.queueDescHigh, 1),
      look,
    ]);
    expect(results[6]).toBe(1);
    expect(results[8]).toMatchObject({
      queues: [{ isReady: false }, { ...TX, size: SIZE, isReady: true }, {}],
    });
    expect(results[10]).toBe(0);
    expect(results[12]).toMatchObject({
      queues: [{}, { descriptorTable: 0x1_0000_2000, availableRing: 0x2100 }, {}],
    });
  });

  it("reads the configuration in any size, and registers in four bytes", async ({ subject }) => {
    const { results } = await subject.call("card", [
      ...Array.from({ length: 6 }, (_, at) => read(R.config + at, 1)),
      read(R.config + 6, 2),
      read(R.magicValue, 1),
      read(R.shmLenLow),
    ]);
    expect(results.slice(0, 6)).toEqual([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
    expect(results.slice(6, 8), "the link is up; a byte of a register is 0").toEqual([1, 0]);
    expect(results[8], "there is no shared memory, and its length is -1").toBe(0xffff_ffff);
  });
});

describe("features", () => {
  /** The driver's choice, bits 0 to 31 and 32 to 63, and what the card says to it. */
  const choice = (low: number, high = 1): CardOperation[] => [
    ...[write(R.driverFeaturesSel, 0), write(R.driverFeatures, low)],
    ...[write(R.driverFeaturesSel, 1), write(R.driverFeatures, high)],
    { do: "accepts" },
  ];

  it("agrees with a driver that chose well", async ({ subject }) => {
    expect(last(await subject.call("card", choice(MAC | MRG_RXBUF)))).toBe(true);
  });

  it("refuses what was not offered", async ({ subject }) => {
    const accepted = last(await subject.call("card", choice(MAC | (1 << 24))));
    expect(accepted, "bit 24 was not offered").toBe(false);
    expect(last(await subject.call("card", choice(MAC, 0b11))), "nor was bit 33").toBe(false);
  });

  it("refuses a driver from before the standard", async ({ subject }) => {
    const accepted = last(await subject.call("card", choice(MAC, 0)));
    expect(accepted, "without VERSION_1 rings and header are others").toBe(false);
  });

  it("refuses what lacks its companion", async ({ subject }) => {
    const control = 1 << 18; // CTRL_RX, which goes by the control queue
    expect(last(await subject.call("card", choice(control)))).toBe(false);
    expect(last(await subject.call("card", choice(control | (1 << 17))))).toBe(true);
  });
});

describe("status", () => {
  it("keeps a bit that was set", async ({ subject }) => {
    const trace = await subject.call("card", [
      write(R.status, ACKNOWLEDGE),
      write(R.status, DRIVER),
      read(R.status),
    ]);
    expect(last(trace), "only a reset takes a bit back").toBe(ACKNOWLEDGE | DRIVER);
  });

  it("knows the driver's bits, and no others", async ({ subject }) => {
    const trace = await subject.call("card", [write(R.status, 0x70 | ACKNOWLEDGE), read(R.status)]);
    expect(last(trace), "NEEDS_RESET is the device's to set").toBe(ACKNOWLEDGE);
  });

  it("keeps FEATURES_OK clear where the features do not go together", async ({ subject }) => {
    const agreed = await subject.call("card", [...negotiate(MAC), read(R.status)]);
    expect(last(agreed), "the card can work with these").toBe(UP);
    const refused = await subject.call("card", [...negotiate(MAC | (1 << 24)), read(R.status)]);
    expect(last(refused), "FEATURES_OK stays clear, and the driver sees it there").toBe(ACKNOWLEDGE | DRIVER);
  });

  it("does not start without agreed features", async ({ subject }) => {
    const trace = await subject.call("card", [
      write(R.status, ACKNOWLEDGE | DRIVER | DRIVER_OK),
      read(R.status),
    ]);
    expect(last(trace), "nobody knows how to read the rings").toBe(ACKNOWLEDGE | DRIVER);
  });

  it("forgets all at a reset", async ({ subject }) => {
    const { results } = await subject.call("card", [
      ...negotiate(MAC),
      ...setUpQueue(RECEIVE, SIZE, RX),
      write(R.status, 0),
      look,
    ]);
    expect(results.at(-1)).toMatchObject({
      status: 0,
      driverFeatures: [0, 0],
      queues: [{ isReady: false, size: 256, descriptorTable: 0 }, {}, {}],
    });
  });

  it("holds the driver to what it chose", async ({ subject }) => {
    const trace = await subject.call("card", [
      ...negotiate(MAC),
      write(R.driverFeaturesSel, 0),
      write(R.driverFeatures, MAC | MRG_RXBUF),
      look,
    ]);
    expect(last(trace)).toMatchObject({ driverFeatures: [MAC, 1] });
  });

  it("takes no frame before DRIVER_OK, nor after FAILED", async ({ subject }) => {
    const setting = [...negotiate(MAC), ...setUpQueue(RECEIVE, SIZE, RX)];
    const { results } = await subject.call("card", [
      ...setting,
      arrive(FRAME),
      driverOk,
      write(R.status, UP | DRIVER_OK | FAILED),
      arrive(FRAME),
      read(R.status),
    ]);
    // Lost, not kept waiting: with the queue in use and no buffer in it, a live card would say false.
    expect([results[setting.length], results[setting.length + 3]]).toEqual([true, true]);
    expect(results.at(-1)).toBe(UP | DRIVER_OK | FAILED);
  });
});

describe("interrupt", () => {
  const pull: CardOperation = { do: "link", isUp: false };
  const plug: CardOperation = { do: "link", isUp: true };

  it("raises the line for a pulled cable, once", async ({ subject }) => {
    const { results, rises } = await subject.call("card", [
      ...live(),
      pull,
      irq,
      plug,
      read(R.interruptStatus),
      read(R.configGeneration),
    ]);
    expect(results.slice(-4)).toEqual([true, null, 0b10, 2]);
    expect(rises, "the line was high already").toBe(1);
  });

  it("lowers the line with the last reason", async ({ subject }) => {
    const { results, rises } = await subject.call("card", [
      ...live(),
      pull,
      write(R.interruptAck, 0b10),
      irq,
      read(R.interruptStatus),
      plug,
      irq,
    ]);
    expect(results.slice(-4), "an edge needs a low line").toEqual([false, 0, null, true]);
    expect(rises).toBe(2);
  });

  it("keeps the line high until the last reason is acknowledged", async ({ subject }) => {
    const { results } = await subject.call("card", [
      { do: "owe", causes: 0b11 },
      write(R.interruptAck, 0b01),
      irq,
      read(R.interruptStatus),
      write(R.interruptAck, 0b10),
      irq,
    ]);
    expect(results.slice(2, 4), "the other reason still stands").toEqual([true, 0b10]);
    expect(results.at(-1)).toBe(false);
  });

  it("gives up with an interrupt", async ({ subject }) => {
    const { results, rises } = await subject.call("card", [
      ...negotiate(MAC),
      driverOk,
      ...setUpQueue(RECEIVE, 24, RX), // no power of 2
      read(R.status),
      irq,
      write(R.queueReady, 1),
      look,
    ]);
    const [status, isRaised, , looked] = results.slice(-4);
    expect(status).toBe(UP | DRIVER_OK | NEEDS_RESET);
    expect(isRaised, "a driver that works must hear of it").toBe(true);
    expect(rises, "and once is enough").toBe(1);
    expect(looked).toMatchObject({ failure: expect.stringMatching(/24 entries/) });
  });

  it("gives up in silence while nobody listens", async ({ subject }) => {
    const { results } = await subject.call("card", [
      ...negotiate(MAC),
      ...setUpQueue(RECEIVE, 24, RX),
      read(R.status),
      irq,
    ]);
    expect(results.slice(-2)).toEqual([UP | NEEDS_RESET, false]);
  });
});

/** Pokes frames into memory from BUFFER on, and one chain for each: header and frame together. */
const frames = (...all: number[][]): CardOperation[] => [
  ...all.map(
    (bytes, at): CardOperation => ({ do: "poke", at: BUFFER + 0x1000 * at, bytes: [...HEADER, ...bytes] }),
  ),
  describeAt(
    TX.descriptorTable,
    ...all.map(({ length }, at): DescriptorFields => [BUFFER + 0x1000 * at, 12 + length, 0]),
  ),
  ...makeAvailable(
    TX.availableRing,
    SIZE,
    all.map((_, at) => at),
  ),
];

describe("transmit", () => {
  it("sends what is behind the header", async ({ subject }) => {
    const other = [...FRAME, 1, 2, 3];
    const { sent, rises } = await subject.call("card", [
      ...live(),
      ...frames(FRAME, other),
      write(R.queueNotify, TRANSMIT),
    ]);
    expect(sent).toEqual([FRAME, other]);
    expect(rises, "one interrupt for both").toBe(1);
  });

  it("takes header and frame in any pieces", async ({ subject }) => {
    const { sent } = await subject.call("card", [
      ...live(),
      { do: "poke", at: BUFFER, bytes: [...HEADER, ...FRAME] },
      describeAt(
        TX.descriptorTable,
        [BUFFER, 5, NEXT, 1],
        [BUFFER + 5, 20, NEXT, 2],
        [BUFFER + 25, 12 + FRAME.length - 25, 0],
      ),
      ...makeAvailable(TX.availableRing, SIZE, [0]),
      write(R.queueNotify, TRANSMIT),
    ]);
    expect(sent).toEqual([FRAME]);
  });

  it("returns the buffer with nothing written", async ({ subject }) => {
    const { results } = await subject.call("card", [
      ...live(),
      ...frames(FRAME),
      write(R.queueNotify, TRANSMIT),
      peek(TX.usedRing, 12),
      read(R.interruptStatus),
    ]);
    expect(results.at(-2), "idx is 1; entry 0: head 0, and the card wrote nothing").toEqual([
      ...[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]);
    expect(results.at(-1), "a used buffer").toBe(0b01);
  });

  it("serves the queue that the notification names", async ({ subject }) => {
    const { sent } = await subject.call("card", [
      ...live(),
      ...frames(FRAME),
      write(R.queueSel, RECEIVE),
      write(R.queueNotify, TRANSMIT),
    ]);
    expect(sent.length, "whatever QueueSel says").toBe(1);
  });

  it("loses what is no frame, and gives up over what has no header", async ({ subject }) => {
    const short = await subject.call("card", [
      ...live(),
      ...frames([1, 2, 3], FRAME),
      write(R.queueNotify, TRANSMIT),
      peek(TX.usedRing + 2, 2),
      look,
    ]);
    expect(short.sent).toEqual([FRAME]);
    expect(short.results.slice(-2)).toMatchObject([[2, 0], { failure: null }]);
    const none = await subject.call("card", [
      ...live(),
      describeAt(TX.descriptorTable, [BUFFER, 11, 0]),
      ...makeAvailable(TX.availableRing, SIZE, [0]),
      write(R.queueNotify, TRANSMIT),
      look,
    ]);
    expect(last(none)).toMatchObject({
      status: UP | DRIVER_OK | NEEDS_RESET,
      failure: expect.any(String),
    });
  });
});

/** Gives the card buffers of these sizes, a chain each. */
const give = (...rooms: number[]): CardOperation[] => [
  describeAt(
    RX.descriptorTable,
    ...rooms.map((room, at): DescriptorFields => [BUFFER + 0x1000 * at, room, WRITE]),
  ),
  ...makeAvailable(
    RX.availableRing,
    SIZE,
    rooms.map((_, at) => at),
  ),
];

/** The filter comes later. */
const OPEN = { isOpen: true };

describe("receive", () => {
  it("puts a header of 12 bytes before the frame", async ({ subject }) => {
    const { results, rises } = await subject.call(
      "card",
      [...live(), ...give(2000), arrive(FRAME), peek(BUFFER, 72), peek(RX.usedRing + 2, 10)],
      OPEN,
    );
    expect(results.slice(-3)).toEqual([
      true,
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, ...FRAME],
      [1, 0, 0, 0, 0, 0, 72, 0, 0, 0],
    ]);
    expect(rises).toBe(1);
  });

  it("spreads a frame over several buffers, and says over how many", async ({ subject }) => {
    const { results, rises } = await subject.call(
      "card",
      [
        ...live(MRG_RXBUF),
        ...give(30, 30, 30),
        arrive(FRAME),
        peek(BUFFER + 10, 20),
        peek(BUFFER + 0x2000, 12),
        peek(RX.usedRing + 2, 26),
      ],
      OPEN,
    );
    const [first, third, used] = results.slice(-3) as number[][];
    expect(first!.slice(0, 2), "num_buffers is 3").toEqual([3, 0]);
    expect([...first!.slice(2), ...third!]).toEqual([...FRAME.slice(0, 18), ...FRAME.slice(48)]);
    expect(used, "30, 30 and 12 bytes").toEqual([
      ...[3, 0],
      ...[0, 0, 0, 0, 30, 0, 0, 0],
      ...[1, 0, 0, 0, 30, 0, 0, 0],
      ...[2, 0, 0, 0, 12, 0, 0, 0],
    ]);
    expect(rises, "all at once").toBe(1);
  });

  it("keeps buffers that are too few until there are more", async ({ subject }) => {
    const few = give(30, 30);
    const { results } = await subject.call(
      "card",
      [
        ...live(MRG_RXBUF),
        ...few,
        arrive(FRAME),
        peek(RX.usedRing + 2, 2),
        ...give(30, 30, 30),
        arrive(FRAME),
        peek(RX.usedRing + 2, 2),
        peek(BUFFER + 10, 2),
      ],
      OPEN,
    );
    const first = live().length + few.length;
    expect(results.slice(first, first + 2), "no room, and nothing used").toEqual([false, [0, 0]]);
    expect(results.slice(-3), "the first two are still the driver's gift").toEqual([true, [3, 0], [3, 0]]);
  });

  it("loses a frame for which waiting is hopeless", async ({ subject }) => {
    const small = await subject.call(
      "card",
      [...live(), ...give(40, 2000), arrive(FRAME), peek(RX.usedRing + 2, 2)],
      OPEN,
    );
    expect(small.results.slice(-2), "without merging, one buffer must do").toEqual([true, [0, 0]]);
    const ring = await subject.call(
      "card",
      [
        ...live(MRG_RXBUF),
        ...give(...Array(8).fill(20)),
        arrive(Array.from({ length: 200 }, () => 0xff)),
        peek(RX.usedRing + 2, 2),
      ],
      OPEN,
    );
    expect(ring.results.slice(-2), "a whole ring is too small").toEqual([true, [0, 0]]);
  });

  it("says that there is no room now, when there is none", async ({ subject }) => {
    expect(last(await subject.call("card", [...live(), arrive(FRAME)], OPEN))).toBe(false);
  });
});
