/**
 * Loads, stores, exchanges and conditional moves of the x87 stack.
 *
 * A load converts into RESULT and pushes it; a store converts into RESULT, writes memory, and only then
 * touches status and stack, so that a fault of the write leaves both as they were.
 *
 * Source: SDM vol. 2A, FLD, FST, FILD, FIST, FISTTP, FBLD, FBSTP, FXCH, FCMOVcc, FLD1 …
 */

import { arithmeticFlags } from "#layers/02-real-mode/alu.ts";
import type { Cpu } from "../cpu.ts";
import { loadDecimal, storeDecimal } from "../fpu/bcd.ts";
import * as constants from "../fpu/constants.ts";
import { loadConstant } from "../fpu/constants.ts";
import { loadDouble, loadInteger, loadSingle, storeFloat, storeInteger } from "../fpu/convert.ts";
import * as float80 from "../fpu/float80.ts";
import { copySlot, packIndefinite } from "../fpu/float80.ts";
import { isSignaling } from "../fpu/nan.ts";
import * as unit from "../fpu/unit.ts";
import type { Instruction } from "../instruction.ts";
import * as state from "../state.ts";
import {
  begin,
  isEmpty,
  noteAddress,
  notePlace,
  pop,
  pushQuietly,
  pushResult,
  setRegister,
  settle,
  settleStore,
  st,
  stores,
  underflowStack,
} from "./x87-steps.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { CONSTANTS } = constants;
const { C1, DENORMAL, DOUBLE, EXPONENT, HIGH, INVALID, SIGN_EXPONENT, SINGLE, STACK_FAULT, WAS_DENORMAL } =
  float80;
const { OPERAND, RESULT, STATUS, USED } = unit;
const { CF, PF, ZF } = state;

const QUIET = 0x4000_0000;

// Loads.

/** Pushes a value that came from a shorter format: its signaling NaNs and denormals count now. */
function pushWidened(cpu: Cpu): void {
  const r = cpu.r32;
  const isOrdinary = r[RESULT + WAS_DENORMAL] === 0 && (r[RESULT + SIGN_EXPONENT] & EXPONENT) !== EXPONENT;
  if (isOrdinary && isEmpty(r, 7)) {
    pushQuietly(r, RESULT);
    return;
  }
  if (isSignaling(r, RESULT)) {
    cpu.fpu.x87.raised |= INVALID;
    r[RESULT + HIGH] |= QUIET;
  } else if (r[RESULT + WAS_DENORMAL] !== 0) cpu.fpu.x87.raised |= DENORMAL;
  pushResult(cpu);
}

export function fldSingle(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  loadSingle(cpu.r32, RESULT, cpu.read32(insn.segment, address));
  noteAddress(cpu, insn, address);
  pushWidened(cpu);
}

export function fldDouble(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  cpu.read64(insn.segment, address);
  loadDouble(cpu.r32, RESULT, cpu.low, cpu.high);
  noteAddress(cpu, insn, address);
  pushWidened(cpu);
}

/** Reads ten bytes into a slot. */
function readTenBytes(cpu: Cpu, insn: Instruction, address: number, slot: number): void {
  const r = cpu.r32;
  cpu.linear(insn.segment, address, 10, false);
  cpu.read64(insn.segment, address);
  const { low, high } = cpu;
  r[slot + SIGN_EXPONENT] = cpu.read16(insn.segment, (address + 8) & insn.addressMask);
  r[slot] = low;
  r[slot + HIGH] = high;
  r[slot + WAS_DENORMAL] = 0;
}

function writeTenBytes(cpu: Cpu, insn: Instruction, address: number, slot: number): void {
  const r = cpu.r32;
  cpu.checkWrite(insn.segment, address, 10);
  cpu.write64(insn.segment, address, r[slot], r[slot + HIGH]);
  cpu.write16(insn.segment, (address + 8) & insn.addressMask, r[slot + SIGN_EXPONENT]);
}

/** FLD m80: a copy, which no NaN or denormal disturbs. */
export function fldExtended(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  readTenBytes(cpu, insn, address, RESULT);
  noteAddress(cpu, insn, address);
  pushResult(cpu);
}

export function fldRegister(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  if (isEmpty(r, insn.rm)) underflowStack(cpu, RESULT);
  else if (isEmpty(r, 7)) {
    pushQuietly(r, st(r, insn.rm));
    return;
  }
  pushResult(cpu);
}

