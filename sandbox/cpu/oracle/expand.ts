/**
 * Makes a case's initial state out of its 32-bit seed, so that recorded vectors hold only what is not
 * random. FROZEN: a change here makes every recorded vector wrong (vectors.ts checks it by a digest);
 * after one, record anew.
 */
import { type CaseInput, FX } from "./case.ts";
import { Random } from "./random.ts";
import { DATA_WINDOW_SIZE, entryOf, SEGMENTS, STACK_WINDOW_SIZE, WORLDS } from "./world.ts";

/** What floating-point and SIMD registers hold; "none": the case has nothing to do with them. */
export const UNITS = ["none", "x87", "mmx", "float32", "float64", "packed"] as const;
export type Unit = (typeof UNITS)[number];

/** What the data window holds. */
export const DATA_KINDS = ["integer", "float32", "float64", "float80", "bcd", "wide"] as const;
export type DataKind = (typeof DATA_KINDS)[number];

const EDGES = [
  0, 1, 2, 3, 7, 8, 0xf, 0x10, 0x1f, 0x20, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff,
  0x1_0000, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ffff, 0xffff_fffe, 0xffff_ff80, 0xffff_8000,
  0xffff_7fff, 0x5555_5555, 0xaaaa_aaaa, 0x0fff_ffff, 0xf000_0000,
];

/** 32 bits, biased to the values at which arithmetic changes its mind. */
export function integer(random: Random, previous: number): number {
  const kind = random.below(100);
  if (kind < 30) return random.pick(EDGES);
  if (kind < 42) return previous;
  if (kind < 50) return (1 << random.below(32)) >>> 0;
  if (kind < 56) return ((1 << random.below(32)) - 1) >>> 0;
  if (kind < 62) return -(1 << random.below(32)) >>> 0;
  if (kind < 70) return random.below(0x100);
  return random.next();
}

const ARITHMETIC_FLAGS = 0x8d5;
const DIRECTION = 0x400;

export function expand(seed: number, world: number, unit: Unit, dataKind: DataKind): CaseInput {
  const random = new Random(seed);
  const gpr = new Uint32Array(8);
  for (let at = 0; at < 8; at++) gpr[at] = integer(random, gpr[(at + 7) & 7]!);
  let eflags = 0x202 | (random.next() & ARITHMETIC_FLAGS);
  if (random.chance(0.15)) eflags |= DIRECTION;
  const segments = WORLDS[world]!.segments;
  return {
    world,
    code: new Uint8Array(0),
    gpr,
    eflags,
    eip: entryOf(world),
    segment: Uint16Array.from(SEGMENTS, name => segments[name].selector),
    data: fill(random, DATA_WINDOW_SIZE, dataKind),
    stack: fill(random, STACK_WINDOW_SIZE, "integer"),
    fx: unit === "none" ? null : fxImage(random, unit),
  };
}

function fill(random: Random, size: number, kind: DataKind): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  switch (kind) {
    case "integer":
      for (let at = 0; at < size; at += 4)
        view.setUint32(at, integer(random, at ? view.getUint32(at - 4, true) : 0), true);
      break;
    case "wide":
      for (let at = 0; at < size; at += 8) view.setBigUint64(at, wide(random), true);
      break;
    case "float32":
      for (let at = 0; at < size; at += 4) view.setUint32(at, float32(random), true);
      break;
    case "float64":
      for (let at = 0; at < size; at += 8) view.setBigUint64(at, float64(random), true);
      break;
    case "float80":
      for (let at = 0; at < size; at += 16) setExtended(view, at, extended(random));
      break;
    case "bcd":
      for (let at = 0; at < size; at += 16) {
        for (let byte = 0; byte < 9; byte++) {
          const digits = random.chance(0.3) ? 0 : random.below(10) | (random.below(10) << 4);
          view.setUint8(at + byte, random.chance(0.02) ? random.below(256) : digits);
        }
        view.setUint8(at + 9, random.pick([0x00, 0x80, 0x00, 0x80, 0x7f, 0xff]));
      }
      break;
  }
  return bytes;
}

