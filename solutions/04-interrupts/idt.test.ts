import { describe, expect, it } from "vitest";
import { CS, DS, ES, FS, GS, SS } from "#layers/02-real-mode/registers.ts";
import {
  encodeDescriptor,
  encodeGate,
  INTERRUPT_GATE16,
  INTERRUPT_GATE32,
  isNull,
  SegmentImage,
  TASK_GATE,
  TRAP_GATE32,
} from "#layers/03-paging/descriptors.ts";
import { combine, exceptionName, isFault, pushesErrorCode } from "./exceptions.ts";
import { InterruptDelivery } from "./idt.ts";
import { InterruptReturn } from "./iret.ts";
import { IF, NT, type Processor, RF, TF, VM } from "./processor.ts";

class GuestFault extends Error {
  constructor(
    readonly vector: number,
    readonly errorCode: number,
  ) {
    super(`${exceptionName(vector)}(0x${errorCode.toString(16)})`);
  }
}

const IDT = 0x1000;
const TSS = 0x2000;
const CODE0 = 0x08;
const DATA0 = 0x10;
const CODE3 = 0x1b;
const DATA3 = 0x23;
const ABSENT = 0x28;
const CODE1 = 0x31;
const DATA1 = 0x39;
const STACK_RIGHTS = 0xc093;

/** A processor of plain fields: tables in maps, memory that can refuse. */
class TestProcessor implements Processor {
  isProtectedMode = true;
  cpl = 0;
  eip = 0x5000;
  eflags = 0x202;
  esp = 0x8000;
  idtBase = IDT;
  idtLimit = 0x7ff;
  codeLimit = 0xffff_ffff;
  readonly task = new SegmentImage();
  readonly stackSegment = new SegmentImage();
  readonly selectors: Record<number, number> = {
    [CS]: CODE0,
    [SS]: DATA0,
    [DS]: DATA0,
    [ES]: DATA0,
    [FS]: 0,
    [GS]: 0,
  };
  readonly rights: Record<number, number> = { [DS]: 0xc093, [ES]: 0xc093, [FS]: 0, [GS]: 0 };
  readonly words = new Map<number, number>();
  readonly descriptors = new Map<number, [number, number]>();
  readonly events: string[] = [];
  /** Linear addresses below it are absent. */
  absentBelow = 0;

  constructor() {
    this.task.decode(0x40, ...encodeDescriptor(TSS, 0x67, 0x8b));
    this.stackSegment.decode(DATA0, ...encodeDescriptor(0, 0xffff_ffff, STACK_RIGHTS));
    this.describe(CODE0, 0xc09a);
    this.describe(DATA0, 0xc092);
    this.describe(CODE3, 0xc0fa);
    this.describe(DATA3, 0xc0f2);
    this.describe(ABSENT, 0xc01a);
    this.describe(CODE1, 0xc0ba);
    this.describe(DATA1, 0xc0b2);
    this.write(TSS + 4, 4, 0x9000);
    this.write(TSS + 8, 4, DATA0);
    this.write(TSS + 12, 4, 0xa000);
    this.write(TSS + 16, 4, DATA1);
  }

  describe(selector: number, rights: number): void {
    this.descriptors.set(selector & ~3, encodeDescriptor(0, 0xffff_ffff, rights));
  }

  gate(vector: number, type: number, dpl: number, selector: number, offset: number): void {
    const [low, high] = encodeGate(type, dpl, selector, offset);
    this.write(IDT + 8 * vector, 4, low);
    this.write(IDT + 8 * vector + 4, 4, high);
  }

  /** As if ring 3 were running. */
  inRing3(): void {
    this.cpl = 3;
    this.selectors[CS] = CODE3;
    this.selectors[SS] = DATA3;
    this.stackSegment.decode(DATA3, ...encodeDescriptor(0, 0xffff_ffff, 0xc0f3));
  }

  selector(register: number): number {
    return this.selectors[register]!;
  }
  segmentRights(register: number): number {
    return this.rights[register]!;
  }
  read(linear: number, size: 2 | 4): number {
    const word = (at: number): number => this.words.get(at) ?? 0;
    return size === 2 ? word(linear) : word(linear) + word(linear + 2) * 0x1_0000;
  }
  write(linear: number, size: 2 | 4, value: number, _asUser = false): void {
    if (linear < this.absentBelow) this.fault(14, 2);
    this.words.set(linear, value & 0xffff);
    if (size === 4) this.words.set(linear + 2, (value >>> 16) & 0xffff);
  }
  findDescriptor(selector: number, into: SegmentImage): boolean {
    const found = this.descriptors.get(selector & ~3);
    if (isNull(selector) || !found) return false;
    into.decode(selector, ...found);
    return true;
  }
  markAccessed(segment: SegmentImage): void {
    this.events.push(`accessed ${segment.selector.toString(16)}`);
  }
  loadSegment(register: number, segment: SegmentImage): void {
    this.selectors[register] = segment.selector;
  }
  loadNull(register: number): void {
    this.selectors[register] = 0;
  }
  loadCode(segment: SegmentImage, cpl: number): void {
    this.selectors[CS] = (segment.selector & ~3) | cpl;
    this.cpl = cpl;
  }
  loadRealSegment(register: number, selector: number): void {
    this.selectors[register] = selector;
  }
  switchTask(selector: number, cause: string, isExternal: boolean): void {
    this.events.push(`task ${selector.toString(16)} ${cause}${isExternal ? " external" : ""}`);
  }
  fault(vector: number, errorCode: number): never {
    throw new GuestFault(vector, errorCode);
  }

