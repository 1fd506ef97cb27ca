// Starter: write the exercises here; `npm run chapter 8` runs them, `npm run chapter 8 test` tests them.
// Generated from solutions/08-linux/pvh.ts by `npm run starters` (71b6adfe).
/**
 * Booting an ELF kernel by PVH: the protocol with which Xen enters a guest that wants no firmware. Linux,
 * Xen's own kernels, FreeBSD and NetBSD know it, and QEMU and Firecracker speak it too.
 *
 * Source: Xen, docs/misc/pvh.pandoc, "x86/HVM direct boot ABI".
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { Vcpu } from "../../sandbox/kvm/api.ts";
import { type KernelBoot, type KernelEntry, loadInitrd } from "./boot.ts";
import { type ElfSegment, readElf32 } from "./elf.ts";
import { FLAT_CODE, FLAT_DATA, flatCode, flatData } from "./flat-segments.ts";
import { KernelImageError } from "./kernel-image-error.ts";
import {
  COMMAND_LINE_ADDRESS,
  commandLineBytes,
  INFORMATION_ADDRESS,
  LONGEST_COMMAND_LINE,
} from "./layout.ts";
import { HIGH_MEMORY, memoryMap } from "./memory-map.ts";
import { findPvhEntry } from "./pvh-note.ts";
import { startInfo } from "./start-info.ts";

/** Puts kernel, initial RAM disk, command line and start info into memory. Throws a `KernelImageError`. */
export function loadPvh(memory: GuestMemory, boot: KernelBoot): KernelEntry {
  const { kernel, initrd, commandLine = "", ramSize, acpiRootPointer } = boot;
  const { segments, notes } = readElf32(kernel);
  const entry = findPvhEntry(notes);
  if (entry === undefined) {
    throw new KernelImageError("this ELF file has no PVH note", "Build Linux with CONFIG_PVH=y");
  }
  for (const segment of segments) loadSegment(memory, segment, ramSize);
  const end = Math.max(...segments.map(({ address, size }) => address + size));
  const placed = loadInitrd(memory, initrd, { from: end, limit: ramSize });
  memory.load("the command line", commandLineBytes(commandLine, LONGEST_COMMAND_LINE), COMMAND_LINE_ADDRESS);
  const answers = { initrd: placed, map: memoryMap(ramSize), acpiRootPointer };
  memory.load("the start info", startInfo(answers), INFORMATION_ADDRESS);
  return { entry, information: INFORMATION_ADDRESS };
}

// #region load-segment
/** Puts one segment into memory. Throws a `KernelImageError` where there is no RAM, or the loader's own data. */
export function loadSegment(
  memory: GuestMemory,
  { address, bytes, size }: ElfSegment,
  ramSize: number,
): void {
  if (address < HIGH_MEMORY || address + size > ramSize) {
    const range = `0x${address.toString(16)} to 0x${(address + size).toString(16)}`;
    throw new KernelImageError(
      `its bytes ${range} do not lie between 1 MiB and the end of RAM, 0x${ramSize.toString(16)}`,
      "Give the machine more memory",
    );
  }
  // #region exercise-load-segment
  throw new Error(
    "exercise load-segment: put the segment's bytes into memory, and zeros behind them up to its size · chapter 8, “Another way in”",
  );
  // #endregion exercise-load-segment
}
// #endregion load-segment

// #region enter-pvh
/** The processor's state at the entry: flat protected mode, no paging, interrupts off, a task register. */
export function enterPvh(vcpu: Vcpu, { entry, information }: KernelEntry): void {
  // #region exercise-enter-pvh
  throw new Error(
    "exercise enter-pvh: give the processor PVH's state: flat segments, a task register with limit 0x67, protected mode without paging, EBX at the start info, interrupts off · chapter 8, “Another way in”",
  );
  // #endregion exercise-enter-pvh
}
// #endregion enter-pvh
