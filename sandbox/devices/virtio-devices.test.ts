import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import {
  F_EVENT_IDX,
  F_INDIRECT_DESC,
  F_RING_RESET,
  F_VERSION_1,
  type VirtioDevice,
} from "#layers/07-virtio-net/virtio-device.ts";
import { VirtioNet } from "#layers/07-virtio-net/virtio-net.ts";
import { FileStore } from "../cli/file-store.ts";
import { randomNumbers } from "../cpu/test-machine.ts";
import { PciHost } from "./pci-host.ts";
import { VirtioBlk } from "./virtio-blk.ts";
import { type BlockStore, BlockStoreError, MemoryStore, SnapshotStore } from "./virtio-blk-store.ts";
import { fuzz, fuzzMemory } from "./virtio-fuzz.ts";
import { VirtioPci } from "./virtio-pci.ts";
import { VirtioRng } from "./virtio-rng.ts";
import { type Buffer as Piece, type Registers, testMemory, VirtioTestDriver } from "./virtio-test-driver.ts";
import { pciConfiguration, pciTransport } from "./virtio-test-pci.ts";

const RAM = 0x20_0000;
const START = 0xe000_0000;

/** A device in slot 1 of a PCI bus, and a driver that found it there. */
function plugged<T extends VirtioDevice>(make: (memory: GuestMemory) => T, memory = testMemory(RAM).memory) {
  const device = make(memory);
  const irq = { level: false };
  const line = {
    raise() {
      irq.level = true;
    },
    lower() {
      irq.level = false;
    },
  };
  const host = new PciHost({
    window: { start: START, length: 0x10_0000 },
    interrupts: [{ number: 11, line }],
  });
  const pci = new VirtioPci(device);
  const slot = host.plug(pci);
  const configuration = pciConfiguration(host, slot);
  const space: Registers = {
    read: (at, size) => host.window.read(at - START, size),
    write: (at, size, value) => host.window.write(at - START, size, value),
  };
  const driver = new VirtioTestDriver(memory, pciTransport(configuration, space));
  return { device, memory, irq, host, pci, configuration, space, driver };
}

describe("virtio-pci", () => {
  it("is found as a modern device", () => {
    const { configuration, driver } = plugged(memory => new VirtioRng(memory, () => {}));
    expect([configuration.read(2, 2), configuration.read(8, 1), configuration.read(0x3c, 1)]).toEqual([
      0x1044, 1, 11,
    ]);
    expect([driver.transport.queueMax(0), driver.transport.queueMax(1)]).toEqual([64, 0]);
    expect(driver.transport.offeredFeatures(1)).toBe(0b1_0000_0001);
  });

  it("ignores writes to all fields of the common configuration that can only be read", () => {
    const { driver, space, device } = plugged(memory => new VirtioRng(memory, () => {}));
    driver.negotiate([F_VERSION_1]);
    const before = JSON.stringify(device.save());
    // msix vectors, num_queues, config_generation, queue_notify_off, queue_notify_data, and beyond the end
    for (const [at, size] of [
      [4, 4],
      [16, 2],
      [18, 2],
      [21, 1],
      [26, 2],
      [30, 2],
      [56, 2],
      [58, 2],
      [60, 4],
      [64, 4],
    ] as const) {
      space.write(START + at, size, 0x1234 % 2 ** (8 * size));
    }
    expect(JSON.stringify(device.save())).toBe(before);
  });

  it("gives random bytes, and lowers INTA# when the interrupt status is read", () => {
    const { driver, irq, configuration } = plugged(
      memory => new VirtioRng(memory, bytes => void bytes.fill(0xa5)),
    );
    expect(driver.negotiate([F_VERSION_1, F_INDIRECT_DESC])).toBe(true);
    const [queue] = driver.start([16]);
    queue!.add([{ room: 100 }]);
    queue!.add([{ room: 3 }, { room: 9000 }], { indirect: true });
    queue!.kick();
    const returned = queue!.collect();
    expect(returned.map(({ length }) => length)).toEqual([100, 4096]);
    expect(returned.every(({ written }) => written.every(byte => byte === 0xa5))).toBe(true);
    expect([irq.level, configuration.read(6, 2) & 8]).toEqual([true, 8]);
    expect([driver.transport.takeInterrupt(), irq.level, driver.transport.takeInterrupt()]).toEqual([
      1,
      false,
      0,
    ]);
  });

  it("reads and writes each field in its own size only", () => {
    const { space } = plugged(memory => new VirtioRng(memory, () => {}));
    expect([space.read(START + 18, 2), space.read(START + 18, 1), space.read(START + 20, 4)]).toEqual([
      1, 0, 0,
    ]);
    space.write(START + 20, 4, 1);
    expect(space.read(START + 20, 1)).toBe(0);
    for (const [at, low, high] of [
      [32, 0x1234_5670, 1],
      [40, 0x1112, 2],
      [48, 0x2224, 3],
    ] as const) {
      space.write(START + at, 4, low);
      space.write(START + at + 4, 4, high);
      expect([space.read(START + at, 4), space.read(START + at + 4, 4)]).toEqual([low, high]);
    }
    expect([space.read(START + 16, 2), space.read(START + 26, 2)]).toEqual([0xffff, 0xffff]);
  });

  it("has a window to BAR 0 in configuration space", () => {
    const { configuration, device } = plugged(memory => new VirtioRng(memory, () => {}));
    let at = configuration.read(0x34, 1);
    while (configuration.read(at + 3, 1) !== 5) at = configuration.read(at + 1, 1);
    const access = (offset: number, length: number) => {
      configuration.write(at + 8, 4, offset);
      configuration.write(at + 12, 4, length);
    };
    access(20, 1);
    configuration.write(at + 16, 1, 1);
    expect([device.status, configuration.read(at + 16, 1)]).toEqual([1, 1]);
    access(18, 2);
    expect(configuration.read(at + 16, 2)).toBe(1);
    access(0x3fff, 4); // over the end of the BAR
    expect(() => configuration.write(at + 16, 4, 1)).not.toThrow();
  });

  it("survives save and restore", () => {
    const [one, two] = [1, 2].map(() =>
      plugged(memory => new VirtioRng(memory, bytes => void bytes.fill(7))),
    );
    one!.driver.negotiate([F_VERSION_1]);
    const [queue] = one!.driver.start([8]);
    queue!.add([{ room: 8 }]);
    const state = JSON.parse(JSON.stringify({ host: one!.host.save(), device: one!.device.save() }));
    two!.memory.writeBytes(0, one!.memory.readBytes(0, RAM));
    two!.host.restore(state.host);
    two!.device.restore(state.device);
    expect(two!.host.save()).toEqual(one!.host.save());
    one!.driver.transport.notify(0);
    two!.driver.transport.notify(0);
    expect(Buffer.compare(two!.memory.readBytes(0, RAM), one!.memory.readBytes(0, RAM))).toBe(0);
    expect([one!.irq.level, two!.irq.level]).toEqual([true, true]);
  });
});

