/** Descriptor tables for the page to follow, right ones and wrong ones; the layer's own walk says which. */
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import {
  type Chain,
  DESCRIPTOR_F_INDIRECT,
  DESCRIPTOR_F_NEXT,
  DESCRIPTOR_F_WRITE,
  type Descriptor,
  VirtqueueError,
  walkChain,
} from "#layers/07-virtio-net/descriptor-chain.ts";
import { describeAt } from "../../chapters/07-virtio-net/operations.ts";

/** Bytes of the memory that the chains are in. */
export const CHAIN_RAM = 0x1_0000;
export const QUEUE_TABLE = 0x1000;
export const INNER_TABLE = 0x2000;
const ENTRIES = 4;

const [NEXT, WRITE, INDIRECT] = [DESCRIPTOR_F_NEXT, DESCRIPTOR_F_WRITE, DESCRIPTOR_F_INDIRECT];

export interface ChainExample {
  readonly name: string;
  readonly table: readonly Descriptor[];
  readonly inner: readonly Descriptor[];
}

const entry = (address: number, length: number, flags = 0, next = 0): Descriptor => {
  return { address, length, flags, next };
};
const UNUSED = entry(0, 0);

/** Each begins at descriptor 0. */
export const CHAIN_EXAMPLES: readonly ChainExample[] = [
  {
    name: "a frame to send",
    table: [entry(0xc000, 12, NEXT, 2), UNUSED, entry(0xc010, 74), UNUSED],
    inner: [],
  },
  {
    name: "a command",
    table: [entry(0x8000, 2, NEXT, 3), entry(0x8040, 1, WRITE), UNUSED, entry(0x8010, 6, NEXT, 1)],
    inner: [],
  },
  {
    name: "an indirect table",
    table: [entry(INNER_TABLE, 32, INDIRECT), UNUSED, UNUSED, UNUSED],
    inner: [entry(0xc000, 12, NEXT, 1), entry(0xc010, 74)],
  },
  {
    name: "a circle",
    table: [entry(0xc000, 12, NEXT, 2), UNUSED, entry(0xc010, 74, NEXT, 0), UNUSED],
    inner: [],
  },
  {
    name: "a wild next",
    table: [entry(0xc000, 12, NEXT, 9), UNUSED, UNUSED, UNUSED],
    inner: [],
  },
  {
    name: "a buffer over the edge",
    table: [entry(0xc000, 12, NEXT, 1), entry(0xfff0, 74, WRITE), UNUSED, UNUSED],
    inner: [],
  },
];

/** What the layer makes of an example: the chain, or its words of refusal. */
export function followExample({ table, inner }: ChainExample): Chain | string {
  const host = new WebAssembly.Memory({ initial: CHAIN_RAM / 0x1_0000 });
  const owner = { setUserMemoryRegion() {}, memoryWritten() {} };
  const memory = new GuestMemory(owner, { memory: host, offset: 0, size: CHAIN_RAM });
  memory.map(0, 0, CHAIN_RAM);
  for (const [at, descriptors] of [
    [QUEUE_TABLE, table],
    [INNER_TABLE, inner],
  ] as const) {
    const fields = descriptors.map(
      ({ address, length, flags, next }) => [address, length, flags, next] as const,
    );
    memory.writeBytes(at, Uint8Array.from(describeAt(at, ...fields).bytes));
  }
  const queueTable = {
    address: QUEUE_TABLE,
    entries: ENTRIES,
    longest: ENTRIES,
    hasIndirectDescriptors: true,
  };
  try {
    return walkChain(memory, queueTable, 0);
  } catch (error) {
    if (!(error instanceof VirtqueueError)) throw error;
    return error.message;
  }
}
