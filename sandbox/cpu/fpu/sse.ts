/**
 * Singles and doubles as SSE computes with them: one lane at a time, under the rules of MXCSR.
 *
 * Lanes are named by their word index in the register file. Where the host's own arithmetic gives the same
 * result and raises nothing new, it is taken: round to nearest, normal operands and result, and PE set
 * already (it is sticky, and soon set in any program). Everything else goes through `arithmetic.ts`, which is
 * told to round to the short format.
 *
 * Source: SDM vol. 1, 11.5 "SSE, SSE2, and SSE3 Exceptions", table 4-7 "Rules for Handling NaNs".
 */
import { add, multiply } from "./arithmetic.ts";
import { compare, EQUAL, GREATER, LESS, UNORDERED } from "./compare.ts";
import { loadDouble, loadInteger, loadSingle, storeFloat, storeInteger } from "./convert.ts";
import { divide } from "./division.ts";
import {
  DENORMAL,
  DOUBLE,
  HIGH,
  INVALID,
  NEAREST,
  PRECISION,
  SIGN,
  SIGN_EXPONENT,
  SINGLE,
  TO_ZERO,
  WAS_DENORMAL,
} from "./float80.ts";
import { isNan, isSignaling } from "./nan.ts";
import { roundNarrow } from "./round.ts";
import { squareRoot } from "./square-root.ts";
import { type FloatingPointUnit, MXCSR, OPERAND, RESULT, SECOND } from "./unit.ts";

// Operations, by the low bits of their opcodes 0F 58 to 0F 5F. 0F 51 is the square root.
export const ADD = 0;
export const MULTIPLY = 1;
export const SUBTRACT = 4;
export const MINIMUM = 5;
export const DIVIDE = 6;
export const MAXIMUM = 7;
export const SQUARE_ROOT = 9;

export type FloatFormat = typeof SINGLE | typeof DOUBLE;

const SMALLEST_NORMAL_DOUBLE = 2.2250738585072014e-308;
const SMALLEST_NORMAL_SINGLE = 1.1754943508222875e-38;
const QUIET = 0x4000_0000;

/** True while nothing but PE can be raised by normal numbers, and PE raises no one. */
function hostRounds(unit: FloatingPointUnit): boolean {
  return (
    unit.sse.rounding === NEAREST &&
    (unit.words[MXCSR] & ((PRECISION << 7) | PRECISION)) === ((PRECISION << 7) | PRECISION)
  );
}

function isNormal(value: number, smallest: number): boolean {
  return value >= smallest
    ? value < Number.POSITIVE_INFINITY
    : value <= -smallest && value > Number.NEGATIVE_INFINITY;
}

/** `out` = a op b in lanes of `format`; for SQUARE_ROOT, of b alone. */
export function computeLane(
  unit: FloatingPointUnit,
  format: FloatFormat,
  operation: number,
  out: number,
  a: number,
  b: number,
): void {
  if (operation <= DIVIDE && operation !== MINIMUM && hostRounds(unit)) {
    if (format === DOUBLE) {
      const { doubles } = unit;
      const x = doubles[a >> 1];
      const y = doubles[b >> 1];
      if (isNormal(x, SMALLEST_NORMAL_DOUBLE) && isNormal(y, SMALLEST_NORMAL_DOUBLE)) {
        const z =
          operation === ADD ? x + y : operation === MULTIPLY ? x * y : operation === SUBTRACT ? x - y : x / y;
        if (isNormal(z, SMALLEST_NORMAL_DOUBLE)) {
          doubles[out >> 1] = z;
          return;
        }
      }
    } else {
      const { singles } = unit;
      const x = singles[a];
      const y = singles[b];
      if (isNormal(x, SMALLEST_NORMAL_SINGLE) && isNormal(y, SMALLEST_NORMAL_SINGLE)) {
        // Rounding a double result again is innocuous: 53 bits are more than twice 24 and two.
        const z = Math.fround(
          operation === ADD ? x + y : operation === MULTIPLY ? x * y : operation === SUBTRACT ? x - y : x / y,
        );
        // At the edge of underflow rounding decides what is tiny: not here.
        if (isNormal(z, 2 * SMALLEST_NORMAL_SINGLE)) {
          singles[out] = z;
          return;
        }
      }
    }
  }
  computeExactly(unit, format, operation, out, a, b);
}

function computeExactly(
  unit: FloatingPointUnit,
  format: FloatFormat,
  operation: number,
  out: number,
  a: number,
  b: number,
): void {
  const f = unit.sse;
  const { words } = unit;
  f.format = format;
  loadLane(unit, format, OPERAND, operation === SQUARE_ROOT ? b : a);
  loadLane(unit, format, SECOND, b);
  if (operation === MINIMUM || operation === MAXIMUM) {
    const order = compare(f, OPERAND, SECOND, false);
    // The second operand wins when they are equal (zeros of either sign) or unordered.
    const takesFirst = operation === MINIMUM ? order === LESS : order === GREATER;
    copyLane(unit, format, takesFirst ? OPERAND : SECOND, takesFirst ? a : b);
  } else if (!propagate(unit, format)) {
    if (operation === ADD) add(f, RESULT, OPERAND, SECOND, 0);
    else if (operation === SUBTRACT) add(f, RESULT, OPERAND, SECOND, SIGN);
    else if (operation === MULTIPLY) multiply(f, RESULT, OPERAND, SECOND);
    else if (operation === DIVIDE) divide(f, RESULT, OPERAND, SECOND);
    else squareRoot(f, RESULT, SECOND);
  }
  words[out] = words[RESULT];
  if (format === DOUBLE) words[out + HIGH] = words[RESULT + HIGH];
}

