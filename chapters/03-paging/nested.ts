// Starter: write the exercises here; `npm run chapter 3` runs them, `npm run chapter 3 test` tests them.
// Generated from solutions/03-paging/nested.ts by `npm run starters` (7579afdf).
/**
 * Nested paging: a second set of tables, the hypervisor's, under the guest's own.
 *
 *     guest-linear ──guest's tables──▶ guest-physical ──hypervisor's tables──▶ host-physical
 *
 * Every address that the guest's walk uses, those of its own tables included, is guest-physical and has
 * to be translated itself. So the two-dimensional walk is the walk of `walk.ts`, run over a memory that
 * translates: with 4 levels in each dimension, 4 × (4 + 1) + 4 = 24 references.
 *
 * Intel's tables (EPT) have a format of their own; AMD's (NPT) are ordinary page tables, in which every
 * access counts as a user access.
 *
 * Source: SDM vol. 3C, 28.2 "The Extended Page Table Mechanism", table 27-7; APM vol. 2, 15.25.
 */
import {
  type EntryDecision,
  type EntryName,
  FETCH_ACCESS,
  type PageTableMemory,
  PageWalker,
  type PagingRegisters,
  USER_ACCESS,
  type WalkObserver,
  WRITE_ACCESS,
} from "./walk.ts";

// #region second-dimension
/**
 * What a guest-physical access is for: an entry of the guest's own tables, the page they lead to, or the
 * four pointers that a load of CR3 reads under PAE paging.
 */
export type Purpose = "guest page table" | "final" | "load of CR3";

/** The hypervisor's dimension: guest-physical to host-physical, or a throw that leaves the guest. */
export interface SecondDimension {
  /** Is told each entry used, with host-physical addresses. */
  observer: WalkObserver | null;
  /** While true, no flag in memory is set. */
  probing: boolean;
  /** `access` is a sum of `…_ACCESS` bits. Returns a host-physical address. */
  translate(guestPhysical: number, access: number, purpose: Purpose): number;
}

/** The processor leaves the guest: the hypervisor's tables do not allow the access. */
export class NestedPagingExit extends Error {
  override readonly name = "NestedPagingExit";
  constructor(
    readonly reason: "EPT violation" | "EPT misconfiguration" | "nested page fault",
    readonly guestPhysical: number,
    /** Exit qualification (EPT), EXITINFO1 (NPT); 0 for a misconfiguration. */
    readonly qualification: bigint,
  ) {
    super(`${reason} at guest-physical 0x${guestPhysical.toString(16)}, 0x${qualification.toString(16)}`);
  }
}
// #endregion second-dimension

// #region ept-entry
export const EPT_READ = 1 << 0;
export const EPT_WRITE = 1 << 1;
export const EPT_EXECUTE = 1 << 2;
const EPT_PERMISSIONS = EPT_READ | EPT_WRITE | EPT_EXECUTE;
const EPT_MEMORY_TYPE = 0b111 << 3;
const EPT_LARGE = 1 << 7;
const EPT_ACCESSED = 1 << 8;
const EPT_DIRTY = 1 << 9;

// Bits of the exit qualification (table 27-7).
const QUALIFICATION_READ = 1 << 0;
const QUALIFICATION_WRITE = 1 << 1;
const QUALIFICATION_FETCH = 1 << 2;
const QUALIFICATION_PERMISSIONS = 3; // shift of the EPT entries' permissions
const QUALIFICATION_LINEAR_VALID = 1 << 7;
const QUALIFICATION_FINAL = 1 << 8;
// #endregion ept-entry

/** Bits of an EPT pointer. */
export const EPTP_ACCESSED_DIRTY = 1 << 6;

export interface EptOptions {
  /** MAXPHYADDR. Default: 36. */
  readonly physicalAddressBits?: number;
  /** IA32_VMX_EPT_VPID_CAP bit 0: an entry may allow execution without reading. Default: true. */
  readonly executeOnly?: boolean;
}

const NAMES: readonly EntryName[] = ["PTE", "PTE", "PDE", "PDPTE", "PML4E"];

// #region ept
/** Intel's extended page tables. */
export class ExtendedPageTables implements SecondDimension {
  observer: WalkObserver | null = null;
  probing = false;
  readonly #memory: PageTableMemory;
  readonly #root: number;
  readonly #accessedDirty: boolean;
  readonly #reservedHigh: number;
  readonly #executeOnly: boolean;
  readonly #path = new Float64Array(5);

