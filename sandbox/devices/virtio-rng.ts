/**
 * The virtio entropy device: fills the driver's buffers with random bytes.
 *
 * Source: VIRTIO 1.2, 5.4 "Entropy Device".
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { VirtqueueError } from "#layers/07-virtio-net/descriptor-chain.ts";
import { writeSpans } from "#layers/07-virtio-net/spans.ts";
import { VirtioDevice, type VirtioDeviceState } from "#layers/07-virtio-net/virtio-device.ts";

const DEVICE_ID = 4;
/** The device may give less than asked for (5.4.6.2): so one request cannot cost much. */
const MOST_BYTES = 4096;

export class VirtioRng extends VirtioDevice {
  /** `fill` fills an array with random bytes, good enough for keys. */
  constructor(
    memory: GuestMemory,
    private readonly fill: (bytes: Uint8Array) => void,
  ) {
    super({ memory, deviceId: DEVICE_ID, features: [], queueSizes: [64], configuration: new Uint8Array(0) });
  }

  protected override serve(index: number): void {
    const queue = this.queues[index]!;
    for (const chain of this.chains(queue)) {
      if (chain.writableLength === 0) throw new VirtqueueError("a request for entropy without room for it");
      const bytes = new Uint8Array(Math.min(MOST_BYTES, chain.writableLength));
      this.fill(bytes);
      queue.push(chain, writeSpans(this.memory, chain.writable, bytes));
    }
    this.publish(queue);
  }

  save(): VirtioDeviceState {
    return this.saveDevice();
  }

  restore(state: VirtioDeviceState): void {
    this.restoreDevice(state);
  }
}
