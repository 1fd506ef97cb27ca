/**
 * FADD, FMUL, FSUB, FDIV with their reversed and popping forms, and the comparisons: the rows D8, DA, DC and DE
 * of the escape-opcode map, whose ModRM.reg says the operation in all four.
 *
 * Source: SDM vol. 2, A.5 "Escape Opcode Instructions"; vol. 2A, the instructions' own pages.
 */

import { setArithmeticFlags } from "#layers/02-real-mode/alu.ts";
import type { Cpu } from "../cpu.ts";
import { add, multiply } from "../fpu/arithmetic.ts";
import * as comparison from "../fpu/compare.ts";
import { compare } from "../fpu/compare.ts";
import { loadDouble, loadInteger, loadSingle } from "../fpu/convert.ts";
import { divide } from "../fpu/division.ts";
import type { Arithmetic } from "../fpu/float80.ts";
import * as float80 from "../fpu/float80.ts";
import { packZero } from "../fpu/float80.ts";
import * as unit from "../fpu/unit.ts";
import type { Instruction } from "../instruction.ts";
import * as state from "../state.ts";
import {
  begin,
  isEmpty,
  noteAddress,
  notePlace,
  pop,
  setRegister,
  settle,
  settleKeepingC1,
  st,
  underflowStack,
} from "./x87-steps.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { C0, C2, C3, UNORDERED } = comparison;
const { INVALID, SIGN, STACK_FAULT } = float80;
const { OPERAND, RESULT, SECOND, STATUS, USED } = unit;
const { CF, PF, ZF } = state;

// ModRM.reg of the arithmetic rows. 2 and 3 compare.
const ADD = 0;
const MULTIPLY = 1;
const COMPARE_AND_POP = 3;
const SUBTRACT = 4;
const SUBTRACT_REVERSED = 5;
const DIVIDE = 6;

function compute(f: Arithmetic, operation: number, out: number, a: number, b: number): void {
  switch (operation) {
    case ADD:
      add(f, out, a, b, 0);
      break;
    case MULTIPLY:
      multiply(f, out, a, b);
      break;
    case SUBTRACT:
      add(f, out, a, b, SIGN);
      break;
    case SUBTRACT_REVERSED:
      add(f, out, b, a, SIGN);
      break;
    case DIVIDE:
      divide(f, out, a, b);
      break;
    default:
      divide(f, out, b, a);
  }
}

/** `to` = ST(0) op `operand`; false if an exception kept the result out. */
function arithmetic(cpu: Cpu, operation: number, to: number, operand: number): boolean {
  const f = cpu.fpu.x87;
  const r = cpu.r32;
  if (f.masks === 0x3f) {
    compute(f, operation, to, st(r, 0), operand);
    return settle(cpu);
  }
  compute(f, operation, RESULT, st(r, 0), operand);
  if (!settle(cpu)) return false;
  setRegister(r, to, RESULT);
  return true;
}

/** An operand was empty; false if that exception is unmasked. */
function arithmeticOnEmpty(cpu: Cpu, to: number): boolean {
  underflowStack(cpu, RESULT);
  if (!settle(cpu)) return false;
  setRegister(cpu.r32, to, RESULT);
  return true;
}

/** ST(0) op an operand from memory, which lies in OPERAND. */
function withOperand(cpu: Cpu, insn: Instruction): void {
  const r = cpu.r32;
  const operation = insn.reg;
  if ((operation & 6) === 2) {
    compareWith(cpu, OPERAND, isEmpty(r, 0), false);
    if (operation === COMPARE_AND_POP) popUnlessHeld(cpu);
  } else if (!isEmpty(r, 0)) arithmetic(cpu, operation, st(r, 0), OPERAND);
  else if (arithmeticOnEmpty(cpu, st(r, 0))) r[USED] |= 1 << ((st(r, 0) >> 2) & 7);
}

/** D8, memory: a single. */
export function arithmeticSingle(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  loadSingle(cpu.r32, OPERAND, cpu.read32(insn.segment, address));
  noteAddress(cpu, insn, address);
  withOperand(cpu, insn);
}

/** DC, memory: a double. */
export function arithmeticDouble(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  cpu.read64(insn.segment, address);
  loadDouble(cpu.r32, OPERAND, cpu.low, cpu.high);
  noteAddress(cpu, insn, address);
  withOperand(cpu, insn);
}

/** DA, memory: an integer of 32 bits. */
export function arithmeticInteger32(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  const value = cpu.read32(insn.segment, address);
  loadInteger(cpu.r32, OPERAND, value, value >> 31);
  noteAddress(cpu, insn, address);
  withOperand(cpu, insn);
}

