/** The opcode map, third part: segments, far transfers, interrupts, system registers. */
import { clts, flushCaches, invlpg, lmsw, movFromCr, movToCr, smsw } from "../system/control.ts";
import { cpuid } from "../system/cpuid.ts";
import { movFromDr, movToDr } from "../system/debug.ts";
import { cli, popf, pushf, sti } from "../system/flags.ts";
import { bound, int1, int3, intN, into, iret } from "../system/interrupts.ts";
import { rdmsr, rdpmc, rdtsc, wrmsr } from "../system/msr.ts";
import * as segments from "../system/segment-loads.ts";
import { sysenter, sysexit } from "../system/sysenter.ts";
import {
  arpl,
  lar,
  lgdt,
  lidt,
  lldt,
  lsl,
  ltr,
  sgdt,
  sidt,
  sldt,
  str,
  verr,
  verw,
} from "../system/tables.ts";
import {
  callFar,
  callFarMemory,
  jmpFar,
  jmpFarMemory,
  retFar,
  retFarImmediate,
} from "../system/transfers.ts";
import { ENDS, type Form, form, IGNORES_MOD, MEMORY_ONLY } from "./form.ts";

export const SYSTEM: readonly Form[] = [
  // Segment registers.
  form(0x06, "push ES", segments.pushEs),
  form(0x07, "pop ES", segments.popEs, "", ENDS),
  form(0x0e, "push CS", segments.pushCs),
  form(0x16, "push SS", segments.pushSs),
  form(0x17, "pop SS", segments.popSs, "", ENDS),
  form(0x1e, "push DS", segments.pushDs),
  form(0x1f, "pop DS", segments.popDs, "", ENDS),
  form(0x0fa0, "push FS", segments.pushFs),
  form(0x0fa1, "pop FS", segments.popFs, "", ENDS),
  form(0x0fa8, "push GS", segments.pushGs),
  form(0x0fa9, "pop GS", segments.popGs, "", ENDS),
  form(0x8c, "mov Ev,Sw", segments.movFromSegment),
  form(0x8e, "mov Sw,Ew", segments.movToSegment, "", ENDS),
  form(0xc4, "les Gv,Mp", segments.les, "", ENDS | MEMORY_ONLY),
  form(0xc5, "lds Gv,Mp", segments.lds, "", ENDS | MEMORY_ONLY),
  form(0x0fb2, "lss Gv,Mp", segments.lss, "", ENDS | MEMORY_ONLY),
  form(0x0fb4, "lfs Gv,Mp", segments.lfs, "", ENDS | MEMORY_ONLY),
  form(0x0fb5, "lgs Gv,Mp", segments.lgs, "", ENDS | MEMORY_ONLY),

  // Far transfers.
  form(0x9a, "call Ap", callFar, "", ENDS),
  form(0xea, "jmp Ap", jmpFar, "", ENDS),
  form([0xff, 3], "call Mp", callFarMemory, "", ENDS | MEMORY_ONLY),
  form([0xff, 5], "jmp Mp", jmpFarMemory, "", ENDS | MEMORY_ONLY),
  form(0xca, "retf Iw", retFarImmediate, "", ENDS),
  form(0xcb, "retf", retFar, "", ENDS),

  // Interrupts.
  form(0x62, "bound Gv,Ma", bound, "", MEMORY_ONLY),
  form(0xcc, "int3", int3, "", ENDS),
  form(0xcd, "int Ib", intN, "", ENDS),
  form(0xce, "into", into, "", ENDS),
  form(0xcf, "iret", iret, "OSZAPC", ENDS),
  form(0xf1, "int1", int1, "", ENDS),

  // Flags.
  form(0x9c, "pushf", pushf),
  form(0x9d, "popf", popf, "OSZAPC", ENDS),
  form(0xfa, "cli", cli, "", ENDS),
  form(0xfb, "sti", sti, "", ENDS),

  // Descriptor tables.
  form(0x63, "arpl Ew,Gw", arpl, "Z"),
  form([0x0f00, 0], "sldt Ev", sldt),
  form([0x0f00, 1], "str Ev", str),
  form([0x0f00, 2], "lldt Ew", lldt),
  form([0x0f00, 3], "ltr Ew", ltr),
  form([0x0f00, 4], "verr Ew", verr, "Z"),
  form([0x0f00, 5], "verw Ew", verw, "Z"),
  form([0x0f01, 0], "sgdt M", sgdt, "", MEMORY_ONLY),
  form([0x0f01, 1], "sidt M", sidt, "", MEMORY_ONLY),
  form([0x0f01, 2], "lgdt M", lgdt, "", ENDS | MEMORY_ONLY),
  form([0x0f01, 3], "lidt M", lidt, "", ENDS | MEMORY_ONLY),
  form(0x0f02, "lar Gv,Ev", lar, "Z"),
  form(0x0f03, "lsl Gv,Ev", lsl, "Z"),

  // Control and debug registers.
  form([0x0f01, 4], "smsw Ev", smsw),
  form([0x0f01, 6], "lmsw Ew", lmsw, "", ENDS),
  form([0x0f01, 7], "invlpg Mb", invlpg, "", ENDS | MEMORY_ONLY),
  form(0x0f06, "clts", clts, "", ENDS),
  form(0x0f08, "invd", flushCaches),
  form(0x0f09, "wbinvd", flushCaches),
  form(0x0f20, "mov Rd,Cd", movFromCr, "oszapc", IGNORES_MOD),
  form(0x0f21, "mov Rd,Dd", movFromDr, "oszapc", IGNORES_MOD),
  form(0x0f22, "mov Cd,Rd", movToCr, "oszapc", ENDS | IGNORES_MOD),
  form(0x0f23, "mov Dd,Rd", movToDr, "oszapc", ENDS | IGNORES_MOD),

  // Model-specific registers, identification, fast system calls.
  form(0x0f30, "wrmsr", wrmsr, "", ENDS),
  form(0x0f31, "rdtsc", rdtsc),
  form(0x0f32, "rdmsr", rdmsr),
  form(0x0f33, "rdpmc", rdpmc),
  form(0x0f34, "sysenter", sysenter, "", ENDS),
  form(0x0f35, "sysexit", sysexit, "", ENDS),
  form(0x0fa2, "cpuid", cpuid),
];
