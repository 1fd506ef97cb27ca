/**
 * The engines: how fast they come out of the guest and in again, and how fast they count.
 *
 * Our side is chapter 1's run loop with a device on its port bus; the peer is a C program over the same
 * /dev/kvm (engine-peer.c) with the same guests.
 */

import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Buses, runGuest } from "#layers/01-minimal-vm/vmm.ts";
import type { EngineName, Hypervisor, RunBudget, Vcpu } from "../kvm/api.ts";
import { HypervisorError } from "../kvm/api.ts";
import { openEngine } from "../kvm/engines.ts";
import { probeKvm } from "../kvm/probe.ts";
import { compilePeer, type PeerProgram } from "./engine-peer.ts";
import { contest } from "./paired.ts";
import { type BenchResult, type Row, thisMachine } from "./result.ts";

export const description = "exits per second on both engines beside C over /dev/kvm; a counting loop on soft";

const ROUNDS = 15;
/** Exits in one run: long enough for the clock, short enough for many rounds. */
const EXITS: Readonly<Record<EngineName, number>> = { kvm: 20_000, soft: 1_000_000 };
const PORT = 0x10;
const CODE = 0x1000;
const RAM = 0x1_0000;
/** Far above what a run here takes: measured is what it costs to keep a bound, not the bound. */
const BUDGET: RunBudget = { milliseconds: 10_000, instructions: 4_000_000_000 };

/** Real mode, loaded at 0x1000. */
export const IO_LOOP = Uint8Array.of(
  ...[0xba, PORT, 0x00], // mov dx, 0x10
  0xee, //                  next: out dx, al
  0x40, //                  inc ax
  ...[0xeb, 0xfc], //       jmp next
);

/** As many rounds of 4 instructions as EBX says. */
export const COUNTING_LOOP = Uint8Array.of(
  ...[0x66, 0x40], //       next: inc eax
  ...[0x66, 0x01, 0xc2], // add edx, eax
  ...[0x66, 0x4b], //       dec ebx
  ...[0x75, 0xf7], //       jnz next
  0xf4, //                  hlt
);
const INSTRUCTIONS_A_ROUND = 4;
const SOFT_ROUNDS = 10_000_000;
/** A KVM that emulates makes about 2 million instructions a second. */
const kvmRounds = () => (probeKvm().emulated ? 100_000 : 50_000_000);

export async function run(rounds = ROUNDS): Promise<BenchResult> {
  const rows: Row[] = [];
  const notes: string[] = [];
  const peer = await orNote(notes, "C", compilePeer);
  try {
    for (const engine of ["kvm", "soft"] as const) {
      const machine = await orNote(notes, engine, () => Machine.open(engine));
      if (!machine) continue;
      const withC = engine === "kvm" && peer;
      rows.push(
        await contest({
          name: `I/O loop on ${engine}: exits handled`,
          unit: "exits/s",
          rounds,
          ours: () => machine.exitsPerSecond(EXITS[engine]),
          peers: withC ? { c: () => withC.exitsPerSecond(IO_LOOP, EXITS.kvm) } : {},
        }),
      );
      if (engine === "soft") {
        rows.push(
          await contest({
            name: "counting loop: soft beside /dev/kvm",
            unit: "instructions/s",
            rounds,
            ours: () => machine.instructionsPerSecond(SOFT_ROUNDS),
            peers: peer
              ? { c: () => peer.roundsPerSecond(COUNTING_LOOP, kvmRounds()) * INSTRUCTIONS_A_ROUND }
              : {},
          }),
        );
      }
      machine.close();
    }
  } finally {
    peer?.remove();
  }
  if (probeKvm().emulated) notes.push("this KVM has no VT-x or SVM beneath it: it emulates the processor");
  return { bench: "engine", machine: thisMachine(), rows, notes };
}

/** One guest on one engine. */
class Machine {
  /** How many values the guest sent; a device that does nothing would be optimized away. */
  sent = 0;

  private constructor(
    private readonly hypervisor: Hypervisor,
    private readonly vcpu: Vcpu,
    private readonly memory: GuestMemory,
    private readonly buses: Buses,
  ) {}

  static async open(engine: EngineName): Promise<Machine> {
    const hypervisor = await openEngine(engine);
    const vm = hypervisor.createVm();
    const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM));
    memory.map(0, 0, RAM);
    const buses = { ports: new Bus(), mmio: new Bus() };
    const machine = new Machine(hypervisor, vm.createVcpu(0), memory, buses);
    buses.ports.register("counter", PORT, 1, {
      read: () => 0xff,
      write: () => {
        machine.sent++;
      },
    });
    return machine;
  }

  exitsPerSecond(exits: number): number {
    this.#start(IO_LOOP);
    this.sent = 0;
    const start = performance.now();
    const exit = runGuest(this.vcpu, this.buses, { budget: BUDGET, maxExits: exits });
    const seconds = (performance.now() - start) / 1000;
    if (exit.reason !== "IO" || this.sent !== exits) throw stray("the I/O loop", exit.reason);
    return exits / seconds;
  }

  instructionsPerSecond(rounds: number): number {
    this.#start(COUNTING_LOOP, rounds);
    const start = performance.now();
    const exit = runGuest(this.vcpu, this.buses, { budget: BUDGET });
    const seconds = (performance.now() - start) / 1000;
    if (exit.reason !== "HLT") throw stray("the counting loop", exit.reason);
    return (rounds * INSTRUCTIONS_A_ROUND) / seconds;
  }

  close(): void {
    this.hypervisor.close();
  }

  #start(code: Uint8Array, rbx = 0): void {
    this.memory.load("guest", code, CODE);
    const sregs = this.vcpu.getSregs();
    this.vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
    this.vcpu.setRegs({ ...this.vcpu.getRegs(), rip: BigInt(CODE), rbx: BigInt(rbx), rflags: 0x2n });
  }
}

function stray(guest: string, reason: string): Error {
  return new Error(`${guest} ended with ${reason}: the engine is wrong, its speed has no meaning`);
}

/** The thing, or a note why it is not to be had on this machine. */
async function orNote<Thing extends Machine | PeerProgram>(
  notes: string[],
  name: string,
  make: () => Thing | Promise<Thing>,
): Promise<Thing | undefined> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof HypervisorError)) throw error;
    notes.push(`${name} not measured: ${error.message}`);
    return undefined;
  }
}
