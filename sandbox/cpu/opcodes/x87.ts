/**
 * The escape opcodes D8 to DF: the x87 instructions.
 *
 * With a memory operand ModRM.reg says the instruction; with registers reg and, in parts of D9, DA, DB, DD and
 * DF, rm as well. Forms that the manual does not list, but every processor has, are marked as aliases.
 *
 * Source: SDM vol. 2, A.5 "Escape Opcode Instructions", tables.
 */
import {
  arithmeticAndPop,
  arithmeticDouble,
  arithmeticInteger16,
  arithmeticInteger32,
  arithmeticSingle,
  arithmeticToRegister,
  arithmeticToTop,
  fcom,
  fcomi,
  fcomip,
  fcomp,
  fcompp,
  ftst,
  fucom,
  fucomi,
  fucomip,
  fucomp,
  fucompp,
} from "../execute/x87-arithmetic.ts";
import {
  fdecstp,
  ffree,
  ffreep,
  fincstp,
  fldcw,
  fldenv,
  fnclex,
  fninit,
  fnop,
  fnsave,
  fnstcw,
  fnstenv,
  fnstswAx,
  fnstswMemory,
  frstor,
  fwait,
  ignored,
} from "../execute/x87-control.ts";
import {
  f2xm1,
  fabs,
  fchs,
  fcos,
  fpatan,
  fprem,
  fprem1,
  fptan,
  frndint,
  fscale,
  fsin,
  fsincos,
  fsqrt,
  fxam,
  fxtract,
  fyl2x,
  fyl2xp1,
} from "../execute/x87-functions.ts";
import {
  fbld,
  fbstp,
  fcmov,
  fild16,
  fild32,
  fild64,
  fist16,
  fist32,
  fistp16,
  fistp32,
  fistp64,
  fldDouble,
  fldExtended,
  fldRegister,
  fldSingle,
  fstDouble,
  fstpDouble,
  fstpExtended,
  fstpnce,
  fstpRegister,
  fstpSingle,
  fstRegister,
  fstSingle,
  fxch,
  loadKnown,
} from "../execute/x87-transfer.ts";
import type { Handler } from "../instruction.ts";
import { type Form, form, MEMORY_ONLY, REGISTER_ONLY } from "./form.ts";

/** A form with a memory operand. */
function memory(opcode: number, reg: number, text: string, execute: Handler): Form {
  return form([opcode, reg], text, execute, "", MEMORY_ONLY);
}

/** A form for all eight registers. */
function stack(opcode: number, reg: number, text: string, execute: Handler, flags = ""): Form {
  return form([opcode, reg], text, execute, flags, REGISTER_ONLY);
}

/** A form with a ModRM byte of its own. */
function only(opcode: number, modrm: number, text: string, execute: Handler): Form {
  return form([opcode, (modrm >> 3) & 7], text, execute, "", REGISTER_ONLY, { rm: modrm & 7 });
}

