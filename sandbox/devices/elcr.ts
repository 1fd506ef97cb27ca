/**
 * ELCR: the chip set's edge/level control registers, one bit an IRQ, set for level triggered.
 *
 * Registers (offsets from 0x4d0): 0 IRQ 0 to 7 (R/W), 1 IRQ 8 to 15 (R/W).
 * IRQ 0, 1, 2, 8 and 13 belong to devices of the mainboard and stay edge triggered.
 *
 * Source: Intel 82371AB (PIIX4) data sheet, "ELCR1" and "ELCR2".
 */
import type { PortDevice } from "#layers/01-minimal-vm/bus.ts";
import type { PicPair } from "#layers/04-interrupts/pic.ts";

const WRITABLE = [0b1111_1000, 0b1101_1110] as const;

export class ElcrRegisters implements PortDevice {
  readonly #pair: PicPair;

  constructor(pair: PicPair) {
    this.#pair = pair;
  }

  read(offset: number): number {
    return this.#chip(offset).elcr;
  }

  write(offset: number, _size: 1 | 2 | 4, value: number): void {
    this.#chip(offset).elcr = value & WRITABLE[offset & 1]!;
  }

  #chip(offset: number) {
    return offset & 1 ? this.#pair.slave : this.#pair.master;
  }
}
