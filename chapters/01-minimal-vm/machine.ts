/**
 * The machine of chapter 1: memory, two devices, one processor, and the loop around its exits.
 */
import { Bus, type MmioDevice, type PortDevice } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Buses, type RunOptions, runGuest } from "#layers/01-minimal-vm/vmm.ts";
import type { Exit, Hypervisor, Vcpu } from "../../sandbox/kvm/api.ts";

export const RAM_SIZE = 0x1_0000;
export const LOAD_ADDRESS = 0x1000;
export const SERIAL = 0x3f8;
export const ADDER = 0x000d_0000;

// #region machine
export interface MinimalVm {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  readonly buses: Buses;
  readonly adder: Adder;
  run(options?: RunOptions): Exit;
}

/** Puts `image` into a new machine; `print` gets every byte that the guest sends to its serial port. */
export function build(hypervisor: Hypervisor, image: Uint8Array, print: (byte: number) => void): MinimalVm {
  const vm = hypervisor.createVm();

  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM_SIZE));
  memory.map(0, 0, RAM_SIZE);
  memory.load("the guest", image, LOAD_ADDRESS);

  const ports = new Bus();
  ports.register("serial", SERIAL, 1, new Printer(print));
  const mmio = new Bus();
  const adder = new Adder();
  mmio.register("adder", ADDER, 8, adder);

  const vcpu = vm.createVcpu(0);
  startInRealMode(vcpu, LOAD_ADDRESS);

  const buses = { ports, mmio };
  return { vcpu, memory, buses, adder, run: options => runGuest(vcpu, buses, options) };
}
// #endregion machine

// #region start-in-real-mode
/** A processor comes out of reset at 0xffff_fff0; ours begins where the guest is. */
function startInRealMode(vcpu: Vcpu, address: number): void {
  const sregs = vcpu.getSregs();
  sregs.cs.selector = 0;
  sregs.cs.base = 0n;
  vcpu.setSregs(sregs);
  // Bit 1 of RFLAGS is always set (SDM vol. 1, 3.4.3). 2 and 2 are what the first guest adds.
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(address), rflags: 0b10n, rax: 2n, rbx: 2n });
}
// #endregion start-in-real-mode

// #region devices
/** The simplest output device: what is written to it appears on the terminal. */
class Printer implements PortDevice {
  constructor(private readonly print: (byte: number) => void) {}

  read(): number {
    return 0;
  }

  write(_offset: number, _size: number, value: number): void {
    this.print(value);
  }
}

/** A device of our own: offset 0 takes the numbers (W), offset 4 gives the sum of the last two (R). */
export class Adder implements MmioDevice {
  #operands = [0, 0];

  read(offset: number): number {
    return offset === 4 ? this.#operands[0]! + this.#operands[1]! : 0;
  }

  write(offset: number, _size: number, value: number): void {
    if (offset === 0) this.#operands = [this.#operands[1]!, value];
  }

  save(): { operands: number[] } {
    return { operands: [...this.#operands] };
  }

  restore({ operands }: { operands: number[] }): void {
    this.#operands = [...operands];
  }
}
// #endregion devices
