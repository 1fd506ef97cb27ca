/**
 * The processor as the layers of chapter 4 see it: taking interrupts and returning from them, far transfers
 * and task switches all go through this.
 */
import { loadRealModeSegment } from "#layers/02-real-mode/segments.ts";
import { ACCESSED, accessRights, isNull, S, SegmentImage } from "#layers/03-paging/descriptors.ts";
import type { Processor, TaskSwitchCause } from "#layers/04-interrupts/processor.ts";
import type { Cpu } from "../cpu.ts";
import {
  ACCESS,
  ACCESS_UNUSABLE,
  BASE,
  CPL,
  CS,
  EIP,
  ESP,
  FLAG_CARRIES,
  FLAG_RESULT,
  GDT_BASE,
  GDT_LIMIT,
  IDT_BASE,
  IDT_LIMIT,
  INSTRUCTION_EIP,
  LDTR,
  LIMIT,
  SAVED_CARRIES,
  SAVED_ESP,
  SAVED_RESULT,
  SELECTOR,
  SS,
  TR,
  VM,
} from "../state.ts";
import { switchTask } from "./tasks.ts";

/** EFLAGS has these bits; bit 1 is always set. */
const EFLAGS_BITS = 0x003f_7fd5;
/** What every segment of a virtual-8086 program has: present, DPL 3, writable data, accessed. */
const VIRTUAL_8086_RIGHTS = 0xf3;
/** The same for real mode, where a null selector of protected mode left nothing to keep. */
const REAL_MODE_RIGHTS = 0x93;

export class SystemProcessor implements Processor {
  readonly #task = new SegmentImage();
  readonly #stackSegment = new SegmentImage();

  constructor(readonly cpu: Cpu) {}

  get isProtectedMode(): boolean {
    return this.cpu.isProtected;
  }

  get cpl(): number {
    return this.cpu.r32[CPL]!;
  }

  get eip(): number {
    return this.cpu.r32[EIP]! >>> 0;
  }

  set eip(value: number) {
    this.cpu.r32[EIP] = value;
  }

  get esp(): number {
    return this.cpu.r32[ESP]! >>> 0;
  }

  set esp(value: number) {
    this.cpu.r32[ESP] = value;
  }

  get eflags(): number {
    return this.cpu.getFlags();
  }

  set eflags(value: number) {
    this.cpu.setFlags((value & EFLAGS_BITS) | 2);
    if ((value & VM) !== 0) this.cpu.setCpl(3);
  }

  get idtBase(): number {
    return this.cpu.r32[IDT_BASE]! >>> 0;
  }

  get idtLimit(): number {
    return this.cpu.r32[IDT_LIMIT]!;
  }

  get task(): SegmentImage {
    return this.#image(TR, this.#task);
  }

  get stackSegment(): SegmentImage {
    return this.#image(SS, this.#stackSegment);
  }

  get codeLimit(): number {
    return this.cpu.r32[LIMIT + CS]! >>> 0;
  }

  selector(register: number): number {
    return this.cpu.r32[SELECTOR + register]!;
  }

  segmentRights(register: number): number {
    return this.cpu.r32[ACCESS + register]!;
  }

  read(linear: number, size: 2 | 4, asUser: boolean): number {
    const { cpu } = this;
    if (size === 2) return asUser ? cpu.readLinear16(linear | 0) : cpu.readSystem16(linear | 0);
    return (asUser ? cpu.readLinear32(linear | 0) : cpu.readSystem32(linear | 0)) >>> 0;
  }

  write(linear: number, size: 2 | 4, value: number, asUser: boolean): void {
    const { cpu } = this;
    if (size === 2) {
      if (asUser) cpu.writeLinear16(linear | 0, value);
      else cpu.writeSystem16(linear | 0, value);
    } else if (asUser) cpu.writeLinear32(linear | 0, value);
    else cpu.writeSystem32(linear | 0, value);
  }

