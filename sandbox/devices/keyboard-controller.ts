/**
 * Intel 8042 as the keyboard controller of a PC AT: keyboard, A20 gate and processor reset.
 *
 * Ports (offsets from 0x60):
 *
 *     0  R  output buffer     W  data for the keyboard, or a command's parameter
 *     4  R  status: parity, timeout, AUX, inhibit off, command/data, system, IBF, OBF     W  command
 *
 * The auxiliary channel is there, as in every PS/2, with no mouse plugged in: what is sent there times out.
 *
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary device controller".
 */
import type { IrqLine, PortDevice } from "#layers/01-minimal-vm/bus.ts";
import { Keyboard, type KeyboardState } from "./keyboard.ts";
import type { A20Gate } from "./reset-control.ts";
import { ScanCodeTranslator } from "./scan-codes.ts";

const OUTPUT_FULL = 0b0000_0001;
const SYSTEM = 0b0000_0100; // the self-test has passed
const COMMAND_LAST = 0b0000_1000;
const NOT_INHIBITED = 0b0001_0000;
const AUXILIARY = 0b0010_0000; // the output buffer holds a byte of the auxiliary channel
const TIMEOUT = 0b0100_0000;

const CONFIG_KEYBOARD_INTERRUPT = 0b0000_0001;
const CONFIG_AUXILIARY_INTERRUPT = 0b0000_0010;
const CONFIG_SYSTEM = 0b0000_0100;
const CONFIG_KEYBOARD_OFF = 0b0001_0000;
const CONFIG_AUXILIARY_OFF = 0b0010_0000;
const CONFIG_TRANSLATE = 0b0100_0000;

const OUTPUT_NOT_RESET = 0b0000_0001;
const OUTPUT_A20 = 0b0000_0010;

const RESEND = 0xfe;

export interface KeyboardControllerOptions {
  /** IRQ 1 and IRQ 12. */
  readonly keyboardIrq: IrqLine;
  readonly auxiliaryIrq: IrqLine;
  readonly a20: A20Gate;
  /** The processor's RESET pin was pulsed. */
  readonly reset: () => void;
}

export interface KeyboardControllerState {
  ram: number[];
  status: number;
  output: number;
  pendingCommand: number;
  /** Bytes of the controller itself that wait for the output buffer, AUXILIARY and TIMEOUT in bits 8 up. */
  replies: number[];
  isBreak: boolean;
  keyboard: KeyboardState;
}

export class KeyboardController implements PortDevice {
  readonly keyboard = new Keyboard();
  readonly #options: KeyboardControllerOptions;
  readonly #translator = new ScanCodeTranslator();
  /** The controller's 32 bytes of RAM; byte 0 is the configuration, which is called the command byte. */
  readonly #ram = new Uint8Array(32);
  #status = SYSTEM | NOT_INHIBITED;
  #output = 0;
  #pendingCommand = 0;
  #replies: number[] = [];

  constructor(options: KeyboardControllerOptions) {
    this.#options = options;
    // As firmware leaves it: both interrupts and the translation on.
    this.#ram[0] = CONFIG_KEYBOARD_INTERRUPT | CONFIG_AUXILIARY_INTERRUPT | CONFIG_SYSTEM | CONFIG_TRANSLATE;
  }

  /** A key goes down or up: its bytes in scan code set 2. Returns false if the keyboard's buffer is full. */
  press(scanCodes: readonly number[]): boolean {
    const taken = this.keyboard.press(scanCodes);
    this.#fillOutput();
    return taken;
  }

  read(offset: number): number {
    if (offset === 4) return this.#status;
    if (offset !== 0) return 0xff;
    const byte = this.#output;
    this.#status &= ~(OUTPUT_FULL | AUXILIARY | TIMEOUT);
    this.#drive();
    this.#fillOutput();
    return byte;
  }

  write(offset: number, _size: 1 | 2 | 4, value: number): void {
    value &= 0xff;
    if (offset === 4) {
      this.#status |= COMMAND_LAST;
      this.#pendingCommand = 0;
      this.#command(value);
    } else if (offset === 0) {
      this.#status &= ~COMMAND_LAST;
      this.#data(value);
    }
    this.#fillOutput();
  }

