/**
 * The rings of a card's queues as plain data: what the driver wrote, what the device wrote, and how far the
 * device has come. Made from the card's saved state and guest memory, which it only reads.
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Descriptor, readDescriptor } from "#layers/07-virtio-net/descriptor-chain.ts";
import type { VirtqueueState } from "#layers/07-virtio-net/virtqueue.ts";

export interface RingsView {
  readonly name: string;
  readonly size: number;
  readonly descriptors: readonly Descriptor[];
  /** Written by the driver. */
  readonly available: {
    readonly flags: number;
    readonly index: number;
    readonly ring: readonly number[];
    readonly usedEvent: number;
  };
  /** Written by the device. */
  readonly used: {
    readonly index: number;
    readonly ring: readonly { readonly id: number; readonly length: number }[];
    readonly availableEvent: number;
  };
  /** The device's own counts: entries taken, and entries returned. */
  readonly taken: number;
  readonly returned: number;
}

/** The rings of those queues that are in use. `states` and `names` go by the queues' numbers. */
export function ringsOf(
  states: readonly VirtqueueState[],
  names: readonly string[],
  memory: GuestMemory,
): RingsView[] {
  return states.flatMap((state, index) => {
    return state.isReady ? [ringsOfQueue(state, names[index] ?? `queue ${index}`, memory)] : [];
  });
}

function ringsOfQueue(state: VirtqueueState, name: string, memory: GuestMemory): RingsView {
  const { size, halves } = state;
  const { descriptorTable, availableRing, usedRing } = halves;
  const [table, available, used] = [descriptorTable.low, availableRing.low, usedRing.low];
  const entries = Array.from({ length: size }, (_, at) => at);
  return {
    name,
    size,
    descriptors: entries.map(at => readDescriptor(memory, table, at)),
    available: {
      flags: memory.read(available, 2),
      index: memory.read(available + 2, 2),
      ring: entries.map(at => memory.read(available + 4 + 2 * at, 2)),
      usedEvent: memory.read(available + 4 + 2 * size, 2),
    },
    used: {
      index: memory.read(used + 2, 2),
      ring: entries.map(at => ({
        id: memory.read(used + 4 + 8 * at, 4),
        length: memory.read(used + 8 + 8 * at, 4),
      })),
      availableEvent: memory.read(used + 4 + 8 * size, 2),
    },
    taken: state.nextAvailable,
    returned: state.nextUsed,
  };
}
