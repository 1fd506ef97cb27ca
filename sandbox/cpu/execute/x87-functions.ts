/**
 * The instructions without operands that compute on ST(0), and on ST(1) where they take two: D9 E0 to D9 FF.
 *
 * Source: SDM vol. 2A, the instructions' own pages.
 */

import type { Cpu } from "../cpu.ts";
import { C0, C2, C3, classify } from "../fpu/compare.ts";
import { CONSTANTS, loadConstant } from "../fpu/constants.ts";
import type { Arithmetic } from "../fpu/float80.ts";
import { C1, copySlot, INVALID, packIndefinite, SIGN, SIGN_EXPONENT, STACK_FAULT } from "../fpu/float80.ts";
import { exponentialMinusOne, logarithm, logarithmPlusOne } from "../fpu/logarithm.ts";
import { isNan } from "../fpu/nan.ts";
import { extract, NO_QUOTIENT, remainder, roundToInteger, scale } from "../fpu/remainder.ts";
import { squareRoot } from "../fpu/square-root.ts";
import { arctangent, cosine, sine, sineAndCosine, tangent } from "../fpu/trigonometric.ts";
import { RESULT, RESULT2, STATUS, TOP, USED, X87 } from "../fpu/unit.ts";
import type { Handler, Instruction } from "../instruction.ts";
import {
  begin,
  isEmpty,
  notePlace,
  pop,
  setCodes,
  setRegister,
  settle,
  st,
  underflowStack,
} from "./x87-steps.ts";

type Unary = (f: Arithmetic, out: number, a: number) => void;
type Binary = (f: Arithmetic, out: number, a: number, b: number) => void;

/** Writes RESULT to ST(0), which is in use from then on. */
function replaceTop(r: Int32Array): void {
  setRegister(r, st(r, 0), RESULT);
  r[USED] |= 1 << r[TOP];
}

/** ST(0) = f (ST(0)). */
function unary(operation: Unary): Handler {
  return (cpu, insn) => {
    begin(cpu);
    notePlace(cpu, insn);
    const r = cpu.r32;
    if (isEmpty(r, 0)) underflowStack(cpu, RESULT);
    else operation(cpu.fpu.x87, RESULT, st(r, 0));
    if (settle(cpu)) replaceTop(r);
  };
}

export const fsqrt = unary(squareRoot);
export const frndint = unary(roundToInteger);
export const f2xm1 = unary(exponentialMinusOne);

/** ST(0) = f (ST(0), ST(1)). */
export function fscale(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  if (isEmpty(r, 0) || isEmpty(r, 1)) underflowStack(cpu, RESULT);
  else scale(cpu.fpu.x87, RESULT, st(r, 0), st(r, 1));
  if (settle(cpu)) replaceTop(r);
}

function partialRemainder(cpu: Cpu, insn: Instruction, nearest: boolean): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  let codes = NO_QUOTIENT;
  if (isEmpty(r, 0) || isEmpty(r, 1)) underflowStack(cpu, RESULT);
  else codes = remainder(cpu.fpu.x87, RESULT, st(r, 0), st(r, 1), nearest);
  r[STATUS] &= codes === NO_QUOTIENT ? ~C2 : ~(C0 | C2 | C3);
  if (settle(cpu, codes === NO_QUOTIENT ? 0 : codes)) replaceTop(r);
}

export function fprem(cpu: Cpu, insn: Instruction): void {
  partialRemainder(cpu, insn, false);
}

export function fprem1(cpu: Cpu, insn: Instruction): void {
  partialRemainder(cpu, insn, true);
}

/** ST(1) = f (ST(0), ST(1)), and pop. */
function binaryAndPop(operation: Binary): Handler {
  return (cpu, insn) => {
    begin(cpu);
    notePlace(cpu, insn);
    const r = cpu.r32;
    if (isEmpty(r, 0) || isEmpty(r, 1)) underflowStack(cpu, RESULT);
    else operation(cpu.fpu.x87, RESULT, st(r, 0), st(r, 1));
    if (!settle(cpu)) return;
    pop(r);
    replaceTop(r);
  };
}

