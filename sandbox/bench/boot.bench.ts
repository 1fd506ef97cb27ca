/**
 * Debian's Linux to its shell, and a program in it: the command line's machine on our soft engine, v86 with
 * and without its compiler, and QEMU's translator. The same kernel, initial RAM disk, command line and RAM.
 *
 * Each run is a fresh process, from its start to the prompt on the serial line: loading, firmware where
 * there is one, and compilers' threads count. Processor time is the fairer figure on a machine that has
 * other things to do; the wall shows what a user waits.
 */
import { existsSync } from "node:fs";
import {
  type GuestFiles,
  NO_QEMU,
  PROMPT,
  qemuCommand,
  qemuVersion,
  SEABIOS,
  sandboxCommand,
  v86Command,
  v86Version,
  withGuest,
} from "./boot-guest.ts";
import { inTurns, summarize } from "./paired.ts";
import { type BenchResult, CannotMeasure, type Contestant, type Row, thisMachine } from "./result.ts";
import { SerialProcess } from "./serial-process.ts";

export const description = "Debian's Linux to its shell, and md5sum there: soft, v86, QEMU";

const ROUNDS = 3;
/** To the prompt; v86's interpreter on a busy machine takes a few minutes. */
const LONGEST = 600;
/** The rule that this bench is there for: so many times v86's processor time to the shell at most. */
const MOST_TIMES_V86 = 3;

/** The program in the shell. The sum is that of so many zeros (RFC 1321, by any other md5sum). */
const WORK_MIB = 16;
const WORK = `dd if=/dev/zero bs=64k count=${WORK_MIB * 16} 2>/dev/null | md5sum\n`;
const WORK_SUM = "2c7ab85a893283e98c931e9511add182";

/** What one run came to, in seconds. */
export interface BootRun {
  readonly processor: number;
  readonly wall: number;
  /** Processor time of the program in the shell. */
  readonly work: number;
}

export async function run(rounds = ROUNDS): Promise<BenchResult> {
  return await withGuest(async files => {
    const { commands, notes } = contestants(files);
    const runners = new Map([...commands].map(([who, command]) => [who, () => boot(who, command)]));
    // Each run is a fresh process, so there is nothing to warm up.
    const runs = await inTurns(runners, rounds, { warmUp: false });
    return resultOf(runs, [files.sentence, `command line: ${files.commandLine}`, ...notes]);
  });
}

/** How each one is started, as far as it is here. None has a network, which would ask for a lease. */
function contestants(files: GuestFiles) {
  const notes: string[] = [];
  const commands = new Map<Contestant, readonly string[]>([["ours", sandboxCommand("--net", "none")]]);
  if (existsSync(SEABIOS)) {
    commands.set("v86", v86Command(files));
    commands.set("v86Interpreter", v86Command(files, "interpreter"));
    notes.push(v86Version());
  } else notes.push(`v86 not measured: its firmware ${SEABIOS} is missing (Debian: apt install seabios)`);
  const qemu = qemuVersion();
  if (qemu !== undefined) commands.set("qemu", qemuCommand(files));
  notes.push(qemu ?? NO_QEMU);
  return { commands, notes };
}

async function boot(who: Contestant, command: readonly string[]): Promise<BootRun> {
  const guest = new SerialProcess(who, command);
  try {
    const { moment: shell } = await guest.until(PROMPT, LONGEST);
    guest.type(WORK);
    const { output, moment: done } = await guest.until(PROMPT, LONGEST);
    if (!output.includes(WORK_SUM)) {
      throw new CannotMeasure(`${who}: md5sum in the guest did not come to ${WORK_SUM}: ${output}`);
    }
    return {
      processor: shell.processorSeconds,
      wall: shell.wallSeconds,
      work: done.processorSeconds - shell.processorSeconds,
    };
  } finally {
    guest.close();
  }
}

export function resultOf(
  runs: ReadonlyMap<Contestant, readonly BootRun[]>,
  notes: readonly string[],
): BenchResult {
  const row = (name: string, value: (run: BootRun) => number): Row =>
    summarize(name, "s", new Map([...runs].map(([who, each]) => [who, each.map(value)])));
  const shell = row("to the shell, processor time", run => run.processor);
  const rows = [
    shell,
    row("to the shell, wall", run => run.wall),
    row(`md5sum of ${WORK_MIB} MiB, processor time`, run => run.work),
  ];
  const times = shell.ratio.v86;
  const verdict =
    times === undefined
      ? []
      : [
          `to the shell we take ${times.toFixed(2)} times the processor time of v86 with its compiler; ` +
            `at most ${MOST_TIMES_V86} is the rule, which is ${times <= MOST_TIMES_V86 ? "kept" : "broken"}`,
        ];
  return { bench: "boot", machine: thisMachine(), rows, notes: [...notes, ...verdict] };
}
