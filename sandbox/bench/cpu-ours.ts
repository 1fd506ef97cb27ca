/** Our side of `bench cpu`, a process of its own: the soft engine behind its API, one UART, one loop. */
import { readFileSync } from "node:fs";
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { handleExit } from "#layers/01-minimal-vm/vmm.ts";
import { Uart } from "#layers/06-serial/uart.ts";
import { enterMultiboot, loadMultiboot } from "../boot/multiboot.ts";
import { openSoft } from "../kvm/soft/soft.ts";
import { ManualClock } from "../machine/clock.ts";
import { serveRuns } from "./cpu-child.ts";
import { GUEST_RAM, IMAGE } from "./cpu-guest.ts";
import { PassReader } from "./cpu-pass.ts";

const COM1 = 0x3f8;

const hypervisor = openSoft();
const vm = hypervisor.createVm();
const memory = new GuestMemory(vm, hypervisor.allocateMemory(GUEST_RAM));
memory.map(0, 0, GUEST_RAM);
const vcpu = vm.createVcpu(0);
const buses = { ports: new Bus(), mmio: new Bus() };
let reader = new PassReader();
const uart = new Uart({
  clock: new ManualClock(),
  irq: { raise: () => {}, lower: () => {} },
  peer: { transmit: byte => reader.take(byte) },
});
buses.ports.register("COM1", COM1, 8, uart);
enterMultiboot(vcpu, loadMultiboot(memory, { name: IMAGE, image: readFileSync(IMAGE), ramSize: GUEST_RAM }));

let passes = 0;
await serveRuns(() => {
  reader = new PassReader();
  if (passes++ > 0) uart.receive([0x67]);
  while (!reader.isDone) {
    const exit = vcpu.run();
    if (!handleExit(exit, buses)) throw new Error(`the guest ended with ${exit.reason}`);
  }
  return reader.result;
});
