/**
 * Random straight-line programs: thousands of instructions whose every result feeds the next ones.
 *
 * Memory operands are absolute addresses of the data window, so no register value can lead astray; jumps go
 * forward over one instruction. A program ends at the INT3 behind it or at its first fault.
 */
import { type CaseInput, ESP } from "./case.ts";
import { expand } from "./expand.ts";
import { Random } from "./random.ts";
import { DATA_WINDOW, STACK } from "./world.ts";

export interface Program {
  readonly input: CaseInput;
  /** Offset of each instruction in the code, and of its end. */
  readonly starts: readonly number[];
}

const MAX_BYTES = 0x7000;
/** Registers that an instruction may write: all but ESP. */
const WRITABLE = [0, 1, 2, 3, 5, 6, 7];

type Emit = (random: Random) => number[];

const register = (random: Random): number => random.pick(WRITABLE);
const modrmRegister = (reg: number, rm: number): number => 0xc0 | (reg << 3) | rm;
const dword = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
];
/** ModRM for an absolute address in the window. */
const memory = (random: Random, reg: number, size: number, align = 1): number[] => {
  const offset = random.below(128 - size + 1);
  return [(reg << 3) | 5, ...dword(DATA_WINDOW + offset - (offset % align))];
};
/** ModRM for a register or memory. Byte registers 4 to 7 are AH to BH: never ESP. */
const either = (random: Random, reg: number, size: number): number[] =>
  random.chance(0.5)
    ? [modrmRegister(reg, size === 1 ? random.below(8) : register(random))]
    : memory(random, reg, size);
const size16 = (random: Random): number[] => (random.chance(0.25) ? [0x66] : []);

const arithmetic: Emit = random => {
  const operation = random.below(8) * 8;
  const wide = random.below(2);
  const direction = random.below(2) * 2;
  const prefix = wide ? size16(random) : [];
  const reg = wide ? register(random) : random.below(8);
  return [...prefix, operation + direction + wide, ...either(random, reg, wide ? 4 : 1)];
};
const immediateArithmetic: Emit = random => [0x83, ...either(random, random.below(8), 4), random.below(256)];
const shift: Emit = random => {
  const form = random.pick([0xc1, 0xd1, 0xd3, 0xc0, 0xd0, 0xd2]);
  const operand = either(random, random.below(8), form & 1 ? 4 : 1);
  return [form, ...operand, ...(form < 0xc2 ? [random.below(256)] : [])];
};
const doubleShift: Emit = random => [0x0f, random.pick([0xa5, 0xad]), ...either(random, register(random), 4)];
const unary: Emit = random => [0xf7, ...either(random, random.pick([2, 3, 4, 5]), 4)];
const increment: Emit = random => [random.pick([0x40, 0x48]) + register(random)];
const move: Emit = random => {
  const wide = random.below(2);
  return [
    random.pick([0x88, 0x8a]) + wide,
    ...either(random, wide ? register(random) : random.below(8), wide ? 4 : 1),
  ];
};
const moveImmediate: Emit = random => [0xb8 + register(random), ...dword(random.next())];
const extend: Emit = random => [
  0x0f,
  random.pick([0xb6, 0xb7, 0xbe, 0xbf]),
  ...either(random, register(random), 2).map((byte, at) => (at === 0 && byte >= 0xc0 ? byte & ~4 : byte)),
];
const multiply: Emit = random => [0x0f, 0xaf, ...either(random, register(random), 4)];
const conditional: Emit = random => [
  0x0f,
  random.pick([0x40, 0x90]) + random.below(16),
  ...either(random, register(random), 4),
];
const bitTest: Emit = random => [0x0f, 0xba, ...either(random, 4 + random.below(4), 4), random.below(32)];
const bitScan: Emit = random => [0x0f, random.pick([0xbc, 0xbd]), ...either(random, register(random), 4)];
const exchange: Emit = random => [random.pick([0x86, 0x87]), ...either(random, register(random), 4)];
const compareExchange: Emit = random => [
  0x0f,
  random.pick([0xb0, 0xb1, 0xc0, 0xc1]),
  ...either(random, register(random), 4),
];
const swap: Emit = random => [0x0f, 0xc8 + register(random)];
const decimal: Emit = random => random.pick([[0x27], [0x2f], [0x37], [0x3f], [0xd4, 10], [0xd5, 10]]);
const flags: Emit = random => [random.pick([0xf5, 0xf8, 0xf9, 0xfc, 0x9e, 0x9f, 0x98, 0x99])];
const pushPop: Emit = random => [0x50 + random.below(8), 0x58 + register(random)];
const flagsByStack: Emit = () => [0x9c, 0x58];
const skip: Emit = random => {
  const over = increment(random);
  return [0x70 + random.below(16), over.length, ...over];
};
const load: Emit = random => [0x8d, modrmAddress(random), random.below(256)];
const modrmAddress = (random: Random): number =>
  0x40 | (register(random) << 3) | random.pick([0, 1, 2, 3, 5, 6, 7]);

