/** The x87: every ModRM byte of D8 to DF, and FXSAVE/FXRSTOR. */
import { FX } from "../case.ts";
import type { Draft, Form } from "../draft.ts";
import type { DataKind } from "../expand.ts";
import { hex, modrm, plain } from "./modrm.ts";

/** Memory forms by opcode and reg field: name, operand bytes, what the operand is. */
const MEMORY: readonly (readonly [
  opcode: number,
  reg: number,
  name: string,
  bytes: number,
  data: DataKind,
])[] = [
  ...(["fadd", "fmul", "fcom", "fcomp", "fsub", "fsubr", "fdiv", "fdivr"] as const).flatMap(
    (name, reg) =>
      [
        [0xd8, reg, `${name} m32`, 4, "float32"],
        [0xdc, reg, `${name} m64`, 8, "float64"],
        [0xda, reg, `${name.replace("f", "fi")} m32`, 4, "integer"],
        [0xde, reg, `${name.replace("f", "fi")} m16`, 2, "integer"],
      ] as const,
  ),
  [0xd9, 0, "fld m32", 4, "float32"],
  [0xd9, 2, "fst m32", 4, "float32"],
  [0xd9, 3, "fstp m32", 4, "float32"],
  [0xd9, 5, "fldcw", 2, "integer"],
  [0xd9, 7, "fnstcw", 2, "integer"],
  [0xdb, 0, "fild m32", 4, "integer"],
  [0xdb, 2, "fist m32", 4, "integer"],
  [0xdb, 3, "fistp m32", 4, "integer"],
  [0xdb, 5, "fld m80", 10, "float80"],
  [0xdb, 7, "fstp m80", 10, "float80"],
  [0xdd, 0, "fld m64", 8, "float64"],
  [0xdd, 2, "fst m64", 8, "float64"],
  [0xdd, 3, "fstp m64", 8, "float64"],
  [0xdd, 7, "fnstsw m16", 2, "integer"],
  [0xdf, 0, "fild m16", 2, "integer"],
  [0xdf, 2, "fist m16", 2, "integer"],
  [0xdf, 3, "fistp m16", 2, "integer"],
  [0xdf, 4, "fbld", 10, "bcd"],
  [0xdf, 5, "fild m64", 8, "wide"],
  [0xdf, 6, "fbstp", 10, "bcd"],
  [0xdf, 7, "fistp m64", 8, "wide"],
];

/** Register forms of one ST(i) operand: the whole row. */
const ROWS: readonly (readonly [opcode: number, reg: number, name: string])[] = [
  ...["fadd", "fmul", "fcom", "fcomp", "fsub", "fsubr", "fdiv", "fdivr"].map(
    (name, reg) => [0xd8, reg, `${name} st,st(i)`] as const,
  ),
  ...["fadd", "fmul", "fcom (alias)", "fcomp (alias)", "fsubr", "fsub", "fdivr", "fdiv"].map(
    (name, reg) => [0xdc, reg, `${name} st(i),st`] as const,
  ),
  ...["faddp", "fmulp", "fcomp (alias)", "fcompp", "fsubrp", "fsubp", "fdivrp", "fdivp"].map(
    (name, reg) => [0xde, reg, name] as const,
  ),
  [0xd9, 0, "fld st(i)"],
  [0xd9, 1, "fxch"],
  [0xd9, 2, "fnop"],
  [0xd9, 3, "fstp (alias)"],
  [0xda, 0, "fcmovb"],
  [0xda, 1, "fcmove"],
  [0xda, 2, "fcmovbe"],
  [0xda, 3, "fcmovu"],
  [0xdb, 0, "fcmovnb"],
  [0xdb, 1, "fcmovne"],
  [0xdb, 2, "fcmovnbe"],
  [0xdb, 3, "fcmovnu"],
  [0xdb, 5, "fucomi"],
  [0xdb, 6, "fcomi"],
  [0xdd, 0, "ffree"],
  [0xdd, 1, "fxch (alias)"],
  [0xdd, 2, "fst st(i)"],
  [0xdd, 3, "fstp st(i)"],
  [0xdd, 4, "fucom"],
  [0xdd, 5, "fucomp"],
  [0xdf, 0, "ffreep"],
  [0xdf, 1, "fxch (alias)"],
  [0xdf, 2, "fstp (alias)"],
  [0xdf, 3, "fstp (alias)"],
  [0xdf, 5, "fucomip"],
  [0xdf, 6, "fcomip"],
];