  frame(count: number, size: 2 | 4 = 4): number[] {
    return Array.from({ length: count }, (_, index) => this.read(this.esp + size * index, size));
  }
  /** All that a fault must leave alone. */
  state(): unknown {
    const { cpl, eip, eflags, esp } = this;
    return { cpl, eip, eflags, esp, selectors: { ...this.selectors } };
  }
}

function faultOf(action: () => void): string {
  try {
    action();
  } catch (fault) {
    if (fault instanceof GuestFault) return fault.message;
    throw fault;
  }
  return "no fault";
}

describe("delivery in real mode", () => {
  it("goes through the vector table, with 16-bit pushes and IF and TF cleared", () => {
    const cpu = new TestProcessor();
    cpu.isProtectedMode = false;
    cpu.idtBase = 0;
    cpu.idtLimit = 0x3ff;
    cpu.eflags = 0x302 | TF;
    cpu.stackSegment.decode(0x700, ...encodeDescriptor(0x7000, 0xffff, 0x93));
    cpu.esp = 0x1_0002;
    cpu.write(4 * 0x21, 2, 0x1234);
    cpu.write(4 * 0x21 + 2, 2, 0xf000);
    new InterruptDelivery(cpu).deliver(0x21, "software");
    expect([cpu.selectors[CS], cpu.eip]).toEqual([0xf000, 0x1234]);
    expect(cpu.eflags & (IF | TF)).toBe(0);
    // SP wraps from 2 to 0xfffc inside its 64 KiB, and the upper half of ESP stays.
    expect(cpu.esp).toBe(0x1_fffc);
    expect([0x7000, 0x1_6ffe, 0x1_6ffc].map(at => cpu.read(at, 2))).toEqual([0x302, CODE0, 0x5000]);
  });

  it("is #GP past the end of the table", () => {
    const cpu = new TestProcessor();
    cpu.isProtectedMode = false;
    cpu.idtLimit = 4 * 0x21 + 2;
    expect(faultOf(() => new InterruptDelivery(cpu).deliver(0x21, "external"))).toBe("#GP(0x10b)");
  });
});

