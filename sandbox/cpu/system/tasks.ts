/**
 * Hardware task switches: the whole register file goes into one TSS and comes out of another.
 *
 * Until the old task is saved any fault belongs to it. From then on the processor is in the new task, and a
 * bad segment of it is reported there, with #TS, before its first instruction.
 *
 * Source: SDM vol. 3A, 7.3 "Task Switching", table 7-1 (checks), table 7-2 (busy, NT, link),
 * figures 7-2 and 7-10 (the two formats).
 */
import {
  BUSY,
  checkTaskCode,
  descriptorPrivilege,
  faultErrorCode,
  faultVector,
  isConformingCode,
  isNull,
  isReadable,
  isWritableData,
  LDT,
  OK,
  P,
  requestedPrivilege,
  SegmentImage,
  SYSTEM32,
  systemType,
  TSS16_AVAILABLE,
  TSS16_BUSY,
  TSS32_AVAILABLE,
  TSS32_BUSY,
} from "#layers/03-paging/descriptors.ts";
import type { TaskSwitchCause } from "#layers/04-interrupts/processor.ts";
import {
  CR0,
  CR0_PG,
  CR0_TS,
  CS,
  DEBUG,
  DR6,
  DR7,
  DS,
  EAX,
  ES,
  FS,
  GENERAL_PROTECTION,
  GS,
  INVALID_TSS,
  LDTR,
  NT,
  SEGMENT_NOT_PRESENT,
  SELECTOR,
  SS,
  STACK_FAULT,
  TR,
  VM,
} from "../state.ts";
import { loadCr3 } from "./control.ts";
import type { SystemProcessor } from "./processor.ts";

/** Where a TSS keeps what. */
interface TssFormat {
  readonly size: 2 | 4;
  /** Offset of the last byte that a switch to the task reads, and of the last one that leaving it writes. */
  readonly lastByte: number;
  readonly lastSaved: number;
  readonly eip: number;
  readonly eflags: number;
  /** EAX, and the seven others after it, in encoding order. */
  readonly registers: number;
  /** ES, and the others after it. */
  readonly segments: number;
  readonly segmentRegisters: readonly number[];
  readonly ldt: number;
}

const TSS32: TssFormat = {
  size: 4,
  lastByte: 0x67,
  lastSaved: 0x5f,
  eip: 0x20,
  eflags: 0x24,
  registers: 0x28,
  segments: 0x48,
  segmentRegisters: [ES, CS, SS, DS, FS, GS],
  ldt: 0x60,
};

const TSS16: TssFormat = {
  size: 2,
  lastByte: 0x2b,
  lastSaved: 0x29,
  eip: 0x0e,
  eflags: 0x10,
  registers: 0x12,
  segments: 0x22,
  segmentRegisters: [ES, CS, SS, DS],
  ldt: 0x2a,
};

const TSS32_CR3 = 0x1c;
const TSS32_TRAP = 0x64;
const DR6_BT = 1 << 15;
/** L0 to L3 and LE. */
const DR7_LOCAL = 0b1_0101_0101;

/** The new task's state, read before anything changes. */
interface TaskImage {
  readonly eip: number;
  readonly eflags: number;
  readonly registers: readonly number[];
  readonly selectors: readonly number[];
  readonly ldt: number;
  readonly cr3: number;
  readonly trap: boolean;
}

/** Switches to the task whose TSS `selector` names. The caller has checked privilege, not the TSS itself. */
export function switchTask(
  cpu: SystemProcessor,
  selector: number,
  cause: TaskSwitchCause,
  isExternal: boolean,
): void {
  const ext = isExternal ? 1 : 0;
  const next = findTask(cpu, selector, cause, ext);
  const format = formatOf(next.rights);
  const image = readTask(cpu, next.base, format);

  saveTask(cpu, cause, ext);
  if (cause === "jump" || cause === "return") markBusy(cpu, oldTask(cpu), false);
  const isNested = cause === "call" || cause === "interrupt";
  if (isNested) cpu.write(next.base, 2, cpu.selector(TR), false);
  if (cause !== "return") markBusy(cpu, next, true);

  const eflags = isNested ? image.eflags | NT : image.eflags;
  enterTask(cpu, next, format, image, eflags);
  loadTaskSegments(cpu, format, image, eflags, ext);
  if (image.eip > cpu.codeLimit) cpu.fault(GENERAL_PROTECTION, ext);
  if (image.trap) {
    cpu.cpu.r32[DR6]! |= DR6_BT;
    cpu.cpu.fault(DEBUG);
  }
}

