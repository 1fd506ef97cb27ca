/**
 * The Linux/x86 boot protocol: what a boot loader puts where, and how it enters the kernel.
 *
 * A bzImage is two programs in one file: real-mode setup code for a PC with firmware, and behind it the
 * protected-mode kernel. A loader that knows the machine needs only the second and enters it in flat
 * 32-bit protected mode, ESI at a page of *boot parameters*. The page begins as a copy of the *setup
 * header* in the image, where kernel and loader tell each other what they need to know.
 *
 *     0x0000_0500  GDT                      0x0010_0000  protected-mode kernel
 *     0x0001_0000  boot parameters          …            (it unpacks itself at its preferred address)
 *     0x0002_0000  command line             top of RAM   initial RAM disk
 *
 * Source: Linux kernel documentation, "The Linux/x86 Boot Protocol" and "Zero Page".
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { Segment, Vcpu } from "../../sandbox/kvm/api.ts";

const SECTOR = 512;
const PAGE = 4096;

// The setup header: offsets in the image and, unchanged, in the boot parameters.
const SETUP_SECTS = 0x1f1;
const SYSSIZE = 0x1f4; // protected-mode code, in 16-byte paragraphs
const VID_MODE = 0x1fa;
const BOOT_FLAG = 0x1fe;
const JUMP_LENGTH = 0x201; // the header ends this many bytes behind 0x202
const HEADER = 0x202;
const VERSION = 0x206;
const TYPE_OF_LOADER = 0x210;
const LOADFLAGS = 0x211;
const CODE32_START = 0x214;
const RAMDISK_IMAGE = 0x218;
const RAMDISK_SIZE = 0x21c;
const CMD_LINE_PTR = 0x228;
const INITRD_ADDR_MAX = 0x22c;
const XLOADFLAGS = 0x236;
const CMDLINE_SIZE = 0x238;
const PREF_ADDRESS = 0x258;
const INIT_SIZE = 0x260;

// Fields of the boot parameters outside of the setup header.
const ACPI_RSDP_ADDR = 0x070;
const E820_ENTRIES = 0x1e8;
const E820_TABLE = 0x2d0;
const E820_MOST = 128;

const BOOT_MAGIC = 0xaa55;
const HEADER_MAGIC = 0x5372_6448; // "HdrS"
/** The first version with `cmdline_size`; Linux 2.6.21 has it. */
const OLDEST = 0x0206;
const VERSION_WITH_INIT_SIZE = 0x020a;
const VERSION_WITH_XLOADFLAGS = 0x020c;

const LOADED_HIGH = 0b0000_0001;
const KERNEL_64 = 0b0000_0001; // XLF_KERNEL_64
const UNKNOWN_LOADER = 0xff;
const NORMAL_VIDEO = 0xffff;

export const GDT_ADDRESS = 0x0500;
export const BOOT_PARAMS_ADDRESS = 0x1_0000;
export const COMMAND_LINE_ADDRESS = 0x2_0000;
export const KERNEL_ADDRESS = 0x10_0000;

/** Where the extended BIOS data area of a PC begins, which nobody may use, and the firmware's ROM. */
const LOW_MEMORY_END = 0x9_fc00;
const VIDEO_MEMORY = 0xa_0000;
const FIRMWARE = 0xf_0000;

const BOOT_CS = 0x10;
const BOOT_DS = 0x18;

/** A kernel image, or what goes with it, that cannot be booted. */
export class LinuxImageError extends Error {
  override readonly name = "LinuxImageError";
  constructor(
    readonly problem: string,
    readonly remedy?: string,
  ) {
    super(remedy === undefined ? problem : `${problem}. ${remedy}`);
  }
}

/** What the setup header says, as far as a loader needs it. Addresses are guest-physical, sizes bytes. */
export interface SetupHeader {
  /** 0x020f is 2.15. */
  readonly version: number;
  /** Where the header ends in the image. */
  readonly end: number;
  /** Where the protected-mode kernel begins in the image, and how long it is. */
  readonly kernelOffset: number;
  readonly kernelSize: number;
  /** The last address that the initial RAM disk may occupy. */
  readonly initrdAddressMax: number;
  /** The longest command line, without its final zero. */
  readonly commandLineSize: number;
  /** Where the kernel unpacks itself, and how much memory it needs from there on before it looks at the map. */
  readonly preferredAddress: number;
  readonly initSize: number;
  /** The kernel wants a processor with long mode. */
  readonly isLongMode: boolean;
}

export type MemoryType = "usable" | "reserved";

/** A line of the memory map, named E820 after the BIOS call that once gave it. */
export interface MemoryRange {
  readonly start: number;
  readonly size: number;
  readonly type: MemoryType;
}

export interface LinuxBoot {
  /** A bzImage. */
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
  /** Bytes of RAM from address 0 on. */
  readonly ramSize: number;
  /** The guest-physical address of ACPI's root pointer, where there is one. */
  readonly acpiRootPointer?: number;
}

