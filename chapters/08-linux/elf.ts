// Starter: write the exercises here; `npm run chapter 8` runs them, `npm run chapter 8 test` tests them.
// Generated from solutions/08-linux/elf.ts by `npm run starters` (6bddabcd).
/**
 * ELF executables for 32-bit x86: what of the file goes where in memory, where to begin, and the notes.
 *
 * Source: Tool Interface Standard, Executable and Linking Format 1.2: "ELF Header", "Program Header",
 * "Note Section".
 */
import { KernelImageError } from "./kernel-image-error.ts";

const MAGIC = 0x7f45_4c46; // big endian: 7f "ELF"
const EI_CLASS = 4;
const CLASS_64 = 2;
const EI_DATA = 5;
const LITTLE_ENDIAN = 1;

// Offsets in the ELF header.
const E_TYPE = 16;
const E_MACHINE = 18;
const E_ENTRY = 24;
const E_PHOFF = 28;
const E_PHENTSIZE = 42;
const E_PHNUM = 44;
const HEADER_SIZE = 52;

// Offsets in a program header.
const P_TYPE = 0;
const P_OFFSET = 4;
const P_PADDR = 12;
const P_FILESZ = 16;
const P_MEMSZ = 20;
const PROGRAM_HEADER_SIZE = 32;

const ET_EXEC = 2;
const EM_386 = 3;
const PT_LOAD = 1;
const PT_NOTE = 4;

/** Bytes of the file that belong into memory. */
export interface ElfSegment {
  /** Guest-physical. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** In memory, bytes: what `bytes` does not fill is zero. */
  readonly size: number;
}

export interface ElfImage {
  /** As the file gives it: for most kernels a virtual address. */
  readonly entry: number;
  readonly segments: readonly ElfSegment[];
  /** The contents of the note segments. */
  readonly notes: readonly Uint8Array[];
}

export function isElf(file: Uint8Array): boolean {
  return file.length >= 4 && viewOf(file).getUint32(0) === MAGIC;
}

/** Reads the program headers of `file`. Throws a `KernelImageError`. */
export function readElf32(file: Uint8Array): ElfImage {
  const view = checkedView(file);
  const first = view.getUint32(E_PHOFF, true);
  const entrySize = view.getUint16(E_PHENTSIZE, true);
  const count = view.getUint16(E_PHNUM, true);
  if (entrySize < PROGRAM_HEADER_SIZE || first + count * entrySize > file.length) {
    throw new KernelImageError("the program headers lie outside of the file");
  }
  const headers = Array.from({ length: count }, (_, index) => {
    const at = first + index * entrySize;
    return new DataView(file.buffer, file.byteOffset + at, PROGRAM_HEADER_SIZE);
  });
  const ofType = (type: number) => headers.filter(header => header.getUint32(P_TYPE, true) === type);
  const segments = ofType(PT_LOAD).map(header => readSegment(file, header));
  if (segments.length === 0) throw new KernelImageError("there is nothing in it to load");
  const notes = ofType(PT_NOTE).map(header => readSegment(file, header).bytes);
  return { entry: view.getUint32(E_ENTRY, true), segments, notes };
}

// #region segment
/** What one program header tells: bytes of the file, and where in memory they belong. */
function readSegment(file: Uint8Array, header: DataView): ElfSegment {
  // #region exercise-segment
  throw new Error(
    "exercise segment: take a program header apart: which bytes of the file, at which physical address, and how much room in memory; throw for one that lies outside of the file · chapter 8, “Another way in”",
  );
  // #endregion exercise-segment
}
// #endregion segment

/** The file as numbers, if it is an executable that a 32-bit x86 can run where it is linked to. */
function checkedView(file: Uint8Array): DataView {
  if (!isElf(file)) throw new KernelImageError("this is no ELF file");
  if (file.length < HEADER_SIZE) throw new KernelImageError("this ELF file is cut short in its header");
  const view = viewOf(file);
  if (file[EI_CLASS] === CLASS_64) {
    throw new KernelImageError("this ELF file is for a 64-bit processor", "Take a 32-bit one");
  }
  if (file[EI_DATA] !== LITTLE_ENDIAN || view.getUint16(E_MACHINE, true) !== EM_386) {
    throw new KernelImageError("this ELF file is not for an x86", "Link it with `ld -m elf_i386`");
  }
  if (view.getUint16(E_TYPE, true) !== ET_EXEC) {
    throw new KernelImageError(
      "this ELF file is not linked to fixed addresses",
      "Link it without -pie, -shared and -r",
    );
  }
  return view;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
