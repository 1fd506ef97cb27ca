/**
 * The 8-bit ISA bus: an access of 2 or 4 bytes to a device with 8 data lines becomes that many cycles on
 * successive offsets, low byte first. Most devices of the original PC sit behind it.
 */
import type { PortDevice } from "#layers/01-minimal-vm/bus.ts";

export class ByteWide implements PortDevice {
  readonly #device: PortDevice;

  constructor(device: PortDevice) {
    this.#device = device;
  }

  read(offset: number, size: 1 | 2 | 4): number {
    let value = 0;
    // In the order of the cycles: a read may change what the next one finds.
    for (let byte = 0; byte < size; byte++) value += this.#device.read(offset + byte, 1) * 2 ** (8 * byte);
    return value;
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    for (let byte = 0; byte < size; byte++)
      this.#device.write(offset + byte, 1, (value >>> (8 * byte)) & 0xff);
  }
}