/** DE, memory: an integer of 16 bits. */
export function arithmeticInteger16(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  const value = (cpu.read16(insn.segment, address) << 16) >> 16;
  loadInteger(cpu.r32, OPERAND, value, value >> 31);
  noteAddress(cpu, insn, address);
  withOperand(cpu, insn);
}

/** D8, registers: ST(0) = ST(0) op ST(i). */
export function arithmeticToTop(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  registers(cpu, insn, st(cpu.r32, 0));
}

/** DC, registers: ST(i) = ST(0) op ST(i). */
export function arithmeticToRegister(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  registers(cpu, insn, st(cpu.r32, insn.rm));
}

/** DE, registers: the same, and pop. */
export function arithmeticAndPop(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  if (registers(cpu, insn, st(cpu.r32, insn.rm))) pop(cpu.r32);
}

function registers(cpu: Cpu, insn: Instruction, to: number): boolean {
  const r = cpu.r32;
  if (isEmpty(r, 0) || isEmpty(r, insn.rm)) {
    if (!arithmeticOnEmpty(cpu, to)) return false;
    r[USED] |= 1 << ((to >> 2) & 7);
    return true;
  }
  return arithmetic(cpu, insn.reg, to, st(r, insn.rm));
}

// Comparisons.

/** Compares ST(0) with a slot and sets the condition codes. */
function compareWith(cpu: Cpu, slot: number, empty: boolean, quiet: boolean): void {
  const r = cpu.r32;
  const f = cpu.fpu.x87;
  let order = UNORDERED;
  if (empty) f.raised |= INVALID | STACK_FAULT;
  else order = compare(f, st(r, 0), slot, quiet);
  r[STATUS] &= ~(C0 | C2 | C3);
  settle(cpu, order);
}

/** Pops unless an unmasked exception of this instruction forbids it. */
function popUnlessHeld(cpu: Cpu): boolean {
  const { raised, masks } = cpu.fpu.x87;
  if ((raised & ~masks & 0x07) !== 0) return false;
  pop(cpu.r32);
  return true;
}

function compareRegister(cpu: Cpu, insn: Instruction, i: number, quiet: boolean): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  compareWith(cpu, st(r, i), isEmpty(r, 0) || isEmpty(r, i), quiet);
}

export function fcom(cpu: Cpu, insn: Instruction): void {
  compareRegister(cpu, insn, insn.rm, false);
}

export function fcomp(cpu: Cpu, insn: Instruction): void {
  compareRegister(cpu, insn, insn.rm, false);
  popUnlessHeld(cpu);
}

export function fcompp(cpu: Cpu, insn: Instruction): void {
  compareRegister(cpu, insn, 1, false);
  if (popUnlessHeld(cpu)) pop(cpu.r32);
}

export function fucom(cpu: Cpu, insn: Instruction): void {
  compareRegister(cpu, insn, insn.rm, true);
}

export function fucomp(cpu: Cpu, insn: Instruction): void {
  compareRegister(cpu, insn, insn.rm, true);
  popUnlessHeld(cpu);
}

export function fucompp(cpu: Cpu, insn: Instruction): void {
  compareRegister(cpu, insn, 1, true);
  if (popUnlessHeld(cpu)) pop(cpu.r32);
}

export function ftst(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  packZero(cpu.fpu.x87, SECOND, 0);
  compareWith(cpu, SECOND, isEmpty(cpu.r32, 0), false);
}

/** FCOMI and FUCOMI: the order goes to ZF, PF and CF. */
function compareToFlags(cpu: Cpu, insn: Instruction, quiet: boolean): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  const f = cpu.fpu.x87;
  let order = UNORDERED;
  if (isEmpty(r, 0) || isEmpty(r, insn.rm)) f.raised |= INVALID | STACK_FAULT;
  else order = compare(f, st(r, 0), st(r, insn.rm), quiet);
  settleKeepingC1(cpu);
  setArithmeticFlags(
    r,
    ((order & C3) !== 0 ? ZF : 0) | ((order & C2) !== 0 ? PF : 0) | ((order & C0) !== 0 ? CF : 0),
  );
}

export function fcomi(cpu: Cpu, insn: Instruction): void {
  compareToFlags(cpu, insn, false);
}

export function fcomip(cpu: Cpu, insn: Instruction): void {
  compareToFlags(cpu, insn, false);
  popUnlessHeld(cpu);
}

export function fucomi(cpu: Cpu, insn: Instruction): void {
  compareToFlags(cpu, insn, true);
}

export function fucomip(cpu: Cpu, insn: Instruction): void {
  compareToFlags(cpu, insn, true);
  popUnlessHeld(cpu);
}
