/** MMX, SSE and SSE2. */
import { FX } from "../case.ts";
import type { Draft, Form } from "../draft.ts";
import type { DataKind, Unit } from "../expand.ts";
import { hex, modrm } from "./modrm.ts";

/** Packed integers: 0F xx on MMX registers, and with 66 on XMM registers. */
const PACKED: readonly (readonly [number, string])[] = [
  [0x60, "punpcklbw"],
  [0x61, "punpcklwd"],
  [0x62, "punpckldq"],
  [0x63, "packsswb"],
  [0x64, "pcmpgtb"],
  [0x65, "pcmpgtw"],
  [0x66, "pcmpgtd"],
  [0x67, "packuswb"],
  [0x68, "punpckhbw"],
  [0x69, "punpckhwd"],
  [0x6a, "punpckhdq"],
  [0x6b, "packssdw"],
  [0x74, "pcmpeqb"],
  [0x75, "pcmpeqw"],
  [0x76, "pcmpeqd"],
  [0xd1, "psrlw"],
  [0xd2, "psrld"],
  [0xd3, "psrlq"],
  [0xd4, "paddq"],
  [0xd5, "pmullw"],
  [0xd8, "psubusb"],
  [0xd9, "psubusw"],
  [0xda, "pminub"],
  [0xdb, "pand"],
  [0xdc, "paddusb"],
  [0xdd, "paddusw"],
  [0xde, "pmaxub"],
  [0xdf, "pandn"],
  [0xe0, "pavgb"],
  [0xe1, "psraw"],
  [0xe2, "psrad"],
  [0xe3, "pavgw"],
  [0xe4, "pmulhuw"],
  [0xe5, "pmulhw"],
  [0xe8, "psubsb"],
  [0xe9, "psubsw"],
  [0xea, "pminsw"],
  [0xeb, "por"],
  [0xec, "paddsb"],
  [0xed, "paddsw"],
  [0xee, "pmaxsw"],
  [0xef, "pxor"],
  [0xf1, "psllw"],
  [0xf2, "pslld"],
  [0xf3, "psllq"],
  [0xf4, "pmuludq"],
  [0xf5, "pmaddwd"],
  [0xf6, "psadbw"],
  [0xf8, "psubb"],
  [0xf9, "psubw"],
  [0xfa, "psubd"],
  [0xfb, "psubq"],
  [0xfc, "paddb"],
  [0xfd, "paddw"],
  [0xfe, "paddd"],
];
// biome-ignore format: a table
const FLOAT: readonly (readonly [number, string, string])[] = [
  // opcode, name, the forms it has: ps pd ss sd
  [0x51, "sqrt", "ps pd ss sd"], [0x58, "add", "ps pd ss sd"], [0x59, "mul", "ps pd ss sd"], [0x5c, "sub", "ps pd ss sd"],
  [0x5d, "min", "ps pd ss sd"], [0x5e, "div", "ps pd ss sd"], [0x5f, "max", "ps pd ss sd"],
  [0x52, "rsqrt", "ps ss"], [0x53, "rcp", "ps ss"],
  [0x54, "and", "ps pd"], [0x55, "andn", "ps pd"], [0x56, "or", "ps pd"], [0x57, "xor", "ps pd"],
  [0x14, "unpckl", "ps pd"], [0x15, "unpckh", "ps pd"],
];

const PREFIX: Readonly<Record<string, number | undefined>> = { ps: undefined, pd: 0x66, ss: 0xf3, sd: 0xf2 };

interface Simd {
  readonly prefix?: number | undefined;
  readonly unit: Unit;
  readonly data: DataKind;
  /** Bytes of the memory operand. */
  readonly memory: number;
  /** #GP where the operand is not aligned to its size. */
  readonly aligned?: boolean;
  readonly only?: "reg" | "mem";
  readonly immediate?: boolean;
  readonly cases?: number;
  readonly reg?: number;
  readonly before?: (draft: Draft) => void;
}

