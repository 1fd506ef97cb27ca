/**
 * What CPUID tells the guest: all that this host's KVM can offer.
 *
 * Source: KVM API documentation, 4.46 KVM_GET_SUPPORTED_CPUID; SDM vol. 2A, CPUID.
 */
import { HypervisorError } from "../api.ts";
import { allocate, getSupportedCpuid } from "./ioctl.ts";
import { KVM_CPUID_ENTRY2, KVM_CPUID2 } from "./structs.ts";

/** The `struct kvm_cpuid2` that KVM_SET_CPUID2 takes. */
export function supportedCpuid(kvm: number): Uint8Array {
  // KVM wants room for all entries, and says E2BIG where it is too little.
  for (let entries = 128; entries <= 1024; entries *= 2) {
    const { bytes, view } = allocate(KVM_CPUID2, entries * KVM_CPUID_ENTRY2.size);
    view.setUint32(KVM_CPUID2.offsets.nent, entries, true);
    try {
      getSupportedCpuid(kvm, bytes);
    } catch (error) {
      if (error instanceof HypervisorError && error.code === "E2BIG") continue;
      throw error;
    }
    const used = view.getUint32(KVM_CPUID2.offsets.nent, true);
    return bytes.slice(0, KVM_CPUID2.size + used * KVM_CPUID_ENTRY2.size);
  }
  throw new HypervisorError("KVM_GET_SUPPORTED_CPUID", "KVM offers more than 1024 entries");
}

/** A copy for one vCPU, with its id where CPUID tells the local APIC's: leaves 1, 0xb and 0x1f. */
export function withApicId(cpuid: Uint8Array, id: number): Uint8Array {
  const copy = cpuid.slice();
  const view = new DataView(copy.buffer);
  const at = KVM_CPUID_ENTRY2.offsets;
  for (let entry = KVM_CPUID2.size; entry < copy.length; entry += KVM_CPUID_ENTRY2.size) {
    const leaf = view.getUint32(entry + at.function, true);
    if (leaf === 0x01) view.setUint8(entry + at.ebx + 3, id);
    if (leaf === 0x0b || leaf === 0x1f) view.setUint32(entry + at.edx, id, true);
  }
  return copy;
}
