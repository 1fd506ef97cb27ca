// Starter: write the exercises here; `npm run chapter 2` runs them, `npm run chapter 2 test` tests them.
// Generated from solutions/02-real-mode/strings.ts by `npm run starters` (c4616fe6).
/**
 * String instructions: MOVS, STOS, LODS, CMPS, SCAS, and their repetition.
 *
 * Each moves or compares one item between memory and memory or AL, AX, EAX, and then moves the pointers on:
 * up with DF clear, down with DF set. REP repeats it while CX (or ECX) counts down to 0; REPE and REPNE also
 * stop at the first item that differs, or does not.
 *
 * An item is the unit in which the processor thinks: faults and interrupts come between items, never inside
 * one, and the registers then say exactly how far it got. So a repeated instruction can always go on.
 *
 * Source: SDM vol. 1, 7.3.9 "String Operations"; vol. 2, "REP/REPE/REPNE".
 */
import { subtract } from "./alu.ts";
import { EAX, ECX, EDI, ES, ESI, type Registers, SYSTEM_FLAGS } from "./registers.ts";

/** What a string instruction needs of the processor: registers, and memory through segments. */
export interface StringProcessor extends Registers {
  read8(segment: number, offset: number): number;
  read16(segment: number, offset: number): number;
  read32(segment: number, offset: number): number;
  write8(segment: number, offset: number, value: number): void;
  write16(segment: number, offset: number, value: number): void;
  write32(segment: number, offset: number, value: number): void;
}

/** One string instruction: item size in bytes, source segment, and 0xffff or -1 for the size of SI, DI, CX. */
export interface StringForm {
  readonly size: 1 | 2 | 4;
  readonly segment: number;
  readonly addressMask: number;
}

/** Direction flag. */
export const DF = 1 << 10;

// #region items
function readItem(cpu: StringProcessor, size: number, segment: number, offset: number): number {
  if (size === 1) return cpu.read8(segment, offset);
  return size === 2 ? cpu.read16(segment, offset) : cpu.read32(segment, offset);
}

function writeItem(cpu: StringProcessor, size: number, offset: number, value: number): void {
  if (size === 1) cpu.write8(ES, offset, value);
  else if (size === 2) cpu.write16(ES, offset, value);
  else cpu.write32(ES, offset, value);
}

/** AL, AX or EAX. */
function accumulator(cpu: StringProcessor, size: number): number {
  if (size === 1) return cpu.r8[EAX * 4];
  return size === 2 ? cpu.r16[EAX * 2] : cpu.r32[EAX];
}
// #endregion items

/** Moves SI or DI (`register` is ESI or EDI) on by one item. */
export function advance(cpu: Registers, register: number, { size, addressMask }: StringForm): void {
  // #region exercise-advance
  throw new Error(
    "exercise advance: write MOVS, STOS and CMPS for one item, and move SI and DI on by its size, down if DF is set · chapter 2, “Repeat”",
  );
  // #endregion exercise-advance
}

// #region string-operations
export function movs(cpu: StringProcessor, form: StringForm): void {
  // #region exercise-string-operations
  throw new Error(
    "exercise string-operations: write MOVS, STOS and CMPS for one item, and move SI and DI on by its size, down if DF is set · chapter 2, “Repeat”",
  );
  // #endregion exercise-string-operations
}

export function stos(cpu: StringProcessor, form: StringForm): void {
  // #region exercise-string-operations
  throw new Error(
    "exercise string-operations: write MOVS, STOS and CMPS for one item, and move SI and DI on by its size, down if DF is set · chapter 2, “Repeat”",
  );
  // #endregion exercise-string-operations
}

export function lods(cpu: StringProcessor, form: StringForm): void {
  const item = readItem(cpu, form.size, form.segment, cpu.r32[ESI] & form.addressMask);
  if (form.size === 1) cpu.r8[EAX * 4] = item;
  else if (form.size === 2) cpu.r16[EAX * 2] = item;
  else cpu.r32[EAX] = item;
  advance(cpu, ESI, form);
}

/** Compares as CMP does: source less destination. */
export function cmps(cpu: StringProcessor, form: StringForm): void {
  // #region exercise-compare-strings
  throw new Error(
    "exercise compare-strings: write MOVS, STOS and CMPS for one item, and move SI and DI on by its size, down if DF is set · chapter 2, “Repeat”",
  );
  // #endregion exercise-compare-strings
}

export function scas(cpu: StringProcessor, form: StringForm): void {
  const b = readItem(cpu, form.size, ES, cpu.r32[EDI] & form.addressMask);
  subtract(cpu.r32, (form.size * 8) as 8 | 16 | 32, accumulator(cpu, form.size), b);
  advance(cpu, EDI, form);
}
// #endregion string-operations

// #region count
/** CX or ECX, unsigned: the repetitions that are left. */
export function repetitions(r: Int32Array, addressMask: number): number {
  // #region exercise-count
  throw new Error(
    "exercise count: read the repetitions that are left from CX or ECX, and take some off · chapter 2, “Repeat”",
  );
  // #endregion exercise-count
}

/** Takes `done` repetitions off CX or ECX; with 16-bit addresses the upper half of ECX stays. */
export function countDown(r: Int32Array, addressMask: number, done: number): void {
  // #region exercise-count
  throw new Error(
    "exercise count: read the repetitions that are left from CX or ECX, and take some off · chapter 2, “Repeat”",
  );
  // #endregion exercise-count
}
// #endregion count
