/**
 * A processor of plain fields: what the layer needs of one, and no more. It keeps memory in a map and tells
 * every write, so a test or a figure sees what taking an interrupt does, step by step.
 */
import { CS, DS, ES, FS, GS, SS } from "#layers/02-real-mode/registers.ts";
import { encodeDescriptor, encodeGate, isNull, P, SegmentImage } from "#layers/03-paging/descriptors.ts";
import { exceptionName } from "#layers/04-interrupts/exceptions.ts";
import { InterruptDelivery } from "#layers/04-interrupts/idt.ts";
import { InterruptReturn } from "#layers/04-interrupts/iret.ts";
import type { Processor } from "#layers/04-interrupts/processor.ts";
import * as setting from "./setting.ts";

/** An exception that the layer raised. */
export class PlainFault extends Error {
  override readonly name = "PlainFault";
  constructor(vector: number, errorCode: number) {
    super(`${exceptionName(vector)}(0x${errorCode.toString(16).padStart(4, "0")})`);
  }
}

const REGISTERS = { es: ES, cs: CS, ss: SS, ds: DS, fs: FS, gs: GS } as const;
const NAMES = Object.keys(REGISTERS) as setting.SegmentName[];

export class PlainProcessor implements Processor {
  readonly isProtectedMode: boolean;
  cpl = 0;
  eip = 0x5000;
  eflags = setting.RESERVED | setting.IF;
  esp = 0x8000;
  readonly idtBase: number;
  readonly idtLimit: number;
  readonly codeLimit: number;
  readonly task = new SegmentImage();
  readonly stackSegment = new SegmentImage();
  readonly writes: setting.Write[] = [];
  readonly accessed: number[] = [];
  readonly #selectors = new Map<number, number>();
  readonly #words = new Map<number, number>();
  readonly #descriptors = new Map<number, [number, number]>();
  readonly #absentBelow: number;

  constructor(setup: setting.Setup) {
    this.isProtectedMode = !setup.realMode;
    this.idtBase = setup.realMode ? 0 : setting.IDT_BASE;
    this.idtLimit = setup.idtLimit ?? (setup.realMode ? 0x3ff : 0x7ff);
    this.codeLimit = setup.realMode ? 0xffff : 0xffff_ffff;
    this.#absentBelow = setup.absentBelow ?? 0;
    this.#setUpSegments(setup);
    this.eip = setup.eip ?? this.eip;
    this.eflags = setup.eflags ?? this.eflags;
    this.esp = setup.esp ?? this.esp;
    this.#setUpTask(setup.tssLimit ?? 0x67);
    for (const { vector, type, dpl = 0, selector = setting.CODE0, offset, absent } of setup.gates ?? []) {
      const [low, high] = encodeGate(type, dpl, selector, offset);
      this.#store(setting.IDT_BASE + 8 * vector, 4, low);
      this.#store(setting.IDT_BASE + 8 * vector + 4, 4, absent ? high & ~(P << 8) : high);
    }
    for (const [address, value] of setup.memory ?? []) this.#store(address, 4, value);
  }

