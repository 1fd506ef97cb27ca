/**
 * The ioctls of the KVM API, each a thin typed function. Buffers are laid out as structs.ts says; all
 * but `run` throw a `HypervisorError` that names the call, the errno and the remedy.
 *
 * Source: <linux/kvm.h>; KVM API documentation, section 4.
 */
import { callFailed } from "./errors.ts";
import { native } from "./ffi.ts";
import {
  KVM_CPUID2,
  KVM_DEBUGREGS,
  KVM_GUEST_DEBUG,
  KVM_INTERRUPT,
  KVM_IRQ_LEVEL,
  KVM_MSRS,
  KVM_PIT_CONFIG,
  KVM_REGS,
  KVM_SIGNAL_MASK,
  KVM_SREGS,
  KVM_TRANSLATION,
  KVM_USERSPACE_MEMORY_REGION,
  KVM_VCPU_EVENTS,
  KVM_XSAVE,
  type Struct,
} from "./structs.ts";

/** <asm-generic/ioctl.h>: direction in bits 31:30, size in 29:16, type in 15:8, number in 7:0. */
const KVMIO = 0xae;
const request = (direction: number, number: number, size: number) =>
  direction * 2 ** 30 + size * 2 ** 16 + KVMIO * 2 ** 8 + number;

const _IO = (number: number) => request(0, number, 0);
const _IOW = (number: number, { size }: { size: number }) => request(1, number, size);
const _IOR = (number: number, { size }: { size: number }) => request(2, number, size);
const _IOWR = (number: number, { size }: { size: number }) => request(3, number, size);

const U64 = { size: 8 };

/** Request numbers by name. */
export const REQUESTS = {
  KVM_GET_API_VERSION: _IO(0x00),
  KVM_CREATE_VM: _IO(0x01),
  KVM_CHECK_EXTENSION: _IO(0x03),
  KVM_GET_VCPU_MMAP_SIZE: _IO(0x04),
  KVM_GET_SUPPORTED_CPUID: _IOWR(0x05, KVM_CPUID2),
  KVM_CREATE_VCPU: _IO(0x41),
  KVM_SET_USER_MEMORY_REGION: _IOW(0x46, KVM_USERSPACE_MEMORY_REGION),
  KVM_SET_TSS_ADDR: _IO(0x47),
  KVM_SET_IDENTITY_MAP_ADDR: _IOW(0x48, U64),
  KVM_CREATE_IRQCHIP: _IO(0x60),
  KVM_IRQ_LINE: _IOW(0x61, KVM_IRQ_LEVEL),
  KVM_CREATE_PIT2: _IOW(0x77, KVM_PIT_CONFIG),
  KVM_RUN: _IO(0x80),
  KVM_GET_REGS: _IOR(0x81, KVM_REGS),
  KVM_SET_REGS: _IOW(0x82, KVM_REGS),
  KVM_GET_SREGS: _IOR(0x83, KVM_SREGS),
  KVM_SET_SREGS: _IOW(0x84, KVM_SREGS),
  KVM_TRANSLATE: _IOWR(0x85, KVM_TRANSLATION),
  KVM_INTERRUPT: _IOW(0x86, KVM_INTERRUPT),
  KVM_GET_MSRS: _IOWR(0x88, KVM_MSRS),
  KVM_SET_MSRS: _IOW(0x89, KVM_MSRS),
  KVM_SET_SIGNAL_MASK: _IOW(0x8b, KVM_SIGNAL_MASK),
  KVM_SET_CPUID2: _IOW(0x90, KVM_CPUID2),
  KVM_NMI: _IO(0x9a),
  KVM_SET_GUEST_DEBUG: _IOW(0x9b, KVM_GUEST_DEBUG),
  KVM_GET_VCPU_EVENTS: _IOR(0x9f, KVM_VCPU_EVENTS),
  KVM_SET_VCPU_EVENTS: _IOW(0xa0, KVM_VCPU_EVENTS),
  KVM_GET_DEBUGREGS: _IOR(0xa1, KVM_DEBUGREGS),
  KVM_SET_DEBUGREGS: _IOW(0xa2, KVM_DEBUGREGS),
  KVM_GET_XSAVE: _IOR(0xa4, KVM_XSAVE),
  KVM_SET_XSAVE: _IOW(0xa5, KVM_XSAVE),
} as const;

type RequestName = keyof typeof REQUESTS;

/** KVM_CAP_*, for `checkExtension`. */
export const CAPABILITIES = {
  KVM_CAP_IRQCHIP: 0,
  KVM_CAP_USER_MEMORY: 3,
  KVM_CAP_NR_VCPUS: 9,
  KVM_CAP_NR_MEMSLOTS: 10,
  KVM_CAP_SET_GUEST_DEBUG: 23,
  KVM_CAP_PIT2: 33,
  KVM_CAP_MAX_VCPUS: 66,
  KVM_CAP_READONLY_MEM: 81,
  KVM_CAP_IMMEDIATE_EXIT: 136,
} as const;

