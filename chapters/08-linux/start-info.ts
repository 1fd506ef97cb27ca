// Starter: write the exercises here; `npm run chapter 8` runs them, `npm run chapter 8 test` tests them.
// Generated from solutions/08-linux/start-info.ts by `npm run starters` (c215c442).
/**
 * PVH's start info: what the boot parameters are to the other protocol. All numbers are little endian,
 * addresses guest-physical.
 *
 *      0  magic, "xEn3" with bit 7 of the E set        24  command line
 *      4  version: 1, with a memory map                32  ACPI's root pointer
 *      8  flags                                        40  memory map, 24 bytes a line
 *     12  number of modules                            48  number of its lines
 *     16  modules, 32 bytes each
 *
 * Source: Xen, xen/include/public/arch-x86/hvm/start_info.h.
 */
import type { LoaderAnswers } from "./boot-params.ts";
import { COMMAND_LINE_ADDRESS, INFORMATION_ADDRESS } from "./layout.ts";
import { E820_TYPES } from "./memory-map.ts";

const MAGIC = 0x336e_c578;
const VERSION_WITH_MEMORY_MAP = 1;

export const START_INFO_SIZE = 56;
export const MODULE_SIZE = 32;
export const MAP_LINE_SIZE = 24;

// Offsets in the start info.
export const START_VERSION = 4;
export const NR_MODULES = 12;
export const MODLIST_PADDR = 16;
export const CMDLINE_PADDR = 24;
export const RSDP_PADDR = 32;
export const MEMMAP_PADDR = 40;
export const MEMMAP_ENTRIES = 48;

// #region start-info
/** The start info and behind it the lists that it points to, for `INFORMATION_ADDRESS`. */
export function startInfo({ initrd, map, acpiRootPointer }: LoaderAnswers): Uint8Array {
  const modules = initrd ? [initrd] : [];
  const moduleList = START_INFO_SIZE;
  const memoryMap = moduleList + MODULE_SIZE * modules.length;
  const bytes = new Uint8Array(memoryMap + MAP_LINE_SIZE * map.length);
  const view = new DataView(bytes.buffer);
  const put64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  // #region exercise-start-info
  throw new Error(
    "exercise start-info: write magic, version, and where command line, modules, ACPI and memory map are; then the lists themselves · chapter 8, “Another way in”",
  );
  // #endregion exercise-start-info
  return bytes;
}
// #endregion start-info
