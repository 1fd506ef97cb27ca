/**
 * FLD1 and its siblings. A constant that is no extended float is kept with two more bits, and loading it
 * rounds them as the rounding control says, without a precision exception.
 *
 * Source: SDM vol. 2A, FLD1/FLDL2T/FLDL2E/FLDPI/FLDLG2/FLDLN2/FLDZ; SDM vol. 1, 8.3.8.
 */
import type { Arithmetic } from "./float80.ts";
import { BIAS, HIGH, SIGN_EXPONENT, WAS_DENORMAL } from "./float80.ts";
import { roundsUp } from "./round.ts";

interface Constant {
  readonly exponent: number;
  readonly high: number;
  readonly low: number;
  /** What follows the 64 bits, as in `roundPack`. */
  readonly extra: number;
}

/** In the order of D9 E8 to D9 EE: 1, log2 10, log2 e, π, log10 2, ln 2, 0. */
export const CONSTANTS: readonly Constant[] = [
  { exponent: BIAS, high: 0x8000_0000, low: 0, extra: 0 },
  { exponent: BIAS + 1, high: 0xd49a_784b, low: 0xcd1b_8afe, extra: 0x492b_f6ff },
  { exponent: BIAS, high: 0xb8aa_3b29, low: 0x5c17_f0bb, extra: -0x4178_0130 },
  { exponent: BIAS + 1, high: 0xc90f_daa2, low: 0x2168_c234, extra: -0x3b39_9d75 },
  { exponent: BIAS - 2, high: 0x9a20_9a84, low: 0xfbcf_f798, extra: -0x7076_a654 },
  { exponent: BIAS - 1, high: 0xb172_17f7, low: 0xd1cf_79ab, extra: -0x361c_4c68 },
  { exponent: 0, high: 0, low: 0, extra: 0 },
];

export function loadConstant(f: Arithmetic, out: number, { exponent, high, low, extra }: Constant): void {
  const { words } = f;
  // None of the significands ends in all ones, so a carry stays in the low half.
  words[out] = roundsUp(f.rounding, 0, extra, low & 1) ? low + 1 : low;
  words[out + HIGH] = high;
  words[out + SIGN_EXPONENT] = exponent;
  words[out + WAS_DENORMAL] = 0;
}
