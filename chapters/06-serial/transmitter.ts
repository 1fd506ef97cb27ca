// Starter: write the exercises here; `npm run chapter 6` runs them, `npm run chapter 6 test` tests them.
// Generated from solutions/06-serial/transmitter.ts by `npm run starters` (3d13b868).
/**
 * The transmitter of the NS16550A: THR or its FIFO, and the shift register behind it.
 *
 * A character waits in THR, moves into the shift register when that is free, and leaves it bit by bit. So
 * THR is empty, and asks for the next, long before the line is idle.
 *
 * Source: National Semiconductor PC16550D data sheet, 8.4 "Line status register" (THRE and TEMT). The
 * delay of the FIFO mode's interrupt after a single character (FIFO interrupt mode operation, B) is left out.
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import { Alarm } from "#layers/05-pit/alarm.ts";
import {
  characterTime,
  FIFO_DEPTH,
  hasFifos,
  LSR_TEMT,
  LSR_THRE,
  type UartRegisters,
  wordMask,
} from "./registers.ts";

export interface TransmitterOptions {
  readonly clock: Clock;
  readonly registers: UartRegisters;
  readonly isPaced: boolean;
  /** A character has left the shift register. */
  readonly transmit: (byte: number) => void;
  /** What the transmitter asks for or tells in LSR may have changed. */
  readonly changed: () => void;
}

export interface TransmitterState {
  /** THR or the FIFO, oldest first. */
  waiting: number[];
  /** The shift register; null while it is idle. */
  shifting: number | null;
  asksForMore: boolean;
  sentAt: number | null;
}

export class Transmitter {
  #waiting: number[] = [];
  #shifting: number | null = null;
  #asksForMore = false;
  readonly #options: TransmitterOptions;
  readonly #sent: Alarm;

  constructor(options: TransmitterOptions) {
    this.#options = options;
    this.#sent = new Alarm(options.clock, () => this.#finish());
  }

  /** The transmitter's interrupt: THR has become empty, and nobody has taken note of it yet. */
  get asksForMore(): boolean {
    return this.#asksForMore;
  }

  /** Reading IIR takes note. */
  noteInterrupt(): void {
    this.#asksForMore = false;
  }

  /** Enabling the interrupt while THR is empty raises it at once. */
  interruptEnabled(): void {
    if (this.#waiting.length === 0) this.#asksForMore = true;
  }

  // #region transmit
  /** THR: takes note of the interrupt too. What does not fit into a full FIFO is lost. */
  writeByte(byte: number): void {
    // #region exercise-transmit
    throw new Error(
      "exercise transmit: take a byte into THR or the FIFO, move the next one into the shift register, and tell by THRE and TEMT what is empty · chapter 6, “Send without waiting”",
    );
    // #endregion exercise-transmit
    this.#options.changed();
    if (this.#shifting === null) this.#shiftNext();
  }

  /** Moves the next character into the shift register. When it was the last, THR is empty. */
  #shiftNext(): void {
    const { clock, registers, isPaced } = this.#options;
    // #region exercise-shift
    throw new Error(
      "exercise shift: take a byte into THR or the FIFO, move the next one into the shift register, and tell by THRE and TEMT what is empty · chapter 6, “Send without waiting”",
    );
    // #endregion exercise-shift
    this.#options.changed();
  }

  #finish(): void {
    const byte = this.#shifting;
    this.#shifting = null;
    if (byte !== null) this.#options.transmit(byte);
    this.#shiftNext();
    this.#options.changed();
  }
  // #endregion transmit

  /** The transmitter's bits of LSR. */
  get status(): number {
    // #region exercise-transmitter-status
    throw new Error(
      "exercise transmitter-status: take a byte into THR or the FIFO, move the next one into the shift register, and tell by THRE and TEMT what is empty · chapter 6, “Send without waiting”",
    );
    // #endregion exercise-transmitter-status
  }

  /** FCR's transmitter reset: the FIFO is empty; the shift register goes on. */
  reset(): void {
    if (this.#waiting.length > 0) this.#asksForMore = true;
    this.#waiting = [];
  }

  save(): TransmitterState {
    return {
      waiting: [...this.#waiting],
      shifting: this.#shifting,
      asksForMore: this.#asksForMore,
      sentAt: this.#sent.at,
    };
  }

  restore(state: TransmitterState): void {
    this.#waiting = [...state.waiting];
    this.#shifting = state.shifting;
    this.#asksForMore = state.asksForMore;
    this.#sent.set(state.sentAt);
  }
}
