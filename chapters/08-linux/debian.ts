/**
 * Debian's kernel on the layers of all chapters.
 *
 * At a terminal the sandbox takes over, with the same layers as here, and the shell is yours. Without one, as
 * in a test, guest time counts instructions, what is printed are the milestones, and it ends at the prompt.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { enterLinux, loadLinux } from "#layers/08-linux/boot.ts";
import { readSetupHeader } from "#layers/08-linux/setup-header.ts";
import { DebianError } from "../../sandbox/cli/linux/apt.ts";
import { debianLinux } from "../../sandbox/cli/linux/debian.ts";
import { nodeHost } from "../../sandbox/cli/node-host.ts";
import type { Hypervisor } from "../../sandbox/kvm/api.ts";
import { assembleMachine } from "../../sandbox/machine/machine.ts";
import { RealTime, VirtualTime } from "../../sandbox/machine/timekeeper.ts";
import type { FetchedGuest } from "../tools/chapter-manifest.ts";
import { ROOT } from "../tools/chapters.ts";
import { Complaint } from "../tools/complaint.ts";
import { hex } from "../tools/exit-log.ts";
import type { Stage } from "../tools/stage.ts";

const MEMORY_SIZE = 128 << 20;
/** The machine has no ACPI; three quarters of the instructions would be self-tests of ciphers. */
const COMMAND_LINE = "console=ttyS0 acpi=off cryptomgr.notests";
const PROMPT = "vmexit:/# ";
/** Nanoseconds of guest time in which the prompt must come. */
const PATIENCE = 120e9;

/** What a line of the kernel's log tells of the boot, and the layer that has made it possible. */
const MILESTONES: readonly (readonly [line: RegExp, milestone: string])[] = [
  [/Linux version (\S+)/, "the kernel has unpacked itself, and prints"],
  [/BIOS-e820: \[mem 0x0+100000-/, "it reads the memory map (chapter 8)"],
  [/Memory: .*K available/, "its page tables stand (chapter 3)"],
  [/NR_IRQS/, "it sets up its interrupts (chapter 4)"],
  [/Calibrating delay loop/, "the timer ticks (chapter 5)"],
  [/Trying to unpack rootfs image as initramfs/, "it unpacks the initial RAM disk (chapter 8)"],
  [/ttyS0 at I\/O 0x3f8 .* is a 16550A/, "it knows the serial port (chapter 6)"],
  [/Run \/init as init process/, "the first program runs"],
];

/** Boots it; says so where it cannot be fetched. */
export async function bootDebian(stage: Stage, guest: FetchedGuest): Promise<void> {
  const linux = await fetchDebian(line => stage.print(`   ${line}`));
  if (process.stdin.isTTY) return handOver(stage);
  const hypervisor = await stage.enter(guest, { engine: "soft", because: "which counts its instructions" });
  if (!hypervisor) return;
  stage.print(`   ${linux.sentence}`);
  toThePrompt(stage, hypervisor, linux);
}

async function fetchDebian(report: (line: string) => void) {
  try {
    return await debianLinux(report, () => {});
  } catch (error) {
    throw error instanceof DebianError ? new Complaint(error.message) : error;
  }
}

/** The sandbox, in a process with the conditions of this one: the learner's layers stay the learner's. */
function handOver({ engine }: Stage): void {
  const words = [join(ROOT, "sandbox/cli/sandbox.ts"), "linux", ...(engine ? ["--engine", engine] : [])];
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...words], {
    cwd: ROOT,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}

function toThePrompt(
  stage: Stage,
  hypervisor: Hypervisor,
  { kernel, initrd }: { kernel: Uint8Array; initrd: Uint8Array },
): void {
  let line = "";
  const milestones = [...MILESTONES];
  const machine = assembleMachine({
    hypervisor,
    memorySize: MEMORY_SIZE,
    startDate: 0,
    time: counter => (counter ? new VirtualTime(counter) : new RealTime(counter, nodeHost.monotonic)),
    serialOutput(byte) {
      line = byte === 0x0a ? "" : line + String.fromCharCode(byte);
      const at = byte === 0x0d ? milestones.findIndex(([pattern]) => pattern.test(line)) : -1;
      if (at >= 0) reached(milestones.splice(at, 1)[0]![1]);
    },
  });
  const { memory, vcpu, time } = machine.parts;
  const { version, runtimeStart, initSize } = readSetupHeader(kernel);
  stage.print(
    `   protocol ${version >> 8}.${version & 0xff}; it will run at ${hex(runtimeStart, 8)}, with ${hex(initSize, 8)} bytes from there`,
  );
  const reached = (milestone: string) => {
    const seconds = (time.clock.now() / 1e9).toFixed(3).padStart(7);
    stage.print(`  ${seconds} s ${machine.exits.toLocaleString("en").padStart(9)} exits  ${milestone}`);
  };
  enterLinux(vcpu, loadLinux(memory, { kernel, initrd, commandLine: COMMAND_LINE, ramSize: MEMORY_SIZE }));
  reached("the kernel is entered");
  time.setRunning(true);
  while (!line.startsWith(PROMPT)) {
    const step = machine.step();
    if (step.kind === "asleep" && step.nanoseconds < PATIENCE) wait(step.nanoseconds / 1e6);
    else if (step.kind !== "ready" || time.clock.now() > PATIENCE) {
      const why = step.kind === "ended" ? JSON.stringify(step.end) : step.kind;
      throw new Complaint(`Linux did not reach its prompt (${why}); the last line was: ${line}`);
    }
  }
  reached(`the shell asks: ${PROMPT.trim()}`);
  machine.close();
}

/** Nothing else is to do while the guest sleeps. */
function wait(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
