// Starter: write the exercises here; `npm run chapter 6` runs them, `npm run chapter 6 test` tests them.
// Generated from solutions/06-serial/uart.ts by `npm run starters` (2c1c5d2e).
/**
 * National Semiconductor NS16550A universal asynchronous receiver/transmitter: the PC's serial port.
 *
 * Registers (offsets from 0x3f8):
 *
 *     0  R  RBR  received byte             W  THR  byte to send        DLAB: DLL  divisor, low byte
 *     1  RW IER  interrupt enable                                      DLAB: DLM  divisor, high byte
 *     2  R  IIR  interrupt identification  W  FCR  FIFO control
 *     3  RW LCR  line control:   DLAB BREAK STICK EVEN PARITY STOP WLS1 WLS0
 *     4  RW MCR  modem control:  0 0 0 LOOP OUT2 OUT1 RTS DTR
 *     5  R  LSR  line status:    FIFOERR TEMT THRE BI FE PE OE DR
 *     6  R  MSR  modem status:   DCD RI DSR CTS, and their changes DDCD TERI DDSR DCTS
 *     7  RW SCR  scratch
 *
 * Source: National Semiconductor PC16550D data sheet, section 8 "Registers".
 */
import type { Clock, IrqLine, PortDevice } from "#layers/01-minimal-vm/bus.ts";
import { Receiver, type ReceiverState } from "./receiver.ts";
import { hasFifos, isLoop, LSR_BREAK, type UartRegisters } from "./registers.ts";
import { Transmitter, type TransmitterState } from "./transmitter.ts";

const IER_RECEIVED = 0b0001; // and the character timeout
const IER_TRANSMITTER_EMPTY = 0b0010;
const IER_LINE_STATUS = 0b0100;
const IER_MODEM_STATUS = 0b1000;

/** What IIR reads, by falling priority (data sheet, table 4); bit 0 clear says that one is pending. */
const IIR_LINE_STATUS = 0b0110;
const IIR_RECEIVED = 0b0100;
const IIR_TIMEOUT = 0b1100;
const IIR_TRANSMITTER_EMPTY = 0b0010;
const IIR_MODEM_STATUS = 0b0000;
const IIR_NONE = 0b0001;
const IIR_FIFOS = 0b1100_0000;

const FCR_ENABLE = 0b0001;
const FCR_RESET_RECEIVER = 0b0010;
const FCR_RESET_TRANSMITTER = 0b0100;
const FCR_KEPT = 0b1100_1001;

const LCR_BREAK = 0b0100_0000;
const LCR_DLAB = 0b1000_0000;

const MCR_DTR = 0b0_0001;
const MCR_RTS = 0b0_0010;
const MCR_OUT1 = 0b0_0100;
const MCR_OUT2 = 0b0_1000;
const MCR_LOOP = 0b1_0000;

export const MSR_CTS = 0b0001_0000;
export const MSR_DSR = 0b0010_0000;
export const MSR_RI = 0b0100_0000;
export const MSR_DCD = 0b1000_0000;

/** What hangs on the other end of the line. */
export interface SerialPeer {
  /** A character came from the guest. */
  transmit(byte: number): void;
  /** All that was given to `receive` is in. */
  drained?(): void;
  /** The guest begins or ends to send a break. */
  breakChanged?(isSending: boolean): void;
  /** The guest set or cleared DTR or RTS. */
  modemChanged?(lines: { dtr: boolean; rts: boolean }): void;
}

export interface UartOptions {
  readonly clock: Clock;
  readonly irq: IrqLine;
  readonly peer: SerialPeer;
  /**
   * "line": characters take the time that divisor and format say. "immediate" (the default): what the
   * guest sends arrives at once, and it receives up to a FIFO full in one character time.
   */
  readonly pace?: "line" | "immediate";
}

export interface UartState {
  registers: UartRegisters;
  modemPins: number;
  modemChanges: number;
  receiver: ReceiverState;
  transmitter: TransmitterState;
}

