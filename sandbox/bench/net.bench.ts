/**
 * 64 MiB into Debian's Linux and out of it, through virtio-net and a user-mode network: the command line's
 * machine on our soft engine beside QEMU's translator with its user network.
 *
 * Both boot the same kernel and initial RAM disk once a round, and then move the bytes: wget in the guest
 * fetches from an HTTP server of the host, and the host fetches from busybox's httpd through a forwarded
 * port. The wall tells megabytes a second; the emulator's processor time tells what they cost.
 */
import {
  type GuestFiles,
  NO_QEMU,
  PROMPT,
  qemuCommand,
  qemuVersion,
  sandboxCommand,
  withGuest,
} from "./boot-guest.ts";
import { inTurns, summarize } from "./paired.ts";
import { type BenchResult, CannotMeasure, type Contestant, type Row, thisMachine } from "./result.ts";
import { SerialProcess } from "./serial-process.ts";
import { fetchZeros, freePort, ZeroServer } from "./transfer-host.ts";

export const description = "64 MiB into Debian's Linux and out of it: soft beside QEMU, user network";

const ROUNDS = 3;
/** Seconds to the prompt, or for one transfer. */
const LONGEST = 600;
const MIB = 64;
const LENGTH = MIB << 20;
const GUEST_PORT = 8080;
/** The user networks' address for the host's loopback. */
const HOST = "10.0.2.2";

/** One transfer, in seconds. */
export interface Transfer {
  readonly wall: number;
  readonly processor: number;
}

export interface NetRun {
  readonly into: Transfer;
  readonly outOf: Transfer;
}

export async function run(rounds = ROUNDS): Promise<BenchResult> {
  return await withGuest(async files => {
    const server = new ZeroServer(LENGTH);
    const port = await server.listen();
    try {
      const { commands, notes } = contestants(files);
      const runners = new Map(
        [...commands].map(([who, command]) => [
          who,
          async () => {
            // A new one each time: the host keeps the last one's closed connections for a while.
            const forwarded = await freePort();
            return await transfer(who, command(forwarded), server, { server: port, forwarded });
          },
        ]),
      );
      const runs = await inTurns(runners, rounds, { warmUp: false });
      return resultOf(runs, [files.sentence, ...notes]);
    } finally {
      server.close();
    }
  });
}

/** Of the host: its HTTP server, and the one that leads to the guest's. */
interface Ports {
  readonly server: number;
  readonly forwarded: number;
}

/** The command of each, given the host's port that is to lead into the guest. */
function contestants(files: GuestFiles) {
  const commands = new Map<Contestant, (port: number) => readonly string[]>([
    ["ours", port => sandboxCommand("--net", "user", "--forward", `${port}:${GUEST_PORT}`)],
  ]);
  const qemu = qemuVersion();
  if (qemu !== undefined) {
    commands.set("qemu", port => {
      const network = `user,id=net,hostfwd=tcp:127.0.0.1:${port}-:${GUEST_PORT}`;
      return qemuCommand(files, "-netdev", network, "-device", "virtio-net-pci,netdev=net");
    });
  }
  return { commands, notes: [qemu ?? NO_QEMU] };
}

async function transfer(
  who: Contestant,
  command: readonly string[],
  server: ZeroServer,
  ports: Ports,
): Promise<NetRun> {
  const guest = new SerialProcess(who, command);
  const inShell = async (line: string) => {
    guest.type(`${line} && echo it is "done"\n`);
    const { output } = await guest.until(PROMPT, LONGEST);
    if (!output.includes("it is done")) throw new CannotMeasure(`${who}: in the guest failed: ${output}`);
  };
  /** What `work` takes, which must return LENGTH: the bytes that it moved. */
  const time = async (work: () => Promise<number>): Promise<Transfer> => {
    const before = guest.now();
    const moved = await work();
    const after = guest.now();
    if (moved !== LENGTH) throw new CannotMeasure(`${who}: ${moved} bytes arrived instead of ${LENGTH}`);
    return {
      wall: after.wallSeconds - before.wallSeconds,
      processor: after.processorSeconds - before.processorSeconds,
    };
  };
  try {
    await guest.until(PROMPT, LONGEST);
    const into = await time(async () => {
      await inShell(`wget -q -O /dev/null http://${HOST}:${ports.server}/zeros`);
      return server.sent;
    });
    await inShell(
      `mount -t tmpfs tmpfs /mnt && truncate -s ${LENGTH} /mnt/zeros && httpd -p ${GUEST_PORT} -h /mnt`,
    );
    const outOf = await time(() => fetchZeros(ports.forwarded, "/zeros"));
    return { into, outOf };
  } finally {
    guest.close();
  }
}

export function resultOf(
  runs: ReadonlyMap<Contestant, readonly NetRun[]>,
  notes: readonly string[],
): BenchResult {
  const row = (name: string, unit: string, value: (run: NetRun) => number): Row =>
    summarize(name, unit, new Map([...runs].map(([who, each]) => [who, each.map(value)])));
  const megabytes = LENGTH / 1e6;
  const rows = [
    row("into the guest, wget", "MB/s", run => megabytes / run.into.wall),
    row("out of the guest, httpd", "MB/s", run => megabytes / run.outOf.wall),
    row("into the guest, processor time", "s", run => run.into.processor),
    row("out of the guest, processor time", "s", run => run.outOf.processor),
  ];
  return { bench: "net", machine: thisMachine(), rows, notes: [`${MIB} MiB each way`, ...notes] };
}
