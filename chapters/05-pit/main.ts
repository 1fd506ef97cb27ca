/** Runs the guests of chapter 5 on your timer and shows what they print and play: `npm run chapter 5`. */
import { openStage } from "../tools/stage.ts";
import { build, type Tone } from "./machine.ts";

const stage = await openStage(import.meta.url);
const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

for (const guest of stage.guests) {
  const hypervisor = await stage.enter(guest);
  if (!hypervisor) continue;
  const counts = new Map<string, number>();
  const print = (byte: number) => stage.outputLine(byte);
  const { vcpu, memory, clock, run } = build(hypervisor, guest.bytes, print, speaker());

  stage.dump(vcpu, memory);
  const last = run({
    budget: { instructions: 1_000_000, milliseconds: 250 },
    maxExits: 100_000,
    onExit(exit) {
      counts.set(exit.reason, (counts.get(exit.reason) ?? 0) + 1);
      if (!stage.trace) return;
      stage.exit(exit);
      stage.dump(vcpu, memory);
    },
  });

  const exits = [...counts].map(([reason, count]) => `${count.toLocaleString("en")} ${reason}`).join(", ");
  stage.print(
    `   ends with ${last.reason} after ${(clock.now() / 1e6).toFixed(3)} ms of guest time: ${exits}`,
  );
}

stage.close();

/** Prints each tone when it ends: its name, its frequency, how long it was. */
function speaker(): (tone: Tone) => void {
  let began: Tone | undefined;
  return tone => {
    if (!tone.isOn && began) {
      const milliseconds = (tone.at - began.at) / 1e6;
      const name = noteName(began.frequency).padEnd(3);
      const bar = "▇".repeat(Math.round(milliseconds / 50));
      stage.print(
        `  ♪ ${name} ${began.frequency.toFixed(1).padStart(6)} Hz ${milliseconds.toFixed(0).padStart(4)} ms ${bar}`,
      );
    }
    began = tone.isOn ? tone : undefined;
  };
}

/** The nearest note of the tempered scale, A4 at 440 Hz. */
function noteName(frequency: number): string {
  const fromA4 = Math.round(12 * Math.log2(frequency / 440));
  const fromC0 = fromA4 + 57;
  return `${NOTES[fromC0 % 12]}${Math.floor(fromC0 / 12)}`;
}
