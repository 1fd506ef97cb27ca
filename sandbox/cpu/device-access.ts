/**
 * Accesses that the VMM must answer, in the middle of an instruction.
 *
 * The log holds the accesses of the current instruction that were answered already. The instruction leaves
 * by a throw at the first unanswered one; the next run executes it again from its start, and every access
 * before that point is served from the log. So any instruction, with any number of device accesses, comes
 * out right. The log is empty whenever an instruction begins for the first time.
 */
import type { Exit } from "../kvm/api.ts";
import { ExitInside } from "./faults.ts";

/** The longest REP INS that goes out as one exit, as in KVM's emulator: 1024 bytes. */
export const MOST_STRING_BYTES = 1024;

/** The exit records of a vCPU: overwritten by each exit, never made anew. */
export class MmioRecord {
  readonly reason = "MMIO";
  address = 0;
  isWrite = false;
  length = 0;
  data = new Uint8Array(8);
}

export class IoRecord {
  readonly reason = "IO";
  direction: "in" | "out" = "in";
  size: 1 | 2 | 4 = 1;
  port = 0;
  count = 0;
  data = new Uint8Array(MOST_STRING_BYTES);
}

export class DeviceAccess {
  readonly mmio = new MmioRecord();
  readonly io = new IoRecord();
  /** The exit that waits to be returned from `run`, or to be answered by the next. */
  exit: Exit | null = null;
  readonly #leave = new ExitInside();

  /** The exit is an IN: its answer goes to AL, AX or EAX, and the instruction is done. */
  completesInput = false;
  /** Items that the VMM gave for an INS, and how many of them are in memory already. */
  portItems = 0;
  portItem = 0;

  /** Answers of MMIO, 8 bytes each. */
  readonly #log = new Uint8Array(8 * 64);
  #answered = 0;
  #replayed = 0;

  /** The next `run` begins: the exit's answer, if it has one, goes into the log. */
  answer(): void {
    const exit = this.exit;
    this.exit = null;
    if (exit === this.io && this.io.direction === "in" && !this.completesInput) {
      this.portItems = this.io.count;
      this.portItem = 0;
    }
    if (exit === this.mmio) this.#log.set(this.mmio.data, 8 * (this.#answered++ & 63));
    this.#replayed = 0;
  }

  /** An instruction has come to its end, or to a fault. */
  forget(): void {
    this.#answered = 0;
    this.#replayed = 0;
    this.portItems = 0;
  }

  /** A step has come to its end; an INS between two items keeps the items that are left. */
  forgetAnswers(): void {
    this.#answered = 0;
    this.#replayed = 0;
  }

  get isReplaying(): boolean {
    return this.#answered !== 0 || this.portItems !== 0;
  }

  requestIo(direction: "in" | "out", port: number, size: 1 | 2 | 4, count: number): void {
    const { io } = this;
    io.direction = direction;
    io.port = port;
    io.size = size;
    io.count = count;
    this.exit = io;
    this.completesInput = false;
  }

  /** Leaves the instruction at the exit just requested. */
  leave(): never {
    throw this.#leave;
  }

  /** One more item of an INS is in memory, and the registers tell it. */
  itemDone(): void {
    this.#answered = 0;
    this.#replayed = 0;
    if (++this.portItem === this.portItems) this.portItems = 0;
  }

  /** Reads `length` (1 to 8) bytes at physical `address` into `into`. */
  readMmio(address: number, length: number, into: Uint8Array, at: number): void {
    if (this.#replayed < this.#answered) {
      const from = 8 * (this.#replayed++ & 63);
      for (let i = 0; i < length; i++) into[at + i] = this.#log[from + i];
      return;
    }
    this.#request(address, length, false);
  }

  writeMmio(address: number, length: number, from: Uint8Array, at: number): void {
    if (this.#replayed < this.#answered) {
      this.#replayed++;
      return;
    }
    for (let i = 0; i < length; i++) this.mmio.data[i] = from[at + i];
    this.#request(address, length, true);
  }

  #request(address: number, length: number, isWrite: boolean): never {
    const { mmio } = this;
    mmio.address = address;
    mmio.length = length;
    mmio.isWrite = isWrite;
    this.exit = mmio;
    this.leave();
  }
}