/** Where the processor begins. */
export interface LinuxEntry {
  readonly entry: number;
  readonly bootParams: number;
}

// #region setup-header
/** Reads the setup header of a bzImage. Throws a `LinuxImageError` for anything else. */
export function readSetupHeader(image: Uint8Array): SetupHeader {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  // #region exercise-setup-header
  if (image.length < CMDLINE_SIZE + 4) {
    throw new LinuxImageError(`${image.length} bytes are too few for a Linux kernel`);
  }
  if (view.getUint16(BOOT_FLAG, true) !== BOOT_MAGIC || view.getUint32(HEADER, true) !== HEADER_MAGIC) {
    throw new LinuxImageError("this is no Linux bzImage: there is no HdrS at 0x202");
  }
  const version = view.getUint16(VERSION, true);
  if (version < OLDEST) {
    throw new LinuxImageError(
      `boot protocol ${versionText(version)} is older than 2.06`,
      "Take Linux 2.6.21 or newer",
    );
  }
  if ((view.getUint8(LOADFLAGS) & LOADED_HIGH) === 0) {
    throw new LinuxImageError("this is a zImage, which wants to run below 1 MiB", "Build a bzImage");
  }
  const end = HEADER + view.getUint8(JUMP_LENGTH);
  // 0 sectors mean 4, from the days before the field; the boot sector itself is one more.
  const kernelOffset = ((view.getUint8(SETUP_SECTS) || 4) + 1) * SECTOR;
  const kernelSize = view.getUint32(SYSSIZE, true) * 16;
  // The last paragraph need not be full.
  if (kernelSize === 0 || end > image.length || image.length <= kernelOffset + kernelSize - 16) {
    throw new LinuxImageError(
      `the kernel should be ${kernelOffset + kernelSize} bytes long and has ${image.length}: it is cut short`,
      "Fetch it again",
    );
  }
  const hasInitSize = version >= VERSION_WITH_INIT_SIZE;
  return {
    version,
    end,
    kernelOffset,
    kernelSize: Math.min(kernelSize, image.length - kernelOffset),
    initrdAddressMax: view.getUint32(INITRD_ADDR_MAX, true),
    commandLineSize: view.getUint32(CMDLINE_SIZE, true),
    preferredAddress: hasInitSize ? Number(view.getBigUint64(PREF_ADDRESS, true)) : KERNEL_ADDRESS,
    initSize: hasInitSize ? view.getUint32(INIT_SIZE, true) : kernelSize,
    isLongMode: version >= VERSION_WITH_XLOADFLAGS && (view.getUint16(XLOADFLAGS, true) & KERNEL_64) !== 0,
  };
  // #endregion exercise-setup-header
}
// #endregion setup-header

// #region memory-map
/** What of the first `ramSize` bytes is memory: all but the hole below 1 MiB where a PC has its ROMs. */
export function memoryMap(ramSize: number): MemoryRange[] {
  // #region exercise-memory-map
  const map: MemoryRange[] = [
    { start: 0, size: LOW_MEMORY_END, type: "usable" },
    { start: LOW_MEMORY_END, size: VIDEO_MEMORY - LOW_MEMORY_END, type: "reserved" },
    { start: FIRMWARE, size: KERNEL_ADDRESS - FIRMWARE, type: "reserved" },
  ];
  if (ramSize > KERNEL_ADDRESS) {
    map.push({ start: KERNEL_ADDRESS, size: ramSize - KERNEL_ADDRESS, type: "usable" });
  }
  return map;
  // #endregion exercise-memory-map
}
// #endregion memory-map

// #region initrd
/**
 * Where the initial RAM disk goes: as high as RAM and kernel allow, on a page of its own. The kernel frees
 * its pages later, and up there it is in nobody's way. Throws a `LinuxImageError` if it would lie in memory
 * that the kernel needs before it has read its map.
 */
export function placeInitrd(header: SetupHeader, size: number, ramSize: number): number {
  // #region exercise-initrd
  const limit = Math.min(ramSize, header.initrdAddressMax + 1);
  const address = Math.floor((limit - size) / PAGE) * PAGE;
  if (address < kernelEnd(header)) {
    throw new LinuxImageError(
      `the initial RAM disk of ${size} bytes and the kernel do not fit together into ${ramSize} bytes of RAM`,
      "Give the machine more memory",
    );
  }
  return address;
  // #endregion exercise-initrd
}

/** The first address behind all that the kernel uses while it unpacks itself. */
function kernelEnd({ preferredAddress, initSize, kernelSize }: SetupHeader): number {
  return Math.max(KERNEL_ADDRESS + kernelSize, Math.max(preferredAddress, KERNEL_ADDRESS) + initSize);
}
// #endregion initrd

