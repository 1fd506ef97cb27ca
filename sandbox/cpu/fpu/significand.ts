/** Significands in two halves of 32 bits: what all operations on them share. */
import * as float80 from "./float80.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { EXPONENT, HIGH, SIGN_EXPONENT, WAS_DENORMAL } = float80;

export const TWO_32 = 0x1_0000_0000;

/** The high half of the product of two unsigned 32-bit numbers. */
export function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const bHigh = b >>> 16;
  const aLow = a & 0xffff;
  const bLow = b & 0xffff;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const other = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) | 0;
}

/** All zeros or all ones. */
export function isSpecialExponent(exponent: number): boolean {
  return ((exponent + 1) & 0x7ffe) === 0;
}

/** A denormal or pseudo-denormal, or a number loaded from a shorter format's denormal. */
export function isDenormal(w: Int32Array, slot: number): boolean {
  return (
    w[slot + WAS_DENORMAL] !== 0 ||
    ((w[slot + SIGN_EXPONENT] & EXPONENT) === 0 && (w[slot + HIGH] | w[slot]) !== 0)
  );
}

/** The significand that `normalizeInto` shifted: low and high half. */
export const normal = new Int32Array(2);

/** Shifts a denormal's significand until its first bit is set; returns the exponent it then has. */
export function normalizeInto(high: number, low: number): number {
  let exponent = 1;
  if (high === 0) {
    high = low;
    low = 0;
    exponent -= 32;
  }
  const n = Math.clz32(high);
  normal[1] = n ? (high << n) | (low >>> (32 - n)) : high;
  normal[0] = low << n;
  return exponent - n;
}
