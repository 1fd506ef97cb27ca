/** Random counts, modes and gates, compared with the reference's timer. */
import type { Random } from "../../tools/random.ts";
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { CounterOperation, subject as chapterSubject, PitOperation } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "seeded");

const control = (mode: number): CounterOperation => ({ do: "control", control: 0b11_0000 | (mode << 1) });
const write = (count: number): CounterOperation => ({ do: "write", bytes: [count & 0xff, count >> 8] });
const trace = (pulses: number): CounterOperation => ({ do: "trace", pulses });

/** Programs a mode with a small count, and watches it; now and then with a new count. */
const program = (random: Random, modes: readonly number[]): CounterOperation[] => [
  control(random.pick(modes)),
  write(random.between(3, 40)),
  trace(random.between(10, 60)),
  ...(random.oneIn(2) ? [write(random.between(3, 40)), trace(50)] : []),
  { do: "pass", pulses: random.between(1, 5000) },
  trace(10),
  { do: "out" },
];

describe("time", () => {
  it("turns any time into pulses, and any pulse into its time", async ({ subject, reference, random }) => {
    const times = random.list(60, () => random.below(2 ** 32) * random.between(1, 5000));
    expect(await subject.call("pulsesAt", times)).toEqual(await reference.call("pulsesAt", times));
    const pulses = random.list(60, () => random.below(2 ** 32) * random.between(1, 2000));
    expect(await subject.call("timeOfPulse", pulses)).toEqual(await reference.call("timeOfPulse", pulses));
  });
});

describe("count-once", () => {
  it("counts any number down once, in modes 0 and 4", async ({ subject, reference, random }) => {
    for (const operations of random.list(6, () => program(random, [0, 4]))) {
      expect(await subject.call("counter", operations)).toEqual(await reference.call("counter", operations));
    }
  });
});

describe("periodic", () => {
  it("repeats with any count, in modes 2 and 3", async ({ subject, reference, random }) => {
    for (const operations of random.list(6, () => program(random, [2, 3]))) {
      expect(await subject.call("counter", operations)).toEqual(await reference.call("counter", operations));
    }
  });
});

describe("gate", () => {
  it("obeys a gate that moves at any time", async ({ subject, reference, random }) => {
    for (const mode of [0, 1, 2, 3, 4, 5]) {
      const operations: CounterOperation[] = [
        control(mode),
        write(random.between(4, 20)),
        ...random
          .list(6, (): CounterOperation[] => {
            return [
              { do: "gate", high: false },
              trace(random.between(1, 6)),
              { do: "gate", high: true },
              trace(random.between(1, 9)),
            ];
          })
          .flat(),
      ];
      expect(await subject.call("counter", operations)).toEqual(await reference.call("counter", operations));
    }
  });
});

describe("latch", () => {
  it("keeps any count until it is read", async ({ subject, reference, random }) => {
    const operations: CounterOperation[] = [
      control(2),
      write(random.between(300, 60_000)),
      ...random
        .list(8, (): CounterOperation[] => [
          { do: "pass", pulses: random.between(1, 30_000) },
          { do: "latch", what: random.oneIn(3) ? "status" : "count" },
          { do: "pass", pulses: random.between(1, 3000) },
          { do: "read" },
          { do: "read" },
          { do: "read" },
        ])
        .flat(),
    ];
    expect(await subject.call("counter", operations)).toEqual(await reference.call("counter", operations));
  });
});

describe("irq", () => {
  it("interrupts on time with any count", async ({ subject, reference, random }) => {
    const operations: PitOperation[] = random
      .list(3, (): PitOperation[] => {
        const count = random.between(200, 0xffff);
        const mode = random.pick([2, 3]);
        return [
          { do: "write", offset: 3, bytes: [0b11_0000 | (mode << 1)] },
          { do: "write", offset: 0, bytes: [count & 0xff, count >> 8] },
        ];
      })
      .flatMap((program, at) => [...program, { do: "advanceTo", time: (at + 1) * 100_000_000 }]);
    const got = await subject.call("pit", operations);
    expect(got.rises).toEqual((await reference.call("pit", operations)).rises);
  });
});
