import { describe, expect, it } from "vitest";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import { MemoryStore, SnapshotStore } from "../devices/virtio-blk-store.ts";
import { mmioTransport, type Registers, VirtioTestDriver } from "../devices/virtio-test-driver.ts";
import { pciConfiguration, pciTransport } from "../devices/virtio-test-pci.ts";
import { openSoft } from "../kvm/soft/soft.ts";
import { type CardOptions, NET_MMIO } from "./cards.ts";
import { assembleMachine, type Machine } from "./machine.ts";
import { readSnapshot, restoreMachine, SnapshotError, saveMachine } from "./snapshot.ts";
import { VirtualTime } from "./timekeeper.ts";

const MAC = "52:54:00:12:34:56";
const FRAME = Uint8Array.from({ length: 60 }, (_, at) => (at < 6 ? 0xff : at));
const RAM = 2 << 20;
/** Rings and buffers of the tests' drivers. */
const DRIVER_MEMORY = 0x2_0000;

function backend() {
  const sent: Uint8Array[] = [];
  const network: NetBackend = { send: frame => void sent.push(frame), onFrame: null };
  return { network, sent };
}

function machineWith(cards: CardOptions): Machine {
  return assembleMachine({
    hypervisor: openSoft(),
    memorySize: RAM,
    startDate: 0,
    time: counter => new VirtualTime(counter!),
    serialOutput() {},
    ...cards,
  });
}

/** The machine's ports or memory with addresses from `start` on. */
function from(start: number, bus: Registers): Registers {
  return {
    read: (at, size) => bus.read(start + at, size),
    write: (at, size, value) => bus.write(start + at, size, value),
  };
}

/** A driver for the virtio device in a PCI slot, with rings of its own. */
function pciDriver({ parts: { buses, memory } }: Machine, slot: number): VirtioTestDriver {
  const configuration = pciConfiguration(from(0xcf8, buses.ports), slot);
  return new VirtioTestDriver(memory, pciTransport(configuration, buses.mmio), DRIVER_MEMORY * (slot + 1));
}

/** As firmware or a kernel does: vectors 0x20 to 0x2f, and these IRQs alone let through. */
function initializePics({ parts: { buses } }: Machine, irqs: readonly number[]): void {
  const mask = irqs.reduce((bits, irq) => bits & ~(1 << irq), 0xffff) & ~0b100;
  for (const [port, words] of [
    [0x20, [0x11, 0x20, 0b100, 1, mask & 0xff]],
    [0xa0, [0x11, 0x28, 2, 1, mask >> 8]],
  ] as const) {
    words.forEach((word, at) => {
      buses.ports.write(at === 0 ? port : port + 1, 1, word);
    });
  }
}

