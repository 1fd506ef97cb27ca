/**
 * Guest-physical memory as the processor sees it: the slots of the VM, and nothing between them.
 *
 * Addresses are numbers up to 2^52. Where there is no slot, `find` returns null and the access becomes an
 * MMIO exit; the processor's own accesses to such places (page tables, descriptors) read all ones.
 */
import { HypervisorError, type MemoryRegion } from "../kvm/api.ts";

export class Slot {
  readonly end: number;
  /** All of the host memory that the slot lies in, and what to add to a guest address to index it. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly delta: number;
  readonly readOnly: boolean;

  constructor(readonly region: MemoryRegion) {
    const { host, hostOffset, guestAddress, size, readOnly } = region;
    this.end = guestAddress + size;
    this.bytes = new Uint8Array(host.memory.buffer);
    this.view = new DataView(host.memory.buffer);
    this.delta = host.offset + hostOffset - guestAddress;
    this.readOnly = readOnly ?? false;
  }

  get start(): number {
    return this.region.guestAddress;
  }
}

export class PhysicalMemory {
  #slots: Slot[] = [];
  #last: Slot | null = null;
  /** Called before the slots change: what was derived from them is void. */
  onChange = (): void => {};
  /** Called after a write that did not come through a TLB: page walks, descriptors, devices. */
  onWrite = (_address: number, _length: number): void => {};

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  /** Adds, replaces or (size 0) deletes a slot, with the refusals of KVM_SET_USER_MEMORY_REGION. */
  set(region: MemoryRegion): void {
    const call = "KVM_SET_USER_MEMORY_REGION";
    const { slot, guestAddress, size, host, hostOffset } = region;
    const others = this.#slots.filter(other => other.region.slot !== slot);
    for (const [name, value] of Object.entries({ guestAddress, size, hostOffset })) {
      if (Number.isSafeInteger(value) && value >= 0 && value % 4096 === 0) continue;
      throw new HypervisorError(call, `slot ${slot}: ${name} ${value} is no multiple of 4096`, {
        code: "EINVAL",
      });
    }
    if (!Number.isInteger(slot) || slot < 0 || slot >= MAX_SLOTS) {
      throw new HypervisorError(call, `there is no slot ${slot}`, {
        code: "EINVAL",
        remedy: `Slots are 0 to ${MAX_SLOTS - 1}`,
      });
    }
    if (size === 0 && others.length === this.#slots.length) {
      throw new HypervisorError(call, `there is no slot ${slot} to delete`, { code: "EINVAL" });
    }
    if (guestAddress + size > 2 ** 52) {
      throw new HypervisorError(call, `slot ${slot} ends past 52 address bits`, { code: "EINVAL" });
    }
    if (hostOffset + size > host.size || host.offset + host.size > host.memory.buffer.byteLength) {
      throw new HypervisorError(call, `slot ${slot} ends past its host memory of ${host.size} bytes`, {
        code: "EINVAL",
      });
    }
    for (const other of others) {
      if (size === 0 || guestAddress >= other.end || other.start >= guestAddress + size) continue;
      throw new HypervisorError(call, `slot ${slot} overlaps slot ${other.region.slot}`, { code: "EEXIST" });
    }
    this.onChange();
    this.#last = null;
    this.#slots = size === 0 ? others : [...others, new Slot(region)].sort((a, b) => a.start - b.start);
  }

  /** The slot that holds `address`, or null. */
  find(address: number): Slot | null {
    const last = this.#last;
    if (last !== null && address >= last.start && address < last.end) return last;
    for (const slot of this.#slots) {
      if (address >= slot.start && address < slot.end) {
        this.#last = slot;
        return slot;
      }
    }
    return null;
  }

  /** Aligned to 4, so that it never leaves its slot. */
  read32(address: number): number {
    const slot = this.find(address);
    return slot === null ? -1 : slot.view.getInt32(address + slot.delta, true);
  }

  /** Aligned to 4; lost where nothing can be written. */
  write32(address: number, value: number): void {
    const slot = this.find(address);
    if (slot === null || slot.readOnly) return;
    slot.view.setInt32(address + slot.delta, value, true);
    this.onWrite(address, 4);
  }
}

export const MAX_SLOTS = 512;
