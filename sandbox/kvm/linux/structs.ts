/**
 * The structures of the KVM API: where each field lies, in bytes from the start, on x86-64.
 *
 * Source: <linux/kvm.h> and <asm/kvm.h>; one from <asm/sigcontext.h>. structs.test.ts lets the C compiler print `sizeof` and
 * `offsetof` of every line here and compares, so the keys are C member designators.
 */

export interface Struct<Field extends string = string> {
  /** The C type. */
  readonly type: string;
  readonly size: number;
  readonly offsets: Readonly<Record<Field, number>>;
}

function struct<const Offsets extends Record<string, number>>(type: string, size: number, offsets: Offsets) {
  return { type, size, offsets } as const;
}

/** What a vCPU and user space share: mapped from the vCPU's descriptor, longer than this structure. */
export const KVM_RUN = struct("struct kvm_run", 2352, {
  request_interrupt_window: 0,
  immediate_exit: 1,
  exit_reason: 8,
  ready_for_interrupt_injection: 12,
  if_flag: 13,
  cr8: 16,
  apic_base: 24,
  "hw.hardware_exit_reason": 32,
  "fail_entry.hardware_entry_failure_reason": 32,
  "io.direction": 32,
  "io.size": 33,
  "io.port": 34,
  "io.count": 36,
  "io.data_offset": 40,
  "debug.arch.exception": 32,
  "debug.arch.pc": 40,
  "debug.arch.dr6": 48,
  "debug.arch.dr7": 56,
  "mmio.phys_addr": 32,
  "mmio.data": 40,
  "mmio.len": 48,
  "mmio.is_write": 52,
  "internal.suberror": 32,
  "internal.ndata": 36,
  "internal.data": 40,
  "emulation_failure.flags": 40,
  "emulation_failure.insn_size": 48,
  "emulation_failure.insn_bytes": 49,
});

export const KVM_REGS = struct("struct kvm_regs", 144, {
  rax: 0,
  rbx: 8,
  rcx: 16,
  rdx: 24,
  rsi: 32,
  rdi: 40,
  rsp: 48,
  rbp: 56,
  r8: 64,
  r9: 72,
  r10: 80,
  r11: 88,
  r12: 96,
  r13: 104,
  r14: 112,
  r15: 120,
  rip: 128,
  rflags: 136,
});

export const KVM_SEGMENT = struct("struct kvm_segment", 24, {
  base: 0,
  limit: 8,
  selector: 12,
  type: 14,
  present: 15,
  dpl: 16,
  db: 17,
  s: 18,
  l: 19,
  g: 20,
  avl: 21,
  unusable: 22,
});

export const KVM_DTABLE = struct("struct kvm_dtable", 16, { base: 0, limit: 8 });

export const KVM_SREGS = struct("struct kvm_sregs", 312, {
  cs: 0,
  ds: 24,
  es: 48,
  fs: 72,
  gs: 96,
  ss: 120,
  tr: 144,
  ldt: 168,
  gdt: 192,
  idt: 208,
  cr0: 224,
  cr2: 232,
  cr3: 240,
  cr4: 248,
  cr8: 256,
  efer: 264,
  apic_base: 272,
  interrupt_bitmap: 280,
});

/** `region` is what XSAVE writes: a `struct _xstate`. */
export const KVM_XSAVE = struct("struct kvm_xsave", 4096, { region: 0 });

/** The FXSAVE area and the XSAVE header behind it, from <asm/sigcontext.h>; SDM vol. 1, 10.5.1 and 13.4.2. */
export const XSTATE = struct("struct _xstate", 832, {
  "fpstate.cwd": 0,
  "fpstate.swd": 2,
  "fpstate.twd": 4,
  "fpstate.fop": 6,
  "fpstate.rip": 8,
  "fpstate.rdp": 16,
  "fpstate.mxcsr": 24,
  "fpstate.st_space": 32,
  "fpstate.xmm_space": 160,
  "xstate_hdr.xfeatures": 512,
});

export const KVM_DEBUGREGS = struct("struct kvm_debugregs", 128, {
  "db[0]": 0,
  "db[1]": 8,
  "db[2]": 16,
  "db[3]": 24,
  dr6: 32,
  dr7: 40,
});

export const KVM_VCPU_EVENTS = struct("struct kvm_vcpu_events", 64, {
  "exception.injected": 0,
  "exception.nr": 1,
  "exception.has_error_code": 2,
  "exception.error_code": 4,
  "interrupt.injected": 8,
  "interrupt.nr": 9,
  "interrupt.soft": 10,
  "interrupt.shadow": 11,
  "nmi.injected": 12,
  "nmi.pending": 13,
  "nmi.masked": 14,
  flags: 20,
});

export const KVM_GUEST_DEBUG = struct("struct kvm_guest_debug", 72, {
  control: 0,
  "arch.debugreg[0]": 8,
  "arch.debugreg[7]": 64,
});

export const KVM_USERSPACE_MEMORY_REGION = struct("struct kvm_userspace_memory_region", 32, {
  slot: 0,
  flags: 4,
  guest_phys_addr: 8,
  memory_size: 16,
  userspace_addr: 24,
});

export const KVM_TRANSLATION = struct("struct kvm_translation", 24, {
  linear_address: 0,
  physical_address: 8,
  valid: 16,
});

/** Followed by `nmsrs` entries. */
export const KVM_MSRS = struct("struct kvm_msrs", 8, { nmsrs: 0 });
export const KVM_MSR_ENTRY = struct("struct kvm_msr_entry", 16, { index: 0, data: 8 });

export const KVM_INTERRUPT = struct("struct kvm_interrupt", 4, { irq: 0 });
export const KVM_IRQ_LEVEL = struct("struct kvm_irq_level", 8, { irq: 0, level: 4 });
export const KVM_PIT_CONFIG = struct("struct kvm_pit_config", 64, { flags: 0 });

/** Followed by `nent` entries. */
export const KVM_CPUID2 = struct("struct kvm_cpuid2", 8, { nent: 0 });
export const KVM_CPUID_ENTRY2 = struct("struct kvm_cpuid_entry2", 40, {
  function: 0,
  index: 4,
  flags: 8,
  eax: 12,
  ebx: 16,
  ecx: 20,
  edx: 24,
});

/** Followed by `len` bytes of signal set; the kernel's own has 8, whatever the C library's has. */
export const KVM_SIGNAL_MASK = struct("struct kvm_signal_mask", 4, { len: 0, sigset: 4 });
