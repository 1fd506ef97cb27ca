/**
 * Debug exit, as QEMU's `isa-debug-exit`: a write ends the machine with the exit code `value × 2 + 1`, so
 * that no code a guest gives can pass for the 0 of an orderly power-off.
 *
 * Ports (offsets from 0xf4): 0 to 3 W the value; R 0.
 */
import type { PortDevice } from "#layers/01-minimal-vm/bus.ts";

export class DebugExit implements PortDevice {
  readonly #exit: (code: number) => void;

  constructor(exit: (code: number) => void) {
    this.#exit = exit;
  }

  read(): number {
    return 0;
  }

  write(_offset: number, _size: 1 | 2 | 4, value: number): void {
    this.#exit(value * 2 + 1);
  }
}
