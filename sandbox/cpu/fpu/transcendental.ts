/**
 * The transcendental instructions: 2^x - 1, y · log2 x, y · log2 (x + 1), sine, cosine, tangent and arctangent.
 *
 * A processor's results are within one unit in the last place (SDM vol. 1, 8.3.10 "Transcendental
 * Instruction Accuracy"); which of the two numbers next to the true value it gives is its own affair. Here
 * each function is computed in fixed point with more than sixty bits to spare and rounded once, but with the
 * traits of Intel's processors that their results betray:
 * - ln 2 and log2 e have 68 bits, and products and quotients on the way are cut to 67 bits;
 * - large angles are reduced by a π of 66 bits (SDM vol. 1, 8.3.8 "Approximation of Pi"), which is not π, and
 *   close to its multiples the results show it;
 * - tiny arguments take short cuts.
 *
 * Compared over random arguments, one result in two hundred of F2XM1 differs from a processor's in its last
 * bit, one in three thousand of FYL2X, one in fifteen of FYL2XP1, one in fifty of FSIN and FCOS, one in thirty
 * of FPTAN, one in sixty of FPATAN: there the processor's own polynomials err, and no result by more.
 *
 * These instructions follow the rounding control, but not the precision control.
 */
import { isDenormal } from "./arithmetic.ts";
import type { Arithmetic } from "./float80.ts";
import {
  BIAS,
  C1,
  DENORMAL,
  EXPONENT,
  HIGH,
  INVALID,
  PRECISION,
  packIndefinite,
  packInfinity,
  packZero,
  roundPack,
  SIGN,
  SIGN_EXPONENT,
  UNDERFLOW,
  ZERO_DIVIDE,
} from "./float80.ts";
import { propagateNan, propagateNans } from "./nan.ts";
import { copyCanonical } from "./remainder.ts";
import {
  arctangentOfFraction,
  cosineOfReduced,
  exponentialFactor,
  FRACTION_BITS,
  LN2_68,
  LOG2E_68,
  logarithmFactor,
  PI,
  sineFactor,
} from "./series.ts";

/** significand · 2^exponent; signs travel apart. */
interface Magnitude {
  readonly significand: bigint;
  readonly exponent: number;
}

/** What the processor keeps of an intermediate product: it truncates. */
const PRODUCT_BITS = 67;

/** The 66 bits of π that the processor reduces by, as a multiple of 2^-64. */
const PI_66 = 0x3_243f_6a88_85a3_08d3n;

/** Below 2^-68 the processor takes sine and tangent for the angle itself, and the cosine for 1, unrounded. */
const TRIGONOMETRIC_TINY = BIAS - 68;

/** Below 2^-33 the processor's tangent lies a trifle below the angle, where the true one lies above. */
const TANGENT_TINY = BIAS - 33;

/** For a tangent this far below 1 (as a power of 2) it takes the arctangent for the quotient. */
const ARCTANGENT_IS_LINEAR = 45;

/** Arguments of 2^63 and above are left alone, with C2 set. */
const TRIGONOMETRIC_LIMIT = BIAS + 63;

// #region operands
function magnitudeOf(words: Int32Array, slot: number): Magnitude {
  const significand = (BigInt(words[slot + HIGH] >>> 0) << 32n) | BigInt(words[slot] >>> 0);
  const field = words[slot + SIGN_EXPONENT] & EXPONENT;
  return { significand, exponent: (field || 1) - BIAS - 63 };
}

function signOf(words: Int32Array, slot: number): number {
  return words[slot + SIGN_EXPONENT] & SIGN;
}

function isZero(words: Int32Array, slot: number): boolean {
  return (words[slot] | words[slot + HIGH]) === 0;
}

function isInfinite(words: Int32Array, slot: number): boolean {
  return (words[slot + SIGN_EXPONENT] & EXPONENT) === EXPONENT;
}

function noteDenormal(f: Arithmetic, slot: number): void {
  if (isDenormal(f.words, slot)) f.raised |= DENORMAL;
}

