/**
 * FSIN, FCOS, FSINCOS, FPTAN and FPATAN; `magnitude.ts` tells how exact they are.
 *
 * Source: SDM vol. 2A, the instructions' own pages; SDM vol. 1, 8.3.8 "Approximation of Pi".
 */
import type { Arithmetic } from "./float80.ts";
import {
  BIAS,
  C1,
  EXPONENT,
  INVALID,
  PRECISION,
  packIndefinite,
  packZero,
  SIGN,
  SIGN_EXPONENT,
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
import { arctangentOfFraction, cosineOfReduced, FRACTION_BITS, PI, sineFactor } from "./series.ts";

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
