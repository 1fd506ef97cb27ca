/**
 * What the transcendental instructions share: numbers as bigints with an exponent, and their rounding.
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
 * bit, one in a thousand of FYL2X, one in fifteen of FYL2XP1, one in fifty of FSIN and FCOS, one in thirty
 * of FPTAN, one in sixty of FPATAN: there the processor's own polynomials err, and no result by more.
 *
 * These instructions follow the rounding control, but not the precision control.
 */
import type { Arithmetic } from "./float80.ts";
import * as float80 from "./float80.ts";
import { roundPack } from "./round.ts";
import * as series from "./series.ts";
import { isDenormal } from "./significand.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { BIAS, DENORMAL, EXPONENT, HIGH, PRECISION, SIGN, SIGN_EXPONENT, UNDERFLOW } = float80;
const { FRACTION_BITS } = series;

/** significand · 2^exponent; signs travel apart. */
export interface Magnitude {
  readonly significand: bigint;
  readonly exponent: number;
}

/** What the processor keeps of an intermediate product: it truncates. */
export const PRODUCT_BITS = 67;

export function magnitudeOf(words: Int32Array, slot: number): Magnitude {
  const significand = (BigInt(words[slot + HIGH] >>> 0) << 32n) | BigInt(words[slot] >>> 0);
  const field = words[slot + SIGN_EXPONENT] & EXPONENT;
  return { significand, exponent: (field || 1) - BIAS - 63 };
}

export function signOf(words: Int32Array, slot: number): number {
  return words[slot + SIGN_EXPONENT] & SIGN;
}

export function isZero(words: Int32Array, slot: number): boolean {
  return (words[slot] | words[slot + HIGH]) === 0;
}

export function isInfinite(words: Int32Array, slot: number): boolean {
  return (words[slot + SIGN_EXPONENT] & EXPONENT) === EXPONENT;
}

export function noteDenormal(f: Arithmetic, slot: number): void {
  if (isDenormal(f.words, slot)) f.raised |= DENORMAL;
}

/** True where a denormal operand was met and is not masked: the operation goes no further. */
export function stopped(f: Arithmetic): boolean {
  return (f.raised & ~f.masks & DENORMAL) !== 0;
}

export function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits[0], 16)) + 28;
}

/** Keeps the first `bits` of a number, the others become 0. */
export function truncate(value: bigint, bits: number): bigint {
  const shift = BigInt(Math.max(0, bitLength(value) - bits));
  return (value >> shift) << shift;
}

/** Rounds ±significand · 2^exponent, which is an approximation from below unless `exact`. */
export function roundMagnitude(
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

/** Says that the result is inexact, whether it is or not, and so that a denormal one is tiny. */
export function claimInexact(f: Arithmetic, out: number): void {
  f.raised |= PRECISION;
  if (f.words[out + HIGH] >= 0 && (f.words[out + SIGN_EXPONENT] & EXPONENT) === 0) f.raised |= UNDERFLOW;
}

/** A magnitude as a fixed-point number of FRACTION_BITS behind the point. */
export function fixed({ significand, exponent }: Magnitude): bigint {
  const shift = exponent + FRACTION_BITS;
  return shift >= 0 ? significand << BigInt(shift) : significand >> BigInt(-shift);
}
