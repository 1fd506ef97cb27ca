// Starter: write the exercises here; `npm run chapter 2` runs them, `npm run chapter 2 test` tests them.
// Generated from solutions/02-real-mode/segments.ts by `npm run starters` (33f44270).
/**
 * Segmentation: from a segment register and an offset to a linear address.
 *
 * A segment register has a visible part, the selector, and a hidden one: base, limit and access rights. An
 * access never looks at the selector: loading the register fills the hidden part once, and from then on
 * the address is base + offset. In real mode the load is a shift; in protected mode a descriptor is read.
 *
 * Source: SDM vol. 3A, 3.4 "Logical and Linear Addresses", 5.3 "Limit Checking", 20.1.1 for real mode.
 */
import { ACCESS, BASE, LIMIT, RIGHTS, SELECTOR } from "./registers.ts";

// #region rights
/** What RIGHTS says: the checks of an access, decided when the register is loaded. */
export const MAY_READ = 1 << 0;
export const MAY_WRITE = 1 << 1;
/** Offsets *above* the limit are valid: a stack that grows by lowering its limit. */
export const EXPAND_DOWN = 1 << 2;
/** An expand-down segment reaches up to 4 GiB instead of 64 KiB. */
export const BIG = 1 << 3;
/** Base 0, limit 4 GiB, everything allowed: offset and linear address are the same. */
export const FLAT = 1 << 4;
// #endregion rights

// Bits of ACCESS, as in a descriptor.
const WRITABLE_OR_READABLE = 1 << 1;
const DOWN_OR_CONFORMING = 1 << 2;
const CODE = 1 << 3;
const DB = 1 << 14;
const UNUSABLE = 1 << 16;

// #region load-real-mode
/**
 * Loads a segment register as real mode and virtual-8086 mode do: only the selector and the base change in
 * real mode; limit and rights stay what they were (64 KiB after reset).
 */
export function loadRealModeSegment(r: Int32Array, segment: number, selector: number): void {
  // #region exercise-real-mode
  throw new Error(
    "exercise real-mode: set the selector and the base of a segment register as real mode does, and nothing else · chapter 2, “Add the segment”",
  );
  // #endregion exercise-real-mode
}
// #endregion load-real-mode

/** RIGHTS from the hidden part. Real mode and virtual-8086 mode (`isProtected` false) check no types. */
export function segmentRights(access: number, base: number, limit: number, isProtected: boolean): number {
  if ((access & UNUSABLE) !== 0) return 0;
  const isCode = (access & CODE) !== 0;
  let rights = 0;
  if (!isProtected || !isCode || (access & WRITABLE_OR_READABLE) !== 0) rights |= MAY_READ;
  if (!isProtected || (!isCode && (access & WRITABLE_OR_READABLE) !== 0)) rights |= MAY_WRITE;
  if (!isCode && (access & DOWN_OR_CONFORMING) !== 0) rights |= EXPAND_DOWN;
  else if (base === 0 && limit === -1 && rights === (MAY_READ | MAY_WRITE)) rights |= FLAT;
  if ((access & DB) !== 0) rights |= BIG;
  return rights;
}

// #region allows
/** Whether the segment lets `size` bytes at `offset` be read (or written). `offset` has 32 bits. */
export function segmentAllows(
  r: Int32Array,
  segment: number,
  offset: number,
  size: number,
  isWrite: boolean,
): boolean {
  // #region exercise-limits
  throw new Error(
    "exercise limits: tell whether the segment allows all bytes of an access, by its rights and its limit · chapter 2, “Add the segment”",
  );
  // #endregion exercise-limits
}
// #endregion allows

/** Fills the hidden part and RIGHTS. `limit` is in bytes. */
export function setSegment(
  r: Int32Array,
  segment: number,
  selector: number,
  base: number,
  limit: number,
  access: number,
  isProtected: boolean,
): void {
  r[SELECTOR + segment] = selector;
  r[BASE + segment] = base;
  r[LIMIT + segment] = limit;
  r[ACCESS + segment] = access;
  r[RIGHTS + segment] = segmentRights(access, base | 0, limit | 0, isProtected);
}
