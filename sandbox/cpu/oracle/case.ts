/** What goes into a processor for one case, and what comes out. */

/** Order of `gpr`: the register numbers of ModRM. */
export const GPR_NAMES = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"] as const;
export const [EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI] = [0, 1, 2, 3, 4, 5, 6, 7] as const;

export interface CaseInput {
  /** Index into WORLDS. */
  readonly world: number;
  readonly code: Uint8Array;
  readonly gpr: Uint32Array;
  readonly eflags: number;
  readonly eip: number;
  /** ES CS SS DS FS GS. */
  readonly segment: Uint16Array;
  /** The bytes at DATA_WINDOW and at STACK_WINDOW. */
  readonly data: Uint8Array;
  readonly stack: Uint8Array;
  /** The FXSAVE image (SDM vol. 2, "FXSAVE"), 512 bytes; null where the case has nothing to do with it. */
  readonly fx: Uint8Array | null;
}

/** #BP of the INT3 behind the instruction: it completed. */
export const COMPLETED = 3;
/** No exception: the instruction did not come back in time. */
export const TIMED_OUT = 0xfe;

export interface Outcome {
  /** The exception that ended the case. */
  readonly vector: number;
  readonly errorCode: number;
  readonly gpr: Uint32Array;
  readonly eflags: number;
  /** Where the processor stood: behind the instruction (the INT3 not counted), or at the one that faulted. */
  readonly eip: number;
  readonly segment: Uint16Array;
  readonly fx: Uint8Array | null;
  /** Bytes of memory that differ from before: [offset from DATA, value], rising. */
  readonly changes: readonly (readonly [number, number])[];
}

/** Offsets into the FXSAVE image. */
export const FX = {
  fcw: 0,
  fsw: 2,
  ftw: 4,
  fop: 6,
  fip: 8,
  fcs: 12,
  fdp: 16,
  fds: 20,
  mxcsr: 24,
  st: 32,
  xmm: 160,
} as const;
