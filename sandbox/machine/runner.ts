/**
 * The machine's main loop: steps of the machine between the turns of the host's event loop, so that input
 * and timers of the host get their turn. While the guest sleeps nothing runs until its next timer or input;
 * nor does it here while the guest computes in a thread of its own.
 */
import type { Machine, MachineEnd, Step } from "./machine.ts";

/** What the loop needs of its host. */
export interface Host {
  /** Calls `callback` when the host's event loop has come around. */
  soon(callback: () => void): void;
  /** Calls `callback` after some milliseconds; the function returned cancels that. */
  later(milliseconds: number, callback: () => void): () => void;
}

export interface RunnerListener {
  /** Called once, when the machine has come to rest for good. */
  ended(end: MachineEnd): void;
  /** A layer or device threw: the machine cannot go on. */
  failed(error: unknown): void;
}

/** Hosts' timers are not made for more; the machine looks again and goes on sleeping. */
const LONGEST_SLEEP = 60_000;

export class MachineRunner {
  readonly #machine: Machine;
  readonly #host: Host;
  readonly #listener: RunnerListener;
  #isRunning = false;
  #isStepPlanned = false;
  #cancelSleep: (() => void) | null = null;

  constructor(machine: Machine, host: Host, listener: RunnerListener) {
    this.#machine = machine;
    this.#host = host;
    this.#listener = listener;
    machine.onInput = () => this.#wake();
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#machine.parts.time.setRunning(true);
    this.#planStep();
  }

  /** Stops between two steps; guest time stands still until `start`. */
  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#machine.pause();
    this.#machine.parts.time.setRunning(false);
    this.#cancelSleep?.();
    this.#cancelSleep = null;
  }

  #planStep(): void {
    if (this.#isStepPlanned) return;
    this.#isStepPlanned = true;
    this.#host.soon(() => this.#step());
  }

  #step(): void {
    this.#isStepPlanned = false;
    if (!this.#isRunning) return;
    let step: Step;
    try {
      step = this.#machine.step();
    } catch (error) {
      this.stop();
      this.#listener.failed(error);
      return;
    }
    switch (step.kind) {
      case "ready":
        this.#planStep();
        return;
      case "asleep":
      case "aside": {
        const milliseconds = Math.min(Math.ceil(step.nanoseconds / 1e6), LONGEST_SLEEP);
        this.#cancelSleep = this.#host.later(milliseconds, () => this.#wake());
        return;
      }
      case "ended":
        this.stop();
        this.#listener.ended(step.end);
    }
  }

  #wake(): void {
    this.#cancelSleep?.();
    this.#cancelSleep = null;
    if (this.#isRunning) this.#planStep();
  }
}
