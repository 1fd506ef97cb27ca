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
  for (let at = 0; at + NOTE_HEADER_SIZE <= bytes.length; ) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const name = at + NOTE_HEADER_SIZE;
    const start = name + filledUp(nameSize);
    if (start + size > bytes.length) throw new KernelImageError("a note is cut short");
    const owner = String.fromCharCode(...bytes.subarray(name, name + Math.max(nameSize - 1, 0)));
    notes.push({ owner, type, description: bytes.subarray(start, start + size) });
    at = start + filledUp(size);
  }
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
  const note = segments
    .flatMap(readNotes)
    .find(({ owner, type }) => owner === OWNER && type === XEN_ELFNOTE_PHYS32_ENTRY);
  if (!note) return undefined;
  const { description } = note;
  if (description.length < 4) throw new KernelImageError("its PVH note has no address");
  return new DataView(description.buffer, description.byteOffset).getUint32(0, true);
  // #endregion exercise-pvh-entry
}
// #endregion pvh-entry