export function fild16(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  const value = (cpu.read16(insn.segment, address) << 16) >> 16;
  loadInteger(cpu.r32, RESULT, value, value >> 31);
  noteAddress(cpu, insn, address);
  pushResult(cpu);
}

export function fild32(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  const value = cpu.read32(insn.segment, address);
  loadInteger(cpu.r32, RESULT, value, value >> 31);
  noteAddress(cpu, insn, address);
  pushResult(cpu);
}

export function fild64(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  cpu.read64(insn.segment, address);
  loadInteger(cpu.r32, RESULT, cpu.low, cpu.high);
  noteAddress(cpu, insn, address);
  pushResult(cpu);
}

export function fbld(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  readTenBytes(cpu, insn, address, OPERAND);
  loadDecimal(cpu.r32, RESULT, OPERAND);
  noteAddress(cpu, insn, address);
  pushResult(cpu);
}

/** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ. */
export function loadKnown(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  loadConstant(cpu.fpu.x87, RESULT, CONSTANTS[insn.rm]);
  pushResult(cpu);
}

// Stores.

/** ST(0) as a single or double into RESULT. */
function narrow(cpu: Cpu, format: number): void {
  const f = cpu.fpu.x87;
  const r = cpu.r32;
  if (isEmpty(r, 0)) {
    f.raised |= INVALID | STACK_FAULT;
    r[RESULT] = format === SINGLE ? 0xffc0_0000 : 0;
    r[RESULT + HIGH] = 0xfff8_0000;
  } else storeFloat(f, RESULT, st(r, 0), format);
}

function storeSingle(cpu: Cpu, insn: Instruction): boolean {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  narrow(cpu, SINGLE);
  if (stores(cpu)) cpu.write32(insn.segment, address, cpu.r32[RESULT]);
  noteAddress(cpu, insn, address);
  return settleStore(cpu);
}

export function fstSingle(cpu: Cpu, insn: Instruction): void {
  storeSingle(cpu, insn);
}

export function fstpSingle(cpu: Cpu, insn: Instruction): void {
  if (storeSingle(cpu, insn)) pop(cpu.r32);
}

function storeDouble(cpu: Cpu, insn: Instruction): boolean {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  narrow(cpu, DOUBLE);
  if (stores(cpu)) cpu.write64(insn.segment, address, cpu.r32[RESULT], cpu.r32[RESULT + HIGH]);
  noteAddress(cpu, insn, address);
  return settleStore(cpu);
}

export function fstDouble(cpu: Cpu, insn: Instruction): void {
  storeDouble(cpu, insn);
}

export function fstpDouble(cpu: Cpu, insn: Instruction): void {
  if (storeDouble(cpu, insn)) pop(cpu.r32);
}

export function fstpExtended(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  const r = cpu.r32;
  if (isEmpty(r, 0)) underflowStack(cpu, RESULT);
  else copySlot(r, RESULT, st(r, 0));
  if (stores(cpu)) writeTenBytes(cpu, insn, address, RESULT);
  noteAddress(cpu, insn, address);
  if (settleStore(cpu)) pop(r);
}

/** ST(0) as an integer into RESULT. */
function integer(cpu: Cpu, bits: number): void {
  const f = cpu.fpu.x87;
  const r = cpu.r32;
  if (isEmpty(r, 0)) {
    f.raised |= INVALID | STACK_FAULT;
    r[RESULT] = bits === 64 ? 0 : bits === 32 ? -0x8000_0000 : -0x8000;
    r[RESULT + HIGH] = -0x8000_0000;
  } else storeInteger(f, RESULT, st(r, 0), bits, f.rounding);
}

function storeInteger16(cpu: Cpu, insn: Instruction): boolean {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  integer(cpu, 16);
  if (stores(cpu)) cpu.write16(insn.segment, address, cpu.r32[RESULT]);
  noteAddress(cpu, insn, address);
  return settleStore(cpu);
}

export function fist16(cpu: Cpu, insn: Instruction): void {
  storeInteger16(cpu, insn);
}

export function fistp16(cpu: Cpu, insn: Instruction): void {
  if (storeInteger16(cpu, insn)) pop(cpu.r32);
}

function storeInteger32(cpu: Cpu, insn: Instruction): boolean {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  integer(cpu, 32);
  if (stores(cpu)) cpu.write32(insn.segment, address, cpu.r32[RESULT]);
  noteAddress(cpu, insn, address);
  return settleStore(cpu);
}

