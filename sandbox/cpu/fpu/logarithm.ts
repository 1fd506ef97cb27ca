/**
 * F2XM1, FYL2X and FYL2XP1; `magnitude.ts` tells how exact they are.
 *
 * Source: SDM vol. 2A, the instructions' own pages.
 */
import type { Arithmetic } from "./float80.ts";
import {
  BIAS,
  EXPONENT,
  HIGH,
  INVALID,
  PRECISION,
  packIndefinite,
  packInfinity,
  packZero,
  SIGN,
  SIGN_EXPONENT,
  ZERO_DIVIDE,
} from "./float80.ts";
import type { Magnitude } from "./magnitude.ts";
import {
  bitLength,
  claimInexact,
  fixed,
  isInfinite,
  isZero,
  magnitudeOf,
  noteDenormal,
  PRODUCT_BITS,
  roundMagnitude,
  signOf,
  stopped,
  truncate,
} from "./magnitude.ts";
import { propagateNan, propagateNans } from "./nan.ts";
import { copyCanonical } from "./remainder.ts";
import { exponentialFactor, FRACTION_BITS, LN2_68, LOG2E_68, logarithmFactor } from "./series.ts";

/** F2XM1: 2^a - 1 for |a| ≤ 1. */
export function exponentialMinusOne(f: Arithmetic, out: number, a: number): void {
  const { words } = f;
  if (propagateNan(f, out, a)) return;
  const sign = signOf(words, a);
  if (isInfinite(words, a)) {
    if (sign) minusOne(f, out);
    else packInfinity(f, out, 0);
    return;
  }
  if (isZero(words, a)) {
    packZero(f, out, sign);
    return;
  }
  noteDenormal(f, a);
  if (stopped(f)) return;
  const field = words[a + SIGN_EXPONENT] & EXPONENT;
  f.raised |= PRECISION;
  if (field >= BIAS) {
    // 2^±1 - 1 is exact, though the processor does not say so. Beyond, the operand stays.
    const isOne = field === BIAS && words[a + HIGH] === -0x8000_0000 && words[a] === 0;
    if (isOne) roundMagnitude(f, out, sign, 1n, sign ? -1 : 0, true);
    else copyCanonical(words, out, a);
    return;
  }
  const x = magnitudeOf(words, a);
  // y = a · ln 2 keeps its own exponent, so that small results are as precise as large ones.
  const product = x.significand * LN2_68;
  const exponent = x.exponent - 68;
  if (field < BIAS - 68) {
    roundMagnitude(f, out, sign, product, exponent, true);
    claimInexact(f, out);
    return;
  }
  const y = truncate(product, PRODUCT_BITS);
  const point = fixed({ significand: y, exponent });
  const factor = exponentialFactor(sign ? -point : point);
  roundMagnitude(f, out, sign, y * factor, exponent - FRACTION_BITS);
}

function minusOne(f: Arithmetic, out: number): void {
  roundMagnitude(f, out, SIGN, 1n, 0, true);
}

/** FYL2X: b · log2 a. */
export function logarithm(f: Arithmetic, out: number, a: number, b: number): void {
  const { words } = f;
  if (propagateNans(f, out, a, b)) return;
  const aSign = signOf(words, a);
  const bSign = signOf(words, b);
  const aZero = isZero(words, a);
  const bZero = isZero(words, b);
  if (aSign && !aZero) {
    f.raised |= INVALID;
    packIndefinite(f, out);
    return;
  }
  if (aZero) {
    if (bZero) {
      f.raised |= INVALID;
      packIndefinite(f, out);
      return;
    }
    if (!isInfinite(words, b)) f.raised |= ZERO_DIVIDE;
    packInfinity(f, out, bSign ^ SIGN);
    return;
  }
  const aOne =
    (words[a + SIGN_EXPONENT] & EXPONENT) === BIAS && words[a + HIGH] === -0x8000_0000 && words[a] === 0;
  if ((isInfinite(words, a) && bZero) || (isInfinite(words, b) && aOne)) {
    f.raised |= INVALID;
    packIndefinite(f, out);
    return;
  }
  noteDenormal(f, a);
  noteDenormal(f, b);
  if (stopped(f)) return;
  const below = (words[a + SIGN_EXPONENT] & EXPONENT) < BIAS;
  const sign = below ? bSign ^ SIGN : bSign;
  if (isInfinite(words, a) || isInfinite(words, b)) {
    packInfinity(f, out, sign);
    return;
  }
  if (bZero || aOne) {
    packZero(f, out, sign);
    return;
  }
  const x = magnitudeOf(words, a);
  const y = magnitudeOf(words, b);
  const length = bitLength(x.significand);
  // a = m · 2^k with m between √½ and √2.
  let k = x.exponent + length - 1;
  const m = x.significand << BigInt(64 - length);
  const half = 1n << 63n;
  if (m > 0xb504_f333_f9de_6484n) k++;
  if (m === half) {
    powerOfTwo(f, out, sign, y, k);
    return;
  }
  const unit = m > 0xb504_f333_f9de_6484n ? 1n << 64n : half;
  // log2 m = 2 / ln 2 · atanh s, s = (m - 1) / (m + 1)
  const difference = m > unit ? m - unit : unit - m;
  const negative = m < unit;
  finishLogarithm(f, out, bSign, y, k, negative, difference, m + unit);
}