  #command(command: number): void {
    const ram = this.#ram;
    if (command >= 0x20 && command <= 0x3f) this.#reply(ram[command & 31]!);
    else if (command >= 0xf0) this.#pulse(command);
    else {
      switch (command) {
        case 0xa7:
          ram[0]! |= CONFIG_AUXILIARY_OFF;
          break;
        case 0xa8:
          ram[0]! &= ~CONFIG_AUXILIARY_OFF;
          break;
        case 0xa9: // test of the auxiliary interface
        case 0xab: // test of the keyboard's interface
          this.#reply(0x00);
          break;
        case 0xaa:
          this.#status |= SYSTEM;
          this.#reply(0x55);
          break;
        case 0xad:
          ram[0]! |= CONFIG_KEYBOARD_OFF;
          break;
        case 0xae:
          ram[0]! &= ~CONFIG_KEYBOARD_OFF;
          break;
        case 0xc0: // input port: keyboard not locked, colour display
          this.#reply(0xa0);
          break;
        case 0xd0:
          this.#reply(this.#outputPort);
          break;
        default: // those with a parameter; all others do nothing
          this.#pendingCommand = command;
      }
    }
  }

  /** A byte at port 0x60: the parameter of the last command, or a byte for the keyboard. */
  #data(byte: number): void {
    const command = this.#pendingCommand;
    this.#pendingCommand = 0;
    if (command >= 0x60 && command <= 0x7f) {
      this.#ram[command & 31] = byte;
      if (command === 0x60) this.#setStatus(SYSTEM, (byte & CONFIG_SYSTEM) !== 0);
      this.#drive();
    } else if (command === 0xd1) {
      this.#options.a20.isOpen = (byte & OUTPUT_A20) !== 0;
      if ((byte & OUTPUT_NOT_RESET) === 0) this.#options.reset();
    } else if (command === 0xd2) {
      this.#reply(byte);
    } else if (command === 0xd3) {
      this.#reply(byte, AUXILIARY);
    } else if (command === 0xd4) {
      this.#reply(RESEND, AUXILIARY | TIMEOUT); // nobody answers
    } else {
      this.#ram[0]! &= ~CONFIG_KEYBOARD_OFF; // a byte for the keyboard turns it on
      this.keyboard.command(byte);
    }
  }

  /** Commands 0xf0 to 0xff pulse the lines of the output port whose bits are clear; bit 0 is RESET. */
  #pulse(command: number): void {
    if ((command & OUTPUT_NOT_RESET) === 0) this.#options.reset();
  }

  get #outputPort(): number {
    const isAuxiliary = (this.#status & AUXILIARY) !== 0;
    const isFull = (this.#status & OUTPUT_FULL) !== 0;
    return (
      OUTPUT_NOT_RESET |
      (this.#options.a20.isOpen ? OUTPUT_A20 : 0) |
      (isFull && !isAuxiliary ? 0b0001_0000 : 0) |
      (isFull && isAuxiliary ? 0b0010_0000 : 0) |
      0b1100_0000
    );
  }

  #reply(byte: number, status = 0): void {
    if (this.#replies.length < 16) this.#replies.push(byte | (status << 8));
  }

  /** Moves the next byte into the output buffer once it is free: the controller's own before the keyboard's. */
  #fillOutput(): void {
    while ((this.#status & OUTPUT_FULL) === 0) {
      const reply = this.#replies.shift();
      if (reply !== undefined) this.#show(reply & 0xff, reply >> 8);
      else if (this.keyboard.hasByte && (this.#ram[0]! & CONFIG_KEYBOARD_OFF) === 0) {
        const code = this.keyboard.takeByte();
        const shown = this.#ram[0]! & CONFIG_TRANSLATE ? this.#translator.translate(code) : code;
        if (shown !== undefined) this.#show(shown, 0);
      } else return;
    }
  }

  #show(byte: number, status: number): void {
    this.#output = byte;
    this.#status |= OUTPUT_FULL | status;
    this.#drive();
  }

  /** Each interrupt line follows "output buffer full" for its channel, where the configuration enables it. */
  #drive(): void {
    const full = (this.#status & OUTPUT_FULL) !== 0;
    const auxiliary = (this.#status & AUXILIARY) !== 0;
    const config = this.#ram[0]!;
    const { keyboardIrq, auxiliaryIrq } = this.#options;
    if (full && !auxiliary && config & CONFIG_KEYBOARD_INTERRUPT) keyboardIrq.raise();
    else keyboardIrq.lower();
    if (full && auxiliary && config & CONFIG_AUXILIARY_INTERRUPT) auxiliaryIrq.raise();
    else auxiliaryIrq.lower();
  }

  #setStatus(bits: number, isSet: boolean): void {
    this.#status = isSet ? this.#status | bits : this.#status & ~bits;
  }

  save(): KeyboardControllerState {
    return {
      ram: [...this.#ram],
      status: this.#status,
      output: this.#output,
      pendingCommand: this.#pendingCommand,
      replies: [...this.#replies],
      isBreak: this.#translator.isBreak,
      keyboard: this.keyboard.save(),
    };
  }

  restore(state: KeyboardControllerState): void {
    this.#ram.set(state.ram.slice(0, this.#ram.length));
    this.#status = state.status;
    this.#output = state.output;
    this.#pendingCommand = state.pendingCommand;
    this.#replies = [...state.replies];
    this.#translator.isBreak = state.isBreak;
    this.keyboard.restore(state.keyboard);
    this.#drive();
  }
}
