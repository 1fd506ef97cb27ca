/**
 * Long division with digits of 32 bits, each estimated by doubles and corrected by its remainder.
 */
import type { Arithmetic } from "./float80.ts";
import * as float80 from "./float80.ts";
import { packIndefinite, packInfinity, packZero } from "./float80.ts";
import { propagateNans } from "./nan.ts";
import { roundPack } from "./round.ts";
import * as significand from "./significand.ts";
import { isDenormal, isSpecialExponent, multiplyHigh, normal, normalizeInto } from "./significand.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { BIAS, DENORMAL, EXPONENT, HIGH, INVALID, SIGN, SIGN_EXPONENT, WAS_DENORMAL, ZERO_DIVIDE } = float80;
const { TWO_32 } = significand;

/** `out` = a / b. */
export function divide(f: Arithmetic, out: number, a: number, b: number): void {
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
    if ((aExponent === EXPONENT && bExponent === EXPONENT) || (aZero && bZero)) {
      f.raised |= INVALID;
      packIndefinite(f, out);
      return;
    }
    if (bZero && aExponent !== EXPONENT) {
      f.raised |= ZERO_DIVIDE;
      packInfinity(f, out, sign);
      return;
    }
    if (isDenormal(w, a) || isDenormal(w, b)) f.raised |= DENORMAL;
    if (aExponent === EXPONENT) {
      packInfinity(f, out, sign);
      return;
    }
    if (aZero || bExponent === EXPONENT) {
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
  let exponent = aExponent - bExponent + BIAS;
  // Long division with digits of 32 bits. The dividend is kept as three words, below the divisor, so
  // that the quotient's two digits come out normalized.
  let rest = 0;
  if (aHigh >>> 0 > bHigh >>> 0 || (aHigh === bHigh && aLow >>> 0 >= bLow >>> 0)) {
    rest = aLow << 31;
    aLow = (aHigh << 31) | (aLow >>> 1);
    aHigh >>>= 1;
  } else exponent--;
  const divisor = (bHigh >>> 0) + (bLow >>> 0) / TWO_32;
  remains[1] = aHigh;
  remains[0] = aLow;
  const high = quotientDigit(rest, bHigh, bLow, divisor);
  const low = quotientDigit(0, bHigh, bLow, divisor);
  // What follows the 64 bits: twice the remainder against the divisor.
  let extra = 0;
  const restHigh = remains[1];
  const restLow = remains[0];
  if ((restHigh | restLow) !== 0) {
    const doubledHigh = (restHigh << 1) | (restLow >>> 31);
    const doubledLow = restLow << 1;
    if (restHigh < 0 || doubledHigh >>> 0 > bHigh >>> 0) extra = -0x7fff_ffff;
    else if (doubledHigh === bHigh) {
      extra = doubledLow === bLow ? -0x8000_0000 : doubledLow >>> 0 > bLow >>> 0 ? -0x7fff_ffff : 1;
    } else extra = 1;
  }
  roundPack(f, out, sign, exponent, high, low, extra);
}

/** The running remainder of a long division, low and high half; always below the divisor. */
const remains = new Int32Array(2);

/**
 * The next 32 bits of the quotient: (remainder · 2^32 + next) / divisor. The estimate by doubles is off
 * by at most one; the remainder of 96 bits corrects it.
 */
function quotientDigit(next: number, bHigh: number, bLow: number, divisor: number): number {
  const remainsHigh = remains[1];
  const remainsLow = remains[0];
  const remainder = (remainsHigh >>> 0) * TWO_32 + (remainsLow >>> 0) + (next >>> 0) / TWO_32;
  const estimate = remainder / divisor;
  let digit = estimate >= 0xffff_ffff ? -1 : (estimate >>> 0) | 0;
  // remainder -= digit · divisor, modulo 2^96; what is above that is at most one divisor off zero
  const lowProduct = Math.imul(digit, bLow);
  const carried = multiplyHigh(digit, bLow);
  const middleProduct = (Math.imul(digit, bHigh) + carried) | 0;
  const highProduct = (multiplyHigh(digit, bHigh) + (middleProduct >>> 0 < carried >>> 0 ? 1 : 0)) | 0;
  let low = (next - lowProduct) | 0;
  let borrow = next >>> 0 < lowProduct >>> 0 ? 1 : 0;
  let middle = (remainsLow - middleProduct) | 0;
  let high = (remainsHigh - highProduct - (remainsLow >>> 0 < middleProduct >>> 0 ? 1 : 0)) | 0;
  if (middle >>> 0 < borrow) high = (high - 1) | 0;
  middle = (middle - borrow) | 0;
  while (high < 0) {
    digit = (digit - 1) | 0;
    low = (low + bLow) | 0;
    const carry = low >>> 0 < bLow >>> 0 ? 1 : 0;
    middle = (middle + bHigh) | 0;
    if (middle >>> 0 < bHigh >>> 0) high = (high + 1) | 0;
    middle = (middle + carry) | 0;
    if (middle >>> 0 < carry) high = (high + 1) | 0;
  }
  while (high > 0 || middle >>> 0 > bHigh >>> 0 || (middle === bHigh && low >>> 0 >= bLow >>> 0)) {
    digit = (digit + 1) | 0;
    borrow = low >>> 0 < bLow >>> 0 ? 1 : 0;
    low = (low - bLow) | 0;
    if (middle >>> 0 < bHigh >>> 0) high = (high - 1) | 0;
    middle = (middle - bHigh) | 0;
    if (middle >>> 0 < borrow) high = (high - 1) | 0;
    middle = (middle - borrow) | 0;
  }
  remains[1] = middle;
  remains[0] = low;
  return digit;
}
