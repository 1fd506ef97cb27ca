import { describe, expect, it } from "vitest";
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { PciFunction } from "./pci-function.ts";
import { PciError, PciHost } from "./pci-host.ts";
import { pciConfiguration } from "./virtio-test-pci.ts";

const START = 0xe000_0000;

function bench(window = 0x10_0000) {
  const irqs = [10, 11].map(number => ({ number, level: false, changes: 0 }));
  const resets: number[] = [];
  const host = new PciHost({
    window: { start: START, length: window },
    interrupts: irqs.map(irq => ({
      number: irq.number,
      line: {
        raise() {
          irq.level = true;
          irq.changes++;
        },
        lower() {
          irq.level = false;
          irq.changes++;
        },
      },
    })),
    resetControl: { read: () => 0x5a, write: (_offset, _size, value) => void resets.push(value) },
  });
  const ports = new Bus();
  ports.register("PCI", 0xcf8, 8, host);
  const mmio = new Bus();
  mmio.register("PCI window", START, window, host.window);
  const configuration = (slot: number) =>
    pciConfiguration(
      {
        read: (at, size) => ports.read(0xcf8 + at, size),
        write: (at, size, value) => ports.write(0xcf8 + at, size, value),
      },
      slot,
    );
  return { host, ports, mmio, irqs, resets, configuration };
}

function card(size = 0x1000) {
  const written: [number, number, number][] = [];
  const device = {
    read: (offset: number, bytes: number) => offset * 0x100 + bytes,
    write: (offset: number, bytes: number, value: number) => void written.push([offset, bytes, value]),
  };
  const made = new PciFunction({
    vendor: 0x1234,
    device: 0x5678,
    revision: 9,
    classCode: 0x02_0000,
    subsystemVendor: 0xaaaa,
    subsystem: 0xbbbb,
    bar: { size, device },
    hasInterrupt: true,
    capabilities: [Uint8Array.of(9, 0, 4, 1), Uint8Array.of(9, 0, 8, 2, 0, 0, 0, 0)],
  });
  return { made, written };
}

describe("configuration mechanism 1", () => {
  it("finds the host bridge and nothing else", () => {
    const { configuration, ports } = bench();
    expect(configuration(0).read(0, 4)).toBe(0x1237_8086);
    expect(configuration(0).read(0x0a, 2)).toBe(0x0600);
    for (let slot = 1; slot < 32; slot++) expect(configuration(slot).read(0, 4)).toBe(0xffff_ffff);
    ports.write(0xcf8, 4, 0x8001_0000); // bus 1
    expect(ports.read(0xcfc, 4)).toBe(0xffff_ffff);
    ports.write(0xcf8, 4, 0x8000_0100); // function 1
    expect(ports.read(0xcfc, 4)).toBe(0xffff_ffff);
    ports.write(0xcf8, 4, 0); // not enabled
    expect([ports.read(0xcfc, 4), ports.read(0xcfd, 1)]).toEqual([0xffff_ffff, 0xff]);
  });

  it("keeps the address, whole dwords only, as a kernel probes it", () => {
    const { ports } = bench();
    ports.write(0xcf8, 4, 0xffff_ffff);
    expect(ports.read(0xcf8, 4)).toBe(0x80ff_fffc);
    ports.write(0xcf8, 4, 0x8000_0000);
    ports.write(0xcfb, 1, 0x01);
    ports.write(0xcf8, 2, 0x1234);
    expect(ports.read(0xcf8, 4)).toBe(0x8000_0000);
  });

  it("leaves the byte at 0xcf9 to the reset control", () => {
    const { ports, resets } = bench();
    ports.write(0xcf8, 4, 0x8000_0000);
    ports.write(0xcf9, 1, 6);
    expect([ports.read(0xcf9, 1), resets, ports.read(0xcf8, 4)]).toEqual([0x5a, [6], 0x8000_0000]);
  });

  it("reads registers in bytes, words and dwords", () => {
    const { host, configuration } = bench();
    const slot = host.plug(card().made);
    const config = configuration(slot);
    expect([config.read(0, 2), config.read(2, 2), config.read(8, 1), config.read(8, 4)]).toEqual([
      0x1234, 0x5678, 9, 0x0200_0009,
    ]);
    expect([config.read(0x2c, 4), config.read(0x3d, 1), config.read(0x3c, 1)]).toEqual([0xbbbb_aaaa, 1, 11]);
    config.write(0, 4, 0);
    expect(config.read(0, 4)).toBe(0x5678_1234);
    config.write(0x3c, 1, 5);
    expect(config.read(0x3c, 1)).toBe(5);
  });

  it("chains the capabilities", () => {
    const { host, configuration } = bench();
    const config = configuration(host.plug(card().made));
    expect([config.read(6, 2) & 0x10, config.read(0x34, 1)]).toEqual([0x10, 0x40]);
    expect([config.read(0x40, 4), config.read(0x44, 4)]).toEqual([0x0104_4409, 0x0208_0009]);
  });
});

