/** Entering a guest in real mode without a firmware before it. */
import type { Vcpu } from "../kvm/api.ts";

/** Goes on at 0000:`address`, which lies below 64 KiB; interrupts are off, the other registers as they were. */
export function startInRealMode(vcpu: Vcpu, address: number): void {
  const sregs = vcpu.getSregs();
  sregs.cs.selector = 0;
  sregs.cs.base = 0n;
  vcpu.setSregs(sregs);
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(address), rflags: 0b10n });
}
