/** What kind of image a file is, and how the machine boots it. */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { enterLinux, type KernelBoot, loadLinux } from "#layers/08-linux/boot.ts";
import { isElf, readElf32 } from "#layers/08-linux/elf.ts";
import { enterPvh, loadPvh } from "#layers/08-linux/pvh.ts";
import { findPvhEntry } from "#layers/08-linux/pvh-note.ts";
import type { Vcpu } from "../kvm/api.ts";
import { aboutFile, BootImageError } from "./boot-image-error.ts";
import { enterFlat } from "./flat.ts";
import { enterMultiboot, findMultibootHeader, loadMultiboot } from "./multiboot.ts";

export type ImageKind = "linux" | "pvh" | "multiboot" | "flat";

export interface BootOptions {
  /** For messages. */
  readonly name: string;
  readonly image: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly commandLine: string;
  /** Where a flat image goes. */
  readonly address: number;
  /** Bytes. */
  readonly ramSize: number;
  /** The guest-physical address of ACPI's root pointer, where there is one. */
  readonly acpiRootPointer?: number;
}

const HEADER = 0x202;
const HEADER_MAGIC = "HdrS";

/** Files that somebody may take for a kernel, by their first bytes. */
const NO_KERNELS: readonly (readonly [magic: string, problem: string, remedy: string])[] = [
  ["MZ", "this is a program for EFI firmware, and there is none", "Take the bzImage or the ELF file"],
  ["\x1f\x8b", "this file is compressed (gzip)", "Unpack it with gunzip"],
  ["\xfd7zXZ", "this file is compressed (xz)", "Unpack it with unxz"],
  ["\x28\xb5\x2f\xfd", "this file is compressed (zstd)", "Unpack it with unzstd"],
];

/**
 * Tells by the bytes: a setup header, a multiboot header, a PVH note. Whatever has none of them, and is
 * known for nothing else, is flat. Throws a `BootImageError` for what cannot boot.
 */
export function imageKind(name: string, image: Uint8Array): ImageKind {
  if (image.length === 0) throw new BootImageError(name, "the file is empty");
  const starts = (at: number, text: string) =>
    [...text].every((character, index) => image[at + index] === character.charCodeAt(0));
  if (starts(HEADER, HEADER_MAGIC)) return "linux";
  if (findMultibootHeader(image) >= 0) return "multiboot";
  if (isElf(image)) return elfKind(name, image);
  for (const [magic, problem, remedy] of NO_KERNELS) {
    if (starts(0, magic)) throw new BootImageError(name, problem, remedy);
  }
  return "flat";
}

function elfKind(name: string, image: Uint8Array): ImageKind {
  const entry = aboutFile(name, () => findPvhEntry(readElf32(image).notes));
  if (entry !== undefined) return "pvh";
  throw new BootImageError(
    name,
    "this ELF file has neither a multiboot header nor a PVH note",
    "Boot Linux from its bzImage, or build it with CONFIG_PVH=y",
  );
}

/** Puts an image into memory and the processor at its entry. Throws a `BootImageError`. */
export function bootImage(kind: ImageKind, memory: GuestMemory, vcpu: Vcpu, options: BootOptions): void {
  const { name, image, initrd, commandLine, address, ramSize } = options;
  const boot: KernelBoot = { ...options, kernel: image };
  switch (kind) {
    case "linux":
      enterLinux(
        vcpu,
        aboutFile(name, () => loadLinux(memory, boot)),
      );
      return;
    case "pvh":
      enterPvh(
        vcpu,
        aboutFile(name, () => loadPvh(memory, boot)),
      );
      return;
    case "multiboot": {
      const modules = initrd ? [{ name: "initrd", bytes: initrd }] : [];
      enterMultiboot(vcpu, loadMultiboot(memory, { name, image, ramSize, commandLine, modules }));
      return;
    }
    case "flat":
      enterFlat(memory, vcpu, { name, image, address });
  }
}
