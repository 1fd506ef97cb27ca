/** What the graded tests of chapter 7 may ask of a learner's card: operations in, plain results out. */
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Chain, VirtqueueError, walkChain } from "#layers/07-virtio-net/descriptor-chain.ts";
import type { NetBackend, Offload } from "#layers/07-virtio-net/net-backend.ts";
import { completeChecksum, parseHeader, type TransmitOffloads } from "#layers/07-virtio-net/net-header.ts";
import { type FilterFeatures, ReceiveFilter } from "#layers/07-virtio-net/receive-filter.ts";
import { VirtioMmio } from "#layers/07-virtio-net/virtio-mmio.ts";
import { VirtioNet } from "#layers/07-virtio-net/virtio-net.ts";
import { hasPassed, Virtqueue } from "#layers/07-virtio-net/virtqueue.ts";
import type { Hypervisor } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { build, GUEST_MAC } from "./machine.ts";
import type { CardOperation, DescriptorFields, QueueAreas, QueueOperation } from "./operations.ts";
import { describeAt } from "./operations.ts";
import { describeFrame } from "./packets.ts";

/** Bytes of guest memory in the tests, from 0 on. */
const RAM = 0x2_0000;

export interface QueueLook extends QueueAreas {
  readonly size: number;
  readonly isReady: boolean;
}

/** What a test sees of the card from behind. */
export interface CardLook {
  readonly status: number;
  readonly failure: string | null;
  readonly driverFeatures: readonly number[];
  readonly queues: readonly QueueLook[];
}

export interface CardTrace {
  readonly results: (number | boolean | number[] | CardLook | null)[];
  /** Frames that went out. */
  readonly sent: number[][];
  /** How often the interrupt line rose. */
  readonly rises: number;
}

export interface UsedLook {
  readonly index: number;
  readonly availableEvent: number;
  readonly entries: { id: number; length: number }[];
}

export type Refusal = { error: string };
export type QueueResult = number | boolean | Chain | UsedLook | Refusal | null;

export interface QueueOptions {
  readonly size: number;
  readonly hasIndirectDescriptors?: boolean;
  readonly hasEventIndex?: boolean;
  /** The rings alone: the driver always wants an interrupt, and is never asked to notify. */
  readonly isPlain?: boolean;
}

/** Where `queue` has its rings. */
export const QUEUE_AREAS: QueueAreas = {
  descriptorTable: 0x1000,
  availableRing: 0x2000,
  usedRing: 0x3000,
};

export interface ChainCase {
  /** Descriptors by the address of their table. The queue's own table is at 0x1000. */
  readonly tables: readonly (readonly [table: number, ...descriptors: DescriptorFields[]])[];
  readonly head: number;
  readonly entries: number;
  readonly hasIndirectDescriptors?: boolean;
}

export interface NetGuestRun {
  readonly output: string;
  readonly last: string;
  /** Each frame in words, with its direction. */
  readonly packets: string[];
  readonly exits: Record<string, number>;
}

