/**
 * Add, subtract and multiply slots, in halves of 32 bits; `division.ts` and `square-root.ts` do the rest alike.
 *
 * Every operation reads two slots, computes the exact result (or enough of it: 64 bits, 32 more, and a
 * sticky bit) and lets `roundPack` round it. Operands are judged in the order of SDM vol. 1, 8.5 "x87
 * Floating-Point Exception Conditions": unsupported and signaling, quiet NaNs, other invalid operations and
 * division by zero, denormals.
 *
 * An operation that raises an unmasked INVALID, ZERO_DIVIDE or DENORMAL leaves `out` undefined.
 */
import type { Arithmetic } from "./float80.ts";
import * as float80 from "./float80.ts";
import { packIndefinite, packInfinity, packZero } from "./float80.ts";
import { propagateNans } from "./nan.ts";
import { roundPack } from "./round.ts";
import { isDenormal, isSpecialExponent, multiplyHigh, normal, normalizeInto } from "./significand.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { BIAS, DENORMAL, DOWN, EXPONENT, HIGH, INVALID, SIGN, SIGN_EXPONENT, WAS_DENORMAL } = float80;

/** `out` = a + b, or a - b where `flip` is SIGN. */
export function add(f: Arithmetic, out: number, a: number, b: number, flip: number): void {
  const w = f.words;
  const aField = w[a + SIGN_EXPONENT];
  const bField = w[b + SIGN_EXPONENT] ^ flip;
  let aExponent = aField & EXPONENT;
  let bExponent = bField & EXPONENT;
  const aSign = aField & SIGN;
  const bSign = bField & SIGN;
  let aHigh = w[a + HIGH];
  let bHigh = w[b + HIGH];
  let aLow = w[a];
  let bLow = w[b];
  if (
    (aHigh & bHigh) >= 0 ||
    isSpecialExponent(aExponent) ||
    isSpecialExponent(bExponent) ||
    (w[a + WAS_DENORMAL] | w[b + WAS_DENORMAL]) !== 0
  ) {
    if (propagateNans(f, out, a, b)) return;
    if (aExponent === EXPONENT && bExponent === EXPONENT && aSign !== bSign) {
      f.raised |= INVALID;
      packIndefinite(f, out);
      return;
    }
    if (isDenormal(w, a) || isDenormal(w, b)) f.raised |= DENORMAL;
    if (aExponent === EXPONENT || bExponent === EXPONENT) {
      packInfinity(f, out, aExponent === EXPONENT ? aSign : bSign);
      return;
    }
    const aZero = (aHigh | aLow) === 0;
    const bZero = (bHigh | bLow) === 0;
    if (aZero && bZero) {
      packZero(f, out, aSign === bSign ? aSign : f.rounding === DOWN ? SIGN : 0);
      return;
    }
    // Below, a zero is a significand of 0 with the other's exponent, which adds nothing.
    if (aZero) aExponent = bExponent;
    else if (aHigh >= 0) {
      aExponent = normalizeInto(aHigh, aLow);
      aHigh = normal[1];
      aLow = normal[0];
    } else if (aExponent === 0) aExponent = 1;
    if (bZero) bExponent = aExponent;
    else if (bHigh >= 0) {
      bExponent = normalizeInto(bHigh, bLow);
      bHigh = normal[1];
      bLow = normal[0];
    } else if (bExponent === 0) bExponent = 1;
    if (aZero) aExponent = bExponent;
  }
  if (aSign === bSign) {
    if (aExponent >= bExponent) {
      addMagnitudes(f, out, aSign, aExponent, aHigh, aLow, aExponent - bExponent, bHigh, bLow);
    } else addMagnitudes(f, out, aSign, bExponent, bHigh, bLow, bExponent - aExponent, aHigh, aLow);
  } else if (aExponent > bExponent) {
    subtractMagnitudes(f, out, aSign, aExponent, aHigh, aLow, aExponent - bExponent, bHigh, bLow);
  } else if (aExponent < bExponent) {
    subtractMagnitudes(f, out, bSign, bExponent, bHigh, bLow, bExponent - aExponent, aHigh, aLow);
  } else if (aHigh === bHigh && aLow === bLow) {
    packZero(f, out, f.rounding === DOWN ? SIGN : 0);
  } else if (aHigh === bHigh ? aLow >>> 0 > bLow >>> 0 : aHigh >>> 0 > bHigh >>> 0) {
    subtractMagnitudes(f, out, aSign, aExponent, aHigh, aLow, 0, bHigh, bLow);
  } else subtractMagnitudes(f, out, bSign, aExponent, bHigh, bLow, 0, aHigh, aLow);
}

