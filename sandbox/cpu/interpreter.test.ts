import { describe, expect, it } from "vitest";
import { CODE_AT, fingerprint, randomNumbers, testMachine } from "./test-machine.ts";

/** Registers that programs may change: all but ESP and ESI, which points to the data. */
const REGISTERS = [0, 1, 2, 3, 5, 7];
const DATA = 0x2_0000;

/** Opcodes with ModRM, and the size of the immediate that follows. */
const MODRM_FORMS: readonly (readonly [opcode: readonly number[], immediate: number, extension?: number])[] =
  [
    ...[0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38].flatMap(first =>
      [0, 1, 2, 3].map(form => [[first + form], 0] as const),
    ),
    ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap(extension => [
      [[0x80], 1, extension] as const,
      [[0x81], 4, extension] as const,
      [[0x83], 1, extension] as const,
      [[0xc0], 1, extension] as const,
      [[0xc1], 1, extension] as const,
      [[0xd1], 0, extension] as const,
      [[0xd3], 0, extension] as const,
    ]),
    ...[0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b].map(opcode => [[opcode], 0] as const),
    [[0xc6], 1, 0],
    [[0xc7], 4, 0],
    [[0x69], 4],
    [[0x6b], 1],
    [[0xf6], 1, 0],
    [[0xf7], 4, 0],
    ...[2, 3, 4, 5].flatMap(extension => [[[0xf6], 0, extension] as const, [[0xf7], 0, extension] as const]),
    [[0xfe], 0, 0],
    [[0xfe], 0, 1],
    [[0xff], 0, 0],
    [[0xff], 0, 1],
    [[0xff], 0, 6],
    ...[0xaf, 0xb6, 0xb7, 0xbe, 0xbf, 0xa3, 0xab, 0xbc, 0xbd, 0xa5, 0xad].map(
      second => [[0x0f, second], 0] as const,
    ),
    [[0x0f, 0xa4], 1],
    [[0x0f, 0xac], 1],
    ...Array.from({ length: 16 }, (_, code) => [[0x0f, 0x90 + code], 0] as const),
    ...Array.from({ length: 16 }, (_, code) => [[0x0f, 0x40 + code], 0] as const),
  ];

/** A program without faults: arithmetic on registers and 128 bytes of data, jumps forward, calls and returns. */
function program(seed: number, length: number): number[] {
  const random = randomNumbers(seed * 2654435761);
  const pick = <T>(items: readonly T[]): T => items[random() % items.length]!;
  const bytes: number[] = [];
  const immediate = (size: number): void => {
    for (let i = 0; i < size; i++) bytes.push(random() & 0xff);
  };
  const memoryOrRegister = (reg: number): void => {
    if (random() & 1) bytes.push(0xc0 | (reg << 3) | pick(REGISTERS));
    else bytes.push(0x46 | (reg << 3), (random() & 0x3f) | 0);
  };
  for (let count = 0; count < length; count++) {
    const kind = random() % 16;
    if (kind === 0) bytes.push(0x70 | (random() & 0xf), 2, 0x90, 0x90);
    else if (kind === 1) bytes.push(pick([0x40, 0x48, 0xb8]) | pick(REGISTERS));
    else if (kind === 2) bytes.push(0x50 | pick(REGISTERS), 0x58 | pick(REGISTERS));
    else if (kind === 3) bytes.push(0xe8, 2, 0, 0, 0, 0xeb, 1, 0xc3);
    else if (kind === 4) bytes.push(0x0f, 0xc8 | pick(REGISTERS));
    else if (kind === 5) bytes.push(pick([0x98, 0x99, 0xf5, 0xf8, 0xf9, 0x9f, 0x90, 0x27, 0x2f]));
    else {
      const [opcode, size, extension] = pick(MODRM_FORMS);
      if (random() % 8 === 0) bytes.push(0x3e);
      bytes.push(...opcode);
      const isBitString = opcode[1] === 0xa3 || opcode[1] === 0xab;
      const reg = extension ?? pick(REGISTERS);
      // A bit's number in a register reaches 256 MiB to both sides of memory.
      if (isBitString) bytes.push(0xc0 | (reg << 3) | pick(REGISTERS));
      else memoryOrRegister(opcode[0]! < 0x0f || extension !== undefined ? reg : pick(REGISTERS));
      immediate(size);
    }
    if (bytes.at(-1) !== undefined && (bytes.at(-1)! & 0xf8) === 0xb8 && kind === 1) immediate(4);
  }
  // B8+r took its immediate above; the end: HLT.
  bytes.push(0xf4);
  return bytes;
}

/** Bytes that make carries, overflows and zeros likely. */
const EDGES = [0, 1, 0x0f, 0x10, 0x7f, 0x80, 0xfe, 0xff];

const REGS = {
  rax: 0x1234_5678n,
  rbx: 0x9abc_def0n,
  rcx: 0x0f1e_2d3cn,
  rdx: 0xffff_ffffn,
  rsi: BigInt(DATA),
  rbp: 0x8000_0000n,
  rdi: 7n,
};

describe("the hot forms", () => {
  it.each(["flat", "paged", "user"] as const)("do what the general handlers do (%s)", mode => {
    for (let seed = 1; seed <= 60; seed++) {
      const code = program(seed, 420);
      const [whole, hot, general] = [0, 1, 2].map(() => {
        const machine = testMachine(mode, code, REGS);
        const random = randomNumbers(seed);
        for (let i = 0; i < 256; i++) machine.memory[DATA + i] = EDGES[random() % EDGES.length]!;
        return machine;
      });
      const steps = 400;
      expect(whole!.run(steps).reason).toBe("INTR");
      general!.vcpu.setGuestDebug({ singleStep: true });
      for (let step = 0; step < steps; step++) {
        const before = Number(hot!.vcpu.getRegs().rip);
        hot!.run(1);
        general!.run(1);
        const bytes = code.slice(before - CODE_AT, before - CODE_AT + 8).map(byte => byte.toString(16));
        expect(hot!.vcpu.getRegs(), `seed ${seed}, step ${step}: ${bytes.join(" ")}`).toEqual(
          general!.vcpu.getRegs(),
        );
      }
      general!.vcpu.setGuestDebug(null);
      expect(fingerprint(hot!), `seed ${seed}`).toBe(fingerprint(general!));
      expect(fingerprint(whole!), `seed ${seed}`).toBe(fingerprint(general!));
    }
  });

  it("leave EIP right whatever ends the run", () => {
    // A loop over two pages: jmp to the second, jmp back.
    const machine = testMachine("flat", [0xe9, 0xfb, 0x0f, 0, 0]);
    machine.memory.set([0x40, 0xe9, 0xfa, 0xef, 0xff, 0xff], CODE_AT + 0x1000);
    const eips = [1, 1, 1, 2, 3].map(count => {
      machine.run(count);
      return Number(machine.vcpu.getRegs().rip) - CODE_AT;
    });
    expect(eips).toEqual([0x1000, 0x1001, 0, 0x1001, 0x1001]);
  });
});
