import { describe, expect, it } from "vitest";
import {
  DriverQueue,
  mmioTransport,
  testMemory,
  VirtioTestDriver,
} from "../../sandbox/devices/virtio-test-driver.ts";
import { writeSpans } from "./spans.ts";
import { F_EVENT_IDX, F_INDIRECT_DESC, F_RING_RESET, F_VERSION_1, VirtioDevice } from "./virtio-device.ts";
import { VirtioMmio } from "./virtio-mmio.ts";

const RAM = 0x4_0000;
const [FEATURES_OK, DRIVER_OK, NEEDS_RESET, FAILED] = [8, 4, 0x40, 0x80];
const [DEVICE_FEATURES, DEVICE_FEATURES_SEL, DRIVER_FEATURES, DRIVER_FEATURES_SEL] = [0x10, 0x14, 0x20, 0x24];
const [QUEUE_SEL, QUEUE_NUM_MAX, QUEUE_NUM, QUEUE_READY, QUEUE_NOTIFY] = [0x30, 0x34, 0x38, 0x44, 0x50];
const [INTERRUPT_STATUS, INTERRUPT_ACK, STATUS, QUEUE_RESET, GENERATION] = [0x60, 0x64, 0x70, 0xc0, 0xfc];

/** A device that answers each chain with the bytes 1, 2, 3, or as told; feature 3 needs feature 2. */
class Echo extends VirtioDevice {
  events: string[] = [];
  answer: (count: number) => number[] = () => [1, 2, 3];

  protected serve(index: number): void {
    const queue = this.queues[index]!;
    let count = 0;
    for (const chain of this.chains(queue)) {
      queue.push(chain, writeSpans(this.memory, chain.writable, Uint8Array.from(this.answer(count++))));
    }
    this.publish(queue);
  }

  protected override isConsistent(has: (feature: number) => boolean): boolean {
    return !has(3) || has(2);
  }

  protected override started(): void {
    this.events.push("started");
  }

  protected override wasReset(): void {
    this.events.push("reset");
  }

  grow(): void {
    this.changeConfiguration(0, Uint8Array.of(this.configuration[0]! ^ 0xbb));
  }
}

function bench() {
  const { memory } = testMemory(RAM);
  const irq = { level: false, rises: 0 };
  const device = new Echo({
    memory,
    deviceId: 42,
    features: [2, 3, 33],
    queueSizes: [16, 8],
    configuration: Uint8Array.of(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77),
  });
  const mmio = new VirtioMmio(device, {
    raise() {
      irq.level = true;
      irq.rises++;
    },
    lower() {
      irq.level = false;
    },
  });
  const read = (at: number) => mmio.read(at, 4);
  const write = (at: number, value: number) => mmio.write(at, 4, value);
  const driver = new VirtioTestDriver(memory, mmioTransport(mmio));
  return { memory, irq, device, mmio, read, write, driver };
}

const ALL = [2, 3, 33, F_INDIRECT_DESC, F_EVENT_IDX, F_VERSION_1, F_RING_RESET];

function live() {
  const made = bench();
  expect(made.driver.negotiate([F_VERSION_1, F_INDIRECT_DESC, F_RING_RESET])).toBe(true);
  const queues = made.driver.start([16, 8]);
  return { ...made, queue: queues[0]!, second: queues[1]! };
}

describe("registers", () => {
  it("tell what is there", () => {
    const { read, write } = bench();
    expect(String.fromCharCode(...[0, 8, 16, 24].map(shift => (read(0) >>> shift) & 0xff))).toBe("virt");
    expect([read(4), read(8)]).toEqual([2, 42]);
    write(DEVICE_FEATURES_SEL, 0);
    expect(read(DEVICE_FEATURES)).toBe(0b0011_0000_0000_0000_0000_0000_0000_1100);
    write(DEVICE_FEATURES_SEL, 1);
    expect(read(DEVICE_FEATURES)).toBe(0b1_0000_0011);
    write(DEVICE_FEATURES_SEL, 2);
    expect(read(DEVICE_FEATURES)).toBe(0);
    const sizes = [0, 1, 2, 0xffff_ffff].map(queue => {
      write(QUEUE_SEL, queue);
      return read(QUEUE_NUM_MAX);
    });
    expect(sizes).toEqual([16, 8, 0, 0]);
    expect([0xb0, 0xb4, 0xb8, 0xbc].map(read)).toEqual(Array(4).fill(0xffff_ffff));
  });

  it("are read in four bytes only, the configuration in any", () => {
    const { mmio } = bench();
    expect([mmio.read(0, 1), mmio.read(0, 2), mmio.read(2, 2)]).toEqual([0, 0, 0]);
    expect([mmio.read(0x100, 1), mmio.read(0x101, 2), mmio.read(0x102, 4)]).toEqual([
      0x11, 0x3322, 0x6655_4433,
    ]);
    expect([mmio.read(0x105, 4), mmio.read(0x1fc, 4)]).toEqual([0x7766, 0]);
    mmio.write(STATUS, 1, 1);
    expect(mmio.read(STATUS, 4)).toBe(0);
  });
});