/** a + b · 2^-shift, of one sign; a's exponent is the larger. */
function addMagnitudes(
  f: Arithmetic,
  out: number,
  sign: number,
  exponent: number,
  aHigh: number,
  aLow: number,
  shift: number,
  bHigh: number,
  bLow: number,
): void {
  let extra = 0;
  if (shift !== 0) {
    if (shift < 32) {
      extra = bLow << (32 - shift);
      bLow = (bHigh << (32 - shift)) | (bLow >>> shift);
      bHigh >>>= shift;
    } else if (shift < 64) {
      const n = shift & 31;
      if (n === 0) extra = bLow;
      else {
        extra = (bHigh << (32 - n)) | (bLow >>> n) | (bLow << (32 - n) !== 0 ? 1 : 0);
      }
      bLow = bHigh >>> n;
      bHigh = 0;
    } else {
      if (shift < 96) {
        const n = shift & 31;
        extra = (bHigh >>> n) | ((n ? bHigh << (32 - n) : 0) | bLow ? 1 : 0);
      } else extra = (bHigh | bLow) !== 0 ? 1 : 0;
      bLow = 0;
      bHigh = 0;
    }
  }
  const low = (aLow + bLow) | 0;
  const carry = low >>> 0 < aLow >>> 0 ? 1 : 0;
  const partial = (aHigh + bHigh) | 0;
  const high = (partial + carry) | 0;
  if (partial >>> 0 < aHigh >>> 0 || high >>> 0 < carry) {
    roundPack(
      f,
      out,
      sign,
      exponent + 1,
      (high >>> 1) | -0x8000_0000,
      (high << 31) | (low >>> 1),
      (low << 31) | (extra >>> 1) | (extra & 1),
    );
  } else roundPack(f, out, sign, exponent, high, low, extra);
}

/** a - b · 2^-shift, where that is positive. */
function subtractMagnitudes(
  f: Arithmetic,
  out: number,
  sign: number,
  exponent: number,
  aHigh: number,
  aLow: number,
  shift: number,
  bHigh: number,
  bLow: number,
): void {
  let extra = 0;
  if (shift !== 0) {
    if (shift < 32) {
      extra = bLow << (32 - shift);
      bLow = (bHigh << (32 - shift)) | (bLow >>> shift);
      bHigh >>>= shift;
    } else if (shift < 64) {
      const n = shift & 31;
      if (n === 0) extra = bLow;
      else {
        extra = (bHigh << (32 - n)) | (bLow >>> n) | (bLow << (32 - n) !== 0 ? 1 : 0);
      }
      bLow = bHigh >>> n;
      bHigh = 0;
    } else {
      if (shift < 96) {
        const n = shift & 31;
        extra = (bHigh >>> n) | ((n ? bHigh << (32 - n) : 0) | bLow ? 1 : 0);
      } else extra = (bHigh | bLow) !== 0 ? 1 : 0;
      bLow = 0;
      bHigh = 0;
    }
  }
  const borrow = extra !== 0 ? 1 : 0;
  extra = -extra | 0;
  const difference = (aLow - bLow) | 0;
  const low = (difference - borrow) | 0;
  const high = (aHigh - bHigh - (aLow >>> 0 < bLow >>> 0 ? 1 : 0) - (difference >>> 0 < borrow ? 1 : 0)) | 0;
  if (high < 0) roundPack(f, out, sign, exponent, high, low, extra);
  else normalizeRoundPack(f, out, sign, exponent, high, low, extra);
}

