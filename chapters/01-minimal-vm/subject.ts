/**
 * What the graded tests of chapter 1 may ask of a learner's layer: operations in, plain results out.
 */
import { Bus, type Device } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { handleExit, handleIo, handleMmio, runGuest } from "#layers/01-minimal-vm/vmm.ts";
import type {
  Exit,
  HostMemory,
  Hypervisor,
  IoExit,
  MemoryRegion,
  MmioExit,
  Regs,
  RunBudget,
  Vcpu,
} from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { copyExit } from "../tools/exit-log.ts";
import { build } from "./machine.ts";

/** One call of `GuestMemory`; addresses and sizes in bytes. */
export type MemoryOperation =
  | { do: "map"; slot: number; at: number; size: number; hostOffset?: number; readOnly?: boolean }
  | { do: "unmap"; slot: number }
  | { do: "translate"; at: number }
  | { do: "read"; at: number; size: 1 | 2 | 4 }
  | { do: "write"; at: number; size: 1 | 2 | 4; value: number }
  | { do: "read64"; at: number }
  | { do: "write64"; at: number; value: bigint }
  | { do: "readBytes"; at: number; length: number }
  | { do: "writeBytes"; at: number; bytes: number[] }
  | { do: "fill"; at: number; length: number; value: number }
  | { do: "load"; name: string; at: number; bytes: number[] }
  | { do: "slots" }
  | { do: "ram"; offset: number; length: number };

/** What an operation returned, or the message of what it threw. */
export type Result = { value: unknown } | { error: string };

/** One access to a bus, or to a device behind it. */
export type BusAccess =
  | { do: "register"; name: string; start: number; length: number; answer?: number }
  | { do: "read"; at: number; size: 1 | 2 | 4 }
  | { do: "write"; at: number; size: 1 | 2 | 4; value: number };

/** What reached a device: its name, the offset in its range, the size, the value written. */
export type Seen = [name: string, kind: "read" | "write", offset: number, size: number, value?: number];

export interface GuestRun {
  readonly output: string;
  readonly exits: readonly Exit[];
  readonly before: Regs;
  readonly after: Regs;
}

/** Far more than any guest of this chapter needs, but for the one that never ends. */
const BUDGET: RunBudget = { instructions: 10_000, milliseconds: 200 };

export const subject = {
  /** Runs operations on fresh guest memory over `ramSize` bytes of RAM. */
  memory(
    ramSize: number,
    operations: readonly MemoryOperation[],
  ): { results: Result[]; written: number[][] } {
    const written: number[][] = [];
    const host = ram(ramSize);
    const memory = new GuestMemory(
      {
        setUserMemoryRegion: (_region: MemoryRegion) => {},
        memoryWritten: (at, length) => void written.push([at, length]),
      },
      host,
    );
    const results = operations.map(operation =>
      attempt(() => {
        if (operation.do === "ram") {
          return [...new Uint8Array(host.memory.buffer, host.offset + operation.offset, operation.length)];
        }
        return onMemory(memory, operation);
      }),
    );
    return { results, written };
  },

  /** Runs operations on one bus whose devices answer with a constant and record what they see. */
  bus(operations: readonly BusAccess[]): { results: Result[]; seen: Seen[] } {
    const seen: Seen[] = [];
    const bus = new Bus();
    const results = operations.map(operation =>
      attempt(() => {
        switch (operation.do) {
          case "register":
            return bus.register(
              operation.name,
              operation.start,
              operation.length,
              recorder(operation.name, seen, () => operation.answer ?? 0),
            );
          case "read":
            return bus.read(operation.at, operation.size);
          case "write":
            return bus.write(operation.at, operation.size, operation.value);
        }
      }),
    );
    return { results, seen };
  },

  /** Does what IO and MMIO exits ask for; device "port" has all ports, "mmio" the lower 4 GiB. Reads get `answers` in turn. */
  accesses(
    exits: readonly (IoExit | MmioExit)[],
    answers: readonly number[] = [],
  ): { seen: Seen[]; data: number[][] } {
    const { buses, seen } = recordingBuses(answers);
    for (const exit of exits) {
      if (exit.reason === "IO") handleIo(exit, buses.ports);
      else handleMmio(exit, buses.mmio);
    }
    return { seen, data: exits.map(({ data }) => [...data]) };
  },

  /** Handles exits one by one, on the same devices. */
  exits(exits: readonly Exit[]): { results: Result[]; seen: Seen[] } {
    const { buses, seen } = recordingBuses([]);
    return { results: exits.map(exit => attempt(() => handleExit(exit, buses))), seen };
  },

  /** Runs the loop over a processor that only plays back `script`, and then halts. */
  loop(
    script: readonly Exit[],
    options: { maxExits?: number; budget?: RunBudget } = {},
  ): { last: Exit; entries: number; budgets: (RunBudget | undefined)[]; told: Exit[]; seen: Seen[] } {
    const seen: Seen[] = [];
    const told: Exit[] = [];
    const budgets: (RunBudget | undefined)[] = [];
    const vcpu = {
      run(budget?: RunBudget): Exit {
        budgets.push(budget);
        return script[budgets.length - 1] ?? { reason: "HLT" };
      },
    } as Vcpu;
    const buses = { ports: new Bus(), mmio: new Bus() };
    buses.ports.register(
      "port",
      0,
      0x1_0000,
      recorder("port", seen, () => 0x5a),
    );
    const onExit = (exit: Exit) => void told.push(copyExit(exit));
    const last = runGuest(vcpu, buses, { ...options, onExit });
    return { last: copyExit(last), entries: budgets.length, budgets, told, seen };
  },

  /** Boots a guest of this chapter on the soft engine. */
  guest(image: Uint8Array, maxExits = 100): GuestRun {
    const hypervisor = openSoft();
    try {
      return bootGuest(hypervisor, image, maxExits);
    } finally {
      hypervisor.close();
    }
  },
};

