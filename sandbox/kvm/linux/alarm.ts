/**
 * What gets a thread out of KVM_RUN: one real-time signal, sent by a timer or by another thread.
 *
 * The signal is blocked, so it never interrupts JavaScript and never needs a handler: it waits until
 * `drain` collects it. Only inside of KVM_RUN is it unblocked (KVM_SET_SIGNAL_MASK), and there a signal
 * ends the call with EINTR, at once if it was waiting already. So no wake-up can be lost.
 *
 * There is one alarm for each thread that runs vCPUs. It stays blocked when the last vCPU is closed,
 * since a late signal from another thread would otherwise kill the process.
 *
 * Source: KVM API documentation, 4.18 KVM_SET_SIGNAL_MASK; signal(7), timer_create(2), sigwaitinfo(2).
 */
import { callFailed } from "./errors.ts";
import { type Address, native } from "./ffi.ts";

/** The last real-time signal: the C libraries keep the first ones for themselves. */
export const WAKE_SIGNAL = 64;
/** Profilers send it a thousand times a second; an exit for each would be a different program. */
const SIGPROF = 27;

// <asm/unistd_64.h>
const SYS_RT_SIGPROCMASK = 14;
const SYS_RT_SIGTIMEDWAIT = 128;
const SYS_GETTID = 186;
const SYS_TIMER_CREATE = 222;
const SYS_TIMER_SETTIME = 223;
const SYS_TIMER_DELETE = 226;
const SYS_TGKILL = 234;

/** Milliseconds. */
const A_DAY = 86_400_000;

const CLOCK_MONOTONIC = 1;
const SIG_BLOCK = 0;
const SIGEV_THREAD_ID = 4;
/** siginfo.si_code: a timer ran out; any other code is a kick. */
const SI_TIMER = -2;
/** Bytes of the kernel's signal set: 64 signals. */
export const SIGSET_SIZE = 8;

/** What `drain` found waiting. */
export type Wakeup = "nothing" | "timer" | "kick";

/** Where a thread sits; plain data, to be handed to the thread that wants to kick it. */
export interface ThreadHandle {
  readonly process: number;
  readonly thread: number;
}

export class Alarm {
  /** Set of signals to block in KVM_RUN: the thread's own and SIGPROF, without the wake signal. */
  readonly runMask: Uint8Array;
  readonly thread: ThreadHandle;
  /** When the timer fires or fired, by `performance.now()`; 0: it is idle, and nothing of it waits. */
  armedUntil = 0;

  readonly #timer: number;
  readonly #buffers = new KernelBuffers();

  constructor() {
    const thread = native().syscall(SYS_GETTID);
    this.thread = { process: process.pid, thread };
    this.runMask = this.#block();
    this.#timer = this.#createTimer(thread);
  }

