/**
 * A driver for virtio devices, as small as one can be and keep the rules: for tests of devices and
 * transports. It lays out rings in guest memory by VIRTIO 1.2, 2.7, and shares no code with the device side.
 */
import { GuestMemory, type MemoryOwner } from "#layers/01-minimal-vm/memory.ts";

/** How a driver reaches its device. */
export interface Transport {
  status: number;
  offeredFeatures(select: 0 | 1): number;
  chooseFeatures(select: 0 | 1, bits: number): void;
  /** The most entries of a queue; 0 if there is none. */
  queueMax(index: number): number;
  setUpQueue(index: number, size: number, descriptors: number, available: number, used: number): void;
  notify(index: number): void;
  /** Reads and acknowledges the reasons of an interrupt. */
  takeInterrupt(): number;
  readConfiguration(offset: number, size: 1 | 2 | 4): number;
}

export interface Registers {
  read(offset: number, size: 1 | 2 | 4): number;
  write(offset: number, size: 1 | 2 | 4, value: number): void;
}

/** The registers of virtio-mmio, 4.2.2. */
export function mmioTransport(registers: Registers): Transport {
  const read = (at: number) => registers.read(at, 4);
  const write = (at: number, value: number) => registers.write(at, 4, value);
  return {
    get status() {
      return read(0x070);
    },
    set status(value) {
      write(0x070, value);
    },
    offeredFeatures(select) {
      write(0x014, select);
      return read(0x010);
    },
    chooseFeatures(select, bits) {
      write(0x024, select);
      write(0x020, bits);
    },
    queueMax(index) {
      write(0x030, index);
      return read(0x034);
    },
    setUpQueue(index, size, ...areas) {
      write(0x030, index);
      write(0x038, size);
      areas.forEach((area, at) => {
        write(0x080 + 0x10 * at, area);
        write(0x084 + 0x10 * at, 0);
      });
      write(0x044, 1);
    },
    notify: index => write(0x050, index),
    takeInterrupt() {
      const causes = read(0x060);
      write(0x064, causes);
      return causes;
    },
    readConfiguration: (offset, size) => registers.read(0x100 + offset, size),
  };
}

const [ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK] = [1, 2, 4, 8];

export interface Buffer {
  readonly bytes?: ArrayLike<number>;
  /** Bytes for the device to write, instead of `bytes` to read. */
  readonly room?: number;
}

export interface Returned {
  readonly id: number;
  readonly length: number;
  /** What lies in the buffers for the device to write, `length` bytes of it. */
  readonly written: Uint8Array;
}

export class VirtioTestDriver {
  /** Where the next allocation is. */
  #free: number;

  constructor(
    readonly memory: GuestMemory,
    readonly transport: Transport,
    start = 0x1000,
  ) {
    this.#free = start;
  }

  allocate(length: number, alignment = 16): number {
    const at = Math.ceil(this.#free / alignment) * alignment;
    this.#free = at + length;
    return at;
  }

  /** Brings the device up to FEATURES_OK with these features, by number; returns whether it agreed. */
  negotiate(features: readonly number[]): boolean {
    this.transport.status = 0;
    this.transport.status = ACKNOWLEDGE;
    this.transport.status = ACKNOWLEDGE | DRIVER;
    for (const select of [0, 1] as const) {
      const bits = features.filter(feature => feature >> 5 === select);
      this.transport.chooseFeatures(
        select,
        bits.reduce((word, feature) => word | (1 << (feature & 31)), 0) >>> 0,
      );
    }
    this.transport.status = ACKNOWLEDGE | DRIVER | FEATURES_OK;
    return (this.transport.status & FEATURES_OK) !== 0;
  }

  /** Sets the queues up and says DRIVER_OK. */
  start(sizes: readonly number[], hasEventIndex = false): DriverQueue[] {
    const queues = sizes.map((size, index) => new DriverQueue(this, index, size, hasEventIndex));
    this.transport.status = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
    return queues;
  }
}

export class DriverQueue {
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  readonly #rooms = new Map<number, { at: number; length: number }[]>();
  readonly #freeDescriptors: number[];
  readonly #chains = new Map<number, number[]>();
  #seen = 0;

  constructor(
    readonly driver: VirtioTestDriver,
    readonly index: number,
    readonly size: number,
    readonly hasEventIndex: boolean,
  ) {
    this.descriptors = driver.allocate(16 * size, 16);
    this.available = driver.allocate(6 + 2 * size, 2);
    this.used = driver.allocate(6 + 8 * size, 4);
    for (const [at, length] of [
      [this.descriptors, 16 * size],
      [this.available, 6 + 2 * size],
      [this.used, 6 + 8 * size],
    ] as const) {
      driver.memory.fill(at, length, 0);
    }
    this.#freeDescriptors = Array.from({ length: size }, (_, at) => size - 1 - at);
    driver.transport.setUpQueue(index, size, this.descriptors, this.available, this.used);
  }

