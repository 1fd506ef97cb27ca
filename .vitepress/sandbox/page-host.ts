/** What the machines of the page need of the place where they run: its event loop and its clock. */
import type { Host } from "../../sandbox/machine/runner.ts";

export interface PageHost extends Host {
  /** Nanoseconds from any origin. */
  readonly monotonic: () => number;
  /** Milliseconds since 1970. */
  readonly date: () => number;
  /** Fills an array with random bytes, good enough for keys. */
  readonly randomBytes: (bytes: Uint8Array) => void;
}
