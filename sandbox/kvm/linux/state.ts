/** The vCPU's state between the contract's plain objects and the kernel's structures. */
import type {
  DebugRegs,
  DescriptorTable,
  Fpu,
  GuestDebug,
  Regs,
  Segment,
  Sregs,
  VcpuEvents,
} from "../api.ts";
import { HypervisorError } from "../api.ts";
import {
  KVM_DEBUGREGS,
  KVM_DTABLE,
  KVM_GUEST_DEBUG,
  KVM_REGS,
  KVM_SEGMENT,
  KVM_SREGS,
  KVM_VCPU_EVENTS,
  XSTATE,
} from "./structs.ts";

const fieldsOf = <Field extends string>(offsets: Readonly<Record<Field, number>>) =>
  Object.entries(offsets) as [Field, number][];

const REGS = fieldsOf(KVM_REGS.offsets);

export function readRegs(view: DataView): Regs {
  const regs = {} as Regs;
  for (const [name, offset] of REGS) regs[name] = view.getBigUint64(offset, true);
  return regs;
}

export function writeRegs(view: DataView, regs: Regs): void {
  for (const [name, offset] of REGS) view.setBigUint64(offset, regs[name], true);
}

const SEGMENTS = ["cs", "ds", "es", "fs", "gs", "ss", "tr", "ldt"] as const;
const TABLES = ["gdt", "idt"] as const;
const CONTROLS = ["cr0", "cr2", "cr3", "cr4", "cr8", "efer"] as const;
const SEGMENT_BYTES = ["type", "present", "dpl", "db", "s", "l", "g", "avl", "unusable"] as const;

export function readSregs(view: DataView): Sregs {
  const at = KVM_SREGS.offsets;
  const sregs = { apicBase: view.getBigUint64(at.apic_base, true) } as Sregs;
  for (const name of SEGMENTS) sregs[name] = readSegment(view, at[name]);
  for (const name of TABLES) sregs[name] = readTable(view, at[name]);
  for (const name of CONTROLS) sregs[name] = view.getBigUint64(at[name], true);
  return sregs;
}

/** Leaves the interrupt bitmap zero: an interrupt that waits for delivery belongs to the events. */
export function writeSregs(view: DataView, sregs: Sregs): void {
  const at = KVM_SREGS.offsets;
  for (const name of SEGMENTS) writeSegment(view, at[name], sregs[name]);
  for (const name of TABLES) writeTable(view, at[name], sregs[name]);
  for (const name of CONTROLS) view.setBigUint64(at[name], sregs[name], true);
  view.setBigUint64(at.apic_base, sregs.apicBase, true);
  for (let word = 0; word < 4; word++) view.setBigUint64(at.interrupt_bitmap + 8 * word, 0n, true);
}

function readSegment(view: DataView, start: number): Segment {
  const at = KVM_SEGMENT.offsets;
  const segment = {
    base: view.getBigUint64(start + at.base, true),
    limit: view.getUint32(start + at.limit, true),
    selector: view.getUint16(start + at.selector, true),
  } as Segment;
  for (const name of SEGMENT_BYTES) segment[name] = view.getUint8(start + at[name]);
  return segment;
}

function writeSegment(view: DataView, start: number, segment: Segment): void {
  const at = KVM_SEGMENT.offsets;
  view.setBigUint64(start + at.base, segment.base, true);
  view.setUint32(start + at.limit, segment.limit, true);
  view.setUint16(start + at.selector, segment.selector, true);
  for (const name of SEGMENT_BYTES) view.setUint8(start + at[name], segment[name]);
}

function readTable(view: DataView, start: number): DescriptorTable {
  const at = KVM_DTABLE.offsets;
  return { base: view.getBigUint64(start + at.base, true), limit: view.getUint16(start + at.limit, true) };
}

function writeTable(view: DataView, start: number, table: DescriptorTable): void {
  const at = KVM_DTABLE.offsets;
  view.setBigUint64(start + at.base, table.base, true);
  view.setUint16(start + at.limit, table.limit, true);
}

