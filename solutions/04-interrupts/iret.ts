/**
 * IRET: back from a handler, in all its forms.
 *
 * The frame that delivery pushed says where to: the RPL of its CS is the privilege level to return to, and
 * a set VM in its EFLAGS makes it a virtual-8086 program. With NT set in the handler's own EFLAGS there is
 * no frame at all: the interrupted task waits in the TSS that the back link names.
 *
 * Source: SDM vol. 2A, "IRET/IRETD"; vol. 3A, 20.3.1 for the flags in virtual-8086 mode.
 */
import { CS, DS, ES, FS, GS, SS } from "#layers/02-real-mode/registers.ts";
import {
  checkReturnCode,
  checkStackSegment,
  DB,
  faultErrorCode,
  faultVector,
  isNull,
  OK,
  requestedPrivilege,
  SegmentImage,
  survivesReturn,
} from "#layers/03-paging/descriptors.ts";
import { GENERAL_PROTECTION } from "./exceptions.ts";
import { AC, IF, IOPL, NT, type Processor, RF, VIF, VIP, VM } from "./processor.ts";
import { Stack } from "./stack.ts";

/** CF PF AF ZF SF TF DF OF NT: what any program may load. */
const PROGRAM_FLAGS = 0x0dd5 | NT | RF | AC | (1 << 21);

// #region return
export class InterruptReturn {
  readonly #stack: Stack;
  readonly #code = new SegmentImage();
  readonly #stackSegment = new SegmentImage();

  constructor(private readonly processor: Processor) {
    this.#stack = new Stack(processor);
  }

  /** IRET (`size` 2) or IRETD (4). Any fault on the way leaves the processor as it was. */
  execute(size: 2 | 4): void {
    const cpu = this.processor;
    if (!cpu.isProtectedMode) this.#returnInRealMode(size);
    else if ((cpu.eflags & VM) !== 0) {
      if ((cpu.eflags & IOPL) !== IOPL) cpu.fault(GENERAL_PROTECTION, 0);
      this.#returnInRealMode(size);
    } else if ((cpu.eflags & NT) !== 0) this.#returnToTask();
    else this.#returnByFrame(size);
  }
  // #endregion return

  // #region real-mode
  /** Real mode, and a virtual-8086 program that is trusted with IF (IOPL 3): but never with IOPL itself. */
  #returnInRealMode(size: 2 | 4): void {
    const cpu = this.processor;
    const stack = this.#stack;
    // #region exercise-iret-real
    stack.use(cpu.stackSegment, cpu.esp, cpu.cpl, 0);
    const eip = stack.pop(size);
    const selector = stack.pop(size) & 0xffff;
    const flags = stack.pop(size);
    if (eip > cpu.codeLimit) cpu.fault(GENERAL_PROTECTION, 0);

