/**
 * How a session runs between the turns of its host's event loop: in slices that leave it responsive, as fast as
 * it goes or as slow as somebody wants to watch.
 */
import type { Speed } from "./protocol.ts";

/** What the loop needs of its host. */
export interface SessionHost {
  /** Milliseconds from any origin. */
  now(): number;
  /** Calls `callback` when the event loop has come around. */
  soon(callback: () => void): void;
  later(milliseconds: number, callback: () => void): void;
}

/** A turn of the event loop lasts so many milliseconds at most. */
const TURN = 12;
/** Slow runs are looked after so often. */
const FRAME = 16;
/** A host that slept does not let the guest catch up more than this, in milliseconds. */
const MOST_OWED = 100;
/** Between two looks at the clock. */
const SLICE = { instructions: 100_000, exits: 300 } as const;

/** Runs a slice; returns how many instructions it took, or -1 when the run is over. */
export type RunSlice = (limits: { instructions: number; exits: number }) => number;

export class Pace {
  speed: Speed = "unlimited";
  #isRunning = false;
  #generation = 0;
  #last = 0;
  /** Instructions that a slow run may do by now. */
  #owed = 0;

  constructor(
    private readonly host: SessionHost,
    private readonly slice: RunSlice,
    /** Called after each turn. */
    private readonly turned: () => void,
  ) {}

  get isRunning(): boolean {
    return this.#isRunning;
  }

  start(): void {
    this.stop();
    this.#isRunning = true;
    this.#last = this.host.now();
    // The first step of a slow run is seen at once.
    this.#owed = 1;
    const generation = this.#generation;
    this.host.soon(() => this.#turn(generation));
  }

  stop(): void {
    this.#isRunning = false;
    this.#generation++;
  }

  #turn(generation: number): void {
    if (generation !== this.#generation) return;
    const start = this.host.now();
    if (this.speed === "unlimited") {
      while (this.#isRunning && this.host.now() - start < TURN) {
        if (this.slice(SLICE) < 0) this.stop();
      }
    } else {
      this.#owed +=
        (this.speed * Math.min(start - this.#last, Math.max(MOST_OWED, 2000 / this.speed))) / 1000;
      while (this.#isRunning && this.#owed >= 1 && this.host.now() - start < TURN) {
        const done = this.slice({
          ...SLICE,
          instructions: Math.min(SLICE.instructions, Math.floor(this.#owed)),
        });
        if (done < 0) this.stop();
        // An exit before any instruction is a step, too.
        this.#owed -= Math.max(1, done);
      }
      // A guest that is slower than it may be owes nothing.
      this.#owed = Math.min(this.#owed, (this.speed * MOST_OWED) / 1000 + 1);
    }
    this.#last = start;
    this.turned();
    if (!this.#isRunning || generation !== this.#generation) return;
    const again = () => this.#turn(generation);
    if (this.speed === "unlimited") this.host.soon(again);
    else this.host.later(Math.max(FRAME, Math.min(1000, ((1 - this.#owed) / this.speed) * 1000)), again);
  }
}
