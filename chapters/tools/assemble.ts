/** Guest programs: every `.asm` in a chapter's guest/ folder has its image beside it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chapterNames, ROOT } from "./chapters.ts";
import { Complaint } from "./complaint.ts";

export interface GuestSource {
  /** Relative to the root. */
  readonly source: string;
  readonly image: string;
}

export function guestSources(): GuestSource[] {
  return chapterNames().flatMap(name => {
    const folder = `chapters/${name}/guest`;
    if (!existsSync(join(ROOT, folder))) return [];
    const sources = readdirSync(join(ROOT, folder)).filter(file => file.endsWith(".asm"));
    return sources.sort().map(file => ({
      source: `${folder}/${file}`,
      image: `${folder}/${file.replace(/\.asm$/, ".bin")}`,
    }));
  });
}

/** Assembles one source into a flat image. Throws a `Complaint` with nasm's own lines where it refuses. */
export function assemble({ source }: GuestSource): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-guest-"));
  const image = join(folder, "image.bin");
  try {
    const include = ["-I", `${dirname(source)}/`];
    const { error, status, stderr } = spawnSync(
      "nasm",
      ["-f", "bin", "-Wall", ...include, "-o", image, source],
      {
        cwd: ROOT,
        encoding: "utf8",
      },
    );
    if (error) {
      throw new Complaint(
        "nasm is not there: install it (Debian: `apt install nasm`, macOS: `brew install nasm`)",
      );
    }
    if (status !== 0) throw new Complaint(stderr.trim());
    return readFileSync(image);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
