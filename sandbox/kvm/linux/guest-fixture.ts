/** For the tests of this folder: a VM with one vCPU in real mode, and its RAM. */
import type { HostMemory, Hypervisor } from "../api.ts";
import { openKvm } from "./hypervisor.ts";
import type { KvmVcpu } from "./vcpu.ts";
import type { KvmVm } from "./vm.ts";

export const RAM = 0x2_0000;
export const CODE = 0x1000;

export interface Fixture {
  readonly hypervisor: Hypervisor;
  readonly vm: KvmVm;
  readonly vcpu: KvmVcpu;
  readonly host: HostMemory;
  readonly ram: Uint8Array;
  /** Puts code at `CODE` and lets the vCPU begin there, in real mode with all segments at 0. */
  start(code: readonly number[]): void;
}

export function realModeGuest(
  code: readonly number[],
  options: { shared?: boolean; irqchip?: boolean } = {},
): Fixture {
  const hypervisor = openKvm();
  const vm = hypervisor.createVm() as KvmVm;
  if (options.irqchip) vm.createIrqchip();
  const host = hypervisor.allocateMemory(RAM, { shared: options.shared ?? false });
  const ram = new Uint8Array(host.memory.buffer, host.offset, host.size);
  vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: RAM, host, hostOffset: 0 });
  const vcpu = vm.createVcpu(0);
  const start = (bytes: readonly number[]) => {
    ram.set(bytes, CODE);
    const sregs = vcpu.getSregs();
    sregs.cs = { ...sregs.cs, base: 0n, selector: 0 };
    vcpu.setSregs(sregs);
    vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(CODE), rsp: 0x8000n, rflags: 0x2n });
  };
  start(code);
  return { hypervisor, vm, vcpu, host, ram, start };
}
