/** Foreign kernels: not made for this machine, and booted as any other machine would boot them. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { bootImage, type ImageKind, imageKind } from "../../boot/image.ts";
import { compressedVmlinux } from "../../boot/vmlinux.ts";
import { Dialogue } from "../../machine/dialogue.ts";
import { debianLinux } from "./debian.ts";
import { fetched } from "./debian-fixture.ts";
import { debianMemtest } from "./memtest.ts";

const MIB = 0x10_0000;
const PROMPT = "vmexit:/# ";
const COMMAND_LINE = "console=ttyS0 acpi=off cryptomgr.notests";
/** A loaded host may take its time. */
const PATIENCE = { timeout: 600_000 };

interface Boot {
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly commandLine: string;
  readonly memorySize: number;
}

function boot(kind: ImageKind, { kernel, initrd, commandLine, memorySize }: Boot): Dialogue {
  const dialogue = new Dialogue(memorySize);
  const { memory, vcpu } = dialogue.machine.parts;
  expect(imageKind("kernel", kernel)).toBe(kind);
  bootImage(kind, memory, vcpu, {
    name: "kernel",
    image: kernel,
    commandLine,
    address: 0,
    ramSize: memorySize,
    ...(initrd && { initrd }),
  });
  return dialogue;
}

const ESCAPE_SEQUENCE = new RegExp(`${String.fromCharCode(0x1b)}\\[[?\\d;]*[A-Za-z]`, "g");

/** What a terminal would show, line by line, without the escape sequences that move its cursor. */
function screen(output: string): string {
  return output.replaceAll(ESCAPE_SEQUENCE, "\n").replaceAll(/ +/g, " ");
}

describe("memtest86+", () => {
  it(
    "starts by the 32-bit entry, finds the memory, and tests it without an error",
    PATIENCE,
    async context => {
      const kernel = await fetched(context, debianMemtest);
      const memtest = boot("linux", {
        kernel,
        commandLine: "console=ttyS0,115200",
        memorySize: 8 * MIB,
      });
      memtest.until("Moving inversions, 8 bit pattern");
      const shown = screen(memtest.output);
      expect(shown).toContain("Memtest86+ v6.10");
      expect(shown, "what the processor calls itself").toContain("vmexit software processor");
      expect(shown, "the memory map: 8 MiB without the hole below 1 MiB").toMatch(/of 7\.62MB\]/);
      expect(shown).toContain("#0 [Address test, walking ones, no cache]");
      expect(shown).toContain("Errors: 0");
      expect(shown).not.toMatch(/Errors: [1-9]/);
    },
  );
});

describe("Debian's kernel with page tables of three levels", () => {
  const fetchPae = () =>
    debianLinux(
      () => {},
      () => {},
      "686-pae",
    );

  it("boots from its bzImage to a shell", PATIENCE, async context => {
    const { kernel, initrd } = await fetched(context, fetchPae);
    const linux = boot("linux", { kernel, initrd, commandLine: COMMAND_LINE, memorySize: 128 * MIB });
    linux.until(PROMPT);
    linux.type("uname -r; grep -c -w pae /proc/cpuinfo; grep -c -w nx /proc/cpuinfo\n");
    expect(linux.until(PROMPT)).toMatch(/6\S+-686-pae\r\n1\r\n1\r\n/);
  });

  it("boots from the vmlinux in it by PVH, and has nothing to unpack", {
    ...PATIENCE,
    ...requires("xz").options,
  }, async context => {
    const { kernel, initrd } = await fetched(context, fetchPae);
    const { stdout: vmlinux } = spawnSync("xz", ["-dc"], {
      input: compressedVmlinux(kernel),
      maxBuffer: 64 * MIB,
    });
    const linux = boot("pvh", { kernel: vmlinux, initrd, commandLine: COMMAND_LINE, memorySize: 128 * MIB });
    const log = linux.until(PROMPT);
    expect(log).toContain(`Kernel command line: ${COMMAND_LINE}`);
    expect(log, "the start info's memory map").toMatch(/BIOS-e820: \[mem 0x0+100000-0x0+7ffffff\] usable/);
    expect(log, "the module is its initial RAM disk").toContain("Trying to unpack rootfs image as initramfs");
    expect(linux.machine.parts.time.clock.now() / 1e9, "seconds: unpacking takes 20").toBeLessThan(8);
  });
});