  findDescriptor(selector: number, into: SegmentImage): boolean {
    if (isNull(selector)) return false;
    const address = this.#descriptorAddress(selector);
    if (address < 0) return false;
    into.decode(selector, this.cpu.readSystem32(address | 0), this.cpu.readSystem32((address + 4) | 0));
    return true;
  }

  markAccessed(segment: SegmentImage): void {
    if ((segment.rights & S) === 0 || (segment.rights & ACCESSED) !== 0) return;
    this.setType(segment, segment.high | (ACCESSED << 8));
  }

  /** Writes the type byte of a descriptor back: accessed and busy bits. */
  setType(segment: SegmentImage, high: number): void {
    const address = this.#descriptorAddress(segment.selector);
    this.cpu.writeSystem8((address + 5) | 0, (high >>> 8) & 0xff);
    segment.high = high;
    segment.rights = accessRights(high);
  }

  /** Linear address of a selector's descriptor; -1 beyond its table. */
  #descriptorAddress(selector: number): number {
    const r = this.cpu.r32;
    const offset = selector & 0xfff8;
    const isLocal = (selector & 0b100) !== 0;
    if (isLocal && (r[ACCESS + LDTR]! & ACCESS_UNUSABLE) !== 0) return -1;
    const limit = isLocal ? r[LIMIT + LDTR]! >>> 0 : r[GDT_LIMIT]!;
    if (offset + 7 > limit) return -1;
    return (((isLocal ? r[BASE + LDTR]! : r[GDT_BASE]!) >>> 0) + offset) >>> 0;
  }

  loadSegment(register: number, segment: SegmentImage): void {
    this.cpu.setSegment(register, segment.selector, segment.base, segment.limit, segment.rights);
  }

  loadNull(register: number, selector = 0): void {
    this.cpu.setSegment(register, selector, 0, 0, ACCESS_UNUSABLE);
  }

  loadCode(segment: SegmentImage, cpl: number): void {
    const { cpu } = this;
    cpu.r32[CPL] = cpl;
    cpu.setSegment(CS, (segment.selector & 0xfffc) | cpl, segment.base, segment.limit, segment.rights);
  }

  /** In real mode the limit and the rights stay what they were: "unreal mode" lives on that. */
  loadRealSegment(register: number, selector: number): void {
    const { cpu } = this;
    const r = cpu.r32;
    loadRealModeSegment(r, register, selector);
    const base = r[BASE + register]!;
    if (cpu.isVirtual8086) cpu.setSegment(register, selector, base, 0xffff, VIRTUAL_8086_RIGHTS);
    else if ((r[ACCESS + register]! & ACCESS_UNUSABLE) !== 0) {
      cpu.setSegment(register, selector, base, 0xffff, REAL_MODE_RIGHTS);
    } else cpu.setSegment(register, selector, base, r[LIMIT + register]!, r[ACCESS + register]!);
  }

  switchTask(selector: number, cause: TaskSwitchCause, isExternal: boolean): void {
    switchTask(this, selector, cause, isExternal);
  }

  /**
   * What the instruction did so far stays done: a fault from here on belongs to the new state. Only a task
   * switch has such a middle.
   */
  commit(): void {
    const r = this.cpu.r32;
    r[SAVED_ESP] = r[ESP]!;
    r[INSTRUCTION_EIP] = r[EIP]!;
    r[SAVED_RESULT] = r[FLAG_RESULT]!;
    r[SAVED_CARRIES] = r[FLAG_CARRIES]!;
    this.cpu.devices.forget();
  }

  fault(vector: number, errorCode: number): never {
    return this.cpu.fault(vector, errorCode);
  }

  #image(register: number, into: SegmentImage): SegmentImage {
    const r = this.cpu.r32;
    into.selector = r[SELECTOR + register]!;
    into.base = r[BASE + register]! >>> 0;
    into.limit = r[LIMIT + register]! >>> 0;
    into.rights = r[ACCESS + register]!;
    return into;
  }
}