const [IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES] = [0, 1, 4, 8, 11, 13];
const [OK, IOERR, UNSUPP] = [0, 1, 2];

function disk(store: BlockStore, id?: string) {
  const made = plugged(memory => new VirtioBlk({ memory, store, ...(id ? { id } : {}) }));
  const optional = store.isReadOnly ? [5] : [13, 14];
  expect(made.driver.negotiate([F_VERSION_1, F_INDIRECT_DESC, 1, 2, 6, 9, ...optional])).toBe(true);
  const [queue] = made.driver.start([64]);
  /** Returns the status and what was read. */
  const request = (type: number, sector: number, ...pieces: Piece[]) => {
    const header = new Uint8Array(16);
    const view = new DataView(header.buffer);
    view.setUint32(0, type, true);
    view.setBigUint64(8, BigInt(sector), true);
    const rooms = pieces.reduce((sum, { room }) => sum + (room ?? 0), 0);
    queue!.add([{ bytes: header }, ...pieces, { room: 1 }], { indirect: true });
    queue!.kick();
    const before = made.device.failure;
    if (before !== null) throw new Error(before);
    const [returned] = queue!.collect();
    // The status is the last byte of the room, whatever was written before it.
    const all = queue!.lastRooms;
    return { status: all[rooms]!, bytes: all.slice(0, rooms), length: returned!.length };
  };
  const config = (at: number, size: 1 | 2 | 4 = 4) => made.driver.transport.readConfiguration(at, size);
  return { ...made, queue: queue!, request, config };
}

const SECTORS = 64;
const image = () => Uint8Array.from({ length: 512 * SECTORS }, (_, at) => (at >> 9) ^ at);

