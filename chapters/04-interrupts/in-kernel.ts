/**
 * The guest `ticks` twice on /dev/kvm: with the interrupt controllers and the timer of this chapter, and
 * with those inside the kernel. Counts the exits that reach the monitor, apart from those that print.
 */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { handleExit } from "#layers/01-minimal-vm/vmm.ts";
import { startInRealMode } from "../../sandbox/boot/real-mode.ts";
import { Printer } from "../../sandbox/devices/printer.ts";
import type { Exit, Hypervisor } from "../../sandbox/kvm/api.ts";
import { expectedRun } from "./guests.ts";
import { build, LOAD_ADDRESS, RAM_SIZE, SERIAL } from "./machine.ts";

const { image, output } = expectedRun("ticks");
const LONGEST_RUN_MILLISECONDS = 5000;

/** How often each kind of exit came. */
export type Counts = Map<string, number>;

export function countInUserSpace(hypervisor: Hypervisor): Counts {
  const counts: Counts = new Map();
  let printed = "";
  const { run } = build(hypervisor, image, byte => (printed += String.fromCharCode(byte)));
  run({ maxExits: 1000, budget: { milliseconds: 250 }, onExit: exit => count(counts, exit) });
  checkOutput(printed);
  return counts;
}

// #region in-kernel
/** No PIC, no timer, no injection: the kernel has them, and this loop only prints. */
export function countInKernel(hypervisor: Hypervisor): Counts {
  const counts: Counts = new Map();
  let printed = "";
  const vm = hypervisor.createVm();
  vm.createIrqchip();
  vm.createPit();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM_SIZE));
  memory.map(0, 0, RAM_SIZE);
  memory.load("the guest", image, LOAD_ADDRESS);
  const ports = new Bus();
  ports.register("serial", SERIAL, 1, new Printer(byte => (printed += String.fromCharCode(byte))));
  const vcpu = vm.createVcpu(0);
  startInRealMode(vcpu, LOAD_ADDRESS);

  const deadline = performance.now() + LONGEST_RUN_MILLISECONDS;
  while (printed !== output && performance.now() < deadline) {
    const exit = vcpu.run({ milliseconds: 1000 });
    handleExit(exit, { ports, mmio: new Bus() });
    count(counts, exit);
  }
  checkOutput(printed);
  return counts;
}
// #endregion in-kernel

function count(counts: Counts, exit: Exit): void {
  if (exit.reason === "IO" && exit.port === SERIAL) return;
  counts.set(exit.reason, (counts.get(exit.reason) ?? 0) + 1);
}

function checkOutput(printed: string): void {
  if (printed !== output) throw new Error(`the guest printed ${JSON.stringify(printed)}`);
}
