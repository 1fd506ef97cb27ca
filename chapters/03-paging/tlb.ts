// Starter: write the exercises here; `npm run chapter 3` runs them, `npm run chapter 3 test` tests them.
// Generated from solutions/03-paging/tlb.ts by `npm run starters` (5b597fda).
/**
 * The translation lookaside buffer: page walks remembered.
 *
 * Four tables, one for each kind of access, because an entry *is* the permission: a page that user code may
 * read but not write has an entry in USER_READ and none in USER_WRITE. Each table is direct mapped: the low
 * bits of the page number choose the entry, and the entry's tag says which page it holds. A hit costs one
 * comparison:
 *
 *     tags[table + (linear >>> 12 & TLB_MASK)] === ((linear + size - 1) & PAGE_MASK)
 *
 * The sum in it makes an access that crosses into the next page miss, too. What follows a hit is one
 * addition: `deltas` holds, for each entry, what to add to the linear address to find the byte in the host.
 *
 * Source: SDM vol. 3A, 4.10 "Caching Translation Information".
 */

// #region tables
export const TLB_ENTRIES = 4096;
export const TLB_MASK = TLB_ENTRIES - 1;
export const PAGE_MASK = ~0xfff;

export const SUPERVISOR_READ = 0;
export const SUPERVISOR_WRITE = TLB_ENTRIES;
export const USER_READ = 2 * TLB_ENTRIES;
export const USER_WRITE = 3 * TLB_ENTRIES;
/** Stays empty: for those who must see every access. */
export const NO_ACCESS = 4 * TLB_ENTRIES;
export const TLB_SIZE = 5 * TLB_ENTRIES;
/** No page's tag: tags are multiples of 4096. */
const EMPTY = 1;
// #endregion tables

/** More filled entries than this are forgotten faster by clearing the tables than one by one. */
const MANY = 1024;

// #region tlb
export class Tlb {
  readonly tags: Int32Array;
  readonly deltas: Int32Array;
  /** Which entries survive a load of CR3. */
  readonly #global = new Uint8Array(TLB_SIZE);
  /** No entry is global until one is inserted. */
  #hasGlobal = false;
  /** Which regions of 4 MiB have entries that are pieces of large pages. */
  readonly #large = new Uint8Array(1024);
  readonly #filled = new Int32Array(MANY);
  #count = 0;

  /** The two arrays may lie in memory that generated code sees, too; each has TLB_SIZE numbers. */
  constructor(tags = new Int32Array(TLB_SIZE), deltas = new Int32Array(TLB_SIZE)) {
    this.tags = tags;
    this.deltas = deltas;
    this.tags.fill(EMPTY);
  }

  /** Where in the host the byte at `linear` lies, or -1 if `table` does not hold all of its `size` bytes. */
  lookup(table: number, linear: number, size: number): number {
    // #region exercise-lookup
    throw new Error(
      "exercise lookup: find a page in a table by one comparison, and forget a page in all tables · chapter 3, “Remember the walk”",
    );
    // #endregion exercise-lookup
  }

  /**
   * Remembers that `table` may access the page of `linear`, which lies at `hostPage` in the host. `large`
   * says that the page is a 4 KiB piece of a larger one.
   */
  insert(table: number, linear: number, hostPage: number, global: boolean, large: boolean): void {
    const page = linear & PAGE_MASK;
    const entry = table + ((page >>> 12) & TLB_MASK);
    this.tags[entry] = page;
    this.deltas[entry] = hostPage - page;
    this.#global[entry] = global ? 1 : 0;
    if (large) this.#large[linear >>> 22] = 1;
    if (this.#count < MANY) this.#filled[this.#count] = entry;
    this.#count++;
  }

  /** Forgets one page in all tables: INVLPG. Of a large page every piece goes. */
  flushPage(linear: number): void {
    if (this.#large[linear >>> 22]) this.#flushRegion(linear);
    // #region exercise-flush-page
    throw new Error(
      "exercise flush-page: find a page in a table by one comparison, and forget a page in all tables · chapter 3, “Remember the walk”",
    );
    // #endregion exercise-flush-page
  }

  /** Forgets everything, or (a load of CR3 with CR4.PGE set) all but the global pages. */
  flush(keepGlobal = false): void {
    if (keepGlobal && this.#hasGlobal) this.#flushLocal();
    else {
      this.#hasGlobal = false;
      if (this.#count <= MANY) for (let i = 0; i < this.#count; i++) this.tags[this.#filled[i]] = EMPTY;
      else this.tags.fill(EMPTY);
      this.#count = 0;
    }
  }

  /** Forgets which pages may be written: one of them has become code, which must not change unseen. */
  flushWrites(): void {
    this.tags.fill(EMPTY, SUPERVISOR_WRITE, SUPERVISOR_WRITE + TLB_ENTRIES);
    this.tags.fill(EMPTY, USER_WRITE, USER_WRITE + TLB_ENTRIES);
  }

  #flushRegion(linear: number): void {
    for (let entry = 0; entry < TLB_SIZE; entry++) {
      if ((this.tags[entry] ^ linear) >>> 22 === 0) this.tags[entry] = EMPTY;
    }
    this.#large[linear >>> 22] = 0;
  }

  #flushLocal(): void {
    if (this.#count > MANY) {
      this.#count = 0;
      for (let entry = 0; entry < TLB_SIZE; entry++) {
        if (this.tags[entry] === EMPTY) continue;
        if (!this.#global[entry]) this.tags[entry] = EMPTY;
        else {
          if (this.#count < MANY) this.#filled[this.#count] = entry;
          this.#count++;
        }
      }
      return;
    }
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      const entry = this.#filled[i];
      if (this.#global[entry]) this.#filled[kept++] = entry;
      else this.tags[entry] = EMPTY;
    }
    this.#count = kept;
  }
}
// #endregion tlb
