/** v86 in Node, a process of its own: the word "interpreter" turns its compiler off. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { V86 } from "v86";
import { serveRuns } from "./cpu-child.ts";
import { GUEST_RAM, IMAGE } from "./cpu-guest.ts";
import { type Pass, PassReader } from "./cpu-pass.ts";

const build = dirname(createRequire(import.meta.url).resolve("v86"));
const image = readFileSync(IMAGE);

const emulator = new V86({
  wasm_path: join(build, "v86.wasm"),
  memory_size: GUEST_RAM,
  vga_memory_size: 1 << 20,
  multiboot: { buffer: new Uint8Array(image).buffer },
  disable_jit: process.argv.includes("interpreter"),
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  autostart: false,
});

let reader = new PassReader();
let finish = (_pass: Pass) => {};
emulator.add_listener("serial0-output-byte", (byte: number) => {
  reader.take(byte);
  if (reader.isDone) finish(reader.result);
});

const isLoaded = new Promise<void>(resolve => emulator.add_listener("emulator-loaded", () => resolve()));

let passes = 0;
await serveRuns(async () => {
  await isLoaded;
  reader = new PassReader();
  const pass = new Promise<Pass>(resolve => {
    finish = resolve;
  });
  await emulator.run();
  if (passes++ > 0) emulator.serial0_send("g");
  const result = await pass;
  await emulator.stop();
  return result;
});
