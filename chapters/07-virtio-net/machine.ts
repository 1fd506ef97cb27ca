/**
 * The machine of chapter 7: a virtio network card behind virtio-mmio, on IRQ 5, and a wire with somebody at
 * its other end.
 *
 * Time is the machine's own, as in chapters 5 and 6: a microsecond for each exit, and a jump to the next
 * timer while the guest sleeps.
 */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { Buses, RunOptions } from "#layers/01-minimal-vm/vmm.ts";
import { type GuestTime, runInterruptible } from "#layers/04-interrupts/injection.ts";
import { PicPair } from "#layers/04-interrupts/pic.ts";
import { VIRTIO_MMIO_SIZE, VirtioMmio } from "#layers/07-virtio-net/virtio-mmio.ts";
import { VirtioNet } from "#layers/07-virtio-net/virtio-net.ts";
import { startInRealMode } from "../../sandbox/boot/real-mode.ts";
import { Printer } from "../../sandbox/devices/printer.ts";
import type { Exit, Hypervisor, Vcpu } from "../../sandbox/kvm/api.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";
import { type Watcher, Wire } from "./wire.ts";

export const RAM_SIZE = 0x1_0000;
export const LOAD_ADDRESS = 0x1000;
export const SERIAL = 0x3f8;
/** Above all memory, and the first line that Firecracker gives to virtio devices. */
export const VIRTIO_BASE = 0xd000_0000;
export const VIRTIO_IRQ = 5;
export const GUEST_MAC = "52:54:00:12:34:56";
export const EXIT_NANOSECONDS = 1000;

export interface NetVm {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  readonly clock: ManualClock;
  readonly pics: PicPair;
  readonly buses: Buses;
  readonly time: GuestTime;
  readonly card: VirtioNet;
  readonly transport: VirtioMmio;
  readonly wire: Wire;
  run(options?: RunOptions): Exit;
}

// #region machine
/** Builds the machine around `image`; `print` gets what the guest prints, `watch` sees every frame. */
export function build(
  hypervisor: Hypervisor,
  image: Uint8Array,
  print: (byte: number) => void,
  watch: Watcher,
): NetVm {
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM_SIZE));
  memory.map(0, 0, RAM_SIZE);
  memory.load("the guest", image, LOAD_ADDRESS);

  const clock = new ManualClock();
  const pics = new PicPair();
  const wire = new Wire(clock, watch);
  const card = new VirtioNet({ memory, mac: GUEST_MAC, backend: wire });
  const transport = new VirtioMmio(card, pics.line(VIRTIO_IRQ));

  const ports = new Bus();
  ports.register("PIC, master", 0x20, 2, pics.master);
  ports.register("PIC, slave", 0xa0, 2, pics.slave);
  ports.register("serial", SERIAL, 1, new Printer(print));
  const mmio = new Bus();
  mmio.register("virtio-net", VIRTIO_BASE, VIRTIO_MMIO_SIZE, transport);

  const vcpu = vm.createVcpu(0);
  startInRealMode(vcpu, LOAD_ADDRESS);

  const buses = { ports, mmio };
  const time = {
    catchUp: () => clock.advance(EXIT_NANOSECONDS),
    sleep: () => clock.advanceToNext(),
  };
  const run = (options?: RunOptions) => runInterruptible(vcpu, buses, pics, time, options);
  return { vcpu, memory, clock, pics, buses, time, card, transport, wire, run };
}
// #endregion machine
