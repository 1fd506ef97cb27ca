/**
 * The two registers with which a chip set resets the machine beside the keyboard controller.
 *
 * `ResetControl`, port 0xcf9 (R/W): bit 1 hard reset, bit 2 resets when it goes from 0 to 1, bit 3 power
 * cycle with it. Source: Intel 82371SB (PIIX3) data sheet, "Reset control register".
 *
 * `SystemControlA`, port 0x92 (R/W): bit 0 resets the processor when it goes from 0 to 1, bit 1 is A20.
 * Source: IBM PS/2 Hardware Interface Technical Reference, "System control port A".
 */
import type { PortDevice } from "#layers/01-minimal-vm/bus.ts";

const HARD_RESET = 0b0010;
const RESET = 0b0100;

/** "soft" resets the processor alone (INIT), "hard" everything. */
export type ResetKind = "soft" | "hard";

export class ResetControl implements PortDevice {
  #value = 0;
  readonly #reset: (kind: ResetKind) => void;

  constructor(reset: (kind: ResetKind) => void) {
    this.#reset = reset;
  }

  read(): number {
    return this.#value;
  }

  write(_offset: number, _size: 1 | 2 | 4, value: number): void {
    const rises = value & ~this.#value & RESET;
    this.#value = value & 0b1110;
    if (rises) this.#reset(value & HARD_RESET ? "hard" : "soft");
  }

  save(): { value: number } {
    return { value: this.#value };
  }

  restore(state: { value: number }): void {
    this.#value = state.value;
  }
}

const FAST_RESET = 0b01;
const A20 = 0b10;

/** The A20 gate, which the keyboard controller's output port and port 0x92 both drive. */
export interface A20Gate {
  isOpen: boolean;
}

export class SystemControlA implements PortDevice {
  #value = 0;
  readonly #a20: A20Gate;
  readonly #reset: (kind: ResetKind) => void;

  constructor(a20: A20Gate, reset: (kind: ResetKind) => void) {
    this.#a20 = a20;
    this.#reset = reset;
  }

  read(): number {
    return (this.#value & ~A20) | (this.#a20.isOpen ? A20 : 0);
  }

  write(_offset: number, _size: 1 | 2 | 4, value: number): void {
    const rises = value & ~this.#value & FAST_RESET;
    this.#value = value & 0xff;
    this.#a20.isOpen = (value & A20) !== 0;
    if (rises) this.#reset("soft");
  }

  save(): { value: number } {
    return { value: this.#value };
  }

  restore(state: { value: number }): void {
    this.#value = state.value;
  }
}
