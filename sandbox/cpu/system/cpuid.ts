/**
 * CPUID: a processor of family 6 that has what this one has, and no more.
 *
 * Source: SDM vol. 2, "CPUID", table 3-11 (EDX of leaf 1).
 */
import type { Cpu } from "../cpu.ts";
import { EAX, EBX, ECX, EDX } from "../state.ts";

const FPU = 1 << 0;
const DE = 1 << 2;
const PSE = 1 << 3;
const TSC = 1 << 4;
const MSR = 1 << 5;
const PAE = 1 << 6;
const CX8 = 1 << 8;
const SEP = 1 << 11;
const MTRR = 1 << 12;
const PGE = 1 << 13;
const CMOV = 1 << 15;
const PAT = 1 << 16;
const PSE36 = 1 << 17;
const MMX = 1 << 23;
const FXSR = 1 << 24;
const SSE = 1 << 25;
const SSE2 = 1 << 26;

const FEATURES =
  FPU | DE | PSE | TSC | MSR | PAE | CX8 | SEP | MTRR | PGE | CMOV | PAT | PSE36 | MMX | FXSR | SSE | SSE2;
const NX = 1 << 20;

/** Type 0, family 6, model 13, stepping 8: the one of the family that has SSE2, PAE and NX, and no more. */
const SIGNATURE = 0x0000_06d8;
const VENDOR = "GenuineIntel";
const BRAND = "vmexit software processor";
/** Bits of physical and of linear addresses. */
const ADDRESS_BITS = 36 | (32 << 8);

type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];

const LEAVES = new Map<number, Leaf>([
  [0, [2, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)]],
  [1, [SIGNATURE, 0, 0, FEATURES]],
  // Cache descriptors: to be asked once, and none to tell of.
  [2, [1, 0, 0, 0]],
  [0x8000_0000, [0x8000_0008 | 0, 0, 0, 0]],
  [0x8000_0001, [0, 0, 0, NX]],
  [0x8000_0002, brand(0)],
  [0x8000_0003, brand(16)],
  [0x8000_0004, brand(32)],
  [0x8000_0005, [0, 0, 0, 0]],
  [0x8000_0006, [0, 0, 0, 0]],
  [0x8000_0007, [0, 0, 0, 0]],
  [0x8000_0008, [ADDRESS_BITS, 0, 0, 0]],
]);
/** A leaf beyond the last answers as the last basic one does. */
const LAST_BASIC = LEAVES.get(2)!;

export function cpuid(cpu: Cpu): void {
  const r = cpu.r32;
  const [eax, ebx, ecx, edx] = LEAVES.get(r[EAX] >>> 0) ?? LAST_BASIC;
  r[EAX] = eax;
  r[EBX] = ebx;
  r[ECX] = ecx;
  r[EDX] = edx;
}

/** Four letters of a name as a register shows them, the first in the low byte; zero after the end. */
function word(text: string, at: number): number {
  let value = 0;
  for (let byte = 0; byte < 4; byte++) value |= (text.charCodeAt(at + byte) || 0) << (8 * byte);
  return value;
}

function brand(at: number): Leaf {
  return [word(BRAND, at), word(BRAND, at + 4), word(BRAND, at + 8), word(BRAND, at + 12)];
}
