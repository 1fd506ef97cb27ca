// Starter: write the exercises here; `npm run chapter 4` runs them, `npm run chapter 4 test` tests them.
// Generated from solutions/04-interrupts/exceptions.ts by `npm run starters` (8cc34d67).
/**
 * Exceptions: their numbers, which ones push an error code, and what happens when one meets another.
 *
 * Source: SDM vol. 3A, table 6-1 "Protected-Mode Exceptions and Interrupts", tables 6-4 and 6-5.
 */

// #region vectors
export const DIVIDE_ERROR = 0;
export const DEBUG = 1;
export const NMI = 2;
export const BREAKPOINT = 3;
export const OVERFLOW = 4;
export const BOUND_RANGE = 5;
export const INVALID_OPCODE = 6;
export const DEVICE_NOT_AVAILABLE = 7;
export const DOUBLE_FAULT = 8;
export const INVALID_TSS = 10;
export const SEGMENT_NOT_PRESENT = 11;
export const STACK_FAULT = 12;
export const GENERAL_PROTECTION = 13;
export const PAGE_FAULT = 14;
export const X87_FAULT = 16;
export const ALIGNMENT_CHECK = 17;
export const MACHINE_CHECK = 18;
export const SIMD_FAULT = 19;

const MNEMONICS = [
  "#DE",
  "#DB",
  "NMI",
  "#BP",
  "#OF",
  "#BR",
  "#UD",
  "#NM",
  "#DF",
  "coprocessor segment overrun",
  "#TS",
  "#NP",
  "#SS",
  "#GP",
  "#PF",
  "vector 15",
  "#MF",
  "#AC",
  "#MC",
  "#XM",
] as const;

/** The manual's short name: `exceptionName(14)` is `"#PF"`. */
export function exceptionName(vector: number): string {
  return MNEMONICS[vector] ?? `vector ${vector}`;
}
// #endregion vectors

// #region error-codes
// Bits of an error code that names a selector or a gate.
/** The event came from outside of the program, or was an exception itself. */
export const EXT = 1 << 0;
/** The index is that of a gate in the IDT. */
export const IDT = 1 << 1;

const WITH_ERROR_CODE = [
  DOUBLE_FAULT,
  INVALID_TSS,
  SEGMENT_NOT_PRESENT,
  STACK_FAULT,
  GENERAL_PROTECTION,
  PAGE_FAULT,
  ALIGNMENT_CHECK,
];
const ERROR_CODE_VECTORS = WITH_ERROR_CODE.reduce((bits, vector) => bits | (1 << vector), 0);

export function pushesErrorCode(vector: number): boolean {
  return vector < 32 && (ERROR_CODE_VECTORS & (1 << vector)) !== 0;
}
// #endregion error-codes

// #region classes
/**
 * A fault is reported before its instruction, so that the handler can repair the cause and return to it;
 * a trap after it. #DB can be either, and looks after RF itself.
 */
export function isFault(vector: number): boolean {
  return vector === DIVIDE_ERROR || (vector >= BOUND_RANGE && vector <= SIMD_FAULT && !isAbort(vector));
}

function isAbort(vector: number): boolean {
  return vector === DOUBLE_FAULT || vector === MACHINE_CHECK;
}

export type ExceptionClass = "benign" | "contributory" | "page fault" | "double fault";

export function exceptionClass(vector: number): ExceptionClass {
  // #region exercise-exception-class
  throw new Error(
    "exercise exception-class: say which class an exception belongs to, and what comes of a second one during the delivery of a first · chapter 4, “When a fault meets a fault”",
  );
  // #endregion exercise-exception-class
}

/**
 * While the exception `first` was being delivered, `second` happened. `"serial"`: `second` is delivered in
 * its place, and `first` comes again when its instruction does.
 */
export function combine(first: number, second: number): "serial" | "double fault" | "shutdown" {
  // #region exercise-double-fault
  throw new Error(
    "exercise double-fault: say which class an exception belongs to, and what comes of a second one during the delivery of a first · chapter 4, “When a fault meets a fault”",
  );
  // #endregion exercise-double-fault
}
// #endregion classes
