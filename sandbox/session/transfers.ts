/** Whether a step entered a handler or went to another ring: what chapter 4 is about. */
import type { Regs, Sregs, Vcpu } from "../kvm/api.ts";
import { privilege } from "./registers.ts";

const LONGEST_INSTRUCTION = 15;
/** Bytes that INT, a fault or an interrupt pushes: three words, three doublewords, those and an error code, and SS:ESP. */
const FRAMES = [6n, 12n, 16n, 20n, 24n];

export interface Place {
  readonly regs: Regs;
  readonly sregs: Sregs;
}

export function placeOf(vcpu: Vcpu): Place {
  return { regs: vcpu.getRegs(), sregs: vcpu.getSregs() };
}

export function isTransfer(before: Place, after: Place): boolean {
  if (privilege(before.sregs) !== privilege(after.sregs)) return true;
  const moved = after.regs.rip - before.regs.rip;
  const wentOn = moved > 0n && moved <= LONGEST_INSTRUCTION;
  return !wentOn && FRAMES.includes(before.regs.rsp - after.regs.rsp);
}