const x87: Emit = random => {
  const kind = random.below(10);
  if (kind < 2) return [0xdd, ...memory(random, 0, 8, 8)];
  if (kind < 3) return [0xd9, ...memory(random, 0, 4, 4)];
  if (kind < 4) return [random.pick([0xdb, 0xdf]), ...memory(random, 0, 4, 4)];
  if (kind < 5) return [0xdd, ...memory(random, random.pick([2, 3]), 8, 8)];
  if (kind < 6) return [0xdb, ...memory(random, 3, 4, 4)];
  if (kind < 9)
    return [random.pick([0xd8, 0xdc, 0xde]), modrmRegister(random.pick([0, 1, 4, 5, 6, 7]), random.below(8))];
  return [0xd9, random.pick([0xe0, 0xe1, 0xe8, 0xeb, 0xee, 0xfa, 0xfc, 0xc9, 0xf6, 0xf7])];
};
const packed: Emit = random => [
  ...(random.chance(0.5) ? [0x66] : []),
  0x0f,
  random.pick([
    0xfc, 0xfd, 0xfe, 0xd4, 0xf8, 0xef, 0xeb, 0xdb, 0x60, 0x61, 0x62, 0x74, 0x75, 0xd5, 0xe5, 0x63, 0x67,
    0xf5, 0xe0,
  ]),
  modrmRegister(random.below(8), random.below(8)),
];
const scalar: Emit = random => [
  random.pick([0xf2, 0xf3]),
  0x0f,
  random.pick([0x58, 0x59, 0x5c, 0x5e, 0x51, 0x5d, 0x5f, 0x2a]),
  modrmRegister(random.below(8), register(random)),
];

const INTEGER: readonly Emit[] = [
  arithmetic,
  arithmetic,
  arithmetic,
  immediateArithmetic,
  shift,
  shift,
  doubleShift,
  unary,
  increment,
  move,
  move,
  moveImmediate,
  extend,
  multiply,
  conditional,
  bitTest,
  bitScan,
  exchange,
  compareExchange,
  swap,
  decimal,
  flags,
  pushPop,
  flagsByStack,
  skip,
  load,
];

/** These leave flags undefined, which must not reach another instruction: a CMP EAX, EDX follows them. */
const LEAVES_UNDEFINED = new Set([
  arithmetic,
  immediateArithmetic,
  shift,
  doubleShift,
  unary,
  multiply,
  bitTest,
  bitScan,
  decimal,
]);
const COMPARE = [0x39, 0xd0];

/** What a program is made of. x87 and MMX share registers, so they are kept apart. */
const MIXES: Readonly<Record<string, readonly Emit[]>> = {
  integer: INTEGER,
  x87: [...INTEGER.slice(0, 8), x87, x87, x87, x87, x87, x87, x87, x87],
  simd: [...INTEGER.slice(0, 8), packed, packed, packed, packed, scalar, scalar, scalar, scalar],
};
export const PROGRAM_KINDS = Object.keys(MIXES);

export function randomProgram(seed: number, kind: string, instructions: number): Program {
  const random = new Random(seed);
  const mix = MIXES[kind]!;
  const unit = kind === "x87" ? "x87" : kind === "simd" ? "packed" : "none";
  const state = expand(seed, 0, unit, kind === "integer" ? "integer" : "float64");
  // All exceptions masked: a program should run to its end.
  if (state.fx) {
    state.fx.set([0x7f, state.fx[1]!], 0);
    state.fx.set([0, state.fx[3]! & 0x38], 2);
    state.fx.set([0x80, 0x1f | (state.fx[25]! & 0x60)], 24);
  }
  state.gpr[ESP] = STACK + 0x800;
  const code: number[] = [];
  const starts: number[] = [];
  for (let at = 0; at < instructions && code.length < MAX_BYTES; at++) {
    starts.push(code.length);
    const emit = random.pick(mix);
    code.push(...emit(random));
    if (LEAVES_UNDEFINED.has(emit)) code.push(...COMPARE);
  }
  starts.push(code.length);
  return { input: { ...state, eflags: state.eflags & ~0x400, code: Uint8Array.from(code) }, starts };
}

/** The program's first `count` instructions. */
export const shorten = ({ input, starts }: Program, count: number): CaseInput => ({
  ...input,
  code: input.code.slice(0, starts[count]),
});
