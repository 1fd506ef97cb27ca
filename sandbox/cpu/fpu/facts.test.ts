import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Cpu } from "../cpu.ts";
import { arithmeticToTop, fcom, fucom } from "../execute/x87-arithmetic.ts";
import * as functions from "../execute/x87-functions.ts";
import { type Handler, Instruction } from "../instruction.ts";
import { viewRegisters } from "../state.ts";
import { FloatingPointUnit } from "./unit.ts";

/** Instruction, ModRM.reg where the handler looks at it, and ModRM.rm. */
const HANDLERS: Readonly<Record<string, readonly [Handler, number, number]>> = {
  fadd: [arithmeticToTop, 0, 1],
  fmul: [arithmeticToTop, 1, 1],
  fsub: [arithmeticToTop, 4, 1],
  fdiv: [arithmeticToTop, 6, 1],
  fcom: [fcom, 2, 1],
  fucom: [fucom, 4, 1],
  fsqrt: [functions.fsqrt, 7, 2],
  frndint: [functions.frndint, 7, 4],
  fprem: [functions.fprem, 7, 0],
  fprem1: [functions.fprem1, 6, 5],
  fscale: [functions.fscale, 7, 5],
  f2xm1: [functions.f2xm1, 6, 0],
  fyl2x: [functions.fyl2x, 6, 1],
  fyl2xp1: [functions.fyl2xp1, 7, 1],
  fpatan: [functions.fpatan, 6, 3],
  fsin: [functions.fsin, 7, 6],
  fcos: [functions.fcos, 7, 7],
};

/** The processor promises less than one unit in the last place for these, not a bit. */
const TRANSCENDENTAL = /^f(2xm1|yl2x|yl2xp1|patan|sin|cos)$/;
const C1 = 0x200;

const facts = readFileSync(new URL("facts.txt", import.meta.url), "utf8")
  .split("\n")
  .filter(line => line !== "" && !line.startsWith("#"))
  .map(line => line.split(" ") as [string, string, string, string, string, string]);

const registers = viewRegisters(new ArrayBuffer(4096), 0);
const fpu = new FloatingPointUnit(registers.r32);
// These handlers need nothing of the processor but its registers: CR0 is 0.
const cpu = { ...registers, fpu } as unknown as Cpu;

function bytesOf(hex: string): number[] {
  return [...Buffer.from(hex, "hex")].reverse();
}

function run(name: string, control: string, st0: string, st1: string): { st0: string; status: number } {
  const [handler, reg, rm] = HANDLERS[name]!;
  const fpr = new Uint8Array(128);
  fpr.set(bytesOf(st0), 0);
  fpr.set(bytesOf(st1), 16);
  fpu.restore({ ...fpu.save(), fpr, fcw: Number.parseInt(control, 16), fsw: 0, ftwx: 0xff });
  const insn = new Instruction(null, 0, handler);
  insn.reg = reg;
  insn.rm = rm;
  handler(cpu, insn);
  const after = fpu.save();
  return { st0: Buffer.from(after.fpr.subarray(0, 10).reverse()).toString("hex"), status: after.fsw };
}

describe("the x87 instructions against a real processor", () => {
  for (const name of Object.keys(HANDLERS)) {
    const rows = facts.filter(([instruction]) => instruction === name);
    const close = TRANSCENDENTAL.test(name);
    it(`${name}: ${rows.length} recorded results, ${close ? "within the last place" : "bit by bit"}`, () => {
      expect(rows.length).toBeGreaterThanOrEqual(20);
      for (const [, control, st0, st1, after, status] of rows) {
        const got = run(name, control, st0, st1);
        const want = { st0: after, status: Number.parseInt(status, 16) };
        const distance = BigInt(`0x${got.st0}`) - BigInt(`0x${want.st0}`);
        if (close && distance >= -1n && distance <= 1n) {
          expect(got.status & ~C1, `${control} ${st0} ${st1}`).toBe(want.status & ~C1);
        } else expect(got, `${control} ${st0} ${st1}`).toEqual(want);
      }
    });
  }
});
