/** Arithmetic, logic, shifts, bits, moves: what computes with general registers and EFLAGS. */
import { EAX, ECX, EDX } from "../case.ts";
import type { Draft, Form, OperandSize } from "../draft.ts";
import { modrm, plain } from "./modrm.ts";

const BYTE: readonly OperandSize[] = [8];
const CONDITIONS = ["o", "no", "b", "nb", "z", "nz", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
const ALU = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"];
const SHIFTS = ["rol", "ror", "rcl", "rcr", "shl", "shr", "sal", "sar"];

/** Every count from 0 to 255 in turn. */
const countInCl = (draft: Draft): void =>
  draft.setGpr(ECX, ((draft.gpr[ECX]! & 0xffff_ff00) | (draft.counter & 0xff)) >>> 0);
const countImmediate = (draft: Draft): void => draft.bytes(draft.counter & 0xff);

function alu(): Form[] {
  return ALU.flatMap((name, at) => {
    const base = at * 8;
    const lock = name !== "cmp";
    return [
      ...modrm([base], `${name} rm8,r8`, { sizes: BYTE, lock }),
      ...modrm([base + 1], `${name} rm,r`, { lock }),
      ...modrm([base + 2], `${name} r8,rm8`, { sizes: BYTE }),
      ...modrm([base + 3], `${name} r,rm`),
      ...plain([base + 4], `${name} al,imm8`, { immediate: 8 }),
      ...plain([base + 5], `${name} eax,imm`, { sizes: [16, 32], immediate: "operand" }),
      ...modrm([0x80], `${name} rm8,imm8`, { reg: at, sizes: BYTE, immediate: 8, lock }),
      ...modrm([0x81], `${name} rm,imm`, { reg: at, immediate: "operand", lock }),
      ...modrm([0x82], `${name} rm8,imm8`, { reg: at, sizes: BYTE, immediate: 8, lock }),
      ...modrm([0x83], `${name} rm,simm8`, { reg: at, immediate: 8, lock }),
    ];
  });
}

function shifts(): Form[] {
  const all = 512;
  return SHIFTS.flatMap((name, reg) => [
    ...modrm([0xc0], `${name} rm8,imm8`, { reg, sizes: BYTE, finish: countImmediate, cases: all }),
    ...modrm([0xc1], `${name} rm,imm8`, { reg, finish: countImmediate, cases: all }),
    ...modrm([0xd0], `${name} rm8,1`, { reg, sizes: BYTE }),
    ...modrm([0xd1], `${name} rm,1`, { reg }),
    ...modrm([0xd2], `${name} rm8,cl`, { reg, sizes: BYTE, prepare: countInCl, cases: all }),
    ...modrm([0xd3], `${name} rm,cl`, { reg, prepare: countInCl, cases: all }),
  ]);
}

function doubleShifts(): Form[] {
  const all = 512;
  return (["shld", "shrd"] as const).flatMap((name, at) => [
    ...modrm([0x0f, 0xa4 + 8 * at], `${name} rm,r,imm8`, { finish: countImmediate, cases: all }),
    ...modrm([0x0f, 0xa5 + 8 * at], `${name} rm,r,cl`, { prepare: countInCl, cases: all }),
  ]);
}

/** Makes most quotients fit: a high half that is smaller than what is likely to be the divisor. */
function smallDividend(draft: Draft, size: OperandSize): void {
  const { random } = draft;
  if (random.chance(0.25)) return;
  const high = random.pick([0, 0, 1, random.below(16), random.below(0x80), 0xffff_ffff, 0xffff_ffff]);
  if (size === 8) {
    draft.setGpr(EAX, ((draft.gpr[EAX]! & 0xffff_00ff) | ((high & 0xff) << 8)) >>> 0);
  } else draft.setGpr(EDX, high);
}

function multiplyAndDivide(): Form[] {
  const forms: Form[] = [];
  for (const [opcode, sizes] of [
    [0xf6, BYTE],
    [0xf7, [16, 32]],
  ] as const) {
    forms.push(
      ...modrm([opcode], "test rm,imm", { reg: 0, sizes, immediate: "operand" }),
      ...modrm([opcode], "test rm,imm (alias)", { reg: 1, sizes, immediate: "operand" }),
      ...modrm([opcode], "not", { reg: 2, sizes, lock: true }),
      ...modrm([opcode], "neg", { reg: 3, sizes, lock: true }),
      ...modrm([opcode], "mul", { reg: 4, sizes }),
      ...modrm([opcode], "imul", { reg: 5, sizes }),
      ...modrm([opcode], "div", { reg: 6, sizes, prepare: smallDividend, cases: 400 }),
      ...modrm([opcode], "idiv", { reg: 7, sizes, prepare: smallDividend, cases: 400 }),
    );
  }
  return [
    ...forms,
    ...modrm([0x0f, 0xaf], "imul r,rm"),
    ...modrm([0x69], "imul r,rm,imm", { immediate: "operand" }),
    ...modrm([0x6b], "imul r,rm,simm8", { immediate: 8 }),
  ];
}

/** All inputs: AL by the counter, AF and CF by its upper bits. */
function decimal(draft: Draft): void {
  draft.setGpr(EAX, ((draft.gpr[EAX]! & 0xffff_ff00) | (draft.counter & 0xff)) >>> 0);
  const flags = (draft.counter & 0x100 ? 0x10 : 0) | (draft.counter & 0x200 ? 1 : 0);
  draft.setEflags((draft.eflags & ~0x11) | flags);
}

function binaryCodedDecimal(): Form[] {
  return [
    ...plain([0x27], "daa", { prepare: decimal, cases: 1024 }),
    ...plain([0x2f], "das", { prepare: decimal, cases: 1024 }),
    ...plain([0x37], "aaa", { prepare: decimal, cases: 1024 }),
    ...plain([0x3f], "aas", { prepare: decimal, cases: 1024 }),
    ...plain([0xd4], "aam", {
      prepare: decimal,
      finish: draft => draft.bytes(draft.random.chance(0.5) ? 10 : draft.random.below(256)),
      cases: 512,
    }),
    ...plain([0xd5], "aad", {
      prepare: decimal,
      finish: draft => draft.bytes(draft.random.chance(0.5) ? 10 : draft.random.below(256)),
      cases: 512,
    }),
  ];
}

/** A bit offset from a register reaches far from the operand's address; keep it within the window. */
function nearBit(draft: Draft, size: OperandSize): void {
  for (let index = 0; index < 8; index++) {
    if (index === 4 || draft.random.chance(0.2)) continue;
    const value = draft.random.below(384) - 192;
    draft.setGpr(
      index,
      size === 16 ? ((draft.gpr[index]! & 0xffff_0000) | (value & 0xffff)) >>> 0 : value >>> 0,
    );
  }
}

function bits(): Form[] {
  return (["bt", "bts", "btr", "btc"] as const).flatMap((name, at) => [
    ...modrm([0x0f, 0xa3 + 8 * at], `${name} rm,r`, { only: "reg", lock: at > 0 }),
    ...modrm([0x0f, 0xa3 + 8 * at], `${name} rm,r`, {
      only: "mem",
      lock: at > 0,
      prepare: nearBit,
      before: 32,
      after: 32,
      cases: 300,
    }),
    ...modrm([0x0f, 0xba], `${name} rm,imm8`, { reg: 4 + at, immediate: 8, lock: at > 0 }),
  ]);
}

function moves(): Form[] {
  const forms: Form[] = [
    ...modrm([0x84], "test rm8,r8", { sizes: BYTE }),
    ...modrm([0x85], "test rm,r"),
    ...modrm([0x86], "xchg rm8,r8", { sizes: BYTE, lock: true }),
    ...modrm([0x87], "xchg rm,r", { lock: true }),
    ...modrm([0x88], "mov rm8,r8", { sizes: BYTE }),
    ...modrm([0x89], "mov rm,r"),
    ...modrm([0x8a], "mov r8,rm8", { sizes: BYTE }),
    ...modrm([0x8b], "mov r,rm"),
    ...modrm([0x8d], "lea r,m", { only: "mem" }),
    ...modrm([0x8d], "lea r,r (#UD)", { only: "reg" }),
    ...plain([0x98], "cbw/cwde", { sizes: [16, 32] }),
    ...plain([0x99], "cwd/cdq", { sizes: [16, 32] }),
    ...plain([0x9e], "sahf"),
    ...plain([0x9f], "lahf"),
    ...plain([0xa8], "test al,imm8", { immediate: 8 }),
    ...plain([0xa9], "test eax,imm", { sizes: [16, 32], immediate: "operand" }),
    ...modrm([0xc6], "mov rm8,imm8", { reg: 0, sizes: BYTE, immediate: 8 }),
    ...modrm([0xc7], "mov rm,imm", { reg: 0, immediate: "operand" }),
    ...modrm([0xfe], "inc rm8", { reg: 0, sizes: BYTE, lock: true }),
    ...modrm([0xfe], "dec rm8", { reg: 1, sizes: BYTE, lock: true }),
    ...modrm([0xff], "inc rm", { reg: 0, lock: true }),
    ...modrm([0xff], "dec rm", { reg: 1, lock: true }),
    ...modrm([0x0f, 0xb0], "cmpxchg rm8,r8", { sizes: BYTE, lock: true, finish: accumulatorMatches }),
    ...modrm([0x0f, 0xb1], "cmpxchg rm,r", { lock: true, finish: accumulatorMatches }),
    ...modrm([0x0f, 0xb6], "movzx r,rm8", { memory: 1 }),
    ...modrm([0x0f, 0xb7], "movzx r,rm16", { memory: 2 }),
    ...modrm([0x0f, 0xbe], "movsx r,rm8", { memory: 1 }),
    ...modrm([0x0f, 0xbf], "movsx r,rm16", { memory: 2 }),
    ...modrm([0x0f, 0xbc], "bsf r,rm"),
    ...modrm([0x0f, 0xbd], "bsr r,rm"),
    ...modrm([0x0f, 0xc0], "xadd rm8,r8", { sizes: BYTE, lock: true }),
    ...modrm([0x0f, 0xc1], "xadd rm,r", { lock: true }),
    ...modrm([0x0f, 0xc3], "movnti m,r", { sizes: [32], only: "mem" }),
    ...modrm([0x0f, 0xc7], "cmpxchg8b m64", {
      reg: 1,
      sizes: BYTE,
      memory: 8,
      only: "mem",
      lock: true,
      finish: pairMatches,
      cases: 400,
    }),
    ...modrm([0x0f, 0x1f], "nop rm", { reg: 0 }),
  ];
  for (let register = 0; register < 8; register++) {
    const sizes: OperandSize[] = [16, 32];
    forms.push(
      ...plain([0x40 + register], "inc r", { sizes }),
      ...plain([0x48 + register], "dec r", { sizes }),
      ...plain([0x90 + register], "xchg eax,r", { sizes }),
      ...plain([0xb0 + register], "mov r8,imm8", { immediate: 8 }),
      ...plain([0xb8 + register], "mov r,imm", { sizes, immediate: "operand" }),
      ...plain([0x0f, 0xc8 + register], "bswap r", { sizes }),
    );
  }
  for (const [opcode, name, size] of [
    [0xa0, "mov al,moffs", 8],
    [0xa1, "mov eax,moffs", 16],
    [0xa1, "mov eax,moffs", 32],
    [0xa2, "mov moffs,al", 8],
    [0xa3, "mov moffs,eax", 16],
    [0xa3, "mov moffs,eax", 32],
  ] as const) {
    forms.push({
      id: `${opcode.toString(16).toUpperCase()} ${name} ${size}`,
      unit: "none",
      data: "integer",
      make(draft) {
        draft.anyAddressSize();
        draft.operandSize(size);
        draft.bytes(opcode);
        const address = draft.world === 0 ? 0x3_0800 : 0x800;
        const value = address + draft.random.below(124);
        draft.immediate(draft.addressBits, value);
      },
    });
  }
  CONDITIONS.forEach((condition, at) => {
    forms.push(
      ...modrm([0x0f, 0x40 + at], `cmov${condition} r,rm`),
      ...modrm([0x0f, 0x90 + at], `set${condition} rm8`, { sizes: BYTE }),
    );
  });
  return forms;
}

/** The accumulator equals the destination in half of the cases, where that is a register. */
function accumulatorMatches(draft: Draft, size: OperandSize): void {
  const code = draft.code;
  const last = code[code.length - 1]!;
  if (last < 0xc0) return;
  if (draft.random.chance(0.5)) return;
  const rm = last & 7;
  const value = size === 8 && rm >= 4 ? draft.gpr[rm & 3]! >>> 8 : draft.gpr[rm]!;
  if (size !== 8 || (rm & 3) !== 0) draft.setGpr(EAX, value);
}

/** EDX:EAX equals the whole window's repeated pair in half of the cases. */
function pairMatches(draft: Draft): void {
  if (draft.random.chance(0.5)) return;
  const bytes = Array.from({ length: 128 }, (_, at) => {
    const word = at & 4 ? draft.gpr[EDX]! : draft.gpr[EAX]!;
    return (word >>> (8 * (at & 3))) & 0xff;
  });
  draft.setBytes("data", 0, bytes);
}

export const integerForms = (): Form[] => [
  ...alu(),
  ...shifts(),
  ...doubleShifts(),
  ...multiplyAndDivide(),
  ...binaryCodedDecimal(),
  ...bits(),
  ...moves(),
  ...plain([0xd6], "salc"),
  ...plain([0xf5], "cmc", {}),
  ...plain([0xf8], "clc", {}),
  ...plain([0xf9], "stc", {}),
  ...plain([0xfc], "cld", {}),
  ...plain([0xfd], "std", {}),
];
