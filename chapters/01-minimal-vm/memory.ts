// Starter: write the exercises here; `npm run chapter 1` runs them, `npm run chapter 1 test` tests them.
// Generated from solutions/01-minimal-vm/memory.ts by `npm run starters` (851511e8).
/**
 * Guest-physical memory: which of the host's bytes the guest sees, and at which address.
 *
 * A *slot* maps a range of guest-physical addresses to a piece of host memory. Between the slots there
 * is nothing, and what the guest does there becomes an MMIO exit.
 *
 * Source: KVM API documentation, 4.35 KVM_SET_USER_MEMORY_REGION.
 */
import type { HostMemory, MemoryRegion, Vm } from "../../sandbox/kvm/api.ts";

export const PAGE_SIZE = 4096;

/** Sizes of one access, in bytes. */
export type AccessSize = 1 | 2 | 4 | 8;

/** What guest memory needs of a VM, so that a test can stand in for one. */
export type MemoryOwner = Pick<Vm, "setUserMemoryRegion" | "memoryWritten">;

/** An access or a slot that guest memory refuses. `address` is guest-physical. */
export class GuestMemoryError extends Error {
  override readonly name = "GuestMemoryError";
  constructor(
    readonly address: number,
    problem: string,
  ) {
    super(problem);
  }
}

// #region guest-memory
export class GuestMemory {
  readonly #vm: MemoryOwner;
  readonly #host: HostMemory;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #slots: MemoryRegion[] = [];

  /** `host` is the RAM that the slots are cut from. */
  constructor(vm: MemoryOwner, host: HostMemory) {
    this.#vm = vm;
    this.#host = host;
    this.#bytes = new Uint8Array(host.memory.buffer, host.offset, host.size);
    this.#view = new DataView(host.memory.buffer, host.offset, host.size);
  }
  // #endregion guest-memory

  /** The slots in use, by rising guest-physical address. */
  get slots(): readonly MemoryRegion[] {
    return this.#slots;
  }

  /**
   * Adds a slot, or replaces the one with the same number. `hostOffset` counts from the start of this
   * memory's RAM; all three numbers are bytes and multiples of `PAGE_SIZE`.
   */
  map(slot: number, guestAddress: number, size: number, hostOffset = 0, readOnly = false): void {
    const region: MemoryRegion = { slot, guestAddress, size, host: this.#host, hostOffset, readOnly };
    this.#check(region);
    this.#vm.setUserMemoryRegion(region);
    const others = this.#slots.filter(other => other.slot !== slot);
    this.#slots = [...others, region].sort((a, b) => a.guestAddress - b.guestAddress);
  }

  /** Deletes a slot; the bytes behind it stay as they are. */
  unmap(slot: number): void {
    const region = this.#slots.find(other => other.slot === slot);
    if (!region) throw new GuestMemoryError(0, `there is no slot ${slot} to delete`);
    this.#vm.setUserMemoryRegion({ ...region, size: 0 });
    this.#slots = this.#slots.filter(other => other !== region);
  }

  /** Throws unless the region is page aligned, lies inside the RAM and overlaps no other slot. */
  #check(region: MemoryRegion): void {
    const { slot, guestAddress, size, hostOffset } = region;
    // #region exercise-map-slots
    throw new Error(
      "exercise map-slots: throw a GuestMemoryError unless the slot is page aligned, lies inside the RAM and overlaps no other slot · chapter 1, “Give the guest memory”",
    );
    // #endregion exercise-map-slots
  }

  /**
   * Where the byte at guest-physical `address` lies in the RAM, and how many bytes follow it in the same
   * slot (at least 1, itself included). Throws a `GuestMemoryError` where there is no slot.
   */
  translate(address: number): { offset: number; available: number } {
    // #region exercise-translate
    throw new Error(
      "exercise translate: find the slot that holds the address; return its place in RAM and the bytes left in the slot · chapter 1, “Give the guest memory”",
    );
    // #endregion exercise-translate
  }

  /** Reads an unsigned little-endian number of 1, 2 or 4 bytes. */
  read(address: number, size: 1 | 2 | 4): number {
    // #region exercise-read-write
    throw new Error(
      "exercise read-write: move 1, 2 or 4 little-endian bytes between a number and RAM, also over the border of two slots · chapter 1, “Give the guest memory”",
    );
    // #endregion exercise-read-write
  }

  /** Writes the low 1, 2 or 4 bytes of `value`, little endian. */
  write(address: number, size: 1 | 2 | 4, value: number): void {
    // #region exercise-read-write
    throw new Error(
      "exercise read-write: move 1, 2 or 4 little-endian bytes between a number and RAM, also over the border of two slots · chapter 1, “Give the guest memory”",
    );
    // #endregion exercise-read-write
  }

  /** Reads 8 bytes, little endian. */
  read64(address: number): bigint {
    return (BigInt(this.read(address + 4, 4)) << 32n) | BigInt(this.read(address, 4));
  }

  /** Writes 8 bytes, little endian. */
  write64(address: number, value: bigint): void {
    this.writeBytes(address, new Uint8Array(new BigUint64Array([value]).buffer));
  }

  /** Copies `length` bytes out; the range may run over several adjacent slots. */
  readBytes(address: number, length: number): Uint8Array {
    const copy = new Uint8Array(length);
    this.#forEachPiece(address, length, (offset, done, size) => {
      copy.set(this.#bytes.subarray(offset, offset + size), done);
    });
    return copy;
  }

  /** Copies `bytes` in. Nothing is written unless all of them fit. */
  writeBytes(address: number, bytes: Uint8Array): void {
    this.#forEachPiece(address, bytes.length, () => {});
    this.#forEachPiece(address, bytes.length, (offset, done, size) => {
      this.#bytes.set(bytes.subarray(done, done + size), offset);
    });
    this.#vm.memoryWritten(address, bytes.length);
  }

  /** Fills `length` bytes with one value. */
  fill(address: number, length: number, value: number): void {
    this.#forEachPiece(address, length, () => {});
    this.#forEachPiece(address, length, (offset, _done, size) => {
      this.#bytes.fill(value, offset, offset + size);
    });
    this.#vm.memoryWritten(address, length);
  }

  /** Puts an image into memory; `name` is what an error calls it. */
  load(name: string, image: Uint8Array, address: number): void {
    try {
      this.writeBytes(address, image);
    } catch (error) {
      if (!(error instanceof GuestMemoryError)) throw error;
      const end = address + image.length;
      throw new GuestMemoryError(
        error.address,
        `${name} (${image.length} bytes at ${hex(address)}) does not fit: it ends at ${hex(end)}, ${error.message}`,
      );
    }
  }

  /** Cuts a range into pieces that each lie in one slot: calls `visit(offset in RAM, bytes done, size)`. */
  #forEachPiece(
    address: number,
    length: number,
    visit: (offset: number, done: number, size: number) => void,
  ): void {
    // #region exercise-pieces
    throw new Error(
      "exercise pieces: cut the range into pieces that each lie in one slot and call visit for each · chapter 1, “Give the guest memory”",
    );
    // #endregion exercise-pieces
  }
}

function hex(address: number): string {
  return `0x${address
    .toString(16)
    .padStart(8, "0")
    .replace(/(.{4})$/, "_$1")}`;
}
