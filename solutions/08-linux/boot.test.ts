import { describe, expect, it } from "vitest";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import {
  BOOT_PARAMS_ADDRESS,
  bootParams,
  COMMAND_LINE_ADDRESS,
  enterLinux,
  KERNEL_ADDRESS,
  LinuxImageError,
  loadLinux,
  memoryMap,
  placeInitrd,
  readSetupHeader,
} from "./boot.ts";

const MIB = 0x10_0000;
const RAM = 64 * MIB;

interface Field {
  readonly at: number;
  readonly size: 1 | 2 | 4;
  readonly value: number;
}

/** A bzImage of protocol 2.15 with two setup sectors around `code`; `fields` change its header. */
function bzImage({ code = new Uint8Array(64), fields = [] as readonly Field[] } = {}): Uint8Array {
  const image = new Uint8Array(3 * 512 + code.length);
  const view = new DataView(image.buffer);
  const put = ({ at, size, value }: Field) => {
    if (size === 1) view.setUint8(at, value);
    else if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
  };
  for (const [at, size, value] of [
    [0x1f1, 1, 2],
    [0x1f4, 4, Math.ceil(code.length / 16)],
    [0x1fe, 2, 0xaa55],
    [0x200, 2, 0x6aeb], // the header ends at 0x26c
    [0x202, 4, 0x5372_6448],
    [0x206, 2, 0x020f],
    [0x211, 1, 0x01],
    [0x22c, 4, 0x7fff_ffff],
    [0x238, 4, 255],
    [0x258, 4, 16 * MIB],
    [0x260, 4, 8 * MIB],
  ] as const) {
    put({ at, size, value });
  }
  for (const field of fields) put(field);
  image.set(code, 3 * 512);
  return image;
}

function machine() {
  const hypervisor = openSoft();
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM));
  memory.map(0, 0, RAM);
  return { memory, vcpu: vm.createVcpu(0) };
}

describe("the setup header", () => {
  it("tells where the kernel is in the image and what it wants", () => {
    expect(readSetupHeader(bzImage({ code: new Uint8Array(100) }))).toEqual({
      version: 0x020f,
      end: 0x26c,
      kernelOffset: 1536,
      kernelSize: 100,
      initrdAddressMax: 0x7fff_ffff,
      commandLineSize: 255,
      preferredAddress: 16 * MIB,
      initSize: 8 * MIB,
      isLongMode: false,
    });
  });

  it("takes 0 setup sectors for 4", () => {
    const image = new Uint8Array(5 * 512 + 64);
    image.set(bzImage({ fields: [{ at: 0x1f1, size: 1, value: 0 }] }));
    expect(readSetupHeader(image).kernelOffset).toBe(5 * 512);
  });

  it("has no preferred address before protocol 2.10", () => {
    const header = readSetupHeader(bzImage({ fields: [{ at: 0x206, size: 2, value: 0x0209 }] }));
    expect([header.preferredAddress, header.initSize]).toEqual([KERNEL_ADDRESS, 64]);
  });

  it("knows a kernel that wants a 64-bit processor", () => {
    const image = bzImage({ fields: [{ at: 0x236, size: 2, value: 1 }] });
    expect(readSetupHeader(image).isLongMode).toBe(true);
  });

  it.each([
    ["too few bytes", new Uint8Array(100), /100 bytes are too few/],
    ["something else", new Uint8Array(4096), /no Linux bzImage/],
    ["an old kernel", bzImage({ fields: [{ at: 0x206, size: 2, value: 0x0205 }] }), /protocol 2.05 is older/],
    ["a zImage", bzImage({ fields: [{ at: 0x211, size: 1, value: 0 }] }), /zImage/],
    ["a kernel without its end", bzImage({ code: new Uint8Array(4096) }).subarray(0, 4000), /is cut short/],
    ["one whose size is nothing", bzImage({ fields: [{ at: 0x1f4, size: 4, value: 0 }] }), /is cut short/],
  ])("refuses %s", (_what, image, sentence) => {
    expect(() => readSetupHeader(image)).toThrow(LinuxImageError);
    expect(() => readSetupHeader(image)).toThrow(sentence);
  });
});

describe("the memory map", () => {
  it("leaves out the video memory and the ROMs", () => {
    const usable = memoryMap(RAM).filter(({ type }) => type === "usable");
    expect(usable).toEqual([
      { start: 0, size: 0x9_fc00, type: "usable" },
      { start: MIB, size: RAM - MIB, type: "usable" },
    ]);
  });

  it("has lines that rise and do not overlap", () => {
    let end = 0;
    for (const { start, size } of memoryMap(RAM)) {
      expect(start).toBeGreaterThanOrEqual(end);
      end = start + size;
    }
    expect(end).toBe(RAM);
  });
});

describe("the initial RAM disk", () => {
  const header = readSetupHeader(bzImage());

  it("goes to the top of memory, on a page of its own", () => {
    expect(placeInitrd(header, 5000, RAM)).toBe(RAM - 8192);
  });

  it("stays below the highest address that the kernel takes", () => {
    expect(placeInitrd({ ...header, initrdAddressMax: 32 * MIB - 1 }, 4096, RAM)).toBe(32 * MIB - 4096);
  });

  it("keeps out of the memory that the kernel unpacks itself into", () => {
    expect(placeInitrd(header, RAM - 24 * MIB, RAM)).toBe(24 * MIB);
    expect(() => placeInitrd(header, RAM - 24 * MIB + 1, RAM)).toThrow(/do not fit together/);
  });
});

