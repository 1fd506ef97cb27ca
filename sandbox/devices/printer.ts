/** The simplest output device: what is written to its one port appears on the host. Reads give 0. */
import type { PortDevice } from "#layers/01-minimal-vm/bus.ts";

export class Printer implements PortDevice {
  constructor(private readonly print: (byte: number) => void) {}

  read(): number {
    return 0;
  }

  write(_offset: number, _size: number, value: number): void {
    this.print(value);
  }
}
