/** What a learner's loops call at their turns (guard-loops.ts), so that one that never ends is told with its line. */

/** A loop that has gone round for too long. The first line of its stack outside of here is the loop's. */
export class EndlessLoopError extends Error {
  override readonly name = "EndlessLoopError";
}

export interface LoopTime {
  /** Milliseconds from any origin. */
  last: number;
  /** Milliseconds that the loop has taken. */
  taken: number;
  looks: number;
}

/** No loop of a layer takes a hundredth of this; a loop that fills memory should come to it before memory is full. */
const MOST = 2000;
/** A look that comes later than so many milliseconds after the one before: the host did something else. */
const ONE_LOOK = 100;

/** Looks at the clock. Called once in so many turns; takes what it returned at the loop's look before. */
export function turn(loop: LoopTime | undefined): LoopTime {
  const now = performance.now();
  if (!loop) return { last: now, taken: 0, looks: 1 };
  loop.taken += Math.min(now - loop.last, ONE_LOOK);
  loop.last = now;
  loop.looks++;
  if (loop.taken > MOST) {
    const turns = (loop.looks * TURNS_OF_A_LOOK).toLocaleString("en");
    const error = new EndlessLoopError(
      `this loop has gone round ${turns} times and has not ended: does it ever?`,
    );
    tellLimit(error);
    throw error;
  }
  return loop;
}

let hear: (error: Error) => void = () => {};

/** Tells `listener` of a loop, or of memory, without end before it throws: what is thrown may be caught. */
export function whenEndless(listener: (error: Error) => void): void {
  hear = listener;
}

/** To be called before `error` is thrown. */
export function tellLimit(error: Error): void {
  hear(error);
}

/** A power of two. */
export const TURNS_OF_A_LOOK = 64;
