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
  memory.load("the kernel", bytes, address);
  memory.fill(address + bytes.length, size - bytes.length, 0);
  // #endregion exercise-load-segment
}
// #endregion load-segment

// #region enter-pvh
/** The processor's state at the entry: flat protected mode, no paging, interrupts off, a task register. */
export function enterPvh(vcpu: Vcpu, { entry, information }: KernelEntry): void {
  // #region exercise-enter-pvh
  const data = flatData(FLAT_DATA);
  const task = { ...data, selector: 0, limit: 0x67, type: 0b1011, s: 0, db: 0, g: 0 }; // a busy 32-bit TSS
  vcpu.setSregs({
    ...vcpu.getSregs(),
    cs: flatCode(FLAT_CODE),
    ds: data,
    es: data,
    fs: data,
    gs: data,
    ss: data,
    tr: task,
    cr0: 0x11n, // PE, ET
    cr3: 0n,
    cr4: 0n,
    efer: 0n,
  });
  vcpu.setRegs({
    ...vcpu.getRegs(),
    rbx: BigInt(information),
    rip: BigInt(entry),
    rflags: 0b10n,
  });
  // #endregion exercise-enter-pvh
}
// #endregion enter-pvh
