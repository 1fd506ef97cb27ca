/**
 * Far transfers: JMP, CALL and RET to another code segment, through call gates and to other tasks.
 *
 * Source: SDM vol. 2, "JMP", "CALL", "RET"; vol. 3A, 5.8 "Privilege Level Checking When Transferring Program
 * Control Between Code Segments".
 */
import {
  CALL_GATE16,
  CALL_GATE32,
  checkDirectTransfer,
  checkGateAccess,
  checkGateTarget,
  checkReturnCode,
  checkStackSegment,
  type Fault,
  faultErrorCode,
  faultVector,
  gateOffset,
  gateParameters,
  gateSelector,
  isNull,
  levelAfterGate,
  OK,
  requestedPrivilege,
  S,
  SegmentImage,
  SYSTEM32,
  systemType,
  TASK_GATE,
  TSS16_AVAILABLE,
  TSS32_AVAILABLE,
} from "#layers/03-paging/descriptors.ts";
import { readInnerStack } from "#layers/04-interrupts/idt.ts";
import { dropInnerSegments, loadableStack, outerStackPointer } from "#layers/04-interrupts/iret.ts";
import { Stack } from "#layers/04-interrupts/stack.ts";
import { CS, GENERAL_PROTECTION, INVALID_TSS, SS } from "../state.ts";
import type { SystemProcessor } from "./processor.ts";

type Size = 2 | 4;

export class FarTransfers {
  readonly #cpu: SystemProcessor;
  readonly #stack: Stack;
  readonly #oldStack: Stack;
  readonly #named = new SegmentImage();
  readonly #code = new SegmentImage();
  readonly #stackSegment = new SegmentImage();

  constructor(cpu: SystemProcessor) {
    this.#cpu = cpu;
    this.#stack = new Stack(cpu);
    this.#oldStack = new Stack(cpu);
  }

  jump(selector: number, offset: number): void {
    const cpu = this.#cpu;
    if (isRealOrVirtual(cpu)) {
      if (offset > cpu.codeLimit) cpu.fault(GENERAL_PROTECTION, 0);
      cpu.loadRealSegment(CS, selector);
      cpu.eip = offset;
      return;
    }
    const named = this.#find(selector);
    if ((named.rights & S) !== 0) {
      this.#require(checkDirectTransfer(selector, named.rights, cpu.cpl));
      this.#enter(named, cpu.cpl, offset);
      return;
    }
    this.#followSystemDescriptor(named, true);
  }

  call(selector: number, offset: number, size: Size): void {
    const cpu = this.#cpu;
    if (isRealOrVirtual(cpu)) {
      this.#pushReturn(size);
      if (offset > cpu.codeLimit) cpu.fault(GENERAL_PROTECTION, 0);
      cpu.loadRealSegment(CS, selector);
      cpu.eip = offset;
      cpu.esp = this.#stack.esp;
      return;
    }
    const named = this.#find(selector);
    if ((named.rights & S) === 0) {
      this.#followSystemDescriptor(named, false);
      return;
    }
    this.#require(checkDirectTransfer(selector, named.rights, cpu.cpl));
    this.#pushReturn(size);
    this.#enter(named, cpu.cpl, offset);
    cpu.esp = this.#stack.esp;
  }

  /** RETF, and RETF imm16, which drops `parameters` bytes on both stacks. */
  return(size: Size, parameters: number): void {
    const cpu = this.#cpu;
    const stack = this.#stack;
    stack.use(cpu.stackSegment, cpu.esp, cpu.cpl, 0);
    const eip = stack.pop(size);
    const selector = stack.pop(size) & 0xffff;
    if (isRealOrVirtual(cpu)) {
      if (eip > cpu.codeLimit) cpu.fault(GENERAL_PROTECTION, 0);
      stack.skip(parameters);
      cpu.loadRealSegment(CS, selector);
      cpu.eip = eip;
      cpu.esp = stack.esp;
      return;
    }
    const code = this.#find(selector);
    this.#require(checkReturnCode(selector, code.rights, cpu.cpl));
    stack.skip(parameters);
    if (requestedPrivilege(selector) > cpu.cpl) this.#returnToOuterLevel(code, eip, size, parameters);
    else {
      this.#enter(code, cpu.cpl, eip);
      cpu.esp = stack.esp;
    }
  }

