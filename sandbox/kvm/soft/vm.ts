/** A virtual machine of the soft engine: slots, decoded code, processors. */
import { CodeCache } from "../../cpu/code-page.ts";
import { PhysicalMemory } from "../../cpu/physical-memory.ts";
import type { MemoryRegion, Vcpu, Vm } from "../api.ts";
import { HypervisorError } from "../api.ts";
import { engineMemories, MAX_VCPUS } from "./engine-area.ts";
import { SoftVcpu } from "./vcpu.ts";

export class SoftVm implements Vm {
  readonly physical = new PhysicalMemory();
  readonly code = new CodeCache();
  /** Where the processors live: the memory of the first slot, if it has an engine area. */
  memory: WebAssembly.Memory | null = null;
  readonly #vcpus = new Map<number, SoftVcpu>();
  #isClosed = false;

  constructor(private readonly onClose: () => void) {
    this.physical.onChange = () => {
      this.code.dropAll();
      for (const vcpu of this.#vcpus.values()) vcpu.flush();
    };
    this.physical.onWrite = (address, length) => this.code.written(address, length);
  }

  setUserMemoryRegion(region: MemoryRegion): void {
    this.#requireOpen("KVM_SET_USER_MEMORY_REGION");
    this.physical.set(region);
    if (this.memory !== null || region.size === 0 || !engineMemories.has(region.host.memory)) return;
    this.memory = region.host.memory;
    for (const vcpu of this.#vcpus.values()) vcpu.moveTo(this.memory);
  }

  createVcpu(id: number): Vcpu {
    const call = "KVM_CREATE_VCPU";
    this.#requireOpen(call);
    if (!Number.isInteger(id) || id < 0 || id >= MAX_VCPUS) {
      throw new HypervisorError(call, `there is no vCPU ${id}`, {
        code: "EINVAL",
        remedy: `vCPUs are 0 to ${MAX_VCPUS - 1}`,
      });
    }
    if (this.#vcpus.has(id)) throw new HypervisorError(call, `vCPU ${id} exists`, { code: "EEXIST" });
    const vcpu = new SoftVcpu(this, id, () => this.#vcpus.delete(id));
    this.#vcpus.set(id, vcpu);
    return vcpu;
  }

  createIrqchip(): void {
    throw noIrqchip("KVM_CREATE_IRQCHIP");
  }

  createPit(): void {
    throw noIrqchip("KVM_CREATE_PIT2");
  }

  setIrqLine(_irq: number, _level: boolean): void {
    throw noIrqchip("KVM_IRQ_LINE");
  }

  memoryWritten(guestAddress: number, length: number): void {
    if (length > 0) this.code.written(guestAddress, length);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const vcpu of this.#vcpus.values()) vcpu.close();
    this.onClose();
  }

  #requireOpen(call: string): void {
    if (this.#isClosed) throw new HypervisorError(call, "the VM is closed", { code: "EBADF" });
  }
}

function noIrqchip(call: string): HypervisorError {
  return new HypervisorError(call, "the soft engine has no interrupt controller inside", {
    code: "ENXIO",
    remedy: "Use the PIC and PIT of chapters 4 and 5 outside of it",
  });
}
