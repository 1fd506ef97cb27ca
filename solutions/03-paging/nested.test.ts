import { describe, expect, it } from "vitest";
import {
  EPT_EXECUTE,
  EPT_READ,
  EPT_WRITE,
  EPTP_ACCESSED_DIRTY,
  ExtendedPageTables,
  NestedPageTables,
  NestedPagingExit,
  NestedWalker,
} from "./nested.ts";
import { explainNestedWalk } from "./steps.ts";
import { FETCH_ACCESS, type PageTableMemory, USER_ACCESS, WRITE_ACCESS } from "./walk.ts";

const PG = 0x8000_0001 | 0;
const PAE = 1 << 5;
const LMA = 1 << 10;
const LONG = { cr0: PG, cr4: PAE, efer: LMA };
const RWX = EPT_READ | EPT_WRITE | EPT_EXECUTE;
const WRITE_BACK = 6 << 3;

class HostMemory implements PageTableMemory {
  readonly words = new Map<number, number>();
  reads = 0;

  read32(address: number): number {
    this.reads++;
    return this.words.get(address) ?? 0;
  }

  write32(address: number, value: number): void {
    this.words.set(address, value | 0);
  }

  write64(address: number, low: number): void {
    this.write32(address, low);
    this.write32(address + 4, 0);
  }
}

/**
 * Guest-physical 0 to 2 MiB at host 0x10_0000 upwards, by 4 KiB pages of EPT. Guest tables at
 * guest-physical 0x1000 to 0x4000 map guest-linear 0x40_0000_1000 to guest-physical 0x9000.
 */
const GUEST = 0x10_0000;
const LINEAR = 0x40_0000_1000;
const EPT_PTE = 0x5_3000;

function machine(options: { eptp?: number; executeOnly?: boolean } = {}) {
  const memory = new HostMemory();
  memory.write64(0x5_0000, 0x5_1000 | RWX);
  memory.write64(0x5_1000, 0x5_2000 | RWX);
  memory.write64(0x5_2000, EPT_PTE | RWX);
  for (let page = 0; page < 512; page++) {
    memory.write64(EPT_PTE + 8 * page, (GUEST + 4096 * page) | RWX | WRITE_BACK);
  }
  memory.write64(GUEST + 0x1000, 0x2000 | 7);
  memory.write64(GUEST + 0x2000 + 8 * 0x100, 0x3000 | 7);
  memory.write64(GUEST + 0x3000, 0x4000 | 7);
  memory.write64(GUEST + 0x4000 + 8, 0x9000 | 7);
  const ept = new ExtendedPageTables(memory, 0x5_0000 | (options.eptp ?? 0x1e), options);
  const walker = new NestedWalker(memory, ept);
  walker.configure({ ...LONG, cr3: 0x1000 });
  memory.reads = 0;
  return { memory, ept, walker };
}

function exitOf(action: () => unknown): NestedPagingExit {
  try {
    action();
  } catch (exit) {
    if (exit instanceof NestedPagingExit) return exit;
    throw exit;
  }
  throw new Error("the walk did not leave the guest");
}

