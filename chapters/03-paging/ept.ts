/**
 * What a hypervisor would keep for this machine: extended page tables that give the guest's memory a place
 * in host-physical memory, and a walker that looks through both sets of tables.
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import {
  EPT_EXECUTE,
  EPT_READ,
  EPT_WRITE,
  ExtendedPageTables,
  NestedWalker,
} from "#layers/03-paging/nested.ts";
import type { PageTableMemory, PagingRegisters } from "#layers/03-paging/walk.ts";

const PAGE = 0x1000;
const ENTRIES = 512;
const PERMISSIONS = EPT_READ | EPT_WRITE | EPT_EXECUTE;
const WRITE_BACK = 6 << 3;
/** EPTP bits 5:3 hold the length of the walk less one, 2:0 the memory type of the tables. */
const EPTP_FOUR_LEVELS = (3 << 3) | 6;

/** Host-physical addresses. */
export const EPT_PML4 = 0x0005_0000;
const EPT_POINTERS = 0x0005_1000;
const EPT_DIRECTORY = 0x0005_2000;
const EPT_TABLE = 0x0005_3000;
/** Where the guest's memory lies. */
export const GUEST_AT = 0x1000_0000;

/** Host-physical memory, as far as it matters here: the hypervisor's tables, and the guest's RAM. */
class HostPhysical implements PageTableMemory {
  readonly #tables = new Map<number, number>();

  constructor(private readonly guest: GuestMemory) {}

  read32(address: number): number {
    return address >= GUEST_AT ? this.guest.read(address - GUEST_AT, 4) : (this.#tables.get(address) ?? 0);
  }

  write32(address: number, value: number): void {
    if (address >= GUEST_AT) this.guest.write(address - GUEST_AT, 4, value);
    else this.#tables.set(address, value);
  }
}

// #region hypervisor-tables
export class HypervisorTables {
  readonly #memory: HostPhysical;

  /** Maps 2 MiB of guest-physical memory, page by page. */
  constructor(guest: GuestMemory) {
    this.#memory = new HostPhysical(guest);
    this.#memory.write32(EPT_PML4, EPT_POINTERS | PERMISSIONS);
    this.#memory.write32(EPT_POINTERS, EPT_DIRECTORY | PERMISSIONS);
    this.#memory.write32(EPT_DIRECTORY, EPT_TABLE | PERMISSIONS);
    for (let page = 0; page < ENTRIES; page++) this.allow(page * PAGE, PERMISSIONS);
  }

  /** Gives one page of the guest these permissions; none at all makes it absent. */
  allow(guestPhysical: number, permissions: number): void {
    const entry = permissions === 0 ? 0 : (GUEST_AT + guestPhysical) | WRITE_BACK | permissions;
    this.#memory.write32(EPT_TABLE + 8 * (guestPhysical / PAGE), entry);
  }

  /** The two-dimensional walker of a guest with these registers. */
  walker(registers: PagingRegisters): NestedWalker {
    const ept = new ExtendedPageTables(this.#memory, EPT_PML4 | EPTP_FOUR_LEVELS);
    const walker = new NestedWalker(this.#memory, ept);
    walker.configure(registers);
    return walker;
  }
}
// #endregion hypervisor-tables
