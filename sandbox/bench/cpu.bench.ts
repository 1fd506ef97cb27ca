/**
 * The processor: one guest image on our soft engine, on v86 with and without its compiler, on QEMU and on
 * Bochs.
 *
 * A round is one pass of each over all rows of the guest; a row's speed is its number of instructions, as
 * our processor counts them, by the time between its marks on the serial line. The last row is the
 * geometric mean of all others.
 */
import { Child } from "./cpu-child.ts";
import { hasProgram, runOnBochs, runOnQemu } from "./cpu-emulators.ts";
import { type GuestRow, ROWS } from "./cpu-guest.ts";
import type { Pass } from "./cpu-pass.ts";
import { inTurns, summarize } from "./paired.ts";
import { type BenchResult, type Contestant, type Peer, type Row, thisMachine } from "./result.ts";

export const description =
  "twelve rows of guest code on soft, v86 (with and without its compiler), QEMU, Bochs";

const ROUNDS = 5;
/** A pass takes seconds; one that takes this many hangs. */
const LONGEST_PASS = 120;
const UNIT = "instructions/s";
/** The rule that this bench is there for, by row: how many times slower than v86's interpreter is too slow. */
const TOO_SLOW = 2;

type Contestants = Map<Contestant, () => Promise<Pass>>;
type Passes = ReadonlyMap<Contestant, readonly Pass[]>;

/** A contestant's processor is wrong, so its speed has no meaning. */
export class WrongChecksum extends Error {
  override readonly name = "WrongChecksum";
  constructor(
    readonly contestant: Contestant,
    readonly row: GuestRow,
    readonly checksum: string | undefined,
  ) {
    super(
      checksum === undefined
        ? `${contestant} did not run the row ${row.name}`
        : `${contestant}: the row ${row.name} came to ${checksum} instead of ${row.checksum}`,
    );
  }
}

export async function run(rounds = ROUNDS): Promise<BenchResult> {
  const notes: string[] = [];
  const children = {
    ours: new Child("./cpu-ours.ts"),
    v86Interpreter: new Child("./cpu-v86.ts", ["interpreter"]),
    v86: new Child("./cpu-v86.ts"),
  };
  const contestants: Contestants = new Map();
  for (const [who, child] of Object.entries(children) as [Contestant, Child][]) {
    contestants.set(who, () => child.runPass(LONGEST_PASS));
  }
  if (hasProgram("qemu-system-i386")) contestants.set("qemu", () => runOnQemu(LONGEST_PASS));
  else notes.push("QEMU not measured: there is no qemu-system-i386 (Debian: apt install qemu-system-x86)");
  if (hasProgram("bochs")) contestants.set("bochs", () => runOnBochs(LONGEST_PASS));
  else notes.push("Bochs not measured: there is no bochs (Debian: apt install bochs bochsbios)");
  try {
    const passes = await inTurns(contestants, rounds);
    for (const [who, each] of passes) for (const pass of each) check(who, pass);
    const rows = ROWS.map(row => summaryOf(row, passes));
    const mean = geometricMean(passes);
    return {
      bench: "cpu",
      machine: thisMachine(),
      rows: [...rows, mean],
      notes: [...notes, ...verdict(rows, mean)],
    };
  } finally {
    for (const child of Object.values(children)) child.close();
  }
}

function check(who: Contestant, pass: Pass): void {
  for (const row of ROWS) {
    const checksum = pass[row.name]?.checksum;
    if (checksum !== row.checksum) throw new WrongChecksum(who, row, checksum);
  }
}

/** Instructions a second, round by round. The guest's time-stamp counter counts them on our processor. */
function speeds(row: GuestRow, who: Contestant, passes: Passes): number[] {
  const instructions = passes.get("ours")![0]![row.name]!.ticks;
  return passes.get(who)!.map(pass => instructions / pass[row.name]!.seconds);
}

function summaryOf(row: GuestRow, passes: Passes): Row {
  const samples = new Map([...passes.keys()].map(who => [who, speeds(row, who, passes)]));
  return summarize(row.text, UNIT, samples);
}

function geometricMean(passes: Passes): Row {
  const samples = new Map<Contestant, number[]>();
  for (const [who, each] of passes) {
    const byRow = ROWS.map(row => speeds(row, who, passes));
    const mean = (round: number) =>
      Math.exp(byRow.reduce((sum, speed) => sum + Math.log(speed[round]!), 0) / ROWS.length);
    samples.set(
      who,
      each.map((_, round) => mean(round)),
    );
  }
  return summarize("geometric mean of the rows", UNIT, samples);
}

function verdict(rows: readonly Row[], mean: Row): string[] {
  const peer: Peer = "v86Interpreter";
  const slow = rows.filter(row => (row.ratio[peer] ?? 1) < 1 / TOO_SLOW).map(row => row.name);
  const times = mean.ratio[peer]?.toFixed(2);
  return [
    "instructions are counted as our processor counts them; each item of a REP is one",
    `against v86's interpreter: ${times} times as fast by geometric mean, ${
      slow.length === 0
        ? `no row more than ${TOO_SLOW} times slower`
        : `more than ${TOO_SLOW} times slower in ${slow.join(", ")}`
    }`,
  ];
}
