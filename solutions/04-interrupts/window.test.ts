import { describe, expect, it } from "vitest";
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { requires } from "../../chapters/tools/requires.ts";
import type { EngineName } from "../../sandbox/kvm/api.ts";
import { openEngine } from "../../sandbox/kvm/engines.ts";
import { runInterruptible } from "./injection.ts";
import { PicPair } from "./pic.ts";

const VECTOR = 0x20;
const CODE = 0x1000;
const HANDLER = 0x2000;

/** What happens at which instruction boundary: exits by name, with the offset of the next instruction. */
async function run(
  engine: EngineName,
  code: readonly number[],
  handler: readonly number[],
): Promise<string[]> {
  const hypervisor = await openEngine(engine);
  try {
    const vm = hypervisor.createVm();
    const memory = new GuestMemory(vm, hypervisor.allocateMemory(0x1_0000));
    memory.map(0, 0, 0x1_0000);
    memory.writeBytes(CODE, Uint8Array.from(code));
    memory.writeBytes(HANDLER, Uint8Array.from(handler));
    for (const irq of [0, 1]) memory.write((VECTOR + irq) * 4, 4, HANDLER);

    const pics = new PicPair();
    for (const [offset, value] of [
      [0, 0x13],
      [1, VECTOR],
      [1, 0x01],
    ] as const) {
      pics.master.write(offset, 1, value);
    }
    const ports = new Bus();
    ports.register("PIC", 0x20, 2, pics.master);
    // A write raises the interrupt of its value.
    ports.register("bell", 0x80, 1, {
      read: () => 0,
      write: (_offset, _size, irq) => pics.setIrq(irq, true),
    });

    const vcpu = vm.createVcpu(0);
    const sregs = vcpu.getSregs();
    Object.assign(sregs.cs, { selector: 0, base: 0n });
    vcpu.setSregs(sregs);
    vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(CODE), rsp: 0x1000n, rflags: 2n });

    const seen: string[] = [];
    const time = { catchUp() {}, sleep: () => false };
    runInterruptible(vcpu, { ports, mmio: new Bus() }, pics, time, {
      maxExits: 30,
      budget: { instructions: 1000, milliseconds: 200 },
      onExit(exit) {
        const name = exit.reason === "IO" ? `${exit.direction} ${exit.port.toString(16)}` : exit.reason;
        // A port access is complete only with the next entry; other exits stand between two instructions.
        seen.push(exit.reason === "IO" ? name : `${name} at ${vcpu.getRegs().rip.toString(16)}`);
      },
    });
    return seen;
  } finally {
    hypervisor.close();
  }
}

const END_OF_INTERRUPT = [0xb0, 0x20, 0xe6, 0x20]; // mov al, 0x20; out 0x20, al
const IRET = 0xcf;
const SLEEP = [0xf4, 0xeb, 0xfd]; // hlt; jmp to it

/**
 * What must be the same on any engine: the accesses and the end. A KVM that emulates real mode, since its
 * processor cannot run it, looks for the window only now and then, so a HLT may come before it.
 */
const inAnyCase = (seen: readonly string[]) => [
  ...seen.filter(exit => exit.startsWith("out")),
  seen.at(-1)?.split(" ")[0],
];

for (const engine of ["soft", "kvm"] as const) {
  describe(`interrupts on ${engine}`, engine === "kvm" ? requires("kvm").options : {}, () => {
    it("wait for the window, which opens after the instruction behind STI", async () => {
      const code = [
        ...[0xb0, 0x00, 0xe6, 0x80], // 1000: mov al, 0; out 0x80, al   raises IRQ 0
        ...[0x90, 0x90], //             1004: nop; nop                  interrupts are off
        0xfb, //                        1006: sti
        0x90, //                        1007: nop                       still in the shadow of STI
        0x90, //                        1008: nop                       here the interrupt comes
        ...SLEEP, //                    1009
      ];
      const seen = await run(engine, code, [...END_OF_INTERRUPT, IRET]);
      expect(inAnyCase(seen)).toEqual(["out 80", "out 20", "HLT"]);
      if (engine === "kvm") return;
      expect(seen).toEqual(["out 80", "IRQ_WINDOW_OPEN at 1008", "out 20", "HLT at 100a"]);
    });

    it("come one after the other when two are pending, the more urgent first", async () => {
      const code = [
        ...[0xb0, 0x01, 0xe6, 0x80], // 1000: IRQ 1
        ...[0xb0, 0x00, 0xe6, 0x80], // 1004: IRQ 0
        ...[0xfb, 0x90], //             1008: sti; nop
        ...SLEEP, //                    100a
      ];
      // The handler tells by the bell's second port, which nobody answers, that it was there.
      const handler = [0xe6, 0x81, ...END_OF_INTERRUPT, IRET];
      const seen = await run(engine, code, handler);
      expect(inAnyCase(seen)).toEqual(["out 80", "out 80", "out 81", "out 20", "out 81", "out 20", "HLT"]);
      if (engine === "kvm") return;
      expect(seen).toEqual([
        "out 80",
        "out 80",
        "IRQ_WINDOW_OPEN at 100a",
        "out 81",
        "out 20",
        "IRQ_WINDOW_OPEN at 100a",
        "out 81",
        "out 20",
        "HLT at 100b",
      ]);
    });

    it("wake a guest that halts with one pending, in the same step", async () => {
      const code = [
        ...[0xb0, 0x00, 0xe6, 0x80], // 1000: IRQ 0
        ...[0xfb, 0xf4], //             1004: sti; hlt
        ...SLEEP, //                    1006
      ];
      const seen = await run(engine, code, [...END_OF_INTERRUPT, IRET]);
      expect(seen.filter(exit => exit.startsWith("out"))).toEqual(["out 80", "out 20"]);
      expect(seen.at(-1)).toBe("HLT at 1007");
    });
  });
}
