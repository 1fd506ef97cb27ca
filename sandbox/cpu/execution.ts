/**
 * Between instructions: events, traps, budgets, and the way out to the VMM.
 *
 * `run` alternates between the fast loop of `interpreter.ts` and single steps. Steps are for all that must
 * be looked at after every instruction: TF, breakpoints, the shadow after STI, an instruction that goes on
 * with answers from the VMM.
 */
import type { Exit, GuestDebug } from "../kvm/api.ts";
import type { Cpu } from "./cpu.ts";
import { DebugRecord, ErrorRecord, HALT, INTERRUPTED, SHUT_DOWN, WINDOW_OPEN } from "./exit-records.ts";
import { ExitInside, Fault, TripleFault, Unimplemented } from "./faults.ts";
import { interpret } from "./interpreter.ts";
import * as state from "./state.ts";
import { Breakpoints, DR6_BS } from "./system/debug.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const {
  ATTENTION,
  BASE,
  BUDGET,
  CS,
  DEBUG,
  DR6,
  DR7,
  EAX,
  EIP,
  ESP,
  FLAG_CARRIES,
  FLAG_RESULT,
  HALTED,
  IF,
  INSTRUCTION_EIP,
  MODE,
  MODE_FLAT,
  NMI_MASKED,
  NMI_PENDING,
  NO_SHADOW,
  RF,
  SAVED_CARRIES,
  SAVED_ESP,
  SAVED_RESULT,
  SHADOW,
  SYSTEM_FLAGS,
  TF,
} = state;

/** The fast loop's longest stretch; the budget of a stretch is a 32-bit number. */
const LONGEST_STRETCH = 1 << 30;
const NMI_VECTOR = 2;

/** An interrupt or exception that waits to be taken. */
export interface PendingEvent {
  vector: number;
  source: "external" | "exception" | "software";
  errorCode: number;
}

export class Execution {
  /** Set by `interrupt`, by `setEvents`, or left over from a delivery that an exit interrupted. */
  pending: PendingEvent | null = null;
  wantsWindow = false;
  isKicked = false;
  /** What the VMM's debugger watches for. */
  debug: GuestDebug | null = null;
  readonly breakpoints = new Breakpoints();

  readonly #debugExit = new DebugRecord();
  readonly #error = new ErrorRecord();
  /** Causes of a trap that is due after a port or MMIO access was answered, as in DR6. */
  #owedTrap = 0;
  /** The delivery of `pending` was left at an access that the VMM must answer, and is what goes on next. */
  #isDelivering = false;

  constructor(readonly cpu: Cpu) {}

  /** `ready_for_interrupt_injection`. */
  get isReady(): boolean {
    const { r32 } = this.cpu;
    return (r32[SYSTEM_FLAGS] & IF) !== 0 && r32[SHADOW] === NO_SHADOW && this.pending === null;
  }

  /** Goes on for a processor whose state was copied. */
  takeOver(before: Execution): void {
    this.pending = before.pending;
    this.wantsWindow = before.wantsWindow;
    this.isKicked = before.isKicked;
  }

  /** New registers: what was left over from the last exit does not belong to them. */
  forgetAccess(): void {
    const { devices } = this.cpu;
    devices.exit = null;
    devices.completesInput = false;
    devices.forget();
    this.#owedTrap = 0;
    this.#isDelivering = false;
  }

