/**
 * The machine of chapter 6: a serial port on IRQ 4, with a line that has a speed.
 *
 * Time is the machine's own, as in chapter 5: a microsecond for each exit, and a jump to the next timer
 * while the guest sleeps.
 */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { Buses, RunOptions } from "#layers/01-minimal-vm/vmm.ts";
import { type GuestTime, runInterruptible } from "#layers/04-interrupts/injection.ts";
import { PicPair } from "#layers/04-interrupts/pic.ts";
import { Uart, type UartOptions } from "#layers/06-serial/uart.ts";
import { startInRealMode } from "../../sandbox/boot/real-mode.ts";
import type { Exit, Hypervisor, Vcpu } from "../../sandbox/kvm/api.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";

export const RAM_SIZE = 0x1_0000;
export const LOAD_ADDRESS = 0x1000;
export const EXIT_NANOSECONDS = 1000;

export interface SerialVm {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  readonly clock: ManualClock;
  readonly pics: PicPair;
  readonly buses: Buses;
  readonly time: GuestTime;
  readonly serial: Uart;
  run(options?: RunOptions): Exit;
}

// #region machine
/** Builds the machine around `image`; `transmit` gets each byte when it has left the line. */
export function build(
  hypervisor: Hypervisor,
  image: Uint8Array,
  transmit: (byte: number) => void,
  pace: UartOptions["pace"] = "line",
): SerialVm {
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM_SIZE));
  memory.map(0, 0, RAM_SIZE);
  memory.load("the guest", image, LOAD_ADDRESS);

  const clock = new ManualClock();
  const pics = new PicPair();
  const serial = new Uart({ clock, irq: pics.line(4), peer: { transmit }, pace });

  const ports = new Bus();
  ports.register("PIC, master", 0x20, 2, pics.master);
  ports.register("PIC, slave", 0xa0, 2, pics.slave);
  ports.register("serial", 0x3f8, 8, serial);

  const vcpu = vm.createVcpu(0);
  startInRealMode(vcpu, LOAD_ADDRESS);

  const buses = { ports, mmio: new Bus() };
  const time = {
    catchUp: () => clock.advance(EXIT_NANOSECONDS),
    sleep: () => clock.advanceToNext(),
  };
  const run = (options?: RunOptions) => runInterruptible(vcpu, buses, pics, time, options);
  return { vcpu, memory, clock, pics, serial, buses, time, run };
}
// #endregion machine
