// Starter: write the exercises here; `npm run chapter 1` runs them, `npm run chapter 1 test` tests them.
// Generated from solutions/01-minimal-vm/bus.ts by `npm run starters` (4c526041).
/**
 * The bus: which device answers at which port or guest-physical address.
 *
 * A device sees offsets from the start of its own range, never an absolute address, so the same device
 * can sit anywhere and twice. Where nothing answers, reads return all ones: on the ISA bus nobody
 * drives the data lines, and the pull-ups win. An access over the edge of a range is split into bytes,
 * as a bus splits one that is wider than the device.
 *
 * The same class serves the port space (64 Ki ports, IN and OUT) and the MMIO space.
 */

/** A device on the port or MMIO bus. Offsets count from the start of its range. */
export interface Device {
  /** Returns `size` bytes as an unsigned number. */
  read(offset: number, size: 1 | 2 | 4): number;
  /** `value` is unsigned and fits in `size` bytes. */
  write(offset: number, size: 1 | 2 | 4, value: number): void;
}

export type PortDevice = Device;
export type MmioDevice = Device;

/** An interrupt line that a device drives: raised while it wants service. */
export interface IrqLine {
  raise(): void;
  lower(): void;
}

/** Guest time, in nanoseconds since the machine's start. Devices never read another clock. */
export interface Clock {
  now(): number;
  /** Calls `callback` once `now()` has reached `deadline`; the function returned cancels that. */
  schedule(deadline: number, callback: () => void): () => void;
}

/** Two devices claim the same address. */
export class BusConflictError extends Error {
  override readonly name = "BusConflictError";
}

/** The addresses that one device answers at. */
export interface Range {
  readonly name: string;
  readonly start: number;
  readonly length: number;
  readonly device: Device;
}

// #region bus
export class Bus {
  readonly #ranges: Range[] = [];

  /** The claimed ranges, in the order of their registration. */
  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  /** Gives the addresses `start` to `start + length - 1` to `device`; throws where another has one of them. */
  register(name: string, start: number, length: number, device: Device): void {
    // #region exercise-register
    throw new Error(
      "exercise register: add the range to #ranges, or throw a BusConflictError that names both devices · chapter 1, “Put devices on a bus”",
    );
    // #endregion exercise-register
  }

  /** What the guest reads at `address`, as an unsigned number: all ones where no device answers. */
  read(address: number, size: 1 | 2 | 4): number {
    // #region exercise-dispatch
    throw new Error(
      "exercise dispatch: hand the access to the device that covers it, split one that runs over an edge into bytes, and read all ones where there is none · chapter 1, “Put devices on a bus”",
    );
    // #endregion exercise-dispatch
  }

  /** Hands a write to the device at `address`; where none answers it is lost. */
  write(address: number, size: 1 | 2 | 4, value: number): void {
    // #region exercise-dispatch
    throw new Error(
      "exercise dispatch: hand the access to the device that covers it, split one that runs over an edge into bytes, and read all ones where there is none · chapter 1, “Put devices on a bus”",
    );
    // #endregion exercise-dispatch
  }

  #find(address: number): Range | undefined {
    for (const range of this.#ranges) if (inside(range, address, 1)) return range;
    return undefined;
  }
}
// #endregion bus

function inside(range: Range, address: number, size: number): boolean {
  return address >= range.start && address + size <= range.start + range.length;
}
