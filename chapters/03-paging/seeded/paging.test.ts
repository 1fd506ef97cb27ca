/** Random descriptors, tables and accesses, compared with the reference's walks. */
import type { Random } from "../../tools/random.ts";
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { Access, Check, subject as chapterSubject, FoundPage, TlbOperation, Words } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "seeded");

const CR3 = 0x1000;
const [PG, WP, PSE, PAE, LMA, NXE] = [0x8000_0001 | 0, 1 << 16, 1 << 4, 1 << 5, 1 << 10, 1 << 11];
const [P, RW, US, PS] = [1, 2, 4, 1 << 7];
const ALL = P | RW | US;
/** Read, write, by the user or not; a fetch where there is XD. */
const ACCESSES = [0, 2, 4, 6];
const FETCHES = [0x10, 0x14];

describe("descriptor-fields", () => {
  it("takes any descriptor apart", async ({ subject, reference, random }) => {
    const descriptors = random.list(60, (): [number, number] => [
      random.below(2 ** 32),
      random.below(2 ** 32),
    ]);
    expect(await subject.call("descriptors", descriptors)).toEqual(
      await reference.call("descriptors", descriptors),
    );
  });
});

describe("segment-limit", () => {
  it("finds the end of any segment, up or down", async ({ subject, reference, random }) => {
    const [down, big] = [0x96, 0x4096];
    const accesses = random.list(120, (): [number, number, number, number] => {
      const limit = random.below(random.pick([0x1000, 0x1_0000, 2 ** 32]));
      const offset = random.oneIn(3) ? random.below(2 ** 32) : (limit + random.between(-5, 5)) >>> 0;
      return [offset, random.pick([1, 2, 4, 8]), limit, random.pick([0x92, 0x9a, down, big])];
    });
    expect(await subject.call("inSegment", accesses)).toEqual(await reference.call("inSegment", accesses));
  });
});

/** Checks of any segment at any level, present or not. */
const checks = (random: Random, kinds: readonly Check["kind"][]): Check[] =>
  random.list(120, () => {
    const kind = random.pick(kinds);
    const type = kind === "gate" ? 0x0c : random.between(0x10, 0x1f);
    const rights = (random.oneIn(6) ? 0 : 0x80) | (random.below(4) << 5) | type;
    const selector = (random.between(1, 0x1fff) << 3) | random.below(4);
    return { kind, selector, rights, cpl: random.below(4), jump: random.oneIn(2) };
  });

describe("load-segments", () => {
  it("lets any segment in, or says why not", async ({ subject, reference, random }) => {
    const some = checks(random, ["data", "stack"]);
    expect(await subject.call("checks", some)).toEqual(await reference.call("checks", some));
  });
});

describe("transfers", () => {
  it("lets control go, or says why not", async ({ subject, reference, random }) => {
    const some = checks(random, ["direct", "gate", "gate target"]);
    expect(await subject.call("checks", some)).toEqual(await reference.call("checks", some));
  });
});

/** A directory of four tables at 0x2000 and on, with pages of 4 KiB and 4 MiB; `flags` of each entry. */
function twoLevel(random: Random, flags: () => number): { words: Words; linear: () => number } {
  const slots = random.list(4, () => random.below(1024));
  const pages = random.list(6, () => random.below(1024));
  const words = slots.flatMap((slot, at): [number, number][] => {
    if (random.oneIn(5)) return [[CR3 + 4 * slot, (random.below(0x400) << 22) | PS | flags()]];
    const table = 0x2000 + 0x1000 * at;
    const entries = pages.map((page): [number, number] => {
      return [table + 4 * page, ((random.below(0x10_0000) << 12) | (flags() & ~PS)) >>> 0];
    });
    return [[CR3 + 4 * slot, table | flags()], ...entries];
  });
  const linear = () => {
    const page = random.pick(pages);
    return ((random.pick(slots) << 22) | (page << 12) | random.below(0x1000)) >>> 0;
  };
  return { words: words.map(([address, value]) => [address, value >>> 0]), linear };
}

