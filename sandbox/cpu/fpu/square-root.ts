/**
 * The square root, a digit of 32 bits at a time, each estimated by doubles and corrected by its remainder.
 */
import type { Arithmetic } from "./float80.ts";
import * as float80 from "./float80.ts";
import { packIndefinite, packInfinity, packZero } from "./float80.ts";
import { propagateNan } from "./nan.ts";
import { roundPack } from "./round.ts";
import * as significand from "./significand.ts";
import { isDenormal, isSpecialExponent, multiplyHigh, normal, normalizeInto } from "./significand.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { BIAS, DENORMAL, EXPONENT, HIGH, INVALID, SIGN, SIGN_EXPONENT, WAS_DENORMAL } = float80;
const { TWO_32 } = significand;

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
