/**
 * The machine of chapter 3: 2 MiB of memory, so that there is something above the first megabyte, and a
 * port that prints. Segments and page tables are the guest's own; the processor reads them.
 */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Buses, type RunOptions, runGuest } from "#layers/01-minimal-vm/vmm.ts";
import type { PageTableMemory } from "#layers/03-paging/walk.ts";
import { startInRealMode } from "../../sandbox/boot/real-mode.ts";
import { Printer } from "../../sandbox/devices/printer.ts";
import type { Exit, Hypervisor, Vcpu } from "../../sandbox/kvm/api.ts";

export const RAM_SIZE = 0x20_0000;
export const LOAD_ADDRESS = 0x1000;
export const SERIAL = 0x3f8;

// #region machine
export interface PagingVm {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  /** The same memory as a page walk sees it. */
  readonly physical: PageTableMemory;
  readonly buses: Buses;
  run(options?: RunOptions): Exit;
}

/** Builds the machine around `image`; `print` gets every byte that the guest sends to its serial port. */
export function build(hypervisor: Hypervisor, image: Uint8Array, print: (byte: number) => void): PagingVm {
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM_SIZE));
  memory.map(0, 0, RAM_SIZE);
  memory.load("the guest", image, LOAD_ADDRESS);

  const ports = new Bus();
  ports.register("serial", SERIAL, 1, new Printer(print));

  const vcpu = vm.createVcpu(0);
  startInRealMode(vcpu, LOAD_ADDRESS);

  const physical: PageTableMemory = {
    read32: address => memory.read(address, 4),
    write32: (address, value) => memory.write(address, 4, value),
  };
  const buses = { ports, mmio: new Bus() };
  return { vcpu, memory, physical, buses, run: options => runGuest(vcpu, buses, options) };
}
// #endregion machine
