/**
 * The Multiboot loader: puts an image into guest memory and a processor at its entry, in flat 32-bit
 * protected mode without paging, with EBX at a description of the machine.
 *
 * The image is an ELF file, or a flat one whose multiboot header carries the addresses.
 *
 * Source: Multiboot Specification 0.6.96: 3.1 "OS image format", 3.2 "Machine state", 3.3 "Boot
 * information format".
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type ElfImage, isElf, readElf32 } from "#layers/08-linux/elf.ts";
import { flatCode, flatData } from "#layers/08-linux/flat-segments.ts";
import type { Vcpu } from "../kvm/api.ts";
import { aboutFile, BootImageError } from "./boot-image-error.ts";

const HEADER_MAGIC = 0x1bad_b002;
/** The header lies completely within this many bytes of the file. */
const HEADER_AREA = 8192;
const HEADER_SIZE = 12;
const HEADER_SIZE_WITH_ADDRESSES = 32;
const PAGE_ALIGNED_MODULES = 1 << 0;
const MEMORY_WANTED = 1 << 1;
const VIDEO_WANTED = 1 << 2;
const HAS_ADDRESSES = 1 << 16;
/** Wishes in the low half that the loader must fulfil or refuse. */
const UNDERSTOOD = PAGE_ALIGNED_MODULES | MEMORY_WANTED | VIDEO_WANTED;

const LOADER_MAGIC = 0x2bad_b002n;

// The boot information: flags, and where each field lies.
const INFO_MEMORY = 1 << 0;
const INFO_COMMAND_LINE = 1 << 2;
const INFO_MODULES = 1 << 3;
const INFO_MEMORY_MAP = 1 << 6;
const INFO_LOADER_NAME = 1 << 9;
const INFO_SIZE = 116;

/** Below 640 KiB and above what firmware and boot sectors use. */
const INFO_ADDRESS = 0x9_0000;
const LOW_MEMORY_END = 0xa_0000;
const HIGH_MEMORY = 0x10_0000;
const PAGE = 4096;
const LOADER_NAME = "vmexit";

/** The selectors may be any. */
const CODE = 0x08;
const DATA = 0x10;

export interface MultibootModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface MultibootOptions {
  /** For messages, and the first word of the command line. */
  readonly name: string;
  readonly image: Uint8Array;
  /** Bytes of RAM from address 0 on. */
  readonly ramSize: number;
  readonly commandLine?: string;
  readonly modules?: readonly MultibootModule[];
}

export interface MultibootEntry {
  readonly entry: number;
  /** Guest-physical address of the boot information. */
  readonly information: number;
}

/** Loads the image and all that it wants to know. Throws a `BootImageError`. */
export function loadMultiboot(memory: GuestMemory, options: MultibootOptions): MultibootEntry {
  const { name, image, ramSize, modules = [] } = options;
  const { entry, segments } = readMultiboot(name, image);
  let end = HIGH_MEMORY;
  for (const { address, bytes, size } of segments) {
    if (address + size > ramSize || (address < HIGH_MEMORY && address + size > INFO_ADDRESS)) {
      const range = `0x${address.toString(16)} to 0x${(address + size).toString(16)}`;
      throw new BootImageError(
        name,
        `its bytes ${range} have no room in ${ramSize} bytes of RAM`,
        "Give the machine more memory",
      );
    }
    memory.load(name, bytes, address);
    memory.load(name, new Uint8Array(size - bytes.length), address + bytes.length);
    end = Math.max(end, address + size);
  }
  const placed = modules.map(module => {
    const start = Math.ceil(end / PAGE) * PAGE;
    end = start + module.bytes.length;
    if (end > ramSize) throw new BootImageError(module.name, "there is no room for this module");
    memory.load(module.name, module.bytes, start);
    return { start, end, name: module.name };
  });
  const information = informationBytes(options, placed);
  if (INFO_ADDRESS + information.length > LOW_MEMORY_END) {
    throw new BootImageError(name, "the command line and the names of the modules are too long");
  }
  memory.load("the boot information", information, INFO_ADDRESS);
  return { entry, information: INFO_ADDRESS };
}

