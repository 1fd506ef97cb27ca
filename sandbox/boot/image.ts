/** What kind of image a file is, and how the machine boots it. */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { enterLinux, LinuxImageError, loadLinux, readSetupHeader } from "#layers/08-linux/boot.ts";
import type { Vcpu } from "../kvm/api.ts";
import { BootImageError } from "./boot-image-error.ts";
import { enterFlat } from "./flat.ts";
import { enterMultiboot, findMultibootHeader, loadMultiboot } from "./multiboot.ts";

export type ImageKind = "linux" | "multiboot" | "flat";

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
}

const HEADER = 0x202;
const HEADER_MAGIC = "HdrS";
const ELF_MAGIC = "\x7fELF";

/** Tells by the bytes; whatever has no header is flat. Throws a `BootImageError` for what cannot boot. */
export function imageKind(name: string, image: Uint8Array): ImageKind {
  if (image.length === 0) throw new BootImageError(name, "the file is empty");
  const starts = (at: number, text: string) =>
    [...text].every((character, index) => image[at + index] === character.charCodeAt(0));
  if (starts(HEADER, HEADER_MAGIC)) return "linux";
  if (findMultibootHeader(image) >= 0) return "multiboot";
  if (starts(0, ELF_MAGIC)) {
    throw new BootImageError(name, "this ELF file has no multiboot header", "Boot Linux from its bzImage");
  }
  return "flat";
}

/** Puts an image into memory and the processor at its entry. Throws a `BootImageError`. */
export function bootImage(kind: ImageKind, memory: GuestMemory, vcpu: Vcpu, options: BootOptions): void {
  const { name, image, initrd, commandLine, address, ramSize } = options;
  switch (kind) {
    case "linux":
      bootLinux(memory, vcpu, options);
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

function bootLinux(memory: GuestMemory, vcpu: Vcpu, options: BootOptions): void {
  const { name, image, initrd, commandLine, ramSize } = options;
  try {
    if (readSetupHeader(image).isLongMode) {
      throw new LinuxImageError("this kernel wants a 64-bit processor", "Take a 32-bit one");
    }
    enterLinux(vcpu, loadLinux(memory, { kernel: image, commandLine, ramSize, ...(initrd && { initrd }) }));
  } catch (error) {
    // The layer knows the bytes; which file they are from is known here.
    throw error instanceof LinuxImageError ? new BootImageError(name, error.problem, error.remedy) : error;
  }
}
