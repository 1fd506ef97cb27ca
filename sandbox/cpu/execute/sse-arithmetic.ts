/**
 * Arithmetic, comparison and conversion of packed and scalar singles and doubles.
 *
 * Lanes are computed into VECTOR3 and copied to the destination when no exception stands against it.
 *
 * Source: SDM vol. 2, the instructions' own pages; SDM vol. 1, 11.4 and 11.5.
 */

import { setArithmeticFlags } from "#layers/02-real-mode/alu.ts";
import type { Cpu } from "../cpu.ts";
import { C0, C2, C3 } from "../fpu/compare.ts";
import { DOUBLE, SINGLE } from "../fpu/float80.ts";
import {
  compareLane,
  comparesLane,
  computeLane,
  convertLane,
  type FloatFormat,
  laneFromInteger,
  laneToInteger,
} from "../fpu/sse.ts";
import { VECTOR3 } from "../fpu/unit.ts";
import type { Handler, Instruction } from "../instruction.ts";
import { CF, PF, ZF } from "../state.ts";
import {
  beginMmx,
  beginSse,
  copyVector,
  enterMmx,
  mm,
  settleSse,
  source32,
  source64,
  source128,
  writeMmx,
  xmm,
} from "./sse-steps.ts";

/** Word index of a scalar source. */
function scalarSource(cpu: Cpu, insn: Instruction, format: FloatFormat): number {
  return format === SINGLE ? source32(cpu, insn) : source64(cpu, insn);
}

function setScalar(r: Int32Array, to: number, format: FloatFormat): void {
  r[to] = r[VECTOR3];
  if (format === DOUBLE) r[to + 1] = r[VECTOR3 + 1];
}

/** Vps = Vps op Wps, or Vpd = Vpd op Wpd. */
export function packed(format: FloatFormat, operation: number): Handler {
  const step = format === SINGLE ? 1 : 2;
  return (cpu, insn) => {
    beginSse(cpu);
    const source = source128(cpu, insn);
    const to = xmm(insn.reg);
    for (let i = 0; i < 4; i += step) {
      computeLane(cpu.fpu, format, operation, VECTOR3 + i, to + i, source + i);
    }
    settleSse(cpu);
    copyVector(cpu.r32, to, VECTOR3);
  };
}

/** Vss = Vss op Wss, or Vsd = Vsd op Wsd; the other lanes stay. */
export function scalar(format: FloatFormat, operation: number): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    const source = scalarSource(cpu, insn, format);
    const to = xmm(insn.reg);
    computeLane(cpu.fpu, format, operation, VECTOR3, to, source);
    settleSse(cpu);
    setScalar(cpu.r32, to, format);
  };
}

/** RCPPS and RSQRTPS. */
export function approximatePacked(operation: (bits: number) => number): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    const source = source128(cpu, insn);
    const r = cpu.r32;
    const to = xmm(insn.reg);
    for (let i = 0; i < 4; i++) r[to + i] = operation(r[source + i]);
  };
}

/** RCPSS and RSQRTSS. */
export function approximateScalar(operation: (bits: number) => number): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    cpu.r32[xmm(insn.reg)] = operation(cpu.r32[source32(cpu, insn)]);
  };
}

/** CMPccPS and CMPccPD: lanes of ones or zeros. */
export function comparePacked(format: FloatFormat): Handler {
  const step = format === SINGLE ? 1 : 2;
  return (cpu, insn) => {
    beginSse(cpu);
    const source = source128(cpu, insn);
    const r = cpu.r32;
    const to = xmm(insn.reg);
    for (let i = 0; i < 4; i += step) {
      const mask = comparesLane(cpu.fpu, format, insn.immediate & 7, to + i, source + i) ? -1 : 0;
      r[VECTOR3 + i] = mask;
      if (step === 2) r[VECTOR3 + i + 1] = mask;
    }
    settleSse(cpu);
    copyVector(r, to, VECTOR3);
  };
}

export function compareScalar(format: FloatFormat): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    const source = scalarSource(cpu, insn, format);
    const r = cpu.r32;
    const to = xmm(insn.reg);
    const mask = comparesLane(cpu.fpu, format, insn.immediate & 7, to, source) ? -1 : 0;
    settleSse(cpu);
    r[to] = mask;
    if (format === DOUBLE) r[to + 1] = mask;
  };
}

/** COMISS, COMISD; `quiet` for UCOMISS, UCOMISD: the order goes to ZF, PF and CF. */
export function compareToFlags(format: FloatFormat, quiet: boolean): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    const source = scalarSource(cpu, insn, format);
    const order = compareLane(cpu.fpu, format, xmm(insn.reg), source, quiet);
    settleSse(cpu);
    setArithmeticFlags(
      cpu.r32,
      ((order & C3) !== 0 ? ZF : 0) | ((order & C2) !== 0 ? PF : 0) | ((order & C0) !== 0 ? CF : 0),
    );
  };
}

// Conversions.

/** CVTSS2SD and CVTSD2SS. */
export function convertScalar(from: FloatFormat): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    convertLane(cpu.fpu, from, VECTOR3, scalarSource(cpu, insn, from));
    settleSse(cpu);
    setScalar(cpu.r32, xmm(insn.reg), from === SINGLE ? DOUBLE : SINGLE);
  };
}

/** CVTPS2PD: the two low singles. */
export function cvtps2pd(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const source = source64(cpu, insn);
  convertLane(cpu.fpu, SINGLE, VECTOR3, source);
  convertLane(cpu.fpu, SINGLE, VECTOR3 + 2, source + 1);
  settleSse(cpu);
  copyVector(cpu.r32, xmm(insn.reg), VECTOR3);
}

