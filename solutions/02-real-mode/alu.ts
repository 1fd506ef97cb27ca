/**
 * The arithmetic flags, computed when somebody asks.
 *
 * Most flags that an instruction sets are overwritten before anybody reads them. So an instruction leaves
 * two numbers behind, and the flags are made from them on demand:
 *
 * - FLAG_RESULT, the result, sign-extended to 32 bits: zero gives ZF, its sign SF, its low byte PF;
 * - FLAG_CARRIES, three of the carries out of the bit positions: the operand's two topmost, moved to bits 31
 *   and 30, of which the first is CF, and which differ exactly on signed overflow (OF); and that out of bit 3,
 *   which stays there and is AF.
 *
 * Bits 0 and 8 to 15 of FLAG_CARRIES correct SF and PF where an instruction sets the flags to values that
 * no result has, as POPF does.
 *
 * Source: SDM vol. 1, 3.4.3.1 "Status Flags"; vol. 2 for each instruction.
 */
import { FLAG_CARRIES, FLAG_RESULT } from "./registers.ts";

// #region carries
export const CARRY = 1 << 31;
/** Differs from CARRY on signed overflow. */
export const CARRY_INTO_SIGN = 1 << 30;
export const HALF_CARRY = 1 << 3;
/** Turns SF over, where an instruction sets a flag that the result does not have. */
export const SIGN_CORRECTION = 1 << 0;
/** Exclusive-ored with the low byte of the result before PF is made of it. */
export const PARITY_CORRECTION = 0xff00;
// #endregion carries

// Positions in EFLAGS.
const CF = 1 << 0;
const PF = 1 << 2;
const AF = 1 << 4;
const ZF = 1 << 6;
const SF = 1 << 7;
const OF = 1 << 11;

/** What the arithmetic of an instruction works on: the flags of this register file. */
type Flags = Int32Array;

// #region set-flags
/**
 * Keeps a result of `size` bits and the carries that led to it. `result` may have any bits above.
 */
export function setFlags(r: Flags, size: 8 | 16 | 32, result: number, carries: number): void {
  // #region exercise-set-flags
  const shift = 32 - size;
  r[FLAG_RESULT] = (result << shift) >> shift;
  r[FLAG_CARRIES] = ((carries << shift) & (CARRY | CARRY_INTO_SIGN)) | (carries & HALF_CARRY);
  // #endregion exercise-set-flags
}

/** Logical operations clear CF and OF, and here AF too, which the manual leaves undefined. */
export function setLogicFlags(r: Flags, size: 8 | 16 | 32, result: number): void {
  // #region exercise-set-flags
  const shift = 32 - size;
  r[FLAG_RESULT] = (result << shift) >> shift;
  r[FLAG_CARRIES] = 0;
  // #endregion exercise-set-flags
}
// #endregion set-flags

// #region read-flags
export function carryFlag(r: Flags): boolean {
  return r[FLAG_CARRIES] < 0;
}

export function zeroFlag(r: Flags): boolean {
  return r[FLAG_RESULT] === 0;
}

export function signFlag(r: Flags): boolean {
  // #region exercise-read-flags
  return (r[FLAG_RESULT] ^ (r[FLAG_CARRIES] << 31)) < 0;
  // #endregion exercise-read-flags
}

export function overflowFlag(r: Flags): boolean {
  // #region exercise-read-flags
  return (r[FLAG_CARRIES] ^ (r[FLAG_CARRIES] << 1)) < 0;
  // #endregion exercise-read-flags
}

export function adjustFlag(r: Flags): boolean {
  return (r[FLAG_CARRIES] & HALF_CARRY) !== 0;
}

/** Even parity of the low byte: bit n of 0x9669 tells it for the four bits that are left after folding. */
export function parityFlag(r: Flags): boolean {
  // #region exercise-read-flags
  const byte = r[FLAG_RESULT] ^ (r[FLAG_CARRIES] >>> 8);
  return ((0x9669 >>> ((byte ^ (byte >>> 4)) & 0xf)) & 1) !== 0;
  // #endregion exercise-read-flags
}
// #endregion read-flags

/** The six arithmetic flags in their EFLAGS positions. */
export function arithmeticFlags(r: Flags): number {
  return (
    (carryFlag(r) ? CF : 0) |
    (parityFlag(r) ? PF : 0) |
    (adjustFlag(r) ? AF : 0) |
    (zeroFlag(r) ? ZF : 0) |
    (signFlag(r) ? SF : 0) |
    (overflowFlag(r) ? OF : 0)
  );
}

/** Sets all six from `flags`, a value in EFLAGS positions. */
export function setArithmeticFlags(r: Flags, flags: number): void {
  const carry = flags & CF ? CARRY : 0;
  const intoSign = ((flags & OF) !== 0) !== ((flags & CF) !== 0) ? CARRY_INTO_SIGN : 0;
  // A result of 0 stands for ZF, SF clear and PF set, one of 1 for ZF, SF and PF clear; the rest is correction.
  const zero = (flags & ZF) !== 0;
  const parityAsIs = zero === ((flags & PF) !== 0);
  r[FLAG_RESULT] = zero ? 0 : 1;
  r[FLAG_CARRIES] =
    carry |
    intoSign |
    (flags & AF ? HALF_CARRY : 0) |
    (flags & SF ? SIGN_CORRECTION : 0) |
    (parityAsIs ? 0 : PARITY_CORRECTION & 0x0100);
}