/** Zeroed bytes for one structure, plus `extra` behind it, and a view of them. */
export function allocate({ size }: Struct, extra = 0): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(size + extra);
  return { bytes, view: new DataView(bytes.buffer) };
}

function call(descriptor: number, name: RequestName, argument = 0): number {
  const result = native().ioctl(descriptor, REQUESTS[name], argument);
  if (result < 0) throw callFailed(name, native().errno());
  return result;
}

function callWith(descriptor: number, name: RequestName, argument: Uint8Array): number {
  const result = native().ioctlBytes(descriptor, REQUESTS[name], argument);
  if (result < 0) throw callFailed(name, native().errno());
  return result;
}

// /dev/kvm
export const getApiVersion = (kvm: number) => call(kvm, "KVM_GET_API_VERSION");
export const createVm = (kvm: number) => call(kvm, "KVM_CREATE_VM");
export const getVcpuMmapSize = (kvm: number) => call(kvm, "KVM_GET_VCPU_MMAP_SIZE");
/** 0 where KVM lacks the capability, else 1 or the number that it stands for. */
export const checkExtension = (kvm: number, name: keyof typeof CAPABILITIES) =>
  call(kvm, "KVM_CHECK_EXTENSION", CAPABILITIES[name]);
export const getSupportedCpuid = (kvm: number, cpuid: Uint8Array) =>
  callWith(kvm, "KVM_GET_SUPPORTED_CPUID", cpuid);

// A virtual machine
export const createVcpu = (vm: number, id: number) => call(vm, "KVM_CREATE_VCPU", id);
export const setUserMemoryRegion = (vm: number, region: Uint8Array) =>
  callWith(vm, "KVM_SET_USER_MEMORY_REGION", region);
export const setTssAddress = (vm: number, address: number) => call(vm, "KVM_SET_TSS_ADDR", address);
export const setIdentityMapAddress = (vm: number, address: Uint8Array) =>
  callWith(vm, "KVM_SET_IDENTITY_MAP_ADDR", address);
export const createIrqchip = (vm: number) => call(vm, "KVM_CREATE_IRQCHIP");
export const setIrqLine = (vm: number, level: Uint8Array) => callWith(vm, "KVM_IRQ_LINE", level);
export const createPit = (vm: number, config: Uint8Array) => callWith(vm, "KVM_CREATE_PIT2", config);

// A virtual processor
/** Returns 0 at an exit, -1 where it failed: EINTR is everyday life, so nothing is thrown. */
export const run = (vcpu: number): number => native().ioctl(vcpu, REQUESTS.KVM_RUN, 0);
export const getRegs = (vcpu: number, regs: Uint8Array) => callWith(vcpu, "KVM_GET_REGS", regs);
export const setRegs = (vcpu: number, regs: Uint8Array) => callWith(vcpu, "KVM_SET_REGS", regs);
export const getSregs = (vcpu: number, sregs: Uint8Array) => callWith(vcpu, "KVM_GET_SREGS", sregs);
export const setSregs = (vcpu: number, sregs: Uint8Array) => callWith(vcpu, "KVM_SET_SREGS", sregs);
export const translate = (vcpu: number, translation: Uint8Array) =>
  callWith(vcpu, "KVM_TRANSLATE", translation);
export const interrupt = (vcpu: number, vector: Uint8Array) => callWith(vcpu, "KVM_INTERRUPT", vector);
/** Returns how many of the registers were read, from the first on. */
export const getMsrs = (vcpu: number, msrs: Uint8Array) => callWith(vcpu, "KVM_GET_MSRS", msrs);
/** Returns how many of the registers were written, from the first on. */
export const setMsrs = (vcpu: number, msrs: Uint8Array) => callWith(vcpu, "KVM_SET_MSRS", msrs);
export const setSignalMask = (vcpu: number, mask: Uint8Array) => callWith(vcpu, "KVM_SET_SIGNAL_MASK", mask);
export const getXsave = (vcpu: number, area: Uint8Array) => callWith(vcpu, "KVM_GET_XSAVE", area);
export const setXsave = (vcpu: number, area: Uint8Array) => callWith(vcpu, "KVM_SET_XSAVE", area);
export const setCpuid = (vcpu: number, cpuid: Uint8Array) => callWith(vcpu, "KVM_SET_CPUID2", cpuid);
export const nmi = (vcpu: number) => call(vcpu, "KVM_NMI");
export const setGuestDebug = (vcpu: number, debug: Uint8Array) =>
  callWith(vcpu, "KVM_SET_GUEST_DEBUG", debug);
export const getVcpuEvents = (vcpu: number, events: Uint8Array) =>
  callWith(vcpu, "KVM_GET_VCPU_EVENTS", events);
export const setVcpuEvents = (vcpu: number, events: Uint8Array) =>
  callWith(vcpu, "KVM_SET_VCPU_EVENTS", events);
export const getDebugregs = (vcpu: number, registers: Uint8Array) =>
  callWith(vcpu, "KVM_GET_DEBUGREGS", registers);
export const setDebugregs = (vcpu: number, registers: Uint8Array) =>
  callWith(vcpu, "KVM_SET_DEBUGREGS", registers);