/** CVTPD2PS: to the two low singles; the upper half becomes zero. */
export function cvtpd2ps(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const source = source128(cpu, insn);
  convertLane(cpu.fpu, DOUBLE, VECTOR3, source);
  convertLane(cpu.fpu, DOUBLE, VECTOR3 + 1, source + 2);
  settleSse(cpu);
  setLowHalf(cpu.r32, xmm(insn.reg));
}

function setLowHalf(r: Int32Array, to: number): void {
  r[to] = r[VECTOR3];
  r[to + 1] = r[VECTOR3 + 1];
  r[to + 2] = 0;
  r[to + 3] = 0;
}

/** CVTSI2SS and CVTSI2SD. */
export function convertFromInteger(to: FloatFormat): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    laneFromInteger(cpu.fpu, to, VECTOR3, cpu.readRm32(insn));
    settleSse(cpu);
    setScalar(cpu.r32, xmm(insn.reg), to);
  };
}

/** CVTSS2SI, CVTSD2SI and, truncating, CVTTSS2SI and CVTTSD2SI. */
export function convertToInteger(from: FloatFormat, truncates: boolean): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    laneToInteger(cpu.fpu, from, VECTOR3, scalarSource(cpu, insn, from), truncates);
    settleSse(cpu);
    cpu.r32[2 * insn.reg] = cpu.r32[VECTOR3];
  };
}

export function cvtdq2ps(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const source = source128(cpu, insn);
  for (let i = 0; i < 4; i++) laneFromInteger(cpu.fpu, SINGLE, VECTOR3 + i, cpu.r32[source + i]);
  settleSse(cpu);
  copyVector(cpu.r32, xmm(insn.reg), VECTOR3);
}

/** CVTDQ2PD: the two low integers. */
export function cvtdq2pd(cpu: Cpu, insn: Instruction): void {
  beginSse(cpu);
  const source = source64(cpu, insn);
  laneFromInteger(cpu.fpu, DOUBLE, VECTOR3, cpu.r32[source]);
  laneFromInteger(cpu.fpu, DOUBLE, VECTOR3 + 2, cpu.r32[source + 1]);
  copyVector(cpu.r32, xmm(insn.reg), VECTOR3);
}

/** CVTPS2DQ and CVTTPS2DQ. */
export function convertSinglesToIntegers(truncates: boolean): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    const source = source128(cpu, insn);
    for (let i = 0; i < 4; i++) laneToInteger(cpu.fpu, SINGLE, VECTOR3 + i, source + i, truncates);
    settleSse(cpu);
    copyVector(cpu.r32, xmm(insn.reg), VECTOR3);
  };
}

/** CVTPD2DQ and CVTTPD2DQ. */
export function convertDoublesToIntegers(truncates: boolean): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    const source = source128(cpu, insn);
    laneToInteger(cpu.fpu, DOUBLE, VECTOR3, source, truncates);
    laneToInteger(cpu.fpu, DOUBLE, VECTOR3 + 1, source + 2, truncates);
    settleSse(cpu);
    setLowHalf(cpu.r32, xmm(insn.reg));
  };
}

/** CVTPI2PS: two integers to the two low singles. With a memory operand the x87 is left alone. */
export function cvtpi2ps(cpu: Cpu, insn: Instruction): void {
  const source = integerPair(cpu, insn);
  const r = cpu.r32;
  laneFromInteger(cpu.fpu, SINGLE, VECTOR3, r[source]);
  laneFromInteger(cpu.fpu, SINGLE, VECTOR3 + 1, r[source + 1]);
  settleSse(cpu);
  const to = xmm(insn.reg);
  r[to] = r[VECTOR3];
  r[to + 1] = r[VECTOR3 + 1];
}

export function cvtpi2pd(cpu: Cpu, insn: Instruction): void {
  const source = integerPair(cpu, insn);
  const r = cpu.r32;
  laneFromInteger(cpu.fpu, DOUBLE, VECTOR3, r[source]);
  laneFromInteger(cpu.fpu, DOUBLE, VECTOR3 + 2, r[source + 1]);
  copyVector(r, xmm(insn.reg), VECTOR3);
}

function integerPair(cpu: Cpu, insn: Instruction): number {
  beginSse(cpu);
  if (insn.isMemory) return source64(cpu, insn);
  beginMmx(cpu);
  enterMmx(cpu.r32);
  return mm(insn.rm);
}

/** CVTPS2PI and CVTTPS2PI: the two low singles to an MMX register. */
export function convertSinglesToMmx(truncates: boolean): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    beginMmx(cpu);
    const source = source64(cpu, insn);
    laneToInteger(cpu.fpu, SINGLE, VECTOR3, source, truncates);
    laneToInteger(cpu.fpu, SINGLE, VECTOR3 + 1, source + 1, truncates);
    enterMmx(cpu.r32);
    settleSse(cpu);
    writeMmx(cpu.r32, insn.reg, VECTOR3);
  };
}

/** CVTPD2PI and CVTTPD2PI. */
export function convertDoublesToMmx(truncates: boolean): Handler {
  return (cpu, insn) => {
    beginSse(cpu);
    beginMmx(cpu);
    const source = source128(cpu, insn);
    laneToInteger(cpu.fpu, DOUBLE, VECTOR3, source, truncates);
    laneToInteger(cpu.fpu, DOUBLE, VECTOR3 + 1, source + 2, truncates);
    enterMmx(cpu.r32);
    settleSse(cpu);
    writeMmx(cpu.r32, insn.reg, VECTOR3);
  };
}