describe("the two-dimensional walk", () => {
  it("takes 24 references for 4 levels in 4 levels", () => {
    const { walker, memory } = machine();
    const report = explainNestedWalk(walker, LINEAR + 0x123);
    expect(report.physical).toBe(GUEST + 0x9123);
    expect(report.steps).toHaveLength(24);
    expect(report.steps.map(step => step.dimension)).toEqual([
      ...["EPT", "EPT", "EPT", "EPT", "guest"],
      ...["EPT", "EPT", "EPT", "EPT", "guest"],
      ...["EPT", "EPT", "EPT", "EPT", "guest"],
      ...["EPT", "EPT", "EPT", "EPT", "guest"],
      ...["EPT", "EPT", "EPT", "EPT"],
    ]);
    // Each of the 24 entries is two halves.
    expect(memory.reads).toBe(48);
  });

  it("leaves memory alone when it only explains, and sets the guest's flags when it walks", () => {
    const { walker, memory } = machine({ eptp: 0x1e | EPTP_ACCESSED_DIRTY });
    const before = new Map(memory.words);
    explainNestedWalk(walker, LINEAR, WRITE_ACCESS);
    expect(memory.words).toEqual(before);
    expect(walker.walk(LINEAR, WRITE_ACCESS)).toBe(true);
    expect(memory.words.get(GUEST + 0x4008)).toBe(0x9067);
    // The guest's PTE page was written by the walk, the final page by the access.
    expect(memory.words.get(EPT_PTE + 8 * 4)! & 0x300).toBe(0x300);
    expect(memory.words.get(EPT_PTE + 8 * 9)! & 0x300).toBe(0x300);
    expect(memory.words.get(0x5_2000)! & 0x300).toBe(0x100);
  });

  it("gives the guest its own page fault without leaving it", () => {
    const { walker, memory } = machine();
    memory.write64(GUEST + 0x4008, 0x9005);
    expect(walker.walk(LINEAR, WRITE_ACCESS | USER_ACCESS)).toBe(false);
    expect(walker.errorCode).toBe(0b0111);
    expect(walker.walk(0, 0)).toBe(false);
    expect(walker.errorCode).toBe(0);
  });

  it("translates a guest that has no paging by the second dimension alone", () => {
    const { walker } = machine();
    walker.configure({ cr0: 1, cr3: 0, cr4: 0, efer: 0 });
    expect(explainNestedWalk(walker, 0x9123).steps).toHaveLength(4);
    expect(walker.walk(0x9123, 0)).toBe(true);
    expect(walker.physical).toBe(GUEST + 0x9123);
  });

  it("walks a 2-level guest: 2 × 5 + 4 references", () => {
    const { walker, memory } = machine();
    memory.write32(GUEST + 0x6000, 0x7007);
    memory.write32(GUEST + 0x7000 + 4 * 5, 0x9007);
    walker.configure({ cr0: PG, cr3: 0x6000, cr4: 0, efer: 0 });
    const report = explainNestedWalk(walker, 0x5abc);
    expect(report.physical).toBe(GUEST + 0x9abc);
    expect(report.steps).toHaveLength(14);
  });

  it("does not trust what it saw of a table before the hypervisor moved it", () => {
    const { walker, memory } = machine();
    memory.write32(GUEST + 0x6000, 0x7007);
    memory.write32(GUEST + 0x6004, 0x7007);
    memory.write32(GUEST + 0x7000, 0x9007);
    walker.configure({ cr0: PG, cr3: 0x6000, cr4: 0, efer: 0 });
    expect(walker.walk(0, 0)).toBe(true);
    memory.write64(EPT_PTE + 8 * 6, 0);
    expect(exitOf(() => walker.walk(0x40_0000, 0)).guestPhysical).toBe(0x6004);
  });
});

describe("EPT violations", () => {
  it("tells a missing final page: data read, linear address valid, final access", () => {
    const { walker, memory } = machine();
    memory.write64(EPT_PTE + 8 * 9, 0);
    const exit = exitOf(() => walker.walk(LINEAR + 8, 0));
    expect(exit.reason).toBe("EPT violation");
    expect(exit.guestPhysical).toBe(0x9008);
    expect(exit.qualification).toBe(0x181n);
  });

  it("tells a write to a read-only page, with what the entries allow", () => {
    const { walker, memory } = machine();
    memory.write64(EPT_PTE + 8 * 9, (GUEST + 0x9000) | EPT_READ | EPT_EXECUTE | WRITE_BACK);
    expect(exitOf(() => walker.walk(LINEAR, WRITE_ACCESS)).qualification).toBe(0x180n | 0b101_010n);
  });

  it("tells a fetch from a page that is not executable in any one of the levels", () => {
    const { walker, memory } = machine();
    memory.write64(0x5_1000, 0x5_2000 | EPT_READ | EPT_WRITE);
    expect(exitOf(() => walker.walk(LINEAR, FETCH_ACCESS)).qualification).toBe(0x180n | 0b011_100n);
  });

  it("tells that the guest's table itself is missing: not the final access", () => {
    const { walker, memory } = machine();
    memory.write64(EPT_PTE + 8 * 3, 0);
    const exit = exitOf(() => walker.walk(LINEAR, WRITE_ACCESS));
    expect(exit.guestPhysical).toBe(0x3000);
    expect(exit.qualification).toBe(0x081n);
  });

  it("counts the walk of guest tables as read and write when EPT keeps accessed and dirty flags", () => {
    const { walker, memory } = machine({ eptp: 0x1e | EPTP_ACCESSED_DIRTY });
    memory.write64(EPT_PTE + 8 * 3, (GUEST + 0x3000) | EPT_READ | WRITE_BACK);
    expect(exitOf(() => walker.walk(LINEAR, 0)).qualification).toBe(0x080n | 0b001_011n);
  });

  it("lets a guest's accessed flag be written only where EPT allows writes", () => {
    const { walker, memory } = machine();
    memory.write64(EPT_PTE + 8 * 4, (GUEST + 0x4000) | EPT_READ | WRITE_BACK);
    const exit = exitOf(() => walker.walk(LINEAR, 0));
    expect(exit.guestPhysical).toBe(0x4008);
    expect(exit.qualification).toBe(0x080n | 0b001_010n);
  });

  it("marks no linear address for the pointers that a load of CR3 reads", () => {
    const { walker, memory } = machine();
    memory.write64(EPT_PTE + 8 * 6, 0);
    const exit = exitOf(() => walker.configure({ cr0: PG, cr3: 0x6000, cr4: PAE, efer: 0 }));
    expect(exit.qualification).toBe(0x001n);
  });
});