/** Widens a lane into a slot; with DAZ a denormal is a zero of its sign. */
export function loadLane(unit: FloatingPointUnit, format: FloatFormat, slot: number, at: number): void {
  const { words } = unit;
  if (format === SINGLE) loadSingle(words, slot, words[at]);
  else loadDouble(words, slot, words[at], words[at + HIGH]);
  if (unit.denormalsAreZeros && words[slot + WAS_DENORMAL] !== 0) {
    words[slot] = 0;
    words[slot + HIGH] = 0;
    words[slot + SIGN_EXPONENT] &= SIGN;
    words[slot + WAS_DENORMAL] = 0;
  }
}

/** RESULT = the lane at `at`, unchanged, but for what DAZ made of it when it was loaded into `slot`. */
function copyLane(unit: FloatingPointUnit, format: FloatFormat, slot: number, at: number): void {
  const { words } = unit;
  if ((words[slot] | words[slot + HIGH]) === 0) {
    const zero = words[slot + SIGN_EXPONENT] << 16;
    words[RESULT] = format === SINGLE ? zero : 0;
    words[RESULT + HIGH] = zero;
    return;
  }
  words[RESULT] = words[at];
  words[RESULT + HIGH] = words[at + HIGH];
}

/** Unlike the x87, SSE answers with the first operand if that is a NaN, else with the second. */
function propagate(unit: FloatingPointUnit, format: FloatFormat): boolean {
  const { words } = unit;
  const first = isNan(words, OPERAND);
  if (!first && !isNan(words, SECOND)) return false;
  if (isSignaling(words, OPERAND) || isSignaling(words, SECOND)) unit.sse.raised |= INVALID;
  const winner = first ? OPERAND : SECOND;
  words[winner + HIGH] |= QUIET;
  storeFloat(unit.sse, RESULT, winner, format);
  return true;
}

/** CMPccPS and its kin: true if the predicate (0 to 7) holds between lanes a and b. */
export function comparesLane(
  unit: FloatingPointUnit,
  format: FloatFormat,
  predicate: number,
  a: number,
  b: number,
): boolean {
  // EQ and UNORD are quiet, LT and LE signal; the other four are their negations.
  const kind = predicate & 3;
  const order = compareLane(unit, format, a, b, kind === 0 || kind === 3);
  const holds =
    kind === 0
      ? order === EQUAL
      : kind === 1
        ? order === LESS
        : kind === 2
          ? order === LESS || order === EQUAL
          : order === UNORDERED;
  return holds !== (predicate & 4) > 0;
}

/** GREATER, LESS, EQUAL or UNORDERED, as `compare.ts` has them. */
export function compareLane(
  unit: FloatingPointUnit,
  format: FloatFormat,
  a: number,
  b: number,
  quiet: boolean,
): number {
  unit.sse.format = format;
  loadLane(unit, format, OPERAND, a);
  loadLane(unit, format, SECOND, b);
  return compare(unit.sse, OPERAND, SECOND, quiet);
}

/** A lane of `from` to one of the other format. */
export function convertLane(unit: FloatingPointUnit, from: FloatFormat, out: number, a: number): void {
  const { words, sse } = unit;
  const to = from === SINGLE ? DOUBLE : SINGLE;
  loadLane(unit, from, OPERAND, a);
  if (isSignaling(words, OPERAND)) {
    sse.raised |= INVALID;
    words[OPERAND + HIGH] |= QUIET;
  } else if (words[OPERAND + WAS_DENORMAL] !== 0) sse.raised |= DENORMAL;
  sse.format = to;
  storeFloat(sse, RESULT, OPERAND, to);
  words[out] = words[RESULT];
  if (to === DOUBLE) words[out + HIGH] = words[RESULT + HIGH];
}

/** A lane to a signed 32-bit integer. */
export function laneToInteger(
  unit: FloatingPointUnit,
  format: FloatFormat,
  out: number,
  a: number,
  truncates: boolean,
): void {
  loadLane(unit, format, OPERAND, a);
  storeInteger(unit.sse, RESULT, OPERAND, 32, truncates ? TO_ZERO : unit.sse.rounding);
  unit.words[out] = unit.words[RESULT];
}

/** A signed 32-bit integer to a lane. */
export function laneFromInteger(
  unit: FloatingPointUnit,
  format: FloatFormat,
  out: number,
  value: number,
): void {
  const { words, sse } = unit;
  loadInteger(words, OPERAND, value, value >> 31);
  if (value === 0) {
    words[out] = 0;
    if (format === DOUBLE) words[out + HIGH] = 0;
    return;
  }
  roundNarrow(
    sse,
    RESULT,
    words[OPERAND + SIGN_EXPONENT] & SIGN,
    words[OPERAND + SIGN_EXPONENT] & 0x7fff,
    words[OPERAND + HIGH],
    words[OPERAND],
    0,
    format,
  );
  words[out] = words[RESULT];
  if (format === DOUBLE) words[out + HIGH] = words[RESULT + HIGH];
}
