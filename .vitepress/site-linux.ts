/**
 * `npm run site:linux [FOLDER]`: puts Debian's kernel and the small initial RAM disk beside the built site, where the
 * sandbox page finds them. They come from the same cache as those of `npm run sandbox linux`.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Complaint } from "../chapters/tools/complaint.ts";
import { runTool } from "../chapters/tools/run-tool.ts";
import { DebianError } from "../sandbox/cli/linux/apt.ts";
import { debianLinux } from "../sandbox/cli/linux/debian.ts";
import { ProgressBar } from "../sandbox/cli/progress-bar.ts";
import { LINUX_COMMAND_LINE, type LinuxImage, type LinuxManifest } from "./sandbox/linux-manifest.ts";

const ROOT = join(import.meta.dirname, "..");
const BUILT_SITE = join(ROOT, ".vitepress/dist");
const FOLDER = "linux";
const SOURCES = "https://snapshot.debian.org";

await runTool(async () => {
  const site = process.argv[2] ?? BUILT_SITE;
  if (!existsSync(join(site, FOLDER, "images.json"))) {
    throw new Complaint(`${site} is no built site: make one with npm run build`, 2);
  }
  const folder = join(site, FOLDER);
  const { kernel, initrd, sentence } = await debian();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "vmlinuz"), kernel);
  writeFileSync(join(folder, "initramfs.gz"), initrd);
  const image: LinuxImage = {
    name: "Debian’s Linux",
    kernel: "vmlinuz",
    initrd: "initramfs.gz",
    commandLine: LINUX_COMMAND_LINE,
    size: kernel.length + initrd.length,
    source: `${sentence}, sources at ${SOURCES}`,
  };
  const manifest: LinuxManifest = { images: [image] };
  writeFileSync(join(folder, "images.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  console.log(`${sentence}: in ${relative(process.cwd(), folder) || "."}, ${Math.ceil(image.size / 1e6)} MB`);
  return 0;
});

async function debian() {
  const bar = new ProgressBar();
  try {
    return await debianLinux(
      line => console.log(line),
      (what, done, total) => bar.show(what, done, total),
    );
  } catch (error) {
    if (error instanceof DebianError) throw new Complaint(error.message, 2);
    throw error;
  }
}
