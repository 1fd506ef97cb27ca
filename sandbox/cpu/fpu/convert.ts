/**
 * Between extended floats and every other format in memory: singles, doubles and integers.
 *
 * Source: SDM vol. 1, 4.2 "Numeric Data Types"; SDM vol. 2A, FLD, FST, FILD, FIST.
 */
import type { Arithmetic } from "./float80.ts";
import * as float80 from "./float80.ts";
import { isNan, isUnsupported } from "./nan.ts";
import { roundNarrow, roundsUp } from "./round.ts";
import { normal, normalizeInto } from "./significand.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const {
  BIAS,
  C1,
  DOUBLE,
  EXPONENT,
  HIGH,
  INVALID,
  NEAREST,
  PRECISION,
  SIGN,
  SIGN_EXPONENT,
  SINGLE,
  TO_ZERO,
  WAS_DENORMAL,
} = float80;

/** Widens a single, exactly. Signaling NaNs stay signaling and denormals are marked: who uses them judges. */
export function loadSingle(words: Int32Array, out: number, bits: number): void {
  const sign = (bits >>> 16) & SIGN;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits << 9;
  words[out] = 0;
  words[out + WAS_DENORMAL] = 0;
  if (exponent === 0) {
    if (fraction === 0) {
      words[out + HIGH] = 0;
      words[out + SIGN_EXPONENT] = sign;
      return;
    }
    const n = Math.clz32(fraction);
    words[out + HIGH] = fraction << n;
    words[out + SIGN_EXPONENT] = sign | (BIAS - 127 - n);
    words[out + WAS_DENORMAL] = 1;
    return;
  }
  words[out + HIGH] = -0x8000_0000 | (fraction >>> 1);
  words[out + SIGN_EXPONENT] = sign | (exponent === 0xff ? EXPONENT : exponent + (BIAS - 127));
}

/** Widens a double, exactly; as `loadSingle`. */
export function loadDouble(words: Int32Array, out: number, low: number, high: number): void {
  const sign = (high >>> 16) & SIGN;
  const exponent = (high >>> 20) & 0x7ff;
  let upper = (high << 11) | (low >>> 21);
  let lower = low << 11;
  words[out + WAS_DENORMAL] = 0;
  if (exponent !== 0) {
    upper |= -0x8000_0000;
    words[out] = lower;
    words[out + HIGH] = upper;
    words[out + SIGN_EXPONENT] = sign | (exponent === 0x7ff ? EXPONENT : exponent + (BIAS - 1023));
    return;
  }
  upper &= 0x7fff_ffff;
  if ((upper | lower) === 0) {
    words[out] = 0;
    words[out + HIGH] = 0;
    words[out + SIGN_EXPONENT] = sign;
    return;
  }
  const shifted = normalizeInto(upper, lower);
  upper = normal[1];
  lower = normal[0];
  words[out] = lower;
  words[out + HIGH] = upper;
  words[out + SIGN_EXPONENT] = sign | (BIAS - 1023 + shifted);
  words[out + WAS_DENORMAL] = 1;
}

/** Widens a signed 64-bit integer, exactly. */
export function loadInteger(words: Int32Array, out: number, low: number, high: number): void {
  words[out + WAS_DENORMAL] = 0;
  let sign = 0;
  if (high < 0) {
    sign = SIGN;
    low = -low | 0;
    high = (~high + (low === 0 ? 1 : 0)) | 0;
  }
  if ((low | high) === 0) {
    words[out] = 0;
    words[out + HIGH] = 0;
    words[out + SIGN_EXPONENT] = 0;
    return;
  }
  const exponent = normalizeInto(high, low) - 1;
  words[out] = normal[0];
  words[out + HIGH] = normal[1];
  words[out + SIGN_EXPONENT] = sign | (exponent + BIAS + 63);
}

/** Narrows to a single or double: word 0 (and 1) of `out`. FST does not mind denormal operands. */
export function storeFloat(f: Arithmetic, out: number, slot: number, format: number): void {
  const { words } = f;
  const low = words[slot];
  let high = words[slot + HIGH];
  const sign = words[slot + SIGN_EXPONENT] & SIGN;
  let exponent = words[slot + SIGN_EXPONENT] & EXPONENT;
  if (high < 0 && exponent !== EXPONENT && exponent !== 0) {
    if (format === DOUBLE && f.rounding === NEAREST && exponent > BIAS - 1023 && exponent < BIAS + 1023) {
      storeOrdinaryDouble(f, out, sign, exponent - (BIAS - 1023), high, low);
      return;
    }
    roundNarrow(f, out, sign, exponent, high, low, 0, format);
    return;
  }
  if (isUnsupported(words, slot)) {
    f.raised |= INVALID;
    storeSpecial(words, out, SIGN, -0x4000_0000, 0, format);
    return;
  }
  if (exponent === EXPONENT) {
    if (isNan(words, slot)) {
      if ((high & 0x4000_0000) === 0) f.raised |= INVALID;
      high |= 0x4000_0000;
    }
    storeSpecial(words, out, sign, high, low, format);
    return;
  }
  if ((high | low) === 0) {
    words[out] = format === SINGLE ? sign << 16 : 0;
    if (format !== SINGLE) words[out + HIGH] = sign << 16;
    return;
  }
  if (high < 0) exponent = 1;
  else exponent = normalizeInto(high, low);
  if (high < 0) roundNarrow(f, out, sign, exponent, high, low, 0, format);
  else roundNarrow(f, out, sign, exponent, normal[1], normal[0], 0, format);
}