  /** Makes the timer fire in `milliseconds`; an earlier setting is forgotten. 0 disarms it. */
  arm(milliseconds: number): void {
    const { expiry, addresses } = this.#buffers;
    // A setting of 0 would disarm. One that is too early does no harm: the vCPU sets it again.
    const nanoseconds = milliseconds > 0 ? Math.max(1, Math.round(Math.min(milliseconds, A_DAY) * 1e6)) : 0;
    expiry.setUint32(16, Math.floor(nanoseconds / 1e9), true);
    expiry.setUint32(24, nanoseconds % 1e9, true);
    check("timer_settime", native().syscall(SYS_TIMER_SETTIME, this.#timer, 0, addresses.expiry, 0));
    this.armedUntil = milliseconds > 0 ? performance.now() + milliseconds : 0;
  }

  /** Stops the timer, so that it ends no run. */
  disarm(): void {
    this.arm(0);
    // It may have fired already. A kick that is found beside it must not be lost.
    if (this.drain() === "kick") kickThread(this.thread);
  }

  /** Collects the waiting signals; a kick counts more than the timer. */
  drain(): Wakeup {
    const { addresses, info } = this.#buffers;
    let found: Wakeup = "nothing";
    while (
      native().syscall(
        SYS_RT_SIGTIMEDWAIT,
        addresses.wakeSet,
        addresses.info,
        addresses.noTime,
        SIGSET_SIZE,
      ) > 0
    ) {
      if (info.getInt32(8, true) !== SI_TIMER) found = "kick";
      else {
        this.armedUntil = 0;
        if (found === "nothing") found = "timer";
      }
    }
    return found;
  }

  close(): void {
    native().syscall(SYS_TIMER_DELETE, this.#timer);
    this.drain();
    this.armedUntil = 0;
  }

  /** Blocks the wake signal in this thread; returns the mask for KVM_RUN. */
  #block(): Uint8Array {
    const { addresses, oldSet } = this.#buffers;
    check(
      "rt_sigprocmask",
      native().syscall(SYS_RT_SIGPROCMASK, SIG_BLOCK, addresses.wakeSet, addresses.oldSet, SIGSET_SIZE),
    );
    const mask = oldSet.slice();
    mask[byteOf(WAKE_SIGNAL)]! &= ~bitOf(WAKE_SIGNAL);
    mask[byteOf(SIGPROF)]! |= bitOf(SIGPROF);
    return mask;
  }

  #createTimer(thread: number): number {
    const { addresses, event, timerId } = this.#buffers;
    event.setInt32(8, WAKE_SIGNAL, true);
    event.setInt32(12, SIGEV_THREAD_ID, true);
    event.setInt32(16, thread, true);
    check(
      "timer_create",
      native().syscall(SYS_TIMER_CREATE, CLOCK_MONOTONIC, addresses.event, addresses.timerId),
    );
    return timerId.getInt32(0, true);
  }
}

/** Memory that the kernel reads and writes, in one buffer that stays where it is. */
class KernelBuffers {
  readonly #buffer = new ArrayBuffer(512);
  readonly #base: Address = native().addressOf(new Uint8Array(this.#buffer));

  /** struct itimerspec: interval at 0, value at 16, each seconds and nanoseconds of 8 bytes. */
  readonly expiry = new DataView(this.#buffer, 0, 32);
  /** struct sigevent: value at 0, signal at 8, notify at 12, thread at 16. */
  readonly event = new DataView(this.#buffer, 64, 64);
  /** siginfo_t: signal at 0, errno at 4, code at 8. */
  readonly info = new DataView(this.#buffer, 128, 128);
  readonly timerId = new DataView(this.#buffer, 256, 4);
  readonly oldSet = new Uint8Array(this.#buffer, 264, SIGSET_SIZE);
  readonly #wakeSet = new Uint8Array(this.#buffer, 272, SIGSET_SIZE);

  readonly addresses = {
    expiry: this.#base,
    /** struct timespec, all zero: do not wait. */
    noTime: this.#base + 32,
    event: this.#base + 64,
    info: this.#base + 128,
    timerId: this.#base + 256,
    oldSet: this.#base + 264,
    wakeSet: this.#base + 272,
  } as const;

  constructor() {
    this.#wakeSet[byteOf(WAKE_SIGNAL)] = bitOf(WAKE_SIGNAL);
  }
}

const byteOf = (signal: number) => (signal - 1) >> 3;
const bitOf = (signal: number) => 1 << ((signal - 1) & 7);

function check(call: string, result: number): void {
  if (result < 0) throw callFailed(call, native().errno());
}

/**
 * Ends the current or next run of the vCPU in another thread of this process, from any thread of it.
 * The handle is good as long as that vCPU is open. Returns whether the thread is still there.
 */
export function kickThread({ process, thread }: ThreadHandle): boolean {
  return native().syscall(SYS_TGKILL, process, thread, WAKE_SIGNAL) === 0;
}

let alarm: Alarm | undefined;
let users = 0;

/** This thread's alarm; every call must be paired with one of `releaseAlarm`. */
export function acquireAlarm(): Alarm {
  alarm ??= new Alarm();
  users++;
  return alarm;
}

/** Gives the alarm back; the last one to do so deletes the timer. */
export function releaseAlarm(): void {
  if (--users > 0) return;
  alarm?.close();
  alarm = undefined;
}
