/**
 * What of a processor an operating system sees: one object for each processor.
 *
 * Its parts are the layers of chapter 4 on this processor's state, and the units beside them.
 */
import { combine, DOUBLE_FAULT } from "#layers/04-interrupts/exceptions.ts";
import { type EventSource, InterruptDelivery, NO_ERROR_CODE } from "#layers/04-interrupts/idt.ts";
import { InterruptReturn } from "#layers/04-interrupts/iret.ts";
import type { Cpu } from "../cpu.ts";
import { Fault, TripleFault } from "../faults.ts";
import type { Instruction } from "../instruction.ts";
import { BASE, BUDGET } from "../state.ts";
import { GuestBreakpoints, resetDebugRegisters } from "./debug.ts";
import { FarTransfers } from "./far.ts";
import { ModelSpecificRegisters } from "./msr.ts";
import { SystemProcessor } from "./processor.ts";

export class System {
  readonly processor: SystemProcessor;
  readonly delivery: InterruptDelivery;
  readonly interruptReturn: InterruptReturn;
  readonly far: FarTransfers;
  readonly msrs: ModelSpecificRegisters;
  readonly breakpoints: GuestBreakpoints;
  readonly #tripleFault = new TripleFault();

  /** Instructions begun when the budget was `#budget`. */
  #begun = 0;
  #budget = 0;
  /** What the time-stamp counter is ahead of the instructions. */
  #stampOffset = 0;

  constructor(private readonly cpu: Cpu) {
    this.processor = new SystemProcessor(cpu);
    this.delivery = new InterruptDelivery(this.processor);
    this.interruptReturn = new InterruptReturn(this.processor);
    this.far = new FarTransfers(this.processor);
    this.msrs = new ModelSpecificRegisters(cpu);
    this.breakpoints = new GuestBreakpoints(cpu);
    resetDebugRegisters(cpu);
  }

  /**
   * Takes an interrupt or exception at the present CS:EIP. A fault on the way is taken in its place, or
   * makes a double fault; one too many throws `TripleFault`. An MMIO exit on the way leaves the state as it
   * was: the caller keeps the event and takes it again.
   */
  take(vector: number, source: EventSource, errorCode: number = NO_ERROR_CODE): void {
    try {
      this.delivery.deliver(vector, source, errorCode);
    } catch (problem) {
      if (!(problem instanceof Fault)) throw problem;
      this.#takeSecond(source === "exception" ? vector : NO_EXCEPTION, problem);
    }
  }

  /** The exception `fault`, raised by an instruction. */
  takeFault(fault: Fault): void {
    this.take(fault.vector, "exception", fault.hasErrorCode ? fault.errorCode : NO_ERROR_CODE);
  }

  /** `fault` happened while `first` was being delivered. */
  #takeSecond(first: number, fault: Fault): void {
    switch (combine(first, fault.vector)) {
      case "serial":
        this.takeFault(fault);
        return;
      case "double fault":
        this.take(DOUBLE_FAULT, "exception", 0);
        return;
      case "shutdown":
        throw this.#tripleFault;
    }
  }

  /** Linear address of the memory operand, without a check. */
  linearUnchecked(insn: Instruction): number {
    return (this.cpu.r32[BASE + insn.segment] + this.cpu.effectiveAddress(insn)) | 0;
  }

  /** Instructions begun since the processor was made; each item of a repeated one counts. */
  get instructions(): number {
    return this.#begun + this.#budget - this.cpu.r32[BUDGET];
  }

  /** The time-stamp counter: instructions begun since reset, or since it was set. */
  timeStamp(): number {
    return this.instructions + this.#stampOffset;
  }

  setTimeStamp(ticks: number): void {
    this.#stampOffset = ticks - this.instructions;
  }

  /** Gives the processor a new budget; the counters go on from where they were. */
  setBudget(instructions: number): void {
    this.#begun = this.instructions;
    this.#budget = instructions;
    this.cpu.r32[BUDGET] = instructions;
  }
}

/** An interrupt is benign, whatever its vector. */
const NO_EXCEPTION = -1;
