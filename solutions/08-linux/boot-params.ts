/**
 * The boot parameters: the page that tells a Linux kernel of its machine. It begins as zeros, takes over the
 * setup header of the image, and gets the loader's answers.
 *
 *     0x070  address of ACPI's root pointer     0x1f1  setup header, as in the image
 *     0x1e8  number of lines in the map         0x2d0  the memory map, 20 bytes a line
 *
 * Source: Linux kernel documentation, "Zero Page"; "The Linux/x86 Boot Protocol": "32-bit Boot Protocol".
 */
import { COMMAND_LINE_ADDRESS, type Placed } from "./layout.ts";
import { E820_TYPES, type MemoryRange } from "./memory-map.ts";
import {
  CMD_LINE_PTR,
  CODE32_START,
  KERNEL_ADDRESS,
  RAMDISK_IMAGE,
  RAMDISK_SIZE,
  SETUP_SECTS,
  type SetupHeader,
  TYPE_OF_LOADER,
  VID_MODE,
} from "./setup-header.ts";

const PAGE = 4096;

// Fields outside of the setup header.
export const ACPI_RSDP_ADDR = 0x070;
export const E820_ENTRIES = 0x1e8;
export const E820_TABLE = 0x2d0;
export const E820_LINE = 20;
const E820_MOST = 128;

const UNKNOWN_LOADER = 0xff;
const NORMAL_VIDEO = 0xffff;

/** What a loader tells the kernel, by either protocol. */
export interface LoaderAnswers {
  readonly initrd?: Placed | undefined;
  readonly map: readonly MemoryRange[];
  /** The guest-physical address of ACPI's root pointer, where there is one. */
  readonly acpiRootPointer?: number | undefined;
}

// #region boot-params
/** The page for `image`, whose setup header is `header`; the command line is at its address. */
export function bootParams(image: Uint8Array, { end }: SetupHeader, answers: LoaderAnswers): Uint8Array {
  const page = new Uint8Array(PAGE);
  const view = new DataView(page.buffer);
  // #region exercise-boot-params
  page.set(image.subarray(SETUP_SECTS, end), SETUP_SECTS);
  view.setUint16(VID_MODE, NORMAL_VIDEO, true);
  view.setUint8(TYPE_OF_LOADER, UNKNOWN_LOADER);
  view.setUint32(CODE32_START, KERNEL_ADDRESS, true);
  view.setUint32(CMD_LINE_PTR, COMMAND_LINE_ADDRESS, true);
  if (answers.initrd) {
    view.setUint32(RAMDISK_IMAGE, answers.initrd.address, true);
    view.setUint32(RAMDISK_SIZE, answers.initrd.size, true);
  }
  view.setBigUint64(ACPI_RSDP_ADDR, BigInt(answers.acpiRootPointer ?? 0), true);
  // #endregion exercise-boot-params
  writeE820(view, answers.map.slice(0, E820_MOST));
  return page;
}
// #endregion boot-params

// #region e820
/** Writes the memory map: how many lines, and each with start, size and type, without gaps. */
export function writeE820(page: DataView, map: readonly MemoryRange[]): void {
  // #region exercise-e820
  page.setUint8(E820_ENTRIES, map.length);
  map.forEach(({ start, size, type }, index) => {
    const line = E820_TABLE + E820_LINE * index;
    page.setBigUint64(line, BigInt(start), true);
    page.setBigUint64(line + 8, BigInt(size), true);
    page.setUint32(line + 16, E820_TYPES[type], true);
  });
  // #endregion exercise-e820
}
// #endregion e820
