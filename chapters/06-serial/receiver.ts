// Starter: write the exercises here; `npm run chapter 6` runs them, `npm run chapter 6 test` tests them.
// Generated from solutions/06-serial/receiver.ts by `npm run starters` (c15b23d9).
/**
 * The receiver of the NS16550A: RBR or its FIFO, the errors of each character, the character timeout, and
 * the line on which the host's bytes wait until there is room.
 *
 * Source: National Semiconductor PC16550D data sheet, 8.4 "Line status register" and 8.6 "FIFO control".
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import { Alarm } from "#layers/05-pit/alarm.ts";
import {
  characterTime,
  FIFO_DEPTH,
  hasFifos,
  isLoop,
  LSR_DATA_READY,
  LSR_FIFO_ERROR,
  LSR_OVERRUN,
  type UartRegisters,
  wordMask,
} from "./registers.ts";

const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

/** Bytes that were read are dropped from the line in blocks, not one by one. */
const LINE_BLOCK = 4096;

export interface ReceiverOptions {
  readonly clock: Clock;
  readonly registers: UartRegisters;
  readonly isPaced: boolean;
  /** What the receiver asks for or tells in LSR may have changed. */
  readonly changed: () => void;
  /** The line is empty again. */
  readonly drained: () => void;
}

export interface ReceiverState {
  /** OE, and PE, FE, BI of the oldest character, until LSR is read. */
  errors: number;
  /** Received characters, oldest first, with the LSR bits of their errors in bits 8 and up. */
  received: number[];
  /** What RBR returns when nothing is waiting. */
  lastRead: number;
  timedOut: boolean;
  /** Bytes on the line. */
  line: number[];
  timeoutAt: number | null;
  arrivalAt: number | null;
}

export class Receiver {
  #errors = 0;
  #received: number[] = [];
  #lastRead = 0;
  #timedOut = false;
  #line: number[] = [];
  /** How many bytes of `#line` were taken already. */
  #taken = 0;
  readonly #options: ReceiverOptions;
  readonly #timeout: Alarm;
  readonly #arrival: Alarm;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#timeout = new Alarm(options.clock, () => this.#reachTimeout());
    this.#arrival = new Alarm(options.clock, () => this.#takeFromLine());
  }

  /** OE, PE, FE or BI is to be seen in LSR. */
  get hasErrors(): boolean {
    return this.#errors !== 0;
  }

  /** As many characters wait as FCR's trigger level asks for. */
  get hasReachedTrigger(): boolean {
    const { registers } = this.#options;
    return this.#received.length >= (hasFifos(registers) ? TRIGGER_LEVELS[registers.fcr >> 6]! : 1);
  }

  get hasTimedOut(): boolean {
    return this.#timedOut;
  }

  get #depth(): number {
    return hasFifos(this.#options.registers) ? FIFO_DEPTH : 1;
  }

  // #region receive
  /** A character arrives. `errors` are LSR bits: parity, framing, break. */
  arrive(byte: number, errors = 0): void {
    const character = (byte & wordMask(this.#options.registers)) | (errors << 8);
    // #region exercise-receive
    throw new Error(
      "exercise receive: let a character arrive, with or without room for it, and let RBR take the oldest · chapter 6, “Receive and never lose”",
    );
    // #endregion exercise-receive
    this.#options.changed();
  }

  /** RBR: takes the oldest character. */
  readByte(): number {
    // #region exercise-read-received
    throw new Error(
      "exercise read-received: let a character arrive, with or without room for it, and let RBR take the oldest · chapter 6, “Receive and never lose”",
    );
    // #endregion exercise-read-received
    this.expectArrival();
    this.#options.changed();
    return this.#lastRead;
  }

  /** A character's errors come to LSR once it is the oldest. */
  #showOldest(): void {
    const [oldest = 0] = this.#received;
    this.#errors |= oldest >> 8;
  }

  /** With FIFOs, characters below the trigger level ask for service after four character times of silence. */
  protected restartTimeout(): void {
    const { clock, registers } = this.#options;
    // #region exercise-timeout
    throw new Error(
      "exercise timeout: set the alarm for four character times from now while characters wait in a FIFO, and clear it otherwise · chapter 6, “Receive and never lose”",
    );
    // #endregion exercise-timeout
  }

  #reachTimeout(): void {
    this.#timedOut = true;
    this.#options.changed();
  }
  // #endregion receive

  /** The receiver's bits of LSR; reading them forgets the errors that they showed. */
  takeStatus(): number {
    // #region exercise-line-status
    throw new Error(
      "exercise line-status: make the receiver's bits of LSR, and forget the errors that they show · chapter 6, “Tell the state of the line”",
    );
    // #endregion exercise-line-status
  }

  /** FCR's receiver reset: the FIFO is empty. */
  reset(): void {
    this.#received = [];
    this.#errors &= LSR_OVERRUN;
    this.#timedOut = false;
    this.restartTimeout();
    this.expectArrival();
  }

  // #region line
  /** Puts bytes on the line. Returns how many wait there now. */
  receive(bytes: Iterable<number>): number {
    for (const byte of bytes) this.#line.push(byte & 0xff);
    if (this.#arrival.at === null && !this.#options.isPaced) this.#takeFromLine();
    this.expectArrival();
    return this.#line.length - this.#taken;
  }

  /** At a line's pace one byte, else as many as there is room for. */
  #takeFromLine(): void {
    const waiting = this.#line.length - this.#taken;
    const room = isLoop(this.#options.registers) ? 0 : this.#depth - this.#received.length;
    const count = Math.min(waiting, room, this.#options.isPaced ? 1 : FIFO_DEPTH);
    for (let byte = 0; byte < count; byte++) this.arrive(this.#line[this.#taken++]!);
    if (this.#taken === this.#line.length || this.#taken > LINE_BLOCK) {
      this.#line.splice(0, this.#taken);
      this.#taken = 0;
    }
    this.expectArrival();
    if (count > 0 && this.#line.length === 0) this.#options.drained();
  }

  /**
   * The next bytes need a character's time and room. Where there is none they wait, as a peer does that
   * minds flow control; the guest's reads make room. Without pacing they wait until the FIFO was read
   * empty, so that a handler that reads until nothing is left comes to an end.
   */
  expectArrival(): void {
    const { clock, registers, isPaced } = this.#options;
    const hasRoom = this.#received.length < (isPaced ? this.#depth : 1);
    if (this.#line.length === 0 || !hasRoom || isLoop(registers) || this.#arrival.at !== null) return;
    this.#arrival.set(clock.now() + characterTime(registers));
  }
  // #endregion line

  save(): ReceiverState {
    return {
      errors: this.#errors,
      received: [...this.#received],
      lastRead: this.#lastRead,
      timedOut: this.#timedOut,
      line: this.#line.slice(this.#taken),
      timeoutAt: this.#timeout.at,
      arrivalAt: this.#arrival.at,
    };
  }

  restore(state: ReceiverState): void {
    this.#errors = state.errors;
    this.#received = [...state.received];
    this.#lastRead = state.lastRead;
    this.#timedOut = state.timedOut;
    this.#line = [...state.line];
    this.#taken = 0;
    this.#timeout.set(state.timeoutAt);
    this.#arrival.set(state.arrivalAt);
  }
}