describe("status", () => {
  it("goes the way of the standard", () => {
    const { driver, device, read } = bench();
    expect(driver.negotiate(ALL)).toBe(true);
    expect(read(STATUS)).toBe(0b1011);
    driver.start([16, 8]);
    expect(read(STATUS)).toBe(0b1111);
    expect(device.isLive).toBe(true);
    expect(device.events).toEqual(["reset", "started"]);
  });

  it.each([
    ["a feature that was not offered", [F_VERSION_1, 5]],
    ["a feature above 32 that was not offered", [F_VERSION_1, 34]],
    ["a driver without VERSION_1", [2]],
    ["a feature without the one that it needs", [F_VERSION_1, 3]],
  ])("refuses FEATURES_OK for %s", (_name, features) => {
    const { driver, device, write, read } = bench();
    expect(driver.negotiate(features)).toBe(false);
    write(STATUS, 0b1111); // and DRIVER_OK with it
    expect(read(STATUS) & (DRIVER_OK | FEATURES_OK)).toBe(0);
    expect(device.isLive).toBe(false);
    expect(driver.negotiate([F_VERSION_1])).toBe(true);
  });

  it("keeps bits that were set until a reset, and features after FEATURES_OK", () => {
    const { driver, device, write, read } = bench();
    driver.negotiate([F_VERSION_1, 2]);
    write(STATUS, 1);
    expect(read(STATUS)).toBe(0b1011);
    write(DRIVER_FEATURES_SEL, 0);
    write(DRIVER_FEATURES, 0);
    expect(device.driverFeatures(0)).toBe(0b100);
    write(STATUS, 0);
    expect([read(STATUS), device.driverFeatures(0), device.driverFeatures(1)]).toEqual([0, 0, 0]);
  });

  it("FAILED ends the exchange of buffers", () => {
    const { queue, write, read } = live();
    queue.add([{ room: 3 }]);
    write(STATUS, read(STATUS) | FAILED);
    queue.kick();
    expect(queue.usedIndex).toBe(0);
  });

  it("serves no queue before DRIVER_OK", () => {
    const { driver, write } = bench();
    driver.negotiate([F_VERSION_1]);
    const queue = new DriverQueue(driver, 0, 16, false);
    queue.add([{ room: 3 }]);
    write(QUEUE_NOTIFY, 0);
    expect(queue.usedIndex).toBe(0);
    write(STATUS, 0b1111);
    write(QUEUE_NOTIFY, 0);
    expect(queue.usedIndex).toBe(1);
  });

  it("cannot be set to DEVICE_NEEDS_RESET by the driver", () => {
    const { write, read } = live();
    write(STATUS, NEEDS_RESET | read(STATUS));
    expect(read(STATUS)).toBe(0b1111);
  });
});

