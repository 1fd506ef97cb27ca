import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { requires } from "../../chapters/tools/requires.ts";
import { Dialogue } from "../machine/dialogue.ts";
import { BootImageError } from "./boot-image-error.ts";
import { bootImage, imageKind } from "./image.ts";
import { bzImage, elfImage, noteBytes, word } from "./test-images.ts";

const kernelPath = (name: string) =>
  fileURLToPath(new URL(`../../chapters/08-linux/guest/${name}.bin`, import.meta.url));
const read = (url: string) => readFileSync(fileURLToPath(new URL(url, import.meta.url)));
const text = (string: string) => Uint8Array.from(string, character => character.charCodeAt(0));
const CODE = Uint8Array.of(0xf4);
const XEN = noteBytes({ owner: "Xen", type: 18, description: word(0x10_0000) });
const RAM = 4 << 20;

describe("the kind of an image", () => {
  it.each([
    ["a bzImage", readFileSync(kernelPath("tiny")), "linux"],
    ["an ELF file with Xen's note", readFileSync(kernelPath("pvh")), "pvh"],
    ["an ELF file with a multiboot header", read("../bench/guest/image.elf"), "multiboot"],
    ["a boot sector", Uint8Array.of(0xeb, 0xfe), "flat"],
    ["a bzImage that is cut short", bzImage().subarray(0, 0x210), "linux"],
  ])("is told by the bytes of %s", (_what, image, kind) => {
    expect(imageKind("image", image)).toBe(kind);
  });

  it("of one with both headers is multiboot, as QEMU has it", () => {
    const header = [0x1bad_b002, 0, 0x1_0000_0000 - 0x1bad_b002].map(word);
    expect(imageKind("image", elfImage(Uint8Array.from(header.flatMap(one => [...one])), XEN))).toBe(
      "multiboot",
    );
  });

  it.each([
    ["an empty file", new Uint8Array(), "image: the file is empty"],
    ["ELF without a header of either", elfImage(CODE, noteBytes()), /neither a multiboot header nor a PVH/],
    ["ELF for 64 bits", elfImage(CODE, XEN, [4, 1, 2]), /image: this ELF file is for a 64-bit processor/],
    ["ELF that is cut short", elfImage(CODE, XEN).subarray(0, 130), /a segment lies outside of the file/],
    ["half an ELF header", elfImage(CODE, XEN).subarray(0, 30), /cut short in its header/],
    ["a program for EFI", text("MZ\x90\0"), /a program for EFI firmware/],
    ["gzip", text("\x1f\x8b\x08"), /compressed \(gzip\). Unpack it with gunzip/],
    ["xz", text("\xfd7zXZ\0"), /compressed \(xz\)/],
    ["zstd", text("\x28\xb5\x2f\xfd"), /compressed \(zstd\)/],
  ])("is a sentence for %s", (_what, image, sentence) => {
    expect(() => imageKind("image", image)).toThrow(BootImageError);
    expect(() => imageKind("image", image)).toThrow(sentence);
  });

  it("and a loader's own complaint names the file, too", () => {
    const { memory, vcpu } = new Dialogue(RAM).machine.parts;
    const boot = (image: Uint8Array, ramSize: number) =>
      bootImage(imageKind("kernel", image), memory, vcpu, {
        name: "kernel",
        image,
        commandLine: "",
        address: 0,
        ramSize,
      });
    expect(() => boot(bzImage().subarray(0, 0x300), RAM)).toThrow(/^kernel: the kernel should be/);
    expect(() => boot(bzImage(undefined, [0x236, 2, 1]), RAM)).toThrow(/^kernel: .* a 64-bit processor/);
    expect(() => boot(elfImage(CODE, XEN), 0x10_0040)).toThrow(/^kernel: its bytes 0x100000 to 0x100041/);
  });
});

describe("our ELF kernel and QEMU's PVH loader", () => {
  const COMMAND_LINE = "console=ttyS0 quiet";
  const INITRD = kernelPath("tiny");

  function ours(): string[] {
    const dialogue = new Dialogue(16 << 20);
    const { memory, vcpu } = dialogue.machine.parts;
    const image = readFileSync(kernelPath("pvh"));
    const initrd = readFileSync(INITRD);
    bootImage("pvh", memory, vcpu, {
      name: "pvh",
      image,
      initrd,
      commandLine: COMMAND_LINE,
      address: 0,
      ramSize: 16 << 20,
    });
    expect(dialogue.end()).toEqual({ kind: "halted" });
    return dialogue.output.trimEnd().split("\n");
  }

  /** What it prints under QEMU, which is ended then: it would sleep for ever. */
  async function qemus(): Promise<string[]> {
    const qemu = spawn("qemu-system-i386", [
      ...["-M", "pc", "-m", "16", "-display", "none", "-monitor", "none", "-serial", "stdio", "-nic", "none"],
      ...["-kernel", kernelPath("pvh"), "-initrd", INITRD, "-append", COMMAND_LINE],
    ]);
    let output = "";
    const end = setTimeout(() => qemu.kill("SIGKILL"), 30_000);
    for await (const chunk of qemu.stdout) {
      output += chunk;
      if (/behind the file .*\n/.test(output)) qemu.kill("SIGKILL");
    }
    clearTimeout(end);
    return output.slice(output.indexOf("Hello from")).trimEnd().split(/\r?\n/);
  }

  it("agree on the note, the command line, the module and the low memory", {
    ...requires("qemu").options,
    timeout: 40_000,
  }, async () => {
    const theirs = await qemus();
    const mine = ours();
    // The addresses of start info and module are each loader's own choice; QEMU's firmware keeps the top.
    const without = (lines: readonly string[]) =>
      lines
        .filter(line => !/lines$|0x00f[ef]_0000|0x0100_0000|0xfffc_0000/.test(line))
        .map(line => line.replace(/(start info is|bytes) at 0x[\da-f_]+/, "$1 somewhere"));
    expect(mine).toContain("behind the file are zeros");
    expect(without(mine)).toEqual(without(theirs));
  });
});
