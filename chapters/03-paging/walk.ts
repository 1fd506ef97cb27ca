// Starter: write the exercises here; `npm run chapter 3` runs them, `npm run chapter 3 test` tests them.
// Generated from solutions/03-paging/walk.ts by `npm run starters` (3d9d838e).
/**
 * The page walk: from a linear address to a physical one, through tables that the guest wrote.
 *
 * Three formats share one idea. Each level's table holds entries; a part of the linear address picks one;
 * the entry leads to the next table or maps the page:
 *
 *     2-level   linear = directory:10  table:10  offset:12                4-byte entries, CR4.PAE = 0
 *     PAE       linear = pointer:2  directory:9  table:9  offset:12       8-byte entries, CR4.PAE = 1
 *     4-level   linear = PML4:9  pointer:9  directory:9  table:9  off:12  8-byte entries, EFER.LMA = 1
 *
 * A processor does this for every address that its TLB does not hold, so nothing in here allocates: the
 * result stays in the walker's fields.
 *
 * Source: SDM vol. 3A, chapter 4 "Paging"; error codes in 4.7, accessed and dirty flags in 4.8.
 */

/** Physical memory as the walk sees it. `address` is a multiple of 4; bits 31:0 of the value count. */
export interface PageTableMemory {
  read32(address: number): number;
  write32(address: number, value: number): void;
}

// #region entry-bits
// Bits of an entry's low doubleword.
export const PRESENT = 1 << 0;
export const WRITABLE = 1 << 1;
export const USER = 1 << 2;
export const ACCESSED = 1 << 5;
export const DIRTY = 1 << 6;
export const PAGE_SIZE_BIT = 1 << 7; // PS: the entry maps a large page
export const GLOBAL = 1 << 8;
/** Bit 63 of an 8-byte entry, as bit 31 of its high doubleword. */
export const NO_EXECUTE_HIGH = 1 << 31;
// #endregion entry-bits

// #region error-code
// What an access wants, in the bits that a page fault reports it with; a data read by supervisor code is 0.
export const WRITE_ACCESS = 1 << 1;
export const USER_ACCESS = 1 << 2;
export const FETCH_ACCESS = 1 << 4;
// What only the fault adds.
export const PROTECTION_VIOLATION = 1 << 0; // the page is present
export const RESERVED_BIT = 1 << 3;
// #endregion error-code

export type PagingMode = "none" | "2-level" | "PAE" | "4-level";
export type EntryName = "PML4E" | "PDPTE" | "PDE" | "PTE";
export type EntryDecision = "leads to a table" | "maps the page" | "not present" | "reserved bit set";

/**
 * Is told each entry that a walk uses. `address` is physical, or -1 for a PDPTE, which PAE paging keeps in
 * a register; `low` and `high` are the entry's halves.
 */
export interface WalkObserver {
  entry(name: EntryName, address: number, low: number, high: number, decision: EntryDecision): void;
}

/** The registers that govern paging; only their low halves matter below 4-level paging. */
export interface PagingRegisters {
  readonly cr0: number;
  /** A physical address; up to 52 bits in 4-level paging. */
  readonly cr3: number;
  readonly cr4: number;
  readonly efer: number;
}

export interface WalkerOptions {
  /** MAXPHYADDR: entries with address bits above it have a reserved bit set. Default: 36. */
  readonly physicalAddressBits?: number;
  /** Whether 4-level paging knows pages of 1 GiB. Default: true. */
  readonly hugePages?: boolean;
}

const CR0_WP = 1 << 16;
const CR0_PG = 1 << 31;
const CR4_PSE = 1 << 4;
const CR4_PAE = 1 << 5;
const CR4_PGE = 1 << 7;
const EFER_LMA = 1 << 10;
const EFER_NXE = 1 << 11;

const NAMES: readonly EntryName[] = ["PTE", "PTE", "PDE", "PDPTE", "PML4E"];
/** How many frames of 4 KiB one entry of each level spans; level 1 is the page table. */
const FRAMES = [1, 1, 0x200, 0x4_0000, 0x800_0000];
/** Bits that are reserved in the low half of an entry that maps a large page: the unused address bits. */
const LARGE_RESERVED = [0, 0, 0x001f_e000, 0x3fff_e000];

// #region walker
export class PageWalker {
  /** Result: number of the 4 KiB frame (physical address / 4096) that holds the linear address. */
  frame = 0;
  /** Result: how many 4 KiB frames the mapping spans: 1, or 512, 1024 or 262144 for large pages. */
  pageFrames = 1;
  /** Result: what all levels together allow, as `WRITABLE | USER`. */
  rights = 0;
  noExecute = false;
  /** Result: the page's dirty flag is set; a first write through a clean page must walk again. */
  dirty = false;
  /** Result: the translation survives a load of CR3. */
  global = false;
  /** After `walk` returned false: the error code for #PF. */
  errorCode = 0;