  get #memory(): GuestMemory {
    return this.driver.memory;
  }

  writeDescriptor(table: number, index: number, address: number, length: number, flags: number, next = 0) {
    const at = table + 16 * index;
    this.#memory.write64(at, BigInt(address));
    this.#memory.write(at + 8, 4, length);
    this.#memory.write(at + 12, 2, flags);
    this.#memory.write(at + 14, 2, next);
  }

  /** Makes a chain of buffers available, by an indirect table if asked for; returns its id. */
  add(buffers: readonly Buffer[], { indirect = false } = {}): number {
    const count = indirect ? 1 : buffers.length;
    const taken = Array.from({ length: count }, () => this.#freeDescriptors.pop()!);
    if (taken.includes(undefined as never)) throw new Error("the driver's ring is full");
    const table = indirect ? this.driver.allocate(16 * buffers.length) : this.descriptors;
    const rooms: { at: number; length: number }[] = [];
    buffers.forEach(({ bytes, room }, at) => {
      const length = bytes?.length ?? room ?? 0;
      const address = this.driver.allocate(length, 1);
      if (bytes) this.#memory.writeBytes(address, Uint8Array.from(bytes));
      else rooms.push({ at: address, length });
      const isLast = at === buffers.length - 1;
      const next = indirect ? at + 1 : (taken[at + 1] ?? 0);
      this.writeDescriptor(
        table,
        indirect ? at : taken[at]!,
        address,
        length,
        (isLast ? 0 : 1) | (bytes ? 0 : 2),
        next,
      );
    });
    const head = taken[0]!;
    if (indirect) this.writeDescriptor(this.descriptors, head, table, 16 * buffers.length, 4);
    this.#rooms.set(head, rooms);
    this.#chains.set(head, taken);
    this.makeAvailable(head);
    return head;
  }

  get availableIndex(): number {
    return this.#memory.read(this.available + 2, 2);
  }

  makeAvailable(head: number): void {
    const index = this.availableIndex;
    this.#memory.write(this.available + 4 + 2 * (index % this.size), 2, head);
    this.#memory.write(this.available + 2, 2, (index + 1) & 0xffff);
  }

  kick(): void {
    this.driver.transport.notify(this.index);
  }

  get usedIndex(): number {
    return this.#memory.read(this.used + 2, 2);
  }

  /** With the event index: where in the available ring the device wants to be notified. */
  get availableEvent(): number {
    return this.#memory.read(this.used + 4 + 8 * this.size, 2);
  }

  /** With the event index: interrupt once the used ring's idx passes `index`. */
  set usedEvent(index: number) {
    this.#memory.write(this.available + 4 + 2 * this.size, 2, index);
  }

  set suppressesInterrupts(isSuppressing: boolean) {
    this.#memory.write(this.available, 2, isSuppressing ? 1 : 0);
  }

  /** All bytes for the device to write of the chain that was collected last, written or not. */
  lastRooms: Uint8Array = new Uint8Array(0);

  /** What the device has returned since the last call. */
  collect(): Returned[] {
    const returned: Returned[] = [];
    for (; this.#seen !== this.usedIndex; this.#seen = (this.#seen + 1) & 0xffff) {
      const at = this.used + 4 + 8 * (this.#seen % this.size);
      const id = this.#memory.read(at, 4);
      const length = this.#memory.read(at + 4, 4);
      const bytes: number[] = [];
      for (const room of this.#rooms.get(id) ?? [])
        bytes.push(...this.#memory.readBytes(room.at, room.length));
      this.lastRooms = Uint8Array.from(bytes);
      returned.push({ id, length, written: Uint8Array.from(bytes.slice(0, length)) });
      this.#freeDescriptors.push(...(this.#chains.get(id) ?? []));
      this.#chains.delete(id);
    }
    return returned;
  }
}

/** Guest memory with no machine around it: `size` bytes at 0, with guards of 64 KiB on both sides. */
export function testMemory(size: number): { memory: GuestMemory; guards: () => Uint8Array[] } {
  const guard = 0x1_0000;
  const host = new WebAssembly.Memory({ initial: (size + 2 * guard) / 0x1_0000 });
  const owner: MemoryOwner = { setUserMemoryRegion() {}, memoryWritten() {} };
  const memory = new GuestMemory(owner, { memory: host, offset: guard, size });
  memory.map(0, 0, size);
  const bytes = new Uint8Array(host.buffer);
  return { memory, guards: () => [bytes.slice(0, guard), bytes.slice(guard + size)] };
}
