/** One virtual processor of /dev/kvm. */
import type { DebugRegs, Exit, Fpu, GuestDebug, Regs, RunBudget, Sregs, Vcpu, VcpuEvents } from "../api.ts";
import { HypervisorError } from "../api.ts";
import { type Alarm, acquireAlarm, releaseAlarm, SIGSET_SIZE, type ThreadHandle } from "./alarm.ts";
import { callFailed } from "./errors.ts";
import { ExitDecoder, KVM_EXIT_SET_TPR } from "./exits.ts";
import { type Address, native } from "./ffi.ts";
import * as ioctl from "./ioctl.ts";
import { readMsr, writeMsr } from "./msr.ts";
import { RunThread } from "./run-thread.ts";
import * as state from "./state.ts";
import {
  KVM_DEBUGREGS,
  KVM_GUEST_DEBUG,
  KVM_INTERRUPT,
  KVM_REGS,
  KVM_RUN,
  KVM_SIGNAL_MASK,
  KVM_SREGS,
  KVM_TRANSLATION,
  KVM_VCPU_EVENTS,
  KVM_XSAVE,
} from "./structs.ts";

// errno
const EINTR = 4;
const EAGAIN = 11;

/** What a vCPU needs of the VM that it is part of. */
export interface VcpuOwner {
  /** KVM_GET_VCPU_MMAP_SIZE. */
  readonly mappingSize: number;
  /** The `struct kvm_cpuid2` for this vCPU. */
  cpuid(id: number): Uint8Array;
  /** Up to `length` bytes of guest-physical memory. */
  peek(address: number, length: number): Uint8Array;
  vcpuClosed(vcpu: KvmVcpu): void;
}

export class KvmVcpu implements Vcpu {
  #descriptor: number;
  readonly #mapping: Address;
  readonly #mappingSize: number;
  /** `struct kvm_run`; once closed, a dead copy of it, since touching unmapped memory ends the process. */
  #view: DataView;
  #exits: ExitDecoder;
  readonly #alarm: Alarm;
  /** `completeExit` or `runAside` met the next exit: `run` returns it without entering the guest. */
  #exitWaits = false;
  /** Made by the first `runAside`. */
  #runThread: RunThread | undefined;
  #onExitAside: () => void = () => {};

