import { describe, expect, it } from "vitest";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import { F_EVENT_IDX, F_INDIRECT_DESC, F_RING_RESET } from "#layers/07-virtio-net/virtio-device.ts";
import { VIRTIO_MMIO_SIZE, VirtioMmio } from "#layers/07-virtio-net/virtio-mmio.ts";
import { VirtioNet } from "#layers/07-virtio-net/virtio-net.ts";
import { randomNumbers } from "../../sandbox/cpu/test-machine.ts";
import { fuzz, fuzzMemory } from "../../sandbox/devices/virtio-fuzz.ts";
import { mmioTransport } from "../../sandbox/devices/virtio-test-driver.ts";

describe("a hostile guest", () => {
  it("gets no exception, no hang and no byte outside its memory out of the card, in 100,000 operations", () => {
    const random = randomNumbers(0x5eed_0007);
    const room = fuzzMemory();
    let sent = 0;
    const backend: NetBackend = {
      offloads: { checksum: true, segmentation: true },
      onFrame: null,
      send(frame) {
        sent++;
        if (random() % 3 === 0) this.onFrame?.(frame);
      },
    };
    const device = new VirtioNet({ memory: room.memory, mac: "52:54:00:12:34:56", backend, mtu: 1500 });
    const registers = new VirtioMmio(device, { raise() {}, lower() {} });
    const features = [0, 1, 3, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 18, 19, 20, 23];
    const report = fuzz(
      {
        device,
        registers,
        transport: mmioTransport(registers),
        size: VIRTIO_MMIO_SIZE,
        features: [...features, F_INDIRECT_DESC, F_EVENT_IDX, F_RING_RESET],
        // A header of zeros every other time, else anything.
        request: next =>
          next() % 2 === 0
            ? [...new Uint8Array(12), ...Array.from({ length: 14 + (next() % 60) }, () => next() & 0xff)]
            : Array.from({ length: next() % 80 }, () => (next() % 3 === 0 ? next() & 0xff : next() % 3)),
        outside(next) {
          if (next() % 20 === 0) device.setLink(next() % 4 !== 0);
          const offload = { checksum: { start: 34, offset: 16 }, segmentation: null };
          backend.onFrame!(new Uint8Array(next() % 4000).fill(next()), next() % 2 === 0 ? offload : null);
        },
        saveAndRestore: () => device.restore(JSON.parse(JSON.stringify(device.save()))),
      },
      room,
      random,
      100_000,
    );
    expect(report.strayBytes).toBe(0);
    // The wrong has come deep: the card lived often, worked, and gave up for many different reasons.
    expect(report.lives).toBeGreaterThan(1000);
    expect(report.returned).toBeGreaterThan(1000);
    expect(sent).toBeGreaterThan(500);
    expect(device.counters.received).toBeGreaterThan(100);
    expect(report.failures.size).toBeGreaterThan(15);
  });
});
