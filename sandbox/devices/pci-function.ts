/**
 * One PCI function: 256 bytes of configuration space, one memory range, one interrupt pin.
 *
 *     00 vendor (2)    02 device (2)     04 command (2)     06 status (2)     08 revision   09 class (3)
 *     10 BAR 0 (4)     2c subsystem vendor (2)   2e subsystem (2)   34 capabilities
 *     3c interrupt line   3d interrupt pin
 *
 * Source: PCI Local Bus Specification 3.0, 6.1 "Configuration Space Organization", 6.2.5.1 "Address Maps".
 */
import type { IrqLine, MmioDevice } from "#layers/01-minimal-vm/bus.ts";

const COMMAND = 0x04;
const STATUS = 0x06;
const BAR_0 = 0x10;
const CAPABILITIES = 0x34;
const INTERRUPT_LINE = 0x3c;
const INTERRUPT_PIN = 0x3d;
/** Where capabilities begin: the standard's header ends here. */
const FIRST_CAPABILITY = 0x40;

export const COMMAND_MEMORY = 0b10;
const COMMAND_BUS_MASTER = 0b100;
const COMMAND_INTX_DISABLE = 0b100_0000_0000;
const STATUS_INTERRUPT = 0b1000;
const STATUS_CAPABILITIES = 0b1_0000;

export interface PciFunctionOptions {
  readonly vendor: number;
  readonly device: number;
  readonly revision?: number;
  /** Class, subclass and programming interface, as in 0x02_0000. */
  readonly classCode: number;
  readonly subsystemVendor?: number;
  readonly subsystem?: number;
  /** BAR 0, of 32-bit memory. `size` is a power of 2, at least 4096, in bytes. */
  readonly bar?: { readonly size: number; readonly device: MmioDevice };
  readonly hasInterrupt?: boolean;
  /** Each begins with its ID; the byte behind that is filled in here. Lengths are multiples of 4. */
  readonly capabilities?: readonly Uint8Array[];
}

export interface PciFunctionState {
  configuration: number[];
  isRequesting: boolean;
}

export class PciFunction {
  protected readonly configuration = new Uint8Array(256);
  /** Bits that the guest can write. */
  readonly #writable = new Uint8Array(256);
  readonly #bar: PciFunctionOptions["bar"];
  #line: IrqLine = { raise() {}, lower() {} };
  #isRequesting = false;
  #isRaised = false;

  constructor(options: PciFunctionOptions) {
    const { vendor, device, revision = 0, classCode, subsystemVendor = 0, subsystem = 0 } = options;
    const { bar, hasInterrupt = false, capabilities = [] } = options;
    const view = new DataView(this.configuration.buffer);
    view.setUint16(0x00, vendor, true);
    view.setUint16(0x02, device, true);
    view.setUint32(0x08, classCode * 0x100 + revision, true);
    view.setUint16(0x2c, subsystemVendor, true);
    view.setUint16(0x2e, subsystem, true);
    const writable = new DataView(this.#writable.buffer);
    writable.setUint16(COMMAND, COMMAND_MEMORY | COMMAND_BUS_MASTER | COMMAND_INTX_DISABLE, true);
    this.#bar = bar;
    if (bar) writable.setUint32(BAR_0, 0x1_0000_0000 - bar.size, true);
    if (hasInterrupt) {
      this.configuration[INTERRUPT_PIN] = 1; // INTA#
      this.#writable[INTERRUPT_LINE] = 0xff;
    }
    this.#chain(capabilities);
  }

  #chain(capabilities: readonly Uint8Array[]): void {
    let link = CAPABILITIES;
    let at = FIRST_CAPABILITY;
    for (const capability of capabilities) {
      this.configuration[link] = at;
      this.configuration.set(capability, at);
      link = at + 1;
      at += capability.length;
    }
    this.configuration[link] = 0;
    if (capabilities.length > 0) this.configuration[STATUS]! |= STATUS_CAPABILITIES;
  }

  /** Lets the guest write bytes that are not writable by the header alone. */
  protected makeWritable(offset: number, length: number): void {
    this.#writable.fill(0xff, offset, offset + length);
  }

  /** What firmware does: gives the function an address and tells it which interrupt it is wired to. */
  assign(address: number | null, interrupt: number | null, line: IrqLine): void {
    this.#line = line;
    if (address !== null) {
      this.writeConfiguration(BAR_0, 4, address);
      this.writeConfiguration(COMMAND, 2, COMMAND_MEMORY);
    }
    if (interrupt !== null) this.writeConfiguration(INTERRUPT_LINE, 1, interrupt);
  }

  get barSize(): number {
    return this.#bar?.size ?? 0;
  }

  readConfiguration(offset: number, size: 1 | 2 | 4): number {
    let value = 0;
    for (let byte = size - 1; byte >= 0; byte--) value = value * 0x100 + this.configuration[offset + byte]!;
    return value;
  }

  writeConfiguration(offset: number, size: 1 | 2 | 4, value: number): void {
    for (let byte = 0; byte < size; byte++) {
      const mask = this.#writable[offset + byte]!;
      const kept = this.configuration[offset + byte]! & ~mask;
      this.configuration[offset + byte] = kept | ((value >>> (8 * byte)) & mask);
    }
    this.#drive();
  }

  /** The device behind a guest-physical address and the offset in it; null if this function has not got it. */
  decode(address: number, size: number): { device: MmioDevice; offset: number } | null {
    if (!this.#bar || !(this.configuration[COMMAND]! & COMMAND_MEMORY)) return null;
    const offset = address - this.readConfiguration(BAR_0, 4);
    return offset >= 0 && offset + size <= this.#bar.size ? { device: this.#bar.device, offset } : null;
  }

  /** The pin, INTA#: what the device behind this function drives. */
  readonly pin: IrqLine = {
    raise: () => this.#request(true),
    lower: () => this.#request(false),
  };

  #request(isRequesting: boolean): void {
    this.#isRequesting = isRequesting;
    this.#drive();
  }

  #drive(): void {
    const status = this.configuration[STATUS]! & ~STATUS_INTERRUPT;
    this.configuration[STATUS] = status | (this.#isRequesting ? STATUS_INTERRUPT : 0);
    const isDisabled = (this.configuration[COMMAND + 1]! & (COMMAND_INTX_DISABLE >> 8)) !== 0;
    const isRaised = this.#isRequesting && !isDisabled;
    if (isRaised === this.#isRaised) return;
    this.#isRaised = isRaised;
    if (isRaised) this.#line.raise();
    else this.#line.lower();
  }

  saveFunction(): PciFunctionState {
    return { configuration: [...this.configuration], isRequesting: this.#isRequesting };
  }

  restoreFunction(state: PciFunctionState): void {
    this.configuration.set(state.configuration);
    this.#isRequesting = state.isRequesting;
    this.#drive();
  }
}
