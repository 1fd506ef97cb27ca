/**
 * FRNDINT, FPREM, FPREM1, FSCALE and FXTRACT: exact operations on significand and exponent. None of them
 * follows the precision control.
 *
 * Source: SDM vol. 2A, the instructions' own pages.
 */
import { normalizeRoundPack } from "./arithmetic.ts";
import { C0, C2, C3 } from "./compare.ts";
import type { Arithmetic } from "./float80.ts";
import {
  BIAS,
  C1,
  copySlot,
  DENORMAL,
  EXPONENT,
  HIGH,
  INVALID,
  PRECISION,
  packIndefinite,
  packInfinity,
  packZero,
  SIGN,
  SIGN_EXPONENT,
  WAS_DENORMAL,
  ZERO_DIVIDE,
} from "./float80.ts";
import { propagateNan, propagateNans } from "./nan.ts";
import { roundPack, roundsUp } from "./round.ts";
import { isDenormal, normal, normalizeInto } from "./significand.ts";

/** FRNDINT: rounds to an integral value by the rounding mode in force. */
export function roundToInteger(f: Arithmetic, out: number, a: number): void {
  const { words } = f;
  if (propagateNan(f, out, a)) return;
  const sign = words[a + SIGN_EXPONENT] & SIGN;
  const exponent = words[a + SIGN_EXPONENT] & EXPONENT;
  let high = words[a + HIGH];
  let low = words[a];
  if (isDenormal(words, a)) f.raised |= DENORMAL;
  copySlot(words, out, a);
  words[out + WAS_DENORMAL] = 0;
  const fractionBits = BIAS + 63 - exponent;
  if (fractionBits <= 0 || (high | low) === 0) return;
  if (fractionBits >= 64) {
    const extra = fractionBits === 64 ? high | (low !== 0 ? 1 : 0) : 1;
    f.raised |= PRECISION;
    if (roundsUp(f.rounding, sign, extra, 0)) {
      f.raised |= C1;
      words[out] = 0;
      words[out + HIGH] = -0x8000_0000;
      words[out + SIGN_EXPONENT] = sign | BIAS;
    } else packZero(f, out, sign);
    return;
  }
  // The bits behind the point, moved to the top of one word; the unit in front of it.
  let extra: number;
  let unitLow = 0;
  let unitHigh = 0;
  if (fractionBits >= 32) {
    const n = fractionBits - 32;
    extra = n ? (high << (32 - n)) | (low >>> n) | (low << (32 - n) !== 0 ? 1 : 0) : low;
    unitHigh = 1 << n;
    high &= -unitHigh;
    low = 0;
  } else {
    extra = low << (32 - fractionBits);
    unitLow = 1 << fractionBits;
    low &= -unitLow;
  }
  if (extra === 0) return;
  f.raised |= PRECISION;
  let field = exponent;
  if (roundsUp(f.rounding, sign, extra, (high & unitHigh) | (low & unitLow))) {
    f.raised |= C1;
    low = (low + unitLow) | 0;
    if (unitHigh !== 0) high = (high + unitHigh) | 0;
    else if (low === 0) high = (high + 1) | 0;
    if (high >= 0) {
      high = -0x8000_0000;
      field++;
    }
  }
  words[out] = low;
  words[out + HIGH] = high;
  words[out + SIGN_EXPONENT] = sign | field;
}

export const NO_QUOTIENT = -1;

/**
 * FPREM (`nearest` false: the quotient is truncated) and FPREM1 (rounded to nearest even). Returns the
 * condition codes: C2 while the reduction is incomplete, else the quotient's low bits in C0, C3 and C1; or
 * NO_QUOTIENT, after which C0 and C3 stay as they were.
 */
