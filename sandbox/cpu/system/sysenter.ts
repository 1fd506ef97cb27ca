/**
 * SYSENTER and SYSEXIT: to ring 0 and back without reading a descriptor. Segments are taken as flat.
 *
 * Source: SDM vol. 2, "SYSENTER", "SYSEXIT"; vol. 3A, 5.8.7.
 */
import type { Cpu } from "../cpu.ts";
import { CPL, CS, ECX, EDX, EIP, ESP, GENERAL_PROTECTION, IF, RF, SS, VM } from "../state.ts";
import { IA32_SYSENTER_CS, IA32_SYSENTER_EIP, IA32_SYSENTER_ESP } from "./msr.ts";

/** Present, 32-bit, 4 GiB; code: execute, read, accessed; data: read, write, accessed. The DPL is added. */
const FLAT_CODE = 0xc09b;
const FLAT_DATA = 0xc093;
const LIMIT_4GIB = -1;

export function sysenter(cpu: Cpu): void {
  const { msrs } = cpu.system;
  const selector = msrs.lowHalf(IA32_SYSENTER_CS) & 0xfffc;
  if (!cpu.isProtected || selector === 0) cpu.fault(GENERAL_PROTECTION, 0);
  cpu.setFlags(0, VM | IF | RF);
  enterFlat(cpu, selector, selector + 8, 0);
  cpu.r32[ESP] = msrs.lowHalf(IA32_SYSENTER_ESP);
  cpu.r32[EIP] = msrs.lowHalf(IA32_SYSENTER_EIP);
}

export function sysexit(cpu: Cpu): void {
  const selector = cpu.system.msrs.lowHalf(IA32_SYSENTER_CS) & 0xfffc;
  if (!cpu.isProtected || cpu.r32[CPL] !== 0 || selector === 0) cpu.fault(GENERAL_PROTECTION, 0);
  enterFlat(cpu, selector + 16, selector + 24, 3);
  cpu.r32[ESP] = cpu.r32[ECX];
  cpu.r32[EIP] = cpu.r32[EDX];
}

function enterFlat(cpu: Cpu, code: number, stack: number, cpl: number): void {
  cpu.r32[CPL] = cpl;
  cpu.setSegment(CS, (code & 0xfffc) | cpl, 0, LIMIT_4GIB, FLAT_CODE | (cpl << 5));
  cpu.setSegment(SS, (stack & 0xfffc) | cpl, 0, LIMIT_4GIB, FLAT_DATA | (cpl << 5));
}