  #setUpSegments({ ring3, stack16, selectors = {} }: setting.Setup): void {
    this.#describe(setting.CODE0, 0xc09a);
    this.#describe(setting.DATA0, 0xc092);
    this.#describe(setting.CODE3, 0xc0fa);
    this.#describe(setting.DATA3, 0xc0f2);
    this.#describe(setting.ABSENT_CODE, 0xc01a);
    this.#describe(setting.CODE1, 0xc0ba);
    this.#describe(setting.DATA1, 0xc0b2);
    this.cpl = ring3 ? 3 : 0;
    const data = ring3 ? setting.DATA3 : setting.DATA0;
    for (const name of NAMES) this.#selectors.set(REGISTERS[name], selectors[name] ?? data);
    this.#selectors.set(CS, selectors.cs ?? (ring3 ? setting.CODE3 : setting.CODE0));
    const image = encodeDescriptor(stack16 ?? 0, 0xffff_ffff, ring3 ? 0xc0f3 : 0xc093);
    const image16 = encodeDescriptor(stack16 ?? 0, 0xffff, 0x0093);
    this.stackSegment.decode(this.selector(SS), ...(stack16 === undefined ? image : image16));
  }

  #setUpTask(limit: number): void {
    this.task.decode(setting.TASK, ...encodeDescriptor(setting.TSS_BASE, limit, 0x8b));
    const stacks = [setting.INNER_STACK, setting.DATA0, setting.RING1_STACK, setting.DATA1];
    for (const [index, value] of stacks.entries()) this.#store(setting.TSS_BASE + 4 + 4 * index, 4, value);
  }

  #describe(selector: number, rights: number): void {
    this.#descriptors.set(selector & ~3, encodeDescriptor(0, 0xffff_ffff, rights));
  }

  selector(register: number): number {
    return this.#selectors.get(register) ?? 0;
  }

  segmentRights(register: number): number {
    const descriptor = this.#descriptors.get(this.selector(register) & ~3);
    if (!descriptor) return 0;
    const image = new SegmentImage();
    image.decode(0, ...descriptor);
    return image.rights;
  }

  read(linear: number, size: 2 | 4): number {
    const low = this.#words.get(linear) ?? 0;
    return size === 2 ? low : low + (this.#words.get(linear + 2) ?? 0) * 0x1_0000;
  }

  write(linear: number, size: 2 | 4, value: number): void {
    if (linear < this.#absentBelow) this.fault(14, 0b0010);
    this.writes.push({ at: linear, size, value: size === 2 ? value & 0xffff : value >>> 0 });
    this.#store(linear, size, value);
  }

  #store(linear: number, size: 2 | 4, value: number): void {
    this.#words.set(linear, value & 0xffff);
    if (size === 4) this.#words.set(linear + 2, (value >>> 16) & 0xffff);
  }

  findDescriptor(selector: number, into: SegmentImage): boolean {
    const found = this.#descriptors.get(selector & ~3);
    if (isNull(selector) || !found) return false;
    into.decode(selector, ...found);
    return true;
  }

  markAccessed({ selector }: SegmentImage): void {
    this.accessed.push(selector);
  }

  loadSegment(register: number, segment: SegmentImage): void {
    this.#selectors.set(register, segment.selector);
    if (register === SS) this.stackSegment.decode(segment.selector, segment.low, segment.high);
  }

  loadNull(register: number): void {
    this.#selectors.set(register, 0);
  }

  loadCode(segment: SegmentImage, cpl: number): void {
    this.#selectors.set(CS, (segment.selector & ~3) | cpl);
    this.cpl = cpl;
  }

  loadRealSegment(register: number, selector: number): void {
    this.#selectors.set(register, selector);
  }

  switchTask(): void {
    throw new Error("this processor has one task");
  }

  fault(vector: number, errorCode: number): never {
    throw new PlainFault(vector, errorCode);
  }

  state(): setting.State {
    const { eip, esp, eflags, cpl } = this;
    const [cs, ss, ds, es, fs, gs] = [CS, SS, DS, ES, FS, GS].map(register => this.selector(register));
    return { cs: cs!, eip, ss: ss!, esp, eflags, cpl, ds: ds!, es: es!, fs: fs!, gs: gs! };
  }
}

/** Delivers one event on a processor that is set up so. */
export function deliver(setup: setting.Setup, { vector, source, errorCode }: setting.Event): setting.Outcome {
  return watch(setup, processor => new InterruptDelivery(processor).deliver(vector, source, errorCode));
}

/** Executes IRET (`size` 2) or IRETD (4). */
export function returnFrom(setup: setting.Setup, size: 2 | 4): setting.Outcome {
  return watch(setup, processor => new InterruptReturn(processor).execute(size));
}

function watch(setup: setting.Setup, action: (processor: PlainProcessor) => void): setting.Outcome {
  const processor = new PlainProcessor(setup);
  const before = processor.state();
  let fault = "";
  try {
    action(processor);
  } catch (problem) {
    if (!(problem instanceof PlainFault)) throw problem;
    fault = problem.message;
  }
  const { writes, accessed } = processor;
  return { before, after: processor.state(), fault, writes, accessed };
}
