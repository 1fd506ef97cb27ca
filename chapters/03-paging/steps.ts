// Given: this file of the layer has no exercises.
// Generated from solutions/03-paging/steps.ts by `npm run starters` (b2592dbf).
/**
 * A page walk told step by step: every entry with its address, its bits by name and what it decided.
 * The walks themselves are `walk.ts` and `nested.ts`; this only watches them.
 */
import { ExtendedPageTables, NestedPagingExit, type NestedWalker } from "./nested.ts";
import {
  ACCESSED,
  DIRTY,
  type EntryDecision,
  type EntryName,
  FETCH_ACCESS,
  GLOBAL,
  NO_EXECUTE_HIGH,
  PAGE_SIZE_BIT,
  type PageWalker,
  type PagingMode,
  PRESENT,
  PROTECTION_VIOLATION,
  RESERVED_BIT,
  USER,
  USER_ACCESS,
  type WalkObserver,
  WRITABLE,
  WRITE_ACCESS,
} from "./walk.ts";

export interface WalkStep {
  readonly name: EntryName;
  /** Physical; `null` for a page-directory pointer, which PAE paging keeps in a register. */
  readonly address: number | null;
  readonly value: bigint;
  /** Names of the flags that are set, bit 0 first. */
  readonly bits: readonly string[];
  readonly decision: EntryDecision;
}

export interface WalkReport {
  readonly linear: number;
  readonly mode: PagingMode;
  readonly steps: readonly WalkStep[];
  /** `null` when the walk ends in a page fault. */
  readonly physical: number | null;
  /** Size of the page in bytes; 0 when there is none. */
  readonly pageSize: number;
  /** The error code of the page fault, 0 when there is none, and its bits by name. */
  readonly errorCode: number;
  readonly errorBits: readonly string[];
}

/** Walks `linear` for `access` without setting a flag in memory, and tells each step. */
export function explainWalk(walker: PageWalker, linear: number, access = 0): WalkReport {
  const steps: WalkStep[] = [];
  const { observer } = walker;
  walker.observer = {
    entry: (name, address, low, high, decision) =>
      steps.push({
        name,
        address: address < 0 ? null : address,
        value: entryValue(low, high),
        bits: entryBits(name, low, high),
        decision,
      }),
  };
  try {
    const found = walker.probe(linear, access);
    return {
      linear,
      mode: walker.mode,
      steps,
      physical: found ? walker.frame * 4096 + (linear % 4096) : null,
      pageSize: found ? walker.pageFrames * 4096 : 0,
      errorCode: found ? 0 : walker.errorCode,
      errorBits: found ? [] : pageFaultBits(walker.errorCode),
    };
  } finally {
    walker.observer = observer;
  }
}

/** One reference of a two-dimensional walk. */
export interface NestedStep extends WalkStep {
  /** Whose entry it is; guest entries have guest-physical addresses, the others host-physical ones. */
  readonly dimension: "guest" | "EPT" | "NPT";
}

export interface NestedReport {
  readonly linear: number;
  readonly steps: readonly NestedStep[];
  /** Host-physical; `null` when the walk does not end in memory. */
  readonly physical: number | null;
  /** The guest's own page fault; 0 when there is none. */
  readonly errorCode: number;
  /** What makes the processor leave the guest, if anything. */
  readonly exit: NestedPagingExit | null;
}

/** As `explainWalk`, in two dimensions: each guest entry stands after the entries that translate its address. */
export function explainNestedWalk(walker: NestedWalker, linear: number, access = 0): NestedReport {
  const steps: NestedStep[] = [];
  const { guest, second } = walker;
  const host = second instanceof ExtendedPageTables ? "EPT" : "NPT";
  const watch = (dimension: NestedStep["dimension"]): WalkObserver => ({
    entry: (name, address, low, high, decision) =>
      steps.push({
        dimension,
        name,
        address: address < 0 ? null : address,
        value: entryValue(low, high),
        bits: dimension === "EPT" ? eptEntryBits(low) : entryBits(name, low, high),
        decision,
      }),
  });
  const before = { guest: guest.observer, second: second.observer, probing: second.probing };
  guest.observer = watch("guest");
  second.observer = watch(host);
  second.probing = true;
  try {
    const found = walker.walk(linear, access);
    const physical = found ? walker.physical : null;
    return { linear, steps, physical, errorCode: found ? 0 : walker.errorCode, exit: null };
  } catch (exit) {
    if (!(exit instanceof NestedPagingExit)) throw exit;
    return { linear, steps, physical: null, errorCode: 0, exit };
  } finally {
    guest.observer = before.guest;
    second.observer = before.second;
    second.probing = before.probing;
  }
}

export function entryValue(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** Names of the flags set in an entry, bit 0 first; `PS` where the level has it. */
export function entryBits(name: EntryName, low: number, high: number): string[] {
  const bits: string[] = [];
  if (low & PRESENT) bits.push("P");
  if (low & WRITABLE) bits.push("R/W");
  if (low & USER) bits.push("U/S");
  if (low & (1 << 3)) bits.push("PWT");
  if (low & (1 << 4)) bits.push("PCD");
  if (low & ACCESSED) bits.push("A");
  if (low & DIRTY) bits.push("D");
  if (low & PAGE_SIZE_BIT) bits.push(name === "PTE" ? "PAT" : "PS");
  if (low & GLOBAL) bits.push("G");
  if (high & NO_EXECUTE_HIGH) bits.push("XD");
  return bits;
}

/** Names of the flags set in an EPT entry, bit 0 first. */
export function eptEntryBits(low: number): string[] {
  const names = ["R", "W", "X", "", "", "", "IPAT", "large page", "A", "D"];
  return names.filter((name, bit) => name !== "" && (low & (1 << bit)) !== 0);
}

/** A page fault's error code in the manual's words (SDM vol. 3A, figure 4-12). */
export function pageFaultBits(errorCode: number): string[] {
  return [
    errorCode & PROTECTION_VIOLATION ? "protection violation" : "not present",
    errorCode & WRITE_ACCESS ? "write" : "read",
    errorCode & USER_ACCESS ? "user" : "supervisor",
    ...(errorCode & RESERVED_BIT ? ["reserved bit"] : []),
    ...(errorCode & FETCH_ACCESS ? ["instruction fetch"] : []),
  ];
}