/** True where a denormal operand was met and is not masked: the operation goes no further. */
function stopped(f: Arithmetic): boolean {
  return (f.raised & ~f.masks & DENORMAL) !== 0;
}

function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits[0], 16)) + 28;
}

/** Keeps the first `bits` of a number, the others become 0. */
function truncate(value: bigint, bits: number): bigint {
  const shift = BigInt(Math.max(0, bitLength(value) - bits));
  return (value >> shift) << shift;
}

/** Rounds ±significand · 2^exponent, which is an approximation from below unless `exact`. */
function roundMagnitude(
  f: Arithmetic,
  out: number,
  sign: number,
  significand: bigint,
  exponent: number,
  exact = false,
): void {
  const length = bitLength(significand);
  const shift = length - 96;
  const top = shift >= 0 ? significand >> BigInt(shift) : significand << BigInt(-shift);
  const sticky = !exact || (shift > 0 && top << BigInt(shift) !== significand) ? 1 : 0;
  const { precision } = f;
  f.precision = 64;
  roundPack(
    f,
    out,
    sign,
    exponent + length - 1 + BIAS,
    Number(top >> 64n) | 0,
    Number((top >> 32n) & 0xffff_ffffn) | 0,
    Number(top & 0xffff_ffffn) | sticky,
  );
  f.precision = precision;
}
// #endregion operands

/** Says that the result is inexact, whether it is or not, and so that a denormal one is tiny. */
function claimInexact(f: Arithmetic, out: number): void {
  f.raised |= PRECISION;
  if (f.words[out + HIGH] >= 0 && (f.words[out + SIGN_EXPONENT] & EXPONENT) === 0) f.raised |= UNDERFLOW;
}

/** A magnitude as a fixed-point number of FRACTION_BITS behind the point. */
function fixed({ significand, exponent }: Magnitude): bigint {
  const shift = exponent + FRACTION_BITS;
  return shift >= 0 ? significand << BigInt(shift) : significand >> BigInt(-shift);
}

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

/** FPATAN: the angle of the point (a, b), arctan (b / a) in its quadrant. */
export function arctangent(f: Arithmetic, out: number, a: number, b: number): void {
  const { words } = f;
  if (propagateNans(f, out, a, b)) return;
  const aSign = signOf(words, a);
  const bSign = signOf(words, b);
  noteDenormal(f, a);
  noteDenormal(f, b);
  if (stopped(f)) return;
  if (isInfinite(words, b)) {
    // π/4, π/2 or 3π/4
    const quarters = isInfinite(words, a) ? (aSign ? 3n : 1n) : 2n;
    roundMagnitude(f, out, bSign, PI * quarters, -FRACTION_BITS - 2);
    return;
  }
  if (isZero(words, b) || isInfinite(words, a)) {
    if (aSign) roundMagnitude(f, out, bSign, PI, -FRACTION_BITS);
    else packZero(f, out, bSign);
    return;
  }
  if (isZero(words, a)) {
    roundMagnitude(f, out, bSign, PI, -FRACTION_BITS - 1);
    return;
  }
  const x = magnitudeOf(words, a);
  const y = magnitudeOf(words, b);
  const distance = y.exponent + bitLength(y.significand) - x.exponent - bitLength(x.significand);
  // t is the smaller over the larger, with enough significant bits and its own exponent.
  const inverted =
    distance > 0 ||
    (distance === 0 &&
      y.significand << BigInt(64 - bitLength(y.significand)) >
        x.significand << BigInt(64 - bitLength(x.significand)));
  const [small, large] = inverted ? [x, y] : [y, x];
  const lift = FRACTION_BITS + bitLength(large.significand) - bitLength(small.significand) + 1;
  const quotient = truncate((small.significand << BigInt(lift)) / large.significand, PRODUCT_BITS);
  const quotientIsExact = quotient * large.significand === small.significand << BigInt(lift);
  const exponent = small.exponent - large.exponent - lift;
  const deep = exponent < -3 * FRACTION_BITS;
  if (!inverted && !aSign) {
    if (distance < -ARCTANGENT_IS_LINEAR) {
      roundMagnitude(f, out, bSign, quotient, exponent, quotientIsExact);
      claimInexact(f, out);
      return;
    }
    const angle = arctangentOfFraction(quotient, -exponent);
    roundMagnitude(f, out, bSign, angle.significand, angle.exponent);
    return;
  }
  let angle = 0n;
  if (!deep) {
    const { significand, exponent: power } = arctangentOfFraction(quotient, -exponent);
    angle = fixed({ significand, exponent: power });
  }
  let result: bigint;
  if (inverted) result = aSign ? PI / 2n + angle : PI / 2n - angle;
  else result = PI - angle;
  if (deep && !(inverted && aSign)) result -= 1n;
  roundMagnitude(f, out, bSign, result, -FRACTION_BITS);
}

