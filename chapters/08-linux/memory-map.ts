// Starter: write the exercises here; `npm run chapter 8` runs them, `npm run chapter 8 test` tests them.
// Generated from solutions/08-linux/memory-map.ts by `npm run starters` (346aa342).
/**
 * The memory map: which guest-physical addresses are RAM, as the firmware of a PC would tell. Its lines are
 * named E820 after the BIOS call that gave them.
 *
 *     0x0000_0000  RAM                            0x000a_0000  VGA's memory, in no line
 *     0x0009_fc00  reserved: the firmware's data  0x000f_0000  reserved: the firmware's ROM
 *                                                 0x0010_0000  RAM, up to the end
 *
 * Source: ACPI 6.4, 15.1 "INT 15H, E820H - Query System Address Map", 15.4 "E820 Assumptions and Limitations".
 */

/** Where the extended BIOS data area of a PC begins, which nobody may use. */
export const LOW_MEMORY_END = 0x9_fc00;
export const VIDEO_MEMORY = 0xa_0000;
export const FIRMWARE = 0xf_0000;
export const HIGH_MEMORY = 0x10_0000;

/** The types of ACPI 6.4, table 15.3, that this machine has. */
export const E820_TYPES = { usable: 1, reserved: 2 } as const;
export type MemoryType = keyof typeof E820_TYPES;

/** A line of the memory map, in bytes. */
export interface MemoryRange {
  readonly start: number;
  readonly size: number;
  readonly type: MemoryType;
}

// #region memory-map
/** What of the first `ramSize` bytes is memory, by rising address; `ramSize` is at least 1 MiB. */
export function memoryMap(ramSize: number): MemoryRange[] {
  // #region exercise-memory-map
  throw new Error(
    "exercise memory-map: list the ranges of RAM and the reserved ones below 1 MiB, by rising address, and nothing for the video memory · chapter 8, “Draw the memory map”",
  );
  // #endregion exercise-memory-map
}
// #endregion memory-map
