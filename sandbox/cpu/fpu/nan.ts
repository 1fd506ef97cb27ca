/**
 * Operands that are no numbers: NaNs, and bit patterns that the x87 no longer supports.
 *
 * Source: SDM vol. 1, 4.8.3.5 "Operating on SNaNs and QNaNs" (table 4-7), 8.2.2 "Unsupported Double
 * Extended-Precision Floating-Point Encodings and Pseudo-Denormals" (table 8-3).
 */
import type { Arithmetic } from "./float80.ts";
import * as float80 from "./float80.ts";
import { copySlot, packIndefinite } from "./float80.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { EXPONENT, HIGH, INVALID, SIGN_EXPONENT } = float80;

const QUIET = 0x4000_0000;

/** Unnormals, pseudo-infinities and pseudo-NaNs: a biased exponent with the integer bit clear. */
export function isUnsupported(words: Int32Array, slot: number): boolean {
  return words[slot + HIGH] >= 0 && (words[slot + SIGN_EXPONENT] & EXPONENT) !== 0;
}

/** True for quiet and signaling NaNs (not for unsupported encodings). */
export function isNan(words: Int32Array, slot: number): boolean {
  return (
    (words[slot + SIGN_EXPONENT] & EXPONENT) === EXPONENT &&
    words[slot + HIGH] < 0 &&
    ((words[slot + HIGH] & 0x7fff_ffff) | words[slot]) !== 0
  );
}

export function isSignaling(words: Int32Array, slot: number): boolean {
  return isNan(words, slot) && (words[slot + HIGH] & QUIET) === 0;
}

/** Answers an operation of one operand that is a NaN or unsupported; false for any other operand. */
export function propagateNan(f: Arithmetic, out: number, a: number): boolean {
  const { words } = f;
  if (isUnsupported(words, a)) {
    f.raised |= INVALID;
    packIndefinite(f, out);
    return true;
  }
  if (!isNan(words, a)) return false;
  if ((words[a + HIGH] & QUIET) === 0) f.raised |= INVALID;
  copySlot(words, out, a);
  words[out + HIGH] = words[out + HIGH] | QUIET;
  return true;
}

/**
 * Answers an operation of two operands where one is a NaN or unsupported; false where neither is.
 * Of two NaNs the quiet one wins, among equals the larger significand, and at last the positive one.
 */
export function propagateNans(f: Arithmetic, out: number, a: number, b: number): boolean {
  const { words } = f;
  if (isUnsupported(words, a) || isUnsupported(words, b)) {
    f.raised |= INVALID;
    packIndefinite(f, out);
    return true;
  }
  const aNan = isNan(words, a);
  const bNan = isNan(words, b);
  if (!aNan && !bNan) return false;
  const aSignaling = aNan && (words[a + HIGH] & QUIET) === 0;
  const bSignaling = bNan && (words[b + HIGH] & QUIET) === 0;
  if (aSignaling || bSignaling) f.raised |= INVALID;
  let winner = a;
  if (!aNan) winner = b;
  else if (bNan) {
    if (aSignaling !== bSignaling) winner = aSignaling ? b : a;
    else if (isLarger(words, b, a)) winner = b;
  }
  copySlot(words, out, winner);
  words[out + HIGH] = words[out + HIGH] | QUIET;
  return true;
}

/** By significand, then by sign: positive is larger. */
function isLarger(words: Int32Array, a: number, b: number): boolean {
  const aHigh = words[a + HIGH] >>> 0;
  const bHigh = words[b + HIGH] >>> 0;
  if (aHigh !== bHigh) return aHigh > bHigh;
  const aLow = words[a] >>> 0;
  const bLow = words[b] >>> 0;
  if (aLow !== bLow) return aLow > bLow;
  return words[a + SIGN_EXPONENT] < words[b + SIGN_EXPONENT];
}
