/**
 * Rounding: the one way by which an exact result becomes a number of 80, 64 or 32 bits.
 *
 * Arithmetic hands its result over as a significand of 64 bits, plus a word `extra` of the bits behind them,
 * in which bit 0 is *sticky*: set when anything at all was lost behind it.
 *
 * Source: SDM vol. 1, 4.8.4 "Rounding", 4.9.1.4 "Numeric Overflow Exception", 4.9.1.5 "Numeric Underflow
 * Exception", 8.5 "x87 Floating-Point Exception Conditions".
 */
import type { Arithmetic } from "./float80.ts";
import * as float80 from "./float80.ts";
import { packInfinity, packZero } from "./float80.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const {
  BIAS,
  C1,
  DOWN,
  EXPONENT,
  EXTENDED,
  HIGH,
  NEAREST,
  OVERFLOW,
  PRECISION,
  SIGN_EXPONENT,
  SINGLE,
  UNDERFLOW,
  UP,
  WAS_DENORMAL,
} = float80;

/** What an unmasked overflow or underflow adds to or takes from the exponent (SDM vol. 1, 8.5.4). */
const EXPONENT_ADJUST = 24576;

/** True if the bits behind the significand ask for one unit more. `odd` is the significand's last bit. */
export function roundsUp(rounding: number, sign: number, extra: number, odd: number): boolean {
  if (rounding === NEAREST) return extra < 0 && (extra !== -0x8000_0000 || odd !== 0);
  return extra !== 0 && (sign ? rounding === DOWN : rounding === UP);
}

/**
 * Rounds (-1)^sign × high:low.extra × 2^(exponent - BIAS - 63) into the slot `out`, in the format of
 * `f.format`. `sign` is 0 or SIGN; the significand is normalized (bit 31 of `high` is set); `exponent`
 * is biased and may lie outside of the format's range.
 */
export function roundPack(
  f: Arithmetic,
  out: number,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extra: number,
): void {
  if (!f.isUsual || exponent <= 0 || exponent >= EXPONENT - 1) {
    roundPackAnyhow(f, out, sign, exponent, high, low, extra);
    return;
  }
  if (extra !== 0) {
    f.raised |= PRECISION;
    if (extra < 0 && (extra !== -0x8000_0000 || (low & 1) !== 0)) {
      f.raised |= C1;
      low = (low + 1) | 0;
      if (low === 0) {
        high = (high + 1) | 0;
        if (high === 0) {
          high = -0x8000_0000;
          exponent++;
        }
      }
    }
  }
  const { words } = f;
  words[out] = low;
  words[out + HIGH] = high;
  words[out + SIGN_EXPONENT] = sign | exponent;
  words[out + WAS_DENORMAL] = 0;
}

/** `roundPack` for every format, precision, rounding and exponent. */
function roundPackAnyhow(
  f: Arithmetic,
  out: number,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extra: number,
): void {
  if (f.format !== EXTENDED) {
    roundNarrow(f, out, sign, exponent, high, low, extra, f.format);
    return;
  }
  if (exponent <= 0) {
    roundTiny(f, out, sign, exponent, high, low, extra);
    return;
  }
  let unitHigh = 0;
  let unitLow = 1;
  if (f.precision === 53) {
    extra = (low << 21) | (extra !== 0 ? 1 : 0);
    low &= ~0x7ff;
    unitLow = 0x800;
  } else if (f.precision === 24) {
    extra = (high << 24) | ((low | extra) !== 0 ? 1 : 0);
    high &= ~0xff;
    low = 0;
    unitHigh = 0x100;
    unitLow = 0;
  }
  let up = false;
  if (extra !== 0) {
    f.raised |= PRECISION;
    up = roundsUp(f.rounding, sign, extra, (high & unitHigh) | (low & unitLow));
    if (up) {
      f.raised |= C1;
      low = (low + unitLow) | 0;
      if (low === 0) {
        high = (high + (unitHigh || 1)) | 0;
        if (high === 0) {
          high = -0x8000_0000;
          exponent++;
        }
      }
    }
  }
  if (exponent >= EXPONENT) {
    f.raised |= OVERFLOW;
    if (f.masks & OVERFLOW) {
      overflowed(f, out, sign);
      return;
    }
    exponent -= EXPONENT_ADJUST;
    if (exponent >= EXPONENT) {
      // FSCALE by a huge factor: not even the adjusted exponent can hold it.
      packInfinity(f, out, sign);
      f.raised |= PRECISION | C1;
      return;
    }
  }
  const { words } = f;
  words[out] = low;
  words[out + HIGH] = high;
  words[out + SIGN_EXPONENT] = sign | exponent;
  words[out + WAS_DENORMAL] = 0;
}

