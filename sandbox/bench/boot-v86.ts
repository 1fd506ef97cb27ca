/**
 * v86 in Node boots a Linux kernel, a process of its own, with the serial line on standard input and output:
 *
 *     boot-v86.ts KERNEL INITRD COMMAND-LINE [interpreter]
 *
 * "interpreter" turns its compiler off. The kernel is loaded by v86's own option ROM, under SeaBIOS.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { V86 } from "v86";
import { GUEST_MEMORY, SEABIOS } from "./boot-guest.ts";

const [kernel, initrd, commandLine, word] = process.argv.slice(2);
const build = dirname(createRequire(import.meta.url).resolve("v86"));
const image = (path: string) => ({ buffer: new Uint8Array(readFileSync(path)).buffer });

const emulator = new V86({
  wasm_path: join(build, "v86.wasm"),
  memory_size: GUEST_MEMORY,
  vga_memory_size: 1 << 20,
  bios: image(SEABIOS),
  bzimage: image(kernel!),
  initrd: image(initrd!),
  cmdline: commandLine!,
  disable_jit: word === "interpreter",
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  autostart: true,
});
emulator.add_listener("serial0-output-byte", (byte: number) => process.stdout.write(Uint8Array.of(byte)));
process.stdin.on("data", bytes => emulator.serial0_send(bytes.toString("latin1")));
