/** What differs between two outcomes of one case. */
import { type CaseInput, FX, GPR_NAMES, type Outcome } from "./case.ts";
import { undefinedOf } from "./flags.ts";
import { slotOf } from "./vectors.ts";
import { DATA, SEGMENTS } from "./world.ts";

export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** Only flags or results that the manual leaves undefined differ. */
  readonly undefinedOnly: boolean;
}

const RF = 0x1_0000;
const EQUAL: Comparison = { differences: [], undefinedOnly: false };

const hex = (value: number, digits = 8): string => `0x${(value >>> 0).toString(16).padStart(digits, "0")}`;

export function compare(input: CaseInput, expected: Outcome, got: Outcome): Comparison {
  const differences: Difference[] = [];
  const differ = (what: string, a: string, b: string): void => {
    differences.push({ what, expected: a, got: b });
  };
  const open = undefinedOf(input);
  let inOpen = false;
  if (expected.vector !== got.vector)
    differ("exception", vectorName(expected.vector), vectorName(got.vector));
  else if (expected.errorCode !== got.errorCode)
    differ("error code", hex(expected.errorCode), hex(got.errorCode));
  if (expected.eip !== got.eip) differ("eip", hex(expected.eip), hex(got.eip));
  const flags = (expected.eflags ^ got.eflags) & ~RF;
  if (flags & ~open.flags) differ("eflags", flagNames(expected.eflags), flagNames(got.eflags));
  else if (flags) inOpen = true;
  const results: Difference[] = [];
  for (let at = 0; at < 8; at++) {
    const [a, b] = [expected.gpr[at]!, got.gpr[at]!];
    if (a !== b) results.push({ what: GPR_NAMES[at]!, expected: hex(a), got: hex(b) });
  }
  compareMemory(expected, got, results);
  if (open.result && results.length > 0) inOpen = true;
  else differences.push(...results);
  for (let at = 0; at < 6; at++) {
    const [a, b] = [expected.segment[at]!, got.segment[at]!];
    if (a !== b && !(isNull(a) && isNull(b))) differ(SEGMENTS[at]!, hex(a, 4), hex(b, 4));
  }
  if (expected.fx && got.fx) compareFx(expected.fx, got.fx, differ);
  if (differences.length === 0 && !inOpen) return EQUAL;
  return { differences, undefinedOnly: differences.length === 0 };
}

/** The IRET by which Linux enters a signal handler makes 0 of the null selectors 1 to 3. */
const isNull = (selector: number): boolean => selector < 4;

function compareMemory(expected: Outcome, got: Outcome, differences: Difference[]): void {
  const bytes = new Map(expected.changes);
  for (const [offset, value] of got.changes) {
    const wanted = bytes.get(offset);
    bytes.delete(offset);
    if (wanted === value) continue;
    const text = wanted === undefined ? "unchanged" : hex(wanted, 2);
    differences.push({ what: `byte at ${hex(DATA + offset)}`, expected: text, got: hex(value, 2) });
  }
  for (const [offset, value] of bytes) {
    differences.push({ what: `byte at ${hex(DATA + offset)}`, expected: hex(value, 2), got: "unchanged" });
  }
}

function compareFx(
  expected: Uint8Array,
  got: Uint8Array,
  differ: (what: string, a: string, b: string) => void,
): void {
  const a = new DataView(expected.buffer, expected.byteOffset, 512);
  const b = new DataView(got.buffer, got.byteOffset, 512);
  const word = (what: string, at: number): void => {
    if (a.getUint16(at, true) !== b.getUint16(at, true)) {
      differ(what, hex(a.getUint16(at, true), 4), hex(b.getUint16(at, true), 4));
    }
  };
  word("fcw", FX.fcw);
  word("fsw", FX.fsw);
  word("ftw", FX.ftw);
  if (a.getUint32(FX.fip, true) !== b.getUint32(FX.fip, true)) {
    differ("fip", hex(a.getUint32(FX.fip, true)), hex(b.getUint32(FX.fip, true)));
  }
  word("mxcsr", FX.mxcsr);
  for (let number = 0; number < 8; number++) {
    registers(`r${number}`, expected, slotOf(expected, number), got, slotOf(got, number), 10, differ);
    const xmm = FX.xmm + 16 * number;
    registers(`xmm${number}`, expected, xmm, got, xmm, 16, differ);
  }
}

function registers(
  what: string,
  a: Uint8Array,
  at: number,
  b: Uint8Array,
  from: number,
  length: number,
  differ: (what: string, a: string, b: string) => void,
): void {
  for (let byte = 0; byte < length; byte++) {
    if (a[at + byte] === b[from + byte]) continue;
    differ(what, bigEndian(a, at, length), bigEndian(b, from, length));
    return;
  }
}

/** The most significant byte first; an x87 register as sign and exponent, then significand. */
function bigEndian(bytes: Uint8Array, at: number, length: number): string {
  const text = Array.from(bytes.subarray(at, at + length), byte => byte.toString(16).padStart(2, "0"))
    .reverse()
    .join("");
  return length === 10 ? `${text.slice(0, 4)}:${text.slice(4)}` : text;
}

// biome-ignore format: a table
const NAMES: Readonly<Record<number, string>> = {
  0: "#DE", 1: "#DB", 3: "none", 4: "#OF", 5: "#BR", 6: "#UD", 7: "#NM", 8: "#DF", 10: "#TS", 11: "#NP", 12: "#SS",
  13: "#GP", 14: "#PF", 16: "#MF", 17: "#AC", 19: "#XM",
};

export const vectorName = (vector: number): string => NAMES[vector] ?? `vector ${vector}`;

export function flagNames(eflags: number): string {
  const names = (
    [
      [0x800, "OF"],
      [0x400, "DF"],
      [0x80, "SF"],
      [0x40, "ZF"],
      [0x10, "AF"],
      [4, "PF"],
      [1, "CF"],
    ] as const
  )
    .filter(([bit]) => eflags & bit)
    .map(([, name]) => name);
  const others = eflags & ~(0xcd5 | 0x202);
  return `${names.join(" ") || "-"}${others ? ` +${hex(others, 6)}` : ""}`;
}
