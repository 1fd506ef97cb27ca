/**
 * The setting of the graded tests: which segments, tables and stacks their processor has, and the plain
 * data that goes in and out. It imports no layer, so that a test knows it without the learner's code.
 */

/** Linear addresses. */
export const IDT_BASE = 0x1000;
export const TSS_BASE = 0x2000;
/** Where ring 0 of the TSS has its stack, and ring 1. */
export const INNER_STACK = 0x9000;
export const RING1_STACK = 0xa000;

/** Selectors of the descriptors that the processor finds; all are flat and of 32 bits. */
export const CODE0 = 0x08;
export const DATA0 = 0x10;
export const CODE3 = 0x1b;
export const DATA3 = 0x23;
export const ABSENT_CODE = 0x28;
export const CODE1 = 0x31;
export const DATA1 = 0x39;
export const TASK = 0x40;

/** EFLAGS. */
export const RESERVED = 1 << 1;
export const TF = 1 << 8;
export const IF = 1 << 9;
export const IOPL3 = 3 << 12;
export const NT = 1 << 14;
export const RF = 1 << 16;

/** Gate types. */
export const INTERRUPT_GATE = 0xe;
export const TRAP_GATE = 0xf;
export const CALL_GATE = 0xc;

export type SegmentName = "cs" | "ss" | "ds" | "es" | "fs" | "gs";

/** What a program can see of the processor. */
export interface State {
  readonly cs: number;
  readonly eip: number;
  readonly ss: number;
  readonly esp: number;
  readonly eflags: number;
  readonly cpl: number;
  readonly ds: number;
  readonly es: number;
  readonly fs: number;
  readonly gs: number;
}

/** How the processor differs from one that runs ring 0 at 0x5000, with its stack at 0x8000. */
export interface Setup {
  readonly realMode?: boolean;
  /** Ring 3 runs. */
  readonly ring3?: boolean;
  readonly eip?: number;
  readonly eflags?: number;
  readonly esp?: number;
  readonly idtLimit?: number;
  /** The base of SS, which then is a stack of 16 bits. */
  readonly stack16?: number;
  readonly selectors?: Readonly<Partial<Record<SegmentName, number>>>;
  readonly gates?: readonly Gate[];
  /** Memory before: 4 bytes each. */
  readonly memory?: readonly (readonly [address: number, value: number])[];
  /** Writes below this linear address are page faults. */
  readonly absentBelow?: number;
  readonly tssLimit?: number;
}

export interface Gate {
  readonly vector: number;
  readonly type: number;
  readonly dpl?: number;
  readonly selector?: number;
  readonly offset: number;
  readonly absent?: boolean;
}

export interface Event {
  readonly vector: number;
  readonly source: "external" | "exception" | "software";
  readonly errorCode?: number;
}

/** How an event or an IRET went. */
export interface Outcome {
  readonly before: State;
  readonly after: State;
  /** The exception that it ended in, as in "#GP(0x0108)"; empty where it did not. */
  readonly fault: string;
  readonly writes: readonly Write[];
  /** Segments whose accessed bit was set, by selector. */
  readonly accessed: readonly number[];
}

/** One write to memory, in the order in which they were made. */
export interface Write {
  readonly at: number;
  readonly size: 2 | 4;
  readonly value: number;
}
