/**
 * A guest that does everything wrong with a virtio device, for tests: random writes to its registers, rings
 * in wild places, chains that loop, lengths from 0 to 4 GiB; and now and then all of it right, so that
 * the wrong comes deep.
 *
 * Its memory has a hole and a read-only part, and guards around it, so that an access that should not be
 * leaves a trace: in the guards or as an exception.
 */
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { VirtioDevice } from "#layers/07-virtio-net/virtio-device.ts";
import type { Registers, Transport } from "./virtio-test-driver.ts";

const PAGE = 0x1000;
/** Guest-physical: RAM, then a hole of 64 KiB, then RAM, then memory that may only be read. */
const LOW = 0x2_0000;
const HIGH_AT = 0x3_0000;
const HIGH = 0x1_0000;
const READ_ONLY_AT = 0x4_0000;
const READ_ONLY = 0x1_0000;
const GUARD = 0x1_0000;

export interface FuzzTarget {
  readonly device: VirtioDevice;
  readonly transport: Transport;
  readonly registers: Registers;
  /** Bytes of address space that `registers` has. */
  readonly size: number;
  /** Feature bits worth negotiating, by number. */
  readonly features: readonly number[];
  /** Bytes that begin a request of this kind of device, to be put into buffers. */
  readonly request: (random: () => number) => number[];
  /** Something comes from outside. */
  readonly outside?: (random: () => number) => void;
  readonly saveAndRestore: () => void;
}

export interface FuzzReport {
  operations: number;
  /** How often the device was live, gave up, and returned chains. */
  lives: number;
  failures: Map<string, number>;
  returned: number;
  /** Bytes of guards, hole and read-only memory that changed. */
  strayBytes: number;
}

/** Memory to fuzz in. */
export interface FuzzMemory {
  /** Has RAM from 0 to 0x1_ffff at least. */
  readonly memory: GuestMemory;
  /** Guest-physical addresses where memory, or the right to write it, begins or ends. */
  readonly edges: readonly number[];
  /** How many bytes have changed that nobody may have written. */
  readonly strayBytes: () => number;
}

export function fuzzMemory(): FuzzMemory {
  const size = LOW + HIGH + READ_ONLY;
  const host = new WebAssembly.Memory({ initial: (size + 2 * GUARD) / 0x1_0000 });
  const memory = new GuestMemory(
    { setUserMemoryRegion() {}, memoryWritten() {} },
    { memory: host, offset: GUARD, size },
  );
  memory.map(0, 0, LOW, 0);
  memory.map(1, HIGH_AT, HIGH, LOW);
  memory.map(2, READ_ONLY_AT, READ_ONLY, LOW + HIGH, true);
  const bytes = new Uint8Array(host.buffer);
  const forbidden = [bytes.subarray(0, GUARD), bytes.subarray(GUARD + LOW + HIGH)];
  const strayBytes = () => forbidden.reduce((sum, part) => sum + part.filter(byte => byte !== 0).length, 0);
  const edges = [
    0,
    LOW - 8,
    LOW,
    HIGH_AT - 1,
    HIGH_AT,
    HIGH_AT + HIGH - 4,
    READ_ONLY_AT,
    READ_ONLY_AT + READ_ONLY - 1,
  ];
  return { memory, edges, strayBytes };
}

const [NEXT, WRITE, INDIRECT] = [1, 2, 4];
const SIZES = [1, 2, 4] as const;