function simd(opcode: number, name: string, simd: Simd): Form[] {
  const { prefix, memory } = simd;
  return (["reg", "mem"] as const)
    .filter(kind => !simd.only || simd.only === kind)
    .map(kind => ({
      id: `${prefix ? `${hex(prefix)} ` : ""}0F ${hex(opcode)}${simd.reg === undefined ? "" : ` /${simd.reg}`} ${name} ${kind}`,
      unit: simd.unit,
      data: simd.data,
      ...(simd.cases ? { cases: simd.cases } : {}),
      make(draft) {
        simd.before?.(draft);
        if (kind === "mem") draft.anyAddressSize();
        if (prefix) draft.prefix(prefix);
        draft.bytes(0x0f, opcode);
        const reg = simd.reg ?? draft.random.below(8);
        if (kind === "reg") draft.modrmRegister(reg, draft.random.below(8));
        else {
          // Mostly aligned where it matters; stack-based addresses of other worlds may still miss.
          const align = simd.aligned && draft.random.chance(0.93) ? 16 : 1;
          draft.modrmMemory(reg, memory, { align });
        }
        if (simd.immediate) draft.bytes(draft.random.below(256));
      },
    }));
}

function packed(): Form[] {
  const mmx = { unit: "mmx", data: "wide", memory: 8 } as const;
  const xmm = { unit: "packed", data: "wide", memory: 16, aligned: true, prefix: 0x66 } as const;
  const both = (opcode: number, name: string): Form[] => [
    ...simd(opcode, `${name} mm`, mmx),
    ...simd(opcode, `${name} xmm`, xmm),
  ];
  const smallCount = (draft: Draft): void => {
    if (draft.random.chance(0.3)) return;
    for (let at = 0; at < 128; at += 8)
      draft.setBytes("data", at, [draft.random.below(72), 0, 0, 0, 0, 0, 0, 0]);
    for (let at = 0; at < 8; at++) {
      draft.setBytes("fx", (draft.random.chance(0.5) ? FX.xmm : FX.st) + 16 * at, [
        draft.random.below(72),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
      ]);
    }
  };
  const shifts = [0xd1, 0xd2, 0xd3, 0xe1, 0xe2, 0xf1, 0xf2, 0xf3];
  const forms = PACKED.flatMap(([opcode, name]) =>
    shifts.includes(opcode)
      ? [
          ...simd(opcode, `${name} mm`, { ...mmx, before: smallCount }),
          ...simd(opcode, `${name} xmm`, { ...xmm, before: smallCount }),
        ]
      : both(opcode, name),
  );
  for (const [opcode, groups] of [
    [0x71, [2, 4, 6]],
    [0x72, [2, 4, 6]],
    [0x73, [2, 6]],
  ] as const) {
    for (const reg of groups) {
      const counted = { reg, only: "reg", immediate: true } as const;
      forms.push(
        ...simd(opcode, "shift imm8 mm", { ...mmx, ...counted }),
        ...simd(opcode, "shift imm8 xmm", { ...xmm, ...counted }),
      );
    }
  }
  forms.push(
    ...simd(0x73, "psrldq", { ...xmm, reg: 3, only: "reg", immediate: true }),
    ...simd(0x73, "pslldq", { ...xmm, reg: 7, only: "reg", immediate: true }),
    ...simd(0x70, "pshufw", { ...mmx, immediate: true }),
    ...simd(0x70, "pshufd", { ...xmm, immediate: true }),
    ...simd(0x70, "pshufhw", { ...xmm, prefix: 0xf3, immediate: true }),
    ...simd(0x70, "pshuflw", { ...xmm, prefix: 0xf2, immediate: true }),
    ...simd(0xc4, "pinsrw mm", { ...mmx, memory: 2, immediate: true }),
    ...simd(0xc4, "pinsrw xmm", { ...xmm, memory: 2, aligned: false, immediate: true }),
    ...simd(0xc5, "pextrw mm", { ...mmx, only: "reg", immediate: true }),
    ...simd(0xc5, "pextrw xmm", { ...xmm, only: "reg", immediate: true }),
    ...simd(0xd7, "pmovmskb mm", { ...mmx, only: "reg" }),
    ...simd(0xd7, "pmovmskb xmm", { ...xmm, only: "reg" }),
    ...simd(0x6c, "punpcklqdq", xmm),
    ...simd(0x6d, "punpckhqdq", xmm),
    ...simd(0x6e, "movd mm,rm32", { ...mmx, memory: 4 }),
    ...simd(0x6e, "movd xmm,rm32", { ...xmm, memory: 4, aligned: false }),
    ...simd(0x7e, "movd rm32,mm", { ...mmx, memory: 4 }),
    ...simd(0x7e, "movd rm32,xmm", { ...xmm, memory: 4, aligned: false }),
    ...simd(0x7e, "movq xmm,xmm/m64", { ...xmm, prefix: 0xf3, memory: 8, aligned: false }),
    ...simd(0xd6, "movq xmm/m64,xmm", { ...xmm, memory: 8, aligned: false }),
    ...simd(0xd6, "movq2dq", { ...xmm, prefix: 0xf3, only: "reg" }),
    ...simd(0xd6, "movdq2q", { ...xmm, prefix: 0xf2, only: "reg" }),
    ...simd(0x6f, "movq mm,mm/m64", mmx),
    ...simd(0x7f, "movq mm/m64,mm", mmx),
    ...simd(0x6f, "movdqa load", xmm),
    ...simd(0x7f, "movdqa store", xmm),
    ...simd(0x6f, "movdqu load", { ...xmm, prefix: 0xf3, aligned: false }),
    ...simd(0x7f, "movdqu store", { ...xmm, prefix: 0xf3, aligned: false }),
    ...simd(0xe7, "movntq", { ...mmx, only: "mem" }),
    ...simd(0xe7, "movntdq", { ...xmm, only: "mem" }),
  );
  const store = (draft: Draft): void => {
    draft.point(7, 3, 16 + draft.random.below(80));
  };
  forms.push(
    ...simd(0xf7, "maskmovq", { ...mmx, only: "reg", before: store }),
    ...simd(0xf7, "maskmovdqu", { ...xmm, only: "reg", before: store }),
    { id: "0F 77 emms", unit: "mmx", data: "integer", make: draft => draft.bytes(0x0f, 0x77) },
  );
  return forms;
}

