/** A talk with a guest over its serial port, in virtual time: for tests that must come out the same. */
import { openSoft } from "../kvm/soft/soft.ts";
import type { CardOptions } from "./cards.ts";
import { assembleMachine, type Machine, type MachineEnd, type MachineOptions } from "./machine.ts";
import { VirtualTime } from "./timekeeper.ts";

/** The guest did not say what was waited for. */
export class DialogueError extends Error {
  override readonly name = "DialogueError";
}

/** Guest time that one wait may take, in nanoseconds. */
const PATIENCE = 60e9;

export interface DialogueOptions extends CardOptions {
  /** Other than virtual time from 0 on. */
  readonly time?: MachineOptions["time"];
}

export class Dialogue {
  readonly machine: Machine;
  /** All that the guest has written. */
  output = "";
  #read = 0;
  #end: MachineEnd | null = null;

  /** `start` is the guest time to begin at, other than 0 for a machine that is restored. */
  constructor(memorySize: number, start = 0, options: DialogueOptions = {}) {
    this.machine = assembleMachine({
      time: counter => new VirtualTime(counter!, start),
      ...options,
      hypervisor: openSoft(),
      memorySize,
      startDate: 0,
      serialOutput: byte => {
        this.output += String.fromCharCode(byte);
      },
    });
  }

  type(text: string): void {
    this.machine.type(new TextEncoder().encode(text));
  }

  /** Runs until the guest has written `text`; returns what it wrote since the last wait. */
  until(text: string): string {
    this.untilTrue(() => this.hasSaid(text), JSON.stringify(text));
    const from = this.#read;
    this.#read = this.output.indexOf(text, from) + text.length;
    return this.output.slice(from, this.#read);
  }

  /** Whether the guest has written `text` since the last wait. */
  hasSaid(text: string): boolean {
    return this.output.indexOf(text, this.#read) >= 0;
  }

  /** Lets guest time pass, in nanoseconds. */
  pass(nanoseconds: number): void {
    const { clock } = this.machine.parts.time;
    const end = clock.now() + nanoseconds;
    this.untilTrue(() => clock.now() >= end, "time to pass", Number.POSITIVE_INFINITY);
  }

  /** Runs until the machine comes to rest. */
  end(): MachineEnd {
    this.untilTrue(() => this.#end !== null, "an end");
    return this.#end!;
  }

  /** Runs until something else has come about, that `what` names. */
  untilTrue(isDone: () => boolean, what: string, patience = PATIENCE): void {
    const { clock } = this.machine.parts.time;
    const deadline = clock.now() + patience;
    while (!isDone()) {
      if (this.#end || clock.now() > deadline) {
        const state = this.#end
          ? `it ended (${JSON.stringify(this.#end)})`
          : `${patience / 1e9} s have passed`;
        throw new DialogueError(`waited for ${what}, and ${state}: ${this.output.slice(this.#read)}`);
      }
      const step = this.machine.step();
      if (step.kind === "asleep")
        throw new DialogueError(`waited for ${what}, and the guest sleeps for ever`);
      if (step.kind === "ended") this.#end = step.end;
    }
  }
}