/** A result below the normal range: denormal or zero, or with an adjusted exponent when unmasked. */
function roundTiny(
  f: Arithmetic,
  out: number,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extra: number,
): void {
  if (!(f.masks & UNDERFLOW)) {
    // Tiny is judged after rounding, as if the exponent had no bound (SDM vol. 1, 4.9.1.5).
    if (exponent < 0 || !carriesOut(f, sign, high, low, extra)) {
      f.raised |= UNDERFLOW;
      const adjusted = exponent + EXPONENT_ADJUST;
      if (adjusted > 0) {
        roundPack(f, out, sign, adjusted, high, low, extra);
        return;
      }
      packZero(f, out, sign);
      f.raised |= PRECISION;
      return;
    }
  }
  const tiny = exponent < 0 || !carriesOut(f, sign, high, low, extra);
  const count = 1 - exponent;
  if (count >= 64) {
    extra = count === 64 ? high | ((low | extra) !== 0 ? 1 : 0) : 1;
    high = 0;
    low = 0;
  } else if (count >= 32) {
    const n = count - 32;
    const lost = n ? (low << (32 - n)) | extra : extra;
    extra = (n ? (high << (32 - n)) | (low >>> n) : low) | (lost !== 0 ? 1 : 0);
    low = high >>> n;
    high = 0;
  } else {
    extra = (low << (32 - count)) | (extra >>> count) | (extra << (32 - count) !== 0 ? 1 : 0);
    low = (high << (32 - count)) | (low >>> count);
    high = high >>> count;
  }
  let unitHigh = 0;
  let unitLow = 1;
  if (f.precision === 53) {
    extra = (low << 21) | (extra !== 0 ? 1 : 0);
    low &= ~0x7ff;
    unitLow = 0x800;
  } else if (f.precision === 24) {
    extra = (high << 24) | ((low | extra) !== 0 ? 1 : 0);
    high &= ~0xff;
    low = 0;
    unitHigh = 0x100;
    unitLow = 0;
  }
  if (extra !== 0) {
    f.raised |= tiny ? PRECISION | UNDERFLOW : PRECISION;
    if (roundsUp(f.rounding, sign, extra, (high & unitHigh) | (low & unitLow))) {
      f.raised |= C1;
      low = (low + unitLow) | 0;
      if (low === 0) high = (high + (unitHigh || 1)) | 0;
    }
  }
  const { words } = f;
  words[out] = low;
  words[out + HIGH] = high;
  words[out + SIGN_EXPONENT] = sign | (high < 0 ? 1 : 0);
  words[out + WAS_DENORMAL] = 0;
}

/** True if rounding the normalized significand to the precision in force makes it a power of two. */
function carriesOut(f: Arithmetic, sign: number, high: number, low: number, extra: number): boolean {
  if (high !== -1 && !(f.precision === 24 && high >>> 8 === 0xff_ffff)) return false;
  if (f.precision === 24) return roundsUp(f.rounding, sign, (high << 24) | ((low | extra) !== 0 ? 1 : 0), 1);
  if (f.precision === 53) {
    return low >>> 11 === 0x1f_ffff && roundsUp(f.rounding, sign, (low << 21) | (extra !== 0 ? 1 : 0), 1);
  }
  return low === -1 && roundsUp(f.rounding, sign, extra, 1);
}

/** The masked response to overflow: infinity, or the largest finite number where rounding leads away. */
function overflowed(f: Arithmetic, out: number, sign: number): void {
  f.raised |= PRECISION;
  if (f.rounding === NEAREST || f.rounding === (sign ? DOWN : UP)) {
    f.raised |= C1;
    packInfinity(f, out, sign);
    return;
  }
  f.raised &= ~C1;
  const { words } = f;
  words[out] = f.precision === 64 ? -1 : f.precision === 53 ? ~0x7ff : 0;
  words[out + HIGH] = f.precision === 24 ? ~0xff : -1;
  words[out + SIGN_EXPONENT] = sign | 0x7ffe;
  words[out + WAS_DENORMAL] = 0;
}