export function fuzz(
  target: FuzzTarget,
  { memory, edges, strayBytes }: FuzzMemory,
  random: () => number,
  operations: number,
): FuzzReport {
  const { device, transport, registers } = target;
  const report: FuzzReport = { operations, lives: 0, failures: new Map(), returned: 0, strayBytes: 0 };
  const pick = <T>(from: readonly T[]): T => from[random() % from.length]!;
  const oneIn = (times: number) => random() % times === 0;
  let wasLive = false;

  /** Where the driver lays its rings: mostly like a driver, sometimes anywhere. */
  const rings = device.queues.map((_, index) => ({
    size: 0,
    descriptors: PAGE * (1 + 3 * index),
    available: PAGE * (2 + 3 * index),
    used: PAGE * (3 + 3 * index),
  }));

  const wildNumber = () =>
    pick([0, 1, 2, 3, 0x7f, 0xff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, random()]);
  const wildAddress = () => pick(edges) + (random() % 16);
  const address = () =>
    oneIn(6) ? wildAddress() : oneIn(30) ? wildNumber() : 0x1_0000 + (random() % 0xf000);
  const length = () =>
    oneIn(12) ? wildNumber() : pick([0, 1, 11, 12, 16, 60, 512, 1526, 4096, random() % 3000]);

  const poke = (at: number, size: 1 | 2 | 4, value: number) => {
    if (at >= 0 && at + size <= LOW) memory.write(at, size, value);
  };
  const descriptor = (table: number, index: number, entries: number) => {
    const at = table + 16 * index;
    const flags = (oneIn(2) ? NEXT : 0) | (oneIn(2) ? WRITE : 0) | (oneIn(8) ? INDIRECT : 0);
    poke(at, 4, address());
    poke(at + 4, 4, oneIn(20) ? wildNumber() : 0);
    poke(at + 8, 4, flags & INDIRECT && !oneIn(4) ? 16 * (1 + (random() % 8)) : length());
    poke(at + 12, 2, oneIn(50) ? random() : flags);
    poke(at + 14, 2, oneIn(20) ? random() : random() % (entries || 1));
  };
  /** A request as a driver makes it: something to read, then something to write. */
  const properRequest = (index: number) => {
    const { size, descriptors, available } = rings[index]!;
    if (size < 4) return;
    const bytes = target.request(random);
    const at = 0x1_0000 + (random() % 0xe000);
    for (const [offset, byte] of bytes.entries()) poke(at + offset, 1, byte);
    const head = random() % (size - 2);
    const room = pick([1, 60, 513, 1600, 4096]);
    const parts = [
      [at, bytes.length, NEXT],
      [at, pick([60, 512, 1514]), NEXT | (oneIn(2) ? WRITE : 0)],
      [0x1_0000 + (random() % 0xe000), room, WRITE],
    ];
    const first = index === 0 && oneIn(2) ? 2 : 0; // room only, as to receive or to be given entropy
    for (const [offset, [where, many, flags]] of parts.entries()) {
      const place = descriptors + 16 * (head + offset);
      poke(place, 4, where!);
      poke(place + 4, 4, 0);
      poke(place + 8, 4, many!);
      poke(place + 12, 2, flags!);
      poke(place + 14, 2, head + offset + 1);
    }
    const next = memory.read(available + 2, 2);
    poke(available + 4 + 2 * (next % size), 2, head + first);
    poke(available + 2, 2, next + 1);
    const before = memory.read(rings[index]!.used + 2, 2);
    transport.notify(index);
    report.returned += (memory.read(rings[index]!.used + 2, 2) - before) & 0xff;
  };
  const bringUp = () => {
    transport.status = 0;
    transport.status = 1;
    transport.status = 3;
    const words: [number, number] = [0, 1]; // VERSION_1
    for (const feature of target.features) {
      if (!oneIn(4)) words[feature >> 5 === 0 ? 0 : 1] |= 1 << (feature & 31);
    }
    if (oneIn(20)) words[random() % 2 === 0 ? 0 : 1] ^= random();
    transport.chooseFeatures(0, words[0] >>> 0);
    transport.chooseFeatures(1, words[1] >>> 0);
    transport.status = 0xb;
    for (const [index, ring] of rings.entries()) {
      ring.size = oneIn(20) ? random() % 40 : pick([1, 2, 8, 16]);
      memory.fill(ring.available, PAGE, 0);
      memory.fill(ring.used, PAGE, 0);
      const wild = oneIn(15);
      const area = (proper: number) => (wild && oneIn(2) ? wildAddress() & ~15 : proper);
      transport.setUpQueue(index, ring.size, area(ring.descriptors), area(ring.available), area(ring.used));
    }
    if (!oneIn(20)) transport.status = 0xf;
  };

  const operation: (() => void)[] = [
    () => registers.write(random() % target.size, pick(SIZES), wildNumber()),
    () => registers.write(4 * (random() % (target.size / 4)), 4, oneIn(2) ? wildNumber() : address()),
    () => void registers.read(random() % target.size, pick(SIZES)),
    () => void registers.read(4 * (random() % (target.size / 4)), 4),
    () => {
      const { size, descriptors } = pick(rings);
      for (let index = 0; index < Math.min(size, 16); index++) descriptor(descriptors, index, size);
    },
    () => {
      const { available, size } = pick(rings);
      const index = memory.read(available + 2, 2);
      poke(available + 4 + 2 * (index % (size || 1)), 2, oneIn(10) ? random() : random() % (size || 1));
      poke(available + 2, 2, oneIn(30) ? random() : index + 1);
    },
    () => descriptor(0x1_0000 + 16 * (random() % 0xf00), random() % 8, 8),
    () => poke(random() % LOW, pick(SIZES), random()),
    () => transport.notify(oneIn(20) ? wildNumber() : random() % rings.length),
    () => void transport.takeInterrupt(),
    () => target.outside?.(random),
  ];

  for (let count = 0; count < operations; count++) {
    if (!device.isLive ? oneIn(3) : oneIn(400)) bringUp();
    else if (oneIn(2)) properRequest(random() % rings.length);
    else if (oneIn(500)) target.saveAndRestore();
    else pick(operation)();
    if (device.isLive && !wasLive) report.lives++;
    wasLive = device.isLive;
    if (device.failure !== null && device.status & 0x40) {
      const kind = device.failure.replace(/0x[0-9a-f]+|\d+/g, "N");
      report.failures.set(kind, (report.failures.get(kind) ?? 0) + 1);
      if (oneIn(4)) transport.status = 0;
    }
  }
  report.strayBytes = strayBytes();
  return report;
}
