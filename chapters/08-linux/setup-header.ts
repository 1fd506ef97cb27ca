// Starter: write the exercises here; `npm run chapter 8` runs them, `npm run chapter 8 test` tests them.
// Generated from solutions/08-linux/setup-header.ts by `npm run starters` (79dc803e).
/**
 * The setup header of a bzImage: where kernel and loader tell each other what they need to know.
 *
 * A bzImage is two programs in one file: real-mode setup code for a PC with firmware, and behind it the
 * protected-mode kernel. The header lies in the first of them, at a place that has not moved since 1995.
 *
 *     0       boot sector, 512 bytes       0x1f1 … the setup header begins in it
 *     512     setup code, `setup_sects` sectors
 *     then    protected-mode kernel, `syssize` paragraphs of 16 bytes
 *
 * Source: Linux kernel documentation, "The Linux/x86 Boot Protocol": "The Real-Mode Kernel Header".
 */
import { KernelImageError } from "./kernel-image-error.ts";

const SECTOR = 512;
const PARAGRAPH = 16;

// Offsets in the image and, unchanged, in the boot parameters.
export const SETUP_SECTS = 0x1f1;
export const SYSSIZE = 0x1f4;
export const VID_MODE = 0x1fa;
export const BOOT_FLAG = 0x1fe;
/** The displacement of the jump at 0x200, which leads over the header: it ends so many bytes behind 0x202. */
export const JUMP_DISPLACEMENT = 0x201;
export const HEADER = 0x202;
export const VERSION = 0x206;
export const TYPE_OF_LOADER = 0x210;
export const LOADFLAGS = 0x211;
export const CODE32_START = 0x214;
export const RAMDISK_IMAGE = 0x218;
export const RAMDISK_SIZE = 0x21c;
export const CMD_LINE_PTR = 0x228;
export const INITRD_ADDR_MAX = 0x22c;
export const KERNEL_ALIGNMENT = 0x230;
export const RELOCATABLE_KERNEL = 0x234;
export const XLOADFLAGS = 0x236;
export const CMDLINE_SIZE = 0x238;
export const PREF_ADDRESS = 0x258;
export const INIT_SIZE = 0x260;
/** The boot parameters have other fields from here on, so no header is longer. */
export const HEADER_LIMIT = 0x290;

const BOOT_MAGIC = 0xaa55;
const HEADER_MAGIC = 0x5372_6448; // "HdrS"
/** The first version with `cmdline_size`; Linux 2.6.22 has it. */
const OLDEST = 0x0206;
const VERSION_WITH_INIT_SIZE = 0x020a;
const VERSION_WITH_XLOADFLAGS = 0x020c;

export const LOADED_HIGH = 0b0000_0001;
export const XLF_KERNEL_64 = 0b0000_0001;

/** Where the protected-mode kernel of every bzImage is put. */
export const KERNEL_ADDRESS = 0x10_0000;

/** What the setup header says, as far as a loader needs it. Addresses are guest-physical, sizes bytes. */
export interface SetupHeader {
  /** 0x020f is 2.15. */
  readonly version: number;
  /** Where the header ends in the image. */
  readonly end: number;
  /** Where the protected-mode kernel begins in the image, and how long it is. */
  readonly kernelOffset: number;
  readonly kernelSize: number;
  /** The last address that the initial RAM disk may occupy. */
  readonly initrdAddressMax: number;
  /** The longest command line, without its final zero. */
  readonly commandLineSize: number;
  /** Where the kernel unpacks itself, and how much memory it needs from there on before it reads its map. */
  readonly runtimeStart: number;
  readonly initSize: number;
  /** The kernel wants a processor with long mode. */
  readonly isLongMode: boolean;
}

// #region setup-header
/** Reads the setup header of a bzImage. Throws a `KernelImageError` for anything else. */
export function readSetupHeader(image: Uint8Array): SetupHeader {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  checkKind(view);
  // #region exercise-setup-header
  throw new Error(
    "exercise setup-header: read what the header says: where it ends, where the protected-mode kernel begins and how long it is, and what it wants of its loader · chapter 8, “Read the setup header”",
  );
  // #endregion exercise-setup-header
}
// #endregion setup-header

/** Refuses what is no bzImage, and one that this loader is too young for. */
function checkKind(view: DataView): void {
  if (view.byteLength < INIT_SIZE + 4) {
    throw new KernelImageError(`${view.byteLength} bytes are too few for a Linux kernel`);
  }
  if (view.getUint16(BOOT_FLAG, true) !== BOOT_MAGIC || view.getUint32(HEADER, true) !== HEADER_MAGIC) {
    throw new KernelImageError("this is no Linux bzImage: there is no HdrS at 0x202");
  }
  const version = view.getUint16(VERSION, true);
  if (version < OLDEST) {
    const text = `${version >> 8}.${String(version & 0xff).padStart(2, "0")}`;
    throw new KernelImageError(
      `boot protocol ${text} is older than 2.06`,
      "Take a kernel from Linux 2.6.22 on",
    );
  }
  if ((view.getUint8(LOADFLAGS) & LOADED_HIGH) === 0) {
    throw new KernelImageError("this is a zImage, which wants to run below 1 MiB", "Build a bzImage");
  }
}

/** Refuses a file that ends before its kernel does. */
function checkLength(length: number, kernelOffset: number, kernelSize: number): void {
  if (kernelSize > 0 && length > kernelOffset + kernelSize - PARAGRAPH) return;
  throw new KernelImageError(
    `the kernel should be ${kernelOffset + kernelSize} bytes long and has ${length}: it is cut short`,
    "Fetch it again",
  );
}

// #region runtime-start
/** Where a kernel loaded at `KERNEL_ADDRESS` will run: "Details of Header Fields", init_size. */
export function runtimeStart(view: DataView): number {
  const preferred = Number(view.getBigUint64(PREF_ADDRESS, true)) || KERNEL_ADDRESS;
  // #region exercise-runtime-start
  throw new Error(
    "exercise runtime-start: return where the kernel will run: a relocatable one at or above where it was loaded, aligned; any other at its preferred address · chapter 8, “Read the setup header”",
  );
  // #endregion exercise-runtime-start
}
// #endregion runtime-start