/** What reduction leaves of an angle: the quadrant, and what lies between -π/4 and π/4. */
interface Reduced {
  readonly quadrant: number;
  readonly negative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
}

/** Brings |angle| into -π/4 … π/4 by multiples of π/2, exactly, with the processor's own π. */
function reduce(words: Int32Array, slot: number): Reduced {
  const x = magnitudeOf(words, slot);
  const field = words[slot + SIGN_EXPONENT] & EXPONENT;
  if (field < BIAS - 1) return { quadrant: 0, negative: false, ...x };
  // Both as multiples of 2^-66: the half of π is PI_66 · 2^-65.
  const scale = x.exponent + 66;
  const angle = scale >= 0 ? x.significand << BigInt(scale) : x.significand;
  const unit = scale >= 0 ? 0 : -scale;
  const halfPi = (PI_66 * 2n) << BigInt(unit);
  let turns = angle / halfPi;
  let rest = angle - turns * halfPi;
  let negative = false;
  if (rest * 2n > halfPi) {
    rest = halfPi - rest;
    turns++;
    negative = true;
  }
  return { quadrant: Number(turns & 3n), negative, significand: rest, exponent: -66 - unit };
}

/** ± sine of a reduced angle, its own exponent kept. */
function sineOf({ significand, exponent }: Reduced): Magnitude {
  const point = fixed({ significand, exponent });
  return { significand: significand * sineFactor(point), exponent: exponent - FRACTION_BITS };
}

function cosineOf({ significand, exponent }: Reduced): Magnitude {
  return { significand: cosineOfReduced(fixed({ significand, exponent })), exponent: -FRACTION_BITS };
}

/** Answers NaNs, infinities, zeros and denormals; "done" if the result stands, "wide" for |a| ≥ 2^63. */
function trigonometricOperand(f: Arithmetic, out: number, a: number): "done" | "wide" | "go" {
  const { words } = f;
  if (propagateNan(f, out, a)) return "done";
  if (isInfinite(words, a)) {
    f.raised |= INVALID;
    packIndefinite(f, out);
    return "done";
  }
  if ((words[a + SIGN_EXPONENT] & EXPONENT) >= TRIGONOMETRIC_LIMIT) return "wide";
  noteDenormal(f, a);
  return stopped(f) ? "done" : "go";
}

/** FSIN. False if the argument is out of range. */
export function sine(f: Arithmetic, out: number, a: number): boolean {
  const kind = trigonometricOperand(f, out, a);
  if (kind !== "go") return kind === "done";
  roundSine(f, out, a);
  return true;
}

/** True, and done, where the angle is so small that it is its own sine and tangent. */
function isItself(f: Arithmetic, out: number, a: number): boolean {
  const { words } = f;
  if (isZero(words, a)) {
    packZero(f, out, signOf(words, a));
    return true;
  }
  if ((words[a + SIGN_EXPONENT] & EXPONENT) >= TRIGONOMETRIC_TINY) return false;
  const { significand, exponent } = magnitudeOf(words, a);
  roundMagnitude(f, out, signOf(words, a), significand, exponent, true);
  claimInexact(f, out);
  return true;
}

