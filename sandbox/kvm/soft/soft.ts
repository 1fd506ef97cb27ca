/**
 * The soft engine: our own processor behind the KVM API. Runs everywhere.
 */

import { MAX_SLOTS } from "../../cpu/physical-memory.ts";
import { rehearse } from "../../cpu/rehearsal.ts";
import type { Capabilities, HostMemory, Hypervisor, Vm } from "../api.ts";
import { HypervisorError } from "../api.ts";
import { ENGINE_AREA, engineMemories, MAX_VCPUS } from "./engine-area.ts";
import { SoftVm } from "./vm.ts";

const WASM_PAGE = 0x1_0000;
/** Memories of WebAssembly end here. */
const MOST_BYTES = 2 ** 32;

export function openSoft(): Hypervisor {
  rehearse();
  return new SoftHypervisor();
}

class SoftHypervisor implements Hypervisor {
  readonly name = "soft";
  readonly capabilities: Capabilities = {
    memorySlots: MAX_SLOTS,
    vcpus: MAX_VCPUS,
    readOnlyMemory: true,
    guestDebug: true,
    irqchip: false,
    a20Gate: true,
    bounds: ["instructions"],
  };
  readonly #vms = new Set<SoftVm>();

  allocateMemory(size: number, options: { shared?: boolean } = {}): HostMemory {
    if (!Number.isInteger(size) || size <= 0 || ENGINE_AREA + size > MOST_BYTES) {
      throw new HypervisorError("allocateMemory", `${size} bytes is no size for guest memory`, {
        remedy: `Ask for 1 to ${MOST_BYTES - ENGINE_AREA} bytes`,
      });
    }
    const pages = Math.ceil((ENGINE_AREA + size) / WASM_PAGE);
    const shared = options.shared ?? false;
    try {
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
      engineMemories.add(memory);
      return { memory, offset: ENGINE_AREA, size };
    } catch {
      throw new HypervisorError("allocateMemory", `the host has no ${size} bytes to give`, {
        code: "ENOMEM",
      });
    }
  }

  createVm(): Vm {
    const vm = new SoftVm(() => this.#vms.delete(vm));
    this.#vms.add(vm);
    return vm;
  }

  close(): void {
    for (const vm of this.#vms) vm.close();
  }
}