function float(): Form[] {
  const forms: Form[] = [];
  const shapeOf = (suffix: string): Simd => ({
    prefix: PREFIX[suffix],
    unit: suffix.endsWith("s") ? "float32" : "float64",
    data: suffix.endsWith("s") ? "float32" : "float64",
    memory: suffix === "ss" ? 4 : suffix === "sd" ? 8 : 16,
    aligned: suffix.startsWith("p"),
  });
  for (const [opcode, name, suffixes] of FLOAT) {
    for (const suffix of suffixes.split(" "))
      forms.push(...simd(opcode, `${name}${suffix}`, { ...shapeOf(suffix), cases: 240 }));
  }
  for (const suffix of ["ps", "pd", "ss", "sd"]) {
    forms.push(...simd(0xc2, `cmp${suffix}`, { ...shapeOf(suffix), immediate: true, cases: 240 }));
  }
  const ps = shapeOf("ps");
  const pd = shapeOf("pd");
  const ss = shapeOf("ss");
  const sd = shapeOf("sd");
  forms.push(
    ...simd(0xc6, "shufps", { ...ps, immediate: true }),
    ...simd(0xc6, "shufpd", { ...pd, immediate: true }),
    ...simd(0x2e, "ucomiss", { ...ss, prefix: undefined }),
    ...simd(0x2f, "comiss", { ...ss, prefix: undefined }),
    ...simd(0x2e, "ucomisd", { ...sd, prefix: 0x66 }),
    ...simd(0x2f, "comisd", { ...sd, prefix: 0x66 }),
    ...simd(0x50, "movmskps", { ...ps, only: "reg" }),
    ...simd(0x50, "movmskpd", { ...pd, only: "reg" }),
    ...simd(0x28, "movaps load", ps),
    ...simd(0x29, "movaps store", ps),
    ...simd(0x28, "movapd load", pd),
    ...simd(0x29, "movapd store", pd),
    ...simd(0x10, "movups load", { ...ps, aligned: false }),
    ...simd(0x11, "movups store", { ...ps, aligned: false }),
    ...simd(0x10, "movupd load", { ...pd, aligned: false }),
    ...simd(0x11, "movupd store", { ...pd, aligned: false }),
    ...simd(0x10, "movss load", ss),
    ...simd(0x11, "movss store", ss),
    ...simd(0x10, "movsd load", sd),
    ...simd(0x11, "movsd store", sd),
    ...simd(0x12, "movlps load / movhlps", { ...ps, memory: 8, aligned: false }),
    ...simd(0x13, "movlps store", { ...ps, memory: 8, aligned: false, only: "mem" }),
    ...simd(0x16, "movhps load / movlhps", { ...ps, memory: 8, aligned: false }),
    ...simd(0x17, "movhps store", { ...ps, memory: 8, aligned: false, only: "mem" }),
    ...simd(0x12, "movlpd load", { ...pd, memory: 8, aligned: false, only: "mem" }),
    ...simd(0x13, "movlpd store", { ...pd, memory: 8, aligned: false, only: "mem" }),
    ...simd(0x16, "movhpd load", { ...pd, memory: 8, aligned: false, only: "mem" }),
    ...simd(0x17, "movhpd store", { ...pd, memory: 8, aligned: false, only: "mem" }),
    ...simd(0x2b, "movntps", { ...ps, only: "mem" }),
    ...simd(0x2b, "movntpd", { ...pd, only: "mem" }),
    // Conversions
    ...simd(0x2a, "cvtpi2ps", { ...ps, unit: "mmx", data: "wide", memory: 8, aligned: false }),
    ...simd(0x2c, "cvttps2pi", { ...ps, memory: 8, aligned: false }),
    ...simd(0x2d, "cvtps2pi", { ...ps, memory: 8, aligned: false }),
    ...simd(0x2a, "cvtpi2pd", { ...pd, unit: "mmx", data: "wide", memory: 8, aligned: false }),
    ...simd(0x2c, "cvttpd2pi", pd),
    ...simd(0x2d, "cvtpd2pi", pd),
    ...simd(0x2a, "cvtsi2ss", { ...ss, data: "integer" }),
    ...simd(0x2c, "cvttss2si", ss),
    ...simd(0x2d, "cvtss2si", ss),
    ...simd(0x2a, "cvtsi2sd", { ...sd, data: "integer", memory: 4 }),
    ...simd(0x2c, "cvttsd2si", sd),
    ...simd(0x2d, "cvtsd2si", sd),
    ...simd(0x5a, "cvtps2pd", { ...ps, memory: 8, aligned: false }),
    ...simd(0x5a, "cvtpd2ps", pd),
    ...simd(0x5a, "cvtss2sd", ss),
    ...simd(0x5a, "cvtsd2ss", sd),
    ...simd(0x5b, "cvtdq2ps", { ...ps, unit: "packed", data: "wide" }),
    ...simd(0x5b, "cvtps2dq", { ...ps, prefix: 0x66 }),
    ...simd(0x5b, "cvttps2dq", { ...ps, prefix: 0xf3 }),
    ...simd(0xe6, "cvtdq2pd", {
      ...pd,
      prefix: 0xf3,
      unit: "packed",
      data: "wide",
      memory: 8,
      aligned: false,
    }),
    ...simd(0xe6, "cvttpd2dq", pd),
    ...simd(0xe6, "cvtpd2dq", { ...pd, prefix: 0xf2 }),
  );
  return forms;
}

function control(): Form[] {
  return [
    ...modrm([0x0f, 0xae], "ldmxcsr", {
      reg: 2,
      sizes: [8],
      memory: 4,
      only: "mem",
      unit: "packed",
      prepare(draft) {
        if (draft.random.chance(0.2)) return;
        for (let at = 0; at < 128; at += 4)
          draft.setBytes("data", at, [draft.random.below(256), draft.random.below(256), 0, 0]);
      },
    }),
    ...modrm([0x0f, 0xae], "stmxcsr", { reg: 3, sizes: [8], memory: 4, only: "mem", unit: "packed" }),
    ...modrm([0x0f, 0xae], "clflush", { reg: 7, sizes: [8], memory: 1, only: "mem" }),
    ...[5, 6, 7].flatMap(reg => modrm([0x0f, 0xae], "fence", { reg, sizes: [8], only: "reg" })),
    ...[0, 1, 2, 3].flatMap(reg =>
      modrm([0x0f, 0x18], "prefetch", { reg, sizes: [8], memory: 1, only: "mem" }),
    ),
  ];
}

export const simdForms = (): Form[] => [...packed(), ...float(), ...control()];