export class Uart implements PortDevice {
  /** As a PC's firmware leaves them, 8 bits at 115,200 baud; a bare chip comes up with LCR 0, 5 bits. */
  readonly #registers: UartRegisters = { ier: 0, fcr: 0, lcr: 0b11, mcr: 0, scr: 0, divisor: 1 };
  /** The modem lines at the pins, as MSR shows them: a terminal is there and ready. */
  #modemPins = MSR_CTS | MSR_DSR | MSR_DCD;
  #modemChanges = 0;
  #isIrqRaised = false;
  readonly #irq: IrqLine;
  readonly #peer: SerialPeer;
  readonly #receiver: Receiver;
  readonly #transmitter: Transmitter;

  constructor({ clock, irq, peer, pace = "immediate" }: UartOptions) {
    this.#irq = irq;
    this.#peer = peer;
    const common = {
      clock,
      registers: this.#registers,
      isPaced: pace === "line",
      changed: () => this.#drive(),
    };
    this.#receiver = new Receiver({ ...common, drained: () => peer.drained?.() });
    this.#transmitter = new Transmitter({ ...common, transmit: byte => this.#transmit(byte) });
  }

  // #region registers
  read(offset: number): number {
    const { ier, lcr, mcr, scr, divisor } = this.#registers;
    const isDivisor = (lcr & LCR_DLAB) !== 0;
    // #region exercise-registers
    throw new Error(
      "exercise registers: return what each of the eight registers reads; with DLAB set, offsets 0 and 1 are the divisor · chapter 6, “Eight registers at eight ports”",
    );
    // #endregion exercise-registers
  }

  /** Writes to LSR and MSR are for the factory's tests, and lost here. */
  write(offset: number, _size: 1 | 2 | 4, value: number): void {
    const registers = this.#registers;
    const isDivisor = (registers.lcr & LCR_DLAB) !== 0;
    const register = offset & 7;
    value &= 0xff;
    if (register === 0 && isDivisor) registers.divisor = (registers.divisor & 0xff00) | value;
    else if (register === 0) this.#transmitter.writeByte(value);
    else if (register === 1 && isDivisor) registers.divisor = (value << 8) | (registers.divisor & 0xff);
    else if (register === 1) this.#writeInterruptEnable(value);
    else if (register === 2) this.#writeFifoControl(value);
    else if (register === 3) this.#writeLineControl(value);
    else if (register === 4) this.#writeModemControl(value);
    else if (register === 7) registers.scr = value;
    this.#drive();
  }
  // #endregion registers