  run(instructions: number): Exit {
    const { cpu } = this;
    const { r32 } = cpu;
    let left = instructions;
    this.answer();
    for (;;) {
      let given = 0;
      try {
        if (this.isKicked) {
          this.isKicked = false;
          return INTERRUPTED.kick;
        }
        this.#takeEvents();
        if (this.wantsWindow && this.isReady && !cpu.devices.isReplaying) return WINDOW_OPEN;
        if (left <= 0) return INTERRUPTED.budget;
        r32[ATTENTION] = 0;
        if (this.#mustStep()) {
          given = 1;
          cpu.system.setBudget(1);
          if (this.#step()) return this.#debugExit;
          left--;
        } else {
          given = Math.min(left, LONGEST_STRETCH);
          cpu.system.setBudget(given);
          interpret(cpu);
          left -= given - r32[BUDGET];
        }
        if (cpu.devices.exit !== null) return cpu.devices.exit;
        if (r32[HALTED] !== 0) {
          r32[HALTED] = 0;
          return HALT;
        }
      } catch (problem) {
        left -= given - r32[BUDGET];
        const exit = this.#leave(problem);
        if (exit !== null) return exit;
      }
    }
  }

  /** Completes the access of the last exit as far as that needs no instruction. */
  answer(): void {
    const { devices, r32 } = this.cpu;
    if (devices.exit !== null && devices.exit === devices.io && devices.completesInput) {
      devices.completesInput = false;
      const { data, size } = devices.io;
      if (size === 1) this.cpu.r8[EAX * 4] = data[0];
      else if (size === 2) this.cpu.r16[EAX * 2] = data[0] | (data[1] << 8);
      else r32[EAX] = data[0] | (data[1] << 8) | (data[2] << 16) | (data[3] << 24);
      devices.exit = null;
    }
    devices.answer();
  }

  /** Whether the access of the last exit still needs its instruction to be executed again. */
  get isInside(): boolean {
    return this.cpu.devices.isReplaying;
  }

  /**
   * For `completeExit`: goes on with the instruction of the last exit until all that the VMM gave has arrived.
   * Returns the next exit if it comes to one on the way.
   */
  finishInstruction(): Exit | null {
    this.answer();
    const wanted = this.wantsWindow;
    const kicked = this.isKicked;
    this.wantsWindow = false;
    this.isKicked = false;
    let exit: Exit = INTERRUPTED.budget;
    while (this.isInside && exit === INTERRUPTED.budget) exit = this.run(1);
    this.wantsWindow = wanted;
    this.isKicked = kicked;
    return exit === INTERRUPTED.budget ? null : exit;
  }

  #mustStep(): boolean {
    const { r32, devices, system } = this.cpu;
    return (
      (r32[SYSTEM_FLAGS] & (TF | RF)) !== 0 ||
      r32[SHADOW] !== NO_SHADOW ||
      devices.isReplaying ||
      this.debug?.singleStep === true ||
      this.breakpoints.control !== 0 ||
      system.breakpoints.watchesCode ||
      system.breakpoints.watchesData ||
      system.breakpoints.watchesPorts
    );
  }

  #takeEvents(): void {
    const { cpu } = this;
    const { r32 } = cpu;
    if (this.#owedTrap !== 0 && !cpu.devices.isReplaying) {
      const causes = this.#owedTrap;
      this.#owedTrap = 0;
      this.pending ??= this.#trap(causes);
    }
    const event = this.pending;
    // What was injected at an MMIO exit comes after the instruction that made it, as with KVM.
    if (event !== null && (this.#isDelivering || !cpu.devices.isReplaying)) {
      this.#isDelivering = true;
      cpu.beginInstruction();
      cpu.system.take(event.vector, event.source, event.errorCode);
      this.#isDelivering = false;
      this.pending = null;
      return;
    }
    if (
      r32[NMI_PENDING] !== 0 &&
      r32[NMI_MASKED] === 0 &&
      r32[SHADOW] === NO_SHADOW &&
      !cpu.devices.isReplaying
    ) {
      r32[NMI_PENDING] = 0;
      r32[NMI_MASKED] = 1;
      cpu.beginInstruction();
      cpu.system.take(NMI_VECTOR, "external");
    }
  }

