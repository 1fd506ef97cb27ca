/**
 * Builds the guest of `bench cpu` from the sources beside this file: `node --import tsx
 * sandbox/bench/guest/build.ts` writes image.elf and boot.bin.
 *
 * The image is kept with its sources, so that every machine measures the same instructions. Another
 * compiler makes other ones; the image tells which compiler it came from.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** A Pentium II without MMX, and nothing that needs a runtime. */
const GCC_OPTIONS = [
  ...["-m32", "-march=i686", "-mno-sse", "-mno-mmx", "-mfpmath=387", "-O2", "-std=gnu11"],
  ...["-ffreestanding", "-fno-pic", "-fno-pie", "-fno-stack-protector", "-fcf-protection=none"],
  // Loops stay what they are: no memcpy instead of a copy loop.
  ...["-fno-asynchronous-unwind-tables", "-fno-tree-loop-distribute-patterns"],
  ...["-Wall", "-Wextra", "-Werror", "-Wno-main"],
];

export interface Built {
  readonly image: Buffer;
  readonly bootSector: Buffer;
}

/** Throws where gcc, its 32-bit libgcc, nasm or ld is missing. */
export function buildGuest(): Built {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-bench-"));
  const run = (tool: string, ...words: string[]) =>
    execFileSync(tool, words, { cwd: HERE, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const sources = ["main.c", "paging.c", ...readdirSync(join(HERE, "rows")).map(file => `rows/${file}`)];
  try {
    const start = join(folder, "start.o");
    run("nasm", "-f", "elf32", "-Wall", "-o", start, "start.asm");
    const objects = sources.sort().map(source => {
      const object = join(folder, `${basename(source)}.o`);
      run("gcc", ...GCC_OPTIONS, "-c", "-o", object, source);
      return object;
    });
    const libgcc = run("gcc", "-m32", "-print-libgcc-file-name").trim();
    const image = join(folder, "image.elf");
    const link = ["-m", "elf_i386", "-T", "image.ld", "-s", "--build-id=none", "--no-warn-rwx-segments"];
    run("ld", ...link, "-o", image, start, ...objects, libgcc);
    const bootSector = join(folder, "boot.bin");
    run("nasm", "-f", "bin", "-Wall", "-o", bootSector, "boot.asm");
    return { image: readFileSync(image), bootSector: readFileSync(bootSector) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As the image prints it: `__VERSION__`. */
export function compilerVersion(): string {
  return execFileSync("gcc", ["-dumpfullversion"], { encoding: "utf8" }).trim();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { image, bootSector } = buildGuest();
  writeFileSync(join(HERE, "image.elf"), image);
  writeFileSync(join(HERE, "boot.bin"), bootSector);
  console.log(`image.elf: ${image.length} bytes, by gcc ${compilerVersion()}; boot.bin: one sector`);
}
