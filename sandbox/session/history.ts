/**
 * What a session needs to go back in time: where it has been, the checkpoints on the way, and everything that
 * came from outside. Between two checkpoints a machine is deterministic: given the same input at the same
 * positions it does the same again.
 */
import type { Exit } from "../kvm/api.ts";
import type { MachineState } from "./checkpoint.ts";

/** A moment of a run. Of two positions of one run the one with more of either is the later. */
export interface Position {
  /** Instructions begun, each item of a repeated one by itself. */
  readonly instructions: number;
  /** Exits handled. */
  readonly exits: number;
}

export const START: Position = { instructions: 0, exits: 0 };

export function isBefore(one: Position, other: Position): boolean {
  return (
    one.instructions < other.instructions ||
    (one.instructions === other.instructions && one.exits < other.exits)
  );
}

export function isSamePosition(one: Position, other: Position): boolean {
  return one.instructions === other.instructions && one.exits === other.exits;
}

/** Something that came from outside. */
export type Deed =
  | { readonly kind: "input"; readonly bytes: readonly number[] }
  | { readonly kind: "memory"; readonly address: number; readonly bytes: Uint8Array }
  | { readonly kind: "register"; readonly name: string; readonly value: number };

export interface Happening {
  readonly at: Position;
  readonly deed: Deed;
}

/** Whether the guest can run, waits for something from outside, or has ended. */
export type Condition = "ready" | "asleep" | "ended";

export interface Checkpoint {
  readonly at: Position;
  readonly state: MachineState;
  /** Where the entry into the guest began that is going on. */
  readonly entryStart: number;
  readonly condition: Condition;
  readonly end: Exit | null;
  /** How much there was of each. */
  readonly printed: number;
  readonly logged: number;
  readonly sampled: number;
  /** How many happenings lie before it. */
  readonly happened: number;
}

/** More checkpoints than this are thinned out to half. */
const MOST_CHECKPOINTS = 48;

export class History {
  /** The position that the run has come to; going back does not move it. */
  latest: Position = START;
  readonly happenings: Happening[] = [];
  #checkpoints: Checkpoint[] = [];
  /** A checkpoint is kept at every so many milestones. */
  #spacing = 1;

  /** Whether a checkpoint at milestone `number` would be kept. */
  wants(number: number, at: Position): boolean {
    const last = this.#checkpoints.at(-1);
    return number % this.#spacing === 0 && (last === undefined || isBefore(last.at, at));
  }

  keep(checkpoint: Checkpoint): void {
    this.#checkpoints.push(checkpoint);
    if (this.#checkpoints.length < MOST_CHECKPOINTS) return;
    this.#spacing *= 2;
    this.#checkpoints = this.#checkpoints.filter((_, index) => index % 2 === 1);
  }

  /** The last checkpoint that lies before `position`, or at it where that is allowed; undefined: the start. */
  nearest(position: Position, mayBeAt: boolean): Checkpoint | undefined {
    return this.#checkpoints.findLast(({ at }) =>
      mayBeAt ? !isBefore(position, at) : isBefore(at, position),
    );
  }

  /** The last checkpoint, whose pages a new one can share. */
  get newest(): Checkpoint | undefined {
    return this.#checkpoints.at(-1);
  }

  /** Something else will happen from here on. */
  forgetAfter(position: Position): void {
    this.latest = position;
    this.#checkpoints = this.#checkpoints.filter(({ at }) => !isBefore(position, at));
    while (this.happenings.length > 0 && isBefore(position, this.happenings.at(-1)!.at)) {
      this.happenings.pop();
    }
  }

  clear(): void {
    this.latest = START;
    this.happenings.length = 0;
    this.#checkpoints = [];
    this.#spacing = 1;
  }
}