  /** `pointer` is the EPTP of the VMCS: the PML4's address, memory type, walk length, A/D enable. */
  constructor(memory: PageTableMemory, pointer: number, options: EptOptions = {}) {
    this.#memory = memory;
    this.#root = pointer - (pointer % 4096);
    this.#accessedDirty = (pointer & EPTP_ACCESSED_DIRTY) !== 0;
    this.#reservedHigh = 0x000f_ffff & ~(2 ** ((options.physicalAddressBits ?? 36) - 32) - 1);
    this.#executeOnly = options.executeOnly ?? true;
  }

  translate(guestPhysical: number, access: number, purpose: Purpose): number {
    let table = this.#root;
    let permissions = EPT_PERMISSIONS;
    // #region exercise-ept-walk
    throw new Error(
      "exercise ept-walk: translate a guest-physical address through four levels of EPT, or leave the guest with the reason · chapter 3, “Translate twice”",
    );
    // #endregion exercise-ept-walk
  }

  #decide(level: number, low: number, high: number): EntryDecision {
    if ((low & EPT_PERMISSIONS) === 0) return "not present";
    if (this.#isMisconfigured(level, low, high)) return "reserved bit set";
    return level === 1 || (low & EPT_LARGE) !== 0 ? "maps the page" : "leads to a table";
  }

  /** Entries that mean nothing, and never will be taken for "not present" (28.2.3.1). */
  #isMisconfigured(level: number, low: number, high: number): boolean {
    const isWriteWithoutRead = (low & (EPT_READ | EPT_WRITE)) === EPT_WRITE;
    const isExecuteOnly = (low & EPT_PERMISSIONS) === EPT_EXECUTE;
    if (isWriteWithoutRead || (isExecuteOnly && !this.#executeOnly)) return true;
    if ((high & this.#reservedHigh) !== 0) return true;
    const isLeaf = level === 1 || (low & EPT_LARGE) !== 0;
    if (!isLeaf) return (low & 0b0111_1000) !== 0;
    if (level === 4) return true;
    const type = (low & EPT_MEMORY_TYPE) >>> 3;
    const unusedAddressBits = level === 3 ? 0x3fff_f000 : level === 2 ? 0x001f_f000 : 0;
    return type === 2 || type === 3 || type === 7 || (low & unusedAddressBits) !== 0;
  }

  #check(guestPhysical: number, access: number, purpose: Purpose, permissions: number): void {
    // #region exercise-ept-violation
    throw new Error(
      "exercise ept-violation: translate a guest-physical address through four levels of EPT, or leave the guest with the reason · chapter 3, “Translate twice”",
    );
    // #endregion exercise-ept-violation
  }

  /** With accessed and dirty flags in use, the walk of the guest's own tables counts as writing them. */
  #wanted(access: number, purpose: Purpose): number {
    // #region exercise-ept-violation
    throw new Error(
      "exercise ept-violation: translate a guest-physical address through four levels of EPT, or leave the guest with the reason · chapter 3, “Translate twice”",
    );
    // #endregion exercise-ept-violation
  }

  #violation(guestPhysical: number, access: number, purpose: Purpose, permissions: number): NestedPagingExit {
    // #region exercise-ept-violation
    throw new Error(
      "exercise ept-violation: translate a guest-physical address through four levels of EPT, or leave the guest with the reason · chapter 3, “Translate twice”",
    );
    // #endregion exercise-ept-violation
  }

  #setFlags(leaf: number, access: number, purpose: Purpose): void {
    if (!this.#accessedDirty || this.probing) return;
    const writes = (this.#wanted(access, purpose) & EPT_WRITE) !== 0;
    for (let level = 4; level >= leaf; level--) {
      const address = this.#path[level]!;
      const entry = this.#memory.read32(address);
      const wanted = entry | EPT_ACCESSED | (writes && level === leaf ? EPT_DIRTY : 0);
      if (wanted !== entry) this.#memory.write32(address, wanted);
    }
  }
}
// #endregion ept

// #region npt
const EXITINFO1_FINAL = 1n << 32n;
const EXITINFO1_GUEST_TABLE = 1n << 33n;

/** AMD's nested page tables: the host's own paging, with every access a user access. */
export class NestedPageTables implements SecondDimension {
  readonly walker: PageWalker;
  probing = false;