describe("delivery through a gate", () => {
  it("of the same level pushes EFLAGS, CS, EIP and an error code", () => {
    const cpu = new TestProcessor();
    cpu.gate(13, INTERRUPT_GATE32, 0, CODE0, 0x1234_5678);
    new InterruptDelivery(cpu).deliver(13, "exception", 0x18);
    expect(cpu.frame(4)).toEqual([0x18, 0x5000, CODE0, 0x202 | RF]);
    expect([cpu.eip, cpu.esp, cpu.cpl]).toEqual([0x1234_5678, 0x8000 - 16, 0]);
    expect(cpu.eflags & (IF | RF)).toBe(0);
  });

  it("from ring 3 takes the stack from the TSS and pushes the old one", () => {
    const cpu = new TestProcessor();
    cpu.inRing3();
    cpu.gate(0x80, TRAP_GATE32, 3, CODE0, 0x4000);
    new InterruptDelivery(cpu).deliver(0x80, "software");
    expect(cpu.frame(5)).toEqual([0x5000, CODE3, 0x202, 0x8000, DATA3]);
    expect([cpu.cpl, cpu.selectors[CS], cpu.selectors[SS], cpu.esp]).toEqual([0, CODE0, DATA0, 0x9000 - 20]);
    // A trap gate leaves interrupts on.
    expect(cpu.eflags & IF).toBe(IF);
  });

  it("to ring 1 uses that ring's stack", () => {
    const cpu = new TestProcessor();
    cpu.inRing3();
    cpu.gate(0x80, INTERRUPT_GATE32, 3, CODE1, 0x4000);
    new InterruptDelivery(cpu).deliver(0x80, "software");
    expect([cpu.cpl, cpu.selectors[SS], cpu.esp]).toEqual([1, DATA1, 0xa000 - 20]);
  });

  it("of 16 bits pushes words", () => {
    const cpu = new TestProcessor();
    cpu.gate(0x42, INTERRUPT_GATE16, 0, CODE0, 0xffff_1234);
    new InterruptDelivery(cpu).deliver(0x42, "external");
    expect(cpu.frame(3, 2)).toEqual([0x5000, CODE0, 0x202]);
    expect(cpu.eip).toBe(0x1234);
  });

  it("from virtual-8086 mode pushes and takes away the data segments", () => {
    const cpu = new TestProcessor();
    cpu.inRing3();
    cpu.eflags |= VM;
    Object.assign(cpu.selectors, {
      [CS]: 0x1000,
      [SS]: 0x2000,
      [DS]: 0x3000,
      [ES]: 0x4000,
      [FS]: 0x5000,
      [GS]: 0x6000,
    });
    cpu.gate(0x42, INTERRUPT_GATE32, 3, CODE0, 0x4000);
    new InterruptDelivery(cpu).deliver(0x42, "software");
    expect(cpu.frame(9)).toEqual([
      0x5000,
      0x1000,
      0x202 | VM,
      0x8000,
      0x2000,
      0x4000,
      0x3000,
      0x5000,
      0x6000,
    ]);
    expect([DS, ES, FS, GS].map(register => cpu.selectors[register])).toEqual([0, 0, 0, 0]);
    expect(cpu.eflags & VM).toBe(0);
  });

  it("that is a task gate leaves everything to the task switch", () => {
    const cpu = new TestProcessor();
    cpu.gate(8, TASK_GATE, 0, 0x48, 0);
    new InterruptDelivery(cpu).deliver(8, "exception", 0);
    expect(cpu.events).toEqual(["task 48 interrupt external"]);
    expect(cpu.read(cpu.esp, 4)).toBe(0);
  });

  const refusals: [
    name: string,
    expected: string,
    prepare: (cpu: TestProcessor) => void,
    source: "software" | "external",
  ][] = [
    [
      "past the table",
      "#GP(0x212)",
      cpu => {
        cpu.idtLimit = 0x216;
      },
      "software",
    ],
    [
      "past the table, from outside",
      "#GP(0x213)",
      cpu => {
        cpu.idtLimit = 0x216;
      },
      "external",
    ],
    ["no gate at all", "#GP(0x212)", cpu => cpu.gate(0x42, 0xc, 3, CODE0, 0), "software"],
    [
      "a gate more privileged than the program",
      "#GP(0x212)",
      cpu => {
        cpu.inRing3();
        cpu.gate(0x42, INTERRUPT_GATE32, 0, CODE0, 0);
      },
      "software",
    ],
    ["a gate that is not present", "#NP(0x213)", cpu => cpu.write(IDT + 8 * 0x42 + 4, 4, 0x0e00), "external"],
    ["a null code segment", "#GP(0x1)", cpu => cpu.gate(0x42, INTERRUPT_GATE32, 0, 0, 0), "external"],
    [
      "a code segment past the table",
      "#GP(0x1f8)",
      cpu => cpu.gate(0x42, INTERRUPT_GATE32, 0, 0x1f8, 0),
      "software",
    ],
    ["data in its place", "#GP(0x10)", cpu => cpu.gate(0x42, INTERRUPT_GATE32, 0, DATA0, 0), "software"],
    ["an outer ring", "#GP(0x18)", cpu => cpu.gate(0x42, INTERRUPT_GATE32, 0, CODE3, 0), "software"],
    [
      "an absent code segment",
      "#NP(0x29)",
      cpu => cpu.gate(0x42, INTERRUPT_GATE32, 0, ABSENT, 0),
      "external",
    ],
    [
      "a null stack in the TSS",
      "#TS(0x1)",
      cpu => {
        cpu.inRing3();
        cpu.write(TSS + 8, 4, 0);
      },
      "external",
    ],
    [
      "a stack of another ring in the TSS",
      "#TS(0x20)",
      cpu => {
        cpu.inRing3();
        cpu.write(TSS + 8, 4, DATA3);
      },
      "software",
    ],
    [
      "a TSS that is too short",
      "#TS(0x40)",
      cpu => {
        cpu.inRing3();
        cpu.task.limit = 8;
      },
      "software",
    ],
    [
      "a stack without room",
      "#SS(0x11)",
      cpu => {
        cpu.inRing3();
        cpu.descriptors.set(DATA0, encodeDescriptor(0, 0x8fff, 0x4092));
        cpu.write(TSS + 4, 4, 0x9004);
      },
      "external",
    ],
    [
      "a stack that is not there",
      "#PF(0x2)",
      cpu => {
        cpu.inRing3();
        cpu.absentBelow = 0x8ff4;
      },
      "software",
    ],
  ];
  it.each(refusals)("to %s is refused with %s, and nothing changes", (_name, expected, prepare, source) => {
    const cpu = new TestProcessor();
    cpu.gate(0x42, INTERRUPT_GATE32, 3, CODE0, 0x4000);
    prepare(cpu);
    const before = cpu.state();
    expect(faultOf(() => new InterruptDelivery(cpu).deliver(0x42, source))).toBe(expected);
    expect(cpu.state()).toEqual(before);
  });
});

