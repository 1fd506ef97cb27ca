/**
 * Motorola MC146818A real-time clock and its CMOS memory.
 *
 * Ports (offsets from 0x70): 0 index in bits 6 to 0, NMI off in bit 7 (W), 1 data (R/W).
 *
 * Nothing ticks: the calendar is brought up to date when somebody looks, and the clock is asked for a call
 * only for interrupts that are enabled. Daylight saving (DSE) is kept as a bit and not acted upon, as in
 * every PC since the rule changed; the square wave output (SQWE) is connected to nothing.
 *
 * Source: MC146818A data sheet, "Address map" and "Registers"; IBM PC AT Technical Reference for the CMOS
 * memory; index 0x32 is the century by the convention of all PC firmware.
 */
import type { Clock, IrqLine, PortDevice } from "#layers/01-minimal-vm/bus.ts";
import { Alarm } from "#layers/05-pit/alarm.ts";
import { Calendar } from "./calendar.ts";

const STATUS_A = 0x0a; // UIP | divider, 3 bits | rate, 4 bits
const STATUS_B = 0x0b; // SET PIE AIE UIE SQWE DM 24/12 DSE
const STATUS_C = 0x0c; // IRQF PF AF UF 0 0 0 0
const STATUS_D = 0x0d; // VRT 0 0 0 0 0 0 0

const UPDATE_IN_PROGRESS = 0b1000_0000;
const DIVIDER_RESET = 0b0110_0000; // both bits hold the divider
const SET = 0b1000_0000;
const UPDATE_INTERRUPT = 0b0001_0000;
const IRQF = 0b1000_0000;
const PERIODIC = 0b0100_0000; // PF in C, PIE in B; AF and AIE, UF and UIE share their bits alike
const ALARM = 0b0010_0000;
const UPDATE = 0b0001_0000;
const VALID_RAM_AND_TIME = 0b1000_0000;

const SECOND = 1e9;
/** UIP rises 244 µs before an update, which takes 1,984 µs with the PC's 32,768 Hz crystal. */
const UPDATE_NANOSECONDS = (244 + 1984) * 1000;
/** A divider that is released makes its first update half a second later. */
const RELEASE_NANOSECONDS = SECOND / 2;

export interface RtcOptions {
  readonly clock: Clock;
  readonly irq: IrqLine;
  /** What the calendar shows at guest time 0, in milliseconds since 1970, without time zone. */
  readonly start: number;
  /** RAM in bytes, all of it; shown in the CMOS memory as firmware shows it. */
  readonly memory?: number;
}

export interface RtcState {
  index: number;
  cmos: number[];
  updatedAt: number;
  periodicAt: number;
}

export class RealTimeClock implements PortDevice {
  #index = 0;
  readonly #cmos = new Uint8Array(128);
  readonly #calendar = new Calendar(this.#cmos);
  /** Guest time of the last update that has been carried out. */
  #updatedAt = 0;
  /** Guest time up to which periodic ticks have been looked for. */
  #periodicAt = 0;
  readonly #clock: Clock;
  readonly #irq: IrqLine;
  readonly #alarm: Alarm;
  #isIrqRaised = false;

  constructor({ clock, irq, start, memory = 0 }: RtcOptions) {
    this.#clock = clock;
    this.#irq = irq;
    this.#alarm = new Alarm(clock, () => this.#follow());
    this.#cmos[STATUS_A] = 0x26; // 32,768 Hz, 1,024 ticks a second
    this.#cmos[STATUS_B] = 0x02; // 24 hours, BCD
    this.#updatedAt = Math.floor(clock.now() / SECOND) * SECOND;
    this.#calendar.set(new Date(start + (this.#updatedAt / SECOND) * 1000));
    this.#describeMemory(memory);
    this.#periodicAt = clock.now();
  }

  /** Bit 7 of the index port holds NMIs off. */
  get isNmiMasked(): boolean {
    return (this.#index & 0x80) !== 0;
  }

  /** Sets a byte of the CMOS memory, as firmware would; `index` 0x0e to 0x7f. */
  setMemory(index: number, value: number): void {
    this.#cmos[index] = value;
  }

  read(offset: number): number {
    if ((offset & 1) === 0) return 0xff; // the index cannot be read back
    const index = this.#index & 0x7f;
    this.#catchUp();
    if (index === STATUS_A) return this.#cmos[STATUS_A]! | (this.#isUpdating ? UPDATE_IN_PROGRESS : 0);
    if (index === STATUS_D) return VALID_RAM_AND_TIME;
    if (index !== STATUS_C) return this.#cmos[index]!;
    const flags = this.#cmos[STATUS_C]! | (this.#interrupts ? IRQF : 0);
    this.#cmos[STATUS_C] = 0;
    this.#follow();
    return flags;
  }

  write(offset: number, _size: 1 | 2 | 4, value: number): void {
    value &= 0xff;
    if ((offset & 1) === 0) {
      this.#index = value;
      return;
    }
    const index = this.#index & 0x7f;
    this.#catchUp();
    if (index === STATUS_A) this.#writeStatusA(value);
    else if (index === STATUS_B) this.#writeStatusB(value);
    else if (index !== STATUS_C && index !== STATUS_D) this.#cmos[index] = value;
    this.#follow();
  }

  #writeStatusA(value: number): void {
    const wasHeld = this.#isDividerHeld;
    this.#cmos[STATUS_A] = value & 0x7f;
    this.#periodicAt = this.#clock.now();
    if (wasHeld && !this.#isDividerHeld) this.#updatedAt = this.#clock.now() - SECOND + RELEASE_NANOSECONDS;
  }

  #writeStatusB(value: number): void {
    const wasSet = (this.#cmos[STATUS_B]! & SET) !== 0;
    // SET going up ends the update interrupt's enable (data sheet, "Register B", SET).
    const rises = !wasSet && (value & SET) !== 0;
    this.#cmos[STATUS_B] = rises ? value & ~UPDATE_INTERRUPT : value;
  }

  get #isDividerHeld(): boolean {
    return (this.#cmos[STATUS_A]! & DIVIDER_RESET) === DIVIDER_RESET;
  }

  /** Neither SET nor the divider keep the calendar from going on. */
  get #isRunning(): boolean {
    return (this.#cmos[STATUS_B]! & SET) === 0 && !this.#isDividerHeld;
  }

  get #isUpdating(): boolean {
    return this.#isRunning && this.#clock.now() >= this.#updatedAt + SECOND - UPDATE_NANOSECONDS;
  }

