/**
 * Hostile guests on the whole machine: every device is driven as a guest drives it, by exits that the
 * machine hands to its buses, and nothing may come out of it but values.
 */
import { describe, expect, it } from "vitest";
import type { Range } from "#layers/01-minimal-vm/bus.ts";
import { handleExit } from "#layers/01-minimal-vm/vmm.ts";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import type { VirtioDevice } from "#layers/07-virtio-net/virtio-device.ts";
import { randomNumbers } from "../cpu/test-machine.ts";
import { MemoryStore, SnapshotStore } from "../devices/virtio-blk-store.ts";
import { type FuzzMemory, fuzz } from "../devices/virtio-fuzz.ts";
import { mmioTransport, type Registers, type Transport } from "../devices/virtio-test-driver.ts";
import { pciConfiguration, pciTransport } from "../devices/virtio-test-pci.ts";
import type { HostMemory, Hypervisor } from "../kvm/api.ts";
import { openSoft } from "../kvm/soft/soft.ts";
import { NET_MMIO } from "./cards.ts";
import type { ManualClock } from "./clock.ts";
import { assembleMachine, type Machine } from "./machine.ts";
import { readSnapshot, restoreMachine, saveMachine } from "./snapshot.ts";
import { VirtualTime } from "./timekeeper.ts";

const OPERATIONS = 100_000;
const RAM = 2 << 20;
/** Host memory behind the video memory's addresses: RAM that no slot gives to the guest. */
const HOLE = { start: 0xa_0000, end: 0xc_0000 };

/** A machine with everything in it, and a look at the host memory around the guest's. */
function fullMachine(transport: "mmio" | "pci") {
  const soft = openSoft();
  let host: HostMemory | null = null;
  const hypervisor: Hypervisor = {
    name: soft.name,
    capabilities: soft.capabilities,
    allocateMemory: size => {
      host = soft.allocateMemory(size);
      return host;
    },
    createVm: () => soft.createVm(),
    close: () => soft.close(),
  };
  // What the guest sends comes back to it.
  const backend: NetBackend = { send: frame => void backend.onFrame?.(frame), onFrame: null };
  const below = new MemoryStore(new Uint8Array(512 * 64).fill(0xee), true);
  const random = randomNumbers(1);
  const machine = assembleMachine({
    hypervisor,
    memorySize: RAM,
    startDate: 0,
    time: counter => new VirtualTime(counter!),
    serialOutput() {},
    network: { backend, mac: "52:54:00:12:34:56", transport },
    disks: [new SnapshotStore(below)],
    entropy: bytes => void bytes.fill(random()),
  });
  const { memory, offset } = host!;
  const hole = new Uint8Array(memory.buffer, offset + HOLE.start, HOLE.end - HOLE.start);
  const strayBytes = () =>
    hole.filter(byte => byte !== 0).length + below.bytes.filter(byte => byte !== 0xee).length;
  return { machine, strayBytes };
}

/** Hands one access to the machine as an exit of its engine; returns what a read brings. */
function access(machine: Machine, space: "ports" | "mmio", at: number, data: Uint8Array, isWrite: boolean) {
  const { buses } = machine.parts;
  if (space === "mmio") {
    handleExit({ reason: "MMIO", address: at, isWrite, length: data.length, data }, buses);
  } else {
    const size = data.length as 1 | 2 | 4;
    const direction = isWrite ? "out" : "in";
    handleExit({ reason: "IO", direction, port: at, size, count: 1, data }, buses);
  }
}

/** The machine's buses, reached by exits. */
function throughExits(machine: Machine, space: "ports" | "mmio", start: number): Registers {
  return {
    read(at, size) {
      const data = new Uint8Array(size);
      access(machine, space, start + at, data, false);
      return data.reduceRight((value, byte) => value * 0x100 + byte, 0);
    },
    write(at, size, value) {
      const data = Uint8Array.from({ length: size }, (_, byte) => value >>> (8 * byte));
      access(machine, space, start + at, data, true);
    },
  };
}