describe("IRET", () => {
  function handler(frame: readonly number[]): TestProcessor {
    const cpu = new TestProcessor();
    cpu.esp = 0x8000 - 4 * frame.length;
    frame.forEach((value, index) => {
      cpu.write(cpu.esp + 4 * index, 4, value);
    });
    return cpu;
  }

  it("undoes a delivery from ring 3, and takes ring 0's data segments away", () => {
    const cpu = handler([0x1234, CODE3, 0x3246, 0x7000, DATA3]);
    new InterruptReturn(cpu).execute(4);
    expect([cpu.eip, cpu.esp, cpu.cpl]).toEqual([0x1234, 0x7000, 3]);
    expect([CS, SS, DS, ES].map(register => cpu.selectors[register])).toEqual([CODE3, DATA3, 0, 0]);
    expect(cpu.eflags).toBe(0x3246);
  });

  it("of ring 3 cannot change IOPL or IF", () => {
    const cpu = handler([0x1234, CODE3, 0x3002]);
    cpu.inRing3();
    new InterruptReturn(cpu).execute(4);
    expect(cpu.eflags).toBe(0x202);
  });

  it("enters virtual-8086 mode from ring 0", () => {
    const cpu = handler([0x100, 0x1000, VM | 0x202, 0x400, 0x2000, 0x4000, 0x3000, 0x5000, 0x6000]);
    new InterruptReturn(cpu).execute(4);
    expect([cpu.eip, cpu.esp]).toEqual([0x100, 0x400]);
    expect([CS, SS, ES, DS, FS, GS].map(register => cpu.selectors[register])).toEqual([
      0x1000, 0x2000, 0x4000, 0x3000, 0x5000, 0x6000,
    ]);
  });

  it("with NT goes to the task of the back link", () => {
    const cpu = handler([0, 0, 0]);
    cpu.eflags |= NT;
    cpu.write(TSS, 2, 0x48);
    new InterruptReturn(cpu).execute(4);
    expect(cpu.events).toEqual(["task 48 return"]);
  });

  it("in virtual-8086 mode needs IOPL 3", () => {
    const cpu = handler([0x100, 0x1000, 0x202]);
    cpu.eflags = VM | 0x2002;
    expect(faultOf(() => new InterruptReturn(cpu).execute(4))).toBe("#GP(0x0)");
  });

  it.each([
    ["null", 0, "#GP(0x0)"],
    ["data", DATA0, "#GP(0x10)"],
    ["an absent segment", ABSENT, "#NP(0x28)"],
    ["past the table", 0x1f8, "#GP(0x1f8)"],
  ])("to %s is refused, and nothing changes", (_name, selector, expected) => {
    const cpu = handler([0x1234, selector, 0x202]);
    const before = cpu.state();
    expect(faultOf(() => new InterruptReturn(cpu).execute(4))).toBe(expected);
    expect(cpu.state()).toEqual(before);
  });

  it("to an inner ring is refused", () => {
    const cpu = handler([0x1234, CODE0, 0x202]);
    cpu.inRing3();
    expect(faultOf(() => new InterruptReturn(cpu).execute(4))).toBe("#GP(0x8)");
  });
});

describe("exceptions on top of exceptions", () => {
  // SDM vol. 3A, table 6-5: rows are the first, columns the second.
  it.each([
    [6, 13, "serial"],
    [13, 6, "serial"],
    [1, 14, "serial"],
    [0, 10, "double fault"],
    [13, 13, "double fault"],
    [13, 14, "serial"],
    [14, 14, "double fault"],
    [14, 11, "double fault"],
    [14, 6, "serial"],
    [8, 13, "shutdown"],
    [8, 14, "shutdown"],
    [8, 1, "serial"],
    [-1, 14, "serial"],
  ] as const)("%i then %i: %s", (first, second, expected) => {
    expect(combine(first, second)).toBe(expected);
  });

  it("knows which vectors push an error code, and which are faults", () => {
    const vectors = Array.from({ length: 32 }, (_, vector) => vector);
    expect(vectors.filter(pushesErrorCode)).toEqual([8, 10, 11, 12, 13, 14, 17]);
    expect([0, 5, 6, 7, 10, 11, 12, 13, 14, 16, 17, 19].every(isFault)).toBe(true);
    expect([1, 2, 3, 4, 8, 18].some(isFault)).toBe(false);
  });
});
