/**
 * The series behind the transcendental instructions, in fixed point: a bigint stands for itself times
 * 2^-FRACTION_BITS. Each takes a reduced argument, for which it converges fast.
 *
 * Functions that vanish at 0 are split into the argument and a factor near 1; the caller multiplies
 * the two with the argument's own exponent, so that tiny results keep all their bits.
 */

/** 64 for the result, and so many more that a wrong rounding is not to be expected in a lifetime. */
export const FRACTION_BITS = 144;
const BITS = BigInt(FRACTION_BITS);
export const ONE = 1n << BITS;

/** Sum of x^(2n+1) / (2n+1) · sign^n for x = 1 / k. */
function inverseSeries(k: bigint, alternating: boolean): bigint {
  const guard = 16n;
  let power = (1n << (BITS + guard)) / k;
  let sum = 0n;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += alternating && (n & 2n) !== 0n ? -(power / n) : power / n;
    power /= k * k;
  }
  return sum >> guard;
}

/** Machin's formula: π = 16 arctan 1/5 - 4 arctan 1/239. */
export const PI = 16n * inverseSeries(5n, true) - 4n * inverseSeries(239n, true);
/** ln 2 = 18 artanh 1/26 - 2 artanh 1/4801 + 8 artanh 1/8749. */
export const LN2 =
  18n * inverseSeries(26n, false) - 2n * inverseSeries(4801n, false) + 8n * inverseSeries(8749n, false);
/** The 68 bits of ln 2 that Intel's processors multiply by: found from F2XM1 of tiny arguments. */
export const LN2_68 = 0xb_1721_7f7d_1cf7_9abcn;
/** And the 68 bits of log2 e, from FYL2XP1. */
export const LOG2E_68 = 0xb_8aa3_b295_c17f_0bbcn;
const TWO_OVER_LN2 = (ONE * ONE * 2n) / LN2;

/** (e^x - 1) / x = 1 + x/2! + x²/3! + …, for |x| ≤ ln 2. */
export function exponentialFactor(x: bigint): bigint {
  let term = ONE;
  let sum = ONE;
  for (let n = 2n; ; n++) {
    term = ((term * x) >> BITS) / n;
    if (term === 0n || term === -1n) return sum;
    sum += term;
  }
}

/** 2 / ln 2 · (artanh s) / s = 2 / ln 2 · (1 + s²/3 + s⁴/5 + …), for s below 0.18. */
export function logarithmFactor(s: bigint): bigint {
  const square = (s * s) >> BITS;
  let power = square;
  let sum = ONE;
  for (let n = 3n; power !== 0n; n += 2n) {
    sum += power / n;
    power = (power * square) >> BITS;
  }
  return (sum * TWO_OVER_LN2) >> BITS;
}

/** (sin x) / x = 1 - x²/3! + x⁴/5! - …, for |x| ≤ π/4. */
export function sineFactor(x: bigint): bigint {
  return alternating(x, 2n);
}

/** cos x = 1 - x²/2! + x⁴/4! - …, for |x| ≤ π/4. */
export function cosineOfReduced(x: bigint): bigint {
  return alternating(x, 1n);
}

function alternating(x: bigint, first: bigint): bigint {
  const square = (x * x) >> BITS;
  let term = ONE;
  let sum = ONE;
  for (let n = first; ; n += 2n) {
    term = -(((term * square) >> BITS) / (n * (n + 1n)));
    if (term === 0n) break;
    sum += term;
  }
  // A tiny argument changes nothing here, yet the true value lies below 1: let the rounding know.
  return sum === ONE ? ONE - 1n : sum;
}

/** arctan (k / 16), for k from 0 to 16, made when first asked for. */
const arctangents: bigint[] = [];

/**
 * arctan t for t = significand · 2^-bits, at most 1: near the next sixteenth by
 * arctan t = arctan c + arctan ((t - c) / (1 + t c)).
 */
export function arctangentOfFraction(
  significand: bigint,
  bits: number,
): { significand: bigint; exponent: number } {
  const depth = BigInt(bits - FRACTION_BITS);
  const t = depth >= 0n ? significand >> depth : significand << -depth;
  const k = Number((t * 32n + ONE) >> (BITS + 1n));
  if (k === 0) return { significand: significand * arctangentFactor(t), exponent: -bits - FRACTION_BITS };
  const c = (BigInt(k) * ONE) / 16n;
  const u = ((t - c) * ONE) / (ONE + ((t * c) >> BITS));
  return { significand: tabled(k) + ((u * arctangentFactor(u)) >> BITS), exponent: -FRACTION_BITS };
}

function tabled(k: number): bigint {
  return (arctangents[k] ??= slowArctangent((BigInt(k) * ONE) / 16n));
}

/** By halving the angle: arctan x = 2 arctan (x / (1 + √(1 + x²))). */
function slowArctangent(x: bigint): bigint {
  let halvings = 0n;
  for (; x > ONE / 64n; halvings++) x = (x * ONE) / (ONE + root(ONE + ((x * x) >> BITS)));
  return ((x * arctangentFactor(x)) >> BITS) << halvings;
}

function root(x: bigint): bigint {
  const square = x << BITS;
  let guess = ONE * 2n;
  for (;;) {
    const better = (guess + square / guess) >> 1n;
    if (better >= guess) return guess;
    guess = better;
  }
}

/** (arctan x) / x = 1 - x²/3 + x⁴/5 - …, for |x| ≤ 1/32. */
function arctangentFactor(x: bigint): bigint {
  const square = (x * x) >> BITS;
  let power = square;
  let sum = ONE;
  for (let n = 3n; power !== 0n; n += 2n) {
    sum += (n & 2n) !== 0n ? -(power / n) : power / n;
    power = (power * square) >> BITS;
  }
  return sum === ONE ? ONE - 1n : sum;
}
