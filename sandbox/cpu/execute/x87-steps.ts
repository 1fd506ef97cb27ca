/**
 * The steps that x87 instructions are made of: may it begin, where is it, what did it raise, does its
 * result stand, push and pop.
 *
 * Source: SDM vol. 1, 8.1 to 8.7; SDM vol. 3A, 2.5 "Control Registers" (table 2-2: MP, EM, TS).
 */

import type { Cpu } from "../cpu.ts";
import * as float80 from "../fpu/float80.ts";
import { packIndefinite } from "../fpu/float80.ts";
import * as unit from "../fpu/unit.ts";
import type { Instruction } from "../instruction.ts";
import * as state from "../state.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const {
  C1,
  DENORMAL,
  HIGH,
  INVALID,
  OVERFLOW,
  PRECISION,
  SIGN_EXPONENT,
  STACK_FAULT,
  UNDERFLOW,
  WAS_DENORMAL,
  ZERO_DIVIDE,
} = float80;
const {
  CONDITION_CODES,
  ERROR_SUMMARY,
  LAST_CS,
  LAST_DP,
  LAST_DS,
  LAST_IP,
  LAST_OPCODE,
  RESULT,
  STATUS,
  TOP,
  USED,
  X87,
} = unit;
const { CR0, CR0_EM, CR0_NE, CR0_TS, CS, DEVICE_NOT_AVAILABLE, INSTRUCTION_EIP, SELECTOR, X87_FAULT } = state;

/** The slot of ST(i). */
export function st(r: Int32Array, i: number): number {
  return X87 + (((r[TOP] + i) & 7) << 2);
}

export function isEmpty(r: Int32Array, i: number): boolean {
  return ((r[USED] >>> ((r[TOP] + i) & 7)) & 1) === 0;
}

/** What every x87 instruction begins with, FWAIT but for its own rule of CR0. */
export function requireUnit(cpu: Cpu): void {
  if ((cpu.r32[CR0] & (CR0_EM | CR0_TS)) !== 0) cpu.fault(DEVICE_NOT_AVAILABLE);
}

/** What every *waiting* instruction begins with: an unmasked exception of an earlier one is due now. */
export function begin(cpu: Cpu): void {
  const r = cpu.r32;
  if ((r[CR0] & (CR0_EM | CR0_TS)) !== 0) cpu.fault(DEVICE_NOT_AVAILABLE);
  if ((r[STATUS] & ERROR_SUMMARY) !== 0) reportPending(cpu);
  cpu.fpu.x87.raised = 0;
}

/** #MF, or the way of the PC: FERR# becomes interrupt 13, and the program goes on as with IGNNE#. */
export function reportPending(cpu: Cpu): void {
  if ((cpu.r32[CR0] & CR0_NE) !== 0) cpu.fault(X87_FAULT);
  cpu.fpu.errorLine?.(true);
}

/** Remembers the instruction for an exception handler. */
export function notePlace(cpu: Cpu, insn: Instruction): void {
  const r = cpu.r32;
  r[LAST_IP] = r[INSTRUCTION_EIP];
  r[LAST_CS] = r[SELECTOR + CS];
  r[LAST_OPCODE] = ((insn.opcode & 7) << 8) | insn.modrm;
}

/** Remembers the instruction and its memory operand. */
export function noteAddress(cpu: Cpu, insn: Instruction, address: number): void {
  notePlace(cpu, insn);
  cpu.r32[LAST_DP] = address;
  cpu.r32[LAST_DS] = cpu.r32[SELECTOR + insn.segment];
}

/**
 * Takes what an operation raised into the status word, with condition codes `codes`. False if its result
 * must not be written: an unmasked exception of those that are found before the result.
 */
