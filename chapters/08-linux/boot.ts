// Starter: write the exercises here; `npm run chapter 8` runs them, `npm run chapter 8 test` tests them.
// Generated from solutions/08-linux/boot.ts by `npm run starters` (9ff28bb6).
/**
 * Booting a bzImage by the Linux/x86 boot protocol: what goes where (layout.ts), what the kernel is told
 * (boot-params.ts), and how it is entered.
 *
 * A loader that knows the machine needs no real-mode code: it enters the protected-mode kernel in flat
 * 32-bit protected mode, ESI at the boot parameters.
 *
 * Source: Linux kernel documentation, "The Linux/x86 Boot Protocol": "32-bit Boot Protocol".
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { Vcpu } from "../../sandbox/kvm/api.ts";
import { bootParams } from "./boot-params.ts";
import { FLAT_CODE, FLAT_DATA, FLAT_GDT_SIZE, flatCode, flatData, flatGdt } from "./flat-segments.ts";
import { KernelImageError } from "./kernel-image-error.ts";
import {
  COMMAND_LINE_ADDRESS,
  commandLineBytes,
  GDT_ADDRESS,
  INFORMATION_ADDRESS,
  LONGEST_COMMAND_LINE,
  type Placed,
  placeInitrd,
  type Room,
} from "./layout.ts";
import { memoryMap } from "./memory-map.ts";
import { KERNEL_ADDRESS, readSetupHeader, type SetupHeader } from "./setup-header.ts";

/** What a kernel is booted with, by either protocol. */
export interface KernelBoot {
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
  /** Bytes of RAM from address 0 on. */
  readonly ramSize: number;
  /** The guest-physical address of ACPI's root pointer, where there is one. */
  readonly acpiRootPointer?: number;
}

/** Where the processor begins, and what it is told. Guest-physical addresses. */
export interface KernelEntry {
  readonly entry: number;
  /** The boot parameters, or PVH's start info. */
  readonly information: number;
}

// #region load
/** Puts kernel, initial RAM disk, command line and boot parameters into memory. Throws a `KernelImageError`. */
export function loadLinux(memory: GuestMemory, boot: KernelBoot): KernelEntry {
  const { kernel, initrd, commandLine = "", ramSize, acpiRootPointer } = boot;
  const header = readSetupHeader(kernel);
  if (header.isLongMode) {
    throw new KernelImageError("this kernel wants a 64-bit processor", "Take a 32-bit one");
  }
  const end = kernelEnd(header);
  if (end > ramSize) {
    throw new KernelImageError(
      `the kernel needs ${end} bytes of RAM to unpack itself, and the machine has ${ramSize}`,
      "Give the machine more memory",
    );
  }
  const code = kernel.subarray(header.kernelOffset, header.kernelOffset + header.kernelSize);
  memory.load("the kernel", code, KERNEL_ADDRESS);

  const limit = Math.min(ramSize, header.initrdAddressMax + 1);
  const placed = loadInitrd(memory, initrd, { from: end, limit });
  const longest = Math.min(header.commandLineSize, LONGEST_COMMAND_LINE);
  memory.load("the command line", commandLineBytes(commandLine, longest), COMMAND_LINE_ADDRESS);
  const answers = { initrd: placed, map: memoryMap(ramSize), acpiRootPointer };
  memory.load("the boot parameters", bootParams(kernel, header, answers), INFORMATION_ADDRESS);
  memory.load("the GDT", flatGdt(), GDT_ADDRESS);
  return { entry: KERNEL_ADDRESS, information: INFORMATION_ADDRESS };
}
// #endregion load

/** The first address behind all that the kernel uses while it unpacks itself. */
export function kernelEnd({ runtimeStart, initSize, kernelSize }: SetupHeader): number {
  return Math.max(KERNEL_ADDRESS + kernelSize, runtimeStart + initSize);
}

/** Puts the initial RAM disk, if there is one, where there is room; tells where. */
export function loadInitrd(
  memory: GuestMemory,
  initrd: Uint8Array | undefined,
  room: Room,
): Placed | undefined {
  if (!initrd?.length) return undefined;
  const address = placeInitrd(initrd.length, room);
  memory.load("the initial RAM disk", initrd, address);
  return { address, size: initrd.length };
}

// #region enter
/** The processor's state at the 32-bit entry: protected mode, no paging, interrupts off. */
export function enterLinux(vcpu: Vcpu, { entry, information }: KernelEntry): void {
  // #region exercise-enter-linux
  throw new Error(
    "exercise enter-linux: give the processor the state of the 32-bit entry: flat segments under the protocol's selectors, the GDT, protected mode without paging, ESI at the boot parameters, EBP, EDI and EBX zero, interrupts off · chapter 8, “Enter the kernel”",
  );
  // #endregion exercise-enter-linux
}
// #endregion enter
