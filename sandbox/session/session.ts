/**
 * A guest under observation: run it, step it, go back, look at it, change it.
 *
 * Going back is a restore and a replay: the nearest checkpoint before the wanted position is restored, and from
 * there the machine runs again up to it. So that the same happens again, guest time depends on the exits alone,
 * never on where a run was cut into slices: the end of a slice is no exit, and the run loop does not see it. What
 * comes from outside is taken between two entries only, and remembered with its position.
 */
import { copyExit } from "../../chapters/tools/exit-log.ts";
import type { Exit, Hypervisor, RunBudget } from "../kvm/api.ts";
import { forgetTranslations, restoreState, saveState } from "./checkpoint.ts";
import {
  type Checkpoint,
  type Condition,
  type Deed,
  History,
  isBefore,
  isSamePosition,
  type Position,
  START,
} from "./history.ts";
import { setRegister } from "./registers.ts";
import { Ring } from "./ring.ts";
import { SameMemory } from "./same-memory.ts";
import type { BuildMachine, Progress, SessionMachine } from "./session-machine.ts";
import { Tape } from "./tape.ts";

/** A line of the log: an exit with its number, or a vector that went to the processor. */
export type Logged =
  | { readonly kind: "exit"; readonly number: number; readonly time: number; readonly exit: Exit }
  | { readonly kind: "interrupt"; readonly time: number; readonly vector: number };

export interface Sample {
  /** Guest time in nanoseconds. */
  readonly time: number;
  readonly sample: unknown;
}

/** Why `run` came back. */
export type Stop = "limit" | "breakpoint" | "asleep" | "ended";

export interface RunLimits {
  readonly instructions: number;
  readonly exits: number;
}

/** As many breakpoints as a processor has registers for: DR0 to DR3 (SDM vol. 3B, 17.2.1). */
export const MOST_BREAKPOINTS = 4;

/** Every so many instructions the machine passes a milestone, where a checkpoint can be. */
const MILESTONE = 1 << 18;
/** No single step goes farther than this: REP INS takes what a page holds at once. */
const LONGEST_STEP = 4200;
const LOGGED = 2000;
const SAMPLED = 600;
const PRINTED = 1 << 18;

/** A replay went elsewhere: a device or layer that depends on something other than its state and its input. */
export class ReplayError extends Error {
  override readonly name = "ReplayError";
}

export class Session {
  readonly log = new Ring<Logged>(LOGGED);
  readonly samples = new Ring<Sample>(SAMPLED);
  readonly output = new Tape(PRINTED);
  readonly #engine: SameMemory;
  readonly #build: BuildMachine;
  readonly #history = new History();
  readonly #breakpoints = new Set<number>();
  readonly #budget: { -readonly [Name in keyof RunBudget]: RunBudget[Name] } = { instructions: 0 };
  #machine: SessionMachine;
  #instructions = 0;
  #exits = 0;
  #entryStart = 0;
  #condition: Condition = "ready";
  #end: Exit | null = null;
  #milestone = MILESTONE;
  /** Index of the first happening that is still to come. */
  #next = 0;
  #typed: number[] = [];
  #stopsAtBreakpoints = false;

  /** `engine` must count instructions: the soft one. The session closes it. */
  constructor(build: BuildMachine, engine: Hypervisor) {
    this.#build = build;
    this.#engine = new SameMemory(engine);
    this.#machine = this.#make();
    this.#prepare();
  }

  get machine(): SessionMachine {
    return this.#machine;
  }

