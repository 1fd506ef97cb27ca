/** Where a linear address lies in guest-physical memory now, by the walker of chapter 3. */
import { PageWalker } from "#layers/03-paging/walk.ts";
import type { SessionMachine } from "./session-machine.ts";

const CR0_PG = 1n << 31n;

/** Returns a function that gives the guest-physical address, or -1 where nothing is mapped. */
export function translation({ vcpu, memory }: SessionMachine): (linear: number) => number {
  const { cr0, cr3, cr4, efer } = vcpu.getSregs();
  if (!(cr0 & CR0_PG)) return linear => linear >>> 0;
  const walker = new PageWalker({
    read32: address => readOr0(memory, address),
    write32() {},
  });
  walker.configure({ cr0: Number(cr0) | 0, cr3: Number(cr3), cr4: Number(cr4), efer: Number(efer) });
  return linear => {
    try {
      return walker.probe(linear | 0, 0) ? walker.frame * 4096 + (linear & 0xfff) : -1;
    } catch {
      return -1; // a walker that is not written yet finds nothing
    }
  };
}

function readOr0(memory: SessionMachine["memory"], address: number): number {
  try {
    return memory.read(address, 4);
  } catch {
    return 0;
  }
}