describe("memory", () => {
  it("tells its size, moves, and can be switched off", () => {
    const { host, mmio, configuration } = bench();
    const { made, written } = card(0x4000);
    const config = configuration(host.plug(made));
    expect([config.read(0x10, 4), config.read(4, 2)]).toEqual([START, 2]);
    expect(mmio.read(START + 8, 2)).toBe(0x802);
    config.write(0x10, 4, 0xffff_ffff);
    expect(config.read(0x10, 4)).toBe(0xffff_c000);
    config.write(0x10, 4, START + 0x8000);
    mmio.write(START + 0x8010, 4, 77);
    expect(written).toEqual([[0x10, 4, 77]]);
    expect(mmio.read(START + 8, 4)).toBe(0xffff_ffff);
    config.write(4, 2, 0);
    expect(mmio.read(START + 0x8010, 1)).toBe(0xff);
  });

  it("aligns each function, and refuses what has no room", () => {
    const { host, configuration } = bench(0x8000);
    const first = configuration(host.plug(card(0x1000).made));
    const second = configuration(host.plug(card(0x4000).made));
    expect([first.read(0x10, 4), second.read(0x10, 4)]).toEqual([START, START + 0x4000]);
    expect(() => host.plug(card(0x1000).made)).toThrow(PciError);
  });
});

describe("interrupts", () => {
  it("share a line: it is up while any function asks", () => {
    const { host, irqs } = bench();
    const cards = [card().made, card().made, card().made];
    for (const one of cards) host.plug(one); // slots 1 and 3 share IRQ 11
    cards[0]!.pin.raise();
    cards[2]!.pin.raise();
    cards[0]!.pin.lower();
    expect([irqs[1]!.level, irqs[1]!.changes, irqs[0]!.level]).toEqual([true, 1, false]);
    cards[2]!.pin.lower();
    expect([irqs[1]!.level, irqs[1]!.changes]).toEqual([false, 2]);
  });

  it("are disabled by the command register, and shown by the status register all the same", () => {
    const { host, irqs, configuration } = bench();
    const { made } = card();
    const config = configuration(host.plug(made));
    made.pin.raise();
    config.write(4, 2, 0x402);
    expect([irqs[1]!.level, config.read(6, 2) & 8]).toEqual([false, 8]);
    config.write(4, 2, 2);
    expect(irqs[1]!.level).toBe(true);
    made.pin.lower();
    expect([irqs[1]!.level, config.read(6, 2) & 8]).toEqual([false, 0]);
  });

  it("survive save and restore", () => {
    const [one, two] = [bench(), bench()];
    const [before, after] = [card().made, card().made];
    one.host.plug(before);
    two.host.plug(after);
    before.pin.raise();
    one.configuration(1).write(0x10, 4, START + 0x2000);
    two.host.restore(JSON.parse(JSON.stringify(one.host.save())));
    expect(two.host.save()).toEqual(one.host.save());
    expect(two.mmio.read(START + 0x2004, 1)).toBe(0x401);
    expect(two.irqs[1]!.level).toBe(true);
  });
});