export function remainder(f: Arithmetic, out: number, a: number, b: number, nearest: boolean): number {
  const { words } = f;
  if (propagateNans(f, out, a, b)) return NO_QUOTIENT;
  const sign = words[a + SIGN_EXPONENT] & SIGN;
  let aExponent = words[a + SIGN_EXPONENT] & EXPONENT;
  let bExponent = words[b + SIGN_EXPONENT] & EXPONENT;
  let high = words[a + HIGH];
  let low = words[a];
  let bHigh = words[b + HIGH];
  let bLow = words[b];
  if (aExponent === EXPONENT || (bHigh | bLow) === 0) {
    f.raised |= INVALID;
    packIndefinite(f, out);
    return NO_QUOTIENT;
  }
  if (isDenormal(words, a) || isDenormal(words, b)) {
    f.raised |= DENORMAL;
    if ((f.masks & DENORMAL) === 0) return NO_QUOTIENT;
  }
  if ((high | low) === 0 || bExponent === EXPONENT) {
    copyCanonical(words, out, a);
    return 0;
  }
  if (high >= 0) {
    aExponent = normalizeInto(high, low);
    high = normal[1];
    low = normal[0];
  } else if (aExponent === 0) aExponent = 1;
  if (bHigh >= 0) {
    bExponent = normalizeInto(bHigh, bLow);
    bHigh = normal[1];
    bLow = normal[0];
  } else if (bExponent === 0) bExponent = 1;
  const difference = aExponent - bExponent;
  if (difference < -1 || (difference < 0 && !nearest)) {
    return exact(f, out, sign, aExponent, high, low, 0);
  }
  if (difference < 0) {
    // |a| is between a quarter of |b| and |b|: the quotient is 0 or 1 as 2|a| is at most |b| or above.
    if (high === bHigh ? low >>> 0 <= bLow >>> 0 : high >>> 0 < bHigh >>> 0) {
      return exact(f, out, sign, aExponent, high, low, 0);
    }
    // |b| - |a|, in units of a's last bit; 2 · b - a has 65 bits less a's first one.
    const resultLow = ((bLow << 1) - low) | 0;
    const borrow = (bLow << 1) >>> 0 < low >>> 0 ? 1 : 0;
    const resultHigh = (((bHigh << 1) | (bLow >>> 31)) - high - borrow) | 0;
    return exact(f, out, sign ^ SIGN, aExponent, resultHigh, resultLow, C1);
  }
  // Schoolbook division, a bit a step; 32 to 63 steps at a time when that does not finish it.
  const complete = difference < 64;
  const steps = complete ? difference : 32 + (difference & 31);
  let quotient = 0;
  for (let step = 0; ; step++) {
    if (high === bHigh ? low >>> 0 >= bLow >>> 0 : high >>> 0 > bHigh >>> 0) {
      const borrow = low >>> 0 < bLow >>> 0 ? 1 : 0;
      low = (low - bLow) | 0;
      high = (high - bHigh - borrow) | 0;
      quotient |= 1;
    }
    if (step === steps) break;
    quotient <<= 1;
    const carry = high < 0;
    high = (high << 1) | (low >>> 31);
    low <<= 1;
    if (carry) {
      const borrow = low >>> 0 < bLow >>> 0 ? 1 : 0;
      low = (low - bLow) | 0;
      high = (high - bHigh - borrow) | 0;
      quotient |= 1;
      // What is left is below the divisor already; the next comparison leaves it.
    }
  }
  if (!complete) return exact(f, out, sign, aExponent - steps, high, low, C2);
  let resultSign = sign;
  if (nearest) {
    const twiceHigh = (high << 1) | (low >>> 31);
    const twiceLow = low << 1;
    const above =
      high < 0 || (twiceHigh === bHigh ? twiceLow >>> 0 > bLow >>> 0 : twiceHigh >>> 0 > bHigh >>> 0);
    const half = high >= 0 && twiceHigh === bHigh && twiceLow === bLow;
    if (above || (half && quotient & 1)) {
      const borrow = bLow >>> 0 < low >>> 0 ? 1 : 0;
      low = (bLow - low) | 0;
      high = (bHigh - high - borrow) | 0;
      quotient++;
      resultSign ^= SIGN;
    }
  }
  const codes = (quotient & 4 ? C0 : 0) | (quotient & 2 ? C3 : 0) | (quotient & 1 ? C1 : 0);
  if ((high | low) === 0) {
    packZero(f, out, sign);
    return codes;
  }
  return exact(f, out, resultSign, bExponent, high, low, codes);
}

/** Copies a value; a pseudo-denormal becomes the normal number that it stands for. */
export function copyCanonical(words: Int32Array, out: number, a: number): void {
  copySlot(words, out, a);
  words[out + WAS_DENORMAL] = 0;
  if (words[a + HIGH] < 0 && (words[a + SIGN_EXPONENT] & EXPONENT) === 0) words[out + SIGN_EXPONENT] |= 1;
}

