/** The images of sandbox/cpu/system/guest in QEMU's TCG, a third processor beside ours and Bochs's. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DISK_BYTES = 20 * 16 * 63 * 512;

/** What an image printed to port 0xE9 in QEMU, from its first line on. */
export function runInQemu(image: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-qemu-"));
  try {
    const disk = Buffer.alloc(DISK_BYTES);
    disk.set(image);
    writeFileSync(join(folder, "disk"), disk);
    spawnSync(
      "qemu-system-i386",
      [
        ..."-accel tcg -cpu pentium3,+nx,+sep -m 16 -display none -no-reboot -serial none -monitor none".split(
          " ",
        ),
        ..."-global isa-debugcon.iobase=0xe9 -device isa-debug-exit,iobase=0xf4,iosize=4".split(" "),
        "-drive",
        `file=${join(folder, "disk")},format=raw,if=ide`,
        "-debugcon",
        `file:${join(folder, "output")}`,
      ],
      { timeout: 30_000 },
    );
    const text = readFileSync(join(folder, "output"), "latin1").replaceAll("\r", "");
    return text.slice(Math.max(0, text.indexOf("begin")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An image's output by case: a line that begins at the margin names one. */
export function casesOf(text: string): Map<string, string> {
  const cases = new Map<string, string>();
  let name = "";
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith(" ") || line.startsWith("#"))
      cases.set(name, `${cases.get(name) ?? ""}${line}\n`);
    else {
      name = line;
      cases.set(name, "");
    }
  }
  return cases;
}

/** TCG does not set RF in the flags that a fault pushes or a task switch saves: the bit is not compared. */
export const withoutRf = (text: string): string =>
  text
    .replace(/\bflags 000([0-3])/g, (_, digit: string) => `flags 000${Number(digit) & 2}`)
    .replace(/\bsaved ([0-9a-f]{8}) 0001/g, "saved $1 0000");
