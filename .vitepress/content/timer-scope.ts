/**
 * What the three counters of a timer did over a stretch of guest time. Between two accesses of the guest they do
 * nothing unforeseen, so the layer's own counters are set to the states that were saved at the accesses, and run.
 */
import { Counter, type CounterState } from "#layers/05-pit/counter.ts";
import { pulsesAt, timeOfPulse } from "#layers/05-pit/pit.ts";

/** The counters as they stood at a moment. */
export interface ScopeSample {
  /** Guest time in nanoseconds. */
  readonly time: number;
  readonly counters: readonly CounterState[];
}

export interface Edge {
  readonly time: number;
  readonly high: boolean;
}

export interface Trace {
  /** The level at the beginning, and where it changes. */
  readonly start: boolean;
  readonly edges: readonly Edge[];
  /** It changed more often than can be drawn: from here on. */
  readonly denseFrom: number | undefined;
}

/** More edges than this are not drawn one by one. */
const MOST_EDGES = 160;

/** OUT of `channel` from one guest time to another. `samples` are in order; what lies before the first is left out. */
export function traceOutput(
  samples: readonly ScopeSample[],
  channel: number,
  from: number,
  to: number,
): Trace {
  const edges: Edge[] = [];
  let start: boolean | undefined;
  let level = true;
  let denseFrom: number | undefined;
  const note = (time: number, high: boolean) => {
    if (time >= from && start === undefined) start = level;
    if (high === level) return;
    level = high;
    if (time < from) return;
    if (edges.length < MOST_EDGES) edges.push({ time, high });
    else denseFrom ??= time;
  };
  samples.forEach((sample, index) => {
    const end = Math.min(to, samples[index + 1]?.time ?? to);
    if (end < from || sample.time > to || denseFrom !== undefined) return;
    const counter = new Counter();
    counter.restore(sample.counters[channel]!);
    note(sample.time, counter.out);
    // The stretch before the window is crossed in one leap.
    counter.advance(Math.max(counter.tick, pulsesAt(from)));
    if (sample.time < from) level = counter.out;
    const last = pulsesAt(end);
    while (denseFrom === undefined) {
      const next = counter.tick + counter.pulsesToEvent;
      if (next > last) break;
      counter.advance(next);
      note(timeOfPulse(next), counter.out);
    }
  });
  return { start: start ?? level, edges, denseFrom };
}