  /** One instruction, with everything that is to be looked at before and after. Returns whether to stop. */
  #step(): boolean {
    const { cpu } = this;
    const { r32, devices, system } = cpu;
    const flags = r32[SYSTEM_FLAGS];
    const shadow = r32[SHADOW];
    const linear = (r32[BASE + CS] + r32[EIP]) | 0;
    if ((flags & RF) === 0 && !devices.isReplaying) {
      if (this.breakpoints.hitByExecution(linear) !== 0) {
        return this.#stop(this.breakpoints.hitByExecution(linear));
      }
      const hits = system.breakpoints.hitByExecution(linear);
      if (hits !== 0 && shadow !== state.MOV_SS_SHADOW) {
        cpu.beginInstruction();
        r32[DR6] = (r32[DR6] & ~0xf) | hits;
        cpu.fault(DEBUG);
      }
    }
    const insn = cpu.fetch();
    cpu.beginInstruction();
    if ((r32[MODE] & MODE_FLAT) === 0) cpu.checkCodeLimit(r32[EIP], insn.length);
    r32[EIP] += insn.length;
    r32[BUDGET] = 0;
    cpu.dataHits = 0;
    cpu.debuggerHits = 0;
    insn.execute(cpu, insn);
    devices.forgetAnswers();
    if (r32[SHADOW] === shadow) r32[SHADOW] = NO_SHADOW;
    if ((flags & RF) !== 0 && r32[INSTRUCTION_EIP] !== r32[EIP] && !this.#setsResume(insn.opcode)) {
      r32[SYSTEM_FLAGS] &= ~RF;
    }
    if (r32[SHADOW] === state.MOV_SS_SHADOW) return false;
    let causes = cpu.dataHits;
    // INT n, INT3 and INTO have cleared TF: the handler is not stepped into.
    if ((flags & TF) !== 0 && !isInterrupt(insn.opcode)) causes |= DR6_BS;
    if (causes !== 0) {
      if (devices.exit !== null) this.#owedTrap = causes;
      else this.pending = this.#trap(causes);
    }
    if (devices.exit !== null) return false;
    if (cpu.debuggerHits !== 0) return this.#stop(cpu.debuggerHits);
    return this.debug?.singleStep === true ? this.#stop(DR6_BS) : false;
  }

  /** IRET and a task switch load RF themselves. */
  #setsResume(opcode: number): boolean {
    return opcode === 0xcf;
  }

  #trap(causes: number): PendingEvent {
    this.cpu.r32[DR6] |= causes;
    return { vector: DEBUG, source: "exception", errorCode: -1 };
  }

  #stop(causes: number): boolean {
    const { r32 } = this.cpu;
    this.#debugExit.set(DEBUG, r32[BASE + CS] + r32[EIP], 0xffff_0ff0 | causes, r32[DR7]);
    return true;
  }

  /** Stops at INT3 for the debugger. */
  breakpointExit(): Exit {
    const { r32 } = this.cpu;
    this.#debugExit.set(state.BREAKPOINT, r32[BASE + CS] + r32[INSTRUCTION_EIP], 0, r32[DR7]);
    return this.#debugExit;
  }

  /** An instruction was left by a throw: back to its beginning, and on with a fault or out with an exit. */
  #leave(problem: unknown): Exit | null {
    const { cpu } = this;
    const { r32 } = cpu;
    r32[EIP] = r32[INSTRUCTION_EIP];
    r32[FLAG_RESULT] = r32[SAVED_RESULT];
    r32[FLAG_CARRIES] = r32[SAVED_CARRIES];
    r32[ESP] = r32[SAVED_ESP];
    if (problem instanceof ExitInside) return cpu.devices.exit;
    this.#isDelivering = false;
    cpu.devices.forget();
    if (problem instanceof Fault) {
      const { vector, hasErrorCode, errorCode } = problem;
      this.pending = { vector, source: "exception", errorCode: hasErrorCode ? errorCode : -1 };
      r32[SHADOW] = NO_SHADOW;
      return null;
    }
    this.pending = null;
    if (problem instanceof TripleFault) return SHUT_DOWN;
    return this.#internalError(problem);
  }

  #internalError(problem: unknown): Exit {
    // An exercise of a layer that nobody has written yet: its words must reach the learner.
    if (problem instanceof Error && problem.message.startsWith("exercise ")) throw problem;
    const { r32 } = this.cpu;
    const text =
      problem instanceof Unimplemented
        ? problem.message
        : `the engine has a defect: ${problem instanceof Error ? problem.message : String(problem)}`;
    this.#error.set((r32[BASE + CS] + r32[EIP]) | 0, this.#codeBytes(), text);
    return this.#error;
  }

  /** The bytes at CS:EIP, as far as they can be read without a fault. */
  #codeBytes(): Uint8Array {
    const { cpu } = this;
    const linear = (cpu.r32[BASE + CS] + cpu.r32[EIP]) | 0;
    const bytes: number[] = [];
    try {
      for (let i = 0; i < 15; i++) bytes.push(cpu.fetchByte((linear + i) | 0));
    } catch {
      // The rest of them is in a page that is not there.
    }
    return Uint8Array.from(bytes);
  }
}

function isInterrupt(opcode: number): boolean {
  return opcode === 0xcc || opcode === 0xcd || opcode === 0xce || opcode === 0xf1;
}
