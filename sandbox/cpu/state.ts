/**
 * The rest of the register file: what only an operating system sees, and what the processor keeps for itself.
 *
 * Names are indices into `r32`, as in the layer's `registers.ts`, from which everything is exported again.
 */
export * from "#layers/02-real-mode/registers.ts";

// System registers.
export const CPL = 160;
export const CR0 = 162;
export const CR2 = 166;
export const CR3 = 168;
export const CR4 = 170;
export const EFER = 172;
/** DR0 to DR7 at `DR0 + 2 * number`. */
export const DR0 = 176;
export const DR6 = 188;
export const DR7 = 190;
export const GDT_BASE = 192;
export const GDT_LIMIT = 194;
export const IDT_BASE = 196;
export const IDT_LIMIT = 198;
/** All ones, but for bit 20 while the A20 gate is closed: masks physical addresses. */
export const A20_MASK = 200;

// Inside the processor.
/** Instructions left until `run` must return. */
export const BUDGET = 204;
/** Not 0: the fast loop must return to the outer loop after this instruction. */
export const ATTENTION = 206;
/** Until the next instruction is done no interrupt is taken: NO_SHADOW, STI_SHADOW or MOV_SS_SHADOW. */
export const SHADOW = 208;
/** Arithmetic flags and ESP as they were before the instruction: a fault restores them. */
export const SAVED_RESULT = 210;
export const SAVED_CARRIES = 212;
export const SAVED_ESP = 214;
/** How code is decoded now: the MODE_… bits. */
export const MODE = 216;
/** 1 after HLT until an interrupt, NMI or reset. */
export const HALTED = 218;
/** 1 from an NMI's delivery to the next IRET. */
export const NMI_MASKED = 220;
export const NMI_PENDING = 222;

/** Slots 128 to 191 (r32 256 to 383) belong to system/: MSRs and what else it keeps. */
export const SYSTEM_SLOTS = 256;
/** Slots 192 to 319 (r32 384 to 639) belong to fpu/: x87 stack, control words, XMM registers, MXCSR. */
export const FPU_SLOTS = 384;

export const NO_SHADOW = 0;
export const STI_SHADOW = 1;
export const MOV_SS_SHADOW = 2;

/** CS has D set: operands and addresses default to 32 bits. */
export const MODE_CODE32 = 1;
/** SS has B set: the stack pointer is ESP. */
export const MODE_STACK32 = 2;
/** CS, DS, ES and SS start at 0, reach 4 GiB and allow every access. */
export const MODE_FLAT = 4;
/** CPL is 3: paging treats accesses as the user's. */
export const MODE_USER = 8;
/** The page is only partly inside the code segment: each instruction checks the limit. */
export const MODE_CAREFUL = 16;
/** Alignment is checked: CPL 3, CR0.AM and EFLAGS.AC. */
export const MODE_ALIGNED = 32;

// EFLAGS.
export const CF = 1 << 0;
export const PF = 1 << 2;
export const AF = 1 << 4;
export const ZF = 1 << 6;
export const SF = 1 << 7;
export const TF = 1 << 8;
export const IF = 1 << 9;
export const DF = 1 << 10;
export const OF = 1 << 11;
export const IOPL = 3 << 12;
export const NT = 1 << 14;
export const RF = 1 << 16;
export const VM = 1 << 17;
export const AC = 1 << 18;
export const VIF = 1 << 19;
export const VIP = 1 << 20;
export const ID = 1 << 21;
/** What SYSTEM_FLAGS can hold. */
export const SYSTEM_FLAGS_MASK = TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;
export const ARITHMETIC_FLAGS = CF | PF | AF | ZF | SF | OF;

// CR0 and CR4.
export const CR0_PE = 1 << 0;
export const CR0_MP = 1 << 1;
export const CR0_EM = 1 << 2;
export const CR0_TS = 1 << 3;
export const CR0_ET = 1 << 4;
export const CR0_NE = 1 << 5;
export const CR0_WP = 1 << 16;
export const CR0_AM = 1 << 18;
export const CR0_NW = 1 << 29;
export const CR0_CD = 1 << 30;
export const CR0_PG = 1 << 31;
export const CR4_VME = 1 << 0;
export const CR4_PVI = 1 << 1;
export const CR4_TSD = 1 << 2;
export const CR4_DE = 1 << 3;
export const CR4_PSE = 1 << 4;
export const CR4_PAE = 1 << 5;
export const CR4_MCE = 1 << 6;
export const CR4_PGE = 1 << 7;
export const CR4_PCE = 1 << 8;
export const CR4_OSFXSR = 1 << 9;
export const CR4_OSXMMEXCPT = 1 << 10;

// Bits of ACCESS.
export const ACCESS_ACCESSED = 1 << 0;
/** Data: writable. Code: readable. */
export const ACCESS_WRITABLE = 1 << 1;
/** Data: expand-down. Code: conforming. */
export const ACCESS_EXPAND_DOWN = 1 << 2;
export const ACCESS_CODE = 1 << 3;
/** Code or data; 0 is a system segment. */
export const ACCESS_S = 1 << 4;
export const ACCESS_DPL = 3 << 5;
export const ACCESS_PRESENT = 1 << 7;
export const ACCESS_AVL = 1 << 12;
export const ACCESS_L = 1 << 13;
export const ACCESS_DB = 1 << 14;
export const ACCESS_G = 1 << 15;
/** A null selector was loaded: every access through the segment faults. KVM's `unusable`. */
export const ACCESS_UNUSABLE = 1 << 16;

export {
  ALIGNMENT_CHECK,
  BOUND_RANGE,
  BREAKPOINT,
  DEBUG,
  DEVICE_NOT_AVAILABLE,
  DIVIDE_ERROR,
  DOUBLE_FAULT,
  GENERAL_PROTECTION,
  INVALID_OPCODE,
  INVALID_TSS,
  MACHINE_CHECK,
  NMI,
  OVERFLOW,
  PAGE_FAULT,
  SEGMENT_NOT_PRESENT,
  SIMD_FAULT,
  STACK_FAULT,
  X87_FAULT,
} from "#layers/04-interrupts/exceptions.ts";
