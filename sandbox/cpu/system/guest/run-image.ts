/** Runs an image of this folder on the soft engine, without the boot sector and the BIOS below it. */
import { readFileSync } from "node:fs";
import type { Exit, Hypervisor, Segment } from "../../../kvm/api.ts";
import { openSoft } from "../../../kvm/soft/soft.ts";

const KERNEL = 0x1_0000;
const BOOT_SECTOR = 512;
const RAM = 16 * 1024 * 1024;
const DEBUG_CONSOLE = 0xe9;

const CODE: Segment = {
  base: 0n,
  limit: 0xffff_ffff,
  selector: 0x08,
  type: 0xb,
  present: 1,
  dpl: 0,
  db: 1,
  s: 1,
  l: 0,
  g: 1,
  avl: 0,
  unusable: 0,
};

/**
 * What the image printed, and the exit that it ended with. With `slice` the run is cut into pieces of so
 * many instructions, which must not change anything.
 */
export function runImage(
  file: URL | string,
  {
    instructions = 5_000_000,
    slice = 1_000_000,
    open = openSoft,
  }: { instructions?: number; slice?: number; open?: () => Hypervisor } = {},
): { output: string; end: Exit } {
  const image = readFileSync(file);
  const hypervisor = open();
  try {
    const vm = hypervisor.createVm();
    const host = hypervisor.allocateMemory(RAM);
    vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: RAM, host, hostOffset: 0 });
    new Uint8Array(host.memory.buffer, host.offset, host.size).set(image.subarray(BOOT_SECTOR), KERNEL);
    const vcpu = vm.createVcpu(0);
    const sregs = vcpu.getSregs();
    const data = { ...CODE, selector: 0x10, type: 0x3 };
    vcpu.setSregs({ ...sregs, cs: CODE, ds: data, es: data, fs: data, gs: data, ss: data, cr0: 0x11n });
    vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(KERNEL), rflags: 2n });

    let output = "";
    let exits = instructions;
    for (let left = instructions; ; ) {
      const exit = vcpu.run({ instructions: Math.min(left, slice), milliseconds: 2000 });
      if (exit.reason === "IO" && --exits > 0) {
        if (exit.direction === "in") exit.data.fill(0xff, 0, exit.size);
        else if (exit.port === DEBUG_CONSOLE) output += String.fromCharCode(exit.data[0]!);
        continue;
      }
      // Writes to where a PC has ROM are lost.
      if (exit.reason === "MMIO" && exit.isWrite && --exits > 0) continue;
      if (exit.reason !== "INTR") return { output, end: exit };
      left -= slice;
      if (left <= 0) return { output, end: exit };
    }
  } finally {
    hypervisor.close();
  }
}