describe("cards", () => {
  it("sit in PCI slots behind the host bridge, wired to IRQ 11 and 10 in turn, level triggered", () => {
    const { network } = backend();
    const machine = machineWith({
      network: { backend: network, mac: MAC, transport: "pci" },
      disks: [new MemoryStore(new Uint8Array(4096)), new MemoryStore(new Uint8Array(512), true)],
      entropy: bytes => bytes.fill(1),
    });
    const { ports } = machine.parts.buses;
    const slots = [0, 1, 2, 3, 4, 5].map(slot => {
      const configuration = pciConfiguration(from(0xcf8, ports), slot);
      return [configuration.read(0, 4), configuration.read(0x3c, 1), configuration.read(0x10, 4)];
    });
    expect(slots).toEqual([
      [0x1237_8086, 0, 0],
      [0x1041_1af4, 11, 0xe000_0000],
      [0x1042_1af4, 10, 0xe000_4000],
      [0x1042_1af4, 11, 0xe000_8000],
      [0x1044_1af4, 10, 0xe000_c000],
      [0xffff_ffff, 0xff, 0xffff_ffff],
    ]);
    expect(ports.read(0x4d0, 2)).toBe(0b1110_0000_0000);
  });

  it("share the reset control register's place with PCI's configuration ports", () => {
    const machine = machineWith({});
    const { ports } = machine.parts.buses;
    ports.write(0xcf8, 4, 0x8000_0000);
    ports.write(0xcf9, 1, 0x02);
    expect([ports.read(0xcf8, 4), ports.read(0xcf9, 1)]).toEqual([0x8000_0000, 0x02]);
    ports.write(0xcf9, 1, 0x06);
    expect(machine.parts.takeEnd()).toEqual({ kind: "reset" });
  });

  it("work: a disk is read and written, random bytes come, frames go", () => {
    const { network, sent } = backend();
    const store = new MemoryStore(Uint8Array.from({ length: 4096 }, (_, at) => at & 0xff));
    const machine = machineWith({
      network: { backend: network, mac: MAC, transport: "pci" },
      disks: [store],
      entropy: bytes => bytes.fill(0xa5),
    });
    const [net, disk, entropy] = [1, 2, 3].map(slot => pciDriver(machine, slot));
    for (const driver of [net!, disk!, entropy!]) expect(driver.negotiate([32])).toBe(true);

    const [, transmit] = net!.start([4, 4]);
    transmit!.add([{ bytes: [...new Uint8Array(12), ...FRAME] }]);
    transmit!.kick();
    expect(sent).toEqual([FRAME]);

    const [requests] = disk!.start([8]);
    requests!.add([{ bytes: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0] }, { room: 512 }, { room: 1 }]);
    requests!.kick();
    expect(requests!.collect()[0]!.written.slice(0, 512)).toEqual(store.bytes.slice(512, 1024));

    const [bytes] = entropy!.start([2]);
    bytes!.add([{ room: 5 }]);
    bytes!.kick();
    expect(bytes!.collect()[0]!.written).toEqual(new Uint8Array(5).fill(0xa5));
  });

  it("a card over virtio-mmio is at 0xd000_0000 on IRQ 5, and in no slot", () => {
    const { network } = backend();
    const machine = machineWith({ network: { backend: network, mac: MAC, transport: "mmio" } });
    const { buses, devices } = machine.parts;
    const driver = new VirtioTestDriver(
      machine.parts.memory,
      mmioTransport(from(NET_MMIO.address, buses.mmio)),
    );
    expect([0, 4, 8].map(at => buses.mmio.read(0xd000_0000 + at, 4))).toEqual([0x7472_6976, 2, 1]);
    expect(driver.negotiate([32])).toBe(true);
    initializePics(machine, [5]);
    const [receive] = driver.start([4, 4]);
    receive!.add([{ room: 100 }]);
    network.onFrame!(FRAME);
    expect(devices.pics.interruptPending).toBe(true);
    expect(devices.pics.acknowledge()).toBe(0x25);
    expect(receive!.collect()[0]!.written.subarray(12)).toEqual(FRAME);
    expect(pciConfiguration(from(0xcf8, buses.ports), 1).read(0, 4)).toBe(0xffff_ffff);
  });

  it("two that share a line hold it until both are served", () => {
    const { network } = backend();
    const disks = [512, 512].map(size => new MemoryStore(new Uint8Array(size)));
    const machine = machineWith({ network: { backend: network, mac: MAC, transport: "pci" }, disks });
    const { pics } = machine.parts.devices;
    initializePics(machine, [11]);
    const [net, disk] = [1, 3].map(slot => pciDriver(machine, slot));
    for (const driver of [net!, disk!]) driver.negotiate([32]);
    const [receive] = net!.start([4, 4]);
    const [requests] = disk!.start([8]);
    receive!.add([{ room: 100 }]);
    network.onFrame!(FRAME);
    requests!.add([{ bytes: new Uint8Array(16) }, { room: 512 }, { room: 1 }]);
    requests!.kick();
    expect([pics.interruptPending, net!.transport.takeInterrupt()]).toEqual([true, 1]);
    expect([pics.interruptPending, disk!.transport.takeInterrupt()]).toEqual([true, 1]);
    expect(pics.interruptPending).toBe(false);
  });

  it("a frame that comes between two steps wakes the loop, and none that the guest masked", () => {
    const { network } = backend();
    const machine = machineWith({ network: { backend: network, mac: MAC, transport: "pci" } });
    let wakes = 0;
    machine.onInput = () => wakes++;
    const driver = pciDriver(machine, 1);
    driver.negotiate([32]);
    const [receive] = driver.start([4, 4]);
    initializePics(machine, []);
    for (let count = 0; count < 2; count++) receive!.add([{ room: 100 }]);
    network.onFrame!(FRAME);
    expect(wakes).toBe(0);
    driver.transport.takeInterrupt();
    machine.parts.buses.ports.write(0xa1, 1, 0b1111_0111);
    network.onFrame!(FRAME);
    expect(wakes).toBe(1);
  });
});

