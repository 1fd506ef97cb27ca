/**
 * Guest time: the clocks that a machine gives to its devices.
 *
 * Guest time counts nanoseconds from the machine's start and never runs backwards. On a `ManualClock` it
 * moves when a test says so; on a `HostClock` it follows a monotonic source of the host, stands still
 * while the machine is paused, and its timers run when the machine's loop calls `runDue`.
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";

interface Timer {
  readonly deadline: number;
  readonly callback: () => void;
}

/** Timers by rising deadline; among equal deadlines the one scheduled first comes first. */
class TimerQueue {
  readonly #timers: Timer[] = [];

  get next(): number {
    return this.#timers[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  add(deadline: number, callback: () => void): () => void {
    const timer: Timer = { deadline, callback };
    let at = this.#timers.length;
    while (at > 0 && this.#timers[at - 1]!.deadline > deadline) at--;
    this.#timers.splice(at, 0, timer);
    return () => {
      const found = this.#timers.indexOf(timer);
      if (found >= 0) this.#timers.splice(found, 1);
    };
  }

  /** Takes out the first timer if it is due at `time`. */
  takeDue(time: number): Timer | undefined {
    return this.next <= time ? this.#timers.shift() : undefined;
  }
}

/** Time that stands still until it is moved. */
export class ManualClock implements Clock {
  readonly #timers = new TimerQueue();
  #now: number;

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  schedule(deadline: number, callback: () => void): () => void {
    return this.#timers.add(Math.max(deadline, this.#now), callback);
  }

  /** When the next timer is due, in nanoseconds; infinite without one. */
  get nextDeadline(): number {
    return this.#timers.next;
  }

  /** Lets `nanoseconds` pass; every timer on the way runs at exactly its deadline. */
  advance(nanoseconds: number): void {
    this.advanceTo(this.#now + nanoseconds);
  }

  advanceTo(time: number): void {
    for (let timer = this.#timers.takeDue(time); timer; timer = this.#timers.takeDue(time)) {
      this.#now = timer.deadline;
      timer.callback();
    }
    this.#now = Math.max(this.#now, time);
  }

  /** Moves to the next deadline and runs what is due there. Returns false when nothing is scheduled. */
  advanceToNext(): boolean {
    if (this.nextDeadline === Number.POSITIVE_INFINITY) return false;
    this.advanceTo(this.nextDeadline);
    return true;
  }
}

/** Time that follows the host's. */
export class HostClock implements Clock {
  readonly #timers = new TimerQueue();
  readonly #monotonic: () => number;
  /** Guest time minus host time; while paused, the guest time itself stands in `#pausedAt`. */
  #offset: number;
  #pausedAt: number | undefined;
  #latest: number;

  /**
   * `monotonic` tells the host's time in nanoseconds from any origin; `start` is the guest time to begin
   * at, other than 0 after a restore.
   */
  constructor(monotonic: () => number, start = 0) {
    this.#monotonic = monotonic;
    this.#offset = start - monotonic();
    this.#latest = start;
  }

  now(): number {
    if (this.#pausedAt !== undefined) return this.#pausedAt;
    // A source that steps back, as some hosts' do after a suspend, must not take the guest along.
    this.#latest = Math.max(this.#latest, Math.floor(this.#monotonic() + this.#offset));
    return this.#latest;
  }

  schedule(deadline: number, callback: () => void): () => void {
    return this.#timers.add(deadline, callback);
  }

  get nextDeadline(): number {
    return this.#timers.next;
  }

  /**
   * Runs what was due when this call began, so that a device whose timer re-arms itself faster than the
   * host can follow never holds up the machine. Returns whether anything ran.
   */
  runDue(): boolean {
    const time = this.now();
    let ran = false;
    for (let timer = this.#timers.takeDue(time); timer; timer = this.#timers.takeDue(time)) {
      timer.callback();
      ran = true;
    }
    return ran;
  }

  get paused(): boolean {
    return this.#pausedAt !== undefined;
  }

  /** Stops guest time; timers that are due stay due. */
  pause(): void {
    this.#pausedAt ??= this.now();
  }

  resume(): void {
    if (this.#pausedAt === undefined) return;
    this.#offset = this.#pausedAt - this.#monotonic();
    this.#pausedAt = undefined;
  }
}
