/**
 * A driver's way to a virtio-pci device, for tests: finds it through configuration mechanism 1, and its
 * structures through the vendor capabilities, by VIRTIO 1.2, 4.1, and nothing that the device side knows.
 */
import type { Registers, Transport } from "./virtio-test-driver.ts";

const CONFIG_ADDRESS = 0;
const CONFIG_DATA = 4;

/** Configuration space of a device on bus 0, through the ports at 0xcf8. */
export function pciConfiguration(ports: Registers, slot: number): Registers {
  const select = (at: number) => ports.write(CONFIG_ADDRESS, 4, 0x8000_0000 + slot * 0x800 + (at & 0xfc));
  return {
    read(at, size) {
      select(at);
      return ports.read(CONFIG_DATA + (at & 3), size);
    },
    write(at, size, value) {
      select(at);
      ports.write(CONFIG_DATA + (at & 3), size, value);
    },
  };
}

/** `memory` takes guest-physical addresses. Throws if the slot has no modern virtio device. */
export function pciTransport(configuration: Registers, memory: Registers): Transport {
  if (configuration.read(0, 2) !== 0x1af4) throw new Error("no virtio device in this slot");
  const structures = new Map<number, { at: number; multiplier: number }>();
  for (let at = configuration.read(0x34, 1); at !== 0; at = configuration.read(at + 1, 1)) {
    if (configuration.read(at, 1) !== 9) continue;
    const bar = configuration.read(0x10 + 4 * configuration.read(at + 4, 1), 4) & ~0xf;
    const multiplier = configuration.read(at + 2, 1) >= 20 ? configuration.read(at + 16, 4) : 0;
    structures.set(configuration.read(at + 3, 1), {
      at: (bar >>> 0) + configuration.read(at + 8, 4),
      multiplier,
    });
  }
  const [common, notify, isr, device] = [1, 2, 3, 4].map(kind => structures.get(kind)!);
  const read = (at: number, size: 1 | 2 | 4) => memory.read(common!.at + at, size);
  const write = (at: number, size: 1 | 2 | 4, value: number) => memory.write(common!.at + at, size, value);
  return {
    get status() {
      return read(20, 1);
    },
    set status(value) {
      write(20, 1, value);
    },
    offeredFeatures(select) {
      write(0, 4, select);
      return read(4, 4);
    },
    chooseFeatures(select, bits) {
      write(8, 4, select);
      write(12, 4, bits);
    },
    queueMax(index) {
      write(22, 2, index);
      return read(24, 2);
    },
    setUpQueue(index, size, ...areas) {
      write(22, 2, index);
      write(24, 2, size & 0xffff);
      areas.forEach((area, at) => {
        write(32 + 8 * at, 4, area);
        write(36 + 8 * at, 4, 0);
      });
      write(28, 2, 1);
    },
    notify(index) {
      write(22, 2, index & 0xffff);
      memory.write(notify!.at + read(30, 2) * notify!.multiplier, 2, index & 0xffff);
    },
    takeInterrupt: () => memory.read(isr!.at, 1),
    readConfiguration: (offset, size) => memory.read(device!.at + offset, size),
  };
}
