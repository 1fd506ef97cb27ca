/** A talk with a guest over its serial port, in virtual time: for tests that must come out the same. */
import { openSoft } from "../kvm/soft/soft.ts";
import { assembleMachine, type Machine, type MachineEnd } from "./machine.ts";
import { VirtualTime } from "./timekeeper.ts";

/** The guest did not say what was waited for. */
export class DialogueError extends Error {
  override readonly name = "DialogueError";
}

/** Guest time that one wait may take, in nanoseconds. */
const PATIENCE = 60e9;

export class Dialogue {
  readonly machine: Machine;
  /** All that the guest has written. */
  output = "";
  #read = 0;
  #end: MachineEnd | null = null;

  /** `start` is the guest time to begin at, other than 0 for a machine that is restored. */
  constructor(memorySize: number, start = 0) {
    this.machine = assembleMachine({
      hypervisor: openSoft(),
      memorySize,
      startDate: 0,
      time: counter => new VirtualTime(counter!, start),
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
    this.#run(() => this.output.indexOf(text, this.#read) >= 0, JSON.stringify(text));
    const from = this.#read;
    this.#read = this.output.indexOf(text, from) + text.length;
    return this.output.slice(from, this.#read);
  }

  /** Runs until the machine comes to rest. */
  end(): MachineEnd {
    this.#run(() => this.#end !== null, "an end");
    return this.#end!;
  }

  #run(isDone: () => boolean, what: string): void {
    const { clock } = this.machine.parts.time;
    const deadline = clock.now() + PATIENCE;
    while (!isDone()) {
      if (this.#end || clock.now() > deadline) {
        const state = this.#end ? `it ended (${JSON.stringify(this.#end)})` : "a minute has passed";
        throw new DialogueError(`waited for ${what}, and ${state}: ${this.output.slice(this.#read)}`);
      }
      const step = this.machine.step();
      if (step.kind === "asleep")
        throw new DialogueError(`waited for ${what}, and the guest sleeps for ever`);
      if (step.kind === "ended") this.#end = step.end;
    }
  }
}
