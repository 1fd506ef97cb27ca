/** The real hypervisor: Linux's /dev/kvm. */
import { type Capabilities, type HostMemory, type Hypervisor, HypervisorError } from "../api.ts";
import { supportedCpuid, withApicId } from "./cpuid.ts";
import { callFailed } from "./errors.ts";
import { native, O_CLOEXEC, O_RDWR } from "./ffi.ts";
import * as ioctl from "./ioctl.ts";
import { KvmVm } from "./vm.ts";

const API_VERSION = 12;
const WASM_PAGE_SIZE = 65_536;

/** Opens /dev/kvm; throws a `HypervisorError` that says what to do where that is not possible. */
export function openKvm(): Hypervisor {
  const kvm = native().open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0) throw callFailed("open /dev/kvm", native().errno());
  try {
    return new Kvm(kvm);
  } catch (error) {
    native().close(kvm);
    throw error;
  }
}

class Kvm implements Hypervisor {
  readonly name = "kvm";
  readonly capabilities: Capabilities;
  #descriptor: number;
  readonly #mappingSize: number;
  readonly #cpuid: Uint8Array;
  readonly #vms = new Set<KvmVm>();

  constructor(kvm: number) {
    const version = ioctl.getApiVersion(kvm);
    if (version !== API_VERSION) {
      throw new HypervisorError("KVM_GET_API_VERSION", `KVM speaks version ${version}, not ${API_VERSION}`);
    }
    for (const needed of ["KVM_CAP_USER_MEMORY", "KVM_CAP_IMMEDIATE_EXIT"] as const) {
      if (ioctl.checkExtension(kvm, needed)) continue;
      throw new HypervisorError("KVM_CHECK_EXTENSION", `this KVM has no ${needed}`, {
        remedy: "Use Linux 4.13 or later, or the soft engine",
      });
    }
    this.#descriptor = kvm;
    this.capabilities = readCapabilities(kvm);
    this.#mappingSize = ioctl.getVcpuMmapSize(kvm);
    this.#cpuid = supportedCpuid(kvm);
  }

  /** One WebAssembly.Memory of its own; the host commits its pages as the guest touches them. */
  allocateMemory(size: number, { shared = false }: { shared?: boolean } = {}): HostMemory {
    const pages = Math.ceil(size / WASM_PAGE_SIZE);
    try {
      // With maximum = initial it cannot grow, which could move it away from under the guest.
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
      return { memory, offset: 0, size };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new HypervisorError("allocate guest RAM", `${size} bytes are not to be had (${reason})`, {
        remedy: "A WebAssembly.Memory has at most 4 GiB",
      });
    }
  }

  createVm(): KvmVm {
    if (this.#descriptor === -1) throw new HypervisorError("KVM_CREATE_VM", "/dev/kvm was closed already");
    const vm = new KvmVm(ioctl.createVm(this.#descriptor), {
      memorySlots: this.capabilities.memorySlots,
      mappingSize: this.#mappingSize,
      cpuid: id => withApicId(this.#cpuid, id),
      vmClosed: vm => this.#vms.delete(vm),
    });
    this.#vms.add(vm);
    return vm;
  }

  close(): void {
    if (this.#descriptor === -1) return;
    for (const vm of this.#vms) vm.close();
    native().close(this.#descriptor);
    this.#descriptor = -1;
  }
}

function readCapabilities(kvm: number): Capabilities {
  const has = (name: Parameters<typeof ioctl.checkExtension>[1]) => ioctl.checkExtension(kvm, name);
  return {
    // 32 and 4 are what the documentation tells to assume where the capability is missing.
    memorySlots: has("KVM_CAP_NR_MEMSLOTS") || 32,
    vcpus: has("KVM_CAP_MAX_VCPUS") || has("KVM_CAP_NR_VCPUS") || 4,
    readOnlyMemory: has("KVM_CAP_READONLY_MEM") > 0,
    guestDebug: has("KVM_CAP_SET_GUEST_DEBUG") > 0,
    irqchip: has("KVM_CAP_IRQCHIP") > 0 && has("KVM_CAP_PIT2") > 0,
    a20Gate: false,
    bounds: ["milliseconds"],
  };
}
