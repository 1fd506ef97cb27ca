import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import { GUESTS } from "./guests.ts";
import type { subject as chapterSubject, WalkResult, Words } from "./subject.ts";
import { walkLines } from "./walk-lines.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

// Accesses, as the error code names them (SDM vol. 3A, figure 4-12).
const READ = 0;
const WRITE = 1 << 1;
const USER = 1 << 2;
const FETCH = 1 << 4;

// Registers.
const PG = 0x8000_0001 | 0;
const WP = 1 << 16;
const PSE = 1 << 4;
const PAE = 1 << 5;
const LMA = 1 << 10;
const NXE = 1 << 11;
const CR3 = 0x1000;
const TWO_LEVEL = { cr0: PG, cr3: CR3, cr4: 0, efer: 0 };
const PROTECTED = { ...TWO_LEVEL, cr0: PG | WP };
const PAE_PAGING = { cr0: PG, cr3: CR3, cr4: PAE, efer: NXE };
const LONG = { cr0: PG, cr3: CR3, cr4: PAE, efer: LMA | NXE };

// Bits of entries.
const P = 0b001;
const RW = 0b010;
const US = 0b100;
const A = 1 << 5;
const D = 1 << 6;
const PS = 1 << 7;
const XD = 0x8000_0000;
const FLAGS = P | RW | US;

/** What a test shows of walks when it fails. */
const walked = (results: readonly Pick<WalkResult, "report">[], to = "reach it") => ({
  note: results.flatMap(({ report }) => walkLines(report, to)).join("\n"),
});

/** Entries of 8 bytes: address, low half, high half. */
const wide = (...entries: readonly (readonly [address: number, low: number, high?: number])[]): Words =>
  entries.flatMap(
    ([address, low, high = 0]): Words => [
      [address, low],
      [address + 4, high],
    ],
  );

const guest = (name: string) => GUESTS.find(one => one.name === name)!;

describe("two-level", () => {
  const tables: Words = [
    [CR3 + 4 * 0x301, 0x2000 | P | RW | US],
    [0x2000 + 4 * 0x023, 0x1234_5000 | P | RW | US],
  ];

  it("finds the page by ten bits, ten bits and twelve", async ({ subject, show }) => {
    const results = await subject.call("finds", TWO_LEVEL, tables, [0xc042_3abc]);
    show(walked(results));
    expect(results[0]!.physical, "directory 0x301, table 0x023, offset 0xabc").toBe(0x1234_5abc);
    expect(results[0]!.pageFrames).toBe(1);
  });

  it("tells each entry in turn", async ({ subject, show }) => {
    const results = await subject.call("finds", TWO_LEVEL, tables, [0xc042_3abc]);
    show(walked(results));
    expect(
      results[0]!.report.steps.map(({ name, address, decision }) => [name, address, decision]),
      "bits 31:12 of CR3 and of the PDE are the table's address, the rest are flags",
    ).toEqual([
      ["PDE", CR3 + 4 * 0x301, "leads to a table"],
      ["PTE", 0x2000 + 4 * 0x023, "maps the page"],
    ]);
  });

  it("takes flags in CR3 and in entries for flags, not for address bits", async ({ subject, show }) => {
    const memory: Words = [
      [CR3 + 4 * 0x301, 0x2fff & ~PS],
      [0x2000 + 4 * 0x023, 0x0004_5fff],
    ];
    const registers = { ...TWO_LEVEL, cr3: CR3 | 0x18 };
    const results = await subject.call("finds", registers, memory, [0xc042_3abc]);
    show(walked(results));
    expect(results[0]!.physical, "bits 11:0 of an entry are no part of an address").toBe(0x0004_5abc);
  });

  it("maps 4 MiB with one entry, but only where CR4.PSE is set", async ({ subject, show }) => {
    const memory: Words = [
      [CR3, 0x0040_0000 | PS | P | RW | US],
      [0x0040_0000 + 4 * 0x3ff, 0x0000_9000 | P | RW | US],
    ];
    const large = await subject.call("finds", { ...TWO_LEVEL, cr4: PSE }, memory, [0x003f_f123]);
    const small = await subject.call("finds", TWO_LEVEL, memory, [0x003f_f123]);
    show(walked([...large, ...small]));
    expect([large[0]!.physical, large[0]!.pageFrames], "with CR4.PSE: 1024 frames at once").toEqual([
      0x007f_f123, 0x400,
    ]);
    expect(small[0]!.physical, "without it the bit means nothing").toBe(0x0000_9123);
  });

  it("allows what both levels allow", async ({ subject, show }) => {
    for (const [pde, pte, rights] of [
      [P | RW, P | RW | US, RW],
      [P | RW | US, P | RW, RW],
      [P | US, P | RW | US, US],
      [P | RW | US, P | RW | US, RW | US],
    ] as const) {
      const memory: Words = [
        [CR3, 0x2000 | pde],
        [0x2000, 0x3000 | pte],
      ];
      const results = await subject.call("finds", TWO_LEVEL, memory, [0]);
      show(walked(results));
      expect(results[0]!.rights, "one level without U/S is enough to keep user code out, so with R/W").toBe(
        rights,
      );
    }
  });
});

