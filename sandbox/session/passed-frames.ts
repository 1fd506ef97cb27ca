/** The last frames that have passed on a machine's wire: a part of its state, to be put aside with the rest. */
import type { Savable } from "./session-machine.ts";

export interface PassedFrame {
  /** Counts from 1. */
  readonly number: number;
  readonly direction: "out" | "in";
  /** Guest time in nanoseconds. */
  readonly time: number;
  readonly bytes: readonly number[];
}

export interface PassedFramesState {
  readonly count: number;
  /** Oldest first. */
  readonly last: readonly PassedFrame[];
}

const KEPT = 12;

export class PassedFrames implements Savable<PassedFramesState> {
  #state: PassedFramesState = { count: 0, last: [] };

  /** How many there have been. */
  get count(): number {
    return this.#state.count;
  }

  add(direction: "out" | "in", frame: Uint8Array, time: number): void {
    const number = this.#state.count + 1;
    const last = [...this.#state.last, { number, direction, time, bytes: [...frame] }].slice(-KEPT);
    this.#state = { count: number, last };
  }

  save(): PassedFramesState {
    return this.#state;
  }

  restore(state: PassedFramesState): void {
    this.#state = state;
  }
}