export const fyl2x = binaryAndPop(logarithm);
export const fyl2xp1 = binaryAndPop(logarithmPlusOne);
export const fpatan = binaryAndPop(arctangent);

/** FSIN and FCOS: out of range, C2 is set and nothing else happens. */
function trigonometric(operation: (f: Arithmetic, out: number, a: number) => boolean): Handler {
  return (cpu, insn) => {
    begin(cpu);
    notePlace(cpu, insn);
    const r = cpu.r32;
    r[STATUS] &= ~C2;
    if (isEmpty(r, 0)) underflowStack(cpu, RESULT);
    else if (!operation(cpu.fpu.x87, RESULT, st(r, 0))) {
      settle(cpu, C2);
      return;
    }
    if (settle(cpu)) replaceTop(r);
  };
}

export const fsin = trigonometric(sine);
export const fcos = trigonometric(cosine);

/** FPTAN, FSINCOS and FXTRACT leave RESULT in ST(0)'s place and push RESULT2. */
function replaceAndPush(cpu: Cpu): void {
  const r = cpu.r32;
  if (!settle(cpu)) return;
  replaceTop(r);
  const top = (r[TOP] - 1) & 7;
  r[TOP] = top;
  r[USED] |= 1 << top;
  setRegister(r, X87 + (top << 2), RESULT2);
}

/** Answers an empty ST(0) or a full stack; true if the operation must not go on. */
function cannotPush(cpu: Cpu): boolean {
  const r = cpu.r32;
  const f = cpu.fpu.x87;
  const empty = isEmpty(r, 0);
  if (!empty && isEmpty(r, 7)) return false;
  f.raised |= empty ? INVALID | STACK_FAULT : INVALID | STACK_FAULT | C1;
  packIndefinite(f, RESULT);
  packIndefinite(f, RESULT2);
  return true;
}

export function fptan(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  const f = cpu.fpu.x87;
  r[STATUS] &= ~C2;
  if (!cannotPush(cpu)) {
    if (!tangent(f, RESULT, st(r, 0))) {
      settle(cpu, C2);
      return;
    }
    if (isNan(r, RESULT)) copySlot(r, RESULT2, RESULT);
    else loadConstant(f, RESULT2, CONSTANTS[0]);
  }
  replaceAndPush(cpu);
}

export function fsincos(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  r[STATUS] &= ~C2;
  if (!cannotPush(cpu) && !sineAndCosine(cpu.fpu.x87, RESULT, RESULT2, st(r, 0))) {
    settle(cpu, C2);
    return;
  }
  replaceAndPush(cpu);
}

/** The exponent stays in ST(0)'s place, the significand is pushed. */
export function fxtract(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  if (!cannotPush(cpu)) extract(cpu.fpu.x87, RESULT, RESULT2, st(cpu.r32, 0));
  replaceAndPush(cpu);
}

/** FCHS and FABS change a bit, whatever the rest is. */
function changeSign(cpu: Cpu, insn: Instruction, keep: number, flip: number): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  if (isEmpty(r, 0)) underflowStack(cpu, RESULT);
  else {
    copySlot(r, RESULT, st(r, 0));
    r[RESULT + SIGN_EXPONENT] = (r[RESULT + SIGN_EXPONENT] & keep) ^ flip;
  }
  if (settle(cpu)) replaceTop(r);
}

export function fchs(cpu: Cpu, insn: Instruction): void {
  changeSign(cpu, insn, 0xffff, SIGN);
}

export function fabs(cpu: Cpu, insn: Instruction): void {
  changeSign(cpu, insn, 0x7fff, 0);
}

/** FXAM: what ST(0) is, empty registers included; C1 is its sign. */
export function fxam(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  const slot = st(r, 0);
  const sign = (r[slot + SIGN_EXPONENT] & SIGN) !== 0 ? C1 : 0;
  setCodes(r, (isEmpty(r, 0) ? C3 | C0 : classify(r, slot)) | sign);
}
