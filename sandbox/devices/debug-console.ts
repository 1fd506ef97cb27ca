/**
 * The debug console of Bochs and QEMU (`-debugcon`): every byte written is text for the host.
 *
 * Ports (offsets from 0xe9): 0 R 0xe9, which tells a guest that the console is there; W a byte.
 */
import type { PortDevice } from "#layers/01-minimal-vm/bus.ts";

export class DebugConsole implements PortDevice {
  readonly #output: (byte: number) => void;

  constructor(output: (byte: number) => void) {
    this.#output = output;
  }

  read(): number {
    return 0xe9;
  }

  write(_offset: number, _size: 1 | 2 | 4, value: number): void {
    this.#output(value & 0xff);
  }
}
