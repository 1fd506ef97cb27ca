/**
 * RCPPS and RSQRTPS: a reciprocal and a reciprocal square root of twelve bits.
 *
 * The manual promises a relative error of at most 1.5 · 2^-12 (SDM vol. 2B, RCPPS). What Intel's processors
 * have is a table over the leading bits of the operand (eleven, or ten and the exponent's parity), and each
 * of its entries is the true value at the middle of its interval, rounded to twelve bits: compared over all
 * significands. Denormals count as zeros, denormal results are zeros, and no exception is raised.
 */

const INFINITY = 0x7f80_0000;
const QUIET = 0x0040_0000;
const INDEFINITE = 0xffc0_0000 | 0;

/** A NaN made quiet, or undefined where `bits` is no NaN. */
function quietNan(bits: number): number | undefined {
  return (bits & 0x7fff_ffff) > INFINITY ? bits | QUIET : undefined;
}

/** The twelve bits behind the leading one of a value in [½, 1), at their place in a single. */
function twelveBits(value: number): number {
  return Math.round(value * 0x2000 - 0x1000) << 11;
}

/** Approximates 1 / x; both are the bits of singles. */
export function reciprocal(bits: number): number {
  const sign = bits & 0x8000_0000;
  const exponent = (bits >>> 23) & 0xff;
  if (exponent === 0xff) return quietNan(bits) ?? sign;
  if (exponent === 0) return sign | INFINITY;
  const result = 253 - exponent;
  if (result <= 0) return sign;
  const middle = 1 + (((bits >>> 12) & 0x7ff) + 0.5) / 2048;
  return sign | (result << 23) | twelveBits(1 / middle);
}

/** Approximates 1 / √x. */
export function reciprocalRoot(bits: number): number {
  const exponent = (bits >>> 23) & 0xff;
  const nan = quietNan(bits);
  if (nan !== undefined) return nan;
  if (exponent === 0) return (bits & 0x8000_0000) | INFINITY;
  if (bits < 0) return INDEFINITE;
  if (exponent === 0xff) return 0;
  const odd = exponent & 1;
  const middle = (1 + (((bits >>> 13) & 0x3ff) + 0.5) / 1024) * (odd ? 1 : 2);
  // 2^-(power / 2) with one place more, as the twelve bits are of a value below 1
  const power = odd ? exponent - 127 : exponent - 128;
  return ((126 - power / 2) << 23) | twelveBits(1 / Math.sqrt(middle));
}
