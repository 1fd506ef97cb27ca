/**
 * Packed integers: the lane operations that MMX and SSE2 share.
 *
 * An operation reads the operands at word indices `a` (destination) and `b` (source) of the register file and
 * writes `words` words at `out`: 2 for an MMX register, 4 for an XMM register. `out` may be `a` or `b`: no lane
 * is read after one that overlaps it was written, or the operation keeps a copy.
 *
 * Source: SDM vol. 2, the instructions' own pages.
 */
import type { Registers } from "#layers/02-real-mode/registers.ts";

export type LaneOperation = (r: Registers, out: number, a: number, b: number, words: number) => void;

/** Makes an operation of a function on whole words of 32 bits. */
function eachWord(f: (a: number, b: number) => number): LaneOperation {
  return ({ r32 }, out, a, b, words) => {
    for (let i = 0; i < words; i++) r32[out + i] = f(r32[a + i], r32[b + i]);
  };
}

/** Of a function on unsigned lanes of 16 bits; the result is cut to 16 bits. */
function eachHalf(f: (a: number, b: number) => number): LaneOperation {
  return ({ r16 }, out, a, b, words) => {
    for (let i = 0; i < 2 * words; i++) r16[2 * out + i] = f(r16[2 * a + i], r16[2 * b + i]);
  };
}

/** Of a function on signed lanes of 16 bits. */
function eachSignedHalf(f: (a: number, b: number) => number): LaneOperation {
  return eachHalf((a, b) => f((a << 16) >> 16, (b << 16) >> 16));
}

/** Of a function on unsigned bytes; the result is cut to a byte. */
function eachByte(f: (a: number, b: number) => number): LaneOperation {
  return ({ r8 }, out, a, b, words) => {
    for (let i = 0; i < 4 * words; i++) r8[4 * out + i] = f(r8[4 * a + i], r8[4 * b + i]);
  };
}

function eachSignedByte(f: (a: number, b: number) => number): LaneOperation {
  return eachByte((a, b) => f((a << 24) >> 24, (b << 24) >> 24));
}

function clamp(value: number, lowest: number, highest: number): number {
  return value < lowest ? lowest : value > highest ? highest : value;
}

const signed16 = (value: number) => clamp(value, -0x8000, 0x7fff);
const signed8 = (value: number) => clamp(value, -0x80, 0x7f);
const unsigned16 = (value: number) => clamp(value, 0, 0xffff);
const unsigned8 = (value: number) => clamp(value, 0, 0xff);

// Logic.
export const pand = eachWord((a, b) => a & b);
export const pandn = eachWord((a, b) => ~a & b);
export const por = eachWord((a, b) => a | b);
export const pxor = eachWord((a, b) => a ^ b);

// Addition and subtraction, wrapping and saturating. Bytes and halves are added without carry between them
// by keeping the lanes' top bits apart.
export const paddb = eachWord((a, b) => ((a & 0x7f7f_7f7f) + (b & 0x7f7f_7f7f)) ^ ((a ^ b) & 0x8080_8080));
export const paddw = eachWord((a, b) => ((a & 0x7fff_7fff) + (b & 0x7fff_7fff)) ^ ((a ^ b) & 0x8000_8000));
export const paddd = eachWord((a, b) => a + b);
export const psubb = eachWord((a, b) => ((a | 0x8080_8080) - (b & 0x7f7f_7f7f)) ^ ((a ^ ~b) & 0x8080_8080));
export const psubw = eachWord((a, b) => ((a | 0x8000_8000) - (b & 0x7fff_7fff)) ^ ((a ^ ~b) & 0x8000_8000));
export const psubd = eachWord((a, b) => a - b);
export const paddsb = eachSignedByte((a, b) => signed8(a + b));
export const paddsw = eachSignedHalf((a, b) => signed16(a + b));
export const psubsb = eachSignedByte((a, b) => signed8(a - b));
export const psubsw = eachSignedHalf((a, b) => signed16(a - b));
export const paddusb = eachByte((a, b) => unsigned8(a + b));
export const paddusw = eachHalf((a, b) => unsigned16(a + b));
export const psubusb = eachByte((a, b) => unsigned8(a - b));
export const psubusw = eachHalf((a, b) => unsigned16(a - b));

export const paddq: LaneOperation = ({ r32 }, out, a, b, words) => {
  for (let i = 0; i < words; i += 2) {
    const low = (r32[a + i] >>> 0) + (r32[b + i] >>> 0);
    const high = r32[a + i + 1] + r32[b + i + 1] + (low > 0xffff_ffff ? 1 : 0);
    r32[out + i] = low;
    r32[out + i + 1] = high;
  }
};

export const psubq: LaneOperation = ({ r32 }, out, a, b, words) => {
  for (let i = 0; i < words; i += 2) {
    const low = (r32[a + i] >>> 0) - (r32[b + i] >>> 0);
    const high = r32[a + i + 1] - r32[b + i + 1] - (low < 0 ? 1 : 0);
    r32[out + i] = low;
    r32[out + i + 1] = high;
  }
};

