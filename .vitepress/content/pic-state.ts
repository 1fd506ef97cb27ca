/** The saved state of an interrupt controller in words: what its registers hold and what it was told. */
import { Pic, type PicState } from "#layers/04-interrupts/pic.ts";

export interface PicReading {
  readonly irr: number;
  readonly imr: number;
  readonly isr: number;
  readonly lines: number;
  /** The level that INT asks for; undefined while INT is low. */
  readonly pending: number | undefined;
  /** Levels from the most to the least urgent. */
  readonly priority: readonly number[];
  /** What the initialization and operation words said. */
  readonly words: readonly (readonly [name: string, meaning: string])[];
}

const LEVELS = [0, 1, 2, 3, 4, 5, 6, 7] as const;

export function readPic(state: PicState, isMaster: boolean): PicReading {
  const pic = new Pic({ raise() {}, lower() {} }, isMaster);
  pic.restore(state);
  return {
    irr: pic.irr,
    imr: pic.imr,
    isr: pic.isr,
    lines: state.lines,
    pending: pic.pendingLevel,
    priority: LEVELS.map(step => (state.lowest + 1 + step) & 7),
    words: wordsOf(state, isMaster),
  };
}

function wordsOf(state: PicState, isMaster: boolean): [string, string][] {
  if (!state.initialized) {
    const expects = state.expected ? `waits for ICW${state.expected}` : "not initialized";
    return [["ICW", expects]];
  }
  const { icw1, icw2, icw3, icw4 } = state;
  const single = (icw1 & 0b10) !== 0;
  const cascade = isMaster
    ? `slaves at ${LEVELS.filter(level => icw3 & (1 << level)).join(", ") || "none"}`
    : `slave number ${icw3 & 7}`;
  const modes = [
    (icw4 & 0b10) !== 0 && "automatic end of interrupt",
    (icw4 & 0b1_0000) !== 0 && "special fully nested",
    (icw4 & 1) !== 0 && "8086",
  ].filter(Boolean);
  return [
    ["ICW1", `${icw1 & 0b1000 ? "level" : "edge"} triggered, ${single ? "alone" : "cascaded"}`],
    ["ICW2", `vectors ${hex(icw2 & 0xf8)} to ${hex(icw2 | 7)}`],
    ...(single ? [] : [["ICW3", cascade] as [string, string]]),
    ["ICW4", modes.join(", ") || "none"],
    [
      "OCW",
      `${state.readIsr ? "reads ISR" : "reads IRR"}${state.specialMask ? ", special mask mode" : ""}${state.poll ? ", polls" : ""}`,
    ],
  ];
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}
