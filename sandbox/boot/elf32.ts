/**
 * ELF executables for 32-bit x86: what of the file goes where in memory, and where to begin.
 *
 * Source: Tool Interface Standard, Executable and Linking Format 1.2: "ELF Header", "Program Header".
 */
import { BootImageError } from "./boot-image-error.ts";

const MAGIC = 0x7f45_4c46; // big endian: 7f "ELF"
const CLASS = 4;
const CLASS_32 = 1;
const DATA = 5;
const LITTLE_ENDIAN = 1;
const TYPE_EXECUTABLE = 2;
const MACHINE_386 = 3;
const HEADER_SIZE = 52;
const PROGRAM_HEADER_SIZE = 32;
const LOADABLE = 1;

/** Bytes of the file that belong into memory. */
export interface ElfSegment {
  /** Guest-physical. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** In memory, bytes: what `bytes` does not fill is zero. */
  readonly size: number;
}

export interface ElfImage {
  /** A virtual address, as the file gives it. */
  readonly entry: number;
  readonly segments: readonly ElfSegment[];
}

export function isElf(file: Uint8Array): boolean {
  return file.length >= 4 && viewOf(file).getUint32(0) === MAGIC;
}

/** Reads the program headers of `file`; `name` is for messages. Throws a `BootImageError`. */
export function readElf32(name: string, file: Uint8Array): ElfImage {
  const refuse = (problem: string, remedy?: string): never => {
    throw new BootImageError(name, problem, remedy);
  };
  if (!isElf(file) || file.length < HEADER_SIZE) return refuse("this is no ELF file");
  const view = viewOf(file);
  if (file[CLASS] !== CLASS_32 || file[DATA] !== LITTLE_ENDIAN || view.getUint16(18, true) !== MACHINE_386) {
    return refuse("this ELF file is not for a 32-bit x86", "Link it with `ld -m elf_i386`");
  }
  if (view.getUint16(16, true) !== TYPE_EXECUTABLE) {
    return refuse("this ELF file is not linked to fixed addresses", "Link it without -pie, -shared and -r");
  }
  const entrySize = view.getUint16(42, true);
  const first = view.getUint32(28, true);
  const count = view.getUint16(44, true);
  if (entrySize < PROGRAM_HEADER_SIZE || first + count * entrySize > file.length) {
    return refuse("the program headers lie outside of the file");
  }
  const segments: ElfSegment[] = [];
  for (let at = first; at < first + count * entrySize; at += entrySize) {
    const field = (offset: number) => view.getUint32(at + offset, true);
    if (field(0) !== LOADABLE) continue;
    const [offset, address, fileSize, size] = [field(4), field(12), field(16), field(20)];
    if (offset + fileSize > file.length) return refuse("a segment lies outside of the file: it is cut short");
    if (fileSize > size) return refuse("a segment is longer in the file than in memory");
    segments.push({ address, size, bytes: file.subarray(offset, offset + fileSize) });
  }
  if (segments.length === 0) return refuse("there is nothing in it to load");
  return { entry: view.getUint32(24, true), segments };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
