import { describe, expect, it } from "vitest";
import { explainWalk } from "./steps.ts";
import {
  FETCH_ACCESS,
  type PageTableMemory,
  PageWalker,
  type PagingRegisters,
  USER_ACCESS,
  WRITE_ACCESS,
} from "./walk.ts";

const PG = 0x8000_0001 | 0;
const WP = 1 << 16;
const PSE = 1 << 4;
const PAE = 1 << 5;
const PGE = 1 << 7;
const LMA = 1 << 10;
const NXE = 1 << 11;

/** Physical memory that remembers what was written to it, at any address. */
class SparseMemory implements PageTableMemory {
  readonly words = new Map<number, number>();
  writes = 0;

  read32(address: number): number {
    return this.words.get(address) ?? 0;
  }

  write32(address: number, value: number): void {
    this.writes++;
    this.words.set(address, value | 0);
  }

  write64(address: number, value: bigint): void {
    this.write32(address, Number(value & 0xffff_ffffn));
    this.write32(address + 4, Number(value >> 32n));
  }

  read64(address: number): bigint {
    const half = (at: number): bigint => BigInt((this.words.get(at) ?? 0) >>> 0);
    return half(address) | (half(address + 4) << 32n);
  }
}

function walkerOn(memory: PageTableMemory, registers: Partial<PagingRegisters>): PageWalker {
  const walker = new PageWalker(memory);
  walker.configure({ cr0: PG, cr3: 0x1000, cr4: 0, efer: 0, ...registers });
  return walker;
}

function physical(walker: PageWalker, linear: number): number {
  return walker.frame * 4096 + (linear % 4096);
}