/** `roundPack` for a significand with leading zeros, not all of them. */
export function normalizeRoundPack(
  f: Arithmetic,
  out: number,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extra: number,
): void {
  while (high === 0) {
    high = low;
    low = extra;
    extra = 0;
    exponent -= 32;
  }
  const n = Math.clz32(high);
  if (n !== 0) {
    high = (high << n) | (low >>> (32 - n));
    low = (low << n) | (extra >>> (32 - n));
    extra <<= n;
  }
  roundPack(f, out, sign, exponent - n, high, low, extra);
}

/** `out` = a · b. */
export function multiply(f: Arithmetic, out: number, a: number, b: number): void {
  const w = f.words;
  const aField = w[a + SIGN_EXPONENT];
  const bField = w[b + SIGN_EXPONENT];
  const sign = (aField ^ bField) & SIGN;
  let aExponent = aField & EXPONENT;
  let bExponent = bField & EXPONENT;
  let aHigh = w[a + HIGH];
  let bHigh = w[b + HIGH];
  let aLow = w[a];
  let bLow = w[b];
  if (
    (aHigh & bHigh) >= 0 ||
    isSpecialExponent(aExponent) ||
    isSpecialExponent(bExponent) ||
    (w[a + WAS_DENORMAL] | w[b + WAS_DENORMAL]) !== 0
  ) {
    if (propagateNans(f, out, a, b)) return;
    const aZero = (aHigh | aLow) === 0;
    const bZero = (bHigh | bLow) === 0;
    if ((aExponent === EXPONENT && bZero) || (bExponent === EXPONENT && aZero)) {
      f.raised |= INVALID;
      packIndefinite(f, out);
      return;
    }
    if (isDenormal(w, a) || isDenormal(w, b)) f.raised |= DENORMAL;
    if (aExponent === EXPONENT || bExponent === EXPONENT) {
      packInfinity(f, out, sign);
      return;
    }
    if (aZero || bZero) {
      packZero(f, out, sign);
      return;
    }
    if (aHigh >= 0) {
      aExponent = normalizeInto(aHigh, aLow);
      aHigh = normal[1];
      aLow = normal[0];
    } else if (aExponent === 0) aExponent = 1;
    if (bHigh >= 0) {
      bExponent = normalizeInto(bHigh, bLow);
      bHigh = normal[1];
      bLow = normal[0];
    } else if (bExponent === 0) bExponent = 1;
  }
  const exponent = aExponent + bExponent - (BIAS - 1);
  // (aHigh · 2^32 + aLow) · (bHigh · 2^32 + bLow), as words w3 w2 w1 w0. Sums stay in 32 bits; a sum below
  // one of its terms has carried.
  let w3 = multiplyHigh(aHigh, bHigh);
  let w2 = Math.imul(aHigh, bHigh);
  let w1 = 0;
  let w0 = 0;
  if ((aLow | bLow) !== 0) {
    w0 = Math.imul(aLow, bLow);
    w1 = multiplyHigh(aLow, bLow);
    const first = Math.imul(aHigh, bLow);
    w1 = (w1 + first) | 0;
    const firstHigh = (multiplyHigh(aHigh, bLow) + (w1 >>> 0 < first >>> 0 ? 1 : 0)) | 0;
    const second = Math.imul(aLow, bHigh);
    w1 = (w1 + second) | 0;
    const secondHigh = (multiplyHigh(aLow, bHigh) + (w1 >>> 0 < second >>> 0 ? 1 : 0)) | 0;
    w2 = (w2 + firstHigh) | 0;
    if (w2 >>> 0 < firstHigh >>> 0) w3 = (w3 + 1) | 0;
    w2 = (w2 + secondHigh) | 0;
    if (w2 >>> 0 < secondHigh >>> 0) w3 = (w3 + 1) | 0;
  }
  const sticky = w0 !== 0 ? 1 : 0;
  if (w3 < 0) roundPack(f, out, sign, exponent, w3, w2, w1 | sticky);
  else {
    roundPack(
      f,
      out,
      sign,
      exponent - 1,
      (w3 << 1) | (w2 >>> 31),
      (w2 << 1) | (w1 >>> 31),
      (w1 << 1) | sticky,
    );
  }
}
