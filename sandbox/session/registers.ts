/** The registers of a vCPU by the names under which they are shown, and how each is set. */
import type { Regs, Segment, Sregs, Vcpu } from "../kvm/api.ts";

export interface ShownRegister {
  readonly name: string;
  readonly value: number;
  /** Hex digits of the value as it is shown. */
  readonly digits: number;
  readonly group: "general" | "segment" | "system";
  /** What a reader of hex does not see: a segment's base, the flags that are set. */
  readonly note: string;
  readonly canBeSet: boolean;
}

export type ProcessorMode = "real" | "virtual-8086" | "protected" | "paged";

const GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"] as const;
const SEGMENTS = ["cs", "ss", "ds", "es", "fs", "gs"] as const;
/** FLAGS from bit 0 on; the empty names are reserved, or of two bits. */
export const FLAGS = [
  ["CF", 0],
  ["PF", 2],
  ["AF", 4],
  ["ZF", 6],
  ["SF", 7],
  ["TF", 8],
  ["IF", 9],
  ["DF", 10],
  ["OF", 11],
] as const;
const IOPL_SHIFT = 12n;
const VM = 1n << 17n;
const CR0_PE = 1n;
const CR0_PG = 1n << 31n;
const WORD = 0xffffn;

export function processorMode({ cr0 }: Sregs, { rflags }: Regs): ProcessorMode {
  if (!(cr0 & CR0_PE)) return "real";
  if (rflags & VM) return "virtual-8086";
  return cr0 & CR0_PG ? "paged" : "protected";
}

/** The current privilege level. */
export function privilege(sregs: Sregs): number {
  return sregs.cr0 & CR0_PE ? sregs.ss.dpl : 0;
}

/** 16-bit names while nothing lies in the upper halves; the system registers once there is protection. */
export function shownRegisters(regs: Regs, sregs: Sregs): ShownRegister[] {
  const isProtected = (sregs.cr0 & CR0_PE) !== 0n;
  const isWide = isProtected || GENERAL.some(name => regs[name] > WORD);
  const digits = isWide ? 8 : 4;
  const general = (name: keyof Regs): ShownRegister => ({
    name: `${isWide ? "E" : ""}${name.slice(1).toUpperCase()}`,
    value: Number(regs[name]),
    digits: name === "rip" || name === "rflags" ? (isProtected ? 8 : 4) : digits,
    group: "general",
    note: name === "rflags" ? flagNote(regs.rflags) : "",
    canBeSet: true,
  });
  const ip = general("rip");
  const flags = general("rflags");
  return [
    ...GENERAL.map(general),
    { ...ip, name: isProtected ? "EIP" : "IP" },
    // Bits 31:22 of EFLAGS are reserved.
    { ...flags, name: isProtected ? "EFLAGS" : "FLAGS", digits: isProtected ? 6 : 4 },
    ...SEGMENTS.map((name): ShownRegister => {
      const segment = sregs[name];
      const note = isProtected ? segmentNote(segment) : `base ${hex(segment.base, 5)}`;
      return {
        name: name.toUpperCase(),
        value: segment.selector,
        digits: 4,
        group: "segment",
        note,
        canBeSet: !isProtected,
      };
    }),
    ...(isProtected || sregs.idt.base !== 0n ? systemRegisters(sregs, isProtected) : []),
  ];
}

function systemRegisters({ cr0, cr2, cr3, cr4, gdt, idt, tr }: Sregs, isProtected: boolean): ShownRegister[] {
  const one = (name: string, value: number | bigint, note = "", digits = 8): ShownRegister => {
    return { name, value: Number(value), digits, group: "system", note, canBeSet: false };
  };
  const table = (name: string, { base, limit }: Sregs["gdt"]) => one(name, base, `limit ${hex(limit, 4)}`);
  if (!isProtected) return [table("IDTR", idt)];
  const isPaged = (cr0 & CR0_PG) !== 0n;
  return [
    one(
      "CR0",
      cr0,
      CR0_BITS.filter(([, bit]) => (cr0 >> BigInt(bit)) & 1n)
        .map(([name]) => name)
        .join(" "),
    ),
    ...(isPaged ? [one("CR2", cr2, "the last page fault"), one("CR3", cr3, "page directory")] : []),
    ...(cr4 === 0n ? [] : [one("CR4", cr4)]),
    table("GDTR", gdt),
    table("IDTR", idt),
    ...(tr.selector === 0 ? [] : [one("TR", tr.selector, `base ${hex(tr.base, 8)}`, 4)]),
  ];
}

const CR0_BITS = [
  ["PE", 0],
  ["MP", 1],
  ["EM", 2],
  ["TS", 3],
  ["ET", 4],
  ["NE", 5],
  ["WP", 16],
  ["AM", 18],
  ["NW", 29],
  ["CD", 30],
  ["PG", 31],
] as const;

function segmentNote({ base, limit, dpl, db, s, type, unusable, present }: Segment): string {
  if (unusable || !present) return "unusable";
  const kind = s ? (type & 8 ? "code" : "data") : "system";
  return `base ${hex(base, 8)} limit ${hex(limit >>> 0, 8)} ${kind} DPL ${dpl}${db ? " 32-bit" : ""}`;
}

function flagNote(rflags: bigint): string {
  const set = FLAGS.filter(([, bit]) => (rflags >> BigInt(bit)) & 1n).map(([name]) => name);
  const iopl = Number((rflags >> IOPL_SHIFT) & 3n);
  return [...set, ...(iopl ? [`IOPL ${iopl}`] : [])].join(" ") || "none set";
}

/** Sets a register that `shownRegisters` gave; 16-bit names leave the upper half as it is. */
export function setRegister(vcpu: Vcpu, name: string, value: number): void {
  const wanted = name.toLowerCase();
  const segment = SEGMENTS.find(one => one === wanted);
  if (segment) {
    const sregs = vcpu.getSregs();
    if (sregs.cr0 & CR0_PE)
      throw new RangeError(`${name} can be set in real mode only: its descriptor is elsewhere`);
    sregs[segment].selector = value & 0xffff;
    sregs[segment].base = BigInt((value & 0xffff) << 4);
    vcpu.setSregs(sregs);
    return;
  }
  const isWide = wanted.startsWith("e");
  const key = `r${isWide ? wanted.slice(1) : wanted}` as keyof Regs;
  const regs = vcpu.getRegs();
  if (!Object.hasOwn(regs, key)) throw new RangeError(`there is no register ${name} that can be set`);
  const given = BigInt(value >>> 0);
  const kept = isWide ? 0n : regs[key] & ~WORD;
  // Bit 1 of FLAGS is always set (SDM vol. 1, 3.4.3).
  const fixed = key === "rflags" ? 0b10n : 0n;
  vcpu.setRegs({ ...regs, [key]: kept | (isWide ? given : given & WORD) | fixed });
}

function hex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