/**
 * Rounds to a single or double: the bits go to word 0 (and 1) of `out`. Unmasked overflow and underflow
 * leave `out` undefined; the caller does not store it.
 */
export function roundNarrow(
  f: Arithmetic,
  out: number,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extra: number,
  format: number,
): void {
  const { words } = f;
  const single = format === SINGLE;
  const highest = single ? 0xff : 0x7ff;
  exponent -= single ? BIAS - 127 : BIAS - 1023;
  let tiny = false;
  if (exponent <= 0) {
    // As if the exponent had no bound: tiny unless rounding carries to the smallest normal number.
    tiny = !(
      exponent === 0 &&
      (single
        ? high >>> 8 === 0xff_ffff &&
          roundsUp(f.rounding, sign, (high << 24) | ((low | extra) !== 0 ? 1 : 0), 1)
        : high === -1 &&
          low >>> 11 === 0x1f_ffff &&
          roundsUp(f.rounding, sign, (low << 21) | (extra !== 0 ? 1 : 0), 1))
    );
    if (tiny && !(f.masks & UNDERFLOW)) {
      // No result: what is inexact is judged as if the exponent had no bound.
      const lost = single ? (high & 0xff) | low | extra : (low & 0x7ff) | extra;
      f.raised |= lost !== 0 ? UNDERFLOW | PRECISION : UNDERFLOW;
      return;
    }
    if (tiny && f.flushToZero) {
      f.raised |= UNDERFLOW | PRECISION;
      packZero(f, out, sign);
      return;
    }
    const count = 1 - exponent;
    if (count >= 64) {
      extra = 1;
      high = 0;
      low = 0;
    } else if (count >= 32) {
      const n = count - 32;
      extra = (n ? low << (32 - n) : 0) | extra | (n ? low >>> n : low) | (n ? high << (32 - n) : 0);
      extra = extra !== 0 ? 1 : 0;
      low = high >>> n;
      high = 0;
    } else {
      extra = (low << (32 - count)) | extra ? 1 : 0;
      low = (high << (32 - count)) | (low >>> count);
      high = high >>> count;
    }
    exponent = 1;
  }
  let tail: number;
  if (single) {
    tail = (high << 24) | ((low | extra) !== 0 ? 1 : 0);
    high >>>= 8;
    low = 0;
  } else {
    tail = (low << 21) | (extra !== 0 ? 1 : 0);
    low = (high << 21) | (low >>> 11);
    high >>>= 11;
  }
  if (tail !== 0) {
    f.raised |= tiny ? PRECISION | UNDERFLOW : PRECISION;
    if (roundsUp(f.rounding, sign, tail, single ? high & 1 : low & 1)) {
      f.raised |= C1;
      if (single) high++;
      else {
        low = (low + 1) | 0;
        if (low === 0) high++;
      }
    }
  }
  // The integer bit is implicit: where it is set it adds one to the exponent field below.
  if (single) {
    high += (exponent - 1) * 0x80_0000;
    if (high >= highest * 0x80_0000) {
      overflowedNarrow(f, out, sign, format);
      return;
    }
    words[out] = (sign << 16) | high;
    return;
  }
  high += (exponent - 1) * 0x10_0000;
  if (high >= highest * 0x10_0000) {
    overflowedNarrow(f, out, sign, format);
    return;
  }
  words[out] = low;
  words[out + HIGH] = (sign << 16) | high;
}

function overflowedNarrow(f: Arithmetic, out: number, sign: number, format: number): void {
  const { words } = f;
  f.raised |= OVERFLOW;
  if (f.masks & OVERFLOW) f.raised |= PRECISION;
  const infinite = f.rounding === NEAREST || f.rounding === (sign ? DOWN : UP);
  if (infinite) f.raised |= C1;
  else f.raised &= ~C1;
  if (format === SINGLE) words[out] = (sign << 16) | (infinite ? 0x7f80_0000 : 0x7f7f_ffff);
  else {
    words[out] = infinite ? 0 : -1;
    words[out + HIGH] = (sign << 16) | (infinite ? 0x7ff0_0000 : 0x7fef_ffff);
  }
}
