import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { openSoft } from "../kvm/soft/soft.ts";
import { BootImageError } from "./boot-image-error.ts";
import { enterMultiboot, loadMultiboot, type MultibootOptions, readMultiboot } from "./multiboot.ts";

const RAM = 4 << 20;
const ELF = readFileSync(fileURLToPath(new URL("../bench/guest/image.elf", import.meta.url)));

const MAGIC = 0x1bad_b002;
const HAS_ADDRESSES = 0x1_0000;

/** A flat image at 1 MiB: its header, `code`, and a bss. */
function flatImage(code: readonly number[], { flags = HAS_ADDRESSES, at = 16, bss = 0 } = {}): Uint8Array {
  const image = new Uint8Array(at + 32 + code.length);
  const view = new DataView(image.buffer);
  const load = 0x10_0000;
  const end = load + image.length;
  const header = [MAGIC, flags, -(MAGIC + flags), load + at, load, end, bss && end + bss, load + at + 32];
  header.forEach((word, i) => {
    view.setUint32(at + 4 * i, word, true);
  });
  image.set(code, at + 32);
  return image;
}

function machine() {
  const hypervisor = openSoft();
  const vm = hypervisor.createVm();
  const host = hypervisor.allocateMemory(RAM);
  const memory = new GuestMemory(vm, host);
  memory.map(0, 0, RAM);
  return { memory, vcpu: vm.createVcpu(0), ram: new DataView(host.memory.buffer, host.offset, RAM) };
}

describe("the multiboot loader", () => {
  it("enters the image in flat protected mode, with the magic number and the machine's description", () => {
    const { memory, vcpu, ram } = machine();
    // mov [0x5000], eax; mov ecx, [ebx + 8]; hlt
    const code = [0xa3, 0x00, 0x50, 0x00, 0x00, 0x8b, 0x4b, 0x08, 0xf4];
    const options: MultibootOptions = {
      name: "kernel",
      image: flatImage(code, { bss: 0x100 }),
      ramSize: RAM,
      commandLine: "quiet 1",
      modules: [{ name: "disk", bytes: Uint8Array.of(1, 2, 3) }],
    };
    ram.setUint32(0x10_0000 + 16 + 32 + code.length, 0xdead_beef, true);
    enterMultiboot(vcpu, loadMultiboot(memory, options));
    expect(vcpu.run({ instructions: 100 })).toMatchObject({ reason: "HLT" });
    expect(ram.getUint32(0x5000, true)).toBe(0x2bad_b002);
    expect(vcpu.getRegs().rcx).toBe(BigInt(RAM / 1024 - 1024));
    expect(ram.getUint32(0x10_0000 + 16 + 32 + code.length, true)).toBe(0); // the bss
    const information = Number(vcpu.getRegs().rbx);
    const field = (offset: number) => ram.getUint32(information + offset, true);
    const text = (address: number) => {
      const bytes = [];
      for (let at = address; ram.getUint8(at) !== 0; at++) bytes.push(ram.getUint8(at));
      return String.fromCharCode(...bytes);
    };
    expect(text(field(16))).toBe("kernel quiet 1");
    expect(text(field(64))).toBe("vmexit");
    expect(field(20)).toBe(1);
    const module = field(24);
    const start = ram.getUint32(module, true);
    expect(start % 4096).toBe(0);
    expect(ram.getUint32(module + 4, true)).toBe(start + 3);
    expect([0, 1, 2].map(i => ram.getUint8(start + i))).toEqual([1, 2, 3]);
    expect(text(ram.getUint32(module + 8, true))).toBe("disk");
    // The memory map: two ranges of RAM, each after a word with its size.
    expect(field(44)).toBe(48);
    expect(ram.getUint32(field(48) + 24 + 4, true)).toBe(0x10_0000);
    expect(ram.getUint32(field(48) + 24 + 12, true)).toBe(RAM - 0x10_0000);
  });

  it("finds the segments of an ELF file", () => {
    const { entry, segments } = readMultiboot("image", ELF);
    expect(segments).toHaveLength(1);
    expect(segments[0]!.address).toBe(0x10_0000);
    expect(segments[0]!.size).toBeGreaterThan(segments[0]!.bytes.length);
    expect(entry).toBeGreaterThan(0x10_0000);
  });

  const truncated = (length: number) => ELF.subarray(0, length);
  const changed = (at: number, value: number) => {
    const copy = Uint8Array.from(ELF);
    copy[at] = value;
    return copy;
  };
  it.each([
    ["no header", new Uint8Array(9000), /no multiboot header in its first 8 KiB/],
    ["an empty file", new Uint8Array(), /no multiboot header/],
    ["a header too late", flatImage([], { at: 8192 }), /no multiboot header/],
    [
      "a wish that nobody knows",
      flatImage([], { flags: HAS_ADDRESSES | 0x100 }),
      /asks for what is unknown: 0x100/,
    ],
    ["a video mode", flatImage([], { flags: HAS_ADDRESSES | 4 }), /video mode/],
    ["no ELF and no addresses", flatImage([], { flags: 1 }), /no ELF file, and its header has no addresses/],
    [
      "a flat image that is cut short",
      flatImage(new Array(64).fill(0)).subarray(0, 80),
      /do not fit its length/,
    ],
    ["an ELF file that is cut short", truncated(0x1100), /a segment lies outside of the file/],
    ["an ELF file for another processor", changed(18, 40), /not for an x86/],
    ["an ELF file of 64 bits", changed(4, 2), /for a 64-bit processor/],
    ["an ELF file without fixed addresses", changed(16, 3), /not linked to fixed addresses/],
    ["program headers in the void", changed(31, 0x7f), /program headers lie outside/],
  ])("refuses %s", (_, image, message) => {
    expect(() => readMultiboot("image", image)).toThrow(BootImageError);
    expect(() => readMultiboot("image", image)).toThrow(message);
  });

  it("refuses an image that the RAM has no room for", () => {
    const { memory } = machine();
    const image = flatImage([0xf4], { bss: RAM });
    expect(() => loadMultiboot(memory, { name: "image", image, ramSize: RAM })).toThrow(/have no room in/);
  });

  it("refuses a module that the RAM has no room for", () => {
    const { memory } = machine();
    const options = { name: "image", image: flatImage([0xf4]), ramSize: RAM };
    const modules = [{ name: "disk", bytes: new Uint8Array(RAM) }];
    expect(() => loadMultiboot(memory, { ...options, modules })).toThrow(/disk: there is no room/);
  });
});
