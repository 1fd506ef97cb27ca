// Starter: write the exercises here; `npm run chapter 3` runs them, `npm run chapter 3 test` tests them.
// Generated from solutions/03-paging/descriptors.ts by `npm run starters` (8c6a8c1b).
/**
 * Segment descriptors: what a selector means in protected mode, and who may use it for what.
 *
 * A descriptor is 8 bytes in the GDT or LDT, read as two doublewords. Its fields are scattered for
 * compatibility with the 80286; `accessRights` collects the attribute bits into one 16-bit word, in the
 * order in which VMX and KVM keep them too:
 *
 *     15  14   13  12    11:8    7  6:5  4  3:0
 *     G   D/B  L   AVL   0000    P  DPL  S  TYPE
 *
 * Source: SDM vol. 3A, 3.4.5 "Segment Descriptors", 3.5 "System Descriptor Types", chapter 5.
 */

// #region access-rights
export const TYPE = 0b1111;
export const S = 1 << 4; // 1: code or data, 0: system
export const DPL = 0b11 << 5;
export const P = 1 << 7;
export const AVL = 1 << 12;
export const L = 1 << 13;
export const DB = 1 << 14;
export const G = 1 << 15;

// Type bits of code and data segments.
export const ACCESSED = 0b0001;
export const WRITABLE = 0b0010; // data
export const READABLE = 0b0010; // code
export const EXPAND_DOWN = 0b0100; // data
export const CONFORMING = 0b0100; // code
export const CODE = 0b1000;

// Types of system descriptors.
export const TSS16_AVAILABLE = 0x1;
export const LDT = 0x2;
export const TSS16_BUSY = 0x3;
export const CALL_GATE16 = 0x4;
export const TASK_GATE = 0x5;
export const INTERRUPT_GATE16 = 0x6;
export const TRAP_GATE16 = 0x7;
export const TSS32_AVAILABLE = 0x9;
export const TSS32_BUSY = 0xb;
export const CALL_GATE32 = 0xc;
export const INTERRUPT_GATE32 = 0xe;
export const TRAP_GATE32 = 0xf;

/** Set in the type of a TSS that is in use. */
export const BUSY = 0b0010;
/** Set in the type of a TSS or gate of the 32-bit kind. */
export const SYSTEM32 = 0b1000;
// #endregion access-rights

// #region fields
/** Linear address of the segment's first byte. `low` and `high` are the descriptor's doublewords. */
export function descriptorBase(low: number, high: number): number {
  // #region exercise-descriptor-fields
  throw new Error(
    "exercise descriptor-fields: collect the base, the limit in bytes and the access rights from a descriptor's two doublewords · chapter 3, “Describe a segment”",
  );
  // #endregion exercise-descriptor-fields
}

/** The segment's limit in bytes: with G the 20-bit field counts pages of 4 KiB. */
export function descriptorLimit(low: number, high: number): number {
  // #region exercise-descriptor-fields
  throw new Error(
    "exercise descriptor-fields: collect the base, the limit in bytes and the access rights from a descriptor's two doublewords · chapter 3, “Describe a segment”",
  );
  // #endregion exercise-descriptor-fields
}

/** The attribute bits, laid out as this file's head shows. */
export function accessRights(high: number): number {
  // #region exercise-descriptor-fields
  throw new Error(
    "exercise descriptor-fields: collect the base, the limit in bytes and the access rights from a descriptor's two doublewords · chapter 3, “Describe a segment”",
  );
  // #endregion exercise-descriptor-fields
}

/** The two doublewords of a descriptor. With G in `rights` the limit must end in `fff`. */
export function encodeDescriptor(base: number, limit: number, rights: number): [low: number, high: number] {
  const field = (rights & G) === 0 ? limit : limit >>> 12;
  const low = ((base << 16) | (field & 0xffff)) >>> 0;
  const high = (base & 0xff00_0000) | ((base >>> 16) & 0xff) | ((rights & 0xf0ff) << 8) | (field & 0xf_0000);
  return [low, high >>> 0];
}
// #endregion fields

// #region segment-image
/** A selector with its descriptor, decoded: what loading it would put into a segment register. */
export class SegmentImage {
  selector = 0;
  low = 0;
  high = 0;
  /** Linear address. */
  base = 0;
  /** In bytes. */
  limit = 0;
  rights = 0;

  decode(selector: number, low: number, high: number): void {
    this.selector = selector;
    this.low = low;
    this.high = high;
    this.base = descriptorBase(low, high);
    this.limit = descriptorLimit(low, high);
    this.rights = accessRights(high);
  }
}
// #endregion segment-image

