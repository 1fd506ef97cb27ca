/**
 * `node --import tsx sandbox/cpu/system/guest/record.ts`: assembles the images of this folder with NASM and
 * runs each in Bochs. The image and what Bochs saw are kept beside the source, for machines without the two.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const IMAGES = ["protection", "limits", "virtual8086", "paging", "debug"] as const;

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** 20 cylinders, 16 heads, 63 sectors. */
const DISK_BYTES = 20 * 16 * 63 * 512;

/** The image without the zeros at its end. */
export function assemble(name: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-image-"));
  try {
    const file = join(folder, "image");
    execFileSync("nasm", ["-f", "bin", "-i", HERE, "-o", file, join(HERE, `${name}.asm`)]);
    const image = readFileSync(file);
    let end = image.length;
    while (image[end - 1] === 0) end--;
    return image.subarray(0, end);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the image printed in Bochs. */
function runInBochs(image: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-bochs-"));
  try {
    const disk = Buffer.alloc(DISK_BYTES);
    image.copy(disk);
    writeFileSync(join(folder, "disk"), disk);
    writeFileSync(join(folder, "commands"), "c\n");
    writeFileSync(join(folder, "bochsrc"), configuration(folder));
    // Bochs's text display wants a terminal: `script` is one.
    const command = `bochs -q -rc ${join(folder, "commands")} -f ${join(folder, "bochsrc")}`;
    const { stdout } = spawnSync("script", ["-qfc", command, "/dev/null"], {
      input: "",
      encoding: "latin1",
      env: { ...process.env, TERM: "vt100" },
      timeout: 120_000,
      maxBuffer: 1 << 26,
    });
    const text = stdout.replaceAll("\r", "");
    const end = text.indexOf("\nend\n");
    if (end < 0) throw new Error(`the image did not come to its end in Bochs:\n${text.slice(-2000)}`);
    return text.slice(text.indexOf("begin\n"), end + "\nend\n".length);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function configuration(folder: string): string {
  return `megs: 16
cpu: model=p4_prescott_celeron_336, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=disk, path=${join(folder, "disk")}, mode=flat, cylinders=20, heads=16, spt=63
boot: disk
port_e9_hack: enabled=1
display_library: term
plugin_ctrl: speaker=0
log: ${join(folder, "log")}
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of IMAGES) {
    const image = assemble(name);
    const text = runInBochs(image);
    writeFileSync(join(HERE, `${name}.img`), image);
    writeFileSync(join(HERE, `${name}.bochs.txt`), text);
    console.log(`${name}: ${image.length} bytes, ${text.match(/ vector /g)?.length} exceptions`);
  }
}