describe("virtio-blk", () => {
  it("reads and writes sectors, however they are cut", () => {
    const store = new MemoryStore(image());
    const { request, config } = disk(store);
    expect([config(0), config(4), config(8), config(12), config(20)]).toEqual([
      SECTORS,
      0,
      0x1_0000,
      126,
      512,
    ]);
    const read = request(IN, 3, { room: 100 }, { room: 924 });
    expect([read.status, read.length]).toEqual([OK, 1025]);
    expect(Buffer.compare(read.bytes, image().subarray(3 * 512, 5 * 512))).toBe(0);
    const data = randomBytes(1024);
    expect(request(OUT, 62, { bytes: data.subarray(0, 512) }, { bytes: data.subarray(512) }).status).toBe(OK);
    expect(Buffer.compare(store.bytes.subarray(62 * 512), data)).toBe(0);
    expect(request(FLUSH, 0).status).toBe(OK);
  });

  it("says IOERR beyond the end and for half sectors, UNSUPP for what it does not know", () => {
    const store = new MemoryStore(image());
    const { request } = disk(store);
    expect(request(IN, SECTORS, { room: 512 }).status).toBe(IOERR);
    expect(request(IN, SECTORS - 1, { room: 1024 }).status).toBe(IOERR);
    expect(request(IN, 2 ** 52, { room: 512 }).status).toBe(IOERR);
    expect(request(IN, 0, { room: 100 }).status).toBe(IOERR);
    expect(request(OUT, SECTORS, { bytes: new Uint8Array(512) }).status).toBe(IOERR);
    expect(request(99, 0).status).toBe(UNSUPP);
    expect(Buffer.compare(store.bytes, image())).toBe(0);
  });

  it("never asks its store for what is beyond the last whole sector", () => {
    const touched: number[] = [];
    const lax: BlockStore = {
      size: 512 * SECTORS + 100,
      isReadOnly: false,
      read: (offset, into) => void touched.push(offset + into.length),
      write: (offset, bytes) => void touched.push(offset + bytes.length),
      flush() {},
    };
    const { request, config } = disk(lax);
    expect(config(0)).toBe(SECTORS);
    expect(request(IN, SECTORS, { room: 512 }).status).toBe(IOERR);
    expect(request(OUT, SECTORS - 1, { bytes: new Uint8Array(1024) }).status).toBe(IOERR);
    expect(touched).toEqual([]);
    expect(request(IN, SECTORS - 1, { room: 512 }).status).toBe(OK);
    expect(touched).toEqual([512 * SECTORS]);
  });

  it("tells its ID", () => {
    const { request } = disk(new MemoryStore(image()), "root disk");
    expect(new TextDecoder().decode(request(GET_ID, 0, { room: 20 }).bytes)).toBe(
      "root disk".padEnd(20, "\0"),
    );
  });

  it("discards and writes zeroes", () => {
    const store = new MemoryStore(image());
    const { request } = disk(store);
    const range = (sector: number, sectors: number, flags = 0) => ({
      bytes: new Uint8Array(new Uint32Array([sector, 0, sectors, flags]).buffer),
    });
    expect(request(WRITE_ZEROES, 0, range(5, 2, 1)).status).toBe(OK);
    expect(request(DISCARD, 0, range(9, 1)).status).toBe(OK);
    const zeroed = Array.from({ length: SECTORS }, (_, at) => at).filter(at =>
      store.bytes.subarray(512 * at, 512 * at + 512).every(byte => byte === 0),
    );
    expect(zeroed).toEqual([5, 6, 9]);
    expect(request(DISCARD, 0, range(9, 1, 1)).status).toBe(UNSUPP);
    expect(request(WRITE_ZEROES, 0, range(SECTORS - 1, 2)).status).toBe(IOERR);
    expect(request(WRITE_ZEROES, 0, range(0, 0xffff_ffff)).status).toBe(IOERR);
    expect(request(WRITE_ZEROES, 0, { bytes: new Uint8Array(15) }).status).toBe(UNSUPP);
  });

  it("offers and keeps read-only", () => {
    const store = new MemoryStore(image(), true);
    const { request, driver } = disk(store);
    expect(driver.transport.offeredFeatures(0) & (1 << 5)).not.toBe(0);
    expect(request(OUT, 0, { bytes: new Uint8Array(512) }).status).toBe(IOERR);
    expect(request(WRITE_ZEROES, 0, { bytes: new Uint8Array(16) }).status).toBe(IOERR);
    expect(request(IN, 0, { room: 512 }).status).toBe(OK);
  });

  it("turns a failure of the host into an I/O error of the guest", () => {
    const store: BlockStore = {
      size: 512 * SECTORS,
      isReadOnly: false,
      read() {
        throw new Error("EIO: the host's disk is broken");
      },
      write() {},
      flush() {},
    };
    const { request, device } = disk(store);
    expect(request(IN, 0, { room: 512 }).status).toBe(IOERR);
    expect(device.storeFailure).toContain("EIO");
    expect(device.isLive).toBe(true);
  });

  it("snapshot: keeps the image as it is, and its changes over save and restore", () => {
    const below = new MemoryStore(image(), true);
    const snapshot = new SnapshotStore(below);
    const { request } = disk(snapshot);
    const data = randomBytes(5 * 512);
    expect(request(OUT, 6, { bytes: data }).status).toBe(OK); // over the border of two chunks
    const expected = image();
    expected.set(data, 6 * 512);
    expect(Buffer.compare(request(IN, 0, { room: 512 * SECTORS }).bytes, expected)).toBe(0);
    expect(Buffer.compare(below.bytes, image())).toBe(0);
    expect(snapshot.changedBytes).toBe(2 * 4096);
    const other = new SnapshotStore(below);
    other.restore(JSON.parse(JSON.stringify(snapshot.save())));
    const bytes = new Uint8Array(512 * SECTORS);
    other.read(0, bytes);
    expect(Buffer.compare(bytes, expected)).toBe(0);
    const smaller = new SnapshotStore(new MemoryStore(new Uint8Array(512)));
    expect(() => smaller.restore(snapshot.save())).toThrow(BlockStoreError);
  });

  it("a raw image of 64 GiB in a file, far larger than memory", () => {
    const folder = mkdtempSync(join(tmpdir(), "vmexit-disk-"));
    try {
      const path = join(folder, "disk.img");
      const descriptor = openSync(path, "w");
      ftruncateSync(descriptor, 64 * 2 ** 30);
      closeSync(descriptor);
      const store = new FileStore(path, false);
      const { request, config } = disk(store);
      expect(config(0)).toBe(0x800_0000);
      const last = 0x800_0000 - 2;
      const data = randomBytes(1024);
      expect(request(OUT, last, { bytes: data }).status).toBe(OK);
      expect(request(FLUSH, 0).status).toBe(OK);
      const again = disk(new FileStore(path, true));
      expect(Buffer.compare(again.request(IN, last, { room: 1024 }).bytes, data)).toBe(0);
      expect(again.request(OUT, last, { bytes: data }).status).toBe(IOERR);
      store.close();
      writeFileSync(join(folder, "short.img"), "short");
      expect(() => new FileStore(join(folder, "short.img"), true)).toThrow(
        "has 5 bytes, less than one sector",
      );
      expect(() => new FileStore(join(folder, "none.img"), true)).toThrow("there is no such file");
      expect(() => new FileStore(folder, true)).toThrow("is not a file");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("hostile guests over PCI, 100,000 operations each", () => {
  const common = [F_INDIRECT_DESC, F_EVENT_IDX, F_RING_RESET];

  function attack<T extends VirtioDevice & { save(): unknown; restore(state: never): void }>(
    seed: number,
    make: (memory: GuestMemory) => T,
    features: number[],
    request: (random: () => number) => number[],
  ) {
    const room = fuzzMemory();
    const { device, driver, host, configuration } = plugged(make, room.memory);
    // Registers of the BAR; now and then of configuration space, which is put right again afterwards.
    const registers: Registers = {
      read: (at, size) => (at < 0x4000 ? host.window.read(at, size) : host.read(at & 7, size)),
      write: (at, size, value) => {
        if (at < 0x4000) host.window.write(at, size, value);
        else host.write(at & 7, size, value);
        configuration.write(0x10, 4, START);
        configuration.write(4, 2, 2);
      },
    };
    const saveAndRestore = () => {
      host.restore(JSON.parse(JSON.stringify(host.save())));
      device.restore(JSON.parse(JSON.stringify(device.save())) as never);
    };
    const target = {
      device,
      registers,
      transport: driver.transport,
      size: 0x4400,
      features: [...features, ...common],
      request,
      saveAndRestore,
    };
    const report = fuzz(target, room, randomNumbers(seed), 100_000);
    expect(report.strayBytes).toBe(0);
    expect(report.lives).toBeGreaterThan(1000);
    expect(report.returned).toBeGreaterThan(1000);
    expect(report.failures.size).toBeGreaterThan(10);
  }

  it("block device", () => {
    const below = new MemoryStore(new Uint8Array(512 * SECTORS).fill(0xee), true);
    const snapshot = new SnapshotStore(below);
    attack(
      0x5eed_b10c,
      memory => new VirtioBlk({ memory, store: snapshot }),
      [1, 2, 6, 9, 13, 14],
      random => [
        random() % 15,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        random() % 80,
        0,
        0,
        0,
        0,
        0,
        0,
        random() % 20 === 0 ? 255 : 0,
      ],
    );
    expect(below.bytes.every(byte => byte === 0xee)).toBe(true);
    expect(snapshot.changedBytes).toBeGreaterThan(0);
  });

  it("entropy device", () => {
    const random = randomNumbers(1);
    const fill = (bytes: Uint8Array) => void bytes.fill(random());
    attack(
      0x5eed_0004,
      memory => new VirtioRng(memory, fill),
      [],
      next => [next() & 0xff],
    );
  });

  it("network card", () => {
    const backend: NetBackend = { send: frame => void backend.onFrame?.(frame), onFrame: null };
    const make = (memory: GuestMemory) => new VirtioNet({ memory, mac: "52:54:00:12:34:56", backend });
    attack(0x5eed_0001, make, [5, 15, 16, 17, 18, 19, 20, 23], next =>
      Array.from({ length: 12 + (next() % 60) }, (_, at) => (at < 12 ? 0 : next() & 0xff)),
    );
  });
});
