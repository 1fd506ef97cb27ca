/** Single flags: CLC, STC, CMC, CLD, STD, LAHF, SAHF, SALC; and HLT, UD2. */
import { arithmeticFlags, carryFlag, setCarry } from "#layers/02-real-mode/alu.ts";
import type { Handler } from "../instruction.ts";
import {
  AF,
  CF,
  CPL,
  DF,
  EAX,
  GENERAL_PROTECTION,
  HALTED,
  INVALID_OPCODE,
  PF,
  SF,
  SYSTEM_FLAGS,
  ZF,
} from "../state.ts";

export const clc: Handler = cpu => setCarry(cpu.r32, false);
export const stc: Handler = cpu => setCarry(cpu.r32, true);
export const cmc: Handler = cpu => setCarry(cpu.r32, !carryFlag(cpu.r32));

export const cld: Handler = cpu => {
  cpu.r32[SYSTEM_FLAGS] &= ~DF;
};

export const std: Handler = cpu => {
  cpu.r32[SYSTEM_FLAGS] |= DF;
};

const AH = EAX * 4 + 1;
const IN_AH = CF | PF | AF | ZF | SF;

export const lahf: Handler = cpu => {
  cpu.r8[AH] = (arithmeticFlags(cpu.r32) & IN_AH) | 2;
};

export const sahf: Handler = cpu => cpu.setArithmetic(cpu.r8[AH], IN_AH);

/** Undocumented, and in every processor: AL becomes CF in all its bits. */
export const salc: Handler = cpu => {
  cpu.r8[EAX * 4] = carryFlag(cpu.r32) ? 0xff : 0;
};

export const hlt: Handler = cpu => {
  if (cpu.r32[CPL] !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  cpu.r32[HALTED] = 1;
  cpu.attend();
};

export const ud: Handler = cpu => cpu.fault(INVALID_OPCODE);