  /** Nanoseconds from one periodic tick to the next; 0 while they are off. */
  get #period(): number {
    const rate = this.#cmos[STATUS_A]! & 0x0f;
    if (rate === 0 || this.#isDividerHeld) return 0;
    return (2 ** (rate <= 2 ? rate + 6 : rate - 1) / 32_768) * SECOND;
  }

  /** Carries out all updates and ticks up to now, and sets the flags that they leave behind. */
  #catchUp(): void {
    const now = this.#clock.now();
    const seconds = Math.floor((now - this.#updatedAt) / SECOND);
    if (seconds > 0) {
      this.#updatedAt += seconds * SECOND;
      if (this.#isRunning) {
        if (this.#calendar.secondsToAlarm() <= seconds) this.#cmos[STATUS_C]! |= ALARM;
        this.#calendar.advance(seconds);
        this.#cmos[STATUS_C]! |= UPDATE;
      }
    }
    const period = this.#period;
    if (period > 0 && Math.floor(now / period) > Math.floor(this.#periodicAt / period)) {
      this.#cmos[STATUS_C]! |= PERIODIC;
    }
    this.#periodicAt = now;
  }

  /** The flags whose interrupts are enabled. */
  get #interrupts(): number {
    return this.#cmos[STATUS_B]! & this.#cmos[STATUS_C]! & (PERIODIC | ALARM | UPDATE);
  }

  /** Drives the interrupt line, and asks the clock for the next event that would raise it. */
  #follow(): void {
    this.#catchUp();
    const isRaised = this.#interrupts !== 0;
    if (isRaised !== this.#isIrqRaised) {
      this.#isIrqRaised = isRaised;
      if (isRaised) this.#irq.raise();
      else this.#irq.lower();
    }
    this.#alarm.set(isRaised ? null : this.#nextInterrupt());
  }

  #nextInterrupt(): number | null {
    const enabled = this.#cmos[STATUS_B]!;
    let next = Number.POSITIVE_INFINITY;
    const period = this.#period;
    if (enabled & PERIODIC && period > 0) {
      next = Math.ceil((Math.floor(this.#clock.now() / period) + 1) * period);
    }
    if (this.#isRunning && enabled & UPDATE) next = Math.min(next, this.#updatedAt + SECOND);
    if (this.#isRunning && enabled & ALARM) {
      next = Math.min(next, this.#updatedAt + this.#calendar.secondsToAlarm() * SECOND);
    }
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #describeMemory(bytes: number): void {
    const KIB = 1024;
    const MIB = 1024 * KIB;
    const word = (index: number, value: number) => {
      this.#cmos[index] = value & 0xff;
      this.#cmos[index + 1] = value >> 8;
    };
    const above1M = Math.min(Math.max(bytes - MIB, 0) / KIB, 0xffff);
    word(0x15, Math.min(bytes / KIB, 640));
    word(0x17, above1M);
    word(0x30, above1M);
    word(0x34, Math.min(Math.max(bytes - 16 * MIB, 0) / (64 * KIB), 0xffff));
    // The sum over 0x10 to 0x2d, which firmware checks, high byte first.
    const sum = this.#cmos.subarray(0x10, 0x2e).reduce((total, byte) => total + byte, 0);
    this.#cmos[0x2e] = sum >> 8;
    this.#cmos[0x2f] = sum & 0xff;
  }

  save(): RtcState {
    this.#catchUp();
    return {
      index: this.#index,
      cmos: [...this.#cmos],
      updatedAt: this.#updatedAt,
      periodicAt: this.#periodicAt,
    };
  }

  /** The clock must stand where it stood at `save`. */
  restore(state: RtcState): void {
    this.#index = state.index;
    this.#cmos.set(state.cmos.slice(0, this.#cmos.length));
    this.#updatedAt = state.updatedAt;
    this.#periodicAt = state.periodicAt;
    this.#follow();
  }
}
