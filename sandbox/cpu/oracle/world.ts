/**
 * Where a case lives: its memory and its segments, the same on every processor that runs it.
 *
 *   0x2_0000  code, 64 KiB of INT3 around the instruction
 *   0x3_0000  data, 8 KiB
 *   0x3_2000  stack, 4 KiB
 *
 * A *world* is a choice of segments for it. silicon.c has the same numbers.
 */
export const CODE = 0x2_0000;
export const CODE_SIZE = 0x1_0000;
export const DATA = 0x3_0000;
export const STACK = 0x3_2000;
export const END = 0x3_3000;

/** Two pieces of memory whose contents belong to the case; all the rest is `background()`. */
export const DATA_WINDOW = DATA + 0x800;
export const DATA_WINDOW_SIZE = 128;
export const STACK_WINDOW = STACK + 0x800;
export const STACK_WINDOW_SIZE = 64;

/** Offset of a case's first instruction from CODE. */
export const ENTRY = 0x800;

export type SegmentName = "es" | "cs" | "ss" | "ds" | "fs" | "gs";
/** In the order of their numbers in ModRM (SDM vol. 2, "MOV Sreg"). */
export const SEGMENTS: readonly SegmentName[] = ["es", "cs", "ss", "ds", "fs", "gs"];

/** A descriptor as far as a case can tell: `type` as in SDM vol. 3A, table 3-1 (accessed bit set). */
export interface CaseDescriptor {
  readonly selector: number;
  readonly base: number;
  /** Bytes, after G. */
  readonly limit: number;
  readonly big: boolean;
  readonly type: number;
}

const READ_WRITE = 0x3;
const EXPAND_DOWN = 0x7;
const CODE_READ = 0xb;

/** The flat segments that Linux gives to 32-bit programs, at Linux's selectors. */
export const FLAT_CODE: CaseDescriptor = {
  selector: 0x23,
  base: 0,
  limit: 0xffff_ffff,
  big: true,
  type: CODE_READ,
};
export const FLAT_DATA: CaseDescriptor = {
  selector: 0x2b,
  base: 0,
  limit: 0xffff_ffff,
  big: true,
  type: READ_WRITE,
};

/** The LDT, in the order of its entries: selector 7 + 8n. */
export const LDT: readonly CaseDescriptor[] = [
  { selector: 0x07, base: CODE, limit: 0xffff, big: true, type: CODE_READ },
  { selector: 0x0f, base: DATA, limit: 0x1fff, big: true, type: READ_WRITE },
  { selector: 0x17, base: STACK, limit: 0x0fff, big: true, type: READ_WRITE },
  { selector: 0x1f, base: DATA, limit: 0x07ff, big: true, type: EXPAND_DOWN },
  { selector: 0x27, base: CODE, limit: 0xffff, big: false, type: CODE_READ },
  { selector: 0x2f, base: DATA, limit: 0xffff, big: false, type: READ_WRITE },
  { selector: 0x37, base: STACK, limit: 0xffff, big: false, type: READ_WRITE },
];

export interface World {
  readonly name: string;
  /** Default operand and address size of its code segment. */
  readonly bits: 16 | 32;
  readonly segments: Readonly<Record<SegmentName, CaseDescriptor>>;
}

const ldt = (entry: number): CaseDescriptor => LDT[entry]!;

export const WORLDS: readonly World[] = [
  {
    name: "flat 32-bit",
    bits: 32,
    segments: { es: FLAT_DATA, cs: FLAT_CODE, ss: FLAT_DATA, ds: FLAT_DATA, fs: FLAT_DATA, gs: FLAT_DATA },
  },
  {
    name: "based and limited 32-bit",
    bits: 32,
    segments: { es: ldt(1), cs: ldt(0), ss: ldt(2), ds: ldt(1), fs: ldt(3), gs: FLAT_DATA },
  },
  {
    name: "16-bit",
    bits: 16,
    segments: { es: ldt(5), cs: ldt(4), ss: ldt(6), ds: ldt(5), fs: ldt(1), gs: FLAT_DATA },
  },
];

/** The value of EIP at a case's first instruction. */
export const entryOf = (world: number): number => (world === 0 ? CODE + ENTRY : ENTRY);

/** Bytes of DATA to END before the windows are laid over them. */
export function background(): Uint8Array {
  const words = new Uint32Array((END - DATA) / 4);
  let x = 0x9e37_79b9;
  for (let at = 0; at < words.length; at++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[at] = x;
  }
  return new Uint8Array(words.buffer);
}
