// Given: this file of the layer has no exercises.
// Generated from solutions/08-linux/flat-segments.ts by `npm run starters` (3d256f08).
/** Segments that cover all 4 GiB, as both boot protocols want them: protected mode with segments out of the way. */
import type { Segment } from "../../sandbox/kvm/api.ts";

/** A flat 32-bit data segment under this selector: writable, accessed. */
export function flatData(selector: number): Segment {
  return {
    base: 0n,
    limit: 0xffff_ffff,
    selector,
    type: 0b0011,
    present: 1,
    dpl: 0,
    db: 1,
    s: 1,
    l: 0,
    g: 1,
    avl: 0,
    unusable: 0,
  };
}

/** A flat 32-bit code segment under this selector: readable, accessed. */
export function flatCode(selector: number): Segment {
  return { ...flatData(selector), type: 0b1011 };
}

/** A table with the null descriptor, an unused one, and the two above at 0x10 and 0x18. */
export function flatGdt(): Uint8Array {
  return new Uint8Array(new BigUint64Array([0n, 0n, 0x00cf_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn]).buffer);
}

export const FLAT_CODE = 0x10;
export const FLAT_DATA = 0x18;
export const FLAT_GDT_SIZE = 32;
