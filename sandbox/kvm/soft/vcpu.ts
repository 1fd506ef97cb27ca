/** A virtual processor of the soft engine: the registers of the API around the processor of sandbox/cpu. */
import {
  SUPERVISOR_READ,
  SUPERVISOR_WRITE,
  TLB_ENTRIES,
  USER_READ,
  USER_WRITE,
} from "#layers/03-paging/tlb.ts";
import { CPU_AREA, Cpu } from "../../cpu/cpu.ts";
import { Execution } from "../../cpu/execution.ts";
import { resetCpu } from "../../cpu/reset.ts";
import * as state from "../../cpu/state.ts";
import type {
  DebugRegs,
  Exit,
  Fpu,
  GuestDebug,
  Regs,
  RunBudget,
  Segment,
  Sregs,
  Vcpu,
  VcpuEvents,
} from "../api.ts";
import { HypervisorError } from "../api.ts";
import { returnCpuArea, takeCpuArea } from "./engine-area.ts";
import { getSegment, setSegment } from "./segments.ts";
import type { SoftVm } from "./vm.ts";

const NO_ERROR_CODE = -1;
/** Bit 20 of a physical address. */
const A20 = 1 << 20;
/** Made once: a run allocates nothing. */
const NO_BUDGET: RunBudget = {};
const SHADOWS = ["none", "sti", "mov-ss"] as const;
/** DR7's enable bit, kind and length of a breakpoint (SDM vol. 3B, 17.2.4). */
const KINDS = { execute: 0b00, write: 0b01, access: 0b11 } as const;
const LENGTHS = { 1: 0b00, 2: 0b01, 4: 0b11, 8: 0b10 } as const;

/** A page of which the TLB remembers where it is, for one kind of access. */
export interface CachedTranslation {
  /** Linear address of the page. */
  readonly linear: number;
  /** Where the page lies in the memory that the engine runs in. */
  readonly host: number;
  readonly user: boolean;
  readonly write: boolean;
}

const TLB_TABLES = [
  [SUPERVISOR_READ, false, false],
  [SUPERVISOR_WRITE, false, true],
  [USER_READ, true, false],
  [USER_WRITE, true, true],
] as const;

export class SoftVcpu implements Vcpu {
  #cpu: Cpu;
  #execution: Execution;
  #area = -1;
  #isClosed = false;
  #ready = false;
  #flag = false;
  /** An instruction that `completeExit` went on with came to one more exit: the next `run` returns it. */
  #nextExit: Exit | null = null;