describe("a save file with cards", () => {
  const disk = () => new MemoryStore(new Uint8Array(8192).fill(0xdd), true);

  it("holds rings mid-flight, negotiated features, PCI's registers and a disk's changes", () => {
    const first = backend();
    const cards = (network: NetBackend) => ({
      network: { backend: network, mac: MAC, transport: "pci" } as const,
      disks: [new SnapshotStore(disk())],
      entropy: (bytes: Uint8Array) => bytes.fill(3),
    });
    const machine = machineWith(cards(first.network));
    initializePics(machine, [10, 11]);
    const [net, block] = [1, 2].map(slot => pciDriver(machine, slot));
    net!.negotiate([5, 15, 32]);
    block!.negotiate([29, 32]);
    const [receive] = net!.start([4, 4]);
    const [requests] = block!.start([8], true);
    receive!.add([{ room: 30 }]);
    expect(first.network.onFrame!(FRAME)).toBe(false); // waits for room
    const write = [1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    requests!.add([{ bytes: write }, { bytes: new Uint8Array(512).fill(7) }, { room: 1 }]);
    requests!.kick(); // and its interrupt stays unserved
    requests!.add([{ bytes: [0, ...write.slice(1)] }, { room: 512 }, { room: 1 }]); // available, not notified

    const file = saveMachine(machine);
    const second = backend();
    let hasRoomAgain = false;
    second.network.roomAgain = () => {
      hasRoomAgain = true;
    };
    const other = machineWith(cards(second.network));
    restoreMachine(other, readSnapshot(file));
    expect(saveMachine(other)).toEqual(file);

    // The same driver goes on with the other machine.
    const goOn = (driver: VirtioTestDriver, slot: number) => {
      Object.assign(driver, { memory: other.parts.memory, transport: pciDriver(other, slot).transport });
    };
    goOn(net!, 1);
    goOn(block!, 2);
    expect(other.parts.devices.pics.acknowledge()).toBe(0x2a);
    expect(block!.transport.takeInterrupt()).toBe(1);
    requests!.kick();
    const answers = requests!.collect();
    expect(answers.map(({ length }) => length)).toEqual([1, 513]);
    expect(answers[1]!.written.subarray(0, 512)).toEqual(new Uint8Array(512).fill(7));
    receive!.add([{ room: 100 }]);
    receive!.kick();
    expect(hasRoomAgain).toBe(true);
    expect(second.network.onFrame!(FRAME)).toBe(true);
    expect(receive!.collect()).toHaveLength(2);
  });

  const network = (transport: "mmio" | "pci", offloads = false) => ({
    backend: { ...backend().network, ...(offloads && { offloads: { checksum: true, segmentation: true } }) },
    mac: MAC,
    transport,
  });
  const entropy = (bytes: Uint8Array) => bytes.fill(1);

  it.each<[what: string, saved: CardOptions, now: CardOptions, sentence: RegExp]>([
    ["no card now", { network: network("pci") }, {}, /with the network card 52:.* PCI slot, .* now has none/],
    ["a card now", {}, { network: network("mmio") }, /with no network card, and it now has .*virtio-mmio/],
    ["another place", { network: network("pci") }, { network: network("mmio") }, /now has .* virtio-mmio/],
    ["a disk less", { disks: [disk()] }, {}, /with 1 disks, and it now has 0/],
    [
      "another disk",
      { disks: [disk()] },
      { disks: [new MemoryStore(new Uint8Array(512), true)] },
      /disk 1 had 8192 bytes .* now has 512/,
    ],
    [
      "a disk that can be written",
      { disks: [disk()] },
      { disks: [new MemoryStore(new Uint8Array(8192))] },
      /disk 1 could only be read/,
    ],
    [
      "no snapshot over it",
      { disks: [new SnapshotStore(disk())] },
      { disks: [new MemoryStore(new Uint8Array(8192))] },
      /only go on with a snapshot over it/,
    ],
    ["no entropy", { entropy }, {}, /with a source of entropy/],
    ["entropy", {}, { entropy }, /without a source of entropy/],
  ])("is refused by a machine with other cards and changes nothing: %s", (_what, saved, now, sentence) => {
    const snapshot = readSnapshot(saveMachine(machineWith(saved)));
    const other = machineWith(now);
    const before = saveMachine(other);
    expect(() => restoreMachine(other, snapshot)).toThrow(SnapshotError);
    expect(() => restoreMachine(other, snapshot)).toThrow(sentence);
    expect(saveMachine(other)).toEqual(before);
  });

  it("is refused where the network offers less than the driver uses", () => {
    const machine = machineWith({ network: network("pci", true) });
    expect(pciDriver(machine, 1).negotiate([0, 32])).toBe(true);
    const other = machineWith({ network: network("pci") });
    const snapshot = readSnapshot(saveMachine(machine));
    expect(() => restoreMachine(other, snapshot)).toThrow(/uses features of its network card/);
  });
});
