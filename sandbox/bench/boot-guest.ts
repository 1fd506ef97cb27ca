/** The Linux that all contestants of `bench boot` and `bench net` boot: the one of `npm run sandbox linux`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEBIAN_COMMAND_LINE } from "../cli/guest-plan.ts";
import { DebianError } from "../cli/linux/apt.ts";
import { debianLinux } from "../cli/linux/debian.ts";
import { CannotMeasure } from "./result.ts";
import { canReadProcessorTime } from "./serial-process.ts";

/** Bytes of RAM. */
export const GUEST_MEMORY = 128 << 20;
const MEBIBYTES = String(GUEST_MEMORY >> 20);
/** The firmware that v86 needs: of Debian's package seabios. */
export const SEABIOS = "/usr/share/seabios/bios.bin";
export const NO_QEMU =
  "QEMU not measured: there is no qemu-system-i386 (Debian: apt install qemu-system-x86)";
export const PROMPT = "vmexit:/# ";

/** Kernel and initial RAM disk as files, for emulators that take only those. */
export interface GuestFiles {
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
  /** One line: which kernel, from where. */
  readonly sentence: string;
}

/** Fetches the guest if it is not there yet; the files are there until `use` is done. */
export async function withGuest<Result>(use: (files: GuestFiles) => Promise<Result>): Promise<Result> {
  if (!canReadProcessorTime) {
    throw new CannotMeasure("the processor time of other processes is read from /proc, which only Linux has");
  }
  const folder = mkdtempSync(join(tmpdir(), "vmexit-bench-"));
  try {
    const files = await debianLinux(
      line => process.stderr.write(`${line}\n`),
      () => {},
    );
    const [kernel, initrd] = [join(folder, "kernel"), join(folder, "initrd")];
    writeFileSync(kernel, files.kernel);
    writeFileSync(initrd, files.initrd);
    return await use({ kernel, initrd, commandLine: DEBIAN_COMMAND_LINE, sentence: files.sentence });
  } catch (error) {
    throw error instanceof DebianError ? new CannotMeasure(error.message) : error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How the command line's own machine is started on the soft engine; its terminal is the serial line. */
export function sandboxCommand(...words: readonly string[]): readonly string[] {
  const engine = ["--engine", "soft", "--memory", MEBIBYTES];
  return [...script("../cli/sandbox.ts"), "linux", ...engine, ...words];
}

export function qemuCommand(files: GuestFiles, ...words: readonly string[]): readonly string[] {
  const { kernel, initrd, commandLine } = files;
  const machine = ["-machine", "pc", "-accel", "tcg", "-m", MEBIBYTES, "-nodefaults", "-display", "none"];
  const guest = ["-kernel", kernel, "-initrd", initrd, "-append", commandLine];
  return ["qemu-system-i386", ...machine, "-serial", "stdio", ...guest, ...words];
}

export function v86Command(files: GuestFiles, ...words: readonly string[]): readonly string[] {
  return [...script("boot-v86.ts"), files.kernel, files.initrd, files.commandLine, ...words];
}

function script(path: string): readonly string[] {
  return [process.execPath, "--import", "tsx", fileURLToPath(new URL(path, import.meta.url))];
}

/** "v86 0.5.462" */
export function v86Version(): string {
  const build = dirname(createRequire(import.meta.url).resolve("v86"));
  const { version } = JSON.parse(readFileSync(join(build, "../package.json"), "utf8")) as { version: string };
  return `v86 ${version}`;
}

/** "QEMU emulator version 7.2.22 …", or undefined where there is none. */
export function qemuVersion(): string | undefined {
  const { stdout } = spawnSync("qemu-system-i386", ["--version"], { encoding: "utf8" });
  return stdout?.split("\n")[0];
}
