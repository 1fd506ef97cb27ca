/** Where a linear address lies in guest-physical memory now, by the walker of chapter 3. */
import { explainWalk, type WalkReport } from "#layers/03-paging/steps.ts";
import { PageWalker } from "#layers/03-paging/walk.ts";
import type { SessionMachine } from "./session-machine.ts";

/** What a walk needs of a machine. */
type Walkable = Pick<SessionMachine, "vcpu" | "memory">;

const CR0_PG = 1n << 31n;

/** The page walk of `linear` for an access of chapter 3's bits, step by step; memory stays as it is. */
export function walkOf(machine: Walkable, linear: number, access: number): WalkReport {
  return explainWalk(walkerOf(machine), linear, access);
}

function walkerOf({ vcpu, memory }: Walkable): PageWalker {
  const { cr0, cr3, cr4, efer } = vcpu.getSregs();
  const walker = new PageWalker({
    read32: address => readOr0(memory, address),
    write32() {},
  });
  walker.configure({ cr0: Number(cr0) | 0, cr3: Number(cr3), cr4: Number(cr4), efer: Number(efer) });
  return walker;
}

/** Returns a function that gives the guest-physical address, or -1 where nothing is mapped. */
export function translation(machine: Walkable): (linear: number) => number {
  if (!(machine.vcpu.getSregs().cr0 & CR0_PG)) return linear => linear >>> 0;
  const walker = walkerOf(machine);
  return linear => {
    try {
      return walker.probe(linear | 0, 0) ? walker.frame * 4096 + (linear & 0xfff) : -1;
    } catch {
      return -1; // a walker that is not written yet finds nothing
    }
  };
}

function readOr0(memory: Walkable["memory"], address: number): number {
  try {
    return memory.read(address, 4);
  } catch {
    return 0;
  }
}
