/** QEMU and Bochs run the guest of `bench cpu`: a fresh process for each pass. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMultiboot } from "../boot/multiboot.ts";
import { BOOT_SECTOR, GUEST_RAM, IMAGE } from "./cpu-guest.ts";
import { type Pass, PassReader } from "./cpu-pass.ts";

const SECTOR = 512;
/** The boot sector reads so many sectors at once. */
const AT_ONCE = 32;
/** Where the boot sector moves the image. */
const FLAT_START = 0x10_0000;
/** Fields at the end of the boot sector: the image's sectors, its entry point. */
const SECTORS_FIELD = 504;
const ENTRY_FIELD = 506;
/** Small, but with the geometry of a disk: cylinders, heads, sectors. */
const GEOMETRY = [4, 16, 63] as const;

const QEMU = "qemu-system-i386";
const BOCHS = "bochs";
const BOCHS_SHARE = "/usr/share/bochs";

export function hasProgram(program: "qemu-system-i386" | "bochs"): boolean {
  return spawnSync(program, ["--help"], { stdio: "ignore" }).error === undefined;
}

/** One pass under TCG, QEMU's translator. */
export function runOnQemu(seconds: number): Promise<Pass> {
  const words = ["-accel", "tcg", "-m", String(GUEST_RAM >> 20), "-nodefaults", "-display", "none"];
  const qemu = spawn(QEMU, [...words, "-serial", "stdio", "-kernel", IMAGE], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  return readPass(QEMU, qemu, seconds, take => qemu.stdout.on("data", take));
}

/** One pass on Bochs, which loads the image from a disk by our boot sector. */
export async function runOnBochs(seconds: number): Promise<Pass> {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-bench-"));
  const server = createServer();
  try {
    writeFileSync(join(folder, "disk"), diskImage());
    writeFileSync(join(folder, "commands"), "c\n"); // for a Bochs with a debugger: go on
    writeFileSync(join(folder, "bochsrc"), bochsConfiguration(folder, await listen(server)));
    const words = ["-q", "-f", join(folder, "bochsrc"), "-rc", join(folder, "commands")];
    const bochs = spawn(BOCHS, words, { stdio: ["ignore", "ignore", "ignore"] });
    return await readPass(BOCHS, bochs, seconds, take =>
      server.on("connection", connection => connection.on("data", take).on("error", () => {})),
    );
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

function readPass(
  name: string,
  emulator: ChildProcess,
  seconds: number,
  listenTo: (take: (data: Buffer) => void) => void,
): Promise<Pass> {
  const reader = new PassReader();
  return new Promise<Pass>((resolve, reject) => {
    const fail = (problem: string) => reject(new Error(`${name}: ${problem}`));
    const timer = setTimeout(() => {
      emulator.kill("SIGKILL");
      fail(`no end after ${seconds} seconds`);
    }, seconds * 1000);
    emulator.once("error", error => fail(error.message));
    emulator.once("exit", code => {
      clearTimeout(timer);
      if (reader.isDone) resolve(reader.result);
      else fail(`it ended with code ${code} before the guest did`);
    });
    listenTo(data => {
      const now = performance.now();
      for (const byte of data) reader.take(byte, now);
      if (reader.isDone) emulator.kill("SIGKILL");
    });
  });
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/** The boot sector, then the image as it lies in memory. */
export function diskImage(): Buffer {
  const { entry, segments } = readMultiboot(IMAGE, readFileSync(IMAGE));
  const [cylinders, heads, sectors] = GEOMETRY;
  const disk = Buffer.alloc(cylinders * heads * sectors * SECTOR);
  readFileSync(BOOT_SECTOR).copy(disk);
  let length = 0;
  for (const { address, bytes } of segments) {
    disk.set(bytes, SECTOR + address - FLAT_START);
    length = Math.max(length, address - FLAT_START + bytes.length);
  }
  disk.writeUInt16LE(Math.ceil(length / SECTOR / AT_ONCE) * AT_ONCE, SECTORS_FIELD);
  disk.writeUInt32LE(entry, ENTRY_FIELD);
  return disk;
}

function bochsConfiguration(folder: string, port: number): string {
  const [cylinders, heads, sectors] = GEOMETRY;
  const geometry = `cylinders=${cylinders}, heads=${heads}, spt=${sectors}`;
  return `megs: ${GUEST_RAM >> 20}
cpu: model=p2_klamath, ips=1000000000
clock: sync=none, time0=local
romimage: file=${BOCHS_SHARE}/BIOS-bochs-latest
vgaromimage: file=${BOCHS_SHARE}/VGABIOS-lgpl-latest
display_library: rfb, options="timeout=0"
ata0-master: type=disk, path=${join(folder, "disk")}, mode=flat, ${geometry}
plugin_ctrl: speaker=0
boot: disk
com1: enabled=1, mode=socket-client, dev=localhost:${port}
log: ${join(folder, "log")}
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
`;
}