/**
 * y · k, where a is 2^k: exact in truth. The processor always says that it is not, and for negative k its
 * result lies a trifle nearer to zero, which the directed roundings show.
 */
function powerOfTwo(f: Arithmetic, out: number, sign: number, y: Magnitude, k: number): void {
  const log = BigInt(Math.abs(k)) << BigInt(FRACTION_BITS);
  const product = y.significand * (k > 0 ? log : truncate(log - 1n, PRODUCT_BITS));
  roundMagnitude(f, out, sign, product, y.exponent - FRACTION_BITS, true);
  claimInexact(f, out);
}

/** Rounds y · (k ± 2 / ln 2 · atanh (numerator / denominator)). */
function finishLogarithm(
  f: Arithmetic,
  out: number,
  ySign: number,
  y: Magnitude,
  k: number,
  negative: boolean,
  numerator: bigint,
  denominator: bigint,
): void {
  // s with FRACTION_BITS significant bits at least, however small it is.
  const lift = FRACTION_BITS + bitLength(denominator) - bitLength(numerator);
  const s = (numerator << BigInt(lift)) / denominator;
  const point = lift >= FRACTION_BITS ? s >> BigInt(lift - FRACTION_BITS) : s << BigInt(FRACTION_BITS - lift);
  const factor = logarithmFactor(point);
  if (k === 0) {
    roundMagnitude(
      f,
      out,
      negative ? ySign ^ SIGN : ySign,
      truncate(s * factor, PRODUCT_BITS) * y.significand,
      y.exponent - lift - FRACTION_BITS,
      true,
    );
    claimInexact(f, out);
    return;
  }
  const fraction = (point * factor) >> BigInt(FRACTION_BITS);
  let total = (BigInt(k) << BigInt(FRACTION_BITS)) + (negative ? -fraction : fraction);
  let sign = ySign;
  if (total < 0n) {
    total = -total;
    sign ^= SIGN;
  }
  roundMagnitude(
    f,
    out,
    sign,
    truncate(total, PRODUCT_BITS) * y.significand,
    y.exponent - FRACTION_BITS,
    true,
  );
  claimInexact(f, out);
}

/** FYL2XP1: b · log2 (a + 1); defined for |a| below 1 - √½. */
export function logarithmPlusOne(f: Arithmetic, out: number, a: number, b: number): void {
  const { words } = f;
  if (propagateNans(f, out, a, b)) return;
  const aSign = signOf(words, a);
  const bSign = signOf(words, b);
  const aZero = isZero(words, a);
  const bZero = isZero(words, b);
  if ((isInfinite(words, a) && (aSign || bZero)) || (isInfinite(words, b) && aZero)) {
    f.raised |= INVALID;
    packIndefinite(f, out);
    return;
  }
  noteDenormal(f, a);
  noteDenormal(f, b);
  if (stopped(f)) return;
  if (isInfinite(words, a) || isInfinite(words, b)) {
    packInfinity(f, out, aSign ^ bSign);
    return;
  }
  if (aZero || bZero) {
    packZero(f, out, aSign ^ bSign);
    return;
  }
  const x = magnitudeOf(words, a);
  const y = magnitudeOf(words, b);
  const field = words[a + SIGN_EXPONENT] & EXPONENT;
  if (aSign && field >= BIAS) {
    // 1 + a is not positive: undefined, and the operand stays.
    f.raised |= PRECISION;
    copyCanonical(words, out, a);
    return;
  }
  // Beyond 2^70, a + 1 and a have the same logarithm.
  if (field > BIAS + 70) {
    logarithm(f, out, a, b);
    return;
  }
  // 1 + a = m · 2^k
  const depth = x.exponent < 0 ? -x.exponent : 0;
  const numerator = x.exponent > 0 ? x.significand << BigInt(x.exponent) : x.significand;
  if (field < BIAS - 68) {
    // So small an a that the logarithm is linear in it.
    const product = truncate(x.significand * LOG2E_68, PRODUCT_BITS);
    roundMagnitude(f, out, aSign ^ bSign, product * y.significand, x.exponent - 67 + y.exponent, true);
    claimInexact(f, out);
    return;
  }
  const one = 1n << BigInt(depth);
  const sum = aSign ? one - numerator : one + numerator;
  let k = bitLength(sum) - 1 - depth;
  // m near √2 or above counts as half of it with k + 1.
  const top = sum >> BigInt(Math.max(0, bitLength(sum) - 32));
  const leading = bitLength(sum) < 32 ? sum << BigInt(32 - bitLength(sum)) : top;
  if (leading > 0xb504_f333n) k++;
  const unit = k >= 0 ? one << BigInt(k) : one >> BigInt(-k);
  const difference = sum > unit ? sum - unit : unit - sum;
  if (difference === 0n) {
    powerOfTwo(f, out, k < 0 ? bSign ^ SIGN : bSign, y, k);
    return;
  }
  finishLogarithm(f, out, bSign, y, k, sum < unit, difference, sum + unit);
}