function formatOf(rights: number): TssFormat {
  return (rights & SYSTEM32) !== 0 ? TSS32 : TSS16;
}

/** The new TSS: in the GDT, of the right type, present and long enough. */
function findTask(cpu: SystemProcessor, selector: number, cause: TaskSwitchCause, ext: number): SegmentImage {
  const next = new SegmentImage();
  const errorCode = (selector & 0xfffc) | ext;
  const vector = cause === "return" ? INVALID_TSS : GENERAL_PROTECTION;
  const isLocal = (selector & 0b100) !== 0;
  if (isLocal || !cpu.findDescriptor(selector, next)) cpu.fault(vector, errorCode);
  const type = systemType(next.rights);
  const wanted =
    cause === "return"
      ? type === TSS16_BUSY || type === TSS32_BUSY
      : type === TSS16_AVAILABLE || type === TSS32_AVAILABLE;
  if (!wanted) cpu.fault(vector, errorCode);
  if ((next.rights & P) === 0) cpu.fault(SEGMENT_NOT_PRESENT, errorCode);
  if (next.limit < formatOf(next.rights).lastByte) cpu.fault(INVALID_TSS, errorCode);
  return next;
}

function readTask(cpu: SystemProcessor, base: number, format: TssFormat): TaskImage {
  const { size } = format;
  const word = (offset: number): number => cpu.read((base + offset) >>> 0, 2, false);
  const field = (offset: number): number => cpu.read((base + offset) >>> 0, size, false);
  // A 16-bit TSS has no upper halves: they become ones in registers.
  const fill = size === 2 ? 0xffff_0000 : 0;
  return {
    eip: field(format.eip),
    eflags: field(format.eflags),
    registers: Array.from({ length: 8 }, (_, number) => field(format.registers + size * number) | fill),
    selectors: format.segmentRegisters.map((_, number) => word(format.segments + size * number)),
    ldt: word(format.ldt),
    cr3: size === 4 ? field(TSS32_CR3) : 0,
    trap: size === 4 && (word(TSS32_TRAP) & 1) !== 0,
  };
}

/** Writes the running task into its TSS. */
function saveTask(cpu: SystemProcessor, cause: TaskSwitchCause, ext: number): void {
  const { base, limit, rights, selector: tr } = cpu.task;
  const format = formatOf(rights);
  if (limit < format.lastSaved) cpu.fault(INVALID_TSS, (tr & 0xfffc) | ext);
  const { size } = format;
  const r = cpu.cpu.r32;
  const eflags = cause === "return" ? cpu.eflags & ~NT : cpu.eflags;
  cpu.write((base + format.eip) >>> 0, size, cpu.eip, false);
  cpu.write((base + format.eflags) >>> 0, size, eflags, false);
  for (let number = 0; number < 8; number++) {
    cpu.write((base + format.registers + size * number) >>> 0, size, r[EAX + 2 * number]!, false);
  }
  format.segmentRegisters.forEach((register, number) => {
    cpu.write((base + format.segments + size * number) >>> 0, 2, cpu.selector(register), false);
  });
}

function oldTask(cpu: SystemProcessor): SegmentImage {
  const old = new SegmentImage();
  cpu.findDescriptor(cpu.selector(TR), old);
  return old;
}

function markBusy(cpu: SystemProcessor, task: SegmentImage, isBusy: boolean): void {
  if (isNull(task.selector)) return;
  cpu.setType(task, isBusy ? task.high | (BUSY << 8) : task.high & ~(BUSY << 8));
}

/** The registers become the new task's; its segment registers hold selectors, but nothing valid yet. */
function enterTask(
  cpu: SystemProcessor,
  next: SegmentImage,
  format: TssFormat,
  image: TaskImage,
  eflags: number,
): void {
  const r = cpu.cpu.r32;
  r[CR0]! |= CR0_TS;
  cpu.cpu.setSegment(TR, next.selector, next.base, next.limit, next.rights | BUSY);
  if (format.size === 4 && (r[CR0]! & CR0_PG) !== 0) loadCr3(cpu.cpu, image.cr3);
  r[DR7]! &= ~DR7_LOCAL;
  image.registers.forEach((value, number) => {
    r[EAX + 2 * number] = value;
  });
  cpu.loadNull(LDTR, image.ldt);
  for (const register of [ES, SS, DS, FS, GS]) cpu.loadNull(register, 0);
  format.segmentRegisters.forEach((register, number) => {
    r[SELECTOR + register] = image.selectors[number]!;
  });
  cpu.eip = image.eip;
  // Until SS is good, a fault must find a stack in the TSS: as from ring 3.
  cpu.cpu.setCpl(3);
  cpu.eflags = eflags;
  cpu.commit();
}