// Minimum, maximum, average.
export const pminub = eachByte((a, b) => (a < b ? a : b));
export const pmaxub = eachByte((a, b) => (a > b ? a : b));
export const pminsw = eachSignedHalf((a, b) => (a < b ? a : b));
export const pmaxsw = eachSignedHalf((a, b) => (a > b ? a : b));
export const pavgb = eachByte((a, b) => (a + b + 1) >> 1);
export const pavgw = eachHalf((a, b) => (a + b + 1) >> 1);

// Comparisons: all ones where true.
/** A byte of `a ^ b` is 0 where adding 0x7f to its low bits carries nothing into its top bit. */
export const pcmpeqb = eachWord((a, b) => {
  const difference = a ^ b;
  const equal = ~(((difference & 0x7f7f_7f7f) + 0x7f7f_7f7f) | difference | 0x7f7f_7f7f);
  return Math.imul(equal >>> 7, 0xff);
});
export const pcmpeqw = eachHalf((a, b) => (a === b ? 0xffff : 0));
export const pcmpeqd = eachWord((a, b) => (a === b ? -1 : 0));
export const pcmpgtb = eachSignedByte((a, b) => (a > b ? 0xff : 0));
export const pcmpgtw = eachSignedHalf((a, b) => (a > b ? 0xffff : 0));
export const pcmpgtd = eachWord((a, b) => (a > b ? -1 : 0));

// Multiplication.
export const pmullw = eachSignedHalf((a, b) => Math.imul(a, b));
export const pmulhw = eachSignedHalf((a, b) => Math.imul(a, b) >> 16);
export const pmulhuw = eachHalf((a, b) => Math.imul(a, b) >>> 16);

export const pmaddwd: LaneOperation = ({ r32 }, out, a, b, words) => {
  for (let i = 0; i < words; i++) {
    const x = r32[a + i];
    const y = r32[b + i];
    r32[out + i] = Math.imul((x << 16) >> 16, (y << 16) >> 16) + Math.imul(x >> 16, y >> 16);
  }
};

/** The even words, unsigned, to 64 bits. */
export const pmuludq: LaneOperation = ({ r32 }, out, a, b, words) => {
  for (let i = 0; i < words; i += 2) {
    const product = BigInt(r32[a + i] >>> 0) * BigInt(r32[b + i] >>> 0);
    r32[out + i] = Number(product & 0xffff_ffffn);
    r32[out + i + 1] = Number(product >> 32n);
  }
};

/** Sums of absolute differences of eight bytes. */
export const psadbw: LaneOperation = ({ r8, r32 }, out, a, b, words) => {
  for (let i = 0; i < words; i += 2) {
    let sum = 0;
    for (let j = 0; j < 8; j++) sum += Math.abs(r8[4 * (a + i) + j] - r8[4 * (b + i) + j]);
    r32[out + i] = sum;
    r32[out + i + 1] = 0;
  }
};

// Shifts by a count that all lanes share: the low 64 bits of `b`. Too large a count empties the lanes.

function countOf(r32: Int32Array, b: number): number {
  return r32[b + 1] !== 0 || r32[b] >>> 0 > 255 ? 255 : r32[b];
}

export function shiftHalves(left: boolean, arithmetic: boolean): LaneOperation {
  return ({ r16, r32 }, out, a, b, words) => {
    const count = countOf(r32, b);
    for (let i = 0; i < 2 * words; i++) {
      const lane = r16[2 * a + i];
      let value = 0;
      if (arithmetic) value = ((lane << 16) >> 16) >> Math.min(count, 15);
      else if (count < 16) value = left ? lane << count : lane >>> count;
      r16[2 * out + i] = value;
    }
  };
}

export function shiftWords(left: boolean, arithmetic: boolean): LaneOperation {
  return ({ r32 }, out, a, b, words) => {
    const count = countOf(r32, b);
    for (let i = 0; i < words; i++) {
      const lane = r32[a + i];
      let value = 0;
      if (arithmetic) value = lane >> Math.min(count, 31);
      else if (count < 32) value = left ? lane << count : lane >>> count;
      r32[out + i] = value;
    }
  };
}

export function shiftPairs(left: boolean): LaneOperation {
  return ({ r32 }, out, a, b, words) => {
    const count = countOf(r32, b);
    for (let i = 0; i < words; i += 2) {
      let low = r32[a + i];
      let high = r32[a + i + 1];
      if (count > 63) {
        low = 0;
        high = 0;
      } else {
        if (count >= 32) {
          if (left) {
            high = low;
            low = 0;
          } else {
            low = high;
            high = 0;
          }
        }
        const n = count & 31;
        if (n !== 0) {
          if (left) {
            high = (high << n) | (low >>> (32 - n));
            low <<= n;
          } else {
            low = (low >>> n) | (high << (32 - n));
            high >>>= n;
          }
        }
      }
      r32[out + i] = low;
      r32[out + i + 1] = high;
    }
  };
}

