/**
 * From `struct kvm_run` to the contract's exits, into one record for each reason that is made once and
 * overwritten: an exit allocates nothing, but for the bigints of the rare ones.
 *
 * Data of IO and MMIO exits are copied out of and back into the mapping, so that an exit record that
 * somebody keeps never points into memory that is gone.
 *
 * Source: KVM API documentation, section 5 "The kvm_run structure".
 */
import type {
  DebugExit,
  Exit,
  FailEntryExit,
  InternalErrorExit,
  IntrExit,
  IoExit,
  MmioExit,
  UnknownExit,
} from "../api.ts";
import { KVM_RUN } from "./structs.ts";

const at = KVM_RUN.offsets;

// KVM_EXIT_*
const UNKNOWN = 0;
const IO = 2;
const DEBUG = 4;
const HLT = 5;
const MMIO = 6;
const IRQ_WINDOW_OPEN = 7;
const SHUTDOWN = 8;
const FAIL_ENTRY = 9;
const INTR = 10;
const INTERNAL_ERROR = 17;
/** The guest wrote CR8 and user space has the local APIC: nothing to do, KVM keeps CR8 itself. */
export const KVM_EXIT_SET_TPR = 11;

const IO_OUT = 1;

const KVM_INTERNAL_ERROR_EMULATION = 1;
const FLAG_INSTRUCTION_BYTES = 1;
const INTERNAL_ERRORS: Readonly<Record<number, string>> = {
  1: "cannot emulate the instruction",
  2: "met an exception while it delivered another one",
  3: "met an exit that it did not expect while it delivered an interrupt or exception",
  4: "met an exit of the processor that it does not know",
};

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

/** What an INTERNAL_ERROR exit needs beside `kvm_run`; asked for only there. */
export interface GuestCode {
  /** Linear address of the next instruction. */
  pc(): bigint;
  /** The bytes from there on, at most 15; none where the page cannot be read. */
  bytes(pc: bigint): Uint8Array;
}