// #region gates
/** The code segment, or TSS, that a gate leads to. */
export function gateSelector(low: number): number {
  return low >>> 16;
}

/** Where in the code segment a gate leads; a 16-bit gate has only the low half. */
export function gateOffset(low: number, high: number): number {
  const offset = low & 0xffff;
  return (high & (SYSTEM32 << 8)) === 0 ? offset : (offset | (high & 0xffff_0000)) >>> 0;
}

/** How many words or doublewords a call gate copies to the new stack. */
export function gateParameters(high: number): number {
  return high & 0b1_1111;
}

/** `type` is one of the gate types above; `parameters` counts for call gates only. */
export function encodeGate(
  type: number,
  dpl: number,
  selector: number,
  offset: number,
  parameters = 0,
): [low: number, high: number] {
  const low = ((selector << 16) | (offset & 0xffff)) >>> 0;
  const high = (offset & 0xffff_0000) | ((P | (dpl << 5) | type) << 8) | parameters;
  return [low, high >>> 0];
}
// #endregion gates

// #region questions
export function descriptorPrivilege(rights: number): number {
  return (rights & DPL) >>> 5;
}

export function requestedPrivilege(selector: number): number {
  return selector & 0b11;
}

/** Selectors 0 to 3 name no descriptor. */
export function isNull(selector: number): boolean {
  return (selector & 0xfffc) === 0;
}

export function isCode(rights: number): boolean {
  return (rights & (S | CODE)) === (S | CODE);
}

export function isConformingCode(rights: number): boolean {
  return (rights & (S | CODE | CONFORMING)) === (S | CODE | CONFORMING);
}

export function isWritableData(rights: number): boolean {
  return (rights & (S | CODE | WRITABLE)) === (S | WRITABLE);
}

/** Data segments, and code segments that may be read. */
export function isReadable(rights: number): boolean {
  return (rights & S) !== 0 && (rights & (CODE | READABLE)) !== CODE;
}

export function isExpandDown(rights: number): boolean {
  return (rights & (S | CODE | EXPAND_DOWN)) === (S | EXPAND_DOWN);
}

/** The type of a system descriptor; -1 for code and data. */
export function systemType(rights: number): number {
  return (rights & S) === 0 ? rights & TYPE : -1;
}

/**
 * Whether `size` bytes at `offset` lie inside a segment. An expand-down segment is what its limit leaves
 * out: the offsets above it, up to 64 KiB or, with B, 4 GiB.
 */
export function inSegment(offset: number, size: number, limit: number, rights: number): boolean {
  // #region exercise-limit
  throw new Error(
    "exercise limit: tell whether all bytes of an access lie inside a segment, also one that expands down · chapter 3, “Describe a segment”",
  );
  // #endregion exercise-limit
}
// #endregion questions

// #region fault
/**
 * What a check decides: `OK`, or a fault as one number, vector in the high half and error code in the
 * low, so that a check costs no allocation.
 */
export type Fault = number;

export const OK: Fault = 0;

const INVALID_TSS = 10;
const SEGMENT_NOT_PRESENT = 11;
const STACK_FAULT = 12;
const GENERAL_PROTECTION = 13;

/** The error code of a fault about a selector is the selector without its RPL. */
export function selectorFault(vector: number, selector: number): Fault {
  return (vector << 16) | (selector & 0xfffc);
}

export function faultVector(fault: Fault): number {
  return fault >>> 16;
}

export function faultErrorCode(fault: Fault): number {
  return fault & 0xffff;
}
// #endregion fault

// #region load-checks
/** May this descriptor go into DS, ES, FS or GS? A null selector never gets here: it is always allowed. */
export function checkDataSegment(selector: number, rights: number, cpl: number): Fault {
  // #region exercise-load-data
  throw new Error(
    "exercise load-data: decide whether code of a privilege level may put a descriptor into DS, ES, FS, GS, or into SS · chapter 3, “Guard the levels”",
  );
  // #endregion exercise-load-data
}

/**
 * May this descriptor become the stack of code at privilege level `cpl`? `vector` is the fault for a bad
 * one: #GP when the program loads SS, #TS when the processor takes it from a TSS.
 */
export function checkStackSegment(
  selector: number,
  rights: number,
  cpl: number,
  vector = GENERAL_PROTECTION,
): Fault {
  // #region exercise-load-stack
  throw new Error(
    "exercise load-stack: decide whether code of a privilege level may put a descriptor into DS, ES, FS, GS, or into SS · chapter 3, “Guard the levels”",
  );
  // #endregion exercise-load-stack
}
// #endregion load-checks

