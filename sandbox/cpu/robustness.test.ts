import { describe, expect, it } from "vitest";
import { CODE_AT, fingerprint, randomNumbers, type TestMode, testMachine } from "./test-machine.ts";

const MODES: readonly TestMode[] = ["real", "flat", "paged", "user", "segmented16", "segmented32"];
/** Images in all; `VMEXIT_IMAGES=10000 npm test robustness` tries more of them. */
const IMAGES = Number(process.env["VMEXIT_IMAGES"] ?? 600);
const SEEDS = Math.ceil(IMAGES / MODES.length);
/** Milliseconds: generous for ten times as many on a machine that has other things to do. */
const PATIENCE = 60_000 + 60 * IMAGES;

/** Random bytes, or bytes that are likelier to be instructions that go on. */
function image(seed: number, length: number): Uint8Array {
  const random = randomNumbers(seed * 2654435761);
  const common = [
    0x89, 0x8b, 0x01, 0x03, 0x31, 0x83, 0x40, 0x50, 0x58, 0x0f, 0xc1, 0xf7, 0x66, 0x67, 0xa4, 0xf3,
  ];
  return Uint8Array.from({ length }, () => {
    const number = random();
    return number & 0x300 ? number & 0xff : common[(number >>> 10) & 15]!;
  });
}

function answer(
  machine: ReturnType<typeof testMachine>,
  exit: ReturnType<typeof machine.run>,
  random: () => number,
) {
  if (exit.reason === "IO" && exit.direction === "in") exit.data.fill(random());
  if (exit.reason === "MMIO" && !exit.isWrite) exit.data.fill(random());
}

describe.each(MODES)("random bytes as %s code", mode => {
  it("end in an exit within the budget, and never in an exception of the engine", {
    timeout: PATIENCE,
  }, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const machine = testMachine(mode, image(seed, 4096), { rsi: 0x2_0000n, rdi: 0x3_0000n, rcx: 7n });
      // An interrupt table that points back into the code: it goes on after faults.
      if (mode === "real")
        for (let vector = 0; vector < 256; vector++)
          machine.view.setUint32(4 * vector, 0x1000_0000 + 16 * vector, true);
      if (mode === "real")
        machine.vcpu.setSregs({ ...machine.vcpu.getSregs(), idt: { base: 0n, limit: 0x3ff } });
      const random = randomNumbers(seed);
      for (let exits = 0; exits < 20; exits++) {
        const exit = machine.run(2000);
        if (exit.reason === "INTERNAL_ERROR") expect(exit.message).not.toContain("defect");
        if (exit.reason === "SHUTDOWN" || exit.reason === "INTERNAL_ERROR") break;
        answer(machine, exit, random);
      }
    }
  });

  it("give the same in one run and in single steps", { timeout: PATIENCE }, () => {
    for (let seed = 1; seed <= SEEDS / 2; seed++) {
      const [whole, split] = [0, 1].map(() => {
        const machine = testMachine(mode, image(seed + 1000, 4096), {
          rsi: 0x2_0000n,
          rdi: 0x3_0000n,
          rcx: 300n,
        });
        if (mode === "real") {
          for (let vector = 0; vector < 256; vector++)
            machine.view.setUint32(4 * vector, 0x1000_0000 + 16 * vector, true);
          machine.vcpu.setSregs({ ...machine.vcpu.getSregs(), idt: { base: 0n, limit: 0x3ff } });
        }
        return machine;
      });
      const exits = [whole!, split!].map((machine, isSplit) => {
        const random = randomNumbers(seed);
        const log: string[] = [];
        let left = 500;
        while (left > 0 && log.length < 50) {
          const before = machine.vcpu.getMsr(0x10);
          const exit = machine.run(isSplit ? 1 : left);
          left -= Number(machine.vcpu.getMsr(0x10) - before);
          if (exit.reason === "INTR") continue;
          log.push(exit.reason);
          if (exit.reason === "SHUTDOWN" || exit.reason === "INTERNAL_ERROR") break;
          answer(machine, exit, random);
        }
        return log.join(" ");
      });
      expect(exits[1], `exits of seed ${seed}`).toBe(exits[0]);
      expect(fingerprint(split!), `seed ${seed}`).toBe(fingerprint(whole!));
    }
  });
});

describe("code where there is no memory", () => {
  it("ends in INTERNAL_ERROR with the address", () => {
    const machine = testMachine("flat", [0xe9, 0xfb, 0xff, 0xff, 0x0f]);
    const exit = machine.run();
    expect(exit).toMatchObject({ reason: "INTERNAL_ERROR", pc: BigInt(CODE_AT + 5 + 0x0fff_fffb) });
  });
});