  constructor(
    descriptor: number,
    readonly id: number,
    private readonly owner: VcpuOwner,
  ) {
    this.#descriptor = descriptor;
    this.#mappingSize = owner.mappingSize;
    this.#mapping = native().mapShared(descriptor, this.#mappingSize);
    if (this.#mapping === -1) {
      const error = callFailed("mmap of the vCPU", native().errno());
      native().close(descriptor);
      throw error;
    }
    [this.#view, this.#exits] = this.#over(native().view(this.#mapping, this.#mappingSize));
    try {
      ioctl.setCpuid(descriptor, owner.cpuid(id));
      this.#alarm = acquireAlarm();
      this.#setSignalMask(this.#alarm.runMask);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  // #region run
  run(budget?: RunBudget): Exit {
    if (this.#descriptor === -1) throw new HypervisorError("KVM_RUN", "this vCPU was closed already");
    this.comeBack();
    const milliseconds = budget?.milliseconds ?? Number.POSITIVE_INFINITY;
    const deadline = this.#setDeadline(milliseconds);
    this.#exits.answer();
    if (this.#exitWaits) {
      this.#exitWaits = false;
      if (!this.#isTaskPriorityExit) return this.#exits.decode();
    }
    for (;;) {
      if (ioctl.run(this.#descriptor) === 0) {
        if (this.#isTaskPriorityExit) continue;
        return this.#exits.decode();
      }
      const errno = native().errno();
      // A processor that waits for its start-up interrupt.
      if (errno === EAGAIN) continue;
      if (errno !== EINTR) throw callFailed("KVM_RUN", errno);
      const cause = this.#whyInterrupted(deadline);
      if (cause) return this.#exits.interrupted(cause);
    }
  }
  // #endregion run

  get #isTaskPriorityExit(): boolean {
    return this.#view.getUint32(KVM_RUN.offsets.exit_reason, true) === KVM_EXIT_SET_TPR;
  }

  // #region aside
  runAside(onExit: () => void): boolean {
    this.#runThread ??= new RunThread();
    if (!this.#runThread.isReady) return false;
    const descriptor = this.#home;
    if (this.#exitWaits || this.#immediateExit) return false;
    this.#exits.answer();
    this.#onExitAside = onExit;
    this.#runThread.start(descriptor, onExit);
    return true;
  }

  comeBack(): void {
    if (!this.#runThread?.isAway) return;
    this.#immediateExit = true;
    const errno = this.#runThread.comeBack();
    this.#immediateExit = false;
    if (errno === 0) this.#exitWaits = true;
    else if (errno !== EINTR) throw callFailed("KVM_RUN", errno);
    this.#onExitAside();
  }

  /** The descriptor, for all but KVM_RUN: calls the vCPU back first. */
  get #home(): number {
    this.comeBack();
    return this.#descriptor;
  }
  // #endregion aside

  /**
   * Sees to it that the timer ends KVM_RUN at the deadline or before. A timer that is set already is left
   * alone, even if it comes too early: then `#whyInterrupted` sets it again. So a run that ends before
   * its time costs one look at the clock, not two system calls.
   */
  #setDeadline(milliseconds: number): number {
    const alarm = this.#alarm;
    if (milliseconds === Number.POSITIVE_INFINITY) {
      if (alarm.armedUntil !== 0) alarm.disarm();
      return milliseconds;
    }
    if (!(milliseconds >= 0)) {
      throw new HypervisorError("run", `a budget of ${milliseconds} milliseconds has no meaning`);
    }
    const deadline = performance.now() + milliseconds;
    if (alarm.armedUntil === 0 || alarm.armedUntil > deadline) alarm.arm(Math.max(milliseconds, MINIMUM));
    return deadline;
  }

  /** The cause to report; none where the timer was one of an earlier run, and this one goes on. */
  #whyInterrupted(deadline: number): "budget" | "kick" | "signal" | undefined {
    const wakeup = this.#alarm.drain();
    if (this.#immediateExit || wakeup === "kick") {
      this.#immediateExit = false;
      return "kick";
    }
    if (wakeup === "nothing") return "signal";
    const left = deadline - performance.now();
    if (left <= 0) return "budget";
    this.#alarm.arm(left);
    return undefined;
  }

  kick(): void {
    this.comeBack();
    this.#immediateExit = true;
  }

  /** For `kickThread`, by which another thread ends this vCPU's run. */
  get thread(): ThreadHandle {
    return this.#alarm.thread;
  }

  /**
   * An access that KVM splits (one over a page's edge, or of more than 8 bytes) has further exits: the
   * next `run` returns such an exit, and only after the last one are the registers consistent.
   */
  completeExit(): void {
    this.comeBack();
    if (this.#exitWaits) return;
    const kicked = this.#immediateExit;
    this.#exits.answer();
    this.#immediateExit = true;
    const result = ioctl.run(this.#descriptor);
    const errno = result === 0 ? 0 : native().errno();
    this.#immediateExit = kicked;
    if (result === 0) this.#exitWaits = true;
    else if (errno !== EINTR) throw callFailed("KVM_RUN", errno);
  }

  get #immediateExit(): boolean {
    return this.#view.getUint8(KVM_RUN.offsets.immediate_exit) !== 0;
  }

  set #immediateExit(value: boolean) {
    this.#view.setUint8(KVM_RUN.offsets.immediate_exit, value ? 1 : 0);
  }

  getRegs(): Regs {
    const { bytes, view } = ioctl.allocate(KVM_REGS);
    ioctl.getRegs(this.#home, bytes);
    return state.readRegs(view);
  }

  setRegs(regs: Regs): void {
    const { bytes, view } = ioctl.allocate(KVM_REGS);
    state.writeRegs(view, regs);
    ioctl.setRegs(this.#home, bytes);
  }

  getSregs(): Sregs {
    const { bytes, view } = ioctl.allocate(KVM_SREGS);
    ioctl.getSregs(this.#home, bytes);
    return state.readSregs(view);
  }

  setSregs(sregs: Sregs): void {
    const { bytes, view } = ioctl.allocate(KVM_SREGS);
    state.writeSregs(view, sregs);
    ioctl.setSregs(this.#home, bytes);
    // Without an in-kernel APIC, KVM_RUN loads CR8 from the mapping.
    this.#view.setBigUint64(KVM_RUN.offsets.cr8, sregs.cr8, true);
  }

  getFpu(): Fpu {
    const { bytes, view } = ioctl.allocate(KVM_XSAVE);
    ioctl.getXsave(this.#home, bytes);
    return state.readFpu(bytes, view);
  }

  setFpu(fpu: Fpu): void {
    const { bytes, view } = ioctl.allocate(KVM_XSAVE);
    ioctl.getXsave(this.#home, bytes);
    state.writeFpu(bytes, view, fpu);
    ioctl.setXsave(this.#home, bytes);
  }

  getDebugRegs(): DebugRegs {
    const { bytes, view } = ioctl.allocate(KVM_DEBUGREGS);
    ioctl.getDebugregs(this.#home, bytes);
    return state.readDebugRegs(view);
  }

  setDebugRegs(registers: DebugRegs): void {
    const { bytes, view } = ioctl.allocate(KVM_DEBUGREGS);
    state.writeDebugRegs(view, registers);
    ioctl.setDebugregs(this.#home, bytes);
  }

  getEvents(): VcpuEvents {
    const { bytes, view } = ioctl.allocate(KVM_VCPU_EVENTS);
    ioctl.getVcpuEvents(this.#home, bytes);
    return state.readEvents(view);
  }

  setEvents(events: VcpuEvents): void {
    const { bytes, view } = ioctl.allocate(KVM_VCPU_EVENTS);
    ioctl.getVcpuEvents(this.#home, bytes);
    state.writeEvents(view, events);
    ioctl.setVcpuEvents(this.#home, bytes);
  }

  getMsr(index: number): bigint {
    return readMsr(this.#home, index);
  }

  setMsr(index: number, value: bigint): void {
    writeMsr(this.#home, index, value);
  }

  interrupt(vector: number): void {
    if (!Number.isInteger(vector) || vector < 0 || vector > 255) {
      throw new HypervisorError("KVM_INTERRUPT", `there is no vector ${vector}: they go from 0 to 255`);
    }
    if (!this.readyForInterrupt) {
      throw new HypervisorError("KVM_INTERRUPT", "the guest cannot take an interrupt now", {
        remedy: "Set requestInterruptWindow and run until IRQ_WINDOW_OPEN",
      });
    }
    const { bytes, view } = ioctl.allocate(KVM_INTERRUPT);
    view.setUint32(KVM_INTERRUPT.offsets.irq, vector, true);
    ioctl.interrupt(this.#home, bytes);
    this.#view.setUint8(KVM_RUN.offsets.ready_for_interrupt_injection, 0);
  }

  nmi(): void {
    ioctl.nmi(this.#home);
  }

  get requestInterruptWindow(): boolean {
    return this.#view.getUint8(KVM_RUN.offsets.request_interrupt_window) !== 0;
  }

  set requestInterruptWindow(value: boolean) {
    this.comeBack();
    this.#view.setUint8(KVM_RUN.offsets.request_interrupt_window, value ? 1 : 0);
  }

  get readyForInterrupt(): boolean {
    this.comeBack();
    // An exit that nobody has seen yet comes first.
    return !this.#exitWaits && this.#view.getUint8(KVM_RUN.offsets.ready_for_interrupt_injection) !== 0;
  }

  get a20Gate(): "open" | "closed" {
    return "open";
  }

  set a20Gate(gate: "open" | "closed") {
    if (gate === "open") return;
    throw new HypervisorError("A20 gate", "KVM's processors have no A20M# pin", {
      remedy: "Map the first 64 KiB again at 1 MiB, in a slot of its own, or use the soft engine",
    });
  }

  get interruptFlag(): boolean {
    this.comeBack();
    return this.#view.getUint8(KVM_RUN.offsets.if_flag) !== 0;
  }

  setGuestDebug(debug: GuestDebug | null): void {
    const { bytes, view } = ioctl.allocate(KVM_GUEST_DEBUG);
    state.writeGuestDebug(view, debug);
    ioctl.setGuestDebug(this.#home, bytes);
  }

  close(): void {
    if (this.#descriptor === -1) return;
    const descriptor = this.#home;
    this.#runThread?.close();
    this.#descriptor = -1;
    [this.#view, this.#exits] = this.#over(new ArrayBuffer(KVM_RUN.size));
    native().unmap(this.#mapping, this.#mappingSize);
    native().close(descriptor);
    if (this.#alarm) releaseAlarm();
    this.owner.vcpuClosed(this);
  }

  #over(run: ArrayBuffer): [DataView, ExitDecoder] {
    const view = new DataView(run);
    const exits = new ExitDecoder(view, new Uint8Array(run), {
      pc: () => this.getSregs().cs.base + this.getRegs().rip,
      bytes: pc => this.#bytesAt(pc),
    });
    return [view, exits];
  }

  /** Up to 15 bytes of guest code, the longest that an instruction can be; at most to the page's end. */
  #bytesAt(linear: bigint): Uint8Array {
    const at = KVM_TRANSLATION.offsets;
    const { bytes, view } = ioctl.allocate(KVM_TRANSLATION);
    view.setBigUint64(at.linear_address, linear, true);
    try {
      ioctl.translate(this.#home, bytes);
    } catch {
      return new Uint8Array();
    }
    if (view.getUint8(at.valid) === 0) return new Uint8Array();
    const inPage = 4096 - Number(linear & 0xfffn);
    return this.owner.peek(Number(view.getBigUint64(at.physical_address, true)), Math.min(15, inPage));
  }

  #setSignalMask(signals: Uint8Array): void {
    const { bytes, view } = ioctl.allocate(KVM_SIGNAL_MASK, SIGSET_SIZE);
    view.setUint32(KVM_SIGNAL_MASK.offsets.len, SIGSET_SIZE, true);
    bytes.set(signals, KVM_SIGNAL_MASK.offsets.sigset);
    ioctl.setSignalMask(this.#home, bytes);
  }
}

/** A budget of 0 still has to set the timer: in milliseconds, the shortest that it can be set to. */
const MINIMUM = 1e-6;