describe("the boot parameters", () => {
  it("are the setup header with the loader's answers", () => {
    const kernel = bzImage({ fields: [{ at: 0x264, size: 4, value: 0x1234_5678 }] });
    const initrd = new Uint8Array(9);
    const page = bootParams({ kernel, initrd, ramSize: RAM }, readSetupHeader(kernel), 0x300_0000);
    const view = new DataView(page.buffer);
    expect(view.getUint32(0x202, true)).toBe(0x5372_6448);
    expect(view.getUint32(0x264, true)).toBe(0x1234_5678);
    expect(view.getUint8(0x210)).toBe(0xff);
    expect(view.getUint32(0x214, true)).toBe(KERNEL_ADDRESS);
    expect([view.getUint32(0x218, true), view.getUint32(0x21c, true)]).toEqual([0x300_0000, 9]);
    expect(view.getUint32(0x228, true)).toBe(COMMAND_LINE_ADDRESS);
  });

  it("are zero where the protocol's page has other fields, even if the image has code there", () => {
    const kernel = bzImage({ fields: [{ at: 0x26c, size: 4, value: 0xffff_ffff }] });
    kernel.fill(0xee, 0, 0x1f1);
    const page = bootParams({ kernel, ramSize: RAM }, readSetupHeader(kernel), 0);
    expect(page[0x26c]).toBe(0);
    expect(page.subarray(0, 0x1e8).every(byte => byte === 0)).toBe(true);
  });

  it("carry the memory map in lines of 20 bytes", () => {
    const kernel = bzImage();
    const view = new DataView(bootParams({ kernel, ramSize: RAM }, readSetupHeader(kernel), 0).buffer);
    expect(view.getUint8(0x1e8)).toBe(4);
    const last = 0x2d0 + 3 * 20;
    expect(view.getBigUint64(last, true)).toBe(BigInt(MIB));
    expect(view.getBigUint64(last + 8, true)).toBe(BigInt(RAM - MIB));
    expect(view.getUint32(last + 16, true)).toBe(1);
    expect(view.getUint32(0x2d0 + 20 + 16, true)).toBe(2);
  });
});

describe("loading", () => {
  it("refuses a command line that the kernel would cut", () => {
    const { memory } = machine();
    const load = (length: number) =>
      loadLinux(memory, { kernel: bzImage(), commandLine: "x".repeat(length), ramSize: RAM });
    expect(() => load(256)).toThrow(/256 bytes, and this kernel reads 255/);
    load(255);
    expect(memory.read(COMMAND_LINE_ADDRESS + 254, 2)).toBe(0x0078);
  });

  it("refuses a machine with less memory than the kernel unpacks itself into", () => {
    const { memory } = machine();
    expect(() => loadLinux(memory, { kernel: bzImage(), ramSize: 23 * MIB })).toThrow(
      /Give the machine more/,
    );
  });

  it("enters a kernel that finds its parameters, loads the protocol's selectors, and has interrupts off", () => {
    // Of the 32-bit entry's promises: ESI, __BOOT_DS and __BOOT_CS from a GDT in memory, IF clear.
    const code = Uint8Array.from([
      ...[0xb8, 0x18, 0, 0, 0, 0x8e, 0xd8, 0x8e, 0xd0], // mov eax, 0x18; mov ds, eax; mov ss, eax
      ...[0xea, 0x10, 0, 0x10, 0, 0x10, 0], // jmp 0x10:0x100010
      ...[0xbc, 0, 0x80, 0, 0], // mov esp, 0x8000
      ...[0x9c, 0x5b], // pushfd; pop ebx
      ...[0x8b, 0x86, 0x02, 0x02, 0, 0], // mov eax, [esi + 0x202]
      ...[0x8b, 0x8e, 0x28, 0x02, 0, 0], // mov ecx, [esi + 0x228]
      ...[0x8b, 0x09], // mov ecx, [ecx]
      0xf4, // hlt
    ]);
    const { memory, vcpu } = machine();
    const entry = loadLinux(memory, { kernel: bzImage({ code }), commandLine: "quiet", ramSize: RAM });
    enterLinux(vcpu, entry);
    expect(vcpu.run({ instructions: 1000 }).reason).toBe("HLT");
    const { rax, rbx, rcx, rsi } = vcpu.getRegs();
    expect([rax, rcx, rsi]).toEqual([0x5372_6448n, 0x6569_7571n, BigInt(BOOT_PARAMS_ADDRESS)]);
    expect(rbx & 0x200n).toBe(0n);
  });

  it("puts the initial RAM disk where the parameters say", () => {
    const { memory } = machine();
    const initrd = Uint8Array.from({ length: 6000 }, (_, at) => at * 7);
    loadLinux(memory, { kernel: bzImage(), initrd, ramSize: RAM });
    const address = memory.read(BOOT_PARAMS_ADDRESS + 0x218, 4);
    expect(memory.readBytes(address, memory.read(BOOT_PARAMS_ADDRESS + 0x21c, 4))).toEqual(initrd);
  });
});