    const loadable = PROGRAM_FLAGS | IF | (cpu.isProtectedMode ? 0 : IOPL);
    cpu.esp = stack.esp;
    cpu.loadRealSegment(CS, selector);
    cpu.eip = eip;
    cpu.eflags = mergeFlags(cpu.eflags, flags, loadable, size);
    // #endregion exercise-iret-real
  }
  // #endregion real-mode

  /** The back link in the current TSS leads to the task that was interrupted. */
  #returnToTask(): void {
    const cpu = this.processor;
    const backLink = cpu.read(cpu.task.base, 2, false);
    cpu.switchTask(backLink, "return", false);
  }

  // #region protected-mode
  #returnByFrame(size: 2 | 4): void {
    const cpu = this.processor;
    const stack = this.#stack;
    // #region exercise-iret-frame
    stack.use(cpu.stackSegment, cpu.esp, cpu.cpl, 0);
    const eip = stack.pop(size);
    const selector = stack.pop(size) & 0xffff;
    const flags = stack.pop(size);
    if (size === 4 && (flags & VM) !== 0 && cpu.cpl === 0) {
      this.#returnToVirtual8086(eip, selector, flags);
      return;
    }
    this.#check(selector);
    if (requestedPrivilege(selector) > cpu.cpl) {
      this.#returnToOuterLevel(eip, flags, size);
      return;
    }
    if (eip > this.#code.limit) cpu.fault(GENERAL_PROTECTION, 0);
    cpu.markAccessed(this.#code);
    this.#commit(eip, flags, size);
    // #endregion exercise-iret-frame
  }

  /** The code segment to return to, into `#code`. */
  #check(selector: number): void {
    const cpu = this.processor;
    // #region exercise-iret-frame
    if (isNull(selector)) cpu.fault(GENERAL_PROTECTION, 0);
    if (!cpu.findDescriptor(selector, this.#code)) cpu.fault(GENERAL_PROTECTION, selector & 0xfffc);
    const problem = checkReturnCode(selector, this.#code.rights, cpu.cpl);
    if (problem !== OK) cpu.fault(faultVector(problem), faultErrorCode(problem));
    // #endregion exercise-iret-frame
  }

  /** The frame of an outer level has its SS and ESP too. */
  #returnToOuterLevel(eip: number, flags: number, size: 2 | 4): void {
    const cpu = this.processor;
    const stack = this.#stack;
    // #region exercise-iret-outer
    const esp = stack.pop(size);
    const selector = stack.pop(size) & 0xffff;
    const level = requestedPrivilege(this.#code.selector);
    loadableStack(cpu, selector, level, this.#stackSegment);
    if (eip > this.#code.limit) cpu.fault(GENERAL_PROTECTION, 0);
    cpu.markAccessed(this.#code);
    cpu.markAccessed(this.#stackSegment);

    stack.esp = outerStackPointer(cpu.esp, esp, this.#stackSegment);
    this.#commit(eip, flags, size);
    cpu.loadSegment(SS, this.#stackSegment);
    dropInnerSegments(cpu, level);
    // #endregion exercise-iret-outer
  }

  #commit(eip: number, flags: number, size: 2 | 4): void {
    const cpu = this.processor;
    // #region exercise-iret-frame
    const ioPrivilege = (cpu.eflags & IOPL) >>> 12;
    let loadable = PROGRAM_FLAGS;
    if (cpu.cpl <= ioPrivilege) loadable |= IF;
    if (cpu.cpl === 0) loadable |= IOPL | VIF | VIP;
    cpu.eflags = mergeFlags(cpu.eflags, flags, loadable, size);
    cpu.esp = this.#stack.esp;
    cpu.loadCode(this.#code, requestedPrivilege(this.#code.selector));
    cpu.eip = eip;
    // #endregion exercise-iret-frame
  }

  /** Only ring 0 gets here, so the image is trusted: all flags and segments come from it. */
  #returnToVirtual8086(eip: number, selector: number, flags: number): void {
    const cpu = this.processor;
    const stack = this.#stack;
    const esp = stack.pop(4);
    const segments = [SS, ES, DS, FS, GS].map(register => ({ register, selector: stack.pop(4) & 0xffff }));
    if (eip > 0xffff) cpu.fault(GENERAL_PROTECTION, 0);

    cpu.eflags = flags;
    cpu.loadRealSegment(CS, selector);
    for (const segment of segments) cpu.loadRealSegment(segment.register, segment.selector);
    cpu.esp = esp;
    cpu.eip = eip;
  }
  // #endregion protected-mode
}

/** Takes the `loadable` flags from `image`, of which a 16-bit frame has the low half only. */
function mergeFlags(current: number, image: number, loadable: number, size: 2 | 4): number {
  const mask = size === 4 ? loadable : loadable & 0xffff;
  return (current & ~mask) | (image & mask);
}

/** The stack segment of a return to the outer level `level`, into `segment`; faults where it cannot be one. */
export function loadableStack(cpu: Processor, selector: number, level: number, segment: SegmentImage): void {
  if (isNull(selector)) cpu.fault(GENERAL_PROTECTION, 0);
  if (!cpu.findDescriptor(selector, segment)) cpu.fault(GENERAL_PROTECTION, selector & 0xfffc);
  const problem = checkStackSegment(selector, segment.rights, level);
  if (problem !== OK) cpu.fault(faultVector(problem), faultErrorCode(problem));
}

/**
 * ESP after a return to an outer level that popped `popped`. A 16-bit stack takes over SP alone, so the
 * upper half of the inner level's ESP shines through.
 */
export function outerStackPointer(current: number, popped: number, segment: SegmentImage): number {
  if ((segment.rights & DB) !== 0) return popped;
  return ((current & 0xffff_0000) | (popped & 0xffff)) >>> 0;
}

/** After a return to the outer level `cpl`: takes away the data segments that it could not have loaded. */
export function dropInnerSegments(cpu: Processor, cpl: number): void {
  for (const register of [ES, DS, FS, GS]) {
    if (!survivesReturn(cpu.segmentRights(register), cpl)) cpu.loadNull(register);
  }
}
