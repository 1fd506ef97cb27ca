// Starter: write the exercises here; `npm run chapter 4` runs them, `npm run chapter 4 test` tests them.
// Generated from solutions/04-interrupts/idt.ts by `npm run starters` (eb88a9b9).
/**
 * Taking an interrupt: from a vector to the first instruction of its handler.
 *
 * In real mode the table holds far pointers (the interrupt vector table, IVT), in protected mode gates
 * (the interrupt descriptor table, IDT):
 *
 *     interrupt gate   enters a handler and clears IF
 *     trap gate        enters a handler and leaves IF as it is
 *     task gate        switches to another task
 *
 * Source: SDM vol. 3A, chapter 6 "Interrupt and Exception Handling", 20.1.4 for real mode, 20.3 for
 * virtual-8086 mode; vol. 2A, "INT n/INTO/INT3/INT1".
 */
import { CS, DS, ES, FS, GS, SS } from "#layers/02-real-mode/registers.ts";
import {
  accessRights,
  checkGateTarget,
  checkStackSegment,
  descriptorPrivilege,
  faultErrorCode,
  faultVector,
  gateOffset,
  gateSelector,
  INTERRUPT_GATE16,
  INTERRUPT_GATE32,
  isNull,
  levelAfterGate,
  OK,
  P,
  SegmentImage,
  SYSTEM32,
  systemType,
  TASK_GATE,
  TRAP_GATE16,
  TRAP_GATE32,
} from "#layers/03-paging/descriptors.ts";
import { EXT, GENERAL_PROTECTION, IDT, INVALID_TSS, isFault, SEGMENT_NOT_PRESENT } from "./exceptions.ts";
import { AC, IF, NT, type Processor, RF, TF, VM } from "./processor.ts";
import { Stack } from "./stack.ts";

/** Where an event comes from. INT n, INT3 and INTO are "software"; INT1, IRQs and NMIs are "external". */
export type EventSource = "external" | "exception" | "software";

/** `errorCode` of an event that has none. */
export const NO_ERROR_CODE = -1;

// #region delivery
/** Delivers events to one processor. Any fault on the way leaves the processor as it was. */
export class InterruptDelivery {
  readonly #stack: Stack;
  readonly #code = new SegmentImage();
  readonly #stackSegment = new SegmentImage();
  #gateLow = 0;
  #gateHigh = 0;
  /** What the error codes of faults on the way have set: EXT, unless the program asked for the event. */
  #ext = 0;

  constructor(private readonly processor: Processor) {
    this.#stack = new Stack(processor);
  }

  /** Saves EFLAGS, CS and EIP as they are, and enters the handler. */
  deliver(vector: number, source: EventSource, errorCode: number = NO_ERROR_CODE): void {
    this.#ext = source === "software" ? 0 : EXT;
    if (!this.processor.isProtectedMode) this.#deliverByVectorTable(vector);
    else this.#deliverByGate(vector, source, errorCode);
  }
  // #endregion delivery