export function fist32(cpu: Cpu, insn: Instruction): void {
  storeInteger32(cpu, insn);
}

export function fistp32(cpu: Cpu, insn: Instruction): void {
  if (storeInteger32(cpu, insn)) pop(cpu.r32);
}

export function fistp64(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  integer(cpu, 64);
  if (stores(cpu)) cpu.write64(insn.segment, address, cpu.r32[RESULT], cpu.r32[RESULT + HIGH]);
  noteAddress(cpu, insn, address);
  if (settleStore(cpu)) pop(cpu.r32);
}

export function fbstp(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  const address = cpu.effectiveAddress(insn);
  const r = cpu.r32;
  if (isEmpty(r, 0)) {
    cpu.fpu.x87.raised |= INVALID | STACK_FAULT;
    r[RESULT] = 0;
    r[RESULT + HIGH] = -0x4000_0000;
    r[RESULT + SIGN_EXPONENT] = 0xffff;
  } else storeDecimal(cpu.fpu.x87, RESULT, st(r, 0));
  if (stores(cpu)) writeTenBytes(cpu, insn, address, RESULT);
  noteAddress(cpu, insn, address);
  if (settleStore(cpu)) pop(r);
}

// Between registers.

/** Copies ST(0) to ST(i). */
function storeRegister(cpu: Cpu, insn: Instruction): boolean {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  const to = st(r, insn.rm);
  if (isEmpty(r, 0)) {
    underflowStack(cpu, RESULT);
    if (!settle(cpu)) return false;
    setRegister(r, to, RESULT);
  } else {
    r[STATUS] &= ~C1;
    setRegister(r, to, st(r, 0));
  }
  r[USED] |= 1 << ((to >> 2) & 7);
  return true;
}

export function fstRegister(cpu: Cpu, insn: Instruction): void {
  storeRegister(cpu, insn);
}

export function fstpRegister(cpu: Cpu, insn: Instruction): void {
  if (storeRegister(cpu, insn)) pop(cpu.r32);
}

/** FSTPNCE is FSTP without a complaint about an empty ST(0): that is only popped. */
export function fstpnce(cpu: Cpu, insn: Instruction): void {
  const r = cpu.r32;
  if (!isEmpty(r, 0)) {
    fstpRegister(cpu, insn);
    return;
  }
  begin(cpu);
  notePlace(cpu, insn);
  settle(cpu);
  pop(r);
}

export function fxch(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  const f = cpu.fpu.x87;
  const a = st(r, 0);
  const b = st(r, insn.rm);
  if (isEmpty(r, 0) || isEmpty(r, insn.rm)) {
    f.raised |= INVALID | STACK_FAULT;
    if (!settle(cpu)) return;
    if (isEmpty(r, 0)) packIndefinite(f, a);
    if (isEmpty(r, insn.rm)) packIndefinite(f, b);
    r[USED] |= (1 << ((a >> 2) & 7)) | (1 << ((b >> 2) & 7));
  } else r[STATUS] &= ~C1;
  const low = r[a];
  const high = r[a + HIGH];
  const signExponent = r[a + SIGN_EXPONENT];
  r[a] = r[b];
  r[a + HIGH] = r[b + HIGH];
  r[a + SIGN_EXPONENT] = r[b + SIGN_EXPONENT];
  r[b] = low;
  r[b + HIGH] = high;
  r[b + SIGN_EXPONENT] = signExponent;
}

/** FCMOVcc: ModRM.reg says the flag, the opcode whether it must be set (DA) or clear (DB). */
export function fcmov(cpu: Cpu, insn: Instruction): void {
  begin(cpu);
  notePlace(cpu, insn);
  const r = cpu.r32;
  const flags = arithmeticFlags(r);
  const isSet = (flags & [CF, ZF, CF | ZF, PF][insn.reg & 3]) !== 0;
  const moves = isSet === ((insn.opcode & 1) === 0);
  if (isEmpty(r, 0) || isEmpty(r, insn.rm)) {
    // Whether it would have moved or not.
    underflowStack(cpu, RESULT);
    if (!settle(cpu)) return;
    setRegister(r, st(r, 0), RESULT);
    r[USED] |= 1 << ((st(r, 0) >> 2) & 7);
    return;
  }
  if (moves) copySlot(r, st(r, 0), st(r, insn.rm));
}