/** What of the image goes where. Throws a `BootImageError` for one without a multiboot header. */
export function readMultiboot(name: string, image: Uint8Array): ElfImage {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const header = findMultibootHeader(image);
  if (header < 0) {
    throw new BootImageError(name, "there is no multiboot header in its first 8 KiB", "Link it first of all");
  }
  const flags = view.getUint32(header + 4, true);
  if ((flags & 0xffff & ~UNDERSTOOD) !== 0) {
    throw new BootImageError(name, `its header asks for what is unknown: 0x${(flags & 0xffff).toString(16)}`);
  }
  if ((flags & VIDEO_WANTED) !== 0)
    throw new BootImageError(name, "it wants a video mode, and there is none");
  if ((flags & HAS_ADDRESSES) === 0) {
    if (isElf(image)) return aboutFile(name, () => readElf32(image));
    throw new BootImageError(name, "it is no ELF file, and its header has no addresses");
  }
  return flatImage(name, image, view, header);
}

/** An image whose header says where it goes: the header's own address, then load, end, bss end, entry. */
function flatImage(name: string, image: Uint8Array, view: DataView, header: number): ElfImage {
  if (header + HEADER_SIZE_WITH_ADDRESSES > image.length) {
    throw new BootImageError(name, "its multiboot header is cut short");
  }
  const field = (offset: number) => view.getUint32(header + offset, true);
  const [headerAddress, load, loadEnd, bssEnd, entry] = [
    field(12),
    field(16),
    field(20),
    field(24),
    field(28),
  ];
  const from = header - (headerAddress - load);
  const length = loadEnd === 0 ? image.length - from : loadEnd - load;
  if (from < 0 || length < 0 || from + length > image.length) {
    throw new BootImageError(name, "the addresses in its header do not fit its length");
  }
  const size = Math.max(length, bssEnd === 0 ? 0 : bssEnd - load);
  const segments = [{ address: load, size, bytes: image.subarray(from, from + length) }];
  return { entry, segments, notes: [] };
}

/** The offset of the multiboot header, or -1. */
export function findMultibootHeader(image: Uint8Array): number {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const last = Math.min(HEADER_AREA, view.byteLength) - HEADER_SIZE;
  for (let at = 0; at <= last; at += 4) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue;
    const sum = HEADER_MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
    if (sum % 2 ** 32 === 0) return at;
  }
  return -1;
}

function informationBytes(
  { name, ramSize, commandLine }: MultibootOptions,
  modules: readonly { start: number; end: number; name: string }[],
): Uint8Array {
  const bytes: number[] = new Array(INFO_SIZE).fill(0);
  const here = () => INFO_ADDRESS + bytes.length;
  const put32 = (at: number, value: number) => {
    for (let i = 0; i < 4; i++) bytes[at + i] = (value >>> (8 * i)) & 0xff;
  };
  const add32 = (...values: number[]) => {
    for (const value of values) put32(bytes.length, value);
  };
  /** Zero-terminated; returns its address. */
  const addText = (text: string) => {
    const address = here();
    bytes.push(...new TextEncoder().encode(text), 0);
    while (bytes.length % 4 !== 0) bytes.push(0);
    return address;
  };
  put32(0, INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME);
  put32(4, LOW_MEMORY_END / 1024);
  put32(8, Math.max(0, ramSize - HIGH_MEMORY) / 1024);
  put32(16, addText(commandLine === undefined ? name : `${name} ${commandLine}`));
  const names = modules.map(module => addText(module.name));
  put32(20, modules.length);
  put32(24, here());
  modules.forEach(({ start, end }, i) => {
    add32(start, end, names[i]!, 0);
  });
  const map = here();
  addRange(add32, 0, LOW_MEMORY_END);
  addRange(add32, HIGH_MEMORY, ramSize);
  put32(44, here() - map);
  put32(48, map);
  put32(64, addText(LOADER_NAME));
  return Uint8Array.from(bytes);
}

/** A line of the memory map: its length without this field, base, length, type 1 (RAM). */
function addRange(add32: (...values: number[]) => void, start: number, end: number): void {
  if (end > start) add32(20, start, 0, end - start, 0, 1);
}

/** The state in which the image is entered. GDTR and IDTR are void: it must load its own. */
export function enterMultiboot(vcpu: Vcpu, { entry, information }: MultibootEntry): void {
  const flat = flatData(DATA);
  const sregs = vcpu.getSregs();
  vcpu.setSregs({
    ...sregs,
    cs: flatCode(CODE),
    ds: flat,
    es: flat,
    fs: flat,
    gs: flat,
    ss: flat,
    gdt: { base: 0n, limit: 0 },
    idt: { base: 0n, limit: 0 },
    cr0: 0x11n, // PE, ET
    cr3: 0n,
    cr4: 0n,
    efer: 0n,
  });
  vcpu.setRegs({
    ...vcpu.getRegs(),
    rax: LOADER_MAGIC,
    rbx: BigInt(information),
    rip: BigInt(entry),
    rflags: 0x2n,
  });
}
