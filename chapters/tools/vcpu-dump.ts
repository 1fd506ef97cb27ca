/**
 * A virtual processor's state as text: registers with the changed ones marked by `*`, segments, control
 * registers, and the instructions at the instruction pointer.
 */
import type { Regs, Segment, Sregs } from "../../sandbox/kvm/api.ts";
import { type DisassembledLine, listing } from "./disassembly.ts";

/** What is known of a vCPU; `before` is an earlier state to mark changes against. */
export interface VcpuState {
  readonly regs: Regs;
  readonly sregs: Sregs;
}

const GENERAL = [
  ["rax", "rbx", "rcx", "rdx"],
  ["rsi", "rdi", "rbp", "rsp"],
  ["r8", "r9", "r10", "r11"],
  ["r12", "r13", "r14", "r15"],
] as const;

const SEGMENTS = ["cs", "ds", "es", "ss", "fs", "gs"] as const;

/** Bits of RFLAGS, from the highest (SDM vol. 1, 3.4.3). */
const FLAGS = [
  ["id", 21],
  ["vm", 17],
  ["rf", 16],
  ["nt", 14],
  ["of", 11],
  ["df", 10],
  ["if", 9],
  ["tf", 8],
  ["sf", 7],
  ["zf", 6],
  ["af", 4],
  ["pf", 2],
  ["cf", 0],
] as const;

/** Bits of CR0, from the highest (SDM vol. 3A, 2.5). */
const CR0 = [
  ["pg", 31],
  ["cd", 30],
  ["nw", 29],
  ["am", 18],
  ["wp", 16],
  ["ne", 5],
  ["ts", 3],
  ["em", 2],
  ["mp", 1],
  ["pe", 0],
] as const;

/** The dump's lines. `code` are the instructions from the instruction pointer on. */
export function vcpuDump(
  now: VcpuState,
  before?: VcpuState,
  code: readonly DisassembledLine[] = [],
): string[] {
  const { regs, sregs } = now;
  const wide = codeBits(sregs) === 64;
  return [
    ...registerLines(regs, before?.regs, wide),
    ...SEGMENTS.map(name => segmentLine(name, sregs[name], before?.sregs[name])),
    controlLine(sregs, before?.sregs),
    ...listing(code, linearRip(now)),
  ];
}

/** Register lines only; registers that are not given are left out. */
export function registerLines(
  regs: Partial<Regs>,
  before: Partial<Regs> | undefined,
  wide = false,
): string[] {
  const cell = (name: keyof Regs) => {
    const value = regs[name];
    if (value === undefined) return "";
    const changed = before?.[name] !== undefined && before[name] !== value ? "*" : "";
    const shown = wide ? name : name.replace(/^r(?=[a-z])/, "e");
    return `${shown.padEnd(3)} ${grouped(value, wide ? 16 : 8)}${changed}`.padEnd(wide ? 25 : 16);
  };
  const rows: (readonly (keyof Regs)[])[] = wide ? [...GENERAL] : GENERAL.slice(0, 2);
  rows.push(["rip", "rflags"]);
  const lines = rows.map(row => row.map(cell).join("").trimEnd());
  if (regs.rflags !== undefined) lines.push(`${lines.pop()!}  ${bitNames(regs.rflags, FLAGS)}`.trimEnd());
  return lines.filter(line => line !== "");
}

/** The width of the code that the segment state runs: SDM vol. 3A, 3.4.5, D/B and L of CS. */
export function codeBits({ cs, efer }: Sregs): 16 | 32 | 64 {
  const longModeActive = 1n << 10n;
  if (cs.l && efer & longModeActive) return 64;
  return cs.db ? 32 : 16;
}

export function linearRip({ regs, sregs }: VcpuState): bigint {
  return codeBits(sregs) === 64 ? regs.rip : (sregs.cs.base + regs.rip) & 0xffff_ffffn;
}

function segmentLine(name: string, segment: Segment, before: Segment | undefined): string {
  const changed = before && JSON.stringify(plain(before)) !== JSON.stringify(plain(segment)) ? "*" : " ";
  const { selector, base, limit, type, dpl, db, l, present, unusable } = segment;
  const kind =
    unusable || !present ? "unusable" : `${segmentKind(type)} ${l ? 64 : db ? 32 : 16}-bit dpl ${dpl}`;
  const hidden = `base ${grouped(base, 8)}  limit ${grouped(BigInt(limit), 8)}`;
  return `${name.padEnd(3)} ${grouped(BigInt(selector), 4)}${changed} ${hidden}  ${kind}`;
}

function plain(segment: Segment): unknown[] {
  const { base, limit, selector, type, present, dpl, db, l, unusable } = segment;
  return [String(base), limit, selector, type, present, dpl, db, l, unusable];
}

function segmentKind(type: number): string {
  return type & 0b1000 ? "code" : "data";
}

function controlLine(sregs: Sregs, before: Sregs | undefined): string {
  const one = (name: "cr0" | "cr2" | "cr3" | "cr4" | "efer") => {
    const changed = before && before[name] !== sregs[name] ? "*" : "";
    return `${name} ${grouped(sregs[name], 8)}${changed}`;
  };
  const names = bitNames(sregs.cr0, CR0);
  return `${[one("cr0"), one("cr3"), one("cr4"), one("efer")].join("  ")}  ${names}`.trimEnd();
}

function bitNames(value: bigint, bits: readonly (readonly [string, number])[]): string {
  return bits
    .filter(([, bit]) => (value >> BigInt(bit)) & 1n)
    .map(([name]) => name)
    .join(" ");
}

function grouped(value: bigint, digits: number): string {
  return value
    .toString(16)
    .padStart(digits, "0")
    .replace(/\B(?=(.{4})+$)/g, "_");
}