function wide(random: Random): bigint {
  const kind = random.below(10);
  if (kind < 2) return BigInt.asUintN(64, 1n << BigInt(random.below(64)));
  if (kind < 4) return BigInt.asUintN(64, -(1n << BigInt(random.below(64))));
  if (kind < 5) return BigInt(random.below(256));
  if (kind < 6) return BigInt.asUintN(64, BigInt(integer(random, 0) | 0));
  return (BigInt(integer(random, 0)) << 32n) | BigInt(integer(random, 0));
}

/** A fraction of `bits` bits: sparse, dense, near a rounding tie, or random. */
function fraction(random: Random, bits: number): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  const word = (BigInt(random.next()) << 32n) | BigInt(random.next());
  switch (random.below(8)) {
    case 0:
      return 0n;
    case 1:
      return all;
    case 2:
      return 1n;
    case 3:
      return 1n << BigInt(random.below(bits));
    case 4:
      return all ^ (1n << BigInt(random.below(bits)));
    case 5:
      return (word << BigInt(random.below(bits))) & all;
    default:
      return word & all;
  }
}

function float32(random: Random): number {
  const sign = random.below(2) * 0x8000_0000;
  const mantissa = Number(fraction(random, 23));
  const kind = random.below(100);
  let exponent: number;
  if (kind < 8) return sign;
  if (kind < 14) return (sign + 0x7f80_0000) >>> 0;
  if (kind < 19) return (sign + 0x7fc0_0000 + (mantissa & 0x3f_ffff)) >>> 0;
  if (kind < 23) return (sign + 0x7f80_0000 + (mantissa & 0x3f_ffff || 1)) >>> 0;
  if (kind < 31) return (sign + (mantissa || 1)) >>> 0;
  if (kind < 38) exponent = random.pick([1, 2, 0xfe, 0xfd, 0x7e, 0x7f, 0x80, 24, 0x96, 0x9d, 0x9e]);
  else if (kind < 80) exponent = 0x7f - 20 + random.below(40);
  else exponent = 1 + random.below(254);
  return (sign + exponent * 0x80_0000 + mantissa) >>> 0;
}

function float64(random: Random): bigint {
  const sign = BigInt(random.below(2)) << 63n;
  const mantissa = fraction(random, 52);
  const infinity = 0x7ffn << 52n;
  const kind = random.below(100);
  let exponent: number;
  if (kind < 8) return sign;
  if (kind < 14) return sign | infinity;
  if (kind < 19) return sign | infinity | (1n << 51n) | (mantissa >> 1n);
  if (kind < 23) return sign | infinity | (mantissa >> 1n || 1n);
  if (kind < 31) return sign | mantissa || 1n;
  if (kind < 40)
    exponent = random.pick([1, 2, 0x7fe, 0x3fe, 0x3ff, 0x400, 53, 0x381, 0x380, 0x47e, 0x47f, 0x369]);
  else if (kind < 80) exponent = 0x3ff - 35 + random.below(70);
  else exponent = 1 + random.below(2046);
  return sign | (BigInt(exponent) << 52n) | mantissa;
}

type Extended = readonly [signAndExponent: number, significand: bigint];

/** Constants at which the x87's functions are hard: pi/4, pi/2, pi, ln 2, sqrt(2)/2 and friends. */
const HARD: readonly Extended[] = [
  [0x4000, 0xc90f_daa2_2168_c235n],
  [0x3fff, 0xc90f_daa2_2168_c235n],
  [0x3ffe, 0xc90f_daa2_2168_c235n],
  [0x4001, 0xc90f_daa2_2168_c235n],
  [0x4003, 0xc90f_daa2_2168_c234n],
  [0x3ffe, 0xb172_17f7_d1cf_79acn],
  [0x3ffe, 0xb504_f333_f9de_6484n],
  [0x3fff, 0xb504_f333_f9de_6484n],
  [0x3ffd, 0x95f6_1998_0c43_36f7n],
  [0x403e, 0x8000_0000_0000_0000n],
  [0x403d, 0xffff_ffff_ffff_ffffn],
  [0x3ffe, 0x8000_0000_0000_0000n],
  [0x3fff, 0x8000_0000_0000_0000n],
];

