/** One virtual machine of /dev/kvm. */
import { HypervisorError, type MemoryRegion, type Vm } from "../api.ts";
import { native } from "./ffi.ts";
import * as ioctl from "./ioctl.ts";
import { MemorySlots } from "./slots.ts";
import { KVM_IRQ_LEVEL, KVM_PIT_CONFIG } from "./structs.ts";
import { KvmVcpu, type VcpuOwner } from "./vcpu.ts";

/**
 * Four pages of guest-physical memory below the BIOS that Intel processors without "unrestricted guest"
 * need to run real mode: a page table for the identity map, and three pages of TSS. Others ignore them.
 */
const IDENTITY_MAP_ADDRESS = 0xfffb_c000;
const TSS_ADDRESS = 0xfffb_d000;

/** KVM_PIT_SPEAKER_DUMMY: the PIT also answers at port 0x61, where the guest sees channel 2's output. */
const PIT_SPEAKER_DUMMY = 1;

/** What a VM needs of the hypervisor that made it. */
export interface VmOwner extends Pick<VcpuOwner, "mappingSize" | "cpuid"> {
  readonly memorySlots: number;
  vmClosed(vm: KvmVm): void;
}

export class KvmVm implements Vm {
  #descriptor: number;
  readonly #slots: MemorySlots;
  readonly #vcpus = new Set<KvmVcpu>();

  constructor(
    descriptor: number,
    private readonly owner: VmOwner,
  ) {
    this.#descriptor = descriptor;
    this.#slots = new MemorySlots(descriptor, owner.memorySlots);
    try {
      const identityMap = new Uint8Array(new BigUint64Array([BigInt(IDENTITY_MAP_ADDRESS)]).buffer);
      ioctl.setIdentityMapAddress(descriptor, identityMap);
      ioctl.setTssAddress(descriptor, TSS_ADDRESS);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  setUserMemoryRegion(region: MemoryRegion): void {
    this.#open("KVM_SET_USER_MEMORY_REGION");
    this.#slots.set(region);
  }

  createVcpu(id: number): KvmVcpu {
    if (!Number.isInteger(id) || id < 0) {
      throw new HypervisorError("KVM_CREATE_VCPU", `${id} is no vCPU id: they count from 0`);
    }
    const descriptor = ioctl.createVcpu(this.#open("KVM_CREATE_VCPU"), id);
    const vcpu = new KvmVcpu(descriptor, id, {
      mappingSize: this.owner.mappingSize,
      cpuid: id => this.owner.cpuid(id),
      peek: (address, length) => this.#slots.peek(address, length),
      vcpuClosed: vcpu => this.#vcpus.delete(vcpu),
    });
    this.#vcpus.add(vcpu);
    return vcpu;
  }

  createIrqchip(): void {
    ioctl.createIrqchip(this.#open("KVM_CREATE_IRQCHIP"));
  }

  createPit(): void {
    const { bytes, view } = ioctl.allocate(KVM_PIT_CONFIG);
    view.setUint32(KVM_PIT_CONFIG.offsets.flags, PIT_SPEAKER_DUMMY, true);
    ioctl.createPit(this.#open("KVM_CREATE_PIT2"), bytes);
  }

  setIrqLine(irq: number, level: boolean): void {
    const { bytes, view } = ioctl.allocate(KVM_IRQ_LEVEL);
    view.setUint32(KVM_IRQ_LEVEL.offsets.irq, irq, true);
    view.setUint32(KVM_IRQ_LEVEL.offsets.level, level ? 1 : 0, true);
    ioctl.setIrqLine(this.#open("KVM_IRQ_LINE"), bytes);
  }

  /** Nothing to do: the processor's caches are coherent with what the VMM writes. */
  memoryWritten(): void {}

  close(): void {
    if (this.#descriptor === -1) return;
    for (const vcpu of this.#vcpus) vcpu.close();
    native().close(this.#descriptor);
    this.#descriptor = -1;
    this.owner.vmClosed(this);
  }

  /** The descriptor; throws once the VM is closed. */
  #open(call: string): number {
    if (this.#descriptor === -1) throw new HypervisorError(call, "this VM was closed already");
    return this.#descriptor;
  }
}
