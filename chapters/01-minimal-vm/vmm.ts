// Starter: write the exercises here; `npm run chapter 1` runs them, `npm run chapter 1 test` tests them.
// Generated from solutions/01-minimal-vm/vmm.ts by `npm run starters` (4c73ff47).
/**
 * The virtual machine monitor: a loop around exits.
 *
 * The guest runs on the processor until it does something that the engine cannot do for it. Then `run`
 * returns, and the monitor plays the hardware that the guest believes in.
 */
import type { Exit, IoExit, MmioExit, RunBudget, Vcpu } from "../../sandbox/kvm/api.ts";
import type { Bus } from "./bus.ts";

/** What a guest sees outside of its processor and memory. */
export interface Buses {
  readonly ports: Bus;
  readonly mmio: Bus;
}

export interface RunOptions {
  /** Bounds each entry into the guest, so that one that spins comes back with INTR. */
  readonly budget?: RunBudget;
  /** Bounds the number of exits; default: no bound. */
  readonly maxExits?: number;
  /** Called with every exit, after it was handled. */
  readonly onExit?: (exit: Exit) => void;
}

// #region run-guest
/**
 * Runs the guest and handles its exits until one comes that ends it (HLT, SHUTDOWN, INTR, an error) or
 * `maxExits` are spent. Returns the last exit.
 */
export function runGuest(vcpu: Vcpu, buses: Buses, options: RunOptions = {}): Exit {
  const { budget, maxExits = Number.POSITIVE_INFINITY, onExit } = options;
  // #region exercise-run-loop
  throw new Error(
    "exercise run-loop: enter the guest with the budget, handle the exit, tell onExit, and stop on an ending exit or after maxExits · chapter 1, “Run, exit, handle, repeat”",
  );
  // #endregion exercise-run-loop
}
// #endregion run-guest

// #region handle-exit
/** Does what the guest asked for with this exit. Returns whether the guest can be entered again. */
export function handleExit(exit: Exit, { ports, mmio }: Buses): boolean {
  // #region exercise-handle-exit
  throw new Error(
    "exercise handle-exit: call handleIo or handleMmio and return true; return false for every other exit · chapter 1, “Answer the exits”",
  );
  // #endregion exercise-handle-exit
}
// #endregion handle-exit

/** Moves `count` items between the guest's data and one port; INS and OUTS with REP bring many. */
export function handleIo({ direction, port, size, count, data }: IoExit, ports: Bus): void {
  // #region exercise-handle-io
  throw new Error(
    "exercise handle-io: for each of the `count` items: write it to the port, or store what the port reads · chapter 1, “Answer the exits”",
  );
  // #endregion exercise-handle-io
}

/** Cuts an access of 1 to 8 bytes into the 4-, 2- and 1-byte accesses that devices understand. */
export function handleMmio({ address, isWrite, length, data }: MmioExit, mmio: Bus): void {
  // #region exercise-handle-mmio
  throw new Error(
    "exercise handle-mmio: cut the access into pieces of 4, 2 and 1 bytes and move each to or from the bus · chapter 1, “Answer the exits”",
  );
  // #endregion exercise-handle-mmio
}

function littleEndian(data: Uint8Array, at: number, size: 1 | 2 | 4): number {
  let value = 0;
  for (let byte = size - 1; byte >= 0; byte--) value = value * 0x100 + data[at + byte]!;
  return value;
}

function storeLittleEndian(data: Uint8Array, at: number, size: 1 | 2 | 4, value: number): void {
  for (let byte = 0; byte < size; byte++) data[at + byte] = value >>> (8 * byte);
}