  constructor(
    private readonly vm: SoftVm,
    readonly id: number,
    private readonly onClose: () => void,
  ) {
    this.#cpu = this.#makeCpu(vm.memory);
    this.#execution = new Execution(this.#cpu);
    resetCpu(this.#cpu);
  }

  /** A processor in the engine area of `memory`, or in a little memory of its own. */
  #makeCpu(memory: WebAssembly.Memory | null): Cpu {
    this.#area = memory === null ? -1 : takeCpuArea(memory);
    if (memory !== null && this.#area >= 0) {
      return new Cpu(this.vm.physical, this.vm.code, memory, this.#area);
    }
    const pages = Math.ceil(CPU_AREA / 0x1_0000);
    const own = new WebAssembly.Memory({ initial: pages, maximum: pages });
    return new Cpu(this.vm.physical, this.vm.code, own, 0);
  }

  /** The VM has got its memory: the processor moves in there, where it is fast. */
  moveTo(memory: WebAssembly.Memory): void {
    const before = this.#cpu;
    this.vm.code.forget(before);
    const cpu = this.#makeCpu(memory);
    cpu.r32.set(before.r32);
    cpu.system.setTimeStamp(before.system.timeStamp());
    const execution = new Execution(cpu);
    execution.takeOver(this.#execution);
    this.#cpu = cpu;
    this.#execution = execution;
    this.#refresh();
  }

  flush(): void {
    this.#cpu.flushTranslations();
  }

  run(budget: RunBudget = NO_BUDGET): Exit {
    this.#requireOpen("KVM_RUN");
    const exit = this.#nextExit ?? this.#execution.run(budget.instructions ?? Number.POSITIVE_INFINITY);
    this.#nextExit = null;
    this.#ready = this.#execution.isReady;
    this.#flag = (this.#cpu.r32[state.SYSTEM_FLAGS] & state.IF) !== 0;
    return exit;
  }

  kick(): void {
    this.#execution.isKicked = true;
  }

  completeExit(): void {
    this.#requireOpen("KVM_RUN");
    this.#nextExit ??= this.#execution.finishInstruction();
  }

  get requestInterruptWindow(): boolean {
    return this.#execution.wantsWindow;
  }

  set requestInterruptWindow(wanted: boolean) {
    this.#execution.wantsWindow = wanted;
  }

  get a20Gate(): "open" | "closed" {
    return this.#cpu.r32[state.A20_MASK] === -1 ? "open" : "closed";
  }

  set a20Gate(gate: "open" | "closed") {
    this.#cpu.r32[state.A20_MASK] = gate === "open" ? -1 : ~A20;
    this.#cpu.flushTranslations();
  }

  get readyForInterrupt(): boolean {
    return this.#ready;
  }

  get interruptFlag(): boolean {
    return this.#flag;
  }

  interrupt(vector: number): void {
    const call = "KVM_INTERRUPT";
    this.#requireOpen(call);
    if (!Number.isInteger(vector) || vector < 0 || vector > 255) {
      throw new HypervisorError(call, `${vector} is no interrupt vector`, { code: "EINVAL" });
    }
    if (this.#execution.pending !== null) {
      throw new HypervisorError(call, "another interrupt is still to be delivered", { code: "EEXIST" });
    }
    if (!this.#execution.isReady) {
      throw new HypervisorError(call, "the guest cannot take an interrupt now", {
        code: "EBUSY",
        remedy: "Look at readyForInterrupt, or set requestInterruptWindow and run until IRQ_WINDOW_OPEN",
      });
    }
    this.#execution.pending = { vector, source: "external", errorCode: NO_ERROR_CODE };
    this.#ready = false;
  }

  nmi(): void {
    this.#cpu.r32[state.NMI_PENDING] = 1;
  }

  /** What the TLB holds now: for those who want to look into it. */
  translations(): CachedTranslation[] {
    const { tags, deltas } = this.#cpu.tlb;
    const found: CachedTranslation[] = [];
    for (const [table, user, write] of TLB_TABLES) {
      for (let entry = table; entry < table + TLB_ENTRIES; entry++) {
        const tag = tags[entry]!;
        if ((tag & 0xfff) !== 0) continue;
        found.push({ linear: tag >>> 0, host: (tag + deltas[entry]!) >>> 0, user, write });
      }
    }
    return found;
  }

  get instructions(): number {
    return this.#cpu.system.instructions;
  }

  getRegs(): Regs {
    const r = this.#cpu.r32;
    const u = (index: number): bigint => BigInt(r[index] >>> 0);
    return {
      rax: u(state.EAX),
      rbx: u(state.EBX),
      rcx: u(state.ECX),
      rdx: u(state.EDX),
      rsi: u(state.ESI),
      rdi: u(state.EDI),
      rsp: u(state.ESP),
      rbp: u(state.EBP),
      r8: 0n,
      r9: 0n,
      r10: 0n,
      r11: 0n,
      r12: 0n,
      r13: 0n,
      r14: 0n,
      r15: 0n,
      rip: u(state.EIP),
      rflags: BigInt(this.#cpu.getFlags() >>> 0),
    };
  }

  setRegs(regs: Regs): void {
    this.#requireOpen("KVM_SET_REGS");
    const { r32: r } = this.#cpu;
    const low = (value: bigint): number => Number(BigInt.asIntN(32, value));
    r[state.EAX] = low(regs.rax);
    r[state.EBX] = low(regs.rbx);
    r[state.ECX] = low(regs.rcx);
    r[state.EDX] = low(regs.rdx);
    r[state.ESI] = low(regs.rsi);
    r[state.EDI] = low(regs.rdi);
    r[state.ESP] = low(regs.rsp);
    r[state.EBP] = low(regs.rbp);
    r[state.EIP] = low(regs.rip);
    this.#cpu.setFlags(low(regs.rflags));
    this.#forgetAccess();
  }

  getSregs(): Sregs {
    const cpu = this.#cpu;
    const r = cpu.r32;
    const segment = (index: number): Segment => getSegment(cpu, index);
    return {
      cs: segment(state.CS),
      ds: segment(state.DS),
      es: segment(state.ES),
      fs: segment(state.FS),
      gs: segment(state.GS),
      ss: segment(state.SS),
      tr: segment(state.TR),
      ldt: segment(state.LDTR),
      gdt: { base: BigInt(r[state.GDT_BASE] >>> 0), limit: r[state.GDT_LIMIT] },
      idt: { base: BigInt(r[state.IDT_BASE] >>> 0), limit: r[state.IDT_LIMIT] },
      cr0: BigInt(r[state.CR0] >>> 0),
      cr2: BigInt(r[state.CR2] >>> 0),
      cr3: BigInt(r[state.CR3] >>> 0),
      cr4: BigInt(r[state.CR4] >>> 0),
      cr8: 0n,
      efer: BigInt(r[state.EFER] >>> 0),
      apicBase: this.getMsr(0x1b),
    };
  }

  setSregs(sregs: Sregs): void {
    const call = "KVM_SET_SREGS";
    this.#requireOpen(call);
    const cpu = this.#cpu;
    const r = cpu.r32;
    const low = (value: bigint): number => Number(BigInt.asIntN(32, value));
    const cr0 = low(sregs.cr0);
    if ((cr0 & state.CR0_PG) !== 0 && (cr0 & state.CR0_PE) === 0) {
      throw new HypervisorError(call, "CR0 has paging (PG) without protection (PE)", { code: "EINVAL" });
    }
    if ((sregs.efer & 0x500n) !== 0n) {
      throw new HypervisorError(call, "the soft engine has no long mode", {
        code: "EINVAL",
        remedy: "Leave LME and LMA of EFER clear",
      });
    }
    r[state.CR0] = cr0;
    r[state.CR2] = low(sregs.cr2);
    r[state.CR3] = low(sregs.cr3);
    r[state.CR4] = low(sregs.cr4);
    r[state.EFER] = low(sregs.efer);
    r[state.GDT_BASE] = low(sregs.gdt.base);
    r[state.GDT_LIMIT] = sregs.gdt.limit & 0xffff;
    r[state.IDT_BASE] = low(sregs.idt.base);
    r[state.IDT_LIMIT] = sregs.idt.limit & 0xffff;
    setSegment(cpu, state.CS, sregs.cs);
    setSegment(cpu, state.DS, sregs.ds);
    setSegment(cpu, state.ES, sregs.es);
    setSegment(cpu, state.FS, sregs.fs);
    setSegment(cpu, state.GS, sregs.gs);
    setSegment(cpu, state.SS, sregs.ss);
    setSegment(cpu, state.TR, sregs.tr);
    setSegment(cpu, state.LDTR, sregs.ldt);
    // As VT-x: the privilege level is the stack segment's.
    cpu.setCpl(cpu.isProtected ? sregs.ss.dpl & 3 : 0);
    cpu.flushTranslations();
    cpu.loadPageDirectoryPointers();
    this.#forgetAccess();
  }

  getFpu(): Fpu {
    return this.#cpu.fpu.save();
  }

  setFpu(fpu: Fpu): void {
    this.#requireOpen("KVM_SET_FPU");
    this.#cpu.fpu.restore(fpu);
  }

  getDebugRegs(): DebugRegs {
    const r = this.#cpu.r32;
    const register = (number: number): bigint => BigInt(r[state.DR0 + 2 * number] >>> 0);
    return { db: [register(0), register(1), register(2), register(3)], dr6: register(6), dr7: register(7) };
  }

  setDebugRegs({ db, dr6, dr7 }: DebugRegs): void {
    this.#requireOpen("KVM_SET_DEBUGREGS");
    const r = this.#cpu.r32;
    [...db, 0n, 0n, dr6, dr7].forEach((value, number) => {
      if (number !== 4 && number !== 5) r[state.DR0 + 2 * number] = Number(BigInt.asIntN(32, value));
    });
    this.#cpu.system.breakpoints.refresh();
  }

  getEvents(): VcpuEvents {
    const { pending } = this.#execution;
    const r = this.#cpu.r32;
    const isException = pending?.source === "exception";
    const isInterrupt = pending !== null && !isException;
    return {
      exception: {
        injected: isException,
        vector: isException ? pending.vector : 0,
        hasErrorCode: isException && pending.errorCode !== NO_ERROR_CODE,
        errorCode: isException && pending.errorCode !== NO_ERROR_CODE ? pending.errorCode : 0,
      },
      interrupt: {
        injected: isInterrupt,
        vector: isInterrupt ? pending.vector : 0,
        soft: pending?.source === "software",
        shadow: SHADOWS[r[state.SHADOW] as 0 | 1 | 2],
      },
      nmi: { injected: false, pending: r[state.NMI_PENDING] !== 0, masked: r[state.NMI_MASKED] !== 0 },
    };
  }

  setEvents({ exception, interrupt, nmi }: VcpuEvents): void {
    this.#requireOpen("KVM_SET_VCPU_EVENTS");
    const execution = this.#execution;
    const r = this.#cpu.r32;
    execution.pending = null;
    if (exception.injected) {
      const errorCode = exception.hasErrorCode ? exception.errorCode : NO_ERROR_CODE;
      execution.pending = { vector: exception.vector & 0xff, source: "exception", errorCode };
    } else if (interrupt.injected) {
      const source = interrupt.soft ? "software" : "external";
      execution.pending = { vector: interrupt.vector & 0xff, source, errorCode: NO_ERROR_CODE };
    }
    r[state.SHADOW] = SHADOWS.indexOf(interrupt.shadow);
    r[state.NMI_PENDING] = nmi.pending || nmi.injected ? 1 : 0;
    r[state.NMI_MASKED] = nmi.masked ? 1 : 0;
  }

  getMsr(index: number): bigint {
    const { msrs } = this.#cpu.system;
    if (!msrs.read(index)) throw noMsr("KVM_GET_MSRS", index);
    return (BigInt(msrs.high >>> 0) << 32n) | BigInt(msrs.low >>> 0);
  }

  setMsr(index: number, value: bigint): void {
    this.#requireOpen("KVM_SET_MSRS");
    const low = Number(BigInt.asIntN(32, value));
    const high = Number(BigInt.asIntN(32, value >> 32n));
    if (!this.#cpu.system.msrs.write(index, low, high)) throw noMsr("KVM_SET_MSRS", index);
  }

  setGuestDebug(debug: GuestDebug | null): void {
    const call = "KVM_SET_GUEST_DEBUG";
    this.#requireOpen(call);
    const wanted = debug?.breakpoints ?? [];
    if (wanted.length > 4) {
      throw new HypervisorError(call, `${wanted.length} breakpoints, and the processor has 4`, {
        code: "EINVAL",
      });
    }
    const addresses = [0, 0, 0, 0];
    let control = 0;
    wanted.forEach(({ address, kind, length }, number) => {
      addresses[number] = Number(BigInt.asIntN(32, address));
      control |=
        (0b10 << (2 * number)) | (KINDS[kind] << (16 + 4 * number)) | (LENGTHS[length] << (18 + 4 * number));
    });
    const execution = this.#execution;
    const watchedData = execution.breakpoints.watchesData;
    execution.debug = debug;
    execution.breakpoints.set(addresses, control, false);
    this.#cpu.debugger = execution.breakpoints;
    this.#cpu.onBreakpoint = debug?.softwareBreakpoints ? () => execution.breakpointExit() : null;
    // Pages with watched data must leave the TLB; code is looked at by address, and a debugger disturbs nothing.
    if (watchedData || execution.breakpoints.watchesData) this.#cpu.flushTranslations();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.vm.code.forget(this.#cpu);
    if (this.#area >= 0) returnCpuArea(this.#cpu.memory, this.#area);
    this.onClose();
  }

  #forgetAccess(): void {
    this.#nextExit = null;
    this.#execution.forgetAccess();
  }

  #refresh(): void {
    const cpu = this.#cpu;
    cpu.updateMode();
    cpu.flushTranslations();
    cpu.loadPageDirectoryPointers();
    cpu.system.breakpoints.refresh();
  }

  #requireOpen(call: string): void {
    if (this.#isClosed) throw new HypervisorError(call, `vCPU ${this.id} is closed`, { code: "EBADF" });
  }
}

function noMsr(call: string, index: number): HypervisorError {
  return new HypervisorError(call, `no such register, or no such value: MSR 0x${index.toString(16)}`, {
    code: "EINVAL",
  });
}
