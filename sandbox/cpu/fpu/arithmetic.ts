/**
 * Add, subtract, multiply, divide and square root on slots, in halves of 32 bits.
 *
 * Every operation reads two slots, computes the exact result (or enough of it: 64 bits, 32 more, and a
 * sticky bit) and lets `roundPack` round it. Operands are judged in the order of SDM vol. 1, 8.5 "x87
 * Floating-Point Exception Conditions": unsupported and signaling, quiet NaNs, other invalid operations and
 * division by zero, denormals.
 *
 * An operation that raises an unmasked INVALID, ZERO_DIVIDE or DENORMAL leaves `out` undefined.
 */
import type { Arithmetic } from "./float80.ts";
import {
  BIAS,
  DENORMAL,
  DOWN,
  EXPONENT,
  HIGH,
  INVALID,
  packIndefinite,
  packInfinity,
  packZero,
  roundPack,
  SIGN,
  SIGN_EXPONENT,
  WAS_DENORMAL,
  ZERO_DIVIDE,
} from "./float80.ts";
import { propagateNan, propagateNans } from "./nan.ts";

const TWO_32 = 0x1_0000_0000;

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

/** The high half of the product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const bHigh = b >>> 16;
  const aLow = a & 0xffff;
  const bLow = b & 0xffff;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const other = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) | 0;
}

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

/** `out` = √a. */
export function squareRoot(f: Arithmetic, out: number, a: number): void {
  const w = f.words;
  const field = w[a + SIGN_EXPONENT];
  let exponent = field & EXPONENT;
  let high = w[a + HIGH];
  let low = w[a];
  if ((field & SIGN) !== 0 || high >= 0 || isSpecialExponent(exponent) || w[a + WAS_DENORMAL] !== 0) {
    if (propagateNan(f, out, a)) return;
    if ((high | low) === 0) {
      packZero(f, out, field & SIGN);
      return;
    }
    if (field & SIGN) {
      f.raised |= INVALID;
      packIndefinite(f, out);
      return;
    }
    if (exponent === EXPONENT) {
      packInfinity(f, out, 0);
      return;
    }
    if (isDenormal(w, a)) f.raised |= DENORMAL;
    if (high >= 0) {
      exponent = normalizeInto(high, low);
      high = normal[1];
      low = normal[0];
    } else if (exponent === 0) exponent = 1;
  }
  // The radicand is high:low:rest:0 with an even exponent, its root has 64 bits with the first one set.
  let rest = 0;
  const power = exponent - BIAS;
  if ((power & 1) === 0) {
    rest = low << 31;
    low = (high << 31) | (low >>> 1);
    high >>>= 1;
  }
  const result = BIAS + (power >> 1);
  // First digit: the root of the upper 64 bits, by a double that may be off by one.
  let root = Math.floor(Math.sqrt((high >>> 0) * TWO_32 + (low >>> 0)));
  if (root > 0xffff_ffff) root = 0xffff_ffff;
  let squareHigh = multiplyHigh(root | 0, root | 0) >>> 0;
  let squareLow = Math.imul(root, root) >>> 0;
  while (squareHigh > high >>> 0 || (squareHigh === high >>> 0 && squareLow > low >>> 0)) {
    root--;
    squareHigh = multiplyHigh(root | 0, root | 0) >>> 0;
    squareLow = Math.imul(root, root) >>> 0;
  }
  // The remainder is at most 2 · root: 33 bits.
  let remainder = ((high >>> 0) - squareHigh) * TWO_32 + ((low >>> 0) - squareLow);
  while (remainder > 2 * root) {
    remainder -= 2 * root + 1;
    root++;
  }
  // Second digit d: (remainder · 2^64 + rest · 2^32) ≥ 2 · root · d · 2^32 + d².
  const numerator = remainder * TWO_32 + (rest >>> 0);
  let digit = Math.floor(numerator / (2 * root + numerator / (2 * root) / TWO_32));
  if (digit > 0xffff_ffff) digit = 0xffff_ffff;
  // left = numerator · 2^32 - 2 · root · digit · 2^32 - digit², exactly, in words of 32 bits
  let left = rootRemainder(remainder, rest, root, digit);
  while (left < 0) left = rootRemainder(remainder, rest, root, --digit);
  while (exceedsTwice(root, digit)) rootRemainder(remainder, rest, root, ++digit);
  // A root of 64 bits cannot lie halfway to the next: the remainder of r + ½ would be r + ¼, no integer.
  let extra = 0;
  if ((rootLeft[0] || rootLeft[1] || rootLeft[2]) !== 0) {
    // More than half when the remainder exceeds the root: (r + ½)² = r² + r + ¼.
    extra = exceeds(root, digit) ? -0x7fff_ffff : 1;
  }
  roundPack(f, out, 0, result, root | 0, digit | 0, extra);
}

/** The last remainder of `rootRemainder`: three words, low to high. */
const rootLeft = new Float64Array(3);

/** The sign of remainder · 2^64 + rest · 2^32 - 2 · root · digit · 2^32 - digit²; its words are kept. */
function rootRemainder(remainder: number, rest: number, root: number, digit: number): number {
  // 2 · root · digit is 65 bits: root · digit in two words, doubled.
  const productLow = Math.imul(root, digit) >>> 0;
  const productHigh = multiplyHigh(root | 0, digit | 0) >>> 0;
  const squareLow = Math.imul(digit, digit) >>> 0;
  const squareHigh = multiplyHigh(digit | 0, digit | 0) >>> 0;
  // Words: low = -squareLow; middle = rest - 2 · productLow - squareHigh; high = remainder - 2 · productHigh
  let middle = (rest >>> 0) - 2 * productLow - squareHigh;
  let low = -squareLow;
  if (low < 0) {
    low += TWO_32;
    middle -= 1;
  }
  const carry = Math.floor(middle / TWO_32);
  middle -= carry * TWO_32;
  rootLeft[0] = low;
  rootLeft[1] = middle;
  return (rootLeft[2] = remainder - 2 * productHigh + carry);
}

/** True if the last remainder is greater than the root (root · 2^32 + digit). */
function exceeds(root: number, digit: number): boolean {
  if (rootLeft[2] !== 0) return true;
  return rootLeft[1] > root || (rootLeft[1] === root && rootLeft[0] > digit);
}

/** True if the last remainder is greater than twice the root: the digit was too small. */
function exceedsTwice(root: number, digit: number): boolean {
  const top = rootLeft[2] * TWO_32 + rootLeft[1];
  const low = 2 * digit;
  const twice = 2 * root + (low >= TWO_32 ? 1 : 0);
  return top > twice || (top === twice && rootLeft[0] > (low >= TWO_32 ? low - TWO_32 : low));
}

/** All zeros or all ones. */
function isSpecialExponent(exponent: number): boolean {
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