export const subject = {
  /** Runs operations on a card behind virtio-mmio; where it is open, no filter keeps a frame out. */
  card(operations: readonly CardOperation[], { offloads = false, isOpen = false } = {}): CardTrace {
    const memory = plainMemory();
    const sent: number[][] = [];
    let isRaised = false;
    let rises = 0;
    const irq = {
      raise() {
        isRaised = true;
        rises++;
      },
      lower() {
        isRaised = false;
      },
    };
    const backend: NetBackend = {
      offloads: { checksum: offloads, segmentation: offloads },
      onFrame: null,
      send: frame => void sent.push([...frame]),
    };
    const Card = isOpen ? OpenCard : VirtioNet;
    const card = new Card({ memory, mac: GUEST_MAC, backend });
    const mmio = new VirtioMmio(card, irq);
    const perform = (operation: CardOperation): CardTrace["results"][number] => {
      switch (operation.do) {
        case "poke":
          memory.writeBytes(operation.at, Uint8Array.from(operation.bytes));
          return null;
        case "peek":
          return [...memory.readBytes(operation.at, operation.length)];
        case "read":
          return mmio.read(operation.at, operation.size ?? 4);
        case "write":
          mmio.write(operation.at, operation.size ?? 4, operation.value);
          return null;
        case "arrive":
          return backend.onFrame!(Uint8Array.from(operation.frame));
        case "link":
          card.setLink(operation.isUp);
          return null;
        case "owe": {
          const state = card.save();
          card.restore({ ...state, device: { ...state.device, interruptStatus: operation.causes } });
          isRaised = true;
          return null;
        }
        case "irq":
          return isRaised;
        case "accepts":
          return card.acceptsFeatures;
        case "look":
          return lookAt(card);
      }
    };
    const results = operations.map(perform);
    return { results, sent, rises };
  },

  /** Runs operations on a queue in use. What the driver did wrong is a result, `{ error }`. */
  queue(options: QueueOptions, operations: readonly QueueOperation[]): QueueResult[] {
    const { size, hasIndirectDescriptors = false, hasEventIndex = false, isPlain = false } = options;
    const memory = plainMemory();
    const queue = isPlain ? new PlainQueue(memory, 256) : new Virtqueue(memory, 256);
    queue.setSize(size);
    for (const area of ["descriptorTable", "availableRing", "usedRing"] as const) {
      queue.setAddress(area, "low", QUEUE_AREAS[area]);
    }
    queue.enable({ hasIndirectDescriptors, hasEventIndex });
    const taken: Chain[] = [];
    const perform = (operation: QueueOperation): QueueResult => {
      switch (operation.do) {
        case "poke":
          memory.writeBytes(operation.at, Uint8Array.from(operation.bytes));
          return null;
        case "waiting":
          return queue.waiting;
        case "pop": {
          const chain = queue.pop();
          if (chain) taken.push(chain);
          return chain;
        }
        case "take": {
          let taken = 0;
          for (let count = 1; count <= operation.count; count++) {
            memory.write(QUEUE_AREAS.availableRing + 2, 2, count & 0xffff);
            if (queue.pop()) taken++;
          }
          return taken;
        }
        case "unpop":
          queue.unpop(operation.count);
          taken.splice(-operation.count);
          return null;
        case "push":
          queue.push(taken.shift()!, operation.written);
          return null;
        case "publish":
          return queue.publish();
        case "used":
          return lookAtUsed(memory, size);
      }
    };
    return operations.map(operation => refused(() => perform(operation)));
  },

  /** Follows chains, each in memory of its own. */
  chains(cases: readonly ChainCase[]): (Chain | Refusal)[] {
    return cases.map(({ tables, head, entries, hasIndirectDescriptors = false }) => {
      const memory = plainMemory();
      for (const [table, ...descriptors] of tables) {
        const { at, bytes } = describeAt(table, ...descriptors);
        memory.writeBytes(at, Uint8Array.from(bytes));
      }
      const table = { address: QUEUE_AREAS.descriptorTable, entries, longest: 256, hasIndirectDescriptors };
      return refused(() => walkChain(memory, table, head));
    });
  },

  /** `hasPassed` for triples of event, before and now. */
  hasPassed: (cases: readonly (readonly [event: number, before: number, now: number])[]): boolean[] =>
    cases.map(([event, before, now]) => hasPassed(event, before, now)),

  /** What headers leave to do, of frames with `length` bytes. */
  parse: (
    cases: readonly { header: number[]; length: number; allowed: TransmitOffloads }[],
  ): (Offload | string | null)[] =>
    cases.map(({ header, length, allowed }) => parseHeader(Uint8Array.from(header), length, allowed)),

  /** Frames with their checksums completed. */
  completeChecksum: (cases: readonly { frame: number[]; start: number; offset: number }[]): number[][] =>
    cases.map(({ frame, start, offset }) => {
      const bytes = Uint8Array.from(frame);
      completeChecksum(bytes, { start, offset });
      return [...bytes];
    }),

  /** Which of the frames pass a filter that has got these commands. */
  filter(commands: readonly number[][], frames: readonly number[][], filtersVlans = false): boolean[] {
    const filter = new ReceiveFilter(GUEST_MAC);
    const features: FilterFeatures = { rx: true, rxExtra: true, macAddress: true, vlan: true };
    for (const command of commands) {
      if (!filter.command(Uint8Array.from(command), features)) throw new Error(`no command: ${command}`);
    }
    return frames.map(frame => filter.passes(Uint8Array.from(frame), filtersVlans));
  },

  /** Boots a guest of this chapter on the soft engine. */
  guest(image: Uint8Array): NetGuestRun {
    const hypervisor = openSoft();
    try {
      return bootGuest(hypervisor, image);
    } finally {
      hypervisor.close();
    }
  },
};

/** Runs a guest to its end on any engine. */
export function bootGuest(hypervisor: Hypervisor, image: Uint8Array): NetGuestRun {
  let output = "";
  const packets: string[] = [];
  const exits: Record<string, number> = {};
  const machine = build(
    hypervisor,
    image,
    byte => (output += String.fromCharCode(byte)),
    (direction, frame) => {
      const { protocol, text } = describeFrame(frame);
      packets.push(`${direction === "out" ? "→" : "←"} ${protocol} ${text}`);
    },
  );
  const last = machine.run({
    maxExits: 20_000,
    budget: { instructions: 100_000, milliseconds: 100 },
    onExit: ({ reason }) => (exits[reason] = (exits[reason] ?? 0) + 1),
  });
  return { output, last: last.reason, packets, exits };
}

/** A queue whose rings can be tested before its notifications are written. */
class PlainQueue extends Virtqueue {
  protected override wantsInterrupt(): boolean {
    return true;
  }

  protected override askToBeNotified(): void {}
}

/** A card that can receive before its filter is written. */
class OpenCard extends VirtioNet {
  protected override passes(): boolean {
    return true;
  }
}

function plainMemory(): GuestMemory {
  const host = new WebAssembly.Memory({ initial: RAM / 0x1_0000 });
  const owner = { setUserMemoryRegion() {}, memoryWritten() {} };
  const memory = new GuestMemory(owner, { memory: host, offset: 0, size: RAM });
  memory.map(0, 0, RAM);
  return memory;
}

/** A broken rule as a result; anything else that is thrown is thrown on. */
function refused<Result>(action: () => Result): Result | Refusal {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof VirtqueueError)) throw error;
    return { error: error.message };
  }
}

function lookAt(card: VirtioNet): CardLook {
  return {
    status: card.status,
    failure: card.failure,
    driverFeatures: [card.driverFeatures(0), card.driverFeatures(1)],
    queues: card.queues.map(({ setup, isReady }) => ({ ...setup, isReady })),
  };
}

function lookAtUsed(memory: GuestMemory, size: number): UsedLook {
  const ring = QUEUE_AREAS.usedRing;
  return {
    index: memory.read(ring + 2, 2),
    availableEvent: memory.read(ring + 4 + 8 * size, 2),
    entries: Array.from({ length: size }, (_, at) => ({
      id: memory.read(ring + 4 + 8 * at, 4),
      length: memory.read(ring + 8 + 8 * at, 4),
    })),
  };
}