/** Rounds to nearest where the exponent fits, with one unit to spare. */
function storeOrdinaryDouble(
  f: Arithmetic,
  out: number,
  sign: number,
  exponent: number,
  high: number,
  low: number,
): void {
  const { words } = f;
  const tail = low << 21;
  let lower = (high << 21) | (low >>> 11);
  // The integer bit, shifted to bit 20, is taken off the exponent field.
  let upper = (sign << 16) | (((exponent - 1) << 20) + (high >>> 11));
  if (tail !== 0) {
    f.raised |= PRECISION;
    if (tail < 0 && (tail !== -0x8000_0000 || (lower & 1) !== 0)) {
      f.raised |= C1;
      lower = (lower + 1) | 0;
      if (lower === 0) upper = (upper + 1) | 0;
    }
  }
  words[out] = lower;
  words[out + HIGH] = upper;
}

function storeSpecial(
  words: Int32Array,
  out: number,
  sign: number,
  high: number,
  low: number,
  format: number,
): void {
  if (format === SINGLE) {
    words[out] = (sign << 16) | 0x7f80_0000 | ((high & 0x7fff_ffff) >>> 8);
    return;
  }
  words[out] = (high << 21) | (low >>> 11);
  words[out + HIGH] = (sign << 16) | 0x7ff0_0000 | ((high & 0x7fff_ffff) >>> 11);
}

/**
 * Rounds to a signed integer of 16, 32 or 64 bits: words 0 and 1 of `out`, sign-extended. What does not fit
 * is INVALID and gives the integer indefinite, the most negative number.
 */
export function storeInteger(f: Arithmetic, out: number, slot: number, bits: number, rounding: number): void {
  const { words } = f;
  let low = words[slot];
  let high = words[slot + HIGH];
  const sign = words[slot + SIGN_EXPONENT] & SIGN;
  const exponent = words[slot + SIGN_EXPONENT] & EXPONENT;
  const shift = BIAS + 63 - exponent;
  let up = false;
  let inexact = false;
  if (exponent === EXPONENT || shift < 0 || isUnsupported(words, slot)) {
    integerIndefinite(f, out, bits);
    return;
  }
  if (shift > 0) {
    let extra: number;
    if (shift > 64) {
      extra = (high | low) !== 0 ? 1 : 0;
      high = 0;
      low = 0;
    } else if (shift === 64) {
      extra = high | (low !== 0 ? 1 : 0);
      high = 0;
      low = 0;
    } else if (shift > 32) {
      const n = shift - 32;
      extra = (high << (32 - n)) | (low >>> n) | (low << (32 - n) !== 0 ? 1 : 0);
      low = high >>> n;
      high = 0;
    } else if (shift === 32) {
      extra = low;
      low = high;
      high = 0;
    } else {
      extra = low << (32 - shift);
      low = (high << (32 - shift)) | (low >>> shift);
      high >>>= shift;
    }
    inexact = extra !== 0;
    up = inexact && rounding !== TO_ZERO && roundsUp(rounding, sign, extra, low & 1);
    if (up) {
      low = (low + 1) | 0;
      if (low === 0) high = (high + 1) | 0;
    }
  }
  if (sign) {
    low = -low | 0;
    high = (~high + (low === 0 ? 1 : 0)) | 0;
  }
  const fits =
    (low | high) === 0 ||
    (high < 0 === (sign !== 0) &&
      (bits === 64 || (high === low >> 31 && (bits === 32 || (low << 16) >> 16 === low))));
  if (!fits) {
    integerIndefinite(f, out, bits);
    return;
  }
  if (inexact) f.raised |= up ? PRECISION | C1 : PRECISION;
  words[out] = low;
  words[out + HIGH] = high;
}

function integerIndefinite(f: Arithmetic, out: number, bits: number): void {
  f.raised |= INVALID;
  f.words[out] = bits === 64 ? 0 : bits === 32 ? -0x8000_0000 : -0x8000;
  f.words[out + HIGH] = bits === 64 ? -0x8000_0000 : -1;
}
