import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { nodeVersion } from "./checks.ts";

const DOCTOR = fileURLToPath(new URL("doctor.ts", import.meta.url));

function doctor(path: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", DOCTOR], {
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  });
  const lines = stdout.trimEnd().split("\n");
  const about = (name: string) => lines.find(line => line.slice(2).startsWith(name)) ?? "";
  return { status, stdout, stderr, lines, about };
}

/** A folder with Node and npm and nothing else. */
function nodeAlone(): string {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-doctor-"));
  const npm = (process.env["PATH"] ?? "").split(delimiter).map(entry => join(entry, "npm"));
  symlinkSync(process.execPath, join(folder, "node"));
  symlinkSync(npm.find(existsSync) ?? "npm", join(folder, "npm"));
  return folder;
}

describe("npm run doctor", () => {
  it("gives every missing program one line with its purpose and its remedy, and is content without them", () => {
    const path = nodeAlone();
    const { status, stdout, stderr, about } = doctor(path);
    rmSync(path, { recursive: true });
    expect(stderr).toBe("");
    expect(about("Node ")).toBe(`✓ Node        ${process.versions.node}`);
    expect(about("engine soft")).toMatch(/^✓ engine soft runs real-mode/);
    for (const program of ["nasm", "gcc ", "gcc -m32", "QEMU", "Chromium", "tshark", "gdb", "bochs"]) {
      expect(about(program)).toMatch(/^– .* needed to .+\. Install it .+Debian: /);
    }
    expect(stdout).not.toContain("\x1b");
    expect(stdout).toMatch(/\nReady: npm run chapter 1 solution/);
    expect(status).toBe(0);
  });

  it("fails where something is missing that everything needs", () => {
    const { status, about, lines } = doctor("/nonexistent");
    expect(about("npm")).toMatch(/^✗ npm .*install Node from nodejs.org/);
    expect(lines.at(-1)).toMatch(/Nothing runs before this is repaired: npm/);
    expect(status).toBe(1);
  });

  it("knows how old Node may be", () => {
    expect(nodeVersion("20.18.3")).toMatchObject({ ok: false, required: true });
    expect(nodeVersion("20.18.3").detail).toMatch(/too old. Install Node 20.19 or later/);
    expect(["20.19.0", "22.1.0", "24.0.0"].map(version => nodeVersion(version).ok)).toEqual([
      true,
      true,
      true,
    ]);
  });
});
