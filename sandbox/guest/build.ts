/**
 * Builds the embedded guest from the sources beside this file: `node --import tsx sandbox/guest/build.ts`
 * writes image.elf, which is kept with them, so that nobody needs a compiler to start the sandbox.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
export const IMAGE = join(HERE, "image.elf");

/** Small code, integers only, and nothing that needs a runtime. */
const GCC_OPTIONS = [
  ...["-m32", "-march=i686", "-mgeneral-regs-only", "-Os", "-std=gnu11"],
  ...["-ffreestanding", "-fno-pic", "-fno-pie", "-fno-stack-protector", "-fcf-protection=none"],
  ...["-fno-asynchronous-unwind-tables", "-Wall", "-Wextra", "-Werror", "-Wno-main"],
];

/** The image's bytes. Throws where gcc with -m32, nasm or ld is missing. */
export function buildGuest(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-guest-"));
  const run = (tool: string, ...words: string[]) => execFileSync(tool, words, { cwd: HERE, stdio: "pipe" });
  try {
    const start = join(folder, "start.o");
    run("nasm", "-f", "elf32", "-Wall", "-o", start, "start.asm");
    const sources = readdirSync(HERE).filter(name => name.endsWith(".c"));
    const objects = sources.sort().map(source => {
      const object = join(folder, `${source}.o`);
      run("gcc", ...GCC_OPTIONS, "-c", "-o", object, source);
      return object;
    });
    const image = join(folder, "image.elf");
    const link = ["-m", "elf_i386", "-T", "image.ld", "-s", "--build-id=none", "--no-warn-rwx-segments"];
    run("ld", ...link, "-o", image, start, ...objects);
    return readFileSync(image);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(IMAGE, buildGuest());