export class ExitDecoder {
  readonly #io: Writable<IoExit> = {
    reason: "IO",
    direction: "out",
    size: 1,
    port: 0,
    count: 0,
    data: new Uint8Array(),
  };
  readonly #mmio: Writable<MmioExit> = {
    reason: "MMIO",
    address: 0,
    isWrite: false,
    length: 0,
    data: new Uint8Array(),
  };
  readonly #debug: Writable<DebugExit> = { reason: "DEBUG", exception: 0, pc: 0n, dr6: 0n, dr7: 0n };
  readonly #failEntry: Writable<FailEntryExit> = { reason: "FAIL_ENTRY", hardwareReason: 0n };
  readonly #internalError: Writable<InternalErrorExit> = {
    reason: "INTERNAL_ERROR",
    suberror: 0,
    pc: 0n,
    instruction: new Uint8Array(),
    message: "",
  };
  readonly #intr: Writable<IntrExit> = { reason: "INTR", cause: "budget" };
  readonly #unknown: Writable<UnknownExit> = { reason: "UNKNOWN", code: 0, hardwareReason: 0n };
  readonly #hlt: Exit = { reason: "HLT" };
  readonly #irqWindow: Exit = { reason: "IRQ_WINDOW_OPEN" };
  readonly #shutdown: Exit = { reason: "SHUTDOWN" };

  /** Where the VMM's answer to the last exit goes: an offset in the mapping, and how many bytes. */
  #answerOffset = 0;
  #answerLength = 0;
  #answer: Uint8Array = new Uint8Array();
  /** `#lengths[n]` holds n bytes. */
  readonly #lengths: (Uint8Array | undefined)[] = [];

  constructor(
    private readonly view: DataView,
    private readonly bytes: Uint8Array,
    private readonly code: GuestCode,
  ) {}

  /** The exit that the mapping tells of. */
  decode(): Exit {
    switch (this.view.getUint32(at.exit_reason, true)) {
      case IO:
        return this.#decodeIo();
      case MMIO:
        return this.#decodeMmio();
      case HLT:
        return this.#hlt;
      case IRQ_WINDOW_OPEN:
        return this.#irqWindow;
      case SHUTDOWN:
        return this.#shutdown;
      case INTR:
        return this.interrupted("signal");
      case DEBUG:
        return this.#decodeDebug();
      case FAIL_ENTRY:
        this.#failEntry.hardwareReason = this.view.getBigUint64(
          at["fail_entry.hardware_entry_failure_reason"],
          true,
        );
        return this.#failEntry;
      case INTERNAL_ERROR:
        return this.#decodeInternalError();
      default:
        return this.#decodeUnknown();
    }
  }

  interrupted(cause: IntrExit["cause"]): Exit {
    this.#intr.cause = cause;
    return this.#intr;
  }

  /** Hands the VMM's answer to the last IO "in" or MMIO read to the kernel. Call before every KVM_RUN. */
  answer(): void {
    const length = this.#answerLength;
    for (let byte = 0; byte < length; byte++) this.bytes[this.#answerOffset + byte] = this.#answer[byte]!;
    this.#answerLength = 0;
  }

  #decodeIo(): IoExit {
    const { view } = this;
    const io = this.#io;
    const isOut = view.getUint8(at["io.direction"]) === IO_OUT;
    io.direction = isOut ? "out" : "in";
    io.size = view.getUint8(at["io.size"]) as IoExit["size"];
    io.port = view.getUint16(at["io.port"], true);
    io.count = view.getUint32(at["io.count"], true);
    // The upper half of this 64-bit offset is zero: it points into the same small mapping.
    const offset = view.getUint32(at["io.data_offset"], true);
    io.data = this.#take(offset, io.count * io.size, !isOut);
    return io;
  }

  #decodeMmio(): MmioExit {
    const { view } = this;
    const mmio = this.#mmio;
    const address = at["mmio.phys_addr"];
    mmio.address = view.getUint32(address, true) + view.getUint32(address + 4, true) * 2 ** 32;
    mmio.isWrite = view.getUint8(at["mmio.is_write"]) !== 0;
    mmio.length = view.getUint32(at["mmio.len"], true);
    mmio.data = this.#take(at["mmio.data"], mmio.length, !mmio.isWrite);
    return mmio;
  }

  /** Copies data out of the mapping; remembers where they lie if the VMM is to answer in them. */
  #take(offset: number, length: number, toAnswer: boolean): Uint8Array {
    const data = (this.#lengths[length] ??= new Uint8Array(length));
    for (let byte = 0; byte < length; byte++) data[byte] = this.bytes[offset + byte]!;
    if (toAnswer) {
      this.#answer = data;
      this.#answerOffset = offset;
      this.#answerLength = length;
    }
    return data;
  }

  #decodeDebug(): DebugExit {
    const { view } = this;
    this.#debug.exception = view.getUint32(at["debug.arch.exception"], true);
    this.#debug.pc = view.getBigUint64(at["debug.arch.pc"], true);
    this.#debug.dr6 = view.getBigUint64(at["debug.arch.dr6"], true);
    this.#debug.dr7 = view.getBigUint64(at["debug.arch.dr7"], true);
    return this.#debug;
  }

  #decodeInternalError(): InternalErrorExit {
    const { view } = this;
    const error = this.#internalError;
    error.suberror = view.getUint32(at["internal.suberror"], true);
    error.pc = this.code.pc();
    error.instruction = this.#instruction(error.suberror) ?? this.code.bytes(error.pc);
    const what = INTERNAL_ERRORS[error.suberror] ?? "cannot go on";
    const bytes = Array.from(error.instruction, byte => byte.toString(16).padStart(2, "0")).join(" ");
    error.message =
      `KVM ${what} at linear address 0x${error.pc.toString(16)} (internal error ${error.suberror})` +
      (bytes ? `; the bytes there: ${bytes}` : "");
    return error;
  }

  /** The instruction's bytes where the kernel tells them. */
  #instruction(suberror: number): Uint8Array | undefined {
    const { view } = this;
    // Flags and bytes are 3 of the 64-bit words that `ndata` counts.
    if (suberror !== KVM_INTERNAL_ERROR_EMULATION || view.getUint32(at["internal.ndata"], true) < 3) return;
    if (!(view.getUint32(at["emulation_failure.flags"], true) & FLAG_INSTRUCTION_BYTES)) return;
    const start = at["emulation_failure.insn_bytes"];
    const size = Math.min(15, view.getUint8(at["emulation_failure.insn_size"]));
    return size > 0 ? this.bytes.slice(start, start + size) : undefined;
  }

  #decodeUnknown(): UnknownExit {
    const { view } = this;
    this.#unknown.code = view.getUint32(at.exit_reason, true);
    this.#unknown.hardwareReason =
      this.#unknown.code === UNKNOWN ? view.getBigUint64(at["hw.hardware_exit_reason"], true) : 0n;
    return this.#unknown;
  }
}
