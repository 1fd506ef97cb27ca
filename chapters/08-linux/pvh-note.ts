// Starter: write the exercises here; `npm run chapter 8` runs them, `npm run chapter 8 test` tests them.
// Generated from solutions/08-linux/pvh-note.ts by `npm run starters` (ff3a0103).
/**
 * The note by which a kernel says that it can be entered by PVH, and where.
 *
 *     +0   size of the owner's name, with its final zero    then  the name, filled up to 4 bytes
 *     +4   size of the description                          then  the description, filled up to 4 bytes
 *     +8   type, which means something only to that owner
 *
 * Source: Tool Interface Standard, ELF 1.2, "Note Section"; Xen, xen/include/public/elfnote.h.
 */
import { KernelImageError } from "./kernel-image-error.ts";

const NOTE_HEADER_SIZE = 12;
const OWNER = "Xen";
export const XEN_ELFNOTE_PHYS32_ENTRY = 18;

export interface ElfNote {
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
}

// #region notes
/** The notes of a note segment, in their order. Throws a `KernelImageError` for one that is cut short. */
export function readNotes(bytes: Uint8Array): ElfNote[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const notes: ElfNote[] = [];
  // #region exercise-notes
  throw new Error(
    "exercise notes: read note after note: the owner's name without its zero, the type, the description; name and description are each filled up to 4 bytes · chapter 8, “Another way in”",
  );
  // #endregion exercise-notes
  return notes;
}
// #endregion notes

/** A size with the bytes behind it that fill it up to whole words of 4. */
function filledUp(size: number): number {
  return Math.ceil(size / 4) * 4;
}

// #region pvh-entry
/** The guest-physical address at which PVH enters the kernel; undefined if no note gives one. */
export function findPvhEntry(segments: readonly Uint8Array[]): number | undefined {
  // #region exercise-pvh-entry
  throw new Error(
    "exercise pvh-entry: return the address in Xen's note of type 18, or undefined where there is none · chapter 8, “Another way in”",
  );
  // #endregion exercise-pvh-entry
}
// #endregion pvh-entry
