import { describe, expect, it } from "vitest";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { bzImage, elfImage, noteBytes, word } from "../../sandbox/boot/test-images.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { enterLinux, type KernelBoot, loadLinux } from "./boot.ts";
import { KernelImageError } from "./kernel-image-error.ts";
import { COMMAND_LINE_ADDRESS, INFORMATION_ADDRESS } from "./layout.ts";
import { enterPvh, loadPvh } from "./pvh.ts";
import { readSetupHeader } from "./setup-header.ts";

const MIB = 0x10_0000;
const RAM = 64 * MIB;

/** Runs at 16 MiB and needs 8 MiB there. */
const kernel = (code?: Uint8Array) => bzImage(code, [0x258, 4, 16 * MIB], [0x260, 4, 8 * MIB]);

function machine() {
  const hypervisor = openSoft();
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM));
  memory.map(0, 0, RAM);
  return { memory, vcpu: vm.createVcpu(0) };
}

const load = (boot: Partial<KernelBoot>) =>
  loadLinux(machine().memory, { kernel: kernel(), ramSize: RAM, ...boot });

describe("a bzImage", () => {
  it.each([
    ["too few bytes", new Uint8Array(100), /100 bytes are too few/],
    ["something else", new Uint8Array(4096), /no Linux bzImage/],
    ["an old kernel", bzImage(undefined, [0x206, 2, 0x0205]), /protocol 2.05 is older than 2.06/],
    ["a zImage", bzImage(undefined, [0x211, 1, 0]), /zImage/],
    ["a kernel without its end", bzImage(new Uint8Array(4096)).subarray(0, 4000), /is cut short/],
    ["one whose size is nothing", bzImage(undefined, [0x1f4, 4, 0]), /is cut short/],
    ["a kernel for 64 bits", bzImage(undefined, [0x236, 2, 1]), /wants a 64-bit processor/],
  ])("is refused if it is %s", (_what, image, sentence) => {
    expect(() => load({ kernel: image })).toThrow(KernelImageError);
    expect(() => load({ kernel: image })).toThrow(sentence);
  });

  it("has no preferred address if the field is 0", () => {
    expect(readSetupHeader(bzImage(undefined, [0x258, 4, 0], [0x234, 1, 0])).runtimeStart).toBe(MIB);
  });

  it("is refused by a machine with less memory than it unpacks itself into", () => {
    expect(() => load({ ramSize: 23 * MIB })).toThrow(/needs 25165824 bytes of RAM .*Give the machine more/);
  });

  it("is refused with a command line that it would cut", () => {
    expect(() => load({ commandLine: "x".repeat(256) })).toThrow(/256 bytes, and this kernel reads 255/);
    const endless = bzImage(undefined, [0x238, 4, 0xffff_ffff]);
    expect(() => load({ kernel: endless, commandLine: "x".repeat(0x8_0000) })).toThrow(/this kernel reads/);
  });

  it("gets its initial RAM disk below the highest address that it takes, and above its own room", () => {
    const { memory } = machine();
    const low = bzImage(undefined, [0x258, 4, 16 * MIB], [0x260, 4, 8 * MIB], [0x22c, 4, 32 * MIB - 1]);
    const initrd = Uint8Array.from({ length: 6000 }, (_, at) => at * 7);
    loadLinux(memory, { kernel: low, initrd, ramSize: RAM });
    const address = memory.read(INFORMATION_ADDRESS + 0x218, 4);
    expect(address).toBe(32 * MIB - 8192);
    expect(memory.readBytes(address, memory.read(INFORMATION_ADDRESS + 0x21c, 4))).toEqual(initrd);
    expect(() => load({ initrd: new Uint8Array(40 * MIB + 1) })).toThrow(/does not fit between/);
  });

  it("finds its parameters, and can load the protocol's selectors", () => {
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
    enterLinux(vcpu, loadLinux(memory, { kernel: kernel(code), commandLine: "quiet", ramSize: RAM }));
    expect(vcpu.run({ instructions: 1000 }).reason).toBe("HLT");
    const { rax, rbx, rcx, rsi } = vcpu.getRegs();
    expect([rax, rcx, rsi]).toEqual([0x5372_6448n, 0x6569_7571n, BigInt(INFORMATION_ADDRESS)]);
    expect(rbx & 0x200n).toBe(0n);
  });
});

