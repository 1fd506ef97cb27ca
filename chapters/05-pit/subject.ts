/** What the graded tests of chapter 5 may ask of a learner's timer: operations in, plain results out. */
import { Counter } from "#layers/05-pit/counter.ts";
import { Pit, pulsesAt, timeOfPulse } from "#layers/05-pit/pit.ts";
import type { Hypervisor } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";
import { build } from "./machine.ts";

/** One operation on a counter. `control` is bits 5 to 0 of a control word. */
export type CounterOperation =
  | { do: "control"; control: number }
  | { do: "write"; bytes: number[] }
  | { do: "gate"; high: boolean }
  /** Passes pulses one by one and shows the count after each, with a ' where OUT is high. */
  | { do: "trace"; pulses: number }
  /** Passes many pulses at once. */
  | { do: "pass"; pulses: number }
  | { do: "latch"; what: "count" | "status" }
  | { do: "read" }
  | { do: "out" }
  | { do: "status" };

/** One operation on the whole timer. Times are nanoseconds. */
export type PitOperation =
  | { do: "write"; offset: number; bytes: number[] }
  | { do: "read"; offset: number }
  | { do: "advanceTo"; time: number }
  | { do: "gate"; channel: 0 | 1 | 2; high: boolean }
  | { do: "output"; channel: 0 | 1 | 2 };

export interface TimerGuestRun {
  readonly output: string;
  readonly tones: { isOn: boolean; frequency: number; at: number }[];
  readonly last: string;
  readonly time: number;
}

export const subject = {
  pulsesAt: (times: readonly number[]): number[] => times.map(pulsesAt),
  timeOfPulse: (pulses: readonly number[]): number[] => pulses.map(timeOfPulse),

  /** Runs operations on one counter; an operation that shows nothing gives null. */
  counter: (operations: readonly CounterOperation[]) => onCounter(new Counter(), operations),

  /** The same on a counter that counts every pulse in any mode, and whose OUT stays low. */
  countRegister: (operations: readonly CounterOperation[]) => onCounter(new PlainCounter(), operations),

  /** What a timer answers whose counters run with the time, and which interrupts nobody. */
  counters(operations: readonly PitOperation[]): (number | boolean | null)[] {
    const clock = new ManualClock();
    return onTimer(new PlainPit(clock), clock, operations);
  },

  /** Runs operations on a timer and tells when IRQ 0 rose, and how often the clock was asked to call. */
  pit(operations: readonly PitOperation[]): {
    results: (number | boolean | null)[];
    rises: number[];
    calls: number;
  } {
    const clock = new ManualClock();
    const rises: number[] = [];
    let calls = 0;
    const counted = {
      now: () => clock.now(),
      schedule: (deadline: number, callback: () => void) =>
        clock.schedule(deadline, () => {
          calls++;
          callback();
        }),
    };
    const pit = new Pit(counted, { raise: () => void rises.push(clock.now()), lower() {} });
    const results = onTimer(pit, clock, operations);
    return { results, rises, calls };
  },

  /** A timer whose clock calls late: it programs counter 0 and is called once, at `time`. */
  lateClock(control: number, count: number, time: number): { rises: number; out: boolean } {
    let now = 0;
    let call = () => {};
    const clock = {
      now: () => now,
      schedule(_deadline: number, callback: () => void) {
        call = callback;
        return () => {};
      },
    };
    let rises = 0;
    const pit = new Pit(clock, { raise: () => void rises++, lower() {} });
    pit.write(3, 1, control);
    pit.write(0, 1, count & 0xff);
    pit.write(0, 1, count >> 8);
    now = time;
    call();
    return { rises, out: pit.output(0) };
  },

  /** Boots a guest of this chapter on the soft engine. */
  guest(image: Uint8Array): TimerGuestRun {
    const hypervisor = openSoft();
    try {
      return bootGuest(hypervisor, image);
    } finally {
      hypervisor.close();
    }
  },
};

/** A counter whose count register can be tested before its modes are written. */
class PlainCounter extends Counter {
  override get out(): boolean {
    return false;
  }

  protected override countDown(pulses: number): void {
    const state = this.save();
    this.restore({ ...state, left: state.left - pulses });
  }
}

/** A timer whose commands can be tested before it follows OUT of counter 0. */
class PlainPit extends Pit {
  constructor(private readonly time: ManualClock) {
    super(time, { raise() {}, lower() {} });
  }

  protected override catchUp(): void {
    for (const counter of this.counters) counter.advance(pulsesAt(this.time.now()));
  }

  protected override follow(): void {}
}

function onCounter(
  counter: Counter,
  operations: readonly CounterOperation[],
): (number | string | boolean | null)[] {
  let tick = 0;
  const passOne = () => {
    counter.advance(++tick);
    return `${counter.count.toString(16)}${counter.out ? "'" : ""}`;
  };
  const perform = (operation: CounterOperation): number | string | boolean | null => {
    switch (operation.do) {
      case "control":
        counter.writeControl(operation.control);
        return null;
      case "write":
        for (const byte of operation.bytes) counter.writeByte(byte);
        return null;
      case "gate":
        counter.setGate(operation.high);
        return null;
      case "trace":
        return Array.from({ length: operation.pulses }, passOne).join(" ");
      case "pass":
        counter.advance((tick += operation.pulses));
        return null;
      case "latch":
        if (operation.what === "count") counter.latchCount();
        else counter.latchStatus();
        return null;
      case "read":
        return counter.readByte();
      case "out":
        return counter.out;
      case "status":
        return counter.status;
    }
  };
  return operations.map(perform);
}

function onTimer(
  pit: Pit,
  clock: ManualClock,
  operations: readonly PitOperation[],
): (number | boolean | null)[] {
  const perform = (operation: PitOperation): number | boolean | null => {
    switch (operation.do) {
      case "write":
        for (const byte of operation.bytes) pit.write(operation.offset, 1, byte);
        return null;
      case "read":
        return pit.read(operation.offset);
      case "advanceTo":
        clock.advanceTo(operation.time);
        return null;
      case "gate":
        pit.setGate(operation.channel, operation.high);
        return null;
      case "output":
        return pit.output(operation.channel);
    }
  };
  return operations.map(perform);
}

/** Runs a guest to its end on any engine. */
export function bootGuest(hypervisor: Hypervisor, image: Uint8Array): TimerGuestRun {
  let output = "";
  const tones: TimerGuestRun["tones"] = [];
  const { clock, run } = build(
    hypervisor,
    image,
    byte => (output += String.fromCharCode(byte)),
    tone => tones.push({ ...tone }),
  );
  const last = run({ maxExits: 20_000, budget: { instructions: 100_000, milliseconds: 100 } });
  return { output, tones, last: last.reason, time: clock.now() };
}
