/**
 * Repetition of string instructions, and the short cut of REP MOVS and REP STOS: whole pieces of pages.
 *
 * Every item counts as one instruction of the budget. Between items the instruction can be left with EIP at
 * its beginning, as for an interrupt, and goes on when it is executed again.
 */
import { zeroFlag } from "#layers/02-real-mode/alu.ts";
import * as segments from "#layers/02-real-mode/segments.ts";
import {
  cmps,
  countDown,
  lods,
  movs,
  repetitions,
  type StringForm,
  scas,
  stos,
} from "#layers/02-real-mode/strings.ts";
import * as tlb from "#layers/03-paging/tlb.ts";
import type { Cpu } from "../cpu.ts";
import type { Handler, Instruction } from "../instruction.ts";
import * as instruction from "../instruction.ts";
import * as state from "../state.ts";
import type { BySize } from "./arithmetic.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { FLAT } = segments;
const { PAGE_MASK, TLB_MASK } = tlb;
const { PREFIX_REP, PREFIX_REPNE } = instruction;
const { ATTENTION, BUDGET, DF, EAX, EDI, EIP, ES, ESI, INSTRUCTION_EIP, RIGHTS, SYSTEM_FLAGS } = state;

type Item = (cpu: Cpu, form: StringForm) => void;
/** Does up to `most` items at once; returns how many, 0 if it cannot. */
type Batch = (cpu: Cpu, form: StringForm, most: number) => number;

/** The form that the layer's functions are given: overwritten by each instruction. */
const form = { size: 1 as 1 | 2 | 4, segment: 0, addressMask: -1 };

function prepare(insn: Instruction, size: 1 | 2 | 4): StringForm {
  form.size = size;
  form.segment = insn.segment;
  form.addressMask = insn.addressMask;
  return form;
}

/** Leaves the instruction between two items: it goes on from its beginning. */
export function pause(cpu: Cpu): void {
  cpu.r32[EIP] = cpu.r32[INSTRUCTION_EIP];
}

function repeat(
  cpu: Cpu,
  insn: Instruction,
  size: 1 | 2 | 4,
  item: Item,
  batch: Batch | null,
  compares: boolean,
): void {
  const { r32 } = cpu;
  const form = prepare(insn, size);
  if ((insn.prefixes & (PREFIX_REP | PREFIX_REPNE)) === 0) {
    item(cpu, form);
    return;
  }
  const mask = insn.addressMask;
  const untilEqual = (insn.prefixes & PREFIX_REPNE) !== 0;
  for (;;) {
    const left = repetitions(r32, mask);
    if (left === 0) return;
    // The item that is begun now is already taken from the budget.
    const most = Math.min(left, Math.max(r32[BUDGET], 0) + 1);
    let done = batch === null || most < 4 ? 0 : batch(cpu, form, most);
    if (done === 0) {
      item(cpu, form);
      done = 1;
    }
    countDown(r32, mask, done);
    r32[BUDGET] -= done - 1;
    if (done === left) return;
    if (compares && zeroFlag(r32) === untilEqual) return;
    if (r32[BUDGET] <= 0 || r32[ATTENTION] !== 0 || cpu.devices.isReplaying) {
      pause(cpu);
      return;
    }
    r32[BUDGET]--;
    cpu.keepForFault();
  }
}

/** Items that fit from `linear` to the end of its page. */
function untilPageEnd(linear: number, size: number): number {
  return Math.floor((0x1000 - (linear & 0xfff)) / size);
}

/** Where `linear` lies in the host, by the TLB alone; -1 if it does not know. */
function hostAddress(cpu: Cpu, table: number, linear: number): number {
  const entry = ((linear >>> 12) & TLB_MASK) + table;
  if (cpu.tlb.tags[entry] !== (linear & PAGE_MASK)) return -1;
  return (linear + cpu.tlb.deltas[entry]) >>> 0;
}

/** Both pointers are linear addresses as they are, and count up. */
function isPlain(cpu: Cpu, form: StringForm, rights: number): boolean {
  return (rights & FLAT) !== 0 && form.addressMask === -1 && (cpu.r32[SYSTEM_FLAGS] & DF) === 0;
}

const moveBatch: Batch = (cpu, form, most) => {
  const { r32 } = cpu;
  if (!isPlain(cpu, form, r32[RIGHTS + form.segment] & r32[RIGHTS + ES])) return 0;
  const { size } = form;
  const count = Math.min(most, untilPageEnd(r32[ESI], size), untilPageEnd(r32[EDI], size));
  const from = hostAddress(cpu, cpu.readTable, r32[ESI]);
  const to = hostAddress(cpu, cpu.writeTable, r32[EDI]);
  // Where the destination runs into the source, items must be seen by later ones: one by one.
  if (from < 0 || to < 0 || count === 0 || (to > from && to < from + count * size)) return 0;
  cpu.bytes.copyWithin(to, from, from + count * size);
  r32[ESI] += count * size;
  r32[EDI] += count * size;
  return count;
};

const storeBatch: Batch = (cpu, form, most) => {
  const { r32 } = cpu;
  if (!isPlain(cpu, form, r32[RIGHTS + ES])) return 0;
  const { size } = form;
  const count = Math.min(most, untilPageEnd(r32[EDI], size));
  const to = hostAddress(cpu, cpu.writeTable, r32[EDI]);
  if (to < 0 || count === 0) return 0;
  const value = r32[EAX];
  if (size === 1 || isOneByte(value, size)) cpu.bytes.fill(value, to, to + count * size);
  else if (size === 2) for (let i = 0; i < count; i++) cpu.view.setInt16(to + 2 * i, value, true);
  else for (let i = 0; i < count; i++) cpu.view.setInt32(to + 4 * i, value, true);
  r32[EDI] += count * size;
  return count;
};

/** All bytes of AX or EAX are the same. */
function isOneByte(value: number, size: number): boolean {
  const byte = value & 0xff;
  return size === 2 ? (value & 0xffff) === byte * 0x101 : value === ((byte * 0x0101_0101) | 0);
}

function bytes(item: Item, batch: Batch | null, compares: boolean): Handler {
  return (cpu, insn) => repeat(cpu, insn, 1, item, batch, compares);
}

function words(item: Item, batch: Batch | null, compares: boolean): BySize {
  return [
    (cpu, insn) => repeat(cpu, insn, 2, item, batch, compares),
    (cpu, insn) => repeat(cpu, insn, 4, item, batch, compares),
  ];
}

export const movsb = bytes(movs, moveBatch, false);
export const movsv = words(movs, moveBatch, false);
export const stosb = bytes(stos, storeBatch, false);
export const stosv = words(stos, storeBatch, false);
export const lodsb = bytes(lods, null, false);
export const lodsv = words(lods, null, false);
export const cmpsb = bytes(cmps, null, true);
export const cmpsv = words(cmps, null, true);
export const scasb = bytes(scas, null, true);
export const scasv = words(scas, null, true);
