// Starter: write the exercises here; `npm run chapter 8` runs them, `npm run chapter 8 test` tests them.
// Generated from solutions/08-linux/boot-params.ts by `npm run starters` (abddd801).
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
  throw new Error(
    "exercise boot-params: copy the setup header to its place in the page, and write the loader's answers into it: video mode, loader, entry, command line, initial RAM disk, ACPI · chapter 8, “Fill in the boot parameters”",
  );
  // #endregion exercise-boot-params
  writeE820(view, answers.map.slice(0, E820_MOST));
  return page;
}
// #endregion boot-params

// #region e820
/** Writes the memory map: how many lines, and each with start, size and type, without gaps. */
export function writeE820(page: DataView, map: readonly MemoryRange[]): void {
  // #region exercise-e820
  throw new Error(
    "exercise e820: write the number of lines, and each line as start, size and type, packed into 20 bytes · chapter 8, “Fill in the boot parameters”",
  );
  // #endregion exercise-e820
}
// #endregion e820
