/**
 * IN, OUT, INS, OUTS.
 *
 * Port accesses leave the loop without a throw: the handler notes the exit and asks for attention. OUT is
 * done then; IN finishes when the answer comes. INS and OUTS go the way of all device accesses, by the log.
 */
import { advance, countDown, repetitions } from "#layers/02-real-mode/strings.ts";
import type { Cpu } from "../cpu.ts";
import * as deviceAccess from "../device-access.ts";
import type { Handler, Instruction } from "../instruction.ts";
import * as instruction from "../instruction.ts";
import * as state from "../state.ts";
import { requirePort } from "../system/io-permission.ts";
import type { BySize } from "./arithmetic.ts";
import { pause } from "./string.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { MOST_STRING_BYTES } = deviceAccess;
const { PREFIX_REP, PREFIX_REPNE } = instruction;
const { DF, EAX, EDI, EDX, ES, ESI, SYSTEM_FLAGS } = state;

type Size = 1 | 2 | 4;

function input(cpu: Cpu, port: number, size: Size): void {
  requirePort(cpu, port, size);
  cpu.devices.requestIo("in", port, size, 1);
  cpu.devices.completesInput = true;
  cpu.attend();
}

function output(cpu: Cpu, port: number, size: Size): void {
  requirePort(cpu, port, size);
  const { io } = cpu.devices;
  const value = cpu.r32[EAX];
  for (let byte = 0; byte < size; byte++) io.data[byte] = value >>> (8 * byte);
  cpu.devices.requestIo("out", port, size, 1);
  cpu.attend();
}

const dx = (cpu: Cpu): number => cpu.r16[EDX * 2];

export const inALIb: Handler = (cpu, insn) => input(cpu, insn.immediate & 0xff, 1);
export const ineAXIb: Handler = (cpu, insn) => input(cpu, insn.immediate & 0xff, insn.operandSize as Size);
export const inALDX: Handler = cpu => input(cpu, dx(cpu), 1);
export const ineAXDX: Handler = (cpu, insn) => input(cpu, dx(cpu), insn.operandSize as Size);
export const outIbAL: Handler = (cpu, insn) => output(cpu, insn.immediate & 0xff, 1);
export const outIbeAX: Handler = (cpu, insn) => output(cpu, insn.immediate & 0xff, insn.operandSize as Size);
export const outDXAL: Handler = cpu => output(cpu, dx(cpu), 1);
export const outDXeAX: Handler = (cpu, insn) => output(cpu, dx(cpu), insn.operandSize as Size);

const form = { size: 1 as Size, segment: 0, addressMask: -1 };

function isRepeated(insn: Instruction): boolean {
  return (insn.prefixes & (PREFIX_REP | PREFIX_REPNE)) !== 0;
}

/** Items that one exit brings: as many as KVM's emulator asks for at once. */
function itemsAtOnce(cpu: Cpu, insn: Instruction, size: Size): number {
  if (!isRepeated(insn)) return 1;
  const offset = cpu.r32[EDI] & insn.addressMask & 0xfff;
  const inPage = (cpu.r32[SYSTEM_FLAGS] & DF) === 0 ? 0x1000 - offset : offset;
  const most = Math.floor(MOST_STRING_BYTES / size);
  return Math.max(1, Math.min(Math.floor(inPage / size), most, repetitions(cpu.r32, insn.addressMask)));
}

function ins(cpu: Cpu, insn: Instruction, size: Size): void {
  form.size = size;
  form.segment = ES;
  form.addressMask = insn.addressMask;
  if (isRepeated(insn) && repetitions(cpu.r32, insn.addressMask) === 0) return;
  const { devices } = cpu;
  requirePort(cpu, dx(cpu), size);
  cpu.checkWrite(ES, cpu.r32[EDI] & insn.addressMask, size);
  const count = devices.portItems;
  if (count === 0) {
    devices.requestIo("in", dx(cpu), size, itemsAtOnce(cpu, insn, size));
    devices.leave();
  }
  const { data } = devices.io;
  for (let item = devices.portItem; item < count; item++) {
    const at = item * size;
    const offset = cpu.r32[EDI] & insn.addressMask;
    if (size === 1) cpu.write8(ES, offset, data[at]);
    else if (size === 2) cpu.write16(ES, offset, data[at] | (data[at + 1] << 8));
    else {
      cpu.write32(ES, offset, data[at] | (data[at + 1] << 8) | (data[at + 2] << 16) | (data[at + 3] << 24));
    }
    advance(cpu, EDI, form);
    if (isRepeated(insn)) countDown(cpu.r32, insn.addressMask, 1);
    devices.itemDone();
  }
  if (isRepeated(insn) && repetitions(cpu.r32, insn.addressMask) !== 0) pause(cpu);
}

function outs(cpu: Cpu, insn: Instruction, size: Size): void {
  form.size = size;
  form.addressMask = insn.addressMask;
  const left = isRepeated(insn) ? repetitions(cpu.r32, insn.addressMask) : 1;
  if (left === 0) return;
  requirePort(cpu, dx(cpu), size);
  const offset = cpu.r32[ESI] & insn.addressMask;
  const value =
    size === 1
      ? cpu.read8(insn.segment, offset)
      : size === 2
        ? cpu.read16(insn.segment, offset)
        : cpu.read32(insn.segment, offset);
  const { io } = cpu.devices;
  for (let byte = 0; byte < size; byte++) io.data[byte] = value >>> (8 * byte);
  cpu.devices.requestIo("out", dx(cpu), size, 1);
  advance(cpu, ESI, form);
  if (isRepeated(insn)) countDown(cpu.r32, insn.addressMask, 1);
  if (left > 1) pause(cpu);
  cpu.attend();
}

export const insb: Handler = (cpu, insn) => ins(cpu, insn, 1);
export const insv: BySize = [(cpu, insn) => ins(cpu, insn, 2), (cpu, insn) => ins(cpu, insn, 4)];
export const outsb: Handler = (cpu, insn) => outs(cpu, insn, 1);
export const outsv: BySize = [(cpu, insn) => outs(cpu, insn, 2), (cpu, insn) => outs(cpu, insn, 4)];
