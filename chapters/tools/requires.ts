/**
 * What a test needs of this machine, and whether it is there.
 *
 *     const nasm = requires("nasm");
 *     it("assembles to the image", nasm.options, () => { … });
 *     describe.skipIf(!nasm.available)("the images", () => { … });
 *
 * `options` also carries the reason, which `npm test` counts in its last lines. With CI=true a missing
 * program is a failure, since .ci/run installs all of them (and npm's packages come by the registry); a missing /dev/kvm, the right to make network
 * devices or the folder of recorded vectors stays a skip, as nothing can install those.
 */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

declare module "vitest" {
  interface TaskMeta {
    /** Why a test is skipped, for the summary of `npm test`. */
    skipReason?: string;
  }
}

export type Tool =
  | "kvm"
  | "tun"
  | "vectors"
  | "nasm"
  | "gcc"
  | "gcc32"
  | "qemu"
  | "bochs"
  | "chromium"
  | "tshark"
  | "gdb"
  | "xz"
  | "tmux"
  | "script"
  | "ip"
  | "ping"
  | "setpriv"
  | "registry";

export interface Requirement {
  readonly available: boolean;
  /** Why not, in a few words, e.g. "no nasm"; empty where it is available. */
  readonly reason: string;
  /** For vitest's `it(name, options, …)` and `describe(name, options, …)`: skips and says why. */
  readonly options: { readonly skip?: true; readonly meta?: { skipReason: string } };
}

/** A program that the whole suite needs is missing where CI=true promised it. */
export class MissingToolError extends Error {
  override readonly name = "MissingToolError";
  constructor(
    readonly tool: Tool,
    reason: string,
  ) {
    super(`${reason}: with CI=true this is a failure; .ci/run sees to it`);
  }
}

const PROGRAMS: Readonly<Partial<Record<Tool, string>>> = {
  nasm: "nasm",
  gcc: "gcc",
  qemu: "qemu-system-i386",
  bochs: "bochs",
  chromium: "chromium",
  tshark: "tshark",
  gdb: "gdb",
  xz: "xz",
  tmux: "tmux",
  script: "script",
  ip: "ip",
  ping: "ping",
  setpriv: "setpriv",
};

/** What the machine gives or does not: no package brings it. */
const GIVEN: ReadonlySet<Tool> = new Set<Tool>(["kvm", "tun", "vectors"]);

/** The folder of vectors recorded from processors, beside the project; not part of it. */
export const VECTORS = fileURLToPath(new URL("../../../shared/vectors", import.meta.url));

const found = new Map<Tool, string>();

/** Tells whether a tool is there; looks once. */
export function requires(tool: Tool): Requirement {
  let reason = found.get(tool);
  if (reason === undefined) found.set(tool, (reason = missing(tool)));
  if (reason && process.env["CI"] === "true" && !GIVEN.has(tool)) {
    throw new MissingToolError(tool, reason);
  }
  return {
    available: reason === "",
    reason,
    // Nothing where it is available: `skip: false` would undo the skips of the tests inside.
    options: reason ? { skip: true, meta: { skipReason: reason } } : {},
  };
}

function missing(tool: Tool): string {
  if (tool === "kvm") return canOpen("/dev/kvm") ? "" : "no /dev/kvm";
  if (tool === "tun") return withoutTun();
  if (tool === "vectors") return existsSync(VECTORS) ? "" : "no ../shared/vectors";
  if (tool === "gcc32") return compiles32() ? "" : "no gcc -m32";
  if (tool === "registry") return answers() ? "" : "no npm registry";
  const program = PROGRAMS[tool];
  return program && onPath(program) ? "" : `no ${program}`;
}

/** A TAP device, and a network namespace to try it in. */
function withoutTun(): string {
  if (!existsSync("/dev/net/tun")) return "no /dev/net/tun";
  return process.getuid?.() === 0 ? "" : "not root, who may make network devices";
}

function canOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether npm reaches a registry that has our packages, by the way and the settings that `npm ci` uses. */
function answers(): boolean {
  const question = ["view", "tsx", "name", "--prefer-online", "--fetch-retries=0", "--fetch-timeout=10000"];
  try {
    execFileSync("npm", question, { stdio: "ignore", shell: process.platform === "win32", timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}

function compiles32(): boolean {
  if (!onPath("gcc")) return false;
  const folder = mkdtempSync(join(tmpdir(), "vmexit-gcc32-"));
  try {
    writeFileSync(join(folder, "a.c"), '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n');
    execFileSync("gcc", ["-m32", "-o", join(folder, "a"), join(folder, "a.c")], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
