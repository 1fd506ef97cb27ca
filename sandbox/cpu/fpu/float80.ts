/**
 * The 80-bit extended float, and the rules that arithmetic on it follows.
 *
 * A value lives in a *slot* of four 32-bit words, so that no arithmetic allocates: the low and the high
 * half of the 64-bit significand (whose bit 63 is the explicit integer bit), sign and biased exponent
 * as in memory, and a mark for operands that were denormal in a shorter format.
 *
 * ```
 *  slot + 0   significand 31…0
 *  slot + 1   significand 63…32      bit 31: the integer bit J
 *  slot + 2   sign (bit 15) and exponent (bits 14…0, bias 16383)
 *  slot + 3   1 where the value was loaded from a denormal single or double
 * ```
 *
 * Source: SDM vol. 1, 4.2.2 "Floating-Point Data Types", 8.5 "x87 Floating-Point Exception Conditions".
 */

export const LOW = 0;
export const HIGH = 1;
export const SIGN_EXPONENT = 2;
export const WAS_DENORMAL = 3;
/** Words of a slot. */
export const SLOT = 4;

export const SIGN = 0x8000;
export const EXPONENT = 0x7fff;
export const BIAS = 16383;

/** Exceptions, at their bits in the status word; MXCSR has the first six at the same places. */
export const INVALID = 0b00_0001;
export const DENORMAL = 0b00_0010;
export const ZERO_DIVIDE = 0b00_0100;
export const OVERFLOW = 0b00_1000;
export const UNDERFLOW = 0b01_0000;
export const PRECISION = 0b10_0000;
export const STACK_FAULT = 0b100_0000;
/** Condition code C1, which tells that a result was rounded up. */
export const C1 = 0x0200;

/** The rounding-control field, of the control word and of MXCSR alike. */
export const NEAREST = 0;
export const DOWN = 1;
export const UP = 2;
export const TO_ZERO = 3;

/** Formats that a result can be rounded to. */
export const EXTENDED = 0;
export const DOUBLE = 1;
export const SINGLE = 2;

/** What arithmetic works on and under which rules. The processor has one for x87 and one for SSE. */
export interface Arithmetic {
  /** The slots. */
  readonly words: Int32Array;
  /** NEAREST, DOWN, UP or TO_ZERO. */
  rounding: number;
  /** Significant bits of an EXTENDED result: 24, 53 or 64. */
  precision: number;
  /** The masked exceptions. */
  masks: number;
  /** The exceptions that the current operation raised, and C1. */
  raised: number;
  /** EXTENDED, DOUBLE or SINGLE. */
  format: number;
  /** EXTENDED, 64 bits, NEAREST: what nearly all programs leave it at, and `roundPack` is quick for. */
  isUsual: boolean;
  /** MXCSR.FTZ: a masked underflow gives zero. */
  flushToZero: boolean;
}

/** Writes a signed zero in the format in force. */
export function packZero(f: Arithmetic, out: number, sign: number): void {
  pack(f, out, sign, 0, 0, 0);
}

/** Writes a signed infinity in the format in force. */
export function packInfinity(f: Arithmetic, out: number, sign: number): void {
  pack(f, out, sign, EXPONENT, -0x8000_0000, 0);
}

/** Writes the "real indefinite": the quiet NaN that answers an invalid operation. */
export function packIndefinite(f: Arithmetic, out: number): void {
  pack(f, out, SIGN, EXPONENT, -0x4000_0000, 0);
}

/** Writes a zero, an infinity or a NaN, whose exponents are all zeros or all ones in every format. */
function pack(f: Arithmetic, out: number, sign: number, exponent: number, high: number, low: number): void {
  const { words } = f;
  if (f.format === SINGLE) {
    words[out] = (sign << 16) | (exponent ? 0x7f80_0000 : 0) | ((high >>> 8) & 0x7f_ffff);
    return;
  }
  if (f.format === DOUBLE) {
    words[out] = (high << 21) | (low >>> 11);
    words[out + HIGH] = (sign << 16) | (exponent ? 0x7ff0_0000 : 0) | ((high >>> 11) & 0x0f_ffff);
    return;
  }
  words[out] = low;
  words[out + HIGH] = high;
  words[out + SIGN_EXPONENT] = sign | exponent;
  words[out + WAS_DENORMAL] = 0;
}

/** Copies a slot as it is. */
export function copySlot(words: Int32Array, out: number, from: number): void {
  words[out] = words[from];
  words[out + HIGH] = words[from + HIGH];
  words[out + SIGN_EXPONENT] = words[from + SIGN_EXPONENT];
  words[out + WAS_DENORMAL] = words[from + WAS_DENORMAL];
}
