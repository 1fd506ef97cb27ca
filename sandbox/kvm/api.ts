/**
 * The contract between the two halves of a hypervisor, shaped after Linux's KVM API.
 *
 * Below it an engine runs guest code until something happens that it cannot handle alone; above it a
 * virtual machine monitor handles that *exit* and enters the guest again. Two engines stand behind it:
 * `kvm`, the real /dev/kvm, and `soft`, an x86 processor written in TypeScript.
 *
 * Names, values and meanings follow `linux/kvm.h` and the kernel's Documentation/virt/kvm/api.rst
 * ("KVM" below). General registers are `bigint`, as KVM's are 64 bits wide. Guest-physical addresses
 * are `number`: x86 has at most 52 address bits (SDM vol. 3A, 4.1.4), which a double holds exactly, and
 * a number costs no allocation on the way out of the guest.
 */

export type EngineName = "kvm" | "soft";

// #region hypervisor
/** `/dev/kvm` itself: tells what it can do and makes virtual machines. */
export interface Hypervisor {
  readonly name: EngineName;
  readonly capabilities: Capabilities;
  /** Zeroed, page-aligned memory that this engine can use as guest RAM. `size` is in bytes. */
  allocateMemory(size: number, options?: { shared?: boolean }): HostMemory;
  /** KVM_CREATE_VM. */
  createVm(): Vm;
  /** Releases everything that came from here: vCPUs, VMs, descriptors and mappings. */
  close(): void;
}

/** One virtual machine: an empty guest-physical address space with processors in it. */
export interface Vm {
  /** KVM_SET_USER_MEMORY_REGION: adds, replaces or (with size 0) deletes a memory slot. */
  setUserMemoryRegion(region: MemoryRegion): void;
  /** KVM_CREATE_VCPU. `id` 0 is the boot processor. */
  createVcpu(id: number): Vcpu;
  /** KVM_CREATE_IRQCHIP: the 8259A pair, I/O APIC and local APICs inside the engine. */
  createIrqchip(): void;
  /** KVM_CREATE_PIT2: the 8254 inside the engine; needs the in-engine irqchip. */
  createPit(): void;
  /** KVM_IRQ_LINE: drives an input of the in-engine irqchip. */
  setIrqLine(irq: number, level: boolean): void;
  /**
   * Says that the VMM itself wrote guest memory (a loader, a device's DMA). A real processor's caches
   * see such writes; the soft engine drops what it had decoded from those bytes.
   */
  memoryWritten(guestAddress: number, length: number): void;
  close(): void;
}

/** One virtual processor. */
export interface Vcpu {
  readonly id: number;
  /**
   * KVM_RUN: enters the guest and returns at the next exit. The record returned is this vCPU's own,
   * like `struct kvm_run`: valid until the next `run`, then overwritten.
   *
   * For IO "in" and MMIO reads, put the result into `exit.data` before the next `run`.
   */
  run(budget?: RunBudget): Exit;
  /**
   * Lets the guest run on in a thread of its own, where the engine has one ready, and returns true at once.
   * `onExit` is called from the event loop when an exit waits; the next `run` returns it. Whatever else is
   * asked of this vCPU calls it back before, and then as well `onExit` is called.
   */
  runAside?(onExit: () => void): boolean;
  /** Ends `runAside`; without one it does nothing. */
  comeBack?(): void;
  /** Ends the current or the next `run` with an INTR exit. May be called from a signal or a device. */
  kick(): void;
  /**
   * Completes the IO or MMIO access of the last exit without executing the next instruction, so that
   * the registers are consistent (KVM: KVM_RUN with `immediate_exit`). Call before saving state.
   */
  completeExit(): void;

  /**
   * Instructions begun since the vCPU was made, each item of a repeated one by itself, where the engine counts
   * them: where it bounds a run by them.
   */
  readonly instructions?: number;

  getRegs(): Regs;
  setRegs(regs: Regs): void;
  getSregs(): Sregs;
  setSregs(sregs: Sregs): void;
  getFpu(): Fpu;
  setFpu(fpu: Fpu): void;
  getDebugRegs(): DebugRegs;
  setDebugRegs(registers: DebugRegs): void;
  getEvents(): VcpuEvents;
  setEvents(events: VcpuEvents): void;
  /** Throws a `HypervisorError` for a model-specific register that the engine does not have. */
  getMsr(index: number): bigint;
  setMsr(index: number, value: bigint): void;

  /** KVM_INTERRUPT: injects an external interrupt. Throws unless `readyForInterrupt`. */
  interrupt(vector: number): void;
  /** KVM_NMI. */
  nmi(): void;
  /** `request_interrupt_window`: end `run` with IRQ_WINDOW_OPEN as soon as `interrupt` would be taken. */
  requestInterruptWindow: boolean;
  /** `ready_for_interrupt_injection`, as it was at the last exit. */
  readonly readyForInterrupt: boolean;
  /** `if_flag`: RFLAGS.IF, as it was at the last exit. */
  readonly interruptFlag: boolean;

