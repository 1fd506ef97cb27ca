/** What only ring 0 and real mode may do: tables, control registers, flags, ports, far transfers, interrupts. */
import type { Draft, Form, OperandSize } from "../draft.ts";
import { DATA_WINDOW_SIZE } from "../world.ts";
import { modrm, plain } from "./modrm.ts";

const BOTH: readonly OperandSize[] = [16, 32];

/** Selectors of the GDT of privileged.ts, good and bad. */
const SELECTORS = [
  0, 3, 0x08, 0x0b, 0x10, 0x13, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x54, 0xffff,
];

const little = (value: number, size: OperandSize): number[] =>
  Array.from({ length: size / 8 }, (_, at) => (value >>> (8 * at)) & 0xff);

const selectorsInRegisters = (draft: Draft): void => {
  for (const index of [0, 1, 2, 3, 5, 6, 7]) {
    draft.setGpr(index, ((draft.random.next() & 0xffff_0000) | draft.random.pick(SELECTORS)) >>> 0);
  }
};

/** Limit and base for LGDT and LIDT, all over the window. */
const tables = (draft: Draft): void => {
  for (let at = 0; at + 8 <= DATA_WINDOW_SIZE; at += 8) {
    draft.setBytes("data", at, [
      ...little(draft.random.below(0x800), 16),
      ...little(draft.random.next(), 32),
      0,
      0,
    ]);
  }
};

/** CR0 with protection as it is, CR4 with bits that both engines have. */
const controlValues = (draft: Draft): void => {
  const now = draft.world === 0 ? 0x11 : 0x10;
  const values = [now, now | 0x20, now | 0x2, now | 0x8, now | 0x1_0000, now | 0x4_0000, now | 0x4];
  for (const index of [0, 1, 2, 3, 5, 6, 7]) draft.setGpr(index, draft.random.pick(values));
};

export const privilegedForms = (): Form[] => [
  ...modrm([0x0f, 0x01], "sgdt", { reg: 0, only: "mem", sizes: BOTH, memory: 6 }),
  ...modrm([0x0f, 0x01], "sidt", { reg: 1, only: "mem", sizes: BOTH, memory: 6 }),
  ...modrm([0x0f, 0x01], "lgdt", { reg: 2, only: "mem", sizes: BOTH, memory: 6, align: 8, prepare: tables }),
  ...modrm([0x0f, 0x01], "lidt", { reg: 3, only: "mem", sizes: BOTH, memory: 6, align: 8, prepare: tables }),
  ...modrm([0x0f, 0x01], "smsw", { reg: 4, sizes: BOTH }),
  ...modrm([0x0f, 0x01], "lmsw", { reg: 6, only: "reg", sizes: [16], prepare: controlValues }),
  ...modrm([0x0f, 0x20], "mov r,cr0", { reg: 0, only: "reg", sizes: [8] }),
  ...modrm([0x0f, 0x20], "mov r,cr2", { reg: 2, only: "reg", sizes: [8] }),
  ...modrm([0x0f, 0x20], "mov r,cr3", { reg: 3, only: "reg", sizes: [8] }),
  ...modrm([0x0f, 0x20], "mov r,cr4", { reg: 4, only: "reg", sizes: [8] }),
  ...modrm([0x0f, 0x22], "mov cr0,r", { reg: 0, only: "reg", sizes: [8], prepare: controlValues }),
  ...modrm([0x0f, 0x22], "mov cr2,r", { reg: 2, only: "reg", sizes: [8] }),
  ...modrm([0x0f, 0x00], "sldt", { reg: 0, sizes: BOTH }),
  ...modrm([0x0f, 0x00], "str", { reg: 1, sizes: BOTH }),
  ...modrm([0x0f, 0x00], "lldt", { reg: 2, only: "reg", sizes: [16], prepare: selectorsInRegisters }),
  ...modrm([0x0f, 0x00], "ltr", { reg: 3, only: "reg", sizes: [16], prepare: selectorsInRegisters }),
  ...modrm([0x8e], "mov sreg,r (ring 0)", {
    regs: [0, 2, 3, 4, 5],
    only: "reg",
    sizes: BOTH,
    prepare: selectorsInRegisters,
  }),
  ...plain([0x0f, 0x06], "clts"),
  ...plain([0xfa], "cli"),
  ...plain([0xfb], "sti"),
  ...plain([0xcd], "int (ring 0)", { finish: draft => draft.bytes(draft.random.below(256)) }),
  ...plain([0xcc], "int3"),
  ...plain([0xea], "jmp far (ring 0)", {
    sizes: BOTH,
    finish(draft, size) {
      draft.immediate(size, 0x2_0900 + draft.random.below(64));
      draft.immediate(16, draft.random.pick(SELECTORS));
    },
  }),
  ...plain([0x9a], "call far (ring 0)", {
    sizes: BOTH,
    finish(draft, size) {
      draft.immediate(size, 0x2_0900 + draft.random.below(64));
      draft.immediate(16, draft.random.pick(SELECTORS));
    },
  }),
];
