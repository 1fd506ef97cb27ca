/** Random chains, rings, frames and filters, compared with the reference's card. */
import type { Random } from "../../tools/random.ts";
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import {
  type CardOperation,
  type DescriptorFields,
  describeAt,
  driverOk,
  INDIRECT,
  littleEndian,
  makeAvailable,
  NEXT,
  negotiate,
  type QueueOperation,
  REGISTERS,
  read,
  setUpQueue,
  WRITE,
  write,
} from "../operations.ts";
import type { ChainCase, subject as chapterSubject } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "seeded");

const [TABLE, AVAILABLE, INNER, BUFFER] = [0x1000, 0x2000, 0x9000, 0xa000];

/** A refusal is a refusal, in whatever words. */
const kinds = (results: readonly unknown[]) =>
  results.map(result =>
    typeof result === "object" && result !== null && "error" in result ? "refused" : result,
  );

/** `count` buffers in a row of descriptors, some to be read, then some to be written. */
function row(random: Random, count: number): DescriptorFields[] {
  const readable = random.below(count + 1);
  return Array.from({ length: count }, (_, at): DescriptorFields => {
    const flags = (at < readable ? 0 : WRITE) | (at < count - 1 ? NEXT : 0);
    return [BUFFER + random.below(0x1000), random.between(1, 600), flags, at + 1];
  });
}

describe("walk", () => {
  it("follows any chain, or refuses it", async ({ subject, reference, random }) => {
    const cases = random.list(30, (): ChainCase => {
      const count = random.between(1, 8);
      const descriptors = row(random, count);
      if (random.oneIn(4)) {
        const at = random.below(count);
        const [address, length] = descriptors[at]!;
        descriptors[at] = [address, length, random.pick([NEXT, WRITE | NEXT]), random.below(9)];
      }
      return { tables: [[TABLE, ...descriptors]], head: random.oneIn(8) ? random.below(10) : 0, entries: 8 };
    });
    expect(kinds(await subject.call("chains", cases))).toEqual(kinds(await reference.call("chains", cases)));
  });
});

describe("indirect", () => {
  it("follows any table of its own, or refuses it", async ({ subject, reference, random }) => {
    const cases = random.list(30, (): ChainCase => {
      const inner = row(random, random.between(1, 6));
      const bytes = 16 * inner.length - (random.oneIn(6) ? 1 : 0);
      const before: DescriptorFields[] = random.oneIn(2) ? [[BUFFER, 12, NEXT, 1]] : [];
      const flags = INDIRECT | (random.oneIn(8) ? NEXT : 0);
      return {
        tables: [
          [TABLE, ...before, [INNER, bytes, flags, 0]],
          [INNER, ...inner],
        ],
        ...{ head: 0, entries: 8, hasIndirectDescriptors: !random.oneIn(8) },
      };
    });
    expect(kinds(await subject.call("chains", cases))).toEqual(kinds(await reference.call("chains", cases)));
  });
});

/** Rounds in which a driver offers chains of one buffer and the device takes and returns some of them. */
function traffic(random: Random, hasEventIndex: boolean): QueueOperation[] {
  const size = 8;
  const buffers = Array.from({ length: size }, (_, at): DescriptorFields => [BUFFER + 64 * at, 64, WRITE]);
  const operations: QueueOperation[] = [describeAt(TABLE, ...buffers)];
  let offered = 0;
  let taken = 0;
  let returned = 0;
  for (let round = 0; round < 20; round++) {
    const more = Math.min(random.below(4), size - (offered - returned));
    const heads = Array.from({ length: more }, (_, at) => (offered + at) % size);
    operations.push(...makeAvailable(AVAILABLE, size, heads, offered), { do: "waiting" });
    offered += more;
    if (hasEventIndex) {
      const mark = (returned + random.between(-2, 3)) & 0xffff;
      operations.push({ do: "poke", at: AVAILABLE + 4 + 2 * size, bytes: littleEndian(mark, 2) });
    } else operations.push({ do: "poke", at: AVAILABLE, bytes: [random.below(2), 0] });
    for (let left = random.below(5); left > 0; left--) {
      operations.push({ do: "pop" });
      if (taken < offered) taken++;
    }
    for (let left = random.below(4); left > 0 && returned < taken; left--) {
      operations.push({ do: "push", written: random.below(65) });
      returned++;
    }
    operations.push({ do: "publish" }, { do: "used" });
  }
  return operations;
}

/** What a device does with chains that it has taken: the next task. */
const RETURNING: readonly QueueOperation["do"][] = ["push", "publish", "used"];

/** What each operation of one kind came to. */
const resultsOf = (
  kinds: readonly QueueOperation["do"][],
  all: readonly QueueOperation[],
  got: readonly unknown[],
) => got.filter((_, at) => kinds.includes(all[at]!.do));

for (const [task, shown] of [
  ["available", ["waiting", "pop"]],
  ["used", ["publish", "used"]],
  ["event-index", ["publish", "used"]],
] as const) {
  describe(task, () => {
    it("keeps its rings in any traffic", async ({ subject, reference, random }) => {
      const hasEventIndex = task === "event-index";
      const isOwn = ({ do: kind }: QueueOperation) => task !== "available" || !RETURNING.includes(kind);
      const operations = traffic(random, hasEventIndex).filter(isOwn);
      const options = { size: 8, hasEventIndex, isPlain: !hasEventIndex };
      const theirs = await subject.call("queue", options, operations);
      const ours = await reference.call("queue", options, operations);
      expect(resultsOf(shown, operations, theirs)).toEqual(resultsOf(shown, operations, ours));
    });
  });
}