  /** The four page-directory pointers of PAE paging, low and high half in turn: the processor's copies. */
  readonly pdptes = new Uint32Array(8);
  observer: WalkObserver | null = null;

  #mode: PagingMode = "none";
  #root = 0;
  #writeProtect = false;
  #largePages = false;
  #globalPages = false;
  #noExecuteEnabled = false;
  #reservedHigh = 0;
  #updatesFlags = true;
  /** The entries that the walk of this moment came through, by level. */
  readonly #path = new Float64Array(5);
  readonly #pathLow = new Int32Array(5);
  readonly #addressBits: number;
  readonly #hugePages: boolean;

  constructor(
    readonly memory: PageTableMemory,
    options: WalkerOptions = {},
  ) {
    this.#addressBits = options.physicalAddressBits ?? 36;
    this.#hugePages = options.hugePages ?? true;
  }
  // #endregion walker

  get mode(): PagingMode {
    return this.#mode;
  }

  /** Takes over the control registers. Does not load the PDPTEs: MOV CR3 and its like do that. */
  configure({ cr0, cr3, cr4, efer }: PagingRegisters): void {
    if ((cr0 & CR0_PG) === 0) this.#mode = "none";
    else if ((cr4 & CR4_PAE) === 0) this.#mode = "2-level";
    else this.#mode = (efer & EFER_LMA) === 0 ? "PAE" : "4-level";
    const flagBits = this.#mode === "PAE" ? 32 : 4096;
    this.#root = cr3 - (cr3 % flagBits);
    this.#writeProtect = (cr0 & CR0_WP) !== 0;
    this.#largePages = (cr4 & CR4_PSE) !== 0;
    this.#globalPages = (cr4 & CR4_PGE) !== 0;
    this.#noExecuteEnabled = (efer & EFER_NXE) !== 0;
    // Bits 62:52 are ignored by 4-level paging and reserved in PAE paging.
    const top = this.#mode === "PAE" ? 0x7fff_ffff : 0x000f_ffff;
    const addressable = 2 ** (this.#addressBits - 32) - 1;
    this.#reservedHigh = (top & ~addressable) | (this.#noExecuteEnabled ? 0 : NO_EXECUTE_HIGH);
  }

  /**
   * Reads the four PDPTEs as a load of CR3 does under PAE paging. False when one has a reserved bit set,
   * which makes the load fail with #GP; the old copies stay then.
   */
  loadPdptes(): boolean {
    const loaded = new Uint32Array(8);
    for (let half = 0; half < 8; half++) loaded[half] = this.memory.read32(this.#root + 4 * half);
    for (let half = 0; half < 8; half += 2) {
      const [low, high] = [loaded[half]!, loaded[half + 1]!];
      const reserved = (low & 0x1e6) | (high & (this.#reservedHigh | NO_EXECUTE_HIGH));
      if ((low & PRESENT) !== 0 && reserved !== 0) return false;
    }
    this.pdptes.set(loaded);
    return true;
  }

  // #region walk
  /**
   * Translates `linear` for an `access` (a sum of the `…_ACCESS` bits). True: the result fields are
   * valid, and the accessed and dirty flags are set in memory. False: `errorCode` says why.
   *
   * In 4-level paging `linear` is the low 48 bits of a canonical address.
   */
  walk(linear: number, access: number): boolean {
    switch (this.#mode) {
      case "2-level":
        return this.#walk2Level(linear, access);
      case "PAE":
        return this.#walkPae(linear, access);
      case "4-level":
        return this.#walkTables(4, this.#root, linear, access);
      default:
        this.frame = linear >>> 12;
        this.pageFrames = 1;
        this.rights = WRITABLE | USER;
        this.noExecute = false;
        this.dirty = true;
        this.global = false;
        return true;
    }
  }
  // #endregion walk

  /** As `walk`, but leaves memory as it is: for debuggers, monitors and dumps. */
  probe(linear: number, access = 0): boolean {
    this.#updatesFlags = false;
    try {
      return this.walk(linear, access);
    } finally {
      this.#updatesFlags = true;
    }
  }

  // #region two-level
  #walk2Level(linear: number, access: number): boolean {
    // #region exercise-two-level
    throw new Error(
      "exercise two-level: walk the directory and the table of 32-bit paging: tell the observer each entry, refuse what is not present, and give the page to #finish · chapter 3, “Walk the tables”",
    );
    // #endregion exercise-two-level
  }

  /** PSE: a directory entry maps 4 MiB. PSE-36 keeps physical address bits 35:32 in bits 16:13. */
  #map4MiB(address: number, pde: number, linear: number, access: number): boolean {
    const highBits = (pde >>> 13) & (2 ** Math.min(this.#addressBits - 32, 8) - 1);
    const reserved = (pde & 0x003f_e000) !== highBits << 13;
    if (reserved) return this.#refuse(2, address, pde, 0, access | RESERVED_BIT);
    this.observer?.entry("PDE", address, pde, 0, "maps the page");
    this.frame = highBits * 0x10_0000 + ((pde >>> 22) << 10) + ((linear >>> 12) & 0x3ff);
    this.pageFrames = 0x400;
    return this.#finish(2, 2, address, pde, 0, pde, access);
  }
  // #endregion two-level

  // #region eight-byte-entries
  /** The top of a PAE walk is no memory access: the processor holds the four pointers in registers. */
  #walkPae(linear: number, access: number): boolean {
    // #region exercise-pae
    throw new Error(
      "exercise pae: walk the tables of PAE and 4-level paging with one loop, large pages and reserved bits included · chapter 3, “Walk the tables”",
    );
    // #endregion exercise-pae
  }

  /** Levels `top` to 1, each with tables of 512 entries of 8 bytes. */
  #walkTables(top: number, table: number, linear: number, access: number): boolean {
    const page = Math.floor(linear / 4096);
    let rights = WRITABLE | USER;
    let noExecute = 0;
    // #region exercise-tables
    throw new Error(
      "exercise tables: walk the tables of PAE and 4-level paging with one loop, large pages and reserved bits included · chapter 3, “Walk the tables”",
    );
    // #endregion exercise-tables
  }

  #hasReservedBit(level: number, low: number, high: number): boolean {
    // #region exercise-reserved
    throw new Error(
      "exercise reserved: walk the tables of PAE and 4-level paging with one loop, large pages and reserved bits included · chapter 3, “Walk the tables”",
    );
    // #endregion exercise-reserved
  }
  // #endregion eight-byte-entries

  // #region finish
  /** The last entry is found: may this access use it? If so, the flags of the whole path are set. */
  #finish(
    level: number,
    top: number,
    address: number,
    low: number,
    noExecute: number,
    rights: number,
    access: number,
  ): boolean {
    this.rights = rights & (WRITABLE | USER);
    this.noExecute = this.#noExecuteEnabled && (noExecute & NO_EXECUTE_HIGH) !== 0;
    this.global = this.#globalPages && (low & GLOBAL) !== 0;
    if (!this.permits(access)) {
      this.errorCode = this.#reported(access) | PROTECTION_VIOLATION;
      return false;
    }
    this.dirty = (low & DIRTY) !== 0 || (access & WRITE_ACCESS) !== 0;
    if (this.#updatesFlags) this.#setFlags(level, top, address, low, access);
    return true;
  }

  /** Whether `access` may use the page that the last walk found. */
  permits(access: number): boolean {
    // #region exercise-permission
    throw new Error(
      "exercise permission: tell whether an access may use the page, by its rights, XD and CR0.WP · chapter 3, “Answer with a fault”",
    );
    // #endregion exercise-permission
  }

  /** Sets A in every entry that the walk used and D in the one that maps a page being written. */
  #setFlags(level: number, top: number, address: number, low: number, access: number): void {
    // #region exercise-accessed-dirty
    throw new Error(
      "exercise accessed-dirty: set A in every entry of the path and D in the one that maps a page being written, without needless writes · chapter 3, “Answer with a fault”",
    );
    // #endregion exercise-accessed-dirty
  }

