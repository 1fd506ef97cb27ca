/**
 * Replays port accesses on three machines, QEMU's devices, ours, and ours behind an engine, to compare what
 * they read. The guest is replay.asm, whose image is built here with its table.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One access, with a name for what is read. */
export type Access =
  | { do: "out"; port: number; value: number }
  | { do: "in"; port: number; mask: number; name: string }
  | { do: "await"; port: number; mask: number; value: number }
  | { do: "sleep"; port: number; mask: number; value: number };

export const out = (port: number, ...values: number[]): Access[] =>
  values.map(value => ({ do: "out", port, value }));

/** Reads a port; `mask` picks the bits in which the machines must agree. */
export const read = (port: number, name: string, mask = 0xff): Access[] => [{ do: "in", port, mask, name }];

export const awaitBits = (port: number, mask: number, value: number): Access[] => [
  { do: "await", port, mask, value },
];

/** Waits long, until the bits are there, without telling whether they came. */
export const sleepUntil = (port: number, mask: number, value: number): Access[] =>
  Array.from({ length: 200 }, () => ({ do: "sleep", port, mask, value }));

const SOURCE = fileURLToPath(new URL("./replay.asm", import.meta.url));
const IMAGE_SIZE = 0x1_0000;

/** Firmware that replays the accesses, with the jump that the processor begins at in its last 16 bytes. */
export function replayImage(accesses: readonly Access[]): Uint8Array {
  const code = inFolder(folder => {
    execFileSync("nasm", ["-f", "bin", "-o", join(folder, "replay.bin"), SOURCE]);
    return new Uint8Array(readFileSync(join(folder, "replay.bin")));
  });
  const image = new Uint8Array(IMAGE_SIZE);
  image.set(code);
  let at = code.length;
  for (const access of accesses) {
    const { kind, a, b } = encode(access);
    image.set([kind, 0, access.port & 0xff, access.port >> 8, a, b], at);
    at += 6;
  }
  if (at > IMAGE_SIZE - 32) throw new Error(`${accesses.length} accesses do not fit into the image`);
  image.set([0xea, 0x00, 0x00, 0x00, 0xf0], IMAGE_SIZE - 16); // jmp 0xf000:0x0000
  return image;
}

function encode(access: Access): { kind: number; a: number; b: number } {
  if (access.do === "out") return { kind: 1, a: access.value, b: 0 };
  if (access.do === "in") return { kind: 2, a: access.mask, b: 0 };
  return { kind: access.do === "await" ? 3 : 4, a: access.mask, b: access.value };
}

/** What QEMU's PC reads, a byte for every "in" and "await". */
export function replayOnQemu(image: Uint8Array): number[] {
  return inFolder(folder => {
    const [firmware, console] = [join(folder, "firmware.bin"), join(folder, "console.bin")];
    writeFileSync(firmware, image);
    const run = spawnSync(
      "qemu-system-i386",
      [
        // Time by the count of instructions, 1,024 ns each: no reading depends on how busy the host is.
        ...["-icount", "shift=10,sleep=off"],
        ...["-machine", "pc,accel=tcg", "-m", "4", "-bios", firmware, "-display", "none", "-net", "none"],
        ...["-serial", "null", "-monitor", "none", "-no-reboot", "-rtc", "base=2026-02-28T23:59:30,clock=vm"],
        ...["-debugcon", `file:${console}`, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"],
      ],
      { timeout: 20_000, encoding: "utf8" },
    );
    if (run.status !== 1) throw new Error(`QEMU ended with ${run.status ?? run.signal}: ${run.stderr}`);
    return [...readFileSync(console)];
  });
}

/** Names the readings, so that a difference tells where it is. */
export function named(accesses: readonly Access[], bytes: readonly number[]): string[] {
  const readings = accesses.filter(access => access.do === "in" || access.do === "await");
  if (bytes.length !== readings.length)
    throw new Error(`${bytes.length} readings for ${readings.length} reads`);
  return readings.map((access, index) => {
    const value = bytes[index]!.toString(2).padStart(8, "0");
    return access.do === "in"
      ? `${index} ${access.name}: ${value}`
      : `${index} waiting for port 0x${access.port.toString(16)}: ${value}`;
  });
}

function inFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-replay-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