describe("an ELF kernel", () => {
  const CODE = Uint8Array.from([0x8b, 0x03, 0x8b, 0x4b, 0x18, 0x8b, 0x09, 0x0f, 0x00, 0xca, 0xf4]);
  const notes = noteBytes({ owner: "Xen", type: 18, description: word(MIB) });
  const loadElf = (image: Uint8Array, boot: Partial<KernelBoot> = {}) =>
    loadPvh(machine().memory, { kernel: image, ramSize: RAM, ...boot });

  it("is entered where its note says, with EBX at the start info", () => {
    // mov eax, [ebx]; mov ecx, [ebx + 24]; mov ecx, [ecx]; str edx; hlt
    const { memory, vcpu } = machine();
    const kernel = elfImage(CODE, notes);
    enterPvh(vcpu, loadPvh(memory, { kernel, commandLine: "quiet", ramSize: RAM }));
    expect(vcpu.run({ instructions: 100 }).reason).toBe("HLT");
    const { rax, rcx } = vcpu.getRegs();
    expect([rax, rcx]).toEqual([0x336e_c578n, 0x6569_7571n]);
  });

  it.each([
    ["without a note", elfImage(CODE, noteBytes()), /no PVH note. Build Linux with CONFIG_PVH/],
    ["cut short in its header", elfImage(CODE, notes).subarray(0, 40), /cut short in its header/],
    ["for 64 bits", elfImage(CODE, notes, [4, 1, 2]), /for a 64-bit processor/],
    ["for another processor", elfImage(CODE, notes, [18, 2, 40]), /not for an x86/],
    ["without fixed addresses", elfImage(CODE, notes, [16, 2, 3]), /not linked to fixed addresses/],
    ["with headers in the void", elfImage(CODE, notes, [28, 4, 0x7fff_ffff]), /outside of the file/],
    ["with nothing to load", elfImage(CODE, notes, [52, 4, 7]), /nothing in it to load/],
    ["below 1 MiB", elfImage(CODE, notes, [64, 4, 0xf_f000]), /do not lie between 1 MiB and the end/],
    ["behind the end of RAM", elfImage(CODE, notes, [64, 4, RAM]), /do not lie between 1 MiB and the end/],
    ["around the end of addresses", elfImage(CODE, notes, [64, 4, 0xffff_fff0]), /do not lie between/],
    ["no ELF file", new Uint8Array(600), /no ELF file/],
  ])("is refused if it is %s", (_what, image, sentence) => {
    expect(() => loadElf(image)).toThrow(KernelImageError);
    expect(() => loadElf(image)).toThrow(sentence);
  });

  it("is refused with more than there is room for", () => {
    const kernel = elfImage(CODE, notes);
    expect(() => loadElf(kernel, { initrd: new Uint8Array(RAM - MIB) })).toThrow(/does not fit between/);
    expect(() => loadElf(kernel, { commandLine: "x".repeat(0x8_0000) })).toThrow(/the command line has/);
    expect(loadElf(kernel, { commandLine: "x".repeat(0x7_fbff) }).entry).toBe(MIB);
  });

  it("reads a file that is part of a larger buffer", () => {
    const kernel = elfImage(CODE, notes);
    const buffer = new Uint8Array(kernel.length + 100);
    buffer.set(kernel, 100);
    expect(loadElf(buffer.subarray(100)).entry).toBe(MIB);
    expect(COMMAND_LINE_ADDRESS).toBeGreaterThan(INFORMATION_ADDRESS);
  });
});