function loadTaskSegments(
  cpu: SystemProcessor,
  format: TssFormat,
  image: TaskImage,
  eflags: number,
  ext: number,
): void {
  loadTaskLdt(cpu, image.ldt, ext);
  if ((eflags & VM) !== 0) {
    format.segmentRegisters.forEach((register, number) => {
      cpu.loadRealSegment(register, image.selectors[number]!);
    });
    return;
  }
  const segment = new SegmentImage();
  const selectorOf = (register: number): number =>
    image.selectors[format.segmentRegisters.indexOf(register)]!;
  const level = requestedPrivilege(selectorOf(CS));
  loadTaskStack(cpu, selectorOf(SS), level, segment, ext);
  cpu.cpu.setCpl(level);
  loadTaskCode(cpu, selectorOf(CS), segment, ext);
  for (const register of format.segmentRegisters) {
    if (register !== CS && register !== SS) loadTaskData(cpu, register, selectorOf(register), segment, ext);
  }
}

/** LDTR for a task: null, or an LDT in the GDT; #TS otherwise. */
function loadTaskLdt(cpu: SystemProcessor, selector: number, ext: number): void {
  if (isNull(selector)) return;
  const ldt = new SegmentImage();
  const isGood =
    (selector & 0b100) === 0 &&
    cpu.findDescriptor(selector, ldt) &&
    systemType(ldt.rights) === LDT &&
    (ldt.rights & P) !== 0;
  if (!isGood) cpu.fault(INVALID_TSS, (selector & 0xfffc) | ext);
  cpu.cpu.setSegment(LDTR, selector, ldt.base, ldt.limit, ldt.rights);
}

function loadTaskCode(cpu: SystemProcessor, selector: number, segment: SegmentImage, ext: number): void {
  if (!cpu.findDescriptor(selector, segment)) cpu.fault(INVALID_TSS, (selector & 0xfffc) | ext);
  const problem = checkTaskCode(selector, segment.rights);
  if (problem !== OK) cpu.fault(faultVector(problem), faultErrorCode(problem) | ext);
  cpu.markAccessed(segment);
  cpu.loadCode(segment, requestedPrivilege(selector));
}

function loadTaskStack(
  cpu: SystemProcessor,
  selector: number,
  level: number,
  segment: SegmentImage,
  ext: number,
): void {
  const errorCode = (selector & 0xfffc) | ext;
  if (!cpu.findDescriptor(selector, segment)) cpu.fault(INVALID_TSS, errorCode);
  const { rights } = segment;
  const isOfLevel = requestedPrivilege(selector) === level && descriptorPrivilege(rights) === level;
  if (!isWritableData(rights) || !isOfLevel) cpu.fault(INVALID_TSS, errorCode);
  if ((rights & P) === 0) cpu.fault(STACK_FAULT, errorCode);
  cpu.markAccessed(segment);
  cpu.loadSegment(SS, segment);
}

function loadTaskData(
  cpu: SystemProcessor,
  register: number,
  selector: number,
  segment: SegmentImage,
  ext: number,
): void {
  if (isNull(selector)) return;
  const errorCode = (selector & 0xfffc) | ext;
  if (!cpu.findDescriptor(selector, segment)) cpu.fault(INVALID_TSS, errorCode);
  const { rights } = segment;
  const dpl = descriptorPrivilege(rights);
  const isPrivileged = isConformingCode(rights) || (requestedPrivilege(selector) <= dpl && cpu.cpl <= dpl);
  if (!isReadable(rights) || !isPrivileged) cpu.fault(INVALID_TSS, errorCode);
  if ((rights & P) === 0) cpu.fault(SEGMENT_NOT_PRESENT, errorCode);
  cpu.markAccessed(segment);
  cpu.loadSegment(register, segment);
}