const anyFlags = (random: Random) => () =>
  (random.oneIn(8) ? 0 : P) | (random.oneIn(3) ? 0 : RW) | (random.oneIn(3) ? 0 : US);
const accesses = (random: Random, linear: () => number, kinds = ACCESSES): Access[] =>
  random.list(30, () => ({ linear: linear(), access: random.pick(kinds) }));
const registers = (random: Random) => ({
  ...{ cr0: PG | (random.oneIn(2) ? WP : 0), cr3: CR3, cr4: PSE, efer: 0 },
});

describe("two-level", () => {
  it("finds any page", async ({ subject, reference, random }) => {
    const { words, linear } = twoLevel(random, () => ALL);
    const some = random.list(30, linear);
    const set = registers(random);
    const found = (results: readonly { physical: number; pageFrames: number }[]) =>
      results.map(({ physical, pageFrames }) => [physical, pageFrames]);
    expect(found(await subject.call("finds", set, words, some))).toEqual(
      found(await reference.call("finds", set, words, some)),
    );
  });
});

/** One page behind a path of three or four levels, any of which may have XD. */
function longTables(random: Random, isLong: boolean) {
  const slots = random.list(4, () => random.below(512));
  const index = (level: number) => (isLong || level !== 2 ? slots[level]! : slots[level]! & 3);
  const depth = isLong ? 4 : 3;
  const words: [number, number][] = [];
  for (let level = depth - 1; level >= 0; level--) {
    const table = 0x1000 * (depth - level);
    const next = level > 0 ? table + 0x1000 : random.below(0x10_0000) * 0x1000;
    const isPointer = !isLong && level === 2;
    words.push([table + 8 * index(level), (next | (isPointer ? P : ALL)) >>> 0]);
    words.push([table + 8 * index(level) + 4, random.oneIn(6) && !isPointer ? 0x8000_0000 : 0]);
  }
  const linear = () => {
    const parts = Array.from({ length: depth }, (_, level) => index(level) * 2 ** (12 + 9 * level));
    return parts.reduce((sum, part) => sum + part, random.below(0x1000));
  };
  const set = { cr0: PG, cr3: CR3, cr4: PAE, efer: NXE | (isLong ? LMA : 0) };
  return { words, linear, set };
}

describe("permission", () => {
  it("executes only where every level allows it", async ({ subject, reference, random }) => {
    const found = (results: readonly { found: boolean }[]) => results.map(result => result.found);
    for (const isLong of [false, true, true]) {
      const { words, linear, set } = longTables(random, isLong);
      const some = accesses(random, linear, [...ACCESSES, ...FETCHES]);
      expect(found(await subject.call("probes", set, words, some))).toEqual(
        found(await reference.call("probes", set, words, some)),
      );
    }
  });

  it("allows what every entry on the way allows", async ({ subject, reference, random }) => {
    const { words, linear } = twoLevel(random, anyFlags(random));
    const some = accesses(random, linear);
    const set = registers(random);
    const found = (results: readonly { found: boolean }[]) => results.map(result => result.found);
    expect(found(await subject.call("probes", set, words, some))).toEqual(
      found(await reference.call("probes", set, words, some)),
    );
  });
});

describe("page-fault", () => {
  it("tells why, of any access", async ({ subject, reference, random }) => {
    const { words, linear } = twoLevel(random, anyFlags(random));
    const some = accesses(random, linear);
    const set = registers(random);
    const codes = (results: readonly { errorCode: number }[]) => results.map(({ errorCode }) => errorCode);
    expect(codes(await subject.call("probes", set, words, some))).toEqual(
      codes(await reference.call("probes", set, words, some)),
    );
  });
});

describe("accessed-dirty", () => {
  it("marks what was used, and nothing else", async ({ subject, reference, random }) => {
    const { words, linear } = twoLevel(random, anyFlags(random));
    const some = accesses(random, linear);
    const set = registers(random);
    const writes = (results: readonly { writes: unknown }[]) => results.map(result => result.writes);
    expect(writes(await subject.call("walks", set, words, some))).toEqual(
      writes(await reference.call("walks", set, words, some)),
    );
  });
});

