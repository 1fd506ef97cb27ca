// Starter: write the exercises here; `npm run chapter 4` runs them, `npm run chapter 4 test` tests them.
// Generated from solutions/04-interrupts/injection.ts by `npm run starters` (252e3d6b).
/**
 * Interrupt injection: how a request at the interrupt controller reaches the guest's processor.
 *
 * The monitor cannot interrupt the guest when it likes: RFLAGS.IF may be clear, or the last instruction
 * was STI or MOV SS and holds interrupts off for one more. So before each entry it asks the vCPU. If that
 * is ready, the vector goes in; if not, the monitor requests the *interrupt window*, and the engine comes
 * back with IRQ_WINDOW_OPEN at the first instruction boundary where an interrupt would be taken.
 *
 * Source: KVM API documentation, 4.16 KVM_INTERRUPT and 5 "The kvm_run structure"; Intel SDM vol. 3C,
 * 27.7.5 "Interrupt-Window Exiting".
 */
import type { RunOptions } from "#layers/01-minimal-vm/vmm.ts";
import { type Buses, handleExit } from "#layers/01-minimal-vm/vmm.ts";
import type { Exit, Vcpu } from "../../sandbox/kvm/api.ts";

/** What the processor sees of an interrupt controller: its INTR pin and the INTA cycles. */
export interface InterruptSource {
  readonly interruptPending: boolean;
  acknowledge(): number;
}

/** How guest time goes on, as the run loop sees it. */
export interface GuestTime {
  /** After every exit: runs the timers that have become due. */
  catchUp(): void;
  /** While the guest sleeps: lets time pass until the next timer ran. Returns false if there is none. */
  sleep(): boolean;
}

export type InjectableVcpu = Pick<Vcpu, "interrupt" | "readyForInterrupt" | "requestInterruptWindow">;

// #region inject
/** Before an entry: injects the pending interrupt, or asks to be called when the guest can take it. */
export function injectInterrupt(vcpu: InjectableVcpu, source: InterruptSource): void {
  // #region exercise-inject
  throw new Error(
    "exercise inject: inject the pending vector if the vCPU is ready, and ask for the interrupt window as long as something is pending · chapter 4, “Open the window”",
  );
  // #endregion exercise-inject
}
// #endregion inject

// #region run-interruptible
/**
 * Runs a guest that takes interrupts. Ends with the exit after which nothing can go on: an error, a
 * shutdown, `maxExits`, a kick or a signal, or a HLT that no interrupt will end.
 */
export function runInterruptible(
  vcpu: Vcpu,
  buses: Buses,
  source: InterruptSource,
  time: GuestTime,
  options: RunOptions = {},
): Exit {
  const { budget, maxExits = Number.POSITIVE_INFINITY, onExit } = options;
  for (let exits = 1; ; exits++) {
    injectInterrupt(vcpu, source);
    const exit = vcpu.run(budget);
    const goesOn = handleInterruptibleExit(exit, vcpu, buses, source, time);
    onExit?.(exit);
    if (!goesOn || exits >= maxExits) return exit;
    time.catchUp();
  }
}

/** `handleExit` for a guest that takes interrupts. Returns whether the guest can be entered again. */
export function handleInterruptibleExit(
  exit: Exit,
  vcpu: Pick<Vcpu, "interruptFlag">,
  buses: Buses,
  source: InterruptSource,
  time: GuestTime,
): boolean {
  // #region exercise-handle-interrupt-exits
  throw new Error(
    "exercise handle-interrupt-exits: go on after an open window and a spent budget, let a halted guest sleep until an interrupt is pending, and end where none can wake it · chapter 4, “Open the window”",
  );
  // #endregion exercise-handle-interrupt-exits
}

/** Lets time pass until an interrupt is pending. Returns false if none can come any more. */
export function sleepUntilInterrupt(source: InterruptSource, time: GuestTime): boolean {
  // #region exercise-sleep
  throw new Error(
    "exercise sleep: go on after an open window and a spent budget, let a halted guest sleep until an interrupt is pending, and end where none can wake it · chapter 4, “Open the window”",
  );
  // #endregion exercise-sleep
}
// #endregion run-interruptible