  /** `registers` hold the hypervisor's paging mode, with nCR3 as `cr3`. */
  constructor(memory: PageTableMemory, registers: PagingRegisters, physicalAddressBits = 36) {
    this.walker = new PageWalker(memory, { physicalAddressBits });
    this.walker.configure(registers);
  }

  get observer(): WalkObserver | null {
    return this.walker.observer;
  }

  set observer(observer: WalkObserver | null) {
    this.walker.observer = observer;
  }

  translate(guestPhysical: number, access: number, purpose: Purpose): number {
    const isTable = purpose !== "final";
    const nested = USER_ACCESS | (isTable ? WRITE_ACCESS : access & (WRITE_ACCESS | FETCH_ACCESS));
    const found = this.probing
      ? this.walker.probe(guestPhysical, nested)
      : this.walker.walk(guestPhysical, nested);
    if (!found) {
      const where = isTable ? EXITINFO1_GUEST_TABLE : EXITINFO1_FINAL;
      const information = BigInt(this.walker.errorCode) | where;
      throw new NestedPagingExit("nested page fault", guestPhysical, information);
    }
    return this.walker.frame * 4096 + (guestPhysical % 4096);
  }
}
// #endregion npt

// #region nested-memory
/** The guest's tables as its walk finds them: each address goes through the second dimension first. */
class NestedMemory implements PageTableMemory {
  purpose: Purpose = "guest page table";
  #entry = -1;
  #host = 0;

  constructor(
    private readonly host: PageTableMemory,
    private readonly second: SecondDimension,
  ) {}

  /** Before each walk: the tables may have changed since the last one. */
  begin(purpose: Purpose): void {
    this.purpose = purpose;
    this.#entry = -1;
  }

  read32(address: number): number {
    // #region exercise-nested-memory
    throw new Error(
      "exercise nested-memory: give the guest's walk a memory that translates each address first, and translate what the walk finds · chapter 3, “Translate twice”",
    );
    // #endregion exercise-nested-memory
  }

  write32(address: number, value: number): void {
    // #region exercise-nested-memory
    throw new Error(
      "exercise nested-memory: give the guest's walk a memory that translates each address first, and translate what the walk finds · chapter 3, “Translate twice”",
    );
    // #endregion exercise-nested-memory
  }
}
// #endregion nested-memory

// #region nested-walker
/** Both dimensions together. */
export class NestedWalker {
  /** The first dimension. Its `frame` is guest-physical, and so are the addresses its observer is told. */
  readonly guest: PageWalker;
  /** Result: host-physical address of the linear address. */
  physical = 0;
  /** After `walk` returned false: the error code of the guest's own page fault. */
  errorCode = 0;
  readonly #memory: NestedMemory;

  constructor(
    host: PageTableMemory,
    readonly second: SecondDimension,
    physicalAddressBits = 36,
  ) {
    this.#memory = new NestedMemory(host, second);
    this.guest = new PageWalker(this.#memory, { physicalAddressBits });
  }

  /** The guest loads its control registers. False when that is a #GP for the guest: a bad PDPTE. */
  configure(registers: PagingRegisters): boolean {
    this.guest.configure(registers);
    if (this.guest.mode !== "PAE") return true;
    this.#memory.begin("load of CR3");
    return this.guest.loadPdptes();
  }

  /**
   * True: `physical` is valid. False: the guest gets a page fault with `errorCode`, and the hypervisor
   * never hears of it. Throws a `NestedPagingExit` where the hypervisor's tables stop the access.
   */
  walk(linear: number, access: number): boolean {
    // #region exercise-nested-walk
    throw new Error(
      "exercise nested-walk: give the guest's walk a memory that translates each address first, and translate what the walk finds · chapter 3, “Translate twice”",
    );
    // #endregion exercise-nested-walk
  }
}
// #endregion nested-walker

function misconfiguration(guestPhysical: number): NestedPagingExit {
  return new NestedPagingExit("EPT misconfiguration", guestPhysical, 0n);
}

function tableAddress(low: number, high: number): number {
  return (high & 0x000f_ffff) * 0x1_0000_0000 + ((low & 0xffff_f000) >>> 0);
}