const SINGLES: readonly (readonly [opcode: number, modrm: number, name: string, cases?: number])[] = [
  [0xd9, 0xd0, "fnop only"],
  [0xde, 0xd9, "fcompp only"],
  [0xd9, 0xe0, "fchs"],
  [0xd9, 0xe1, "fabs"],
  [0xd9, 0xe4, "ftst"],
  [0xd9, 0xe5, "fxam", 300],
  [0xd9, 0xe8, "fld1"],
  [0xd9, 0xe9, "fldl2t"],
  [0xd9, 0xea, "fldl2e"],
  [0xd9, 0xeb, "fldpi"],
  [0xd9, 0xec, "fldlg2"],
  [0xd9, 0xed, "fldln2"],
  [0xd9, 0xee, "fldz"],
  [0xd9, 0xf0, "f2xm1", 600],
  [0xd9, 0xf1, "fyl2x", 600],
  [0xd9, 0xf2, "fptan", 600],
  [0xd9, 0xf3, "fpatan", 600],
  [0xd9, 0xf4, "fxtract", 300],
  [0xd9, 0xf5, "fprem1", 600],
  [0xd9, 0xf6, "fdecstp"],
  [0xd9, 0xf7, "fincstp"],
  [0xd9, 0xf8, "fprem", 600],
  [0xd9, 0xf9, "fyl2xp1", 600],
  [0xd9, 0xfa, "fsqrt", 600],
  [0xd9, 0xfb, "fsincos", 600],
  [0xd9, 0xfc, "frndint", 400],
  [0xd9, 0xfd, "fscale", 600],
  [0xd9, 0xfe, "fsin", 600],
  [0xd9, 0xff, "fcos", 600],
  [0xda, 0xe9, "fucompp"],
  [0xdb, 0xe0, "fneni (nop)"],
  [0xdb, 0xe1, "fndisi (nop)"],
  [0xdb, 0xe2, "fnclex"],
  [0xdb, 0xe3, "fninit"],
  [0xdb, 0xe4, "fnsetpm (nop)"],
  [0xdf, 0xe0, "fnstsw ax"],
];

/** Arguments of F2XM1 and FYL2XP1 must be small to mean anything; of the others, moderate. */
function moderate(draft: Draft, smallest: number, range: number): void {
  if (draft.random.chance(0.35)) return;
  const exponent = smallest + draft.random.below(range);
  const sign = draft.random.below(2) * 0x80;
  draft.setBytes("fx", FX.st + 8, [exponent & 0xff, sign | (exponent >>> 8)]);
  draft.setBytes("fx", FX.st + 7, [0x80 | draft.random.below(128)]);
}

const ARGUMENTS: Readonly<Record<string, readonly [number, number]>> = {
  f2xm1: [0x3fff - 70, 71],
  fyl2xp1: [0x3fff - 70, 69],
  fsin: [0x3fff - 36, 100],
  fcos: [0x3fff - 36, 100],
  fsincos: [0x3fff - 36, 100],
  fptan: [0x3fff - 36, 100],
  fpatan: [0x3fff - 40, 80],
};

export const x87Forms = (): Form[] => [
  ...MEMORY.flatMap(([opcode, reg, name, memory, data]) =>
    modrm([opcode], name, { reg, sizes: [8], memory, only: "mem", unit: "x87", data, cases: 240 }),
  ),
  ...ROWS.flatMap(([opcode, reg, name]) =>
    modrm([opcode], name, {
      reg,
      sizes: [8],
      only: "reg",
      unit: "x87",
      cases: name.includes("alias") ? 200 : 400,
    }),
  ),
  ...SINGLES.map(
    ([opcode, byte, name, cases = 200]): Form => ({
      id: `${hex(opcode)} ${hex(byte)} ${name}`,
      unit: "x87",
      data: "integer",
      cases,
      make(draft) {
        const range = ARGUMENTS[name];
        if (range) moderate(draft, ...range);
        draft.bytes(opcode, byte);
      },
    }),
  ),
  ...(
    [
      [0xd9, 4, "fldenv", 28],
      [0xd9, 6, "fnstenv", 28],
      [0xdd, 4, "frstor", 108],
      [0xdd, 6, "fnsave", 108],
    ] as const
  ).flatMap(([opcode, reg, name, memory]) =>
    modrm([opcode], name, { reg, memory, only: "mem", unit: "x87", data: "float80" }),
  ),
  ...plain([0x9b], "fwait", { unit: "x87" }),
  ...modrm([0x0f, 0xae], "fxsave", {
    reg: 0,
    sizes: [8],
    memory: 16,
    align: 16,
    only: "mem",
    unit: "x87",
  }).map(form => ({
    ...form,
    // It writes 512 bytes: the window and what lies behind it.
    make(draft: Draft) {
      draft.enter(draft.random.below(2) * 2);
      draft.bytes(0x0f, 0xae);
      draft.modrmMemory(0, 16, { align: 16 });
    },
  })),
  ...(
    [
      [0xd9, 0xe2],
      [0xd9, 0xd1],
      [0xda, 0xe0],
      [0xdb, 0xfa],
      [0xdd, 0xf0],
      [0xdf, 0xe1],
      [0xdf, 0xf8],
    ] as const
  ).map(
    ([opcode, byte]): Form => ({
      id: `${hex(opcode)} ${hex(byte)} (#UD)`,
      unit: "x87",
      data: "integer",

      make: draft => draft.bytes(opcode, byte),
    }),
  ),
];
