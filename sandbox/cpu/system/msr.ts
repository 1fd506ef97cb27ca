/**
 * Model-specific registers, the time-stamp counter and the performance counters.
 *
 * Source: SDM vol. 4, tables 2-2 and 2-20; vol. 3A, 11.11 for the MTRRs, 11.12 for the PAT.
 */
import type { Cpu } from "../cpu.ts";
import {
  CPL,
  CR4,
  CR4_PCE,
  CR4_TSD,
  EAX,
  ECX,
  EDX,
  EFER,
  GENERAL_PROTECTION,
  SYSTEM_SLOTS,
} from "../state.ts";
import { requireRing0 } from "./control.ts";

export const IA32_TIME_STAMP_COUNTER = 0x10;
export const IA32_PLATFORM_ID = 0x17;
export const IA32_APIC_BASE = 0x1b;
export const EBL_CR_POWERON = 0x2a;
export const IA32_BIOS_UPDT_TRIG = 0x79;
export const IA32_BIOS_SIGN_ID = 0x8b;
export const IA32_MTRRCAP = 0xfe;
export const IA32_SYSENTER_CS = 0x174;
export const IA32_SYSENTER_ESP = 0x175;
export const IA32_SYSENTER_EIP = 0x176;
export const IA32_MISC_ENABLE = 0x1a0;
export const IA32_MTRR_PHYSBASE0 = 0x200;
export const IA32_MTRR_FIX64K = 0x250;
export const IA32_PAT = 0x277;
export const IA32_MTRR_DEF_TYPE = 0x2ff;
export const IA32_EFER = 0xc000_0080;

const VARIABLE_RANGES = 8;
const EFER_NXE = 1 << 11;

/** How a register behaves: which bits a write may set (others are #GP), and its value after reset. */
interface Rule {
  readonly slot: number;
  readonly writable: readonly [low: number, high: number];
  readonly reset: readonly [low: number, high: number];
  /** Each byte is a memory type, of which 2, 3 and 7 upwards are reserved. */
  readonly isMemoryTypes?: boolean;
  /** Writes are taken and lost. */
  readonly isTrigger?: boolean;
}

const ALL = [-1, -1] as const;
const NONE = [0, 0] as const;
const LOW = [-1, 0] as const;
/** Bits 35:12 of an address, and the flags of its register. */
const ADDRESS_HIGH = 0xf;

const rules = new Map<number, Rule>();

function rule(
  index: number,
  writable: Rule["writable"],
  reset: Rule["reset"],
  more: Partial<Rule> = {},
): void {
  rules.set(index, { slot: SYSTEM_SLOTS + 2 * rules.size, writable, reset, ...more });
}

rule(IA32_PLATFORM_ID, NONE, NONE);
// Boot processor, APIC at its usual place; there is none behind it unless CPUID tells of one.
rule(IA32_APIC_BASE, [0xffff_f900 | 0, ADDRESS_HIGH], [0xfee0_0900 | 0, 0]);
rule(EBL_CR_POWERON, LOW, NONE);
rule(IA32_BIOS_UPDT_TRIG, ALL, NONE, { isTrigger: true });
rule(IA32_BIOS_SIGN_ID, ALL, NONE);
// Eight variable ranges, fixed ranges, write-combining.
rule(IA32_MTRRCAP, NONE, [VARIABLE_RANGES | (1 << 8) | (1 << 10), 0]);
rule(IA32_SYSENTER_CS, LOW, NONE);
rule(IA32_SYSENTER_ESP, LOW, NONE);
rule(IA32_SYSENTER_EIP, LOW, NONE);
// Fast strings.
rule(IA32_MISC_ENABLE, LOW, [1, 0]);
rule(IA32_PAT, [0x0707_0707, 0x0707_0707], [0x0007_0406, 0x0007_0406], { isMemoryTypes: true });
rule(IA32_MTRR_DEF_TYPE, [0xcff, 0], NONE);
for (let range = 0; range < VARIABLE_RANGES; range++) {
  rule(IA32_MTRR_PHYSBASE0 + 2 * range, [0xffff_f0ff | 0, ADDRESS_HIGH], NONE);
  rule(IA32_MTRR_PHYSBASE0 + 2 * range + 1, [0xffff_f800 | 0, ADDRESS_HIGH], NONE);
}
for (const index of [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f]) {
  rule(index, ALL, NONE, { isMemoryTypes: true });
}

