/**
 * Paired runs: all contestants in every round, so that whatever disturbs the machine disturbs all of
 * them, and in turning order, so that none always comes first.
 */
import type { Contestant, Peer, Row } from "./result.ts";

/** Measures one contestant once, in the unit of its row. */
export type Measure = () => number | Promise<number>;

export interface Contest {
  readonly name: string;
  readonly unit: string;
  readonly rounds: number;
  readonly ours: Measure;
  readonly peers: Readonly<Partial<Record<Peer, Measure>>>;
}

/** Runs the rounds after one that only warms up, and sums them up to a row. */
export async function contest({ name, unit, rounds, ours, peers }: Contest): Promise<Row> {
  const runners: [Contestant, Measure][] = [["ours", ours], ...(Object.entries(peers) as [Peer, Measure][])];
  return summarize(name, unit, await inTurns(new Map(runners), rounds));
}

/** What each one measured in each round, after a round that only warms up unless `warmUp` is false. */
export async function inTurns<Sample>(
  runners: ReadonlyMap<Contestant, () => Sample | Promise<Sample>>,
  rounds: number,
  { warmUp = true } = {},
): Promise<Map<Contestant, Sample[]>> {
  const samples = new Map<Contestant, Sample[]>([...runners.keys()].map(who => [who, []]));
  if (warmUp) for (const measure of runners.values()) await measure();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [...runners] : [...runners].reverse();
    for (const [who, measure] of order) samples.get(who)!.push(await measure());
  }
  return samples;
}

/** A row of the table. Each contestant has one sample a round. */
export function summarize(
  name: string,
  unit: string,
  samples: ReadonlyMap<Contestant, readonly number[]>,
): Row {
  const of = (who: Contestant) => samples.get(who)!;
  const peers = [...samples.keys()].filter(who => who !== "ours");
  const each = <Value>(value: (who: Peer) => Value) =>
    Object.fromEntries(peers.map(who => [who, value(who)])) as Record<Peer, Value>;
  return {
    name,
    unit,
    ours: median(of("ours")),
    peers: each(who => median(of(who))),
    spread: { ours: spread(of("ours")), ...each(who => spread(of(who))) },
    ratio: each(who => median(of("ours").map((value, round) => value / of(who)[round]!))),
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The distance of the quartiles as a part of the median. */
export function spread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
}

/** Between two samples the value is interpolated. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
