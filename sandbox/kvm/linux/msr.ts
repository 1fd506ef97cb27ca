/** One model-specific register at a time, of the many that KVM_GET_MSRS and KVM_SET_MSRS can move. */
import { HypervisorError } from "../api.ts";
import { allocate, getMsrs, setMsrs } from "./ioctl.ts";
import { KVM_MSR_ENTRY, KVM_MSRS } from "./structs.ts";

const DATA = KVM_MSRS.size + KVM_MSR_ENTRY.offsets.data;

/** Throws a `HypervisorError` where KVM does not have the register. */
export function readMsr(vcpu: number, index: number): bigint {
  const { bytes, view } = request(index);
  if (getMsrs(vcpu, bytes) !== 1) throw new HypervisorError("KVM_GET_MSRS", `KVM has no ${nameOf(index)}`);
  return view.getBigUint64(DATA, true);
}

/** Throws a `HypervisorError` where KVM does not have the register or refuses the value. */
export function writeMsr(vcpu: number, index: number, value: bigint): void {
  const { bytes, view } = request(index);
  view.setBigUint64(DATA, value, true);
  if (setMsrs(vcpu, bytes) !== 1) {
    throw new HypervisorError("KVM_SET_MSRS", `KVM refuses ${nameOf(index)} = 0x${value.toString(16)}`);
  }
}

/** A `struct kvm_msrs` with one entry. */
function request(index: number) {
  const argument = allocate(KVM_MSRS, KVM_MSR_ENTRY.size);
  argument.view.setUint32(KVM_MSRS.offsets.nmsrs, 1, true);
  argument.view.setUint32(KVM_MSRS.size + KVM_MSR_ENTRY.offsets.index, index, true);
  return argument;
}

const nameOf = (index: number) => `model-specific register 0x${index.toString(16)}`;
