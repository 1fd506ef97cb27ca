/**
 * How guest time and the guest's execution go together.
 *
 * `RealTime` follows the host: an interactive guest's second is a second. `VirtualTime` counts
 * instructions: the same guest with the same input does the same things at the same guest time on every
 * host, and a guest that sleeps a minute makes nobody wait.
 *
 * Both keep the time-stamp counter of the soft engine in step with guest time, as an invariant counter of
 * a real processor is (SDM vol. 3B, 17.17.1): it goes on while the guest sleeps. `kvm` has its own.
 */
import type { RunBudget, Vcpu } from "../kvm/api.ts";
import { HostClock, ManualClock } from "./clock.ts";

const IA32_TIME_STAMP_COUNTER = 0x10;

/** The processor's counter, where the machine keeps it. */
export type TimeStampCounter = Pick<Vcpu, "getMsr" | "setMsr">;

export interface Timekeeper {
  readonly clock: HostClock | ManualClock;
  /** Before an entry: how long it may take. */
  enter(): RunBudget;
  /** After an exit: accounts for the time that went by, and runs the timers that are due. */
  leave(): void;
  /**
   * The guest sleeps. Runs what is due, and returns after how many nanoseconds of the host's time to ask
   * again: 0 at once, infinite when no timer is set.
   */
  sleep(): number;
  /** The machine starts or stops. Guest time stands still while it is stopped. */
  setRunning(isRunning: boolean): void;
}

/** Between two looks at the host's clock: a fraction of a millisecond of the soft engine's. */
const REAL_BUDGET: RunBudget = { instructions: 50_000, milliseconds: 1 };

export class RealTime implements Timekeeper {
  readonly clock: HostClock;
  readonly #counter: TimeStampCounter | null;

  /** `monotonic` is the host's time in nanoseconds, `start` the guest time to begin at. */
  constructor(counter: TimeStampCounter | null, monotonic: () => number, start = 0) {
    this.#counter = counter;
    this.clock = new HostClock(monotonic, start);
    this.clock.pause();
  }

  enter(): RunBudget {
    // At 1 GHz the instructions of one entry never carry the counter past the time of the next.
    this.#counter?.setMsr(IA32_TIME_STAMP_COUNTER, BigInt(this.clock.now()));
    return REAL_BUDGET;
  }

  leave(): void {
    this.clock.runDue();
  }

  sleep(): number {
    if (this.clock.runDue()) return 0;
    return Math.max(0, this.clock.nextDeadline - this.clock.now());
  }

  setRunning(isRunning: boolean): void {
    if (isRunning) this.clock.resume();
    else this.clock.pause();
  }
}

/** One instruction takes 10 ns, one tick of the time-stamp counter: a processor of 100 MHz. */
const INSTRUCTION_NANOSECONDS = 10;
const MOST_INSTRUCTIONS = 1_000_000;

export class VirtualTime implements Timekeeper {
  readonly clock: ManualClock;
  readonly #counter: TimeStampCounter;
  #budget = 0;
  #enteredAt = 0;

  constructor(counter: TimeStampCounter, start = 0) {
    this.#counter = counter;
    this.clock = new ManualClock(start);
  }

  enter(): RunBudget {
    const left = Math.ceil((this.clock.nextDeadline - this.clock.now()) / INSTRUCTION_NANOSECONDS);
    this.#budget = Math.max(1, Math.min(left, MOST_INSTRUCTIONS));
    this.#enteredAt = this.#ticks();
    return { instructions: this.#budget };
  }

  leave(): void {
    // A guest that writes its counter confuses nobody but itself.
    const done = Math.min(Math.max(this.#ticks() - this.#enteredAt, 0), this.#budget);
    this.clock.advance(done * INSTRUCTION_NANOSECONDS);
  }

  sleep(): number {
    const before = this.clock.now();
    if (!this.clock.advanceToNext()) return Number.POSITIVE_INFINITY;
    const slept = Math.floor((this.clock.now() - before) / INSTRUCTION_NANOSECONDS);
    this.#counter.setMsr(IA32_TIME_STAMP_COUNTER, BigInt(this.#ticks() + slept));
    return 0;
  }

  setRunning(): void {}

  #ticks(): number {
    return Number(this.#counter.getMsr(IA32_TIME_STAMP_COUNTER));
  }
}
