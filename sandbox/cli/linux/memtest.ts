/** Debian's memtest86+ for 32-bit processors, a bzImage that is no Linux: fetched once and kept in the cache. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Apt } from "./apt.ts";
import { cacheFolder } from "./debian.ts";

const IMAGE = "memtest86+ia32.bin";

/** The image, from the cache or from Debian. Throws a `DebianError`. */
export async function debianMemtest(): Promise<Uint8Array> {
  const kept = join(cacheFolder(), "memtest86.bin");
  const cached = readFile(kept);
  if (cached) return cached;
  mkdirSync(cacheFolder(), { recursive: true });
  const building = mkdtempSync(join(cacheFolder(), "building-"));
  try {
    const apt = new Apt(join(building, "apt"));
    await apt.update();
    const found = await apt.download("memtest86+", () => {});
    await apt.unpack(found, [`./boot/${IMAGE}`], building);
    renameSync(join(building, "boot", IMAGE), kept);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return readFileSync(kept);
}

function readFile(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
