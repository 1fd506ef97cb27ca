import { describe, expect, it } from "vitest";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { testMemory } from "../../sandbox/devices/virtio-test-driver.ts";
import { type Chain, VirtqueueError } from "./descriptor-chain.ts";
import { isRam, readSpans, writeSpans } from "./spans.ts";
import { hasPassed, Virtqueue } from "./virtqueue.ts";

const [NEXT, WRITE, INDIRECT] = [1, 2, 4];
const [TABLE, AVAILABLE, USED] = [0x1000, 0x2000, 0x3000];
const RAM = 0x4_0000;

type Descriptor = [address: number, length: number, flags: number, next?: number];

function bench({ size = 8, indirect = true, eventIndex = false, maxSize = 64 } = {}) {
  const { memory } = testMemory(RAM);
  const queue = new Virtqueue(memory, maxSize);
  queue.setSize(size);
  queue.setAddress("descriptorTable", "low", TABLE);
  queue.setAddress("availableRing", "low", AVAILABLE);
  queue.setAddress("usedRing", "low", USED);
  queue.enable({ hasIndirectDescriptors: indirect, hasEventIndex: eventIndex });
  const describeAt = (table: number, ...descriptors: Descriptor[]) =>
    descriptors.forEach(([address, length, flags, next = 0], index) => {
      memory.write64(table + 16 * index, BigInt(address));
      memory.write(table + 16 * index + 8, 4, length);
      memory.write(table + 16 * index + 12, 2, flags);
      memory.write(table + 16 * index + 14, 2, next);
    });
  const offer = (...heads: number[]) => {
    for (const head of heads) {
      const index = memory.read(AVAILABLE + 2, 2);
      memory.write(AVAILABLE + 4 + 2 * (index % size), 2, head);
      memory.write(AVAILABLE + 2, 2, (index + 1) & 0xffff);
    }
  };
  const usedIndex = () => memory.read(USED + 2, 2);
  const usedEntry = (index: number) => [
    memory.read(USED + 4 + 8 * (index % size), 4),
    memory.read(USED + 8 + 8 * (index % size), 4),
  ];
  return { memory, queue, describeAt, offer, usedIndex, usedEntry };
}

describe("chains", () => {
  it("come in the order of the available ring, with what is to read before what is to write", () => {
    const { queue, describeAt, offer } = bench();
    describeAt(
      TABLE,
      [0x8000, 10, NEXT, 2],
      [0x9000, 5, WRITE],
      [0x8100, 20, NEXT | WRITE, 3],
      [0x8200, 30, WRITE],
    );
    offer(1, 0);
    expect(queue.waiting).toBe(2);
    expect(queue.pop()).toEqual({
      head: 1,
      readable: [],
      writable: [{ address: 0x9000, length: 5 }],
      readableLength: 0,
      writableLength: 5,
    });
    expect(queue.pop()).toMatchObject({
      head: 0,
      readable: [{ address: 0x8000, length: 10 }],
      writable: [
        { address: 0x8100, length: 20 },
        { address: 0x8200, length: 30 },
      ],
      readableLength: 10,
      writableLength: 50,
    });
    expect(queue.pop()).toBeNull();
  });

  it("may end in an indirect table", () => {
    const { queue, describeAt, offer } = bench();
    describeAt(TABLE, [0x8000, 10, NEXT, 1], [0x9000, 48, INDIRECT | WRITE]);
    describeAt(0x9000, [0x8100, 1, NEXT, 2], [0x8200, 2, WRITE], [0x8300, 3, NEXT, 1]);
    offer(0);
    const chain = queue.pop()!;
    expect(chain.readable.map(({ length }) => length)).toEqual([10, 1, 3]);
    expect(chain.writable.map(({ length }) => length)).toEqual([2]);
  });

  it("may have empty descriptors, which mean nothing", () => {
    const { queue, describeAt, offer } = bench();
    describeAt(TABLE, [0xffff_ffff_ffff, 0, NEXT, 1], [0x8000, 4, 0]);
    offer(0);
    expect(queue.pop()).toMatchObject({ readable: [{ address: 0x8000, length: 4 }], readableLength: 4 });
  });

  it("may be as long as the queue, and not longer", () => {
    const { queue, describeAt, offer } = bench({ size: 64 });
    const long = Array.from({ length: 64 }, (_, at): Descriptor => [0x8000, 1, at < 63 ? NEXT : 0, at + 1]);
    describeAt(TABLE, ...long);
    offer(0);
    expect(queue.pop()!.readableLength).toBe(64);
    describeAt(TABLE + 63 * 16, [0x8000, 1, NEXT, 63]);
    offer(0);
    expect(() => queue.pop()).toThrow("the chain from descriptor 0 does not end");
  });

  it("can be put back and taken again", () => {
    const { queue, describeAt, offer } = bench();
    describeAt(TABLE, [0x8000, 1, 0], [0x8001, 1, 0]);
    offer(0, 1);
    const taken = [queue.pop()!.head, queue.pop()!.head];
    queue.unpop(2);
    expect([queue.pop()!.head, queue.pop()!.head]).toEqual(taken);
  });
});