describe("a hostile guest at the machine's addresses", () => {
  const { ports, mmio } = fullMachine("mmio").machine.parts.buses;
  const places: [string, "ports" | "mmio", Range][] = [
    ...ports.ranges.map((range): [string, "ports", Range] => [range.name, "ports", range]),
    ...mmio.ranges.map((range): [string, "mmio", Range] => [range.name, "mmio", range]),
  ];

  it("finds every device of the machine there", () => {
    expect(places.map(([name]) => name)).toEqual(
      expect.arrayContaining(["PIT", "COM1", "ACPI power management", "PCI window", "network card"]),
    );
    expect(places).toHaveLength(16);
  });

  it.each(places)("gets nothing but values out of 100,000 accesses: %s", (name, space, { start, length }) => {
    const { machine, strayBytes } = fullMachine("mmio");
    const random = randomNumbers(0x5eed ^ (start >>> 4) ^ name.length);
    const clock = machine.parts.time.clock as ManualClock;
    const { pics } = machine.parts.devices;
    const reach = Math.min(length, 0x1_0000);
    for (let step = 0; step < OPERATIONS; step++) {
      // Over the edges of the range as well.
      const at = start - 4 + (random() % (reach + 8));
      const size = space === "mmio" ? 1 + (random() % 8) : 1 << (random() % 3);
      const count = space === "ports" && random() % 16 === 0 ? 1 + (random() % 32) : 1;
      const data = Uint8Array.from({ length: size * count }, () => random());
      const isWrite = random() % 2 === 0;
      if (count > 1) {
        const direction = isWrite ? "out" : "in";
        const io = { reason: "IO", direction, port: at, size: size as 1 | 2 | 4, count, data } as const;
        handleExit(io, machine.parts.buses);
      } else access(machine, space, at, data, isWrite);
      if (random() % 4 === 0) clock.advance(random() % 100_000);
      if (pics.interruptPending && random() % 2 === 0) pics.acknowledge();
    }
    expect(strayBytes()).toBe(0);
    // Whatever state that is: it can be saved, and it is the same again.
    const file = saveMachine(machine);
    const other = fullMachine("mmio").machine;
    (other.parts.time.clock as ManualClock).advanceTo(clock.now());
    restoreMachine(other, readSnapshot(file));
    expect(saveMachine(other)).toEqual(file);
  });
});

describe("a hostile driver on the machine's virtqueues", () => {
  const common = [28, 29, 32, 40];

  function attack(
    { machine, strayBytes }: ReturnType<typeof fullMachine>,
    device: VirtioDevice,
    where: { transport: Transport; registers: Registers; size: number },
    features: readonly number[],
    request: (random: () => number) => number[],
    seed: number,
  ) {
    const edges = [
      0,
      HOLE.start - 8,
      HOLE.start,
      HOLE.end - 4,
      HOLE.end,
      RAM - 8,
      RAM,
      0xd000_0000,
      2 ** 32 - 16,
    ];
    const room: FuzzMemory = { memory: machine.parts.memory, edges, strayBytes };
    const saveAndRestore = () => restoreMachine(machine, readSnapshot(saveMachine(machine)));
    const target = { device, ...where, features: [...features, ...common], request, saveAndRestore };
    const report = fuzz(target, room, randomNumbers(seed), OPERATIONS);
    expect(report.strayBytes).toBe(0);
    expect(report.lives).toBeGreaterThan(1000);
    expect(report.returned).toBeGreaterThan(1000);
    expect(report.failures.size).toBeGreaterThan(10);
  }

  /** The registers of a PCI slot's BAR, and now and then those of configuration, put right again. */
  function inSlot(machine: Machine, slot: number) {
    const mmio = throughExits(machine, "mmio", 0);
    const ports = throughExits(machine, "ports", 0xcf8);
    const configuration = pciConfiguration(ports, slot);
    const bar = configuration.read(0x10, 4);
    const registers: Registers = {
      read: (at, size) => (at < 0x4000 ? mmio.read(bar + at, size) : ports.read(at & 7, size)),
      write: (at, size, value) => {
        if (at < 0x4000) mmio.write(bar + at, size, value);
        else ports.write(at & 7, size, value);
        configuration.write(0x10, 4, bar);
        configuration.write(4, 2, 2);
      },
    };
    return { transport: pciTransport(configuration, mmio), registers, size: 0x4400 };
  }

  const frame = (next: () => number) =>
    Array.from({ length: 12 + (next() % 60) }, (_, at) => (at < 12 ? 0 : next() & 0xff));
  const netFeatures = [5, 15, 16, 17, 18, 19, 20, 23];

  it("network card over virtio-mmio", () => {
    const full = fullMachine("mmio");
    const registers = throughExits(full.machine, "mmio", NET_MMIO.address);
    const where = { transport: mmioTransport(registers), registers, size: NET_MMIO.size };
    attack(full, full.machine.parts.cards.network!.device, where, netFeatures, frame, 0x5eed_1001);
  });

  it("network card in a PCI slot", () => {
    const full = fullMachine("pci");
    const where = inSlot(full.machine, 1);
    attack(full, full.machine.parts.cards.network!.device, where, netFeatures, frame, 0x5eed_1002);
  });

  it("disk", () => {
    const full = fullMachine("pci");
    const request = (next: () => number) => {
      const bytes = new Array<number>(16).fill(0);
      [bytes[0], bytes[8], bytes[15]] = [next() % 15, next() % 80, next() % 20 === 0 ? 255 : 0];
      return bytes;
    };
    const { disks } = full.machine.parts.cards;
    attack(full, disks[0]!.device, inSlot(full.machine, 2), [1, 2, 6, 9, 13, 14], request, 0x5eed_1003);
    expect((disks[0]!.store as SnapshotStore).changedBytes).toBeGreaterThan(0);
  });

  it("source of entropy", () => {
    const full = fullMachine("pci");
    const { entropy } = full.machine.parts.cards;
    attack(full, entropy!, inSlot(full.machine, 3), [], next => [next() & 0xff], 0x5eed_1004);
  });
});