const FPR_SIZE = 8 * 16;
const XMM_SIZE = 16 * 16;
/** Bits of `xfeatures`: these parts are in the area; without its bit a part counts as freshly reset. */
const X87_AND_SSE = 0b11;

/**
 * From the XSAVE area and not from KVM_GET_FPU, which leaves MXCSR out and does not tell whether the XMM
 * registers are in use.
 */
export function readFpu(bytes: Uint8Array, view: DataView): Fpu {
  const at = XSTATE.offsets;
  const copy = (start: number, size: number) => bytes.slice(start, start + size);
  return {
    fpr: copy(at["fpstate.st_space"], FPR_SIZE),
    fcw: view.getUint16(at["fpstate.cwd"], true),
    fsw: view.getUint16(at["fpstate.swd"], true),
    ftwx: view.getUint8(at["fpstate.twd"]),
    lastOpcode: view.getUint16(at["fpstate.fop"], true),
    lastIp: view.getBigUint64(at["fpstate.rip"], true),
    lastDp: view.getBigUint64(at["fpstate.rdp"], true),
    xmm: copy(at["fpstate.xmm_space"], XMM_SIZE),
    mxcsr: view.getUint32(at["fpstate.mxcsr"], true),
  };
}

/** Changes the x87 and SSE state; the rest of the area, read from KVM before, stays as it is. */
export function writeFpu(bytes: Uint8Array, view: DataView, fpu: Fpu): void {
  const at = XSTATE.offsets;
  bytes.set(fpu.fpr.subarray(0, FPR_SIZE), at["fpstate.st_space"]);
  view.setUint16(at["fpstate.cwd"], fpu.fcw, true);
  view.setUint16(at["fpstate.swd"], fpu.fsw, true);
  view.setUint8(at["fpstate.twd"], fpu.ftwx);
  view.setUint16(at["fpstate.fop"], fpu.lastOpcode, true);
  view.setBigUint64(at["fpstate.rip"], fpu.lastIp, true);
  view.setBigUint64(at["fpstate.rdp"], fpu.lastDp, true);
  bytes.set(fpu.xmm.subarray(0, XMM_SIZE), at["fpstate.xmm_space"]);
  view.setUint32(at["fpstate.mxcsr"], fpu.mxcsr, true);
  const features = at["xstate_hdr.xfeatures"];
  view.setUint8(features, view.getUint8(features) | X87_AND_SSE);
}

export function readDebugRegs(view: DataView): DebugRegs {
  const at = KVM_DEBUGREGS.offsets;
  const db = [0, 1, 2, 3].map(index => view.getBigUint64(at["db[0]"] + 8 * index, true));
  return {
    db: [db[0]!, db[1]!, db[2]!, db[3]!],
    dr6: view.getBigUint64(at.dr6, true),
    dr7: view.getBigUint64(at.dr7, true),
  };
}

export function writeDebugRegs(view: DataView, { db, dr6, dr7 }: DebugRegs): void {
  const at = KVM_DEBUGREGS.offsets;
  db.forEach((address, index) => {
    view.setBigUint64(at["db[0]"] + 8 * index, address, true);
  });
  view.setBigUint64(at.dr6, dr6, true);
  view.setBigUint64(at.dr7, dr7, true);
}

// KVM_VCPUEVENT_VALID_*: which parts KVM_SET_VCPU_EVENTS takes over beside exception and interrupt.
const VALID_NMI_PENDING = 0b0001;
const VALID_SHADOW = 0b0100;
// KVM_X86_SHADOW_INT_*
const SHADOW_MOV_SS = 0b01;
const SHADOW_STI = 0b10;