function roundSine(f: Arithmetic, out: number, a: number): void {
  const { words } = f;
  if (isItself(f, out, a)) return;
  const sign = signOf(words, a);
  const angle = reduce(words, a);
  const odd = (angle.quadrant & 1) !== 0;
  const { significand, exponent } = odd ? cosineOf(angle) : sineOf(angle);
  const negative = angle.quadrant >= 2 !== (!odd && angle.negative);
  roundFunction(f, out, negative ? sign ^ SIGN : sign, significand, exponent);
}

/** FCOS. False if the argument is out of range. */
export function cosine(f: Arithmetic, out: number, a: number): boolean {
  const kind = trigonometricOperand(f, out, a);
  if (kind !== "go") return kind === "done";
  roundCosine(f, out, a);
  return true;
}

function roundCosine(f: Arithmetic, out: number, a: number): void {
  const { words } = f;
  if (isZero(words, a)) {
    roundMagnitude(f, out, 0, 1n, 0, true);
    return;
  }
  if ((words[a + SIGN_EXPONENT] & EXPONENT) < TRIGONOMETRIC_TINY) {
    f.raised |= PRECISION;
    roundMagnitude(f, out, 0, 1n, 0, true);
    return;
  }
  const angle = reduce(words, a);
  const odd = (angle.quadrant & 1) !== 0;
  const { significand, exponent } = odd ? sineOf(angle) : cosineOf(angle);
  // cos (x + π/2) = -sin x
  const negative = angle.quadrant === 2 || (odd && (angle.quadrant === 1) !== angle.negative);
  roundFunction(f, out, negative ? SIGN : 0, significand, exponent);
}

function roundFunction(
  f: Arithmetic,
  out: number,
  sign: number,
  significand: bigint,
  exponent: number,
): void {
  if (significand === 0n) {
    packZero(f, out, sign);
    f.raised |= PRECISION;
  } else roundMagnitude(f, out, sign, significand, exponent);
}

/** FSINCOS: the sine replaces a, the cosine goes to `cosineOut`. False if the argument is out of range. */
export function sineAndCosine(f: Arithmetic, sineOut: number, cosineOut: number, a: number): boolean {
  const kind = trigonometricOperand(f, sineOut, a);
  if (kind === "wide") return false;
  if (kind === "done") {
    copyCanonical(f.words, cosineOut, sineOut);
    return true;
  }
  roundSine(f, sineOut, a);
  // C1 tells of the cosine alone.
  f.raised &= ~C1;
  roundCosine(f, cosineOut, a);
  return true;
}

/** FPTAN: the tangent; the 1.0 that the instruction pushes is the caller's. False if out of range. */
export function tangent(f: Arithmetic, out: number, a: number): boolean {
  const kind = trigonometricOperand(f, out, a);
  if (kind !== "go") return kind === "done";
  if (isItself(f, out, a)) return true;
  const { words } = f;
  const sign = signOf(words, a);
  if ((words[a + SIGN_EXPONENT] & EXPONENT) < TANGENT_TINY) {
    const { significand, exponent } = magnitudeOf(words, a);
    roundMagnitude(f, out, sign, (significand << 64n) - 1n, exponent - 64);
    return true;
  }
  const angle = reduce(words, a);
  const odd = (angle.quadrant & 1) !== 0;
  const [numerator, denominator] = odd ? [cosineOf(angle), sineOf(angle)] : [sineOf(angle), cosineOf(angle)];
  const lift =
    FRACTION_BITS + Math.max(0, bitLength(denominator.significand) - bitLength(numerator.significand));
  const divisor = truncate(denominator.significand, PRODUCT_BITS);
  const quotient = (truncate(numerator.significand, PRODUCT_BITS) << BigInt(lift)) / divisor;
  const negative = odd !== angle.negative;
  roundFunction(
    f,
    out,
    negative ? sign ^ SIGN : sign,
    quotient,
    numerator.exponent - denominator.exponent - lift,
  );
  return true;
}