/** Indices of all registers that can be read, for those who save a processor. */
export const MSR_INDICES: readonly number[] = [...rules.keys(), IA32_TIME_STAMP_COUNTER, IA32_EFER];

export class ModelSpecificRegisters {
  /** Results of `read`. */
  low = 0;
  high = 0;

  constructor(private readonly cpu: Cpu) {
    this.reset();
  }

  reset(): void {
    for (const { slot, reset } of rules.values()) {
      this.cpu.r32[slot] = reset[0];
      this.cpu.r32[slot + 1] = reset[1];
    }
  }

  /** Into `low` and `high`. False: there is no such register. */
  read(index: number): boolean {
    const r = this.cpu.r32;
    if (index === IA32_TIME_STAMP_COUNTER) {
      const ticks = this.cpu.system.timeStamp();
      this.low = ticks | 0;
      this.high = (ticks / 0x1_0000_0000) | 0;
      return true;
    }
    if (index === IA32_EFER) {
      this.low = r[EFER];
      this.high = 0;
      return true;
    }
    const found = rules.get(index);
    if (found === undefined) return false;
    this.low = r[found.slot];
    this.high = r[found.slot + 1];
    return true;
  }

  /** False: there is no such register, or the value sets a bit that is reserved. */
  write(index: number, low: number, high: number): boolean {
    const { cpu } = this;
    if (index === IA32_TIME_STAMP_COUNTER) {
      cpu.system.setTimeStamp((high >>> 0) * 0x1_0000_0000 + (low >>> 0));
      return true;
    }
    if (index === IA32_EFER) return this.#writeEfer(low, high);
    const found = rules.get(index);
    if (found === undefined) return false;
    const [writableLow, writableHigh] = found.writable;
    if ((low & ~writableLow) !== 0 || (high & ~writableHigh) !== 0) return false;
    if (found.isMemoryTypes === true && !(areMemoryTypes(low) && areMemoryTypes(high))) return false;
    if (found.isTrigger === true) return true;
    cpu.r32[found.slot] = low;
    cpu.r32[found.slot + 1] = high;
    return true;
  }

  #writeEfer(low: number, high: number): boolean {
    if ((low & ~EFER_NXE) !== 0 || high !== 0) return false;
    this.cpu.r32[EFER] = low;
    this.cpu.flushTranslations();
    return true;
  }

  /** For RDMSR and SYSENTER: the low half of a register that exists. */
  lowHalf(index: number): number {
    return this.cpu.r32[rules.get(index)!.slot];
  }
}

function areMemoryTypes(value: number): boolean {
  for (let shift = 0; shift < 32; shift += 8) {
    const type = (value >>> shift) & 0xff;
    if (type > 7 || type === 2 || type === 3) return false;
  }
  return true;
}

export function rdmsr(cpu: Cpu): void {
  requireRing0(cpu);
  const { msrs } = cpu.system;
  if (!msrs.read(cpu.r32[ECX] >>> 0)) cpu.fault(GENERAL_PROTECTION, 0);
  cpu.r32[EAX] = msrs.low;
  cpu.r32[EDX] = msrs.high;
}

export function wrmsr(cpu: Cpu): void {
  requireRing0(cpu);
  const r = cpu.r32;
  if (!cpu.system.msrs.write(r[ECX] >>> 0, r[EAX], r[EDX])) cpu.fault(GENERAL_PROTECTION, 0);
  cpu.attend();
}

export function rdtsc(cpu: Cpu): void {
  const r = cpu.r32;
  if ((r[CR4] & CR4_TSD) !== 0 && r[CPL] !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  const ticks = cpu.system.timeStamp();
  r[EAX] = ticks | 0;
  r[EDX] = (ticks / 0x1_0000_0000) | 0;
}

/** The two counters of the family exist; nothing makes them count. */
export function rdpmc(cpu: Cpu): void {
  const r = cpu.r32;
  if ((r[CR4] & CR4_PCE) === 0 && r[CPL] !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  if (r[ECX] >>> 0 > 1) cpu.fault(GENERAL_PROTECTION, 0);
  r[EAX] = 0;
  r[EDX] = 0;
}