export function settle(cpu: Cpu, codes = 0): boolean {
  const { x87 } = cpu.fpu;
  const r = cpu.r32;
  const { raised } = x87;
  if (raised === 0 || x87.masks === 0x3f) {
    r[STATUS] = (r[STATUS] & ~C1) | codes | raised;
    return true;
  }
  const unmasked = raised & ~x87.masks & (INVALID | DENORMAL | ZERO_DIVIDE);
  if (unmasked !== 0) {
    r[STATUS] =
      (r[STATUS] & ~C1) |
      codes |
      (raised & (INVALID | DENORMAL | ZERO_DIVIDE | STACK_FAULT)) |
      ((raised & STACK_FAULT) !== 0 ? raised & C1 : 0) |
      ERROR_SUMMARY;
    return false;
  }
  r[STATUS] = (r[STATUS] & ~C1) | codes | raised;
  if ((raised & ~x87.masks & 0x3f) !== 0) r[STATUS] |= ERROR_SUMMARY;
  return true;
}

/** `settle` for results in memory, which an unmasked overflow or underflow holds back, too. */
export function settleStore(cpu: Cpu): boolean {
  const { x87 } = cpu.fpu;
  const heldBack = (x87.raised & ~x87.masks & (OVERFLOW | UNDERFLOW)) !== 0;
  if (heldBack) x87.raised &= ~(PRECISION | C1);
  return settle(cpu) && !heldBack;
}

/** True where `settleStore` would let the result of the operation be written. */
export function stores(cpu: Cpu): boolean {
  const { raised, masks } = cpu.fpu.x87;
  return (raised & ~masks & (INVALID | DENORMAL | ZERO_DIVIDE | OVERFLOW | UNDERFLOW)) === 0;
}

/** An empty register was read. `out` gets the masked response, the indefinite. */
export function underflowStack(cpu: Cpu, out: number): void {
  cpu.fpu.x87.raised |= INVALID | STACK_FAULT;
  packIndefinite(cpu.fpu.x87, out);
}

/** Writes a slot of temporaries into a register. */
export function setRegister(r: Int32Array, to: number, from: number): void {
  r[to] = r[from];
  r[to + HIGH] = r[from + HIGH];
  r[to + SIGN_EXPONENT] = r[from + SIGN_EXPONENT];
  r[to + WAS_DENORMAL] = 0;
}

/** `settle` for instructions that leave C1 alone, but for a stack fault. */
export function settleKeepingC1(cpu: Cpu): boolean {
  const kept = (cpu.fpu.x87.raised & STACK_FAULT) === 0 ? cpu.r32[STATUS] & C1 : 0;
  const stands = settle(cpu);
  cpu.r32[STATUS] |= kept;
  return stands;
}

/** Pushes RESULT if no exception holds it back; a full stack gives the indefinite instead. */
export function pushResult(cpu: Cpu): void {
  const r = cpu.r32;
  if (!isEmpty(r, 7) && (cpu.fpu.x87.raised & STACK_FAULT) === 0) {
    cpu.fpu.x87.raised = INVALID | STACK_FAULT | C1;
    packIndefinite(cpu.fpu.x87, RESULT);
  }
  // A denormal from memory is pushed even where its exception is not masked.
  if (!settle(cpu) && (cpu.fpu.x87.raised & INVALID) !== 0) return;
  const top = (r[TOP] - 1) & 7;
  r[TOP] = top;
  r[USED] |= 1 << top;
  setRegister(r, X87 + (top << 2), RESULT);
}

/** Pushes a value that cannot raise anything onto a stack with room for it. */
export function pushQuietly(r: Int32Array, from: number): void {
  const top = (r[TOP] - 1) & 7;
  const to = X87 + (top << 2);
  r[TOP] = top;
  r[USED] |= 1 << top;
  r[STATUS] &= ~C1;
  r[to] = r[from];
  r[to + HIGH] = r[from + HIGH];
  r[to + SIGN_EXPONENT] = r[from + SIGN_EXPONENT];
  r[to + WAS_DENORMAL] = 0;
}

export function pop(r: Int32Array): void {
  const top = r[TOP];
  r[USED] &= ~(1 << top);
  r[TOP] = (top + 1) & 7;
}

/** Sets condition codes, C1 among them, and leaves the rest of the status word. */
export function setCodes(r: Int32Array, codes: number): void {
  r[STATUS] = (r[STATUS] & ~CONDITION_CODES) | codes;
}
