/** Decimal adjustment: DAA, DAS, AAA, AAS. Source: SDM vol. 2. (AAM and AAD divide and multiply.) */
import { adjustFlag, carryFlag, setLogicFlags } from "#layers/02-real-mode/alu.ts";
import type { Cpu } from "../cpu.ts";
import type { Handler } from "../instruction.ts";
import { AF, CF, EAX } from "../state.ts";

const AL = EAX * 4;

function setFlags(cpu: Cpu, adjust: boolean, carry: boolean): void {
  setLogicFlags(cpu.r32, 8, cpu.r8[AL]);
  cpu.setArithmetic((adjust ? AF : 0) | (carry ? CF : 0), AF | CF);
}

export const daa: Handler = cpu => {
  const al = cpu.r8[AL];
  const adjust = (al & 0xf) > 9 || adjustFlag(cpu.r32);
  const carry = al > 0x99 || carryFlag(cpu.r32);
  cpu.r8[AL] = al + (adjust ? 6 : 0) + (carry ? 0x60 : 0);
  setFlags(cpu, adjust, carry);
};

export const das: Handler = cpu => {
  const al = cpu.r8[AL];
  const adjust = (al & 0xf) > 9 || adjustFlag(cpu.r32);
  const borrow = carryFlag(cpu.r32);
  const high = al > 0x99 || borrow;
  cpu.r8[AL] = al - (adjust ? 6 : 0) - (high ? 0x60 : 0);
  setFlags(cpu, adjust, high || (adjust && al < 6));
};

export const aaa: Handler = cpu => {
  const adjust = (cpu.r8[AL] & 0xf) > 9 || adjustFlag(cpu.r32);
  if (adjust) cpu.r16[EAX * 2] += 0x106;
  cpu.r8[AL] &= 0xf;
  setFlags(cpu, adjust, adjust);
};

export const aas: Handler = cpu => {
  const adjust = (cpu.r8[AL] & 0xf) > 9 || adjustFlag(cpu.r32);
  if (adjust) {
    cpu.r16[EAX * 2] -= 6;
    cpu.r8[AL + 1]--;
  }
  cpu.r8[AL] &= 0xf;
  setFlags(cpu, adjust, adjust);
};