describe("EPT misconfigurations", () => {
  const page = GUEST + 0x9000;
  it.each([
    ["writable but not readable", page | EPT_WRITE | WRITE_BACK, {}],
    ["writable and executable but not readable", page | EPT_WRITE | EPT_EXECUTE | WRITE_BACK, {}],
    ["execute-only on a processor without it", page | EPT_EXECUTE | WRITE_BACK, { executeOnly: false }],
    ["memory type 2", page | RWX | (2 << 3), {}],
    ["memory type 3", page | RWX | (3 << 3), {}],
    ["memory type 7", page | RWX | (7 << 3), {}],
  ])("%s", (_name, entry, options) => {
    const { walker, memory } = machine(options);
    memory.write64(EPT_PTE + 8 * 9, entry);
    const exit = exitOf(() => walker.walk(LINEAR, 0));
    expect([exit.reason, exit.guestPhysical, exit.qualification]).toEqual([
      "EPT misconfiguration",
      0x9000,
      0n,
    ]);
  });

  it("address bits beyond the processor's, and reserved bits of a table's entry", () => {
    const { walker, memory } = machine();
    memory.write32(EPT_PTE + 8 * 9 + 4, 1 << 4);
    expect(exitOf(() => walker.walk(LINEAR, 0)).reason).toBe("EPT misconfiguration");
    memory.write32(EPT_PTE + 8 * 9 + 4, 0);
    memory.write64(0x5_0000, 0x5_1000 | RWX | (1 << 3));
    expect(exitOf(() => walker.walk(LINEAR, 0)).reason).toBe("EPT misconfiguration");
  });

  it("comes before a violation: the permissions of upper levels are judged last", () => {
    const { walker, memory } = machine();
    memory.write64(0x5_1000, 0x5_2000 | EPT_READ);
    memory.write64(EPT_PTE + 8 * 1, (GUEST + 0x1000) | RWX | (7 << 3));
    expect(exitOf(() => walker.walk(LINEAR, WRITE_ACCESS)).reason).toBe("EPT misconfiguration");
  });

  it("2 MiB pages: maps by the directory, and refuses low address bits", () => {
    const { walker, memory } = machine();
    memory.write64(0x5_2000, 0x0020_0000 | RWX | WRITE_BACK | (1 << 7));
    walker.configure({ cr0: 1, cr3: 0, cr4: 0, efer: 0 });
    expect(walker.walk(0x1_2345, 0)).toBe(true);
    expect(walker.physical).toBe(0x0021_2345);
    memory.write64(0x5_2000, 0x0020_1000 | RWX | WRITE_BACK | (1 << 7));
    expect(exitOf(() => walker.walk(0x1_2345, 0)).reason).toBe("EPT misconfiguration");
  });
});

describe("NPT", () => {
  function npt() {
    const { memory } = machine();
    for (const table of [0x5_0000, 0x5_1000, 0x5_2000]) {
      memory.write64(table, (memory.words.get(table)! & 0xf_f000) | 7);
    }
    for (let page = 0; page < 512; page++) memory.write64(EPT_PTE + 8 * page, (GUEST + 4096 * page) | 7);
    const walker = new NestedWalker(memory, new NestedPageTables(memory, { ...LONG, cr3: 0x5_0000 }));
    walker.configure({ ...LONG, cr3: 0x1000 });
    return { memory, walker };
  }

  it("translates in the same 24 references", () => {
    const { walker } = npt();
    const report = explainNestedWalk(walker, LINEAR + 4);
    expect(report.physical).toBe(GUEST + 0x9004);
    expect(report.steps).toHaveLength(24);
    expect(report.steps[0]!.dimension).toBe("NPT");
  });

  it("reports the final page as a user access, bit 32", () => {
    const { walker, memory } = npt();
    memory.write64(EPT_PTE + 8 * 9, (GUEST + 0x9000) | 5);
    const exit = exitOf(() => walker.walk(LINEAR, WRITE_ACCESS));
    expect([exit.reason, exit.guestPhysical]).toEqual(["nested page fault", 0x9000]);
    expect(exit.qualification).toBe((1n << 32n) | 0b0111n);
  });

  it("reports the guest's own tables as data writes, bit 33", () => {
    const { walker, memory } = npt();
    memory.write64(EPT_PTE + 8 * 2, 0);
    const exit = exitOf(() => walker.walk(LINEAR, 0));
    expect(exit.guestPhysical).toBe(0x2800);
    expect(exit.qualification).toBe((1n << 33n) | 0b0110n);
  });
});