describe("2-level paging", () => {
  it("finds the page behind a linear address", () => {
    const memory = new SparseMemory();
    memory.write32(0x1000 + 4 * 0x301, 0x0000_2067);
    memory.write32(0x2000 + 4 * 0x023, 0x1234_5067);
    const walker = walkerOn(memory, {});
    expect(walker.walk(0xc042_3abc, 0)).toBe(true);
    expect(physical(walker, 0xc042_3abc)).toBe(0x1234_5abc);
    expect(walker.pageFrames).toBe(1);
  });

  it("maps 4 MiB with one entry when CR4.PSE is set, and a table when it is not", () => {
    const memory = new SparseMemory();
    memory.write32(0x1000, 0x0040_00e7);
    memory.write32(0x0040_0000 + 4 * 0x3ff, 0x0000_9067);
    const large = walkerOn(memory, { cr4: PSE });
    expect(large.walk(0x003f_f123, 0)).toBe(true);
    expect(physical(large, 0x003f_f123)).toBe(0x007f_f123);
    expect(large.pageFrames).toBe(1024);
    const small = walkerOn(memory, {});
    expect(small.walk(0x003f_f123, 0)).toBe(true);
    expect(physical(small, 0x003f_f123)).toBe(0x0000_9123);
  });

  it("reaches above 4 GiB with PSE-36, and refuses address bits that the processor lacks", () => {
    const memory = new SparseMemory();
    memory.write32(0x1000, 0x0040_0087 | (0xa << 13));
    const walker = walkerOn(memory, { cr4: PSE });
    expect(walker.walk(0x123, 0)).toBe(true);
    expect(physical(walker, 0x123)).toBe(0xa_0040_0123);
    for (const bit of [17, 18, 19, 20, 21]) {
      memory.write32(0x1000, 0x0040_0087 | (1 << bit));
      expect(walker.walk(0x123, USER_ACCESS), `bit ${bit}`).toBe(false);
      expect(walker.errorCode).toBe(0b0_1101);
    }
  });

  it("tells a missing page from a forbidden one", () => {
    const memory = new SparseMemory();
    const walker = walkerOn(memory, { cr0: PG | WP });
    expect(walker.walk(0, USER_ACCESS | WRITE_ACCESS)).toBe(false);
    expect(walker.errorCode).toBe(0b0110);
    memory.write32(0x1000, 0x2007);
    expect(walker.walk(0, WRITE_ACCESS)).toBe(false);
    expect(walker.errorCode).toBe(0b0010);
    memory.write32(0x2000, 0x3001);
    expect(walker.walk(0, USER_ACCESS)).toBe(false);
    expect(walker.errorCode).toBe(0b0101);
    expect(walker.walk(0, WRITE_ACCESS)).toBe(false);
    expect(walker.errorCode).toBe(0b0011);
  });

  it("lets supervisor code write a read-only page unless CR0.WP is set", () => {
    const memory = new SparseMemory();
    memory.write32(0x1000, 0x2005);
    memory.write32(0x2000, 0x3007);
    expect(walkerOn(memory, {}).walk(0, WRITE_ACCESS)).toBe(true);
    expect(walkerOn(memory, { cr0: PG | WP }).walk(0, WRITE_ACCESS)).toBe(false);
    expect(walkerOn(memory, {}).walk(0, WRITE_ACCESS | USER_ACCESS)).toBe(false);
  });

  it("sets A on the whole path, D only on a written page, and nothing on a fault", () => {
    const memory = new SparseMemory();
    memory.write32(0x1000, 0x2007);
    memory.write32(0x2000, 0x3005);
    const walker = walkerOn(memory, {});
    expect(walker.walk(0, USER_ACCESS | WRITE_ACCESS)).toBe(false);
    expect([memory.words.get(0x1000), memory.words.get(0x2000)]).toEqual([0x2007, 0x3005]);
    expect(walker.walk(0, 0)).toBe(true);
    expect(walker.dirty).toBe(false);
    expect([memory.words.get(0x1000), memory.words.get(0x2000)]).toEqual([0x2027, 0x3025]);
    expect(walker.walk(0, WRITE_ACCESS)).toBe(true);
    expect(walker.dirty).toBe(true);
    expect([memory.words.get(0x1000), memory.words.get(0x2000)]).toEqual([0x2027, 0x3065]);
  });

  it("leaves the flags alone when it only probes", () => {
    const memory = new SparseMemory();
    memory.write32(0x1000, 0x2007);
    memory.write32(0x2000, 0x3007);
    expect(walkerOn(memory, {}).probe(0, WRITE_ACCESS)).toBe(true);
    expect([memory.words.get(0x1000), memory.words.get(0x2000)]).toEqual([0x2007, 0x3007]);
  });

  it("knows a global page only with CR4.PGE", () => {
    const memory = new SparseMemory();
    memory.write32(0x1000, 0x2007);
    memory.write32(0x2000, 0x3107);
    for (const [cr4, isGlobal] of [
      [0, false],
      [PGE, true],
    ] as const) {
      const walker = walkerOn(memory, { cr4 });
      walker.walk(0, 0);
      expect(walker.global).toBe(isGlobal);
    }
  });
});

describe("PAE paging", () => {
  it("starts from the four pointers that a load of CR3 took, not from memory", () => {
    const memory = new SparseMemory();
    memory.write64(0x1020 + 8 * 3, 0x2001n);
    memory.write64(0x2000 + 8 * 1, 0x3007n);
    memory.write64(0x3000 + 8 * 2, 0x5_4321_0007n);
    const walker = walkerOn(memory, { cr3: 0x1020, cr4: PAE });
    expect(walker.loadPdptes()).toBe(true);
    memory.write64(0x1020 + 8 * 3, 0n);
    expect(walker.walk(0xc020_2fed, 0)).toBe(true);
    expect(physical(walker, 0xc020_2fed)).toBe(0x5_4321_0fed);
  });

  it("refuses pointers with reserved bits, and keeps the old ones", () => {
    const memory = new SparseMemory();
    memory.write64(0x1000, 0x2001n);
    const walker = walkerOn(memory, { cr4: PAE });
    expect(walker.loadPdptes()).toBe(true);
    for (const bad of [0x2003n, 0x2005n, 0x2021n, 0x2101n, 0x2001n | (1n << 36n), 0x2001n | (1n << 63n)]) {
      memory.write64(0x1008, bad);
      expect(walker.loadPdptes(), bad.toString(16)).toBe(false);
    }
    expect(walker.pdptes[0]).toBe(0x2001);
    expect(walker.pdptes[2]).toBe(0);
  });

  it("refuses instruction fetches from NX pages once EFER.NXE is set; before, the bit is reserved", () => {
    const memory = new SparseMemory();
    memory.write64(0x1000, 0x2001n);
    memory.write64(0x2000, 0x3007n);
    memory.write64(0x3000, 0x4007n | (1n << 63n));
    const off = walkerOn(memory, { cr4: PAE });
    off.loadPdptes();
    expect(off.walk(0, 0)).toBe(false);
    expect(off.errorCode).toBe(0b1001);
    const on = walkerOn(memory, { cr4: PAE, efer: NXE });
    on.loadPdptes();
    expect(on.walk(0, 0)).toBe(true);
    expect(on.walk(0, FETCH_ACCESS | USER_ACCESS)).toBe(false);
    expect(on.errorCode).toBe(0b1_0101);
  });
});