  /**
   * The A20M# pin: while the gate is closed, bit 20 of every physical address is 0, as on a PC of 1981 (SDM
   * vol. 3A, 8.7.13.4). KVM has no such pin: where `capabilities.a20Gate` is false, closing it throws.
   */
  a20Gate: "open" | "closed";

  /** KVM_SET_GUEST_DEBUG; `null` turns debugging off. */
  setGuestDebug(debug: GuestDebug | null): void;
  close(): void;
}
// #endregion hypervisor

/**
 * How long one `run` may take before it returns INTR. Each engine keeps the bound that it can
 * (`capabilities.bounds`): `soft` counts instructions and keeps the count exactly, `kvm` measures time.
 * Give both and the same code runs on either.
 */
export interface RunBudget {
  readonly instructions?: number;
  readonly milliseconds?: number;
}

export interface Capabilities {
  /** KVM_CAP_NR_MEMSLOTS. */
  readonly memorySlots: number;
  /** KVM_CAP_MAX_VCPUS. */
  readonly vcpus: number;
  readonly readOnlyMemory: boolean;
  /** Single step and breakpoints by `setGuestDebug`. */
  readonly guestDebug: boolean;
  /** `createIrqchip`, `createPit` and `setIrqLine` work. */
  readonly irqchip: boolean;
  /** `a20Gate` can be closed. */
  readonly a20Gate: boolean;
  /** The bounds of `RunBudget` that this engine keeps. */
  readonly bounds: readonly (keyof RunBudget)[];
}

/** A piece of the host's memory that can become guest RAM: `size` bytes at `offset` of `memory`. */
export interface HostMemory {
  readonly memory: WebAssembly.Memory;
  readonly offset: number;
  readonly size: number;
}

/** `struct kvm_userspace_memory_region`. Addresses and sizes are bytes, multiples of 4096. */
export interface MemoryRegion {
  readonly slot: number;
  readonly guestAddress: number;
  /** 0 deletes the slot. */
  readonly size: number;
  readonly host: HostMemory;
  /** Where in `host` the slot begins. */
  readonly hostOffset: number;
  /** KVM_MEM_READONLY: guest writes become MMIO exits. */
  readonly readOnly?: boolean;
}

// #region exits
/** Why the guest stopped: KVM_EXIT_*, without the prefix. */
export type Exit =
  | IoExit
  | MmioExit
  | HltExit
  | IrqWindowExit
  | DebugExit
  | ShutdownExit
  | FailEntryExit
  | InternalErrorExit
  | IntrExit
  | UnknownExit;

/** The guest executed IN, OUT, INS or OUTS. */
export interface IoExit {
  readonly reason: "IO";
  readonly direction: "in" | "out";
  /** Bytes of one item. */
  readonly size: 1 | 2 | 4;
  readonly port: number;
  /** Items; more than 1 only for INS and OUTS with a REP prefix. */
  readonly count: number;
  /** `count * size` valid bytes, little endian; for "in" the VMM fills them. */
  readonly data: Uint8Array;
}

/** The guest touched a guest-physical address that no slot covers, or wrote to a read-only one. */
export interface MmioExit {
  readonly reason: "MMIO";
  /** Guest-physical. */
  readonly address: number;
  readonly isWrite: boolean;
  /** 1 to 8 bytes. */
  readonly length: number;
  /** `length` valid bytes, little endian; for a read the VMM fills them. */
  readonly data: Uint8Array;
}

/** The guest executed HLT and waits for an interrupt. */
export interface HltExit {
  readonly reason: "HLT";
}

/** The guest can take an interrupt now; asked for by `requestInterruptWindow`. */
export interface IrqWindowExit {
  readonly reason: "IRQ_WINDOW_OPEN";
}

/** A single step, a breakpoint or a watchpoint of `setGuestDebug`. */
export interface DebugExit {
  readonly reason: "DEBUG";
  /** 1 (#DB) or 3 (#BP). */
  readonly exception: number;
  /** Linear address of the instruction to execute next, or of the INT3. */
  readonly pc: bigint;
  readonly dr6: bigint;
  readonly dr7: bigint;
}

/** A triple fault: the processor has shut down. */
export interface ShutdownExit {
  readonly reason: "SHUTDOWN";
}

/** The processor refused to enter the guest with this state. */
export interface FailEntryExit {
  readonly reason: "FAIL_ENTRY";
  readonly hardwareReason: bigint;
}

