/** `npm run sandbox`: the whole machine in a terminal. */

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { BootImageError } from "../boot/boot-image-error.ts";
import { BlockStoreError } from "../devices/virtio-blk-store.ts";
import type { Hypervisor } from "../kvm/api.ts";
import { HypervisorError } from "../kvm/api.ts";
import { chooseEngine } from "../kvm/engines.ts";
import { assembleMachine, type Machine, type MachineEnd, MachineError } from "../machine/machine.ts";
import { MachineRunner } from "../machine/runner.ts";
import { SnapshotError, saveMachine } from "../machine/snapshot.ts";
import { RealTime, VirtualTime } from "../machine/timekeeper.ts";
import { openCards } from "./cards.ts";
import { fileProblem } from "./file-problem.ts";
import { type GuestPlan, planGuest } from "./guest-plan.ts";
import { HELP } from "./help.ts";
import { DebianError } from "./linux/apt.ts";
import { CaptureFileError } from "./net/capture-file.ts";
import { TapError } from "./net/tap.ts";
import { nodeHost } from "./node-host.ts";
import { type Options, readOptions } from "./options.ts";
import { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

const WRONG_USE = 2;
const CRASHED = 1;
/** Asked from outside to end: the terminal gets its mode back. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const KEYS = "Ctrl-] and then: q quit, w save, s status, ] send Ctrl-], h these keys";

/** Lines about the machine go to standard error; standard output is the guest's alone. */
function report(line: string): void {
  process.stderr.write(`${line}\r\n`);
}

async function main(words: readonly string[]): Promise<number> {
  const options = readOptions(words);
  if (options.command === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  const plan = await planGuest(options, report);
  const { hypervisor, sentence } = await chooseEngine(plan.engine, plan.needs, plan.engineReason);
  report(sentence);
  if (process.stdin.isTTY) report(KEYS);
  try {
    for (;;) {
      const end = await runOnce(hypervisor, options, plan);
      if (end.kind !== "reset" || !plan.canReset) return exitCode(end);
      report("the guest asked for a reset: it boots again");
    }
  } finally {
    hypervisor.close();
  }
}

/** The user left. */
interface Quit {
  readonly kind: "quit";
}

/** One life of the machine, from boot to its end. */
function runOnce(hypervisor: Hypervisor, options: Options, plan: GuestPlan): Promise<MachineEnd | Quit> {
  const { memorySize, startDate, guestTime } = plan;
  const cards = openCards(options, plan, { heard: () => machine.onInput(), complain: report });
  const machine = assembleMachine({
    ...cards.options,
    hypervisor,
    memorySize,
    startDate,
    time: counter =>
      options.isVirtualTime && counter
        ? new VirtualTime(counter, guestTime)
        : new RealTime(counter, nodeHost.monotonic, guestTime),
    serialOutput: byte => process.stdout.write(Uint8Array.of(byte)),
    debugOutput: byte => process.stderr.write(Uint8Array.of(byte)),
  });
  return new Promise((resolve, reject) => {
    const quit = () => leave(() => resolve({ kind: "quit" }));
    const leave = (settle: () => void) => {
      runner.stop();
      terminal.close();
      for (const signal of SIGNALS) process.off(signal, quit);
      machine.close();
      cards.close();
      settle();
    };
    const runner = new MachineRunner(machine, nodeHost, {
      ended: end => leave(() => resolve(end)),
      failed: error => leave(() => reject(error)),
    });
    const terminal = new Terminal(bytes => machine.type(bytes), {
      quit,
      save: () => {
        runner.stop();
        report(save(machine, options.saveFile));
        runner.start();
      },
      status: () => {
        const parts = [statusLine(hypervisor, machine), ...cards.describe(), ...frameCounters(machine)];
        report(parts.join(" · "));
      },
      help: () => report(KEYS),
    });
    for (const signal of SIGNALS) process.on(signal, quit);
    try {
      plan.setUp(machine);
      terminal.open();
      runner.start();
    } catch (error) {
      leave(() => reject(error));
    }
  });
}

/** Writes a whole file or none; returns what became of it. */
function save(machine: Machine, file: string): string {
  const bytes = saveMachine(machine);
  const unfinished = `${file}.unfinished`;
  try {
    writeFileSync(unfinished, bytes);
    renameSync(unfinished, file);
    return `saved to ${file}, ${Math.ceil(bytes.length / 1024)} KiB; go on with: npm run sandbox -- --restore ${file}`;
  } catch (error) {
    rmSync(unfinished, { force: true });
    return `${file} cannot be written: ${fileProblem(error)}`;
  }
}

function statusLine(hypervisor: Hypervisor, machine: Machine): string {
  const { vcpu, time, memorySize } = machine.parts;
  const { rip } = vcpu.getRegs();
  return [
    `engine ${hypervisor.name}`,
    `${memorySize / 0x10_0000} MiB`,
    `guest time ${(time.clock.now() / 1e9).toFixed(1)} s`,
    `${machine.exits} exits`,
    machine.isAsleep ? "asleep in HLT" : `running at 0x${rip.toString(16)}`,
  ].join(" · ");
}

/** What went through the network card, if there is one. */
function frameCounters({ parts }: Machine): string[] {
  const { network } = parts.cards;
  if (!network) return [];
  const { sent, received } = network.device.counters;
  return [`${sent} frames sent, ${received} received`];
}

function exitCode(end: MachineEnd | Quit): number {
  switch (end.kind) {
    case "exit":
      return end.code & 0xff;
    case "failed":
      report(end.sentence);
      return CRASHED;
    case "reset":
      report("the guest asked for a reset, and a restored machine has no image to boot: boot it anew");
      return 0;
    default:
      return 0;
  }
}

/** What the user can repair gets its sentence; anything else is our mistake and shows where. */
function isExpected(error: unknown): error is Error {
  return [
    UsageError,
    BootImageError,
    BlockStoreError,
    CaptureFileError,
    DebianError,
    HypervisorError,
    MachineError,
    SnapshotError,
    TapError,
  ].some(kind => error instanceof kind);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!isExpected(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = WRONG_USE;
}
