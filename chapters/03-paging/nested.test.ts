import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject, NestedResult, Words } from "./subject.ts";
import { nestedLines } from "./walk-lines.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const READ = 0;
const WRITE = 1 << 1;
const USER = 1 << 2;
const FETCH = 1 << 4;

// EPT entries (SDM vol. 3C, tables 28-1 to 28-6).
const R = 0b001;
const W = 0b010;
const X = 0b100;
const LARGE = 1 << 7;
const WRITE_BACK = 6 << 3;
const EPTP = 0x5_0000 | 0x1e;
const ACCESSED_DIRTY = 1 << 6;

// The guest: 4-level paging, its RAM at host-physical 0x10_0000.
const GUEST = 0x10_0000;
const LONG = { cr0: 0x8000_0001 | 0, cr3: 0x1000, cr4: 1 << 5, efer: 1 << 10 };
const LINEAR = 0x80_8060_4005;
const FRAME = 0x9000;

const wide = (...entries: readonly (readonly [address: number, low: number, high?: number])[]): Words =>
  entries.flatMap(
    ([address, low, high = 0]): Words => [
      [address, low],
      [address + 4, high],
    ],
  );

/** 32 pages of guest RAM by 4 KiB pages of EPT. `change` replaces the entries of some guest pages. */
function eptTables(change: Readonly<Record<number, number>> = {}, upper = R | W | X): Words {
  const pages = Array.from({ length: 32 }, (_, page): [number, number] => {
    const entry = change[page] ?? (GUEST + 0x1000 * page) | R | W | X | WRITE_BACK;
    return [0x5_3000 + 8 * page, entry];
  });
  return wide(
    [0x5_0000, 0x5_1000 | upper],
    [0x5_1000, 0x5_2000 | upper],
    [0x5_2000, 0x5_3000 | upper],
    ...pages,
  );
}

const guestTables = wide(
  [GUEST + 0x1000 + 8 * 1, 0x2000 | 7],
  [GUEST + 0x2000 + 8 * 2, 0x3000 | 7],
  [GUEST + 0x3000 + 8 * 3, 0x4000 | 7],
  [GUEST + 0x4000 + 8 * 4, FRAME | 7],
);

const walked = (results: readonly NestedResult[]) => ({
  note: results
    .flatMap(({ steps, physical, errorCode, exit }) => [
      ...nestedLines(
        {
          linear: LINEAR,
          steps,
          physical: physical < 0 ? null : physical,
          errorCode: Math.max(0, errorCode),
          exit: null,
        },
        "reach it",
      ),
      ...(exit ? [`  ${exit}`] : []),
    ])
    .join("\n"),
});

describe("ept", () => {
  const final = (guestPhysical: number, access: number) =>
    ({ guestPhysical, access, purpose: "final" }) as const;

  it("walks four levels from guest-physical to host-physical", async ({ subject }) => {
    const results = await subject.call("ept", eptTables(), EPTP, [
      final(0x9123, READ),
      final(0x1_f000, WRITE),
    ]);
    expect(results).toEqual([GUEST + 0x9123, GUEST + 0x1_f000]);
  });

  it("maps large pages", async ({ subject }) => {
    const words = wide(
      [0x5_0000, 0x5_1000 | R | W | X],
      [0x5_1000, 0x5_2000 | R | W | X],
      [0x5_1008, 0x4000_0000 | LARGE | WRITE_BACK | R],
      [0x5_2008, 0x0060_0000 | LARGE | WRITE_BACK | R],
    );
    const results = await subject.call("ept", words, EPTP, [
      final(0x0023_4567, READ),
      final(0x7654_3210, READ),
    ]);
    expect(results, "2 MiB and 1 GiB: the low 21 and 30 bits are the offset").toEqual([
      0x0063_4567, 0x7654_3210,
    ]);
  });

  it("leaves the guest where there is no page", async ({ subject }) => {
    const words = eptTables({ 9: 0 });
    const results = await subject.call("ept", words, EPTP, [
      final(0x9123, READ),
      final(0x9123, WRITE),
      final(0x9123, FETCH),
      { guestPhysical: 0x9123, access: READ, purpose: "guest page table" },
    ]);
    expect(
      results,
      "bits 2:0 what it wanted, 5:3 what it might, 7 linear address valid, 8 the final access",
    ).toEqual([
      "EPT violation at 0x9123, 0b110000001",
      "EPT violation at 0x9123, 0b110000010",
      "EPT violation at 0x9123, 0b110000100",
      "EPT violation at 0x9123, 0b10000001",
    ]);
  });

  it("allows only what all levels allow", async ({ subject }) => {
    const leaf = { 9: (GUEST + 0x9000) | R | W | X | WRITE_BACK };
    const accesses = [final(0x9000, READ), final(0x9000, WRITE), final(0x9000, FETCH)];
    const results = await subject.call("ept", eptTables(leaf, R | X), EPTP, accesses);
    expect(results, "no W above: a write violates, and the qualification names R and X").toEqual([
      GUEST + 0x9000,
      "EPT violation at 0x9000, 0b110101010",
      GUEST + 0x9000,
    ]);
  });

  it("calls an entry without meaning a misconfiguration", async ({ subject }) => {
    const words = eptTables({ 9: (GUEST + 0x9000) | W | WRITE_BACK });
    const results = await subject.call("ept", words, EPTP, [final(0x9000, READ)]);
    expect(results, "writable and not readable").toEqual(["EPT misconfiguration at 0x9000, 0b0"]);
  });

  it("counts the walk of the guest's tables as writing where it keeps accessed and dirty flags", async ({
    subject,
  }) => {
    const words = eptTables({ 1: (GUEST + 0x1000) | R | WRITE_BACK });
    const access = [{ guestPhysical: 0x1008, access: READ, purpose: "guest page table" }] as const;
    const without = await subject.call("ept", words, EPTP, access);
    const keeping = await subject.call("ept", words, EPTP | ACCESSED_DIRTY, access);
    expect(without).toEqual([GUEST + 0x1008]);
    expect(keeping, "the processor would set A in the guest's entry").toEqual([
      "EPT violation at 0x1008, 0b10001011",
    ]);
  });
});

