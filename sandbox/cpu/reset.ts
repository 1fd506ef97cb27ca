/** The state after power-on: SDM vol. 3A, table 9-1. */
import type { Cpu } from "./cpu.ts";
import * as state from "./state.ts";

const DATA = 0x93;
const CODE = 0x9b;
const LDT = 0x82;
const BUSY_TSS = 0x8b;
/** Family 6: what the processor says of itself in EDX. */
const SIGNATURE = 0x600;

export function resetCpu(cpu: Cpu): void {
  const r = cpu.r32;
  r.fill(0, 0, state.SYSTEM_SLOTS);
  r[state.CR0] = state.CR0_CD | state.CR0_NW | state.CR0_ET;
  r[state.A20_MASK] = -1;
  r[state.EDX] = SIGNATURE;
  r[state.EIP] = 0xfff0;
  r[state.GDT_LIMIT] = 0xffff;
  r[state.IDT_LIMIT] = 0xffff;
  r[state.DR6] = 0xffff_0ff0 | 0;
  r[state.DR7] = 0x400;
  for (const segment of [state.ES, state.SS, state.DS, state.FS, state.GS]) {
    cpu.setSegment(segment, 0, 0, 0xffff, DATA);
  }
  cpu.setSegment(state.CS, 0xf000, 0xffff_0000 | 0, 0xffff, CODE);
  cpu.setSegment(state.LDTR, 0, 0, 0xffff, LDT);
  cpu.setSegment(state.TR, 0, 0, 0xffff, BUSY_TSS);
  cpu.setFlags(2);
  cpu.system.msrs.reset();
  cpu.fpu.reset();
  cpu.flushTranslations();
}
