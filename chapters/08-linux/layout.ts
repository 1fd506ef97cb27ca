// Starter: write the exercises here; `npm run chapter 8` runs them, `npm run chapter 8 test` tests them.
// Generated from solutions/08-linux/layout.ts by `npm run starters` (32fa3b97).
/**
 * What goes where in guest memory before a kernel runs.
 *
 *     0x0000_0500  GDT                                     0x0010_0000  the kernel
 *     0x0001_0000  boot parameters, or PVH's start info    …            (it unpacks itself higher up)
 *     0x0002_0000  command line                            top of RAM   initial RAM disk
 */
import { KernelImageError } from "./kernel-image-error.ts";
import { LOW_MEMORY_END } from "./memory-map.ts";

const PAGE = 4096;

export const GDT_ADDRESS = 0x0500;
/** Both protocols tell the kernel by a register where this is: it could be elsewhere. */
export const INFORMATION_ADDRESS = 0x1_0000;
export const COMMAND_LINE_ADDRESS = 0x2_0000;
/** What there is room for below the firmware's data, without the final zero. */
export const LONGEST_COMMAND_LINE = LOW_MEMORY_END - COMMAND_LINE_ADDRESS - 1;

/** Bytes that lie in guest memory. */
export interface Placed {
  readonly address: number;
  readonly size: number;
}

/** Where the initial RAM disk may go: from `from` on, and not at or behind `limit`. */
export interface Room {
  readonly from: number;
  readonly limit: number;
}

// #region initrd
/**
 * Where the initial RAM disk of `size` bytes goes: as high as there is room, on a page of its own. The
 * kernel frees its pages later, and up there it is in nobody's way. Throws a `KernelImageError` if it would
 * lie in memory that the kernel needs before it has read its map.
 */
export function placeInitrd(size: number, { from, limit }: Room): number {
  // #region exercise-initrd
  throw new Error(
    "exercise initrd: return the highest page at which the initial RAM disk ends before the limit; throw if that is below where room begins · chapter 8, “Find room”",
  );
  // #endregion exercise-initrd
}
// #endregion initrd

// #region command-line
/** The command line with its final zero. Throws a `KernelImageError` if it has more than `most` bytes. */
export function commandLineBytes(text: string, most: number): Uint8Array {
  // #region exercise-command-line
  throw new Error(
    "exercise command-line: encode the command line with a zero behind it; throw if it is longer, without the zero, than the kernel reads · chapter 8, “Find room”",
  );
  // #endregion exercise-command-line
}
// #endregion command-line