export function readEvents(view: DataView): VcpuEvents {
  const at = KVM_VCPU_EVENTS.offsets;
  const flag = (offset: number) => view.getUint8(offset) !== 0;
  const shadow = view.getUint8(at["interrupt.shadow"]);
  return {
    exception: {
      injected: flag(at["exception.injected"]),
      vector: view.getUint8(at["exception.nr"]),
      hasErrorCode: flag(at["exception.has_error_code"]),
      errorCode: view.getUint32(at["exception.error_code"], true),
    },
    interrupt: {
      injected: flag(at["interrupt.injected"]),
      vector: view.getUint8(at["interrupt.nr"]),
      soft: flag(at["interrupt.soft"]),
      shadow: shadow & SHADOW_MOV_SS ? "mov-ss" : shadow & SHADOW_STI ? "sti" : "none",
    },
    nmi: {
      injected: flag(at["nmi.injected"]),
      pending: flag(at["nmi.pending"]),
      masked: flag(at["nmi.masked"]),
    },
  };
}

/** Changes what the contract knows of; the rest of `view`, read from KVM before, stays as it is. */
export function writeEvents(view: DataView, { exception, interrupt, nmi }: VcpuEvents): void {
  const at = KVM_VCPU_EVENTS.offsets;
  const flag = (offset: number, value: boolean) => view.setUint8(offset, value ? 1 : 0);
  flag(at["exception.injected"], exception.injected);
  view.setUint8(at["exception.nr"], exception.vector);
  flag(at["exception.has_error_code"], exception.hasErrorCode);
  view.setUint32(at["exception.error_code"], exception.errorCode, true);
  flag(at["interrupt.injected"], interrupt.injected);
  view.setUint8(at["interrupt.nr"], interrupt.vector);
  flag(at["interrupt.soft"], interrupt.soft);
  view.setUint8(
    at["interrupt.shadow"],
    { none: 0, sti: SHADOW_STI, "mov-ss": SHADOW_MOV_SS }[interrupt.shadow],
  );
  flag(at["nmi.injected"], nmi.injected);
  flag(at["nmi.pending"], nmi.pending);
  flag(at["nmi.masked"], nmi.masked);
  view.setUint32(at.flags, VALID_NMI_PENDING | VALID_SHADOW, true);
}

// KVM_GUESTDBG_*
const ENABLE = 0x0000_0001;
const SINGLESTEP = 0x0000_0002;
const USE_SW_BP = 0x0001_0000;
const USE_HW_BP = 0x0002_0000;

// DR7, SDM vol. 3B, 17.2.4: G0 to G3 in bits 1, 3, 5, 7; R/W and LEN in four bits each from bit 16.
const EXACT = 0b0111_0000_0000; // bit 10 reads as one; LE and GE, which old processors want
const CONDITION = { execute: 0b00, write: 0b01, access: 0b11 } as const;
const LENGTH = { 1: 0b00, 2: 0b01, 4: 0b11, 8: 0b10 } as const;

export function writeGuestDebug(view: DataView, debug: GuestDebug | null): void {
  const { singleStep = false, softwareBreakpoints = false, breakpoints = [] } = debug ?? {};
  const refuse = (problem: string) => new HypervisorError("KVM_SET_GUEST_DEBUG", problem);
  if (breakpoints.length > 4) {
    throw refuse(`${breakpoints.length} breakpoints asked for, but the processor has DR0 to DR3`);
  }
  let dr7 = EXACT;
  breakpoints.forEach(({ address, kind, length }, index) => {
    const where = `breakpoint ${index} at 0x${address.toString(16)}`;
    if (kind === "execute" && length !== 1) throw refuse(`${where} watches execution, so its length is 1`);
    if (address % BigInt(length) !== 0n) throw refuse(`${where} is not aligned to its ${length} bytes`);
    dr7 += 0b10 << (2 * index);
    dr7 += (CONDITION[kind] | (LENGTH[length] << 2)) * 2 ** (16 + 4 * index);
    view.setBigUint64(KVM_GUEST_DEBUG.offsets["arch.debugreg[0]"] + 8 * index, address, true);
  });
  const control =
    (debug ? ENABLE : 0) |
    (singleStep ? SINGLESTEP : 0) |
    (softwareBreakpoints ? USE_SW_BP : 0) |
    (breakpoints.length > 0 ? USE_HW_BP : 0);
  view.setUint32(KVM_GUEST_DEBUG.offsets.control, control, true);
  view.setBigUint64(KVM_GUEST_DEBUG.offsets["arch.debugreg[7]"], BigInt(dr7), true);
}
