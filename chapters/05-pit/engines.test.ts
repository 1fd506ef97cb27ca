import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { EngineName } from "../../sandbox/kvm/api.ts";
import { openEngine } from "../../sandbox/kvm/engines.ts";
import { requires } from "../tools/requires.ts";
import { bootGuest } from "./subject.ts";

const image = (name: string) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`./guest/${name}.bin`, import.meta.url))));

async function run(engine: EngineName, name: string) {
  const hypervisor = await openEngine(engine);
  try {
    return bootGuest(hypervisor, image(name));
  } finally {
    hypervisor.close();
  }
}

const HIGH = (samples: number) => "#".repeat(samples);
const LOW = (samples: number) => "_".repeat(samples);

for (const engine of ["soft", "kvm"] as const) {
  describe(`the guests of chapter 5 on ${engine}`, engine === "kvm" ? requires("kvm").options : {}, () => {
    it("clock: a line for each of three seconds, 100 interrupts each", async () => {
      const { output, last, time } = await run(engine, "clock");
      expect(output).toBe("second 1: 100 ticks\nsecond 2: 100 ticks\nsecond 3: 100 ticks\n");
      expect(last).toBe("HLT");
      // 300 periods of 11,932 pulses at 105/88 MHz are 3.000014 s; the exits around them take a little.
      expect(time / 1e9).toBeCloseTo((300 * 11_932 * 88) / 105e6, 3);
    });

    it("waves: the six modes as the data sheet draws them", async () => {
      const { output } = await run(engine, "waves");
      const lines = output.trimEnd().split("\n");
      expect(lines.map(line => line.slice(0, 8))).toEqual([0, 1, 2, 3, 4, 5].map(mode => `mode ${mode}  `));
      const [terminal, oneShot, rate, square, software, hardware] = lines.map(line => line.slice(8));
      // Counter 2 counts while its gate is open, from sample 8 on; 24 pulses last 20 samples.
      expect(terminal).toBe(LOW(28) + HIGH(32));
      expect(oneShot).toBe(HIGH(8) + LOW(20) + HIGH(32));
      expect(rate).toBe(`${HIGH(27)}_${HIGH(19)}_${HIGH(12)}`);
      expect(square).toBe(HIGH(18) + LOW(10) + HIGH(10) + LOW(10) + HIGH(10) + LOW(2));
      expect(software).toBe(`${HIGH(27)}_${HIGH(32)}`);
      expect(hardware).toBe(`${HIGH(28)}_${HIGH(31)}`);
    });

    it("melody: seven notes of the scale, on the beat", async () => {
      const { tones } = await run(engine, "melody");
      expect(tones.map(({ isOn }) => isOn)).toEqual(Array.from({ length: 14 }, (_, at) => at % 2 === 0));
      const notes = tones.filter(({ isOn }) => isOn).map(({ frequency }) => Math.round(frequency));
      expect(notes).toEqual([523, 392, 392, 440, 392, 494, 523]);
      const lengths = tones.flatMap(({ isOn, at }, index) => (isOn ? [] : [at - tones[index - 1]!.at]));
      expect(lengths.map(length => Math.round(length / 50e6))).toEqual([5, 3, 3, 5, 11, 5, 5]);
    });
  });
}