  // #region real-mode
  /** The IVT: 4 bytes a vector, offset and segment. No privilege, no error code. */
  #deliverByVectorTable(vector: number): void {
    const cpu = this.processor;
    // #region exercise-vector-table
    throw new Error(
      "exercise vector-table: find the far pointer of the vector, push FLAGS, CS and IP, clear IF and TF, and go there · chapter 4, “Through the vector table”",
    );
    // #endregion exercise-vector-table
  }
  // #endregion real-mode

  // #region gate
  #deliverByGate(vector: number, source: EventSource, errorCode: number): void {
    this.#readGate(vector, source);
    const type = systemType(accessRights(this.#gateHigh));
    const flags = this.#flagsToSave(vector, source);
    const selector = gateSelector(this.#gateLow);
    if (type === TASK_GATE) this.#switchTask(selector, flags, errorCode);
    else this.#enter(type, selector, gateOffset(this.#gateLow, this.#gateHigh), flags, errorCode);
  }

  /** Reads the gate into `#gateLow` and `#gateHigh`; faults where it leads nowhere, or not for `source`. */
  #readGate(vector: number, source: EventSource): void {
    const cpu = this.processor;
    const gateError = 8 * vector + IDT + this.#ext;
    // #region exercise-gate
    throw new Error(
      "exercise gate: read the gate's two doublewords and refuse a vector past the table, a wrong type, a gate that the program may not use, and one that is not present · chapter 4, “Through a gate”",
    );
    // #endregion exercise-gate
  }
  // #endregion gate

  /** A fault's instruction comes again, past the breakpoint on it; one that asked for the event is done. */
  #flagsToSave(vector: number, source: EventSource): number {
    const { eflags } = this.processor;
    if (source === "software") return eflags & ~RF;
    return source === "exception" && isFault(vector) ? eflags | RF : eflags;
  }

  // #region enter
  /** Finds the handler, builds the frame on its stack, and goes there. */
  #enter(type: number, selector: number, offset: number, flags: number, errorCode: number): void {
    const cpu = this.processor;
    const level = this.#findHandler(selector, (flags & VM) !== 0);
    const size = (type & SYSTEM32) !== 0 ? 4 : 2;
    this.#pushFrame(size, flags, level < cpu.cpl, errorCode);
    if (offset > this.#code.limit) cpu.fault(GENERAL_PROTECTION, this.#ext);
    cpu.markAccessed(this.#code);
    const isInterrupt = type === INTERRUPT_GATE16 || type === INTERRUPT_GATE32;
    this.#commit(level, offset, isInterrupt);
  }

  /** The handler's code segment into `#code`, its stack into `#stack`; returns the level it runs at. */
  #findHandler(selector: number, isVirtual8086: boolean): number {
    const cpu = this.processor;
    const code = this.#code;
    // #region exercise-enter
    throw new Error(
      "exercise enter: find the handler's code segment, push the frame, and then let the processor become the handler's · chapter 4, “Through a gate”",
    );
    // #endregion exercise-enter
  }

  /** What the handler's IRET will find, last word first. */
  #pushFrame(size: 2 | 4, flags: number, isInner: boolean, errorCode: number): void {
    const cpu = this.processor;
    const stack = this.#stack;
    // #region exercise-frame
    throw new Error(
      "exercise frame: find the handler's code segment, push the frame, and then let the processor become the handler's · chapter 4, “Through a gate”",
    );
    // #endregion exercise-frame
  }

  /** Nothing can fail any more: the processor becomes the handler's. */
  #commit(level: number, offset: number, isInterrupt: boolean): void {
    const cpu = this.processor;
    const isInner = level < cpu.cpl;
    const wasVirtual8086 = (cpu.eflags & VM) !== 0;
    // #region exercise-commit
    throw new Error(
      "exercise commit: find the handler's code segment, push the frame, and then let the processor become the handler's · chapter 4, “Through a gate”",
    );
    // #endregion exercise-commit
  }
  // #endregion enter

  // #region inner-stack
  /** The stack for `level`, from the current task's TSS. */
  #useInnerStack(level: number): void {
    const cpu = this.processor;
    const segment = this.#stackSegment;
    const { selector, esp } = readInnerStack(cpu, level, this.#ext);
    // #region exercise-inner-stack
    throw new Error(
      "exercise inner-stack: read SS and ESP of the inner level from the current task's TSS, check them, and use that stack · chapter 4, “To an inner stack and back”",
    );
    // #endregion exercise-inner-stack
  }
  // #endregion inner-stack

  /** The new task gets the error code on its own stack, in the size of its TSS. */
  #switchTask(selector: number, flags: number, errorCode: number): void {
    const cpu = this.processor;
    cpu.eflags = flags;
    cpu.switchTask(selector, "interrupt", this.#ext !== 0);
    if (errorCode === NO_ERROR_CODE) return;
    this.#stack.use(cpu.stackSegment, cpu.esp, cpu.cpl, this.#ext);
    this.#stack.push((cpu.task.rights & SYSTEM32) !== 0 ? 4 : 2, errorCode);
    cpu.esp = this.#stack.esp;
  }

  #refuse(vector: number, selector: number): never {
    return this.processor.fault(vector, (selector & 0xfffc) | this.#ext);
  }
}

function isInterruptGate(type: number): boolean {
  switch (type) {
    case TASK_GATE:
    case INTERRUPT_GATE16:
    case TRAP_GATE16:
    case INTERRUPT_GATE32:
    case TRAP_GATE32:
      return true;
    default:
      return false;
  }
}

// #region tss-stack
/** SS and ESP for an inner level, from a TSS of either size (SDM vol. 3A, figures 7-2 and 7-10). */
export function readInnerStack(
  cpu: Processor,
  level: number,
  ext: number,
): { selector: number; esp: number } {
  const { base, limit, rights, selector: tr } = cpu.task;
  // #region exercise-tss-stack
  throw new Error(
    "exercise tss-stack: read SS and ESP of the inner level from the current task's TSS, check them, and use that stack · chapter 4, “To an inner stack and back”",
  );
  // #endregion exercise-tss-stack
}
// #endregion tss-stack
