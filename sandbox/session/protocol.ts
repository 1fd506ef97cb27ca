/**
 * What a page and the worker with its machine say to each other. Every request has a number and gets one answer;
 * views come by themselves, at most some thirty a second.
 */
import type { WalkReport } from "#layers/03-paging/steps.ts";
import type { MachineView, MemoryLook } from "./view.ts";

/** Instructions a second, or as fast as it goes. */
export type Speed = number | "unlimited";

/** Where a run ends by itself, beside breakpoints and the guest's end. */
export type Goal = "end" | "exit" | "handler" | "frame";

export interface Requests {
  /** Switches a machine on, in place of the one before. */
  open: { readonly chapter: string; readonly guest: string };
  run: { readonly until: Goal };
  pause: object;
  step: object;
  stepBack: object;
  /** Back to the exit before, as it was just after it. */
  exitBack: object;
  seek: { readonly instructions: number };
  reset: object;
  speed: { readonly speed: Speed };
  type: { readonly bytes: readonly number[] };
  toggleBreakpoint: { readonly address: number };
  setRegister: { readonly name: string; readonly value: number };
  writeMemory: {
    readonly address: number;
    readonly space: "linear" | "physical";
    readonly bytes: readonly number[];
  };
  look: MemoryLook;
  /** Reads memory once; -1 where nothing is mapped. */
  read: MemoryLook;
  /** A page walk for an access of chapter 3's bits. */
  walk: { readonly linear: number; readonly access: number };
  /** Looks for bytes in guest-physical memory, from an address on and around. */
  find: { readonly bytes: readonly number[]; readonly from: number };
}

export interface Answers {
  open: { readonly receives: boolean };
  run: void;
  pause: void;
  step: void;
  stepBack: void;
  exitBack: void;
  seek: void;
  reset: void;
  speed: void;
  type: void;
  toggleBreakpoint: { readonly isSet: boolean };
  setRegister: void;
  writeMemory: void;
  look: void;
  read: { readonly bytes: readonly number[] };
  walk: WalkReport;
  find: { readonly address: number | null };
}

export type RequestName = keyof Requests;

export interface RequestMessage<Name extends RequestName = RequestName> {
  readonly id: number;
  readonly name: Name;
  readonly body: Requests[Name];
}

/** A line of a layer. `line` counts from 1. */
export interface SourceLine {
  /** The chapter's folder. */
  readonly chapter: string;
  readonly file: string;
  readonly line: number;
}

/** What went wrong, for people. */
export interface Trouble {
  readonly sentence: string;
  /** Where it was thrown, as far as that is known. */
  readonly place?: SourceLine;
}

/** Why the machine is not running. */
export type Rest = "paused" | "breakpoint" | "goal" | "asleep" | "ended";

export interface Update {
  readonly isRunning: boolean;
  readonly rest: Rest;
  readonly view: MachineView;
  /** Instructions a second since the last update, while it runs. */
  readonly rate: number;
}

export type WorkerMessage =
  | { readonly kind: "answer"; readonly id: number; readonly value: Answers[RequestName] }
  /** The request was refused; the machine is as it was. */
  | ({ readonly kind: "refusal"; readonly id: number } & Trouble)
  | { readonly kind: "update"; readonly update: Update }
  /** The machine cannot go on: a layer or device threw while it ran. */
  | ({ readonly kind: "failure" } & Trouble);
