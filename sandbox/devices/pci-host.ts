/**
 * PCI host bridge: configuration mechanism 1, and the memory window behind which the functions of bus 0 lie.
 *
 * Ports (offsets from 0xcf8): 0 CONFIG_ADDRESS (4 bytes, RW), 4 to 7 CONFIG_DATA. A byte at offset 1 is
 * the reset control register of the chip set, which shares the place.
 *
 *     CONFIG_ADDRESS:  31 enable   23..16 bus   15..11 device   10..8 function   7..2 register
 *
 * There is no firmware to hand out addresses and interrupts; `plug` does what it would have done.
 *
 * Source: PCI Local Bus Specification 3.0, 3.2.2.3.2 "Software Generation of Configuration Transactions".
 */
import type { IrqLine, MmioDevice, PortDevice } from "#layers/01-minimal-vm/bus.ts";
import { PciFunction, type PciFunctionState } from "./pci-function.ts";

const ENABLE = 0x8000_0000;
const WRITABLE = 0x80ff_fffc;
const CONFIG_DATA = 4;
const RESET_CONTROL = 1;
const DEVICES = 32;

export interface PciHostOptions {
  /** Guest-physical address and length, in bytes, of the window for the functions' memory. */
  readonly window: { readonly start: number; readonly length: number };
  /** Interrupts that the pins are wired to in turn, level triggered, each with its line. */
  readonly interrupts: readonly { readonly number: number; readonly line: IrqLine }[];
  /** What answers a byte access at offset 1. */
  readonly resetControl?: PortDevice;
}

export interface PciHostState {
  configAddress: number;
  functions: PciFunctionState[];
}

/** There is no room for another function. */
export class PciError extends Error {
  override readonly name = "PciError";
}

export class PciHost implements PortDevice {
  readonly #options: PciHostOptions;
  readonly #functions: PciFunction[] = [];
  readonly #wires: readonly (() => IrqLine)[];
  #configAddress = 0;
  #nextAddress: number;

  constructor(options: PciHostOptions) {
    this.#options = options;
    this.#nextAddress = options.window.start;
    this.#wires = options.interrupts.map(({ line }) => wiredOr(line));
    // Intel 82441FX: that a bus 0 with a host bridge answers is how a kernel knows mechanism 1 works.
    this.plug(new PciFunction({ vendor: 0x8086, device: 0x1237, revision: 2, classCode: 0x06_0000 }));
  }

  /** Puts a function into the next slot and gives it an address and an interrupt; returns its device number. */
  plug(plugged: PciFunction): number {
    const slot = this.#functions.length;
    const { window, interrupts } = this.#options;
    const size = plugged.barSize;
    const address = size > 0 ? Math.ceil(this.#nextAddress / size) * size : null;
    if (slot === DEVICES) throw new PciError(`PCI bus 0 has ${DEVICES} devices already`);
    if (address !== null && address + size > window.start + window.length) {
      throw new PciError(`the PCI window of ${window.length} bytes has no room for ${size} more`);
    }
    const wire = slot % Math.max(1, interrupts.length);
    const number = size > 0 ? (interrupts[wire]?.number ?? null) : null;
    plugged.assign(address, number, this.#wires[wire]?.() ?? { raise() {}, lower() {} });
    if (address !== null) this.#nextAddress = address + size;
    this.#functions.push(plugged);
    return slot;
  }

  read(offset: number, size: 1 | 2 | 4): number {
    if (offset === 0 && size === 4) return this.#configAddress;
    if (offset === RESET_CONTROL && size === 1) return this.#options.resetControl?.read(0, 1) ?? 0xff;
    const target = offset >= CONFIG_DATA ? this.#selected : undefined;
    return target ? target.readConfiguration(this.#register(offset), size) : allOnes(size);
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset === 0 && size === 4) this.#configAddress = (value & WRITABLE) >>> 0;
    else if (offset === RESET_CONTROL && size === 1) this.#options.resetControl?.write(0, 1, value);
    else if (offset >= CONFIG_DATA) this.#selected?.writeConfiguration(this.#register(offset), size, value);
  }

  get #selected(): PciFunction | undefined {
    const address = this.#configAddress;
    if (address < ENABLE || address & 0x00ff_0700) return undefined; // only bus 0, only functions 0
    return this.#functions[(address >> 11) & 0x1f];
  }

  #register(offset: number): number {
    return (this.#configAddress & 0xfc) + (offset - CONFIG_DATA);
  }

  /** The memory window, to be put at the address that it was made for. */
  readonly window: MmioDevice = {
    read: (offset, size) => {
      const found = this.#decode(offset, size);
      return found ? found.device.read(found.offset, size) : allOnes(size);
    },
    write: (offset, size, value) => {
      const found = this.#decode(offset, size);
      found?.device.write(found.offset, size, value);
    },
  };

  #decode(offset: number, size: number) {
    const address = this.#options.window.start + offset;
    for (const one of this.#functions) {
      const found = one.decode(address, size);
      if (found) return found;
    }
    return null;
  }

  save(): PciHostState {
    return {
      configAddress: this.#configAddress,
      functions: this.#functions.map(one => one.saveFunction()),
    };
  }

  restore(state: PciHostState): void {
    this.#configAddress = state.configAddress;
    this.#functions.forEach((one, slot) => {
      one.restoreFunction(state.functions[slot]!);
    });
  }
}

/** Makes one line of several: it is up while any of them is. */
function wiredOr(line: IrqLine): () => IrqLine {
  const up = new Set<IrqLine>();
  return () => {
    const input: IrqLine = {
      raise() {
        if (up.size === 0) line.raise();
        up.add(input);
      },
      lower() {
        if (up.delete(input) && up.size === 0) line.lower();
      },
    };
    return input;
  };
}

function allOnes(size: 1 | 2 | 4): number {
  return 2 ** (8 * size) - 1;
}
