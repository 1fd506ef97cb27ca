/** Two machines in one virtual time, and the cable between their cards: for tests. */
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import type { RunBudget } from "../kvm/api.ts";
import { ManualClock } from "../machine/clock.ts";
import type { Dialogue } from "../machine/dialogue.ts";
import type { Timekeeper, TimeStampCounter } from "../machine/timekeeper.ts";
import { bootGuest, withoutEcho } from "./guest-dialogue.ts";

const TIME_STAMP_COUNTER = 0x10;
const INSTRUCTION_NANOSECONDS = 10;
const MOST_INSTRUCTIONS = 10_000;
/** Guest time that one wait may take, in nanoseconds. */
const PATIENCE = 120e9;

/** Two processors that take turns on one clock. A guest that sleeps lets the other go on. */
class SharedTime implements Timekeeper {
  #enteredAt = 0n;

  constructor(
    readonly clock: ManualClock,
    private readonly counter: TimeStampCounter,
  ) {}

  enter(): RunBudget {
    this.#enteredAt = this.counter.getMsr(TIME_STAMP_COUNTER);
    const left = Math.ceil((this.clock.nextDeadline - this.clock.now()) / INSTRUCTION_NANOSECONDS);
    return { instructions: Math.max(1, Math.min(left, MOST_INSTRUCTIONS)) };
  }

  leave(): void {
    const done = Number(this.counter.getMsr(TIME_STAMP_COUNTER) - this.#enteredAt);
    this.clock.advance(done * INSTRUCTION_NANOSECONDS);
  }

  sleep(): number {
    return this.clock.nextDeadline - this.clock.now();
  }

  setRunning(): void {}
}

export class TwoGuests {
  readonly clock = new ManualClock();
  readonly guests: readonly [Dialogue, Dialogue];

  /** Each has its command line; the cards hang on the two backends, which `connect` makes. */
  constructor(
    commandLines: readonly [string, string],
    connect: (clock: ManualClock) => readonly [NetBackend, NetBackend],
  ) {
    const backends = connect(this.clock);
    const boot = (at: 0 | 1) =>
      bootGuest(commandLines[at], {
        time: counter => new SharedTime(this.clock, counter!),
        network: { backend: backends[at], mac: `52:54:00:00:00:0${at + 1}`, transport: "mmio" },
      });
    this.guests = [boot(0), boot(1)];
  }

  /** Runs both until something has come about. */
  untilTrue(isDone: () => boolean): void {
    const deadline = this.clock.now() + PATIENCE;
    while (!isDone()) {
      if (this.clock.now() > deadline) {
        throw new Error(`two minutes have passed: ${this.guests.map(({ output }) => output.slice(-300))}`);
      }
      const steps = this.guests.map(({ machine }) => machine.step());
      // The second one's step may have woken the first.
      const isAwake = this.guests.some(({ machine }) => machine.parts.devices.pics.interruptPending);
      if (!isAwake && steps.every(({ kind }) => kind === "asleep")) this.clock.advanceToNext();
    }
  }

  atPrompt(): this {
    for (const guest of this.guests) {
      this.untilTrue(() => guest.hasSaid("\n> "));
      guest.until("\n> ");
    }
    return this;
  }

  /** Types a command to one of them, and returns its answer. */
  ask(at: 0 | 1, command: string): string {
    const guest = this.guests[at];
    guest.type(`${command}\r`);
    this.untilTrue(() => guest.hasSaid("\n> "));
    return withoutEcho(guest.until("\n> "));
  }
}

/** The two ends of a cable that loses the frames for which `isLost` says so. */
export function cable(isLost: () => boolean): readonly [NetBackend, NetBackend] {
  const end = (): NetBackend & { other: NetBackend | null } => ({
    other: null,
    onFrame: null,
    send(frame) {
      if (!isLost()) this.other?.onFrame?.(frame, null);
    },
  });
  const [one, other] = [end(), end()];
  one.other = other;
  other.other = one;
  return [one, other];
}
