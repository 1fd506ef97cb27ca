/**
 * FBLD and FBSTP: packed decimals of 18 digits, two a byte, and a sign.
 *
 * A slot of ten bytes in memory is words 0, 1 and the low half of word 2 here.
 *
 * Source: SDM vol. 1, 4.7 "BCD and Packed BCD Integers"; SDM vol. 2A, FBLD, FBSTP.
 */

import { loadInteger, storeInteger } from "./convert.ts";
import type { Arithmetic } from "./float80.ts";
import { C1, HIGH, INVALID, PRECISION, SIGN, SIGN_EXPONENT } from "./float80.ts";

const LARGEST = 999_999_999_999_999_999n;

/** Decodes the decimal in slot `from`; digits above 9 count as their value. */
export function loadDecimal(words: Int32Array, out: number, from: number): void {
  const bits =
    (BigInt(words[from + SIGN_EXPONENT] & 0xff) << 64n) |
    (BigInt(words[from + HIGH] >>> 0) << 32n) |
    BigInt(words[from] >>> 0);
  const negative = (words[from + SIGN_EXPONENT] & SIGN) !== 0;
  let value = 0n;
  for (let digit = 17n; digit >= 0n; digit--) value = value * 10n + ((bits >> (digit * 4n)) & 15n);
  loadInteger(words, out, Number(value & 0xffff_ffffn) | 0, Number(value >> 32n) | 0);
  if (negative) words[out + SIGN_EXPONENT] |= SIGN;
}

/** Rounds to an integer and encodes it; what has more than 18 digits is INVALID. */
export function storeDecimal(f: Arithmetic, out: number, slot: number): void {
  const { words } = f;
  const sign = words[slot + SIGN_EXPONENT] & SIGN;
  const before = f.raised;
  storeInteger(f, out, slot, 64, f.rounding);
  const integer = (BigInt(words[out + HIGH]) << 32n) | BigInt(words[out] >>> 0);
  let value = integer < 0n ? -integer : integer;
  if ((f.raised & INVALID) !== 0 || value > LARGEST) {
    f.raised = (f.raised & ~(PRECISION | C1)) | (before & (PRECISION | C1)) | INVALID;
    words[out] = 0;
    words[out + HIGH] = -0x4000_0000;
    words[out + SIGN_EXPONENT] = 0xffff;
    return;
  }
  let bits = 0n;
  for (let digit = 0n; digit < 18n; digit++) {
    bits |= (value % 10n) << (digit * 4n);
    value /= 10n;
  }
  words[out] = Number(bits & 0xffff_ffffn) | 0;
  words[out + HIGH] = Number((bits >> 32n) & 0xffff_ffffn) | 0;
  words[out + SIGN_EXPONENT] = Number(bits >> 64n) | sign;
}