  get position(): Position {
    return { instructions: this.#instructions, exits: this.#exits };
  }

  /** The farthest position that the run has come to; later than `position` after going back. */
  get latest(): Position {
    return this.#history.latest;
  }

  get condition(): Condition {
    return this.#condition;
  }

  /** The exit that ended the guest. */
  get end(): Exit | null {
    return this.#end;
  }

  // #region going on
  /**
   * Runs until so many instructions or exits more are done, or until nothing can go on. With `passes` a
   * breakpoint at the very first instruction does not stop it.
   */
  run({ instructions, exits }: RunLimits, passes = false): Stop {
    const [last, lastExit] = [this.#instructions + instructions, this.#exits + exits];
    if (passes && this.#breakpoints.size > 0) this.#advance(1);
    this.#watchBreakpoints(true);
    try {
      while (this.#condition === "ready" && this.#instructions < last && this.#exits < lastExit) {
        if (!this.#advance(last - this.#instructions)) return "breakpoint";
      }
    } finally {
      this.#watchBreakpoints(false);
    }
    return this.#condition === "ready" ? "limit" : this.#condition;
  }

  /** One instruction, one item of a repeated one, or an exit that came before any. */
  step(): void {
    if (this.#condition === "ready") this.#advance(1);
  }

  /** Characters that somebody types: the guest gets them at its next exit, or now if it sleeps. */
  type(bytes: readonly number[]): void {
    if (!this.#machine.receive || this.#condition === "ended") return;
    this.#forgetFuture();
    this.#typed.push(...bytes);
    if (this.#condition === "asleep") this.#takeTyped();
  }
  // #endregion going on

  // #region going back
  /** Back by one step. Returns whether there was one. */
  stepBack(): boolean {
    const here = this.position;
    if (isSamePosition(here, START)) return false;
    this.#restore(this.#history.nearest(here, false));
    const near = here.instructions - LONGEST_STEP;
    while (this.#instructions < near) this.#replay(near - this.#instructions);
    let last = this.position;
    while (isBefore(this.position, here)) {
      last = this.position;
      this.#replay(1);
    }
    this.seek(last);
    return true;
  }

  /** To a position that the run has been at. */
  seek(target: Position): void {
    this.#restore(this.#history.nearest(target, true));
    while (isBefore(this.position, target)) this.#replay(target.instructions - this.#instructions);
  }

  /** To the first position with so many exits. */
  seekExit(exits: number): void {
    this.#restore(undefined);
    while (this.#exits < exits && isBefore(this.position, this.latest)) {
      this.#replay(this.latest.instructions - this.#instructions);
    }
  }

  /** To the first position at or after so many instructions that the run has been at. */
  seekInstruction(instructions: number): void {
    const target = { instructions: Math.min(instructions, this.latest.instructions), exits: 0 };
    this.#restore(this.#history.nearest({ ...target, exits: Number.POSITIVE_INFINITY }, true));
    while (this.#instructions < target.instructions && isBefore(this.position, this.latest)) {
      this.#replay(target.instructions - this.#instructions);
    }
  }

  /** As if the machine had just been switched on; breakpoints stay. */
  reset(): void {
    this.#history.clear();
    this.#typed = [];
    this.#restore(undefined);
  }

  #replay(instructions: number): void {
    const before = this.position;
    this.#advance(instructions);
    if (isSamePosition(before, this.position)) {
      throw new ReplayError(
        `the machine cannot be brought back: its replay stops after ${this.#exits} exits, and the run did not`,
      );
    }
  }

  #restore(checkpoint: Checkpoint | undefined): void {
    this.#machine = this.#make();
    const { at = START } = checkpoint ?? {};
    if (checkpoint) restoreState(this.#machine, checkpoint.state);
    this.#instructions = at.instructions;
    this.#exits = at.exits;
    this.#entryStart = checkpoint?.entryStart ?? 0;
    this.#condition = checkpoint?.condition ?? "ready";
    this.#end = checkpoint?.end ?? null;
    this.#milestone = (Math.floor(at.instructions / MILESTONE) + 1) * MILESTONE;
    this.output.cut(checkpoint?.printed ?? 0);
    this.log.cut(checkpoint?.logged ?? 0);
    this.samples.cut(checkpoint?.sampled ?? 0);
    this.#next = checkpoint?.happened ?? 0;
    if (!checkpoint) this.#prepare();
    this.#repeatHappenings();
  }

  #make(): SessionMachine {
    this.#engine.begin();
    return this.#build(this.#engine, { print: byte => this.output.push(byte) });
  }
  // #endregion going back

  // #region looking and changing
  get breakpoints(): readonly number[] {
    return [...this.#breakpoints];
  }

  /** Sets or removes a breakpoint at a linear address. Returns whether it is set now. */
  toggleBreakpoint(address: number): boolean {
    if (this.#breakpoints.delete(address)) return false;
    if (this.#breakpoints.size >= MOST_BREAKPOINTS) {
      throw new RangeError(
        `a processor has ${MOST_BREAKPOINTS} breakpoint registers, and all are in use: remove a breakpoint first`,
      );
    }
    this.#breakpoints.add(address);
    return true;
  }

  /** Writes guest-physical memory. What was to come after this moment is forgotten. */
  writeMemory(address: number, bytes: Uint8Array): void {
    this.#change({ kind: "memory", address, bytes });
  }

  /** Sets a register by the name under which it is shown. What was to come after this moment is forgotten. */
  setRegister(name: string, value: number): void {
    this.#change({ kind: "register", name, value });
  }

  #change(deed: Deed): void {
    this.#apply(deed);
    this.#forgetFuture();
    this.#history.happenings.push({ at: this.position, deed });
    this.#next = this.#history.happenings.length;
  }

  close(): void {
    this.#engine.close();
  }
  // #endregion looking and changing

  // #region the loop
  /** Runs to the next exit, at most so many instructions. Returns false at a breakpoint. */
  #advance(most: number): boolean {
    const { vcpu } = this.#machine;
    const before = vcpu.instructions!;
    const start = this.#instructions;
    this.#budget.instructions = this.#bound(most);
    const exit = vcpu.run(this.#budget);
    this.#instructions = start + vcpu.instructions! - before;
    if (exit.reason === "DEBUG" && this.#stopsAtBreakpoints) {
      this.#moved();
      return false;
    }
    const isSlice = exit.reason === "INTR" && exit.cause === "budget" && !this.#isEntryOver();
    if (!isSlice) this.#settle(exit);
    // An MMIO access may leave its instruction half done: the next position is as good a milestone.
    if (this.#instructions >= this.#milestone && exit.reason !== "MMIO") this.#passMilestone();
    this.#repeatHappenings();
    this.#moved();
    return true;
  }

  #bound(most: number): number {
    let bound = Math.min(
      most,
      Math.max(1, this.#milestone - this.#instructions),
      this.#machine.budget - (this.#instructions - this.#entryStart),
    );
    const next = this.#history.happenings[this.#next];
    if (next && next.at.instructions > this.#instructions) {
      bound = Math.min(bound, next.at.instructions - this.#instructions);
    }
    return Math.max(0, bound);
  }

  #isEntryOver(): boolean {
    return this.#instructions - this.#entryStart >= this.#machine.budget;
  }

  /** Does what an exit asks for, and everything up to the next entry. */
  #settle(exit: Exit): void {
    const { vcpu } = this.#machine;
    const progress = this.#machine.handle(exit);
    const logged = copyExit(exit);
    const before = vcpu.instructions!;
    vcpu.completeExit();
    this.#instructions += vcpu.instructions! - before;
    this.#entryStart = this.#instructions;
    this.#exits++;
    const time = this.#machine.now();
    this.log.push({ kind: "exit", number: this.#exits, time, exit: logged });
    const sample = this.#machine.sample?.(logged);
    if (sample !== undefined) this.samples.push({ time, sample });
    this.#rest(progress, logged);
  }

  #rest(progress: Progress, exit: Exit): void {
    this.#condition = progress === "goes on" ? "ready" : progress === "sleeps" ? "asleep" : "ended";
    if (progress === "ends") this.#end = exit;
    const { happenings } = this.#history;
    while (this.#isDue() && happenings[this.#next]!.deed.kind === "input") {
      this.#apply(happenings[this.#next++]!.deed);
    }
    if (this.#typed.length > 0) this.#takeTyped();
    if (progress === "goes on") this.#prepare();
  }

  /** Gives what was typed to the machine, and remembers when. */
  #takeTyped(): void {
    const deed: Deed = { kind: "input", bytes: this.#typed };
    this.#typed = [];
    if (this.#condition === "ended") return;
    this.#history.happenings.push({ at: this.position, deed });
    this.#next = this.#history.happenings.length;
    this.#apply(deed);
  }

  /** The next entry: injects what is pending, so that the guest stands at its handler. */
  #prepare(): void {
    const vector = this.#machine.prepare();
    if (vector === undefined) return;
    this.log.push({ kind: "interrupt", time: this.#machine.now(), vector });
    this.#budget.instructions = 0;
    const exit = this.#machine.vcpu.run(this.#budget);
    if (exit.reason !== "INTR") this.#settle(exit);
  }

  #passMilestone(): void {
    const number = Math.floor(this.#instructions / MILESTONE);
    this.#milestone = (number + 1) * MILESTONE;
    forgetTranslations(this.#machine.vcpu);
    if (!this.#history.wants(number, this.position)) return;
    this.#history.keep({
      at: this.position,
      state: saveState(this.#machine, this.#history.newest?.state),
      entryStart: this.#entryStart,
      condition: this.#condition,
      end: this.#end,
      printed: this.output.length,
      logged: this.log.length,
      sampled: this.samples.length,
      happened: this.#next,
    });
  }

  #moved(): void {
    if (isBefore(this.#history.latest, this.position)) this.#history.latest = this.position;
  }

  #isDue(): boolean {
    const next = this.#history.happenings[this.#next];
    return next !== undefined && isSamePosition(next.at, this.position);
  }

  /** What happened here in the past happens again. */
  #repeatHappenings(): void {
    while (this.#isDue()) this.#apply(this.#history.happenings[this.#next++]!.deed);
  }

  #apply(deed: Deed): void {
    const { vcpu, memory } = this.#machine;
    if (deed.kind === "memory") memory.writeBytes(deed.address, deed.bytes);
    else if (deed.kind === "register") setRegister(vcpu, deed.name, deed.value);
    else {
      this.#machine.receive?.(deed.bytes);
      if (this.#condition !== "asleep" || !this.#machine.wake()) return;
      this.#condition = "ready";
      this.#prepare();
    }
  }

  #forgetFuture(): void {
    if (isBefore(this.position, this.latest)) this.#history.forgetAfter(this.position);
  }

  #watchBreakpoints(watches: boolean): void {
    if (this.#breakpoints.size === 0 && !this.#stopsAtBreakpoints) return;
    this.#stopsAtBreakpoints = watches;
    const breakpoints = [...this.#breakpoints].map(address => {
      return { address: BigInt(address), kind: "execute", length: 1 } as const;
    });
    this.#machine.vcpu.setGuestDebug(watches ? { breakpoints } : null);
  }
  // #endregion the loop
}
