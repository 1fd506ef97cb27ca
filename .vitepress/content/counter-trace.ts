/** What one counter of the 8254 does pulse by pulse, for the figures: the layer's own counter is asked. */
import { Counter } from "#layers/05-pit/counter.ts";

/** The modes by their number, as the data sheet calls them. */
export const MODE_NAMES = [
  "interrupt on terminal count",
  "hardware retriggerable one-shot",
  "rate generator",
  "square wave mode",
  "software triggered strobe",
  "hardware triggered strobe",
] as const;

/** RW 1, the LSB only: one write loads a count of up to 255. */
const LSB_ONLY = 0b01_0000;

export interface TracedPulse {
  readonly gate: boolean;
  readonly out: boolean;
  /** What a read of the LSB returns; undefined while no count was loaded. */
  readonly count: number | undefined;
}

export interface TracedCounter {
  readonly mode: number;
  /** 1 to 255. */
  readonly count: number;
  readonly pulses: number;
  /** The level of GATE before pulse 0, 1, … */
  readonly gate?: (pulse: number) => boolean;
}

/** Control word and count are written before the first pulse; entry N is what stands after N pulses. */
export function traceCounter({ mode, count, pulses, gate = () => true }: TracedCounter): TracedPulse[] {
  const counter = new Counter(gate(0));
  counter.writeControl(LSB_ONLY | (mode << 1));
  counter.writeByte(count);
  return Array.from({ length: pulses }, (_, pulse) => {
    counter.advance(pulse);
    counter.setGate(gate(pulse));
    const isLoaded = counter.save().loaded > 0;
    return { gate: gate(pulse), out: counter.out, count: isLoaded ? counter.count & 0xff : undefined };
  });
}

/** An SVG path of levels side by side, each `width` wide, high at `top`, low `height` below it. */
export function levelPath(levels: readonly boolean[], width: number, top: number, height: number): string {
  const y = (level: boolean) => (level ? top : top + height);
  const [first = false, ...rest] = levels;
  const steps = rest.map((level, index) => `H${(index + 1) * width}V${y(level)}`);
  return `M0 ${y(first)}${steps.join("")}H${levels.length * width}`;
}

/** Levels in words: "high for 3 pulses, low for 1". */
export function levelsInWords(levels: readonly boolean[]): string {
  const runs: { level: boolean; length: number }[] = [];
  for (const level of levels) {
    const last = runs.at(-1);
    if (last?.level === level) last.length++;
    else runs.push({ level, length: 1 });
  }
  return runs.map(({ level, length }) => `${level ? "high" : "low"} for ${length}`).join(", ");
}