describe("nested-walk", () => {
  const nested = (memory: Words, accesses: readonly { linear: number; access: number }[]) =>
    ({ memory, eptPointer: EPTP, registers: LONG, accesses }) as const;

  it("makes 24 references for four levels in four", async ({ subject, show }) => {
    const results = await subject.call(
      "nested",
      nested([...eptTables(), ...guestTables], [{ linear: LINEAR, access: READ }]),
    );
    show(walked(results));
    expect(results[0]!.physical).toBe(GUEST + FRAME + 5);
    const four = ["EPT", "EPT", "EPT", "EPT"];
    expect(
      results[0]!.steps.map(({ dimension }) => dimension),
      "4 × (4 + 1) + 4: each of the guest's entries lies at an address that must be translated",
    ).toEqual([...four, "guest", ...four, "guest", ...four, "guest", ...four, "guest", ...four]);
  });

  it("translates the page itself, too", async ({ subject, show }) => {
    const moved = eptTables({ 9: 0x20_0000 | R | W | X | WRITE_BACK });
    const results = await subject.call(
      "nested",
      nested([...moved, ...guestTables], [{ linear: LINEAR, access: WRITE }]),
    );
    show(walked(results));
    expect(results[0]!.physical, "the guest's frame is guest-physical: it goes through the EPT as well").toBe(
      0x20_0005,
    );
  });

  it("gives the guest its own page fault", async ({ subject, show }) => {
    const results = await subject.call(
      "nested",
      nested(
        [...eptTables(), ...guestTables],
        [
          { linear: 0, access: WRITE | USER },
          { linear: LINEAR, access: READ },
        ],
      ),
    );
    show(walked(results));
    expect(results[0], "not present in the guest's tables: no exit").toMatchObject({
      errorCode: 0b110,
      exit: "",
    });
    expect(results[1]!.physical).toBe(GUEST + FRAME + 5);
  });

  it("leaves the guest for a table that the hypervisor has taken away", async ({ subject, show }) => {
    const results = await subject.call(
      "nested",
      nested([...eptTables({ 4: 0 }), ...guestTables], [{ linear: LINEAR, access: READ }]),
    );
    show(walked(results));
    expect(results[0]!.exit, "bit 8 is clear: it was not the final access").toBe(
      "EPT violation at 0x4020, 0b10000001",
    );
    expect(results[0]!.steps.filter(({ dimension }) => dimension === "guest")).toHaveLength(3);
  });

  it("sets the guest's flags through the second dimension", async ({ subject, show }) => {
    const readOnly = eptTables({ 4: (GUEST + 0x4000) | R | WRITE_BACK });
    const results = await subject.call(
      "nested",
      nested([...readOnly, ...guestTables], [{ linear: LINEAR, access: READ }]),
    );
    show(walked(results));
    expect(results[0]!.exit, "setting A in the guest's PTE is a write to the page of its table").toBe(
      "EPT violation at 0x4020, 0b10001010",
    );
  });
});