describe("permission", () => {
  /** Walks one page with these bits in both entries. */
  const page = (bits: number): Words => [
    [CR3, 0x2000 | P | RW | US],
    [0x2000, 0x3000 | P | bits],
  ];

  it("keeps user code out of the kernel's pages", async ({ subject, show }) => {
    const results = await subject.call("probes", TWO_LEVEL, page(RW), [
      { linear: 0, access: READ },
      { linear: 0, access: USER },
      { linear: 0, access: USER | WRITE },
    ]);
    show(walked(results));
    expect(
      results.map(({ errorCode }) => errorCode),
      "the kernel may; user code meets a protection violation",
    ).toEqual([0, 0b101, 0b111]);
  });

  it("stops user code from writing to a read-only page", async ({ subject, show }) => {
    const results = await subject.call("probes", TWO_LEVEL, page(US), [
      { linear: 0, access: USER },
      { linear: 0, access: USER | WRITE },
    ]);
    show(walked(results));
    expect(results.map(({ errorCode }) => errorCode)).toEqual([0, 0b111]);
  });

  it("stops the kernel only where CR0.WP is set", async ({ subject, show }) => {
    const access = [{ linear: 0, access: WRITE }];
    const free = await subject.call("probes", TWO_LEVEL, page(US), access);
    const bound = await subject.call("probes", PROTECTED, page(US), access);
    show(walked([...free, ...bound], "write"));
    expect(free[0]!.found, "without WP supervisor code writes anywhere").toBe(true);
    expect(bound[0]!.errorCode, "CR0.WP binds the kernel too: copy on write needs it").toBe(0b011);
  });

  it("executes nothing from a page with XD", async ({ subject, show }) => {
    const memory = wide(
      [CR3, 0x2000 | P | RW | US],
      [0x2000, 0x3000 | P | RW | US],
      [0x3000, 0x4000 | P | RW | US],
      [0x4000, 0x5000 | P | RW | US, XD],
    );
    const results = await subject.call("probes", LONG, memory, [
      { linear: 0, access: USER },
      { linear: 0, access: USER | FETCH },
      { linear: 0, access: FETCH },
    ]);
    show(walked(results));
    expect(results.map(({ errorCode }) => errorCode)).toEqual([0, 0b1_0101, 0b1_0001]);
  });
});

