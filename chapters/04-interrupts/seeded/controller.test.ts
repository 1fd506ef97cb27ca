/** Random lines, acknowledgements and commands, compared with the reference's controllers. */
import type { Random } from "../../tools/random.ts";
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject, PicOperation } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "seeded");

const write = (offset: 0 | 1, ...bytes: number[]): PicOperation => ({ do: "write", offset, bytes });
const show: PicOperation[] = [{ do: "irr" }, { do: "isr" }, { do: "int" }];

/** A single controller with a vector base of its own, nothing masked. */
const single = (random: Random): PicOperation[] => [write(0, 0x13), write(1, random.below(32) * 8, 0x01)];
const line = (random: Random): PicOperation => ({ do: "line", irq: random.below(8), high: random.oneIn(2) });

describe("requests", () => {
  it("hears edges, under any mask", async ({ subject, reference, random }) => {
    const operations = [
      ...single(random),
      ...random
        .list(40, (): PicOperation[] => {
          if (random.oneIn(5)) return [{ do: "serve", level: random.below(8) }, ...show];
          return [random.oneIn(5) ? write(1, random.below(0x100)) : line(random), ...show];
        })
        .flat(),
    ];
    expect(await subject.call("inputs", operations)).toEqual(await reference.call("inputs", operations));
  });
});

describe("acknowledge", () => {
  it("gives the vectors in the right order, whatever rings meanwhile", async ({
    subject,
    reference,
    random,
  }) => {
    const operations = [
      ...single(random),
      ...random
        .list(50, (): PicOperation[] => {
          const next: PicOperation = random.oneIn(3) ? { do: "acknowledge" } : line(random);
          return [next, ...show];
        })
        .flat(),
      { do: "acknowledge" } as const,
    ];
    expect(await subject.call("pic", operations)).toEqual(await reference.call("pic", operations));
  });
});

describe("end-of-interrupt", () => {
  it("ends what it is told to end", async ({ subject, reference, random }) => {
    const operations = [
      ...single(random),
      ...random
        .list(60, (): PicOperation[] => {
          const kind = random.below(4);
          if (kind === 0) return [{ do: "acknowledge" }, ...show];
          if (kind === 1) return [write(0, random.oneIn(2) ? 0x20 : 0x60 | random.below(8)), ...show];
          return [line(random), ...show];
        })
        .flat(),
      write(0, 0x20),
      ...show,
    ];
    expect(await subject.call("pic", operations)).toEqual(await reference.call("pic", operations));
  });
});

describe("priority", () => {
  it("decides among any requests, with any level the lowest", async ({ subject, reference, random }) => {
    const operations = [
      ...single(random),
      ...random
        .list(30, (): PicOperation[] => {
          const level = random.below(8);
          const change: PicOperation = random.oneIn(4) ? { do: "lowest", level } : line(random);
          const look: PicOperation[] = [{ do: "pending" }, ...show.slice(0, 2)];
          return random.oneIn(3) ? [change, ...look, { do: "serve", level }, ...look] : [change, ...look];
        })
        .flat(),
    ];
    expect(await subject.call("pic", operations)).toEqual(await reference.call("pic", operations));
  });
});

describe("double-fault", () => {
  it("combines every two exceptions", async ({ subject, reference, random }) => {
    const pairs = random.list(60, () => [random.below(32), random.below(32)] as const);
    expect(await subject.call("combine", pairs)).toEqual(await reference.call("combine", pairs));
  });
});

describe("inject", () => {
  it("injects one, or asks for the window", async ({ subject, reference, random }) => {
    const cases = random.list(30, () => ({
      ready: random.oneIn(2),
      waiting: random.list(random.below(4), () => 0x20 + random.below(16)),
    }));
    expect(await subject.call("inject", cases)).toEqual(await reference.call("inject", cases));
  });
});