  #returnToOuterLevel(code: SegmentImage, eip: number, size: Size, parameters: number): void {
    const cpu = this.#cpu;
    const stack = this.#stack;
    const segment = this.#stackSegment;
    const popped = stack.pop(size);
    const selector = stack.pop(size) & 0xffff;
    const level = requestedPrivilege(code.selector);
    loadableStack(cpu, selector, level, segment);
    if (eip > code.limit) cpu.fault(GENERAL_PROTECTION, 0);
    cpu.markAccessed(segment);
    const esp = outerStackPointer(cpu.esp, popped, segment);
    this.#enter(code, level, eip);
    cpu.loadSegment(SS, segment);
    stack.use(segment, esp, level, 0);
    stack.skip(parameters);
    cpu.esp = stack.esp;
    dropInnerSegments(cpu, level);
  }

  /** JMP or CALL to something that is no code segment: a gate or a TSS. */
  #followSystemDescriptor(named: SegmentImage, isJump: boolean): void {
    const cpu = this.#cpu;
    const { selector, rights } = named;
    switch (systemType(rights)) {
      case CALL_GATE16:
      case CALL_GATE32:
        this.#require(checkGateAccess(selector, rights, cpu.cpl));
        if (isJump) this.#jumpThroughGate(named);
        else this.#callThroughGate(named);
        return;
      case TASK_GATE:
        this.#require(checkGateAccess(selector, rights, cpu.cpl));
        cpu.switchTask(gateSelector(named.low), isJump ? "jump" : "call", false);
        return;
      case TSS16_AVAILABLE:
      case TSS32_AVAILABLE:
        this.#require(checkGateAccess(selector, rights, cpu.cpl));
        cpu.switchTask(selector, isJump ? "jump" : "call", false);
        return;
      default:
        cpu.fault(GENERAL_PROTECTION, selector & 0xfffc);
    }
  }

  #jumpThroughGate(gate: SegmentImage): void {
    const code = this.#gateTarget(gate, true);
    this.#enter(code, this.#cpu.cpl, gateOffset(gate.low, gate.high));
  }

  #callThroughGate(gate: SegmentImage): void {
    const cpu = this.#cpu;
    const code = this.#gateTarget(gate, false);
    const level = levelAfterGate(code.rights, cpu.cpl);
    const size = (gate.rights & SYSTEM32) !== 0 ? 4 : 2;
    const offset = gateOffset(gate.low, gate.high);
    if (level < cpu.cpl) {
      this.#callInnerLevel(code, level, offset, size, gateParameters(gate.high));
      return;
    }
    this.#pushReturn(size);
    this.#enter(code, cpu.cpl, offset);
    cpu.esp = this.#stack.esp;
  }

  /** The inner level's stack gets the old stack pointer, the parameters and the return address. */
  #callInnerLevel(code: SegmentImage, level: number, offset: number, size: Size, parameters: number): void {
    const cpu = this.#cpu;
    const { selector, esp } = readInnerStack(cpu, level, 0);
    const segment = this.#stackSegment;
    if (isNull(selector)) cpu.fault(INVALID_TSS, 0);
    if (!cpu.findDescriptor(selector, segment)) cpu.fault(INVALID_TSS, selector & 0xfffc);
    this.#require(checkStackSegment(selector, segment.rights, level, INVALID_TSS));
    cpu.markAccessed(segment);

    const stack = this.#stack;
    stack.use(segment, esp, level, selector & 0xfffc);
    stack.push(size, cpu.selector(SS));
    stack.push(size, cpu.esp);
    // Parameters keep their order: the last one in memory is pushed first.
    for (let number = parameters - 1; number >= 0; number--) stack.push(size, this.#parameter(number, size));
    stack.push(size, cpu.selector(CS));
    stack.push(size, cpu.eip);
    this.#enter(code, level, offset);
    cpu.loadSegment(SS, segment);
    cpu.esp = stack.esp;
  }

  #parameter(number: number, size: Size): number {
    const cpu = this.#cpu;
    const stack = this.#oldStack;
    stack.use(cpu.stackSegment, cpu.esp, cpu.cpl, 0);
    stack.skip(number * size);
    return stack.pop(size);
  }

  #gateTarget(gate: SegmentImage, isJump: boolean): SegmentImage {
    const cpu = this.#cpu;
    const selector = gateSelector(gate.low);
    if (isNull(selector)) cpu.fault(GENERAL_PROTECTION, 0);
    if (!cpu.findDescriptor(selector, this.#code)) cpu.fault(GENERAL_PROTECTION, selector & 0xfffc);
    this.#require(checkGateTarget(selector, this.#code.rights, cpu.cpl, isJump));
    return this.#code;
  }

  #find(selector: number): SegmentImage {
    const cpu = this.#cpu;
    if (isNull(selector)) cpu.fault(GENERAL_PROTECTION, 0);
    if (!cpu.findDescriptor(selector, this.#named)) cpu.fault(GENERAL_PROTECTION, selector & 0xfffc);
    return this.#named;
  }

  /** CS and EIP on the current stack, not committed yet. */
  #pushReturn(size: Size): void {
    const cpu = this.#cpu;
    this.#stack.use(cpu.stackSegment, cpu.esp, cpu.cpl, 0);
    this.#stack.push(size, cpu.selector(CS));
    this.#stack.push(size, cpu.eip);
  }

  #enter(code: SegmentImage, level: number, offset: number): void {
    const cpu = this.#cpu;
    if (offset > code.limit) cpu.fault(GENERAL_PROTECTION, 0);
    cpu.markAccessed(code);
    cpu.loadCode(code, level);
    cpu.eip = offset;
  }

  #require(decision: Fault): void {
    if (decision !== OK) this.#cpu.fault(faultVector(decision), faultErrorCode(decision));
  }
}

function isRealOrVirtual(cpu: SystemProcessor): boolean {
  return !cpu.isProtectedMode || cpu.cpu.isVirtual8086;
}