describe("hostile rings", () => {
  const cases: [name: string, descriptors: Descriptor[], message: string][] = [
    ["a loop of one", [[0x8000, 1, NEXT, 0]], "does not end"],
    [
      "a loop of two",
      [
        [0x8000, 1, NEXT, 1],
        [0x8000, 1, NEXT, 0],
      ],
      "does not end",
    ],
    ["a next beyond the table", [[0x8000, 1, NEXT, 8]], "names descriptor 8 of a table of 8"],
    ["a next far beyond", [[0x8000, 1, NEXT, 0xffff]], "names descriptor 65535"],
    ["a buffer past the end of memory", [[RAM - 1, 2, 0]], "not all in RAM"],
    ["a huge length", [[0x8000, 0xffff_ffff, WRITE]], "not all in writable RAM"],
    ["a wild address", [[0xffff_ffff_ffff_f000, 1, 0]], "not all in RAM"],
    [
      "to read after to write",
      [
        [0x8000, 1, WRITE | NEXT, 1],
        [0x8000, 1, 0],
      ],
      "after one to be written",
    ],
    ["an empty indirect table", [[0x8000, 0, INDIRECT]], "no multiple of 16"],
    ["an uneven indirect table", [[0x8000, 24, INDIRECT]], "no multiple of 16"],
    ["a wild indirect table", [[RAM, 16, INDIRECT]], "not all in RAM"],
    ["an indirect table with a next", [[0x8000, 16, INDIRECT | NEXT, 1]], "with a next one"],
  ];
  it.each(cases)("%s", (_name, descriptors, message) => {
    const { queue, describeAt, offer } = bench();
    describeAt(TABLE, ...descriptors);
    offer(0);
    expect(() => queue.pop()).toThrow(VirtqueueError);
    queue.unpop(1);
    expect(() => queue.pop()).toThrow(message);
  });

  it("an indirect table in an indirect table, or without the feature", () => {
    const { queue, describeAt, offer } = bench();
    describeAt(TABLE, [0x9000, 16, INDIRECT]);
    describeAt(0x9000, [0x9000, 16, INDIRECT]);
    offer(0);
    expect(() => queue.pop()).toThrow("within an indirect table");
    const plain = bench({ indirect: false });
    plain.describeAt(TABLE, [0x9000, 16, INDIRECT]);
    plain.offer(0);
    expect(() => plain.queue.pop()).toThrow("without VIRTIO_F_INDIRECT_DESC");
  });

  it("an index that goes further than the ring is long, or back", () => {
    for (const index of [9, 0xffff]) {
      const { queue, memory } = bench();
      memory.write(AVAILABLE + 2, 2, index);
      expect(() => queue.pop()).toThrow(`went from 0 to ${index}, in a ring of 8`);
    }
  });

  it("a head beyond the table", () => {
    const { queue, offer } = bench();
    offer(8);
    expect(() => queue.pop()).toThrow("names descriptor 8");
  });

  it("a buffer to write in read-only memory, or over the hole between two slots", () => {
    const host = new WebAssembly.Memory({ initial: 4 });
    const memory = new GuestMemory(
      { setUserMemoryRegion() {}, memoryWritten() {} },
      { memory: host, offset: 0, size: 0x4_0000 },
    );
    memory.map(0, 0, 0x1_0000, 0);
    memory.map(1, 0x1_0000, 0x1_0000, 0x1_0000, true);
    memory.map(2, 0x3_0000, 0x1_0000, 0x2_0000);
    expect(isRam(memory, 0xf000, 0x2000, false)).toBe(true);
    expect(isRam(memory, 0xf000, 0x2000, true)).toBe(false);
    expect(isRam(memory, 0x1_f000, 0x1_2000, false)).toBe(false);
    expect(isRam(memory, 0x3_f000, 0x1000, true)).toBe(true);
    expect(isRam(memory, 0x3_f000, 0x1001, true)).toBe(false);
    expect(isRam(memory, 2 ** 64, 1, false)).toBe(false);
  });

  it.each([
    ["size 0", () => 0, TABLE, AVAILABLE, USED, "power of 2"],
    ["size 24", () => 24, TABLE, AVAILABLE, USED, "power of 2"],
    ["more than the device has", () => 128, TABLE, AVAILABLE, USED, "power of 2 up to 64"],
    ["a descriptor table at 8", () => 8, TABLE + 8, AVAILABLE, USED, "16 byte aligned"],
    ["an odd available ring", () => 8, TABLE, AVAILABLE + 1, USED, "2 byte aligned"],
    ["a used ring at 2", () => 8, TABLE, AVAILABLE, USED + 2, "4 byte aligned"],
    ["a descriptor table over the edge", () => 8, RAM - 16, AVAILABLE, USED, "not all in RAM"],
    ["a used ring outside", () => 8, TABLE, AVAILABLE, RAM, "not all in RAM"],
  ])("a setup with %s is refused", (_name, size, table, available, used, message) => {
    const queue = new Virtqueue(testMemory(RAM).memory, 64);
    queue.setSize(size());
    queue.setAddress("descriptorTable", "low", table);
    queue.setAddress("availableRing", "low", available);
    queue.setAddress("usedRing", "low", used);
    expect(() => queue.enable({ hasIndirectDescriptors: true, hasEventIndex: true })).toThrow(message);
    expect(queue.isReady).toBe(false);
    expect(queue.pop()).toBeNull();
  });

  it("keeps both halves of an address, whatever was in the other", () => {
    const queue = new Virtqueue(testMemory(RAM).memory, 8);
    queue.setAddress("usedRing", "high", 0xffff_ffff);
    queue.setAddress("usedRing", "low", 0x1234_5678);
    queue.setAddress("usedRing", "high", 0x1);
    expect(queue.setup.usedRing).toBe(0x1_1234_5678);
  });
});

