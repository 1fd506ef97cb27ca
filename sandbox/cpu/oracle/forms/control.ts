/** Stack, jumps, calls, strings, segment registers, and what user mode may not do. */
import { EAX, EBP, EBX, ECX, EDI, EDX, ESI } from "../case.ts";
import type { Draft, Form, OperandSize } from "../draft.ts";
import { CODE } from "../world.ts";
import { hex, modrm, plain } from "./modrm.ts";

const BOTH: readonly OperandSize[] = [16, 32];
const CONDITIONS = ["o", "no", "b", "nb", "z", "nz", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
const withStack = (draft: Draft): void => draft.useStack();

/** Operand size 16 in flat code cuts EIP to a page that is not there: those forms leave the flat world. */
function codeFits(draft: Draft, size: OperandSize): void {
  if (size === 16 && draft.world === 0) draft.enter(draft.random.chance(0.5) ? 1 : 2);
}

/** An address inside the code segment, far enough from the instruction. */
function target(draft: Draft): number {
  const offset = draft.random.pick([0x100, 0x1234, 0x7ffe, 0xfff0, 0x10, 0x900]) + draft.random.below(8);
  return draft.world === 0 ? CODE + offset : offset;
}

/** Bytes of a number, little endian. */
function little(value: number, size: OperandSize): number[] {
  return Array.from({ length: size / 8 }, (_, at) => (value >>> (8 * at)) & 0xff);
}

const codeSelector = (draft: Draft): number => [0x23, 0x07, 0x27][draft.world]!;

/** Mostly selectors that user mode may load, some that it may not; those above the GDT's end too. */
function selector(draft: Draft): number {
  return draft.random.pick([
    0, 1, 2, 3, 0x2b, 0x2b, 0x2a, 0x28, 0x23, 0x23, 0x07, 0x0f, 0x0f, 0x0c, 0x17, 0x1f, 0x27, 0x2f, 0x2d,
    0x37, 0x3f, 0x47, 0x87, 0x83, 0x10, 0x13, 0x18, 0x1b, 0x1fff, 0xfffb, 0xffff,
  ]);
}

function stackForms(): Form[] {
  const forms: Form[] = [];
  for (let register = 0; register < 8; register++) {
    forms.push(
      ...plain([0x50 + register], "push r", { sizes: BOTH, prepare: withStack }),
      ...plain([0x58 + register], "pop r", { sizes: BOTH, prepare: withStack }),
    );
  }
  const frame = (draft: Draft): void => {
    draft.useStack(40);
    const inside = draft.gpr[4]! & 0xffff;
    const offset = inside + draft.random.below(4) * 4;
    const wide =
      draft.stackBits === 16
        ? ((draft.gpr[EBP]! & 0xffff_0000) | (offset & 0xffff)) >>> 0
        : draft.gpr[4]! - inside + offset;
    draft.setGpr(EBP, wide);
  };
  for (const [opcode, name] of [
    [0x06, "push es"],
    [0x0e, "push cs"],
    [0x16, "push ss"],
    [0x1e, "push ds"],
  ] as const) {
    forms.push(...plain([opcode], name, { sizes: BOTH, prepare: withStack }));
  }
  for (const [opcode, name] of [
    [[0x07], "pop es"],
    [[0x17], "pop ss"],
    [[0x1f], "pop ds"],
    [[0x0f, 0xa1], "pop fs"],
    [[0x0f, 0xa9], "pop gs"],
  ] as const) {
    forms.push(...plain(opcode, name, { sizes: BOTH, prepare: popSelector }));
  }
  return [
    ...forms,
    ...plain([0x0f, 0xa0], "push fs", { sizes: BOTH, prepare: withStack }),
    ...plain([0x0f, 0xa8], "push gs", { sizes: BOTH, prepare: withStack }),
    ...plain([0x60], "pusha", { sizes: BOTH, prepare: draft => draft.useStack(40) }),
    ...plain([0x61], "popa", { sizes: BOTH, prepare: draft => draft.useStack(8) }),
    ...plain([0x68], "push imm", { sizes: BOTH, immediate: "operand", prepare: withStack }),
    ...plain([0x6a], "push simm8", { sizes: BOTH, immediate: 8, prepare: withStack }),
    ...modrm([0x8f], "pop rm", { reg: 0, prepare: withStack }),
    ...modrm([0xff], "push rm", { reg: 6, prepare: withStack }),
    ...plain([0x9c], "pushf", { sizes: BOTH, prepare: withStack }),
    ...plain([0x9d], "popf", { sizes: BOTH, prepare: popFlags, cases: 400 }),
    ...plain([0xc8], "enter", {
      sizes: BOTH,
      prepare: frame,
      finish(draft) {
        const level = draft.random.pick([0, 0, 1, 2, 3, 4, 32, 33]);
        draft.bytes(draft.random.below(64), draft.random.chance(0.1) ? 1 : 0, level);
      },
      cases: 400,
    }),
    ...plain([0xc9], "leave", { sizes: BOTH, prepare: frame }),
  ];
}

/** The stack window holds a selector at its top. */
function popSelector(draft: Draft): void {
  const offset = 16;
  draft.useStack(offset);
  const at = (draft.gpr[4]! & 0x3f) % 64;
  if (at < 60) draft.setBytes("stack", at, little(selector(draft), 16));
}

/** POPF with TF would trap behind the INT3's place. */
function popFlags(draft: Draft): void {
  draft.useStack(16);
  const at = draft.gpr[4]! & 0x3f;
  draft.setBytes("stack", at, little(draft.random.next() & ~0x100 & 0xffff_bfff, 32));
}

function jumps(): Form[] {
  const near = (draft: Draft): void => {
    draft.bytes(((draft.random.below(120) + 4) * (draft.random.chance(0.5) ? 1 : -1)) & 0xff);
  };
  const relative = (draft: Draft, size: OperandSize): void => {
    const distance = draft.random.below(0x700) - 0x780;
    draft.immediate(size, draft.random.chance(0.5) ? distance : 0x100 + draft.random.below(0x6000));
  };
  const forms: Form[] = [];
  CONDITIONS.forEach((condition, at) => {
    forms.push(
      ...plain([0x70 + at], `j${condition} rel8`, { finish: near }),
      ...plain([0x0f, 0x80 + at], `j${condition} rel`, { sizes: BOTH, prepare: codeFits, finish: relative }),
    );
  });
  const counted = (draft: Draft): void => {
    if (draft.random.chance(0.4)) draft.addressSize(draft.addressBits === 16 ? 32 : 16);
    if (draft.random.chance(0.5)) {
      const low = draft.random.below(3);
      const keep = draft.addressBits === 16 ? draft.gpr[ECX]! & 0xffff_0000 : 0;
      draft.setGpr(ECX, (keep | low) >>> 0);
    }
  };
  ["loopne", "loope", "loop", "jcxz"].forEach((name, at) => {
    forms.push(...plain([0xe0 + at], name, { prepare: counted, finish: near }));
  });
  const returnAddress = (draft: Draft, size: OperandSize): void => {
    codeFits(draft, size);
    draft.useStack(16);
    const at = draft.gpr[4]! & 0x3f;
    draft.setBytes("stack", at, little(target(draft), size));
  };
  const throughRegisters = (draft: Draft, size: OperandSize): void => {
    codeFits(draft, size);
    draft.useStack();
    for (let index = 0; index < 8; index++) if (index !== 4) draft.setGpr(index, target(draft));
  };
  const throughMemory = (draft: Draft, size: OperandSize): void => {
    codeFits(draft, size);
    draft.useStack();
    for (let at = 0; at < 128; at += 8)
      draft.setBytes("data", at, [...little(target(draft), size), ...little(codeSelector(draft), 16)]);
  };
  return [
    ...forms,
    ...plain([0xe8], "call rel", {
      sizes: BOTH,
      prepare(draft, size) {
        codeFits(draft, size);
        draft.useStack();
      },
      finish: relative,
    }),
    ...plain([0xe9], "jmp rel", { sizes: BOTH, prepare: codeFits, finish: relative }),
    ...plain([0xeb], "jmp rel8", { finish: near }),
    ...plain([0xc3], "ret", { sizes: BOTH, prepare: returnAddress }),
    ...plain([0xc2], "ret imm16", { sizes: BOTH, prepare: returnAddress, immediate: 16 }),
    ...modrm([0xff], "call rm", { reg: 2, only: "reg", prepare: throughRegisters }),
    ...modrm([0xff], "call rm", { reg: 2, only: "mem", prepare: throughMemory }),
    ...modrm([0xff], "jmp rm", { reg: 4, only: "reg", prepare: throughRegisters }),
    ...modrm([0xff], "jmp rm", { reg: 4, only: "mem", prepare: throughMemory }),
    ...modrm([0xff], "call far m", { reg: 3, only: "mem", prepare: farMemory }),
    ...modrm([0xff], "jmp far m", { reg: 5, only: "mem", prepare: farMemory }),
    ...plain([0x9a], "call far", {
      sizes: BOTH,
      prepare(draft, size) {
        codeFits(draft, size);
        draft.useStack();
      },
      finish: farImmediate,
    }),
    ...plain([0xea], "jmp far", { sizes: BOTH, prepare: codeFits, finish: farImmediate }),
    ...plain([0xcb], "ret far", { sizes: BOTH, prepare: farReturn }),
    ...plain([0xca], "ret far imm16", { sizes: BOTH, prepare: farReturn, immediate: 16 }),
    ...plain([0xcf], "iret", { sizes: BOTH, prepare: interruptReturn, cases: 400 }),
    ...plain([0xce], "into", {}),
    ...plain([0xcd], "int", {
      finish(draft) {
        // Not the vectors that Linux answers.
        draft.bytes(
          draft.random.pick([0, 1, 2, 5, 6, 8, 13, 14, 0x10, 0x20, 0x21, 0x31, 0x70, 0x7f, 0xf0, 0xff]),
        );
      },
    }),
  ];
}

/** The selectors of the world's own code, and some that a far transfer must refuse. */
function farSelector(draft: Draft): number {
  return draft.random.chance(0.7)
    ? codeSelector(draft)
    : draft.random.pick([0, 3, 0x2b, 0x0f, 0x10, 0x13, 0x20, 0x22, 0x04, 0x05, 0x3f, 0x47, 0x83, 0xffff]);
}

function farImmediate(draft: Draft, size: OperandSize): void {
  draft.immediate(size, target(draft));
  draft.immediate(16, farSelector(draft));
}

function farMemory(draft: Draft, size: OperandSize): void {
  codeFits(draft, size);
  draft.useStack();
  for (let at = 0; at < 128; at += 8) {
    draft.setBytes("data", at, [...little(target(draft), size), ...little(farSelector(draft), 16)]);
  }
}

function farReturn(draft: Draft, size: OperandSize): void {
  codeFits(draft, size);
  draft.useStack(16);
  const at = draft.gpr[4]! & 0x3f;
  draft.setBytes("stack", at, [...little(target(draft), size), ...little(farSelector(draft), 16)]);
}

function interruptReturn(draft: Draft, size: OperandSize): void {
  farReturn(draft, size);
  const at = (draft.gpr[4]! & 0x3f) + size / 4;
  draft.setBytes("stack", at, little(draft.random.next() & ~0x4100 & 0xfffd_ffff, size));
}

function strings(): Form[] {
  const forms: Form[] = [];
  const operations = [
    [0xa4, "movs"],
    [0xa6, "cmps"],
    [0xaa, "stos"],
    [0xac, "lods"],
    [0xae, "scas"],
  ] as const;
  for (const [opcode, name] of operations) {
    for (const size of [8, 16, 32] as const) {
      for (const repeat of [0, 0xf3, 0xf2]) {
        const prefix = repeat === 0 ? "" : repeat === 0xf3 ? "F3 " : "F2 ";
        forms.push({
          id: `${prefix}${hex(size === 8 ? opcode : opcode + 1)} ${name} ${size}`,
          unit: "none",
          data: "integer",
          make(draft) {
            const { random } = draft;
            draft.anyAddressSize();
            draft.operandSize(size);
            if (repeat) {
              draft.prefix(repeat);
              const count = random.pick([0, 1, 2, 3, 5, 8]);
              const keep = draft.addressBits === 16 ? draft.gpr[ECX]! & 0xffff_0000 : 0;
              draft.setGpr(ECX, (keep | count) >>> 0);
            }
            let segment = 3;
            if (random.chance(0.2)) {
              segment = random.pick([0, 3]);
              draft.prefix(segment === 0 ? 0x26 : 0x3e);
            }
            // Runs of equal items, so that the comparing ones go on for a while.
            if (random.chance(0.6) && (name === "cmps" || name === "scas")) {
              const item = little(draft.gpr[EAX]!, 32).slice(0, size / 8);
              const odd = random.below(128);
              draft.setBytes(
                "data",
                0,
                Array.from({ length: 128 }, (_, at) => (at === odd ? 0x5a : item[at % item.length]!)),
              );
            }
            draft.point(ESI, segment, 40 + random.below(40));
            draft.point(EDI, 0, 40 + random.below(40));
            draft.bytes(size === 8 ? opcode : opcode + 1);
          },
        });
      }
    }
  }
  return [
    ...forms,
    ...plain([0xd7], "xlat", {
      prepare(draft) {
        draft.anyAddressSize();
        draft.point(EBX, 3, 0);
        draft.setGpr(EAX, ((draft.gpr[EAX]! & 0xffff_ff00) | draft.random.below(128)) >>> 0);
      },
    }),
  ];
}

function segments(): Form[] {
  const inRegisters = (draft: Draft): void => {
    for (let index = 0; index < 8; index++)
      draft.setGpr(index, ((draft.random.next() & 0xffff_0000) | selector(draft)) >>> 0);
  };
  const inMemory = (draft: Draft): void => {
    for (let at = 0; at < 128; at += 2) draft.setBytes("data", at, little(selector(draft), 16));
  };
  const farPointers =
    (size: OperandSize) =>
    (draft: Draft): void => {
      for (let at = 0; at < 128; at += 8) draft.setBytes("data", at + size / 8, little(selector(draft), 16));
    };
  const far = ([opcode, name]: readonly [readonly number[], string]): Form[] =>
    BOTH.flatMap(size =>
      modrm(opcode, `${name} r,m`, {
        sizes: [size],
        memory: 6,
        align: 8,
        only: "mem",
        prepare: farPointers(size),
      }).map(form => ({
        ...form,
        id: `${form.id} ${size}`,
      })),
    );
  const loadable = [0, 2, 3, 4, 5];
  return [
    ...modrm([0x8c], "mov rm,sreg", { regs: [0, 1, 2, 3, 4, 5], only: "reg" }),
    ...modrm([0x8c], "mov m16,sreg", { regs: [0, 1, 2, 3, 4, 5], only: "mem", memory: 2 }),
    ...modrm([0x8c], "mov rm,sreg (#UD)", { regs: [6, 7], sizes: [16] }),
    ...modrm([0x8e], "mov sreg,r", { regs: loadable, only: "reg", prepare: inRegisters, cases: 400 }),
    ...modrm([0x8e], "mov sreg,m16", { regs: loadable, only: "mem", memory: 2, align: 2, prepare: inMemory }),
    ...modrm([0x8e], "mov sreg,rm (#UD)", { regs: [1, 6, 7], sizes: [16] }),
    ...far([[0xc5], "lds"]),
    ...far([[0xc4], "les"]),
    ...far([[0x0f, 0xb2], "lss"]),
    ...far([[0x0f, 0xb4], "lfs"]),
    ...far([[0x0f, 0xb5], "lgs"]),
    ...modrm([0x0f, 0x02], "lar r,r", { only: "reg", prepare: inRegisters }),
    ...modrm([0x0f, 0x02], "lar r,m", { only: "mem", memory: 2, align: 2, prepare: inMemory }),
    ...modrm([0x0f, 0x03], "lsl r,r", { only: "reg", prepare: inRegisters }),
    ...modrm([0x0f, 0x03], "lsl r,m", { only: "mem", memory: 2, align: 2, prepare: inMemory }),
    ...modrm([0x0f, 0x00], "verr", { reg: 4, sizes: [16], only: "reg", prepare: inRegisters }),
    ...modrm([0x0f, 0x00], "verw", { reg: 5, sizes: [16], only: "reg", prepare: inRegisters }),
    ...modrm([0x0f, 0x00], "verr m", { reg: 4, sizes: [16], only: "mem", prepare: inMemory }),
    ...modrm([0x0f, 0x00], "verw m", { reg: 5, sizes: [16], only: "mem", prepare: inMemory }),
    ...modrm([0x63], "arpl rm16,r16", { sizes: [16] }),
    ...modrm([0x62], "bound r,m", {
      only: "mem",
      memory: 8,
      finish(draft) {
        // Mostly within bounds.
        if (draft.random.chance(0.4))
          draft.setBytes(
            "data",
            0,
            Array.from({ length: 128 }, (_, at) => (at & 4 ? 0x7f : 0x80)),
          );
      },
    }),
    ...modrm([0x62], "bound r,r (#UD)", { only: "reg", sizes: [32] }),
  ];
}

/** What must fault in user mode, and what must fault anywhere. */
function refused(): Form[] {
  const locked = (id: string, ...bytes: number[]): Form => ({
    id: `F0 ${id} (#UD)`,
    unit: "none",
    data: "integer",

    make(draft) {
      draft.prefix(0xf0);
      draft.bytes(...bytes);
    },
  });
  return [
    ...plain([0xf4], "hlt"),
    ...plain([0xfa], "cli"),
    ...plain([0xfb], "sti"),
    ...plain([0xe4], "in al,imm8", { immediate: 8 }),
    ...plain([0xe5], "in eax,imm8", { immediate: 8, sizes: BOTH }),
    ...plain([0xe6], "out imm8,al", { immediate: 8 }),
    ...plain([0xe7], "out imm8,eax", { immediate: 8, sizes: BOTH }),
    ...plain([0xec], "in al,dx"),
    ...plain([0xed], "in eax,dx", { sizes: BOTH }),
    ...plain([0xee], "out dx,al"),
    ...plain([0xef], "out dx,eax", { sizes: BOTH }),
    ...plain([0x6c], "insb"),
    ...plain([0x6d], "ins", { sizes: BOTH }),
    ...plain([0x6e], "outsb"),
    ...plain([0x6f], "outs", { sizes: BOTH }),
    ...plain([0x0f, 0x06], "clts"),
    ...plain([0x0f, 0x08], "invd"),
    ...plain([0x0f, 0x09], "wbinvd"),
    ...plain([0x0f, 0x30], "wrmsr"),
    ...plain([0x0f, 0x32], "rdmsr"),
    ...modrm([0x0f, 0x20], "mov r,cr", { regs: [0, 2, 3, 4], only: "reg", sizes: [32] }),
    ...modrm([0x0f, 0x22], "mov cr,r", { regs: [0, 2, 3, 4], only: "reg", sizes: [32] }),
    ...modrm([0x0f, 0x21], "mov r,dr", { regs: [0, 1, 2, 3, 6, 7], only: "reg", sizes: [32] }),
    ...modrm([0x0f, 0x23], "mov dr,r", { regs: [0, 1, 2, 3, 6, 7], only: "reg", sizes: [32] }),
    ...modrm([0x0f, 0x00], "lldt", { reg: 2, sizes: [16] }),
    ...modrm([0x0f, 0x00], "ltr", { reg: 3, sizes: [16] }),
    ...modrm([0x0f, 0x01], "lgdt", { reg: 2, only: "mem", sizes: [32], memory: 6 }),
    ...modrm([0x0f, 0x01], "lidt", { reg: 3, only: "mem", sizes: [32], memory: 6 }),
    ...modrm([0x0f, 0x01], "lmsw", { reg: 6, sizes: [16] }),
    ...modrm([0x0f, 0x01], "invlpg", { reg: 7, only: "mem", sizes: [32] }),
    ...plain([0x0f, 0x0b], "ud2"),
    ...modrm([0x0f, 0xb9], "ud1", { sizes: [32], only: "reg" }),
    ...modrm([0xff], "(#UD)", { reg: 7, sizes: [32] }),
    ...modrm([0xfe], "(#UD)", { regs: [2, 3, 4, 5, 6, 7], sizes: [8] }),
    ...modrm([0xff], "call far r (#UD)", { reg: 3, only: "reg", sizes: [32] }),
    ...modrm([0xff], "jmp far r (#UD)", { reg: 5, only: "reg", sizes: [32] }),
    locked("mov eax,[esi]", 0x8b, 0x06),
    locked("add eax,ebx", 0x01, 0xd8),
    locked("cmp [esi],eax", 0x39, 0x06),
    locked("inc eax", 0x40),
    locked("nop", 0x90),
    locked("jmp", 0xeb, 0x10),
    locked("push eax", 0x50),
    locked("bt [esi],eax", 0x0f, 0xa3, 0x06),
    locked("xchg eax,ebx", 0x87, 0xd8),
    locked("shl [esi],1", 0xd1, 0x26),
    locked("mul [esi]", 0xf7, 0x26),
    locked("cmpxchg eax,ebx", 0x0f, 0xb1, 0xd8),
    {
      id: "66*15 nop: 16 bytes (#GP)",
      unit: "none",
      data: "integer",

      make(draft) {
        for (let at = 0; at < 15; at++) draft.prefix(draft.random.pick([0x66, 0x67, 0x26, 0x2e, 0x36, 0x3e]));
        draft.bytes(0x90);
      },
    },
    {
      id: "66*14 nop: 15 bytes",
      unit: "none",
      data: "integer",

      make(draft) {
        for (let at = 0; at < 14; at++) draft.prefix(draft.random.pick([0x66, 0x67, 0x26, 0x2e, 0x36, 0x3e]));
        draft.bytes(0x90);
      },
    },
    {
      id: "alignment check",
      unit: "none",
      data: "integer",
      make(draft) {
        draft.enter(draft.random.below(3));
        draft.setEflags(draft.eflags | 0x4_0000);
        const size = draft.random.pick([16, 32] as const);
        draft.operandSize(size);
        draft.bytes(draft.random.pick([0x01, 0x8b, 0x39, 0x89]));
        draft.modrmMemory(EDX, size / 8, { offset: draft.random.below(60) });
      },
    },
  ];
}

export const controlForms = (): Form[] => [
  ...stackForms(),
  ...jumps(),
  ...strings(),
  ...segments(),
  ...refused(),
];