describe("queues and interrupts", () => {
  it("answers, raises the line, and lowers it when all reasons are acknowledged", () => {
    const { queue, device, irq, read, write } = live();
    queue.add([{ bytes: [9] }, { room: 8 }]);
    queue.add([{ room: 2 }], { indirect: true });
    queue.kick();
    expect(queue.collect().map(({ written }) => [...written])).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
    expect([irq.level, irq.rises, read(INTERRUPT_STATUS)]).toEqual([true, 1, 0b01]);
    device.grow();
    expect([read(INTERRUPT_STATUS), irq.rises]).toEqual([0b11, 1]);
    write(INTERRUPT_ACK, 0b01);
    expect([irq.level, read(INTERRUPT_STATUS)]).toEqual([true, 0b10]);
    write(INTERRUPT_ACK, 0b10);
    expect([irq.level, read(INTERRUPT_STATUS)]).toEqual([false, 0]);
  });

  it("keeps quiet for a driver that suppresses interrupts", () => {
    const { queue, irq } = live();
    queue.suppressesInterrupts = true;
    queue.add([{ room: 8 }]);
    queue.kick();
    expect([queue.usedIndex, irq.rises]).toEqual([1, 0]);
  });

  it("takes no new address or size for a queue in use, nor a wild queue", () => {
    const { write, read, device } = live();
    const before = { ...device.queues[0]!.setup };
    write(QUEUE_SEL, 0);
    write(QUEUE_NUM, 4);
    write(0x80, 0xdead_0000);
    expect(device.queues[0]!.setup).toEqual(before);
    write(QUEUE_SEL, 77);
    for (const register of [QUEUE_NUM, QUEUE_READY, 0x80, 0x84, QUEUE_RESET]) write(register, 1);
    write(QUEUE_NOTIFY, 77);
    expect(read(QUEUE_READY)).toBe(0);
    expect(device.failure).toBeNull();
  });

  it("stops a queue with QueueReady 0, and resets one with QueueReset", () => {
    const { queue, second, write, read, device } = live();
    write(QUEUE_SEL, 0);
    write(QUEUE_READY, 0);
    queue.add([{ room: 3 }]);
    queue.kick();
    expect([read(QUEUE_READY), queue.usedIndex]).toEqual([0, 0]);
    second.add([{ room: 3 }]);
    second.kick();
    write(QUEUE_SEL, 1);
    write(QUEUE_RESET, 1);
    expect([read(QUEUE_RESET), read(QUEUE_READY)]).toEqual([0, 0]);
    expect(device.queues[1]!.setup).toEqual({ size: 8, descriptorTable: 0, availableRing: 0, usedRing: 0 });
    expect(device.isLive).toBe(true);
  });

  it("gives up over a broken ring: DEVICE_NEEDS_RESET, an interrupt, and silence", () => {
    const { queue, second, device, irq, memory, read, write, driver } = live();
    memory.write(queue.available + 2, 2, 1000);
    queue.kick();
    expect(read(STATUS)).toBe(0b0100_1111);
    expect([read(INTERRUPT_STATUS), irq.level]).toEqual([0b10, true]);
    expect(device.failure).toContain("went from 0 to 1000");
    second.add([{ room: 3 }]);
    second.kick();
    expect(second.usedIndex).toBe(0);
    write(STATUS, 0);
    expect([read(STATUS), irq.level, device.failure]).toEqual([0, false, null]);
    driver.negotiate([F_VERSION_1]);
    const [again] = driver.start([16]);
    again!.add([{ room: 3 }]);
    again!.kick();
    expect(again!.usedIndex).toBe(1);
  });

  it("gives up over a queue that cannot be, before it is live without an interrupt", () => {
    const { write, read, irq, device } = bench();
    write(QUEUE_NUM, 3);
    write(QUEUE_READY, 1);
    expect([read(QUEUE_READY), read(STATUS), irq.level]).toEqual([0, NEEDS_RESET, false]);
    expect(device.failure).toContain("a queue of 3 entries");
  });

  it("does not serve for ever a ring that its own answers refill", () => {
    const { queue, device, memory } = live();
    // Every answer is written over the available ring's idx, and makes it one more.
    device.answer = count => [(count + 2) & 0xff, (count + 2) >> 8];
    queue.writeDescriptor(queue.descriptors, 0, queue.available + 2, 2, 2);
    memory.write(queue.available + 2, 2, 1);
    queue.kick();
    expect(device.status & NEEDS_RESET).toBe(NEEDS_RESET);
    expect(device.failure).toBe("the available ring is refilled while it is served");
  });
});

describe("configuration", () => {
  it("counts its changes", () => {
    const { device, read, irq } = live();
    const before = read(GENERATION);
    device.grow();
    expect(read(GENERATION)).toBe(before + 1);
    expect([read(0x100) & 0xff, irq.level]).toEqual([0xaa, true]);
    for (let times = 0; times < 255; times++) device.grow();
    expect(read(GENERATION)).toBe(before);
  });
});

describe("save and restore", () => {
  it("goes on in the middle of a queue", () => {
    const first = live();
    first.queue.add([{ room: 3 }]);
    first.queue.kick();
    first.queue.add([{ room: 3 }]);
    const state = JSON.parse(JSON.stringify({ mmio: first.mmio.save(), device: first.device.saveDevice() }));
    const other = bench();
    other.memory.writeBytes(0, first.memory.readBytes(0, RAM));
    other.mmio.restore(state.mmio);
    other.device.restoreDevice(state.device);
    expect(other.device.saveDevice()).toEqual(first.device.saveDevice());
    first.queue.kick();
    other.write(QUEUE_NOTIFY, 0);
    expect(Buffer.compare(other.memory.readBytes(0, RAM), first.memory.readBytes(0, RAM))).toBe(0);
    expect(other.read(INTERRUPT_STATUS)).toBe(1);
    other.write(INTERRUPT_ACK, 1);
    expect(other.read(INTERRUPT_STATUS)).toBe(0);
  });
});
