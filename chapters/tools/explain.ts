/**
 * What a failing test says: what was expected and what came, the registers before and after, the exits,
 * the bytes, the instructions around the guest's, and where in the book to read.
 */
import type { Exit, Regs } from "../../sandbox/kvm/api.ts";

/** What a test can show of a run. All of it is plain data. */
export interface Evidence {
  /** Registers at the start and at the end; only those that are given are printed. */
  readonly before?: Partial<Regs>;
  readonly after?: Partial<Regs>;
  readonly exits?: readonly Exit[];
  /** The guest's code, and where in it the instruction pointer stands. `address` is that of `bytes[0]`. */
  readonly code?: {
    readonly bytes: Uint8Array;
    readonly address: number;
    readonly rip: number;
    readonly bits: 16 | 32 | 64;
  };
  /** Guest memory, printed as a hex dump. */
  readonly memory?: { readonly address: number; readonly bytes: Uint8Array };
  /** A sentence of the test's own. */
  readonly note?: string;
}