/** Writes an exact result and returns `codes`. A partial remainder may be zero as well. */
function exact(
  f: Arithmetic,
  out: number,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  codes: number,
): number {
  if ((high | low) === 0) packZero(f, out, sign);
  else {
    const { precision } = f;
    f.precision = 64;
    normalizeRoundPack(f, out, sign, exponent, high, low, 0);
    f.precision = precision;
  }
  return codes;
}

/** FSCALE: a · 2^trunc(b). */
export function scale(f: Arithmetic, out: number, a: number, b: number): void {
  const { words } = f;
  if (propagateNans(f, out, a, b)) return;
  const sign = words[a + SIGN_EXPONENT] & SIGN;
  let exponent = words[a + SIGN_EXPONENT] & EXPONENT;
  let high = words[a + HIGH];
  let low = words[a];
  const bNegative = (words[b + SIGN_EXPONENT] & SIGN) !== 0;
  const bExponent = words[b + SIGN_EXPONENT] & EXPONENT;
  const zero = (high | low) === 0;
  if (bExponent === EXPONENT && (bNegative ? exponent === EXPONENT : zero)) {
    f.raised |= INVALID;
    packIndefinite(f, out);
    return;
  }
  if (isDenormal(words, a) || isDenormal(words, b)) f.raised |= DENORMAL;
  if (exponent === EXPONENT || (bExponent === EXPONENT && !bNegative)) {
    packInfinity(f, out, sign);
    return;
  }
  if (zero || bExponent === EXPONENT) {
    packZero(f, out, sign);
    return;
  }
  if ((words[b] | words[b + HIGH]) === 0) {
    copyCanonical(words, out, a);
    return;
  }
  if (high >= 0) {
    exponent = normalizeInto(high, low);
    high = normal[1];
    low = normal[0];
  } else if (exponent === 0) exponent = 1;
  // Beyond 2^17 every factor overflows or underflows alike, adjusted exponents included.
  let factor = 0;
  if (bExponent >= BIAS)
    factor = bExponent > BIAS + 16 ? 0x2_0000 : words[b + HIGH] >>> (31 - (bExponent - BIAS));
  const { precision } = f;
  f.precision = 64;
  roundPack(f, out, sign, exponent + (bNegative ? -factor : factor), high, low, 0);
  f.precision = precision;
}

/** FXTRACT: the exponent of a, as a number, to `exponentOut`, and its significand to `significandOut`. */
export function extract(f: Arithmetic, exponentOut: number, significandOut: number, a: number): void {
  const { words } = f;
  if (propagateNan(f, significandOut, a)) {
    copySlot(words, exponentOut, significandOut);
    return;
  }
  const sign = words[a + SIGN_EXPONENT] & SIGN;
  let exponent = words[a + SIGN_EXPONENT] & EXPONENT;
  let high = words[a + HIGH];
  let low = words[a];
  if (exponent === EXPONENT) {
    packInfinity(f, significandOut, sign);
    packInfinity(f, exponentOut, 0);
    return;
  }
  if ((high | low) === 0) {
    f.raised |= ZERO_DIVIDE;
    packZero(f, significandOut, sign);
    packInfinity(f, exponentOut, SIGN);
    return;
  }
  if (isDenormal(words, a)) f.raised |= DENORMAL;
  if (high >= 0) {
    exponent = normalizeInto(high, low);
    high = normal[1];
    low = normal[0];
  } else if (exponent === 0) exponent = 1;
  words[significandOut] = low;
  words[significandOut + HIGH] = high;
  words[significandOut + SIGN_EXPONENT] = sign | BIAS;
  words[significandOut + WAS_DENORMAL] = 0;
  const power = exponent - BIAS;
  if (power === 0) packZero(f, exponentOut, 0);
  else {
    const magnitude = Math.abs(power);
    const shift = Math.clz32(magnitude);
    words[exponentOut] = 0;
    words[exponentOut + HIGH] = magnitude << shift;
    words[exponentOut + SIGN_EXPONENT] = (power < 0 ? SIGN : 0) | (BIAS + 31 - shift);
    words[exponentOut + WAS_DENORMAL] = 0;
  }
}