describe("the used ring", () => {
  it("returns chains and tells of them all at once", () => {
    const { queue, describeAt, offer, usedIndex, usedEntry } = bench();
    describeAt(TABLE, [0x8000, 1, 0], [0x8001, 1, 0]);
    offer(1, 0);
    queue.push(queue.pop()!, 100);
    queue.push(queue.pop()!, 200);
    expect(usedIndex()).toBe(0);
    expect(queue.publish()).toBe(true);
    expect(usedIndex()).toBe(2);
    expect([usedEntry(0), usedEntry(1)]).toEqual([
      [1, 100],
      [0, 200],
    ]);
    expect(queue.publish()).toBe(false);
  });

  it("does not interrupt a driver that wants none", () => {
    const { queue, describeAt, offer, memory, usedIndex } = bench();
    describeAt(TABLE, [0x8000, 1, 0]);
    memory.write(AVAILABLE, 2, 1);
    offer(0);
    queue.push(queue.pop()!, 0);
    expect(queue.publish()).toBe(false);
    expect(usedIndex()).toBe(1);
  });

  it("with the event index interrupts when the driver's mark is passed, and not before", () => {
    const { queue, describeAt, offer, memory } = bench({ eventIndex: true });
    describeAt(TABLE, [0x8000, 1, 0]);
    const usedEvent = AVAILABLE + 4 + 2 * 8;
    memory.write(usedEvent, 2, 2);
    const interrupts = [1, 2, 3, 4].map(() => {
      offer(0);
      queue.push(queue.pop()!, 0);
      return queue.publish();
    });
    expect(interrupts).toEqual([false, false, true, false]);
  });

  it("with the event index asks to be notified of the next chain once it has taken all", () => {
    const { queue, describeAt, offer, memory } = bench({ eventIndex: true });
    describeAt(TABLE, [0x8000, 1, 0]);
    const availableEvent = () => memory.read(USED + 4 + 8 * 8, 2);
    offer(0, 0, 0);
    for (let at = 0; at < 3; at++) queue.pop();
    expect(availableEvent()).toBe(0);
    expect(queue.pop()).toBeNull();
    expect(availableEvent()).toBe(3);
  });

  it("goes on rightly for 200,000 chains: the counts wrap", () => {
    const { queue, describeAt, offer, usedIndex, usedEntry } = bench({ eventIndex: true });
    describeAt(TABLE, ...Array.from({ length: 8 }, (_, at): Descriptor => [0x8000 + at, 1, 0]));
    for (let count = 0; count < 200_000; count++) {
      offer(count % 8);
      const chain = queue.pop() as Chain;
      if (chain.head !== count % 8) throw new Error(`chain ${count} is ${chain.head}`);
      queue.push(chain, count);
      queue.publish();
      if (usedEntry(count & 0xffff)[1] !== count) throw new Error(`entry ${count}`);
    }
    expect(usedIndex()).toBe(200_000 & 0xffff);
  });
});

describe("the event index", () => {
  it("is right for every step of every distance around the wrap", () => {
    for (const before of [0, 1, 0x7fff, 0xfffe, 0xffff]) {
      for (let step = 0; step <= 300; step++) {
        const added = new Set(Array.from({ length: step }, (_, at) => (before + at) & 0xffff));
        for (let away = -3; away <= step + 3; away++) {
          const event = (before + away) & 0xffff;
          if (hasPassed(event, before, (before + step) & 0xffff) !== added.has(event)) {
            throw new Error(`event ${event}, from ${before} by ${step}`);
          }
        }
      }
    }
  });
});

describe("spans", () => {
  it("are read and written across their borders, from any place on", () => {
    const { memory } = testMemory(RAM);
    const spans = [
      { address: 0x8000, length: 3 },
      { address: 0x9000, length: 4 },
    ];
    expect(writeSpans(memory, spans, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))).toBe(7);
    expect([...readSpans(memory, spans)]).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect([...readSpans(memory, spans, 3, 2)]).toEqual([3, 4, 5]);
    expect([...readSpans(memory, spans, 9, 5)]).toEqual([6, 7]);
    expect([...readSpans(memory, spans, 9, 8)]).toEqual([]);
    expect(writeSpans(memory, spans, Uint8Array.of(9, 9), 6)).toBe(1);
    expect([...readSpans(memory, spans)]).toEqual([1, 2, 3, 4, 5, 6, 9]);
  });
});