describe("checksum", () => {
  it("completes the sum of any frame", async ({ subject, reference, random }) => {
    const cases = random.list(30, () => {
      const frame = random.bytes(random.between(20, 120));
      const start = random.below(8);
      return { frame, start, offset: random.below(5) * 2 };
    });
    expect(await subject.call("completeChecksum", cases)).toEqual(
      await reference.call("completeChecksum", cases),
    );
  });
});

describe("filter", () => {
  it("lets the right ones of any frames through", async ({ subject, reference, random }) => {
    const own = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
    const addresses = [
      own,
      Array<number>(6).fill(0xff),
      ...random.list(4, () => [random.below(128) * 2, ...random.bytes(5)]),
      ...random.list(4, () => [random.below(127) * 2 + 1, ...random.bytes(5)]),
    ];
    const table = [addresses[2]!, addresses[3]!];
    const groups = [addresses[6]!];
    const tableCommand = [
      ...[1, 0, table.length, 0, 0, 0, ...table.flat()],
      ...[groups.length, 0, 0, 0, ...groups.flat()],
    ];
    const frames = addresses.flatMap(to =>
      [false, true].map(isTagged => {
        const tag = isTagged ? [0x81, 0, random.below(16) << 4, random.below(4)] : [];
        return [...to, ...own, ...tag, 8, 0, ...Array<number>(46).fill(0)];
      }),
    );
    for (let round = 0; round < 6; round++) {
      const commands = [
        [0, 0, random.oneIn(6) ? 1 : 0],
        ...random.list(3, () => [0, random.between(1, 5), random.below(2)]),
        ...(random.oneIn(2) ? [tableCommand] : []),
        ...random.list(random.below(3), () => [2, 0, random.below(4), 0]),
      ];
      const filtersVlans = random.oneIn(2);
      expect(await subject.call("filter", commands, frames, filtersVlans)).toEqual(
        await reference.call("filter", commands, frames, filtersVlans),
      );
    }
  });
});

const RX = { descriptorTable: 0x1000, availableRing: 0x1100, usedRing: 0x1200 };
const TX = { descriptorTable: 0x2000, availableRing: 0x2100, usedRing: 0x2200 };
const SIZE = 8;
const [MAC, MERGED] = [1 << 5, 1 << 15];

const live = (features: number): CardOperation[] => [
  ...negotiate(features),
  ...setUpQueue(0, SIZE, RX),
  ...setUpQueue(1, SIZE, TX),
  driverOk,
];

describe("transmit", () => {
  it("sends frames that lie in any pieces", async ({ subject, reference, random }) => {
    const frame = random.bytes(random.between(60, 300));
    const whole = [...Array<number>(12).fill(0), ...frame];
    const cuts = random.list(random.between(1, 6), () => random.between(1, whole.length - 1));
    const edges = [...new Set([0, ...cuts, whole.length])].sort((a, b) => a - b);
    const pieces = edges.slice(1).map((end, at): DescriptorFields => {
      const begin = edges[at]!;
      return [BUFFER + begin, end - begin, at < edges.length - 2 ? NEXT : 0, at + 1];
    });
    const operations: CardOperation[] = [
      ...live(MAC),
      { do: "poke", at: BUFFER, bytes: whole },
      describeAt(TX.descriptorTable, ...pieces),
      ...makeAvailable(TX.availableRing, SIZE, [0]),
      write(REGISTERS.queueNotify, 1),
      { do: "peek", at: TX.usedRing, length: 12 },
      read(REGISTERS.interruptStatus),
    ];
    const { sent, results } = await subject.call("card", operations);
    expect(sent).toEqual([frame]);
    expect(results.slice(-2)).toEqual((await reference.call("card", operations)).results.slice(-2));
  });
});

describe("receive", () => {
  it("places frames of any length in buffers of any length", async ({ subject, reference, random }) => {
    for (const features of [MAC, MAC | MERGED]) {
      const rooms = random.list(SIZE, () => random.between(80, 400));
      const operations: CardOperation[] = [
        ...live(features),
        describeAt(
          RX.descriptorTable,
          ...rooms.map((room, at): DescriptorFields => [BUFFER + 0x400 * at, room, WRITE]),
        ),
        ...makeAvailable(
          RX.availableRing,
          SIZE,
          rooms.map((_, at) => at),
        ),
        ...random.list(5, (): CardOperation => {
          return {
            do: "arrive",
            frame: [...Array<number>(6).fill(0xff), ...random.bytes(random.between(60, 500))],
          };
        }),
        ...rooms.map((room, at): CardOperation => ({ do: "peek", at: BUFFER + 0x400 * at, length: room })),
        { do: "peek", at: RX.usedRing + 2, length: 2 + 8 * SIZE },
        { do: "look" },
      ];
      const count = rooms.length + 2 + 5;
      expect((await subject.call("card", operations, { isOpen: true })).results.slice(-count)).toEqual(
        (await reference.call("card", operations)).results.slice(-count),
      );
    }
  });
});