describe("the dump of a walk", () => {
  it("tells every step, and ends in the physical address", () => {
    const memory = new SparseMemory();
    memory.write64(0x1000 + 8 * 0x100, 0x2027n);
    memory.write64(0x2000, 0x3067n);
    memory.write64(0x3000 + 8, 0x4000_01e3n);
    const walker = walkerOn(memory, { cr4: PAE, efer: LMA });
    const report = explainWalk(walker, 0x8000_0020_1234);
    expect(report.steps.map(step => [step.name, step.address, step.decision])).toEqual([
      ["PML4E", 0x1800, "leads to a table"],
      ["PDPTE", 0x2000, "leads to a table"],
      ["PDE", 0x3008, "maps the page"],
    ]);
    expect(report.steps[2]!.bits).toEqual(["P", "R/W", "A", "D", "PS", "G"]);
    expect(report.physical).toBe(0x4000_1234);
    expect(report.pageSize).toBe(2 * 1024 * 1024);
  });

  it("names the bits of the page fault that it ends in", () => {
    const walker = walkerOn(new SparseMemory(), {});
    const report = explainWalk(walker, 0x1234_5678, WRITE_ACCESS | USER_ACCESS);
    expect(report.physical).toBeNull();
    expect(report.errorBits).toEqual(["not present", "write", "user"]);
  });
});

/** The manual's tables read anew, with bigints and one list of levels for each format. */
function reference(
  memory: SparseMemory,
  registers: PagingRegisters,
  pdptes: readonly bigint[],
  linear: number,
  access: number,
): { physical: bigint } | { errorCode: number } {
  const { cr0, cr3, cr4, efer } = registers;
  const pae = (cr4 & PAE) !== 0;
  const long = pae && (efer & LMA) !== 0;
  const nxe = (efer & NXE) !== 0;
  const shifts = long ? [39n, 30n, 21n, 12n] : pae ? [30n, 21n, 12n] : [22n, 12n];
  const address = BigInt(linear);
  const indexMask = pae ? 0x1ffn : 0x3ffn;
  const reported = access & ~(pae && nxe ? 0 : FETCH_ACCESS);
  let table = BigInt(cr3) & ~0xfffn;
  let writable = true;
  let user = true;
  let executable = true;
  for (const shift of shifts) {
    const index = (address >> shift) & indexMask;
    const isPointer = pae && !long && shift === 30n;
    const entry = isPointer
      ? pdptes[Number(index)]!
      : pae
        ? memory.read64(Number(table + index * 8n))
        : memory.read64(Number(table + index * 4n)) & 0xffff_ffffn;
    if ((entry & 1n) === 0n) return { errorCode: reported };
    const isLarge = (entry & 0x80n) !== 0n && shift > 12n && !isPointer && (pae || (cr4 & PSE) !== 0);
    let reserved = 0n;
    if (pae && !isPointer) {
      reserved = ((1n << 52n) - 1n) & ~((1n << 36n) - 1n);
      if (!long) reserved |= ((1n << 63n) - 1n) & ~((1n << 52n) - 1n);
      if (!nxe) reserved |= 1n << 63n;
      if (isLarge && shift === 39n) reserved |= 0x80n;
      else if (isLarge) reserved |= ((1n << shift) - 1n) & ~0x1fffn;
    } else if (!pae && isLarge) reserved = 0x003e_0000n;
    if ((entry & reserved) !== 0n) return { errorCode: reported | 0b1001 };
    if (!isPointer) {
      writable &&= (entry & 2n) !== 0n;
      user &&= (entry & 4n) !== 0n;
      executable &&= !(nxe && pae && entry >> 63n !== 0n);
    }
    if (isLarge || shift === 12n) {
      const isUser = (access & USER_ACCESS) !== 0;
      const isWrite = (access & WRITE_ACCESS) !== 0;
      const allowed =
        (!isUser || user) &&
        (!isWrite || writable || (!isUser && (cr0 & WP) === 0)) &&
        ((access & FETCH_ACCESS) === 0 || executable);
      if (!allowed) return { errorCode: reported | 1 };
      let base = entry & ((1n << 52n) - 1n) & ~((1n << shift) - 1n);
      if (!pae && isLarge) base = (entry & 0xffc0_0000n) | (((entry >> 13n) & 0xfn) << 32n);
      return { physical: base | (address & ((1n << shift) - 1n)) };
    }
    table = entry & 0x000f_ffff_ffff_f000n;
  }
  throw new Error("a walk has a last level");
}