export const psrlw = shiftHalves(false, false);
export const psraw = shiftHalves(false, true);
export const psllw = shiftHalves(true, false);
export const psrld = shiftWords(false, false);
export const psrad = shiftWords(false, true);
export const pslld = shiftWords(true, false);
export const psrlq = shiftPairs(false);
export const psllq = shiftPairs(true);

/** PSRLDQ: the whole register, by bytes. */
export const psrldq: LaneOperation = ({ r8, r32 }, out, a, b, words) => {
  const count = countOf(r32, b);
  for (let i = 0; i < 4 * words; i++) r8[4 * out + i] = i + count < 4 * words ? r8[4 * a + i + count] : 0;
};

export const pslldq: LaneOperation = ({ r8, r32 }, out, a, b, words) => {
  const count = countOf(r32, b);
  for (let i = 4 * words - 1; i >= 0; i--) r8[4 * out + i] = i >= count ? r8[4 * a + i - count] : 0;
};

// Packing and interleaving mix the lanes of both operands: they work on copies.

const first = new Uint8Array(16);
const second = new Uint8Array(16);
const firstHalves = new Int16Array(first.buffer);
const secondHalves = new Int16Array(second.buffer);
const firstWords = new Int32Array(first.buffer);
const secondWords = new Int32Array(second.buffer);

function copyOperands(r32: Int32Array, a: number, b: number, words: number): void {
  for (let i = 0; i < words; i++) {
    firstWords[i] = r32[a + i];
    secondWords[i] = r32[b + i];
  }
}

function packHalves(saturate: (value: number) => number): LaneOperation {
  return ({ r8, r32 }, out, a, b, words) => {
    copyOperands(r32, a, b, words);
    const lanes = 2 * words;
    for (let i = 0; i < lanes; i++) {
      r8[4 * out + i] = saturate(firstHalves[i]);
      r8[4 * out + lanes + i] = saturate(secondHalves[i]);
    }
  };
}

export const packsswb = packHalves(signed8);
export const packuswb = packHalves(unsigned8);

export const packssdw: LaneOperation = ({ r16, r32 }, out, a, b, words) => {
  copyOperands(r32, a, b, words);
  for (let i = 0; i < words; i++) {
    r16[2 * out + i] = signed16(firstWords[i]);
    r16[2 * out + words + i] = signed16(secondWords[i]);
  }
};

/** Takes the low or high halves of both operands and alternates their lanes of `size` bytes. */
function unpack(size: 1 | 2 | 4 | 8, fromHigh: boolean): LaneOperation {
  return ({ r8, r32 }, out, a, b, words) => {
    copyOperands(r32, a, b, words);
    let from = fromHigh ? 2 * words : 0;
    for (let to = 4 * out; to < 4 * (out + words); to += 2 * size, from += size) {
      for (let i = 0; i < size; i++) {
        r8[to + i] = first[from + i];
        r8[to + size + i] = second[from + i];
      }
    }
  };
}

export const punpcklbw = unpack(1, false);
export const punpcklwd = unpack(2, false);
export const punpckldq = unpack(4, false);
export const punpcklqdq = unpack(8, false);
export const punpckhbw = unpack(1, true);
export const punpckhwd = unpack(2, true);
export const punpckhdq = unpack(4, true);
export const punpckhqdq = unpack(8, true);

/** Four words by four selectors of two bits: the first two from `a`, the others from `b`. */
export function shuffleWords(r32: Int32Array, out: number, a: number, b: number, order: number): void {
  const w0 = r32[a + (order & 3)];
  const w1 = r32[a + ((order >> 2) & 3)];
  const w2 = r32[b + ((order >> 4) & 3)];
  const w3 = r32[b + ((order >> 6) & 3)];
  r32[out] = w0;
  r32[out + 1] = w1;
  r32[out + 2] = w2;
  r32[out + 3] = w3;
}

/** Four halves (two words at `a`) by four selectors of two bits. */
export function shuffleHalves(r16: Uint16Array, out: number, a: number, order: number): void {
  const h0 = r16[2 * a + (order & 3)];
  const h1 = r16[2 * a + ((order >> 2) & 3)];
  const h2 = r16[2 * a + ((order >> 4) & 3)];
  const h3 = r16[2 * a + ((order >> 6) & 3)];
  r16[2 * out] = h0;
  r16[2 * out + 1] = h1;
  r16[2 * out + 2] = h2;
  r16[2 * out + 3] = h3;
}

/** The top bits of the bytes, as a number. */
export function byteSigns(r8: Uint8Array, a: number, bytes: number): number {
  let mask = 0;
  for (let i = 0; i < bytes; i++) mask |= (r8[4 * a + i] >> 7) << i;
  return mask;
}