/** Runs a guest to its end on any engine and records what it printed and every exit. */
export function bootGuest(hypervisor: Hypervisor, image: Uint8Array, maxExits: number): GuestRun {
  let output = "";
  const exits: Exit[] = [];
  const { vcpu, run } = build(hypervisor, image, byte => (output += String.fromCharCode(byte)));
  const before = vcpu.getRegs();
  run({ maxExits, budget: BUDGET, onExit: exit => void exits.push(copyExit(exit)) });
  return { output, exits, before, after: vcpu.getRegs() };
}

function onMemory(memory: GuestMemory, operation: Exclude<MemoryOperation, { do: "ram" }>): unknown {
  switch (operation.do) {
    case "map":
      return memory.map(
        operation.slot,
        operation.at,
        operation.size,
        operation.hostOffset ?? 0,
        operation.readOnly ?? false,
      );
    case "unmap":
      return memory.unmap(operation.slot);
    case "translate":
      return memory.translate(operation.at);
    case "read":
      return memory.read(operation.at, operation.size);
    case "write":
      return memory.write(operation.at, operation.size, operation.value);
    case "read64":
      return memory.read64(operation.at);
    case "write64":
      return memory.write64(operation.at, operation.value);
    case "readBytes":
      return [...memory.readBytes(operation.at, operation.length)];
    case "writeBytes":
      return memory.writeBytes(operation.at, Uint8Array.from(operation.bytes));
    case "fill":
      return memory.fill(operation.at, operation.length, operation.value);
    case "load":
      return memory.load(operation.name, Uint8Array.from(operation.bytes), operation.at);
    case "slots":
      return memory.slots.map(({ slot, guestAddress, size }) => ({ slot, guestAddress, size }));
  }
}

function recordingBuses(answers: readonly number[]) {
  const seen: Seen[] = [];
  const left = [...answers];
  const answer = () => left.shift() ?? 0;
  const buses = { ports: new Bus(), mmio: new Bus() };
  buses.ports.register("port", 0, 0x1_0000, recorder("port", seen, answer));
  buses.mmio.register("mmio", 0, 0x1_0000_0000, recorder("mmio", seen, answer));
  return { buses, seen };
}

function recorder(name: string, seen: Seen[], answer: () => number): Device {
  return {
    read(offset, size) {
      seen.push([name, "read", offset, size]);
      return answer();
    },
    write(offset, size, value) {
      seen.push([name, "write", offset, size, value]);
    },
  };
}

function attempt(operation: () => unknown): Result {
  try {
    return { value: operation() };
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("exercise ")) throw error;
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function ram(size: number): HostMemory {
  const pages = Math.ceil(size / 0x1_0000);
  return { memory: new WebAssembly.Memory({ initial: pages, maximum: pages }), offset: 0, size };
}
