/**
 * Comparison and classification.
 *
 * Source: SDM vol. 2A, FCOM (table 3-21), FUCOM, FTST, FXAM (table 3-40).
 */
import type { Arithmetic } from "./float80.ts";
import * as float80 from "./float80.ts";
import { isNan, isSignaling, isUnsupported } from "./nan.ts";
import { isDenormal } from "./significand.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { DENORMAL, EXPONENT, HIGH, INVALID, SIGN, SIGN_EXPONENT } = float80;

// Condition codes, at their bits in the status word.
export const C0 = 0x0100;
export const C2 = 0x0400;
export const C3 = 0x4000;

export const GREATER = 0;
export const LESS = C0;
export const EQUAL = C3;
export const UNORDERED = C3 | C2 | C0;

/** Compares a with b. A quiet comparison (FUCOM) takes quiet NaNs for unordered without complaint. */
export function compare(f: Arithmetic, a: number, b: number, quiet: boolean): number {
  const w = f.words;
  if (isUnsupported(w, a) || isUnsupported(w, b)) {
    f.raised |= INVALID;
    return UNORDERED;
  }
  if (isNan(w, a) || isNan(w, b)) {
    if (!quiet || isSignaling(w, a) || isSignaling(w, b)) f.raised |= INVALID;
    return UNORDERED;
  }
  if (isDenormal(w, a) || isDenormal(w, b)) f.raised |= DENORMAL;
  const aSign = w[a + SIGN_EXPONENT] & SIGN;
  const bSign = w[b + SIGN_EXPONENT] & SIGN;
  if (aSign !== bSign) {
    const zeros = (w[a] | w[a + HIGH] | w[b] | w[b + HIGH]) === 0;
    return zeros ? EQUAL : aSign ? LESS : GREATER;
  }
  const order = compareMagnitudes(w, a, b);
  return order === 0 ? EQUAL : order < 0 !== (aSign !== 0) ? LESS : GREATER;
}

/** Negative, zero or positive as |a| is below, at or above |b|. */
function compareMagnitudes(w: Int32Array, a: number, b: number): number {
  const aHigh = w[a + HIGH] >>> 0;
  const bHigh = w[b + HIGH] >>> 0;
  // A pseudo-denormal has the exponent field 0 and the value of 1.
  const aExponent = w[a + SIGN_EXPONENT] & EXPONENT || aHigh >>> 31;
  const bExponent = w[b + SIGN_EXPONENT] & EXPONENT || bHigh >>> 31;
  if (aExponent !== bExponent) return aExponent - bExponent;
  if (aHigh !== bHigh) return aHigh - bHigh;
  return (w[a] >>> 0) - (w[b] >>> 0);
}

/** FXAM's classes, as C3, C2 and C0. C1, the sign, comes on top. */
export function classify(w: Int32Array, slot: number): number {
  if (isUnsupported(w, slot)) return 0;
  const exponent = w[slot + SIGN_EXPONENT] & EXPONENT;
  if (exponent === EXPONENT) return isNan(w, slot) ? C0 : C2 | C0;
  if (exponent !== 0) return C2;
  return (w[slot] | w[slot + HIGH]) === 0 ? C3 : C3 | C2;
}