export const X87: readonly Form[] = [
  form(0x9b, "FWAIT", fwait),

  memory(0xd8, 0, "FADD Md", arithmeticSingle),
  memory(0xd8, 1, "FMUL Md", arithmeticSingle),
  memory(0xd8, 2, "FCOM Md", arithmeticSingle),
  memory(0xd8, 3, "FCOMP Md", arithmeticSingle),
  memory(0xd8, 4, "FSUB Md", arithmeticSingle),
  memory(0xd8, 5, "FSUBR Md", arithmeticSingle),
  memory(0xd8, 6, "FDIV Md", arithmeticSingle),
  memory(0xd8, 7, "FDIVR Md", arithmeticSingle),
  stack(0xd8, 0, "FADD ST0,STi", arithmeticToTop),
  stack(0xd8, 1, "FMUL ST0,STi", arithmeticToTop),
  stack(0xd8, 2, "FCOM ST0,STi", fcom),
  stack(0xd8, 3, "FCOMP ST0,STi", fcomp),
  stack(0xd8, 4, "FSUB ST0,STi", arithmeticToTop),
  stack(0xd8, 5, "FSUBR ST0,STi", arithmeticToTop),
  stack(0xd8, 6, "FDIV ST0,STi", arithmeticToTop),
  stack(0xd8, 7, "FDIVR ST0,STi", arithmeticToTop),

  memory(0xd9, 0, "FLD Md", fldSingle),
  memory(0xd9, 2, "FST Md", fstSingle),
  memory(0xd9, 3, "FSTP Md", fstpSingle),
  memory(0xd9, 4, "FLDENV M", fldenv),
  memory(0xd9, 5, "FLDCW Mw", fldcw),
  memory(0xd9, 6, "FNSTENV M", fnstenv),
  memory(0xd9, 7, "FNSTCW Mw", fnstcw),
  stack(0xd9, 0, "FLD STi", fldRegister),
  stack(0xd9, 1, "FXCH ST0,STi", fxch),
  only(0xd9, 0xd0, "FNOP", fnop),
  stack(0xd9, 3, "FSTPNCE STi,ST0", fstpnce), // undocumented
  only(0xd9, 0xe0, "FCHS", fchs),
  only(0xd9, 0xe1, "FABS", fabs),
  only(0xd9, 0xe4, "FTST", ftst),
  only(0xd9, 0xe5, "FXAM", fxam),
  only(0xd9, 0xe8, "FLD1", loadKnown),
  only(0xd9, 0xe9, "FLDL2T", loadKnown),
  only(0xd9, 0xea, "FLDL2E", loadKnown),
  only(0xd9, 0xeb, "FLDPI", loadKnown),
  only(0xd9, 0xec, "FLDLG2", loadKnown),
  only(0xd9, 0xed, "FLDLN2", loadKnown),
  only(0xd9, 0xee, "FLDZ", loadKnown),
  only(0xd9, 0xf0, "F2XM1", f2xm1),
  only(0xd9, 0xf1, "FYL2X", fyl2x),
  only(0xd9, 0xf2, "FPTAN", fptan),
  only(0xd9, 0xf3, "FPATAN", fpatan),
  only(0xd9, 0xf4, "FXTRACT", fxtract),
  only(0xd9, 0xf5, "FPREM1", fprem1),
  only(0xd9, 0xf6, "FDECSTP", fdecstp),
  only(0xd9, 0xf7, "FINCSTP", fincstp),
  only(0xd9, 0xf8, "FPREM", fprem),
  only(0xd9, 0xf9, "FYL2XP1", fyl2xp1),
  only(0xd9, 0xfa, "FSQRT", fsqrt),
  only(0xd9, 0xfb, "FSINCOS", fsincos),
  only(0xd9, 0xfc, "FRNDINT", frndint),
  only(0xd9, 0xfd, "FSCALE", fscale),
  only(0xd9, 0xfe, "FSIN", fsin),
  only(0xd9, 0xff, "FCOS", fcos),

  memory(0xda, 0, "FIADD Md", arithmeticInteger32),
  memory(0xda, 1, "FIMUL Md", arithmeticInteger32),
  memory(0xda, 2, "FICOM Md", arithmeticInteger32),
  memory(0xda, 3, "FICOMP Md", arithmeticInteger32),
  memory(0xda, 4, "FISUB Md", arithmeticInteger32),
  memory(0xda, 5, "FISUBR Md", arithmeticInteger32),
  memory(0xda, 6, "FIDIV Md", arithmeticInteger32),
  memory(0xda, 7, "FIDIVR Md", arithmeticInteger32),
  stack(0xda, 0, "FCMOVB ST0,STi", fcmov),
  stack(0xda, 1, "FCMOVE ST0,STi", fcmov),
  stack(0xda, 2, "FCMOVBE ST0,STi", fcmov),
  stack(0xda, 3, "FCMOVU ST0,STi", fcmov),
  only(0xda, 0xe9, "FUCOMPP", fucompp),

  memory(0xdb, 0, "FILD Md", fild32),
  memory(0xdb, 2, "FIST Md", fist32),
  memory(0xdb, 3, "FISTP Md", fistp32),
  memory(0xdb, 5, "FLD M", fldExtended),
  memory(0xdb, 7, "FSTP M", fstpExtended),
  stack(0xdb, 0, "FCMOVNB ST0,STi", fcmov),
  stack(0xdb, 1, "FCMOVNE ST0,STi", fcmov),
  stack(0xdb, 2, "FCMOVNBE ST0,STi", fcmov),
  stack(0xdb, 3, "FCMOVNU ST0,STi", fcmov),
  only(0xdb, 0xe0, "FNENI", ignored), // 8087
  only(0xdb, 0xe1, "FNDISI", ignored), // 8087
  only(0xdb, 0xe2, "FNCLEX", fnclex),
  only(0xdb, 0xe3, "FNINIT", fninit),
  only(0xdb, 0xe4, "FNSETPM", ignored), // 80287
  stack(0xdb, 5, "FUCOMI ST0,STi", fucomi, "OSZAPC"),
  stack(0xdb, 6, "FCOMI ST0,STi", fcomi, "OSZAPC"),

  memory(0xdc, 0, "FADD Mq", arithmeticDouble),
  memory(0xdc, 1, "FMUL Mq", arithmeticDouble),
  memory(0xdc, 2, "FCOM Mq", arithmeticDouble),
  memory(0xdc, 3, "FCOMP Mq", arithmeticDouble),
  memory(0xdc, 4, "FSUB Mq", arithmeticDouble),
  memory(0xdc, 5, "FSUBR Mq", arithmeticDouble),
  memory(0xdc, 6, "FDIV Mq", arithmeticDouble),
  memory(0xdc, 7, "FDIVR Mq", arithmeticDouble),
  stack(0xdc, 0, "FADD STi,ST0", arithmeticToRegister),
  stack(0xdc, 1, "FMUL STi,ST0", arithmeticToRegister),
  stack(0xdc, 2, "FCOM2 ST0,STi", fcom), // alias of D8 D0
  stack(0xdc, 3, "FCOMP3 ST0,STi", fcomp), // alias of D8 D8
  stack(0xdc, 4, "FSUBR STi,ST0", arithmeticToRegister),
  stack(0xdc, 5, "FSUB STi,ST0", arithmeticToRegister),
  stack(0xdc, 6, "FDIVR STi,ST0", arithmeticToRegister),
  stack(0xdc, 7, "FDIV STi,ST0", arithmeticToRegister),

  memory(0xdd, 0, "FLD Mq", fldDouble),
  memory(0xdd, 2, "FST Mq", fstDouble),
  memory(0xdd, 3, "FSTP Mq", fstpDouble),
  memory(0xdd, 4, "FRSTOR M", frstor),
  memory(0xdd, 6, "FNSAVE M", fnsave),
  memory(0xdd, 7, "FNSTSW Mw", fnstswMemory),
  stack(0xdd, 0, "FFREE STi", ffree),
  stack(0xdd, 1, "FXCH4 ST0,STi", fxch), // alias of D9 C8
  stack(0xdd, 2, "FST STi", fstRegister),
  stack(0xdd, 3, "FSTP STi", fstpRegister),
  stack(0xdd, 4, "FUCOM ST0,STi", fucom),
  stack(0xdd, 5, "FUCOMP ST0,STi", fucomp),

  memory(0xde, 0, "FIADD Mw", arithmeticInteger16),
  memory(0xde, 1, "FIMUL Mw", arithmeticInteger16),
  memory(0xde, 2, "FICOM Mw", arithmeticInteger16),
  memory(0xde, 3, "FICOMP Mw", arithmeticInteger16),
  memory(0xde, 4, "FISUB Mw", arithmeticInteger16),
  memory(0xde, 5, "FISUBR Mw", arithmeticInteger16),
  memory(0xde, 6, "FIDIV Mw", arithmeticInteger16),
  memory(0xde, 7, "FIDIVR Mw", arithmeticInteger16),
  stack(0xde, 0, "FADDP STi,ST0", arithmeticAndPop),
  stack(0xde, 1, "FMULP STi,ST0", arithmeticAndPop),
  stack(0xde, 2, "FCOMP5 ST0,STi", fcomp), // alias of D8 D8
  only(0xde, 0xd9, "FCOMPP", fcompp),
  stack(0xde, 4, "FSUBRP STi,ST0", arithmeticAndPop),
  stack(0xde, 5, "FSUBP STi,ST0", arithmeticAndPop),
  stack(0xde, 6, "FDIVRP STi,ST0", arithmeticAndPop),
  stack(0xde, 7, "FDIVP STi,ST0", arithmeticAndPop),

  memory(0xdf, 0, "FILD Mw", fild16),
  memory(0xdf, 2, "FIST Mw", fist16),
  memory(0xdf, 3, "FISTP Mw", fistp16),
  memory(0xdf, 4, "FBLD M", fbld),
  memory(0xdf, 5, "FILD Mq", fild64),
  memory(0xdf, 6, "FBSTP M", fbstp),
  memory(0xdf, 7, "FISTP Mq", fistp64),
  stack(0xdf, 0, "FFREEP STi", ffreep), // FFREE, then pop
  stack(0xdf, 1, "FXCH7 ST0,STi", fxch), // alias of D9 C8
  stack(0xdf, 2, "FSTP8 STi,ST0", fstpRegister), // alias of DD D8
  stack(0xdf, 3, "FSTP9 STi,ST0", fstpRegister), // alias of DD D8
  only(0xdf, 0xe0, "FNSTSW AX", fnstswAx),
  stack(0xdf, 5, "FUCOMIP ST0,STi", fucomip, "OSZAPC"),
  stack(0xdf, 6, "FCOMIP ST0,STi", fcomip, "OSZAPC"),
];
