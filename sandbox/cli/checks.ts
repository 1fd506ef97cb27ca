/** What the doctor looks at: one line each, and why somebody may want it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hypervisor } from "../kvm/api.ts";
import { openEngine } from "../kvm/engines.ts";
import { type GuestNeed, NEEDS, probeKvm, runsMode } from "../kvm/probe.ts";

export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** Without it nothing works. */
  readonly required: boolean;
  /** What was found; or what it is needed for, and one line that brings it. */
  readonly detail: string;
}

/** A program of the system that parts of the house use. */
interface Program {
  readonly name: string;
  /** The first one on the PATH counts. */
  readonly commands: readonly string[];
  readonly versionFlag: string;
  /** "needed to …" */
  readonly purpose: string;
  /** Debian's package. */
  readonly debian: string;
}

const PROGRAMS: readonly Program[] = [
  {
    name: "nasm",
    commands: ["nasm"],
    versionFlag: "-v",
    purpose: "assemble guests that you change",
    debian: "nasm",
  },
  {
    name: "gcc",
    commands: ["gcc"],
    versionFlag: "--version",
    purpose: "compile the benchmark's peer in C and check structures against linux/kvm.h",
    debian: "gcc linux-libc-dev",
  },
  {
    name: "QEMU",
    commands: ["qemu-system-i386", "qemu-system-x86_64"],
    versionFlag: "--version",
    purpose: "compare benchmarks and guests with it",
    debian: "qemu-system-x86",
  },
  {
    name: "Chromium",
    commands: ["chromium", "chromium-browser", "google-chrome"],
    versionFlag: "--version",
    purpose: "test the book's pages",
    debian: "chromium",
  },
  {
    name: "tshark",
    commands: ["tshark"],
    versionFlag: "--version",
    purpose: "check captured network traffic",
    debian: "tshark",
  },
  { name: "gdb", commands: ["gdb"], versionFlag: "--version", purpose: "debug guests", debian: "gdb" },
  {
    name: "bochs",
    commands: ["bochs"],
    versionFlag: "--help",
    purpose: "have another opinion on the processor",
    debian: "bochs",
  },
];

/** Node 20.19 is the first release 20 that requires ES modules without a flag. */
const OLDEST_NODE = [20, 19] as const;

export async function examine(): Promise<Finding[]> {
  const findings = [nodeVersion(process.versions.node), npmVersion(), kvmEngine(), await softEngine()];
  for (const program of PROGRAMS) {
    findings.push(onPath(program));
    if (program.name === "gcc") findings.push(gcc32());
  }
  return findings;
}

export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const ok = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const detail = ok
    ? version
    : `${version} is too old. Install Node ${OLDEST_NODE.join(".")} or later from nodejs.org`;
  return { name: "Node", ok, required: true, detail };
}

function npmVersion(): Finding {
  const version = versionOf("npm", "--version");
  const detail = version ?? "is missing. It comes with Node: install Node from nodejs.org";
  return { name: "npm", ok: version !== undefined, required: true, detail };
}

function kvmEngine(): Finding {
  const { available, problem, modes, emulated } = probeKvm();
  const detail = available
    ? `${modesInWords(modes)}${emulated ? "; no VT-x or SVM beneath it, so slow" : ""}`
    : `${problem}. Guests run on the soft engine meanwhile`;
  return { name: "engine kvm", ok: available, required: false, detail };
}

async function softEngine(): Promise<Finding> {
  const finding = { name: "engine soft", required: true };
  let hypervisor: Hypervisor | undefined;
  try {
    const soft = (hypervisor = await openEngine("soft"));
    const modes = Object.fromEntries(NEEDS.map(need => [need, runs(soft, need)])) as Record<
      GuestNeed,
      boolean
    >;
    const ok = modes["real-mode"];
    return {
      ...finding,
      ok,
      detail: ok ? modesInWords(modes) : "does not run three instructions: please report it",
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return { ...finding, ok: false, detail: `${reason}. Please report it` };
  } finally {
    hypervisor?.close();
  }
}

function runs(hypervisor: Hypervisor, need: GuestNeed): boolean {
  try {
    return runsMode(hypervisor, need);
  } catch {
    return false;
  }
}

function modesInWords(modes: Readonly<Record<GuestNeed, boolean>>): string {
  const works = NEEDS.filter(need => modes[need]).join(", ");
  const fails = NEEDS.filter(need => !modes[need]).join(", ");
  return `runs ${works || "nothing"}${fails && `; not ${fails}`}`;
}

function onPath({ name, commands, versionFlag, purpose, debian }: Program): Finding {
  for (const command of commands) {
    const version = versionOf(command, versionFlag);
    if (version !== undefined) return { name, ok: true, required: false, detail: version };
  }
  return { name, ok: false, required: false, detail: `is missing; needed to ${purpose}. ${install(debian)}` };
}

/** gcc for 32-bit programs that run: its libraries are a package of their own. */
function gcc32(): Finding {
  const finding = { name: "gcc -m32", required: false };
  const folder = mkdtempSync(join(tmpdir(), "vmexit-doctor-"));
  try {
    const source = join(folder, "hello.c");
    const program = join(folder, "hello");
    writeFileSync(source, '#include <stdio.h>\nint main(void) { return puts("works") < 0; }\n');
    execFileSync("gcc", ["-m32", "-o", program, source], { stdio: "ignore" });
    return { ...finding, ok: true, detail: execFileSync(program, { encoding: "utf8" }).trim() };
  } catch {
    const detail = `does not work; needed to compare the processor with real i686 code. ${install("gcc-multilib")}`;
    return { ...finding, ok: false, detail };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(debian: string): string {
  const hasApt = versionOf("apt-get", "--version") !== undefined;
  return hasApt ? `sudo apt install ${debian}` : `Install it with your package manager (Debian: ${debian})`;
}

/** The line with a version number that `command flag` prints; nothing where there is no such command. */
function versionOf(command: string, flag: string): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, [flag], {
    encoding: "utf8",
    timeout: 10_000,
    // npm is a script there.
    shell: process.platform === "win32",
  });
  if (error && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  const lines = `${stdout}\n${stderr}`.split("\n").map(line => line.trim());
  return lines.find(line => /\d+\.\d+/.test(line)) ?? "found";
}
