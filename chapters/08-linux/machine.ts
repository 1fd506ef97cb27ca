/**
 * The machine of chapter 8: four megabytes, a serial port to speak through, and no firmware. Your layer puts
 * a kernel into it.
 *
 * It is small so that its kernels can be: Linux itself boots in the sandbox's machine, which has all of a PC
 * (debian.ts).
 */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { Buses, RunOptions } from "#layers/01-minimal-vm/vmm.ts";
import { type GuestTime, runInterruptible } from "#layers/04-interrupts/injection.ts";
import { PicPair } from "#layers/04-interrupts/pic.ts";
import { Uart } from "#layers/06-serial/uart.ts";
import { enterLinux, type KernelBoot, loadLinux } from "#layers/08-linux/boot.ts";
import { isElf } from "#layers/08-linux/elf.ts";
import { enterPvh, loadPvh } from "#layers/08-linux/pvh.ts";
import type { Exit, Hypervisor, Vcpu } from "../../sandbox/kvm/api.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";

export const RAM_SIZE = 0x40_0000;
export const EXIT_NANOSECONDS = 1000;
/** What the chapter boots its kernels with. None of them looks into its initial RAM disk, so any bytes will do. */
export const COMMAND_LINE = "console=ttyS0 quiet";
export const INITRD = new TextEncoder().encode("Once a file system, by and by.\n");
/** What a PC has between its RAM: the video memory, behind which its RAM begins anew. */
const VIDEO_MEMORY = 0xa_0000;
const BEHIND_VIDEO_MEMORY = 0xc_0000;

export interface KernelVm {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  readonly clock: ManualClock;
  readonly pics: PicPair;
  readonly serial: Uart;
  readonly buses: Buses;
  readonly time: GuestTime;
  run(options?: RunOptions): Exit;
}

// #region machine
/** Builds the machine and boots a kernel in it; `transmit` gets each byte that it prints. */
export function build(
  hypervisor: Hypervisor,
  boot: Omit<KernelBoot, "ramSize">,
  transmit: (byte: number) => void,
): KernelVm {
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM_SIZE));
  memory.map(0, 0, VIDEO_MEMORY);
  memory.map(1, BEHIND_VIDEO_MEMORY, RAM_SIZE - BEHIND_VIDEO_MEMORY, BEHIND_VIDEO_MEMORY);
  memory.fill(0x10_0000, RAM_SIZE - 0x10_0000, LEFT_BY_FIRMWARE);

  const clock = new ManualClock();
  const pics = new PicPair();
  const serial = new Uart({ clock, irq: pics.line(4), peer: { transmit } });
  const ports = new Bus();
  ports.register("PIC, master", 0x20, 2, pics.master);
  ports.register("PIC, slave", 0xa0, 2, pics.slave);
  ports.register("serial", 0x3f8, 8, serial);

  const vcpu = vm.createVcpu(0);
  const request = { ...boot, ramSize: RAM_SIZE };
  if (isElf(boot.kernel)) enterPvh(vcpu, loadPvh(memory, request));
  else enterLinux(vcpu, loadLinux(memory, request));

  const buses = { ports, mmio: new Bus() };
  const time = {
    catchUp: () => clock.advance(EXIT_NANOSECONDS),
    sleep: () => clock.advanceToNext(),
  };
  const run = (options?: RunOptions) => runInterruptible(vcpu, buses, pics, time, options);
  return { vcpu, memory, clock, pics, serial, buses, time, run };
}
// #endregion machine

/** RAM is not empty when a loader begins: firmware was there before. */
const LEFT_BY_FIRMWARE = 0xcc;
