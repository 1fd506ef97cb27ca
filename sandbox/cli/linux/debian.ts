/**
 * Debian's kernel and busybox, fetched once and kept in the user's cache folder:
 *
 *     linux-686/       vmlinuz, initramfs.gz, contents.json (what came from which package, and checksums)
 *     linux-686-pae/   the same for the kernel with physical address extension
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Apt, DebianError, type Package, type Progress } from "./apt.ts";
import type { DebianFlavour } from "./flavours.ts";
import { buildInitramfs, MODULES } from "./initramfs.ts";

const KERNEL = "vmlinuz";
const INITRAMFS = "initramfs.gz";
const CONTENTS = "contents.json";
/** Goes up when the initial RAM disk is built in another way. */
const FORMAT = 1;

export interface LinuxFiles {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
  /** One line: which kernel, from where. */
  readonly sentence: string;
}

interface Contents {
  readonly format: number;
  readonly packages: readonly string[];
  readonly sha256: Readonly<Record<string, string>>;
}

/** `$VMEXIT_CACHE`, or the user's cache folder. */
export function cacheFolder(): string {
  const { VMEXIT_CACHE, XDG_CACHE_HOME } = process.env;
  return VMEXIT_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "vmexit");
}

/** Kernel and initial RAM disk, from the cache or from Debian. Throws a `DebianError`. */
export async function debianLinux(
  report: (line: string) => void,
  progress: Progress,
  flavour: DebianFlavour = "686",
): Promise<LinuxFiles> {
  const folder = join(cacheFolder(), `linux-${flavour}`);
  const cached = readCache(folder);
  if (cached) return cached;
  report(`Fetching Debian's kernel and busybox, 53 MB, into ${folder}`);
  mkdirSync(cacheFolder(), { recursive: true });
  const building = mkdtempSync(join(cacheFolder(), "building-"));
  try {
    await build(building, flavour, report, progress);
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(building, "ready"), folder);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  const built = readCache(folder);
  if (!built) throw new DebianError(`${folder} does not hold what was written there`, "Is the disk full?");
  return built;
}

async function build(
  folder: string,
  flavour: DebianFlavour,
  report: (line: string) => void,
  progress: Progress,
): Promise<void> {
  const apt = new Apt(join(folder, "apt"));
  report("Reading Debian's lists");
  await apt.update();
  const kernel = await apt.download(await apt.dependency(`linux-image-${flavour}`), progress);
  const busybox = await apt.download("busybox-static", progress);
  report("Unpacking, and building the initial RAM disk");
  const root = join(folder, "root");
  await apt.unpack(
    kernel,
    ["./boot/vmlinuz-*", ...MODULES.map(path => `./lib/modules/*/kernel/${path}`)],
    root,
  );
  await apt.unpack(busybox, ["./bin/busybox"], root);
  const version = readdirSync(join(root, "lib/modules"))[0]!;
  const drivers = join(root, "lib/modules", version, "kernel");
  const modules = new Map(MODULES.map(path => [path as string, readFileSync(join(drivers, path))] as const));
  const archive = buildInitramfs({ busybox: readFileSync(join(root, "bin/busybox")), modules });
  store(join(folder, "ready"), [kernel, busybox], {
    [KERNEL]: readFileSync(join(root, "boot", `vmlinuz-${version}`)),
    [INITRAMFS]: gzipSync(archive, { level: 9 }),
  });
}

function store(
  folder: string,
  packages: readonly Package[],
  files: Readonly<Record<string, Uint8Array>>,
): void {
  mkdirSync(folder);
  const sha256: Record<string, string> = {};
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(join(folder, name), bytes);
    sha256[name] = checksum(bytes);
  }
  const contents: Contents = { format: FORMAT, packages: packages.map(nameAndVersion), sha256 };
  writeFileSync(join(folder, CONTENTS), `${JSON.stringify(contents, null, 2)}\n`);
}

/** What the cache holds, or undefined where it is missing, damaged or of another format. */
function readCache(folder: string): LinuxFiles | undefined {
  if (!existsSync(join(folder, CONTENTS))) return undefined;
  try {
    const contents = JSON.parse(readFileSync(join(folder, CONTENTS), "utf8")) as Contents;
    if (contents.format !== FORMAT) return undefined;
    const kernel = readFileSync(join(folder, KERNEL));
    const initrd = readFileSync(join(folder, INITRAMFS));
    const isWhole =
      checksum(kernel) === contents.sha256[KERNEL] && checksum(initrd) === contents.sha256[INITRAMFS];
    return isWhole ? { kernel, initrd, sentence: `Debian's ${contents.packages.join(" and ")}` } : undefined;
  } catch {
    return undefined;
  }
}

/** "linux-image-6.1.0-50-686 6.1.176-1", from the name of the file. */
function nameAndVersion({ name, file }: Package): string {
  const version = decodeURIComponent(file).split("_").at(-2) ?? "";
  return `${name} ${version}`;
}

function checksum(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
