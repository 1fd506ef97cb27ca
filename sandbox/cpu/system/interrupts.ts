/**
 * The instructions that interrupt, and the return from an interrupt.
 *
 * Source: SDM vol. 2, "INT n/INTO/INT3/INT1", "BOUND", "IRET".
 */
import type { Cpu } from "../cpu.ts";
import type { Instruction } from "../instruction.ts";
import { BOUND_RANGE, BREAKPOINT, DEBUG, NMI_MASKED, NMI_PENDING, OF, OVERFLOW } from "../state.ts";
import { requireVirtual8086Privilege } from "./flags.ts";

export function int3(cpu: Cpu): void {
  if (cpu.onBreakpoint !== null) {
    cpu.devices.exit = cpu.onBreakpoint();
    cpu.devices.leave();
  }
  cpu.system.delivery.deliver(BREAKPOINT, "software");
}

/** Only INT n needs IOPL 3 in virtual-8086 mode; INT3 and INTO do not. */
export function intN(cpu: Cpu, insn: Instruction): void {
  requireVirtual8086Privilege(cpu);
  cpu.system.delivery.deliver(insn.immediate & 0xff, "software");
}

export function into(cpu: Cpu): void {
  if ((cpu.getFlags() & OF) !== 0) cpu.system.delivery.deliver(OVERFLOW, "software");
}

/** INT1 (ICEBP): a debug trap that no DPL guards. */
export function int1(cpu: Cpu): void {
  cpu.system.delivery.deliver(DEBUG, "external");
}

export function bound(cpu: Cpu, insn: Instruction): void {
  const address = cpu.effectiveAddress(insn);
  const { operandSize } = insn;
  const next = (address + operandSize) & insn.addressMask;
  if (operandSize === 2) {
    const index = (cpu.r16[insn.regIndex] << 16) >> 16;
    if (index < (cpu.read16(insn.segment, address) << 16) >> 16) cpu.fault(BOUND_RANGE);
    if (index > (cpu.read16(insn.segment, next) << 16) >> 16) cpu.fault(BOUND_RANGE);
    return;
  }
  const index = cpu.r32[insn.regIndex];
  if (index < cpu.read32(insn.segment, address)) cpu.fault(BOUND_RANGE);
  if (index > cpu.read32(insn.segment, next)) cpu.fault(BOUND_RANGE);
}

export function iret(cpu: Cpu, insn: Instruction): void {
  cpu.system.interruptReturn.execute(insn.operandSize === 2 ? 2 : 4);
  cpu.r32[NMI_MASKED] = 0;
  if (cpu.r32[NMI_PENDING] !== 0) cpu.attend();
}