// #region transfer-checks
/** JMP or CALL straight to a code segment: never changes the privilege level. */
export function checkDirectTransfer(selector: number, rights: number, cpl: number): Fault {
  // #region exercise-direct-transfer
  throw new Error(
    "exercise direct-transfer: decide whether code of a privilege level may jump straight to a segment, use a gate, and go where the gate leads · chapter 3, “Guard the levels”",
  );
  // #endregion exercise-direct-transfer
}

/** May code at `cpl` use this call gate, task gate or TSS? `selector` is what the program named. */
export function checkGateAccess(selector: number, rights: number, cpl: number): Fault {
  // #region exercise-gate-access
  throw new Error(
    "exercise gate-access: decide whether code of a privilege level may jump straight to a segment, use a gate, and go where the gate leads · chapter 3, “Guard the levels”",
  );
  // #endregion exercise-gate-access
}

/**
 * The code segment that a call gate leads to. A CALL may go to a more privileged level, a JMP may not;
 * `selector` is the gate's, whose RPL plays no part.
 */
export function checkGateTarget(selector: number, rights: number, cpl: number, isJump: boolean): Fault {
  // #region exercise-gate-access
  throw new Error(
    "exercise gate-access: decide whether code of a privilege level may jump straight to a segment, use a gate, and go where the gate leads · chapter 3, “Guard the levels”",
  );
  // #endregion exercise-gate-access
}

/** The privilege level that code runs at after entering a segment through a gate at level `cpl`. */
export function levelAfterGate(rights: number, cpl: number): number {
  return isConformingCode(rights) ? cpl : descriptorPrivilege(rights);
}

/** A far RET or IRET to `selector`: its RPL is the level to return to, and may not be an inner one. */
export function checkReturnCode(selector: number, rights: number, cpl: number): Fault {
  const level = requestedPrivilege(selector);
  const dpl = descriptorPrivilege(rights);
  const matches = isConformingCode(rights) ? dpl <= level : dpl === level;
  if (!isCode(rights) || level < cpl || !matches) return selectorFault(GENERAL_PROTECTION, selector);
  return (rights & P) === 0 ? selectorFault(SEGMENT_NOT_PRESENT, selector) : OK;
}

/**
 * After a return to the outer level `cpl`: may it keep what DS, ES, FS or GS holds? A segment that it
 * could not have loaded itself is taken away, or an inner level would leak to an outer one.
 */
export function survivesReturn(rights: number, cpl: number): boolean {
  if ((rights & S) === 0) return false;
  return isConformingCode(rights) || descriptorPrivilege(rights) >= cpl;
}

/** The code segment in a TSS: its RPL becomes the privilege level of the new task. */
export function checkTaskCode(selector: number, rights: number): Fault {
  const level = requestedPrivilege(selector);
  const dpl = descriptorPrivilege(rights);
  const matches = isConformingCode(rights) ? dpl <= level : dpl === level;
  if (!isCode(rights) || !matches) return selectorFault(INVALID_TSS, selector);
  return (rights & P) === 0 ? selectorFault(SEGMENT_NOT_PRESENT, selector) : OK;
}
// #endregion transfer-checks

// #region describe
const SYSTEM_NAMES = [
  "reserved",
  "16-bit TSS (available)",
  "LDT",
  "16-bit TSS (busy)",
  "16-bit call gate",
  "task gate",
  "16-bit interrupt gate",
  "16-bit trap gate",
  "reserved",
  "32-bit TSS (available)",
  "reserved",
  "32-bit TSS (busy)",
  "32-bit call gate",
  "reserved",
  "32-bit interrupt gate",
  "32-bit trap gate",
] as const;

/** The access rights in words, for a reader: `["data", "writable", "DPL 3", "present", "32-bit"]`. */
export function describeRights(rights: number): string[] {
  const words: string[] = [];
  if ((rights & S) === 0) words.push(SYSTEM_NAMES[rights & TYPE]!);
  else if (isCode(rights)) {
    words.push("code");
    if (rights & READABLE) words.push("readable");
    if (rights & CONFORMING) words.push("conforming");
  } else {
    words.push("data");
    if (rights & WRITABLE) words.push("writable");
    if (rights & EXPAND_DOWN) words.push("expand-down");
  }
  if (rights & S && rights & ACCESSED) words.push("accessed");
  words.push(`DPL ${descriptorPrivilege(rights)}`, rights & P ? "present" : "not present");
  if (rights & S) words.push(rights & L ? "64-bit" : rights & DB ? "32-bit" : "16-bit");
  return words;
}
// #endregion describe