function extended(random: Random): Extended {
  const sign = random.below(2) * 0x8000;
  const top = 1n << 63n;
  const mantissa = fraction(random, 63);
  const kind = random.below(100);
  if (kind < 6) return [sign, 0n];
  if (kind < 10) return [sign | 0x7fff, top];
  if (kind < 14) return [sign | 0x7fff, top | (1n << 62n) | (mantissa >> 1n)];
  if (kind < 17) return [sign | 0x7fff, top | (mantissa >> 1n || 1n)];
  if (kind < 21) return [sign, mantissa || 1n]; // denormal
  if (kind < 23) return [sign, top | mantissa]; // pseudo-denormal
  if (kind < 25) return [sign | (1 + random.below(0x7ffe)), mantissa]; // unnormal
  if (kind < 27) return [sign | 0x7fff, mantissa]; // pseudo-infinity, pseudo-NaN
  if (kind < 32) {
    const [exponent, significand] = random.pick(HARD);
    return [sign | exponent, significand];
  }
  if (kind < 40) {
    const number = 1 + random.below(1 << (1 + random.below(20)));
    const shift = Math.clz32(number);
    return [sign | (0x3fff + 31 - shift), BigInt(number) << BigInt(32 + shift)];
  }
  if (kind < 75) return [sign | (0x3fff - 34 + random.below(68)), top | mantissa];
  if (kind < 83)
    return [
      sign |
        random.pick([
          1, 2, 64, 0x7ffe, 0x7ffd, 0x3c01, 0x3c00, 0x43fe, 0x43ff, 0x3f81, 0x3f80, 0x407e, 0x407f,
        ]),
      top | mantissa,
    ];
  return [sign | (1 + random.below(0x7ffe)), top | mantissa];
}

function setExtended(view: DataView, at: number, [signAndExponent, significand]: Extended): void {
  view.setBigUint64(at, significand, true);
  view.setUint16(at + 8, signAndExponent, true);
}

function fxImage(random: Random, unit: Unit): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  const masks = random.chance(0.8) ? 0x3f : random.below(0x40);
  const precision = random.pick([3, 3, 2, 0]);
  view.setUint16(FX.fcw, masks | 0x40 | (precision << 8) | (random.below(4) << 10), true);
  const conditions = random.next() & 0x4700;
  const sticky = random.chance(0.3) ? random.next() & 0x3f & masks : 0;
  const pending = random.chance(0.02) ? random.next() & 0x3f : 0;
  const flags = sticky | pending;
  const summary = flags & ~masks & 0x3f ? 0x8080 : 0;
  view.setUint16(FX.fsw, conditions | (random.below(8) << 11) | flags | summary, true);
  view.setUint8(FX.ftw, random.chance(0.8) ? 0xff : random.below(256));
  const simdMasks = random.chance(0.85) ? 0x1f80 : (random.next() & 0x3f) << 7;
  const simdSticky = random.chance(0.3) ? random.next() & 0x3f : 0;
  const flushes = random.chance(0.15) ? random.next() & 0x8040 : 0;
  view.setUint32(FX.mxcsr, simdMasks | simdSticky | flushes | (random.below(4) << 13), true);
  for (let slot = 0; slot < 8; slot++) {
    const at = FX.st + 16 * slot;
    if (unit === "mmx") {
      view.setBigUint64(at, wide(random), true);
      view.setUint16(at + 8, random.chance(0.8) ? 0xffff : random.below(0x1_0000), true);
    } else if (unit === "x87") setExtended(view, at, extended(random));
    else setExtended(view, at, slot & 1 ? [0xffff, wide(random)] : [0x3fff, 1n << 63n]);
  }
  const kind = unit === "float32" ? "float32" : unit === "float64" ? "float64" : "wide";
  bytes.set(fill(random, 128, unit === "packed" && random.chance(0.4) ? "integer" : kind), FX.xmm);
  return bytes;
}