/** The engine itself cannot go on, most often at an instruction that it cannot emulate. */
export interface InternalErrorExit {
  readonly reason: "INTERNAL_ERROR";
  /** KVM_INTERNAL_ERROR_*: 1 is an emulation failure. */
  readonly suberror: number;
  /** Guest-linear address of the instruction, where known. */
  readonly pc: bigint;
  /** The instruction's bytes, where known. */
  readonly instruction: Uint8Array;
  /** What happened, in a sentence. */
  readonly message: string;
}

/** The run ended from outside: a spent budget, a `kick` or a signal. */
export interface IntrExit {
  readonly reason: "INTR";
  readonly cause: "budget" | "kick" | "signal";
}

/** An exit that this API has no name for. */
export interface UnknownExit {
  readonly reason: "UNKNOWN";
  /** KVM_EXIT_* as a number. */
  readonly code: number;
  readonly hardwareReason: bigint;
}
// #endregion exits

/** `struct kvm_regs`. */
export interface Regs {
  rax: bigint;
  rbx: bigint;
  rcx: bigint;
  rdx: bigint;
  rsi: bigint;
  rdi: bigint;
  rsp: bigint;
  rbp: bigint;
  r8: bigint;
  r9: bigint;
  r10: bigint;
  r11: bigint;
  r12: bigint;
  r13: bigint;
  r14: bigint;
  r15: bigint;
  rip: bigint;
  rflags: bigint;
}

/** `struct kvm_segment`: a segment register with its hidden part. `limit` is in bytes, after G. */
export interface Segment {
  base: bigint;
  limit: number;
  selector: number;
  type: number;
  present: number;
  dpl: number;
  db: number;
  s: number;
  l: number;
  g: number;
  avl: number;
  unusable: number;
}

/** `struct kvm_dtable`: GDTR or IDTR. */
export interface DescriptorTable {
  base: bigint;
  limit: number;
}

/** `struct kvm_sregs`. */
export interface Sregs {
  cs: Segment;
  ds: Segment;
  es: Segment;
  fs: Segment;
  gs: Segment;
  ss: Segment;
  tr: Segment;
  ldt: Segment;
  gdt: DescriptorTable;
  idt: DescriptorTable;
  cr0: bigint;
  cr2: bigint;
  cr3: bigint;
  cr4: bigint;
  cr8: bigint;
  efer: bigint;
  apicBase: bigint;
}

/** `struct kvm_fpu`: x87 and SSE state, eight x87 slots of 16 bytes in stack order, sixteen XMM registers. */
export interface Fpu {
  fpr: Uint8Array;
  fcw: number;
  fsw: number;
  /** Abridged tag word, as FXSAVE writes it: a set bit is a register in use. */
  ftwx: number;
  lastOpcode: number;
  lastIp: bigint;
  lastDp: bigint;
  xmm: Uint8Array;
  mxcsr: number;
}

/** `struct kvm_debugregs`. */
export interface DebugRegs {
  db: [bigint, bigint, bigint, bigint];
  dr6: bigint;
  dr7: bigint;
}

/** `struct kvm_vcpu_events`, as far as user space can see and set it. */
export interface VcpuEvents {
  exception: { injected: boolean; vector: number; hasErrorCode: boolean; errorCode: number };
  interrupt: { injected: boolean; vector: number; soft: boolean; shadow: "none" | "sti" | "mov-ss" };
  nmi: { injected: boolean; pending: boolean; masked: boolean };
}

/** What `setGuestDebug` watches for. */
export interface GuestDebug {
  readonly singleStep?: boolean;
  /** INT3 ends the run with DEBUG instead of raising #BP in the guest. */
  readonly softwareBreakpoints?: boolean;
  /** At most four, as the processor has DR0 to DR3. */
  readonly breakpoints?: readonly Breakpoint[];
}

export interface Breakpoint {
  /** Guest-linear. */
  readonly address: bigint;
  readonly kind: "execute" | "write" | "access";
  /** Bytes watched; 1 for "execute". */
  readonly length: 1 | 2 | 4 | 8;
}

/** An engine refused a call. The message says what was asked, why it failed and what to do. */
export class HypervisorError extends Error {
  override readonly name = "HypervisorError";
  /** The failed call, e.g. "KVM_CREATE_VM" or "open /dev/kvm". */
  readonly call: string;
  /** The kernel's errno name, e.g. "EACCES", where a system call failed. */
  readonly code: string | undefined;
  /** What the user can do about it. */
  readonly remedy: string | undefined;

  constructor(call: string, problem: string, options: { code?: string; remedy?: string } = {}) {
    super(`${call}: ${problem}${options.remedy ? `. ${options.remedy}` : ""}`);
    this.call = call;
    this.code = options.code;
    this.remedy = options.remedy;
  }
}