/** Changes CF alone. */
export function setCarry(r: Flags, carry: boolean): void {
  const overflow = overflowFlag(r);
  const rest = r[FLAG_CARRIES] & ~(CARRY | CARRY_INTO_SIGN);
  r[FLAG_CARRIES] = rest | (carry ? CARRY : 0) | (carry !== overflow ? CARRY_INTO_SIGN : 0);
}

/** Changes CF and OF, and leaves the other four as they are: rotates. */
export function setCarryAndOverflow(r: Flags, carry: boolean, overflow: boolean): void {
  const rest = r[FLAG_CARRIES] & ~(CARRY | CARRY_INTO_SIGN);
  r[FLAG_CARRIES] = rest | (carry ? CARRY : 0) | (carry !== overflow ? CARRY_INTO_SIGN : 0);
}

// #region conditions
/** Conditions 0 to 15, as Jcc, SETcc and CMOVcc encode them: odd ones are the opposites of even ones. */
export function condition(r: Flags, code: number): boolean {
  // #region exercise-conditions
  const even = evenCondition(r, code >> 1);
  return (code & 1) === 0 ? even : !even;
  // #endregion exercise-conditions
}

/** The even conditions 0, 2, … 14; `half` is half of the code. */
function evenCondition(r: Flags, half: number): boolean {
  // #region exercise-conditions
  switch (half) {
    case 0:
      return overflowFlag(r); // O
    case 1:
      return carryFlag(r); // B
    case 2:
      return zeroFlag(r); // E
    case 3:
      return carryFlag(r) || zeroFlag(r); // BE
    case 4:
      return signFlag(r); // S
    case 5:
      return parityFlag(r); // P
    case 6:
      return signFlag(r) !== overflowFlag(r); // L
    default:
      return zeroFlag(r) || signFlag(r) !== overflowFlag(r); // LE
  }
  // #endregion exercise-conditions
}
// #endregion conditions

// #region add-subtract
/** Where a carry leaves each bit position of `a + b`, given their sum. */
export function carriesOfAdd(a: number, b: number, sum: number): number {
  // #region exercise-add-subtract
  return (a & b) | ((a | b) & ~sum);
  // #endregion exercise-add-subtract
}

/** Where a borrow leaves each bit position of `a - b`, given their difference. */
export function borrowsOfSubtract(a: number, b: number, difference: number): number {
  // #region exercise-add-subtract
  return (~a & b) | (~(a ^ b) & difference);
  // #endregion exercise-add-subtract
}
// #endregion add-subtract

/** The eight operations of the opcode map's first quarter; each returns the result and sets the flags. */
export type Operation = (r: Flags, size: 8 | 16 | 32, a: number, b: number) => number;

export function add(r: Flags, size: 8 | 16 | 32, a: number, b: number): number {
  const sum = (a + b) | 0;
  setFlags(r, size, sum, carriesOfAdd(a, b, sum));
  return sum;
}

export function addWithCarry(r: Flags, size: 8 | 16 | 32, a: number, b: number): number {
  const sum = (a + b + (carryFlag(r) ? 1 : 0)) | 0;
  setFlags(r, size, sum, carriesOfAdd(a, b, sum));
  return sum;
}

export function subtract(r: Flags, size: 8 | 16 | 32, a: number, b: number): number {
  const difference = (a - b) | 0;
  setFlags(r, size, difference, borrowsOfSubtract(a, b, difference));
  return difference;
}

export function subtractWithBorrow(r: Flags, size: 8 | 16 | 32, a: number, b: number): number {
  const difference = (a - b - (carryFlag(r) ? 1 : 0)) | 0;
  setFlags(r, size, difference, borrowsOfSubtract(a, b, difference));
  return difference;
}

export function and(r: Flags, size: 8 | 16 | 32, a: number, b: number): number {
  setLogicFlags(r, size, a & b);
  return a & b;
}

export function or(r: Flags, size: 8 | 16 | 32, a: number, b: number): number {
  setLogicFlags(r, size, a | b);
  return a | b;
}

export function xor(r: Flags, size: 8 | 16 | 32, a: number, b: number): number {
  setLogicFlags(r, size, a ^ b);
  return a ^ b;
}

/** INC: like an addition of 1, but CF stays. */
export function increment(r: Flags, size: 8 | 16 | 32, a: number): number {
  // #region exercise-increment
  const carry = carryFlag(r);
  const result = add(r, size, a, 1);
  setCarry(r, carry);
  return result;
  // #endregion exercise-increment
}

export function decrement(r: Flags, size: 8 | 16 | 32, a: number): number {
  // #region exercise-increment
  const carry = carryFlag(r);
  const result = subtract(r, size, a, 1);
  setCarry(r, carry);
  return result;
  // #endregion exercise-increment
}
