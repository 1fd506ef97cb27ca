/**
 * A machine as a session drives it: one entry into the guest at a time, so that somebody can look, step and
 * go back in between. The parts are those of a chapter's machine.ts; the loop around them is here.
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Buses, handleExit } from "#layers/01-minimal-vm/vmm.ts";
import {
  type GuestTime,
  handleInterruptibleExit,
  injectInterrupt,
  sleepUntilInterrupt,
} from "#layers/04-interrupts/injection.ts";
import type { PicPair } from "#layers/04-interrupts/pic.ts";
import type { Exit, Hypervisor, Vcpu } from "../kvm/api.ts";
import type { ManualClock } from "../machine/clock.ts";

/** What a machine sends out while it runs. */
export interface Outside {
  /** A character that the guest prints. */
  print(byte: number): void;
}

/** Makes a machine with its guest in memory, as it stands before the first instruction. */
export type BuildMachine = (hypervisor: Hypervisor, outside: Outside) => SessionMachine;

/** What an exit came to: the guest goes on, or waits for something from outside, or has ended. */
export type Progress = "goes on" | "sleeps" | "ends";

/** A device whose state can be put aside and brought back as plain data. */
export interface Savable<State = unknown> {
  save(): State;
  restore(state: State): void;
}

export interface SessionMachine {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  /** Instructions after which an entry ends with INTR, as in the chapter's main.ts. */
  readonly budget: number;
  /** Guest time in nanoseconds. */
  now(): number;
  /** Does what the guest asked for with an exit, and lets guest time go on. */
  handle(exit: Exit): Progress;
  /** Before an entry: injects what is pending. Returns the vector that goes in, if one does. */
  prepare(): number | undefined;
  /** Whether a guest that sleeps can go on, now that something came from outside. */
  wake(): boolean;
  /** Characters come in at the serial port, where the machine has one with a line to it. */
  receive?(bytes: readonly number[]): void;
  /** What is worth keeping of this moment for a picture over time; undefined where nothing happened. */
  sample?(exit: Exit): unknown;
  /** How many frames have passed on its wire, where the machine has one: a run can go on to the next. */
  passedFrames?(): number;
  /** What the layer's view shows beside the saved state: plain data, read from guest memory, which stays as it is. */
  picture?(): unknown;
  /** The devices' states by name, as plain data. */
  save(): SavedDevices;
  /** For a machine just built. */
  restore(saved: SavedDevices): void;
}

export interface SavedDevices {
  /** Guest time in nanoseconds. */
  readonly time: number;
  readonly devices: Readonly<Record<string, unknown>>;
}

/** Any device: each restores what it saved itself. */
// biome-ignore lint/suspicious/noExplicitAny: a state goes back to the device that it came from
type Devices = Readonly<Record<string, Savable<any>>>;

export interface PlainParts {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  readonly buses: Buses;
}

/** A machine that nothing interrupts: the loop of chapter 1. */
export function plainMachine(
  { vcpu, memory, buses }: PlainParts,
  budget: number,
  devices: Devices = {},
  picture?: () => unknown,
): SessionMachine {
  return {
    vcpu,
    memory,
    budget,
    now: () => 0,
    handle: exit => (handleExit(exit, buses) ? "goes on" : "ends"),
    prepare: () => undefined,
    wake: () => false,
    ...(picture && { picture }),
    save: () => ({ time: 0, devices: saveAll(devices) }),
    restore: ({ devices: states }) => restoreAll(devices, states),
  };
}

export interface InterruptibleParts extends PlainParts {
  readonly clock: ManualClock;
  readonly pics: PicPair;
  readonly time: GuestTime;
}

export interface InterruptibleOptions {
  readonly budget: number;
  /** Beside the interrupt controllers. */
  readonly devices?: Devices;
  /** How far one exit moves guest time, in nanoseconds. */
  readonly exitTime: number;
  readonly receive?: (bytes: readonly number[]) => void;
  readonly sample?: (exit: Exit) => unknown;
  readonly passedFrames?: () => number;
  readonly picture?: () => unknown;
}

/** A machine with interrupts and guest time: the loop of chapter 4, one turn at a time. */
export function interruptibleMachine(
  { vcpu, memory, buses, clock, pics, time }: InterruptibleParts,
  { budget, devices = {}, exitTime, receive, sample, passedFrames, picture }: InterruptibleOptions,
): SessionMachine {
  let vector: number | undefined;
  const source = {
    get interruptPending() {
      return pics.interruptPending;
    },
    acknowledge: () => (vector = pics.acknowledge()),
  };
  return {
    vcpu,
    memory,
    budget,
    now: () => clock.now(),
    handle(exit) {
      const goesOn = handleInterruptibleExit(exit, vcpu, buses, pics, time);
      if (goesOn) time.catchUp();
      if (goesOn) return "goes on";
      return receive && exit.reason === "HLT" && vcpu.interruptFlag ? "sleeps" : "ends";
    },
    prepare() {
      vector = undefined;
      injectInterrupt(vcpu, source);
      return vector;
    },
    wake: () => sleepUntilInterrupt(pics, time),
    ...(receive && { receive }),
    ...(sample && { sample }),
    ...(passedFrames && { passedFrames }),
    ...(picture && { picture }),
    save: () => ({ time: clock.now(), devices: { pics: pics.save(), ...saveAll(devices) } }),
    restore({ time: at, devices: states }) {
      // The last step of time is that of an exit, from which the loop measures the guest's sleep.
      if (at >= exitTime) {
        clock.advanceTo(at - exitTime);
        time.catchUp();
      }
      clock.advanceTo(at);
      restoreAll(devices, states);
      // Last, as the others have just driven their lines.
      pics.restore(states["pics"] as ReturnType<PicPair["save"]>);
    },
  };
}

function saveAll(devices: Devices): Record<string, unknown> {
  return Object.fromEntries(Object.entries(devices).map(([name, device]) => [name, device.save()]));
}

function restoreAll(devices: Devices, states: Readonly<Record<string, unknown>>): void {
  for (const [name, device] of Object.entries(devices)) device.restore(states[name]);
}
