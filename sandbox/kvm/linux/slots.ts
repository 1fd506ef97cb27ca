/**
 * The memory slots of one VM: which guest-physical addresses are which host memory.
 *
 * The kernel tells every mistake by the same EINVAL or EEXIST, so they are found here, before it is
 * asked. A slot keeps its host memory alive for as long as the guest can reach it.
 *
 * Source: KVM API documentation, 4.35 KVM_SET_USER_MEMORY_REGION.
 */
import { HypervisorError, type MemoryRegion } from "../api.ts";
import { native } from "./ffi.ts";
import { allocate, setUserMemoryRegion } from "./ioctl.ts";
import { KVM_USERSPACE_MEMORY_REGION } from "./structs.ts";

const PAGE_SIZE = 4096;
const KVM_MEM_READONLY = 0b10;
/** x86 has at most 52 bits of physical address (SDM vol. 3A, 4.1.4). */
const PHYSICAL_END = 2 ** 52;

export class MemorySlots {
  readonly #slots = new Map<number, MemoryRegion>();
  readonly #argument = allocate(KVM_USERSPACE_MEMORY_REGION);

  constructor(
    readonly vm: number,
    readonly limit: number,
  ) {}

  /** Adds, replaces or, with size 0, deletes a slot. A refused call changes nothing. */
  set(region: MemoryRegion): void {
    const { slot, size } = region;
    const old = this.#slots.get(slot);
    this.#check(region, old);
    // The kernel refuses to change a slot's size, host memory or read-only flag: it is deleted and made anew.
    if (old) this.#tell({ ...old, size: 0 });
    this.#slots.delete(slot);
    if (size === 0) return;
    try {
      this.#tell(region);
      this.#slots.set(slot, region);
    } catch (error) {
      if (old) {
        this.#tell(old);
        this.#slots.set(slot, old);
      }
      throw error;
    }
  }

  /** Up to `length` bytes at a guest-physical address, for messages; none where there is no memory. */
  peek(address: number, length: number): Uint8Array {
    for (const { guestAddress, size, host, hostOffset } of this.#slots.values()) {
      const distance = address - guestAddress;
      if (distance < 0 || distance >= size) continue;
      const bytes = new Uint8Array(host.memory.buffer, host.offset + hostOffset + distance);
      return Uint8Array.from(bytes.subarray(0, Math.min(length, size - distance)));
    }
    return new Uint8Array();
  }

  #tell({ slot, guestAddress, size, host, hostOffset, readOnly }: MemoryRegion): void {
    const at = KVM_USERSPACE_MEMORY_REGION.offsets;
    const { bytes, view } = this.#argument;
    const start = native().addressOf(new Uint8Array(host.memory.buffer)) + host.offset + hostOffset;
    view.setUint32(at.slot, slot, true);
    view.setUint32(at.flags, readOnly ? KVM_MEM_READONLY : 0, true);
    view.setBigUint64(at.guest_phys_addr, BigInt(guestAddress), true);
    view.setBigUint64(at.memory_size, BigInt(size), true);
    view.setBigUint64(at.userspace_addr, BigInt(start), true);
    setUserMemoryRegion(this.vm, bytes);
  }

  #check({ slot, guestAddress, size, host, hostOffset }: MemoryRegion, old: MemoryRegion | undefined): void {
    const refuse = (problem: string, remedy?: string) =>
      new HypervisorError("KVM_SET_USER_MEMORY_REGION", `slot ${slot} ${problem}`, { remedy });

    if (!Number.isInteger(slot) || slot < 0 || slot >= this.limit) {
      throw refuse(`is out of range: slots are numbered from 0 to ${this.limit - 1}`);
    }
    if (size === 0) {
      if (!old) throw refuse("does not exist, so it cannot be deleted");
      return;
    }
    const start = host.offset + hostOffset;
    for (const [name, value] of Object.entries({ guestAddress, size, "offset in the host memory": start })) {
      if (!Number.isSafeInteger(value) || value < 0 || value % PAGE_SIZE !== 0) {
        throw refuse(`is refused: its ${name}, ${hex(value)}, is no multiple of ${PAGE_SIZE}`);
      }
    }
    if (guestAddress + size > PHYSICAL_END) throw refuse(`ends past ${hex(PHYSICAL_END)}, where x86 ends`);
    if (hostOffset < 0 || hostOffset + size > host.size || start + size > host.memory.buffer.byteLength) {
      throw refuse(`needs ${size} bytes from ${hex(hostOffset)} on, but the host memory has ${host.size}`);
    }
    for (const other of this.#slots.values()) {
      const apart =
        guestAddress + size <= other.guestAddress || other.guestAddress + other.size <= guestAddress;
      if (other.slot === slot || apart) continue;
      throw refuse(
        `at ${hex(guestAddress)} to ${hex(guestAddress + size - 1)} overlaps slot ${other.slot} ` +
          `at ${hex(other.guestAddress)} to ${hex(other.guestAddress + other.size - 1)}`,
        `Delete or move slot ${other.slot} first`,
      );
    }
  }
}

const hex = (value: number) => `0x${value.toString(16)}`;