describe("long-tables", () => {
  it("walks any entries of eight bytes, in three levels and in four", async ({
    subject,
    reference,
    random,
  }) => {
    for (const isLong of [false, true]) {
      const { words, linear, set } = longTables(random, isLong);
      const some = random.list(30, linear);
      const found = (results: readonly FoundPage[]) =>
        results.map(({ physical, pageFrames, rights, noExecute }) => [
          physical,
          pageFrames,
          rights,
          noExecute,
        ]);
      expect(found(await subject.call("finds", set, words, some))).toEqual(
        found(await reference.call("finds", set, words, some)),
      );
    }
  });
});

describe("tlb", () => {
  it("remembers and forgets what it should", async ({ subject, reference, random }) => {
    const pages = random.list(8, () => random.below(0x10_0000) * 0x1000);
    const operations = random.list(150, (): TlbOperation => {
      const linear = random.pick(pages) + random.below(0x1000);
      const table = 4096 * random.below(4);
      if (random.oneIn(6)) return { do: "flushPage", linear };
      if (random.oneIn(3)) return { do: "insert", table, linear, hostPage: random.below(0x1000) * 0x1000 };
      return { do: "lookup", table, linear, size: random.pick([1, 2, 4]) };
    });
    expect(await subject.call("tlb", operations)).toEqual(await reference.call("tlb", operations));
  });
});

const [EPTP, GUEST] = [0x5_0000 | 0x1e, 0x10_0000];

/** 32 pages of guest RAM, with rights of their own. */
function eptTables(random: Random, rights: () => number): Words {
  const wide = (address: number, low: number): Words => [
    [address, low],
    [address + 4, 0],
  ];
  return [
    ...wide(0x5_0000, 0x5_1000 | 7),
    ...wide(0x5_1000, 0x5_2000 | 7),
    ...wide(0x5_2000, 0x5_3000 | 7),
    ...Array.from({ length: 32 }, (_, page) => {
      const frame = random.oneIn(4) ? random.below(0x1000) + 0x400 : GUEST / 0x1000 + page;
      return wide(0x5_3000 + 8 * page, frame * 0x1000 + ((6 << 3) | rights()));
    }).flat(),
  ];
}

describe("ept", () => {
  it("translates what it may, and tells the exit of the rest", async ({ subject, reference, random }) => {
    const words = eptTables(random, () => random.pick([7, 7, 5, 3, 1, 0]));
    const some = random.list(60, () => ({
      guestPhysical: random.below(0x2_2000),
      access: random.pick([0, 2, 0x10]),
      purpose: random.pick(["final", "guest page table"] as const),
    }));
    expect(await subject.call("ept", words, EPTP, some)).toEqual(
      await reference.call("ept", words, EPTP, some),
    );
  });
});

describe("nested-walk", () => {
  it("goes through both tables, wherever they lie", async ({ subject, reference, random }) => {
    const frame = random.between(9, 30);
    const words = [
      ...eptTables(random, () => (random.oneIn(12) ? random.pick([0, 1, 5]) : 7)),
      ...[1, 2, 3, 4].flatMap((table): Words => {
        const next = table === 4 ? frame : table + 1;
        return [
          [GUEST + 0x1000 * table + 8 * table, (next << 12) | 7],
          [GUEST + 0x1000 * table + 8 * table + 4, 0],
        ];
      }),
    ];
    const nested = {
      ...{ memory: words, eptPointer: EPTP },
      registers: { cr0: PG, cr3: CR3, cr4: PAE, efer: LMA },
      accesses: random.list(8, () => ({
        linear: random.oneIn(4) ? random.below(0x1000) : 0x80_8060_4000 + random.below(0x1000),
        access: random.pick(ACCESSES),
      })),
    };
    const ends = (results: readonly { physical: number; errorCode: number; exit: string }[]) =>
      results.map(({ physical, errorCode, exit }) => [physical, errorCode, exit]);
    expect(ends(await subject.call("nested", nested))).toEqual(ends(await reference.call("nested", nested)));
  });
});