describe("page-fault", () => {
  it("tells a missing page from a forbidden one", async ({ subject, show }) => {
    const memory: Words = [
      [CR3, 0x2000 | P],
      [0x2000, 0x3000 | P],
    ];
    const results = await subject.call("probes", PROTECTED, memory, [
      { linear: 0, access: WRITE },
      { linear: 0x1000, access: WRITE },
    ]);
    show(walked(results, "write"));
    expect(results[0]!.errorCode, "the page is there and may not be written: P is set").toBe(0b011);
    expect(results[1]!.errorCode, "the page is not there: P is clear").toBe(0b010);
  });

  it("says what the access was", async ({ subject, show }) => {
    const accesses = [READ, WRITE, USER, USER | WRITE].map(access => ({ linear: 0x0040_0000, access }));
    const results = await subject.call("probes", TWO_LEVEL, [], accesses);
    show(walked(results));
    expect(
      results.map(({ errorCode }) => errorCode),
      "bit 1: a write, bit 2: user code",
    ).toEqual([0b000, 0b010, 0b100, 0b110]);
  });

  it("stops at the directory, or one level on", async ({ subject, show }) => {
    const memory: Words = [[CR3, 0x2000 | P]];
    const results = await subject.call("probes", TWO_LEVEL, memory, [
      { linear: 0x0040_0000, access: READ },
      { linear: 0, access: READ },
    ]);
    show(walked(results));
    expect(
      results.map(({ report }) => report.steps.map(({ name, decision }) => `${name} ${decision}`)),
    ).toEqual([["PDE not present"], ["PDE leads to a table", "PTE not present"]]);
    expect(
      results.map(({ found }) => found),
      "return false: the walk has no result",
    ).toEqual([false, false]);
  });

  it("calls a reserved bit a violation with bit 3", async ({ subject, show }) => {
    const memory: Words = [[CR3, PS | P | RW | US | (1 << 21)]];
    const results = await subject.call("probes", { ...TWO_LEVEL, cr4: PSE }, memory, [
      { linear: 0, access: USER | WRITE },
    ]);
    show(walked(results, "write as user"));
    expect(results[0]!.report.steps[0]!.decision).toBe("reserved bit set");
    expect(results[0]!.errorCode, "RSVD, and P since the entry is present").toBe(0b1111);
  });

  it("refuses reserved bits", async ({ subject, show }) => {
    const cases: [why: string, words: Words][] = [
      ["an address that the processor has no pins for", wide([CR3, 0x2000 | FLAGS, 1 << 19])],
      ["PS in a PML4E", wide([CR3, 0x2000 | FLAGS | PS])],
      [
        "a page of 2 MiB that begins in the middle",
        wide([CR3, 0x2000 | FLAGS], [0x2000, 0x3000 | FLAGS], [0x3000, 0x0061_0000 | FLAGS | PS]),
      ],
      ["XD without EFER.NXE", wide([CR3, 0x2000 | FLAGS, XD])],
    ];
    for (const [why, words] of cases) {
      const registers = why.startsWith("XD") ? { ...LONG, efer: LMA } : LONG;
      const results = await subject.call("probes", registers, words, [{ linear: 0, access: READ }]);
      show(walked(results, "read"));
      expect(results[0]!.errorCode, why).toBe(0b1001);
    }
  });

  it("stops at a PAE pointer that is not there", async ({ subject, show }) => {
    const memory = wide([CR3 + 8 * 3, 0x3000 | P]);
    const results = await subject.call("probes", PAE_PAGING, memory, [
      { linear: 0x4000_0000, access: WRITE },
    ]);
    show(walked(results, "write"));
    expect(results[0]!.errorCode, "pointer 1 is not present").toBe(0b010);
  });
});

describe("accessed-dirty", () => {
  const memory: Words = [
    [CR3, 0x2000 | P | RW | US],
    [0x2000, 0x3000 | P | RW | US],
  ];

  it("marks every entry of the path as accessed", async ({ subject, show }) => {
    const results = await subject.call("walks", TWO_LEVEL, memory, [{ linear: 0, access: READ }]);
    show(walked(results, "read"));
    expect(
      new Map(results[0]!.writes),
      "A in the PDE and the PTE; D in neither: nothing was written",
    ).toEqual(
      new Map([
        [CR3, 0x2000 | P | RW | US | A],
        [0x2000, 0x3000 | P | RW | US | A],
      ]),
    );
  });

  it("marks only the mapping entry as dirty, and only for a write", async ({ subject, show }) => {
    const results = await subject.call("walks", TWO_LEVEL, memory, [{ linear: 0, access: WRITE }]);
    show(walked(results, "write"));
    expect(new Map(results[0]!.writes), "D belongs to the page, not to the table").toEqual(
      new Map([
        [CR3, 0x2000 | P | RW | US | A],
        [0x2000, 0x3000 | P | RW | US | A | D],
      ]),
    );
  });

  it("writes no entry that is already marked", async ({ subject }) => {
    const results = await subject.call("walks", TWO_LEVEL, memory, [
      { linear: 0, access: READ },
      { linear: 0, access: READ },
      { linear: 0, access: WRITE },
      { linear: 0, access: WRITE },
    ]);
    expect(
      results.map(({ writes }) => writes.length),
      "both entries, none, the PTE for its D, none",
    ).toEqual([2, 0, 1, 0]);
  });

  it("marks nothing when the access is refused", async ({ subject, show }) => {
    const results = await subject.call(
      "walks",
      TWO_LEVEL,
      [
        [CR3, 0x2000 | P | RW],
        [0x2000, 0x3000 | P],
      ],
      [
        { linear: 0, access: USER },
        { linear: 0, access: READ },
      ],
    );
    show(walked(results));
    expect(results.map(({ writes }) => writes.length)).toEqual([0, 2]);
  });

  it("marks the one entry of a large page", async ({ subject, show }) => {
    const large: Words = [[CR3, 0x0040_0000 | PS | P | RW]];
    const results = await subject.call("walks", { ...TWO_LEVEL, cr4: PSE }, large, [
      { linear: 0x1000, access: WRITE },
    ]);
    show(walked(results, "write"));
    expect(results[0]!.writes).toEqual([[CR3, 0x0040_0000 | PS | P | RW | A | D]]);
  });

  it("shows the guest one page at two addresses", async ({ subject, show }) => {
    const { image, output } = guest("paging");
    const run = await subject.call("guest", image);
    show({ exits: run.exits.slice(-3) });
    expect(run.output).toBe(output);
  });

  it("gives the guest pages when it touches them", async ({ subject, show }) => {
    const { image, output } = guest("fault");
    const run = await subject.call("guest", image);
    show({ exits: run.exits.slice(-3) });
    expect(run.output).toBe(output);
  });
});

