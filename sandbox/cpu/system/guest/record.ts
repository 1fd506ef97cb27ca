/**
 * `node --import tsx sandbox/cpu/system/guest/record.ts`: assembles the images of this folder with NASM and
 * runs each in Bochs. The image and what Bochs saw are kept beside the source, for machines without the two.
 * With the word `qemu` it runs the recorded images in QEMU instead and tells where that sees something else.
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

/** What the image printed in QEMU's TCG; it may not come to its end. */
function runInQemu(image: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-qemu-"));
  try {
    const disk = Buffer.alloc(DISK_BYTES);
    image.copy(disk);
    writeFileSync(join(folder, "disk"), disk);
    const words = "-display none -monitor none -serial none -no-reboot -m 16 -cpu qemu32,+nx -debugcon stdio";
    const devices = `-device isa-debug-exit,iobase=0xf4 -drive file=${join(folder, "disk")},format=raw,if=ide`;
    const { stdout } = spawnSync("qemu-system-i386", `${words} ${devices}`.split(" "), {
      encoding: "latin1",
      timeout: 30_000,
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The cases of an output, with the differences that QEMU always has taken out: it never sets RF. */
function casesWithoutResume(text: string): Map<string, string> {
  const cases = new Map<string, string>();
  let name = "";
  for (const line of text.split("\n")) {
    if (line !== "" && !/^[ #]/.test(line)) cases.set((name = line), "");
    else {
      const [before, flags, after] = line.split(/(?<= flags )([0-9a-f]{8})/);
      const cut = flags ? `${before}${(Number.parseInt(flags, 16) & ~0x1_0000).toString(16)}${after}` : line;
      cases.set(name, `${cases.get(name) ?? ""}${cut}\n`);
    }
  }
  return cases;
}

function compareWithQemu(): void {
  for (const name of IMAGES) {
    const bochs = casesWithoutResume(readFileSync(join(HERE, `${name}.bochs.txt`), "utf8"));
    const qemu = casesWithoutResume(runInQemu(readFileSync(join(HERE, `${name}.img`))));
    const others = [...bochs].filter(([title, text]) => qemu.get(title) !== text).map(([title]) => title);
    console.log(`${name}: ${bochs.size - others.length} of ${bochs.size} cases the same in QEMU; not so:`);
    for (const title of others)
      console.log(`  ${title}${qemu.has(title) ? "" : " (QEMU did not get there)"}`);
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

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === "qemu") compareWithQemu();
else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of IMAGES) {
    const image = assemble(name);
    const text = runInBochs(image);
    writeFileSync(join(HERE, `${name}.img`), image);
    writeFileSync(join(HERE, `${name}.bochs.txt`), text);
    console.log(`${name}: ${image.length} bytes, ${text.match(/ vector /g)?.length} exceptions`);
  }
}