// #region load
/** Puts kernel, initial RAM disk, command line and boot parameters into memory. */
export function loadLinux(memory: GuestMemory, boot: LinuxBoot): LinuxEntry {
  const { kernel, initrd, commandLine = "", ramSize } = boot;
  const header = readSetupHeader(kernel);
  if (kernelEnd(header) > ramSize) {
    throw new LinuxImageError(
      `the kernel needs ${kernelEnd(header)} bytes of RAM to unpack itself, and the machine has ${ramSize}`,
      "Give the machine more memory",
    );
  }
  const initrdAddress = initrd?.length ? placeInitrd(header, initrd.length, ramSize) : 0;
  memory.load(
    "the kernel",
    kernel.subarray(header.kernelOffset, header.kernelOffset + header.kernelSize),
    KERNEL_ADDRESS,
  );
  if (initrd?.length) memory.load("the initial RAM disk", initrd, initrdAddress);
  memory.load("the command line", commandLineBytes(commandLine, header), COMMAND_LINE_ADDRESS);
  memory.load("the boot parameters", bootParams(boot, header, initrdAddress), BOOT_PARAMS_ADDRESS);
  memory.load("the GDT", BOOT_GDT, GDT_ADDRESS);
  return { entry: KERNEL_ADDRESS, bootParams: BOOT_PARAMS_ADDRESS };
}
// #endregion load

/** The command line with its final zero. Throws a `LinuxImageError` if it is longer than the kernel reads. */
function commandLineBytes(text: string, { commandLineSize }: SetupHeader): Uint8Array {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const most = Math.min(commandLineSize, LOW_MEMORY_END - COMMAND_LINE_ADDRESS - 1);
  if (bytes.length - 1 > most) {
    throw new LinuxImageError(
      `the command line has ${bytes.length - 1} bytes, and this kernel reads ${most}`,
    );
  }
  return bytes;
}

// #region boot-params
/** The page of boot parameters: the image's setup header with the loader's answers, and the memory map. */
export function bootParams(boot: LinuxBoot, header: SetupHeader, initrdAddress: number): Uint8Array {
  const page = new Uint8Array(PAGE);
  const view = new DataView(page.buffer);
  // #region exercise-boot-params
  page.set(boot.kernel.subarray(SETUP_SECTS, header.end), SETUP_SECTS);
  view.setUint16(VID_MODE, NORMAL_VIDEO, true);
  view.setUint8(TYPE_OF_LOADER, UNKNOWN_LOADER);
  view.setUint32(CODE32_START, KERNEL_ADDRESS, true);
  view.setUint32(CMD_LINE_PTR, COMMAND_LINE_ADDRESS, true);
  if (boot.initrd?.length) {
    view.setUint32(RAMDISK_IMAGE, initrdAddress, true);
    view.setUint32(RAMDISK_SIZE, boot.initrd.length, true);
  }
  view.setBigUint64(ACPI_RSDP_ADDR, BigInt(boot.acpiRootPointer ?? 0), true);
  const map = memoryMap(boot.ramSize).slice(0, E820_MOST);
  view.setUint8(E820_ENTRIES, map.length);
  map.forEach(({ start, size, type }, line) => {
    const at = E820_TABLE + 20 * line;
    view.setBigUint64(at, BigInt(start), true);
    view.setBigUint64(at + 8, BigInt(size), true);
    view.setUint32(at + 16, type === "usable" ? 1 : 2, true);
  });
  // #endregion exercise-boot-params
  return page;
}
// #endregion boot-params

// #region enter
/** Flat segments of 4 GiB at the selectors that the protocol names, 0x10 for code and 0x18 for data. */
const BOOT_GDT = new Uint8Array(
  new BigUint64Array([0n, 0n, 0x00cf_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn]).buffer,
);

/** The processor's state at the 32-bit entry: protected mode, no paging, interrupts off. */
export function enterLinux(vcpu: Vcpu, { entry, bootParams }: LinuxEntry): void {
  // #region exercise-enter
  const data: Segment = {
    base: 0n,
    limit: 0xffff_ffff,
    selector: BOOT_DS,
    type: 0b0011, // data, writable, accessed
    present: 1,
    dpl: 0,
    db: 1,
    s: 1,
    l: 0,
    g: 1,
    avl: 0,
    unusable: 0,
  };
  vcpu.setSregs({
    ...vcpu.getSregs(),
    cs: { ...data, selector: BOOT_CS, type: 0b1011 }, // code, readable, accessed
    ds: data,
    es: data,
    fs: data,
    gs: data,
    ss: data,
    gdt: { base: BigInt(GDT_ADDRESS), limit: BOOT_GDT.length - 1 },
    cr0: 0x11n, // PE, ET
    cr3: 0n,
    cr4: 0n,
    efer: 0n,
  });
  vcpu.setRegs({
    ...vcpu.getRegs(),
    rsi: BigInt(bootParams),
    rbp: 0n,
    rdi: 0n,
    rbx: 0n,
    rip: BigInt(entry),
    rflags: 0b10n,
  });
  // #endregion exercise-enter
}
// #endregion enter

function versionText(version: number): string {
  return `${version >> 8}.${String(version & 0xff).padStart(2, "0")}`;
}
