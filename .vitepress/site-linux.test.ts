import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { imageKind } from "../sandbox/boot/image.ts";
import { cacheFolder } from "../sandbox/cli/linux/debian.ts";
import type { LinuxManifest } from "./sandbox/linux-manifest.ts";

const SCRIPT = join(import.meta.dirname, "site-linux.ts");
let site = "";

beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), "vmexit-site-"));
});
afterEach(() => rmSync(site, { recursive: true }));

it("says what a folder is that is no site", () => {
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", SCRIPT, site], {
    encoding: "utf8",
  });
  expect(stderr).toBe(`${site} is no built site: make one with npm run build\n`);
  expect(status).toBe(2);
});

it("puts the files of the manifest beside a site", context => {
  if (!existsSync(join(cacheFolder(), "linux-686/contents.json"))) {
    context.skip("Debian's kernel was not fetched yet: npm run sandbox linux");
  }
  const folder = join(site, "linux");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "images.json"),
    readFileSync(join(import.meta.dirname, "../docs/public/linux/images.json")),
  );
  execFileSync(process.execPath, ["--import", "tsx", SCRIPT, site]);
  const { images } = JSON.parse(readFileSync(join(folder, "images.json"), "utf8")) as LinuxManifest;
  const { kernel, initrd, size, source } = images[0]!;
  const files = [kernel, initrd].map(name => readFileSync(join(folder, name)));
  expect(imageKind(kernel, files[0]!)).toBe("linux");
  expect(size).toBe(files[0]!.length + files[1]!.length);
  expect(source).toMatch(/^Debian's linux-image-\S+ \S+ and busybox-static/);
});