describe("random tables", () => {
  const formats = [
    { name: "2-level", cr4: PSE, efer: 0 },
    { name: "2-level without PSE", cr4: 0, efer: NXE },
    { name: "PAE", cr4: PAE, efer: 0 },
    { name: "PAE with NX", cr4: PAE | PSE, efer: NXE },
    { name: "4-level", cr4: PAE, efer: LMA },
    { name: "4-level with NX", cr4: PAE, efer: LMA | NXE },
  ];
  it.each(formats)("$name agrees with a second reading of the manual", ({ cr4, efer }) => {
    let seed = 0x1234_5678;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed >>> 8;
    };
    // Each entry is mostly sane: it leads to one of 16 tables; now and then a strange bit is set.
    const entry = (): bigint => {
      let value = BigInt(0x1000 + (random() % 16) * 0x1000) | BigInt(random() % 16 === 0 ? 0 : 1);
      for (const [bit, odds] of [
        [1n, 2],
        [2n, 2],
        [5n, 2],
        [6n, 2],
        [7n, 4],
        [8n, 4],
      ] as const) {
        if (random() % odds === 0) value |= 1n << bit;
      }
      if (random() % 8 === 0) value |= 1n << BigInt(random() % 64);
      return value;
    };
    const faults = new Map<number, number>();
    let found = 0;
    for (let round = 0; round < 40; round++) {
      const memory = new SparseMemory();
      for (let at = 0x1000; at < 0x1_1000; at += 8) memory.write64(at, entry());
      const registers = { cr0: PG | (round % 2 === 0 ? WP : 0), cr3: 0x1000, cr4, efer };
      const walker = walkerOn(memory, registers);
      const pdptes = [0, 1, 2, 3].map(index => BigInt(0x2000 + index * 0x1000 + (index === 3 ? 0 : 1)));
      pdptes.forEach((value, index) => {
        walker.pdptes[2 * index] = Number(value);
      });
      for (let probe = 0; probe < 200; probe++) {
        const high = (efer & LMA) !== 0 ? (random() & 0xffff) * 0x1_0000_0000 : 0;
        const linear = high + ((random() << 8) >>> 0) + (random() & 0xfff);
        const access = [0, WRITE_ACCESS, FETCH_ACCESS][random() % 3]! | (random() % 2 ? USER_ACCESS : 0);
        const expected = reference(memory, registers, pdptes, linear, access);
        const { writes } = memory;
        const ok = walker.walk(linear, access);
        const actual = ok ? { physical: BigInt(physical(walker, linear)) } : { errorCode: walker.errorCode };
        expect(actual, `0x${linear.toString(16)} access ${access}`).toEqual(expected);
        if (ok) found++;
        else {
          faults.set(walker.errorCode, (faults.get(walker.errorCode) ?? 0) + 1);
          expect(memory.writes).toBe(writes);
        }
      }
    }
    expect(found).toBeGreaterThan(500);
    expect(faults.size).toBeGreaterThan(5);
  });
});