describe("long-tables", () => {
  const LINEAR = 0x80_8060_4005;
  const long = wide(
    [CR3 + 8 * 1, 0x2000 | FLAGS],
    [0x2000 + 8 * 2, 0x3000 | FLAGS],
    [0x3000 + 8 * 3, 0x4000 | FLAGS],
    [0x4000 + 8 * 4, 0x5000 | FLAGS],
  );

  it("walks four levels of nine bits", async ({ subject, show }) => {
    const results = await subject.call("finds", LONG, long, [LINEAR]);
    show(walked(results, "read"));
    expect(results[0]!.report.steps.map(({ name, address }) => [name, address])).toEqual([
      ["PML4E", CR3 + 8],
      ["PDPTE", 0x2010],
      ["PDE", 0x3018],
      ["PTE", 0x4020],
    ]);
    expect(results[0]!.physical).toBe(0x5005);
  });

  it("starts a PAE walk from a pointer in a register", async ({ subject, show }) => {
    const memory = wide(
      [CR3 + 8 * 3, 0x3000 | P],
      [0x3000 + 8 * 1, 0x4000 | FLAGS],
      [0x4000 + 8 * 2, 0x5000 | FLAGS],
    );
    const [found] = await subject.call("finds", PAE_PAGING, memory, [0xc020_2abc]);
    show(walked([found!], "reach it"));
    expect(found!.physical, "pointer 3, directory 1, table 2").toBe(0x5abc);
    expect(
      found!.report.steps.map(({ address }) => address),
      "the pointer has no address: it is a register",
    ).toEqual([null, 0x3008, 0x4010]);
  });

  it("finds frames above 4 GiB", async ({ subject, show }) => {
    const memory = wide(
      [CR3, 0x2000 | FLAGS],
      [0x2000, 0x3000 | FLAGS],
      [0x3000, 0x4000 | FLAGS],
      [0x4000, 0x5000 | FLAGS, 0xa],
    );
    const results = await subject.call("finds", LONG, memory, [0x123]);
    show(walked(results, "read"));
    expect(results[0]!.physical, "the high half of the entry counts").toBe(0xa_0000_5123);
  });

  it("maps 2 MiB and 1 GiB with one entry", async ({ subject, show }) => {
    const memory = wide(
      [CR3, 0x2000 | FLAGS],
      [0x2000, 0x3000 | FLAGS],
      [0x2000 + 8, 0x4000_0000 | FLAGS | PS],
      [0x3000 + 8, 0x0060_0000 | FLAGS | PS],
    );
    const results = await subject.call("finds", LONG, memory, [0x0023_4567, 0x7654_3210]);
    show(walked(results, "read"));
    expect(
      results.map(({ physical, pageFrames }) => [physical, pageFrames]),
      "the offset in a large page has 21 or 30 bits",
    ).toEqual([
      [0x0063_4567, 512],
      [0x7654_3210, 262_144],
    ]);
  });

  it("forbids what any level forbids", async ({ subject, show }) => {
    for (const level of [0, 1, 2, 3]) {
      const at = [CR3, 0x2000, 0x3000, 0x4000];
      const memory = (low: number, high: number) =>
        wide(
          ...at.map((address, index): [number, number, number] => {
            const frame = 0x2000 + 0x1000 * index;
            return index === level ? [address, frame | low, high] : [address, frame | FLAGS, 0];
          }),
        );
      const name = ["PML4E", "PDPTE", "PDE", "PTE"][level];
      const noWrite = await subject.call("finds", LONG, memory(P | US, 0), [0]);
      show(walked(noWrite));
      expect(noWrite[0]!.rights, `no R/W in the ${name}`).toBe(US);
      const noExecute = await subject.call("finds", LONG, memory(FLAGS, XD), [0]);
      show(walked(noExecute));
      expect(noExecute[0]!.noExecute, `XD in the ${name} alone`).toBe(true);
    }
  });
});
