/**
 * An AT keyboard at the other end of the cable: it sends scan codes of set 2 and answers commands.
 *
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard (101- and 102-key)".
 */

const SET_LEDS = 0xed;
const ECHO = 0xee;
const SCAN_CODE_SET = 0xf0;
const IDENTIFY = 0xf2;
const SET_TYPEMATIC = 0xf3;
const ENABLE = 0xf4;
const DISABLE = 0xf5;
const SET_DEFAULTS = 0xf6;
const RESEND = 0xfe;
const RESET = 0xff;

const ACKNOWLEDGE = 0xfa;
const SELF_TEST_PASSED = 0xaa;
const IDENTITY = [0xab, 0x83] as const;

/** The real one has room for 16 bytes; a host that pastes text is given more. */
const QUEUE_LIMIT = 4096;

export interface KeyboardState {
  queue: number[];
  isScanning: boolean;
  pendingCommand: number;
  lastSent: number;
  scanCodeSet: number;
  leds: number;
}

export class Keyboard {
  #state: KeyboardState = {
    queue: [],
    isScanning: true,
    pendingCommand: 0,
    lastSent: 0,
    scanCodeSet: 2,
    leds: 0,
  };

  /** Scroll lock in bit 0, num lock in bit 1, caps lock in bit 2. */
  get leds(): number {
    return this.#state.leds;
  }

  /** A key goes down or up: its bytes in scan code set 2. Returns false if the keyboard's buffer is full. */
  press(scanCodes: readonly number[]): boolean {
    if (!this.#state.isScanning) return true;
    if (this.#state.queue.length + scanCodes.length > QUEUE_LIMIT) return false;
    this.#state.queue.push(...scanCodes);
    return true;
  }

  get hasByte(): boolean {
    return this.#state.queue.length > 0;
  }

  /** The next byte that the keyboard sends. */
  takeByte(): number {
    const byte = this.#state.queue.shift() ?? 0;
    this.#state.lastSent = byte;
    return byte;
  }

  /** A byte that the host sends to the keyboard: a command or its parameter. */
  command(byte: number): void {
    const state = this.#state;
    const pending = state.pendingCommand;
    state.pendingCommand = 0;
    if (pending !== 0 && byte < SET_LEDS) this.#parameter(pending, byte);
    else this.#execute(byte);
    if (state.queue.length > QUEUE_LIMIT) state.queue.length = QUEUE_LIMIT;
  }

  #parameter(command: number, byte: number): void {
    const state = this.#state;
    state.queue.push(ACKNOWLEDGE);
    if (command === SET_LEDS) state.leds = byte & 0b111;
    else if (command === SCAN_CODE_SET && byte === 0) state.queue.push(state.scanCodeSet);
    else if (command === SCAN_CODE_SET && byte <= 3) state.scanCodeSet = byte;
  }

  #execute(command: number): void {
    const state = this.#state;
    switch (command) {
      case SET_LEDS:
      case SCAN_CODE_SET:
      case SET_TYPEMATIC:
        state.pendingCommand = command;
        state.queue.push(ACKNOWLEDGE);
        break;
      case ECHO:
        state.queue.push(ECHO);
        break;
      case IDENTIFY:
        state.queue.push(ACKNOWLEDGE, ...IDENTITY);
        break;
      case ENABLE:
      case DISABLE:
      case SET_DEFAULTS:
        state.queue = [ACKNOWLEDGE];
        state.isScanning = command !== DISABLE;
        if (command !== ENABLE) state.scanCodeSet = 2;
        break;
      case RESET:
        state.queue = [ACKNOWLEDGE, SELF_TEST_PASSED];
        state.isScanning = true;
        state.scanCodeSet = 2;
        state.leds = 0;
        break;
      case RESEND:
        state.queue.unshift(state.lastSent);
        break;
      default:
        state.queue.push(command >= SET_LEDS ? ACKNOWLEDGE : RESEND);
    }
  }

  save(): KeyboardState {
    return { ...this.#state, queue: [...this.#state.queue] };
  }

  restore(state: KeyboardState): void {
    this.#state = { ...state, queue: [...state.queue] };
  }
}