  // #region interrupts
  /** The most urgent interrupt that is pending and enabled, as IIR shows it. */
  get #identification(): number {
    const { ier } = this.#registers;
    // #region exercise-identification
    throw new Error(
      "exercise identification: find the most urgent interrupt that is pending and enabled, and end the transmitter's when IIR tells of it · chapter 6, “One interrupt, five reasons”",
    );
    // #endregion exercise-identification
  }

  /** Reading IIR ends the transmitter's interrupt, if that is the one it tells of. */
  #readIdentification(): number {
    // #region exercise-read-identification
    throw new Error(
      "exercise read-identification: find the most urgent interrupt that is pending and enabled, and end the transmitter's when IIR tells of it · chapter 6, “One interrupt, five reasons”",
    );
    // #endregion exercise-read-identification
  }

  #writeInterruptEnable(value: number): void {
    const enables = value & ~this.#registers.ier;
    this.#registers.ier = value & 0b1111;
    if (enables & IER_TRANSMITTER_EMPTY) this.#transmitter.interruptEnabled();
  }

  /** The IRQ line is INTR behind a gate that a PC opens with OUT2; in loopback that pin is idle. */
  #drive(): void {
    const isGateOpen = (this.#registers.mcr & (MCR_OUT2 | MCR_LOOP)) === MCR_OUT2;
    const isRaised = isGateOpen && this.#identification !== IIR_NONE;
    if (isRaised === this.#isIrqRaised) return;
    this.#isIrqRaised = isRaised;
    if (isRaised) this.#irq.raise();
    else this.#irq.lower();
  }
  // #endregion interrupts

  // #region fifo-control
  #writeFifoControl(value: number): void {
    const registers = this.#registers;
    // #region exercise-fifo-control
    throw new Error(
      "exercise fifo-control: take a value for FCR: without the enable bit the others do not count; switching resets both FIFOs, bits 1 and 2 reset one each · chapter 6, “Eight registers at eight ports”",
    );
    // #endregion exercise-fifo-control
  }
  // #endregion fifo-control

  // #region line
  /**
   * Puts bytes on the line to the guest. They wait there until the receiver has room, as behind a peer
   * that minds flow control: nothing is lost. Returns how many are waiting; `drained` tells when none is.
   */
  receive(bytes: Iterable<number>): number {
    return this.#receiver.receive(bytes);
  }

  /** One character arrives now, room or not. `errors` are LSR_PARITY, LSR_FRAMING and LSR_BREAK. */
  arrive(byte: number, errors = 0): void {
    if (!isLoop(this.#registers)) this.#receiver.arrive(byte, errors);
  }

  /** The line was held low for longer than a character. */
  receiveBreak(): void {
    this.arrive(0, LSR_BREAK);
  }

  #transmit(byte: number): void {
    if (isLoop(this.#registers)) this.#receiver.arrive(byte);
    else if ((this.#registers.lcr & LCR_BREAK) === 0) this.#peer.transmit(byte);
  }

  #writeLineControl(value: number): void {
    const isBreakSwitched = ((this.#registers.lcr ^ value) & LCR_BREAK) !== 0;
    this.#registers.lcr = value;
    if (!isBreakSwitched) return;
    const isSending = (value & LCR_BREAK) !== 0;
    if (!isLoop(this.#registers)) this.#peer.breakChanged?.(isSending);
    else if (isSending) this.#receiver.arrive(0, LSR_BREAK);
  }
  // #endregion line

  // #region modem
  /** The modem lines as MSR shows them; in loopback the four outputs come back as inputs. */
  get #modemLines(): number {
    const { mcr } = this.#registers;
    // #region exercise-modem
    throw new Error(
      "exercise modem: show the modem lines, in loopback the four outputs, and note which have changed · chapter 6, “Talk to oneself”",
    );
    // #endregion exercise-modem
  }

  /** Notes which lines have changed since `before`; of RI only the fall counts (TERI). */
  #noteModemChanges(before: number): void {
    // #region exercise-modem
    throw new Error(
      "exercise modem: show the modem lines, in loopback the four outputs, and note which have changed · chapter 6, “Talk to oneself”",
    );
    // #endregion exercise-modem
  }

  #readModemStatus(): number {
    const status = this.#modemLines | this.#modemChanges;
    this.#modemChanges = 0;
    this.#drive();
    return status;
  }

  #writeModemControl(value: number): void {
    const before = this.#modemLines;
    const changes = this.#registers.mcr ^ value;
    this.#registers.mcr = value & 0b1_1111;
    this.#noteModemChanges(before);
    this.#receiver.expectArrival();
    if ((changes & (MCR_DTR | MCR_RTS | MCR_LOOP)) === 0) return;
    // In loopback the pins are idle.
    const isSet = (line: number) => !isLoop(this.#registers) && (value & line) !== 0;
    this.#peer.modemChanged?.({ dtr: isSet(MCR_DTR), rts: isSet(MCR_RTS) });
  }

  /** Sets the lines at the pins: any of MSR_CTS, MSR_DSR, MSR_RI and MSR_DCD. */
  setModemLines(lines: number): void {
    const before = this.#modemLines;
    this.#modemPins = lines & 0xf0;
    this.#noteModemChanges(before);
    this.#drive();
  }
  // #endregion modem

  save(): UartState {
    return {
      registers: { ...this.#registers },
      modemPins: this.#modemPins,
      modemChanges: this.#modemChanges,
      receiver: this.#receiver.save(),
      transmitter: this.#transmitter.save(),
    };
  }

  /** The clock must stand where it stood at `save`. */
  restore(state: UartState): void {
    Object.assign(this.#registers, state.registers);
    this.#modemPins = state.modemPins;
    this.#modemChanges = state.modemChanges;
    this.#receiver.restore(state.receiver);
    this.#transmitter.restore(state.transmitter);
    this.#drive();
  }
}
