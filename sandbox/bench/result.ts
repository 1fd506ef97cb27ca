/** What a benchmark brings back, and how it is printed. */
import { readFileSync } from "node:fs";
import { cpus, release } from "node:os";

/** Whom we compare with. */
export type Peer = "c" | "node" | "v86" | "v86Interpreter" | "qemu" | "bochs";
export type Contestant = "ours" | Peer;

/** A file `NAME.bench.ts` in this folder exports these two. */
export interface Bench {
  /** A sentence for the list of benchmarks. */
  readonly description: string;
  /** `rounds` for how many one wants to wait; each has a number of its own. */
  run(rounds?: number): Promise<BenchResult>;
}

export interface BenchResult {
  readonly bench: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
  /** What could not be measured here, and why. */
  readonly notes: readonly string[];
}

/** What a benchmark needs is not here; the message says what, and what to do. */
export class CannotMeasure extends Error {
  override readonly name = "CannotMeasure";
}

export interface Row {
  readonly name: string;
  /** Of `ours` and of every peer; more is better if it ends in "/s". */
  readonly unit: string;
  /** The median of all rounds. */
  readonly ours: number;
  readonly peers: Readonly<Partial<Record<Peer, number>>>;
  /** The middle half of each one's samples, as a part of its median: 0.02 is ± 1 %. */
  readonly spread: Readonly<Partial<Record<Contestant, number>>>;
  /** The median, over the rounds, of ours divided by the peer's in the same round. */
  readonly ratio: Readonly<Partial<Record<Peer, number>>>;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
}

export function thisMachine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    system: `${process.platform} ${release()}`,
    node: process.versions.node,
  };
}

/** The system's load, for a warning: a busy machine measures itself. */
export function loadAverage(): number {
  try {
    return Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
  } catch {
    return 0;
  }
}

/** The result as a table of plain text. */
export function table({ bench, machine, rows, notes }: BenchResult): string {
  const lines = [
    `bench ${bench} · ${machine.processor}, ${machine.cores} cores · ${machine.system} · Node ${machine.node}`,
    "",
  ];
  for (const row of rows) {
    lines.push(`${row.name}`);
    const print = (who: Contestant, value: number, ratio?: number) => {
      const spread = ((row.spread[who] ?? 0) * 50).toFixed(1);
      const compared = ratio === undefined ? "" : `   ours is ${(ratio * 100).toFixed(0)} % of it`;
      lines.push(`  ${who.padEnd(15)}${amount(value).padStart(10)} ${row.unit}  ± ${spread} %${compared}`);
    };
    print("ours", row.ours);
    for (const [peer, value] of Object.entries(row.peers) as [Peer, number][]) {
      print(peer, value, row.ratio[peer]);
    }
    lines.push("");
  }
  lines.push(...notes.map(note => `note: ${note}`));
  return lines.join("\n").trimEnd();
}

/** Three to four significant digits and a thousands mark. */
function amount(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}