  /** An entry that stops the walk. `access` already has `RESERVED_BIT` when that is why. */
  #refuse(level: number, address: number, low: number, high: number, access: number): boolean {
    // #region exercise-page-fault
    throw new Error(
      "exercise page-fault: end a walk at an entry: tell the observer why, make the error code, and return false · chapter 3, “Answer with a fault”",
    );
    // #endregion exercise-page-fault
  }

  /** A fetch is told apart from a read only where pages can be non-executable. */
  #reported(access: number): number {
    const knowsFetch = this.#noExecuteEnabled && this.#mode !== "2-level";
    return knowsFetch ? access : access & ~FETCH_ACCESS;
  }
  // #endregion finish

  #follow(level: number, address: number, low: number, high: number): void {
    this.#path[level] = address;
    this.#pathLow[level] = low;
    this.observer?.entry(NAMES[level]!, address, low, high, "leads to a table");
  }
}

function tableAddress(low: number, high: number): number {
  return (high & 0x000f_ffff) * 0x1_0000_0000 + ((low & 0xffff_f000) >>> 0);
}

/** The frame of 4 KiB inside the page that an 8-byte entry maps. */
function mappedFrame(level: number, low: number, high: number, page: number): number {
  const frames = FRAMES[level]!;
  const first = (high & 0x000f_ffff) * 0x10_0000 + (low >>> 12);
  return first - (first % frames) + (page % frames);
}
