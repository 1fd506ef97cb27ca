/**
 * ACPI's fixed power management registers: the power switch and a timer.
 *
 * Registers (offsets from 0x600):
 *
 *     0 PM1_STS  (2, R, write 1 to clear)   bit 0 TMR_STS: bit 31 of the timer has changed
 *     2 PM1_EN   (2, RW)                    bit 0 TMR_EN, bit 5 GBL_EN, 8 PWRBTN_EN, 9 SLPBTN_EN, 10 RTC_EN
 *     4 PM1_CNT  (2, RW)                    bit 0 SCI_EN, always 1; 10 to 12 SLP_TYP; 13 SLP_EN (W)
 *     8 PM_TMR   (4, R)                     counts at 3.579545 MHz
 *
 * Source: ACPI Specification 6.5, 4.8.3 "PM1 Event, Control", 4.8.2.1 "Power Management Timer".
 */
import type { Clock, IrqLine, PortDevice } from "#layers/01-minimal-vm/bus.ts";
import { Alarm } from "#layers/05-pit/alarm.ts";
import { pulsesAt, timeOfPulse } from "#layers/05-pit/pit.ts";

const STATUS = 0;
const ENABLE = 2;
const CONTROL = 4;
const TIMER = 8;

const TIMER_EVENT = 0b1; // TMR_STS in PM1_STS, TMR_EN in PM1_EN
const ENABLE_BITS = 0b0000_0111_0010_0001;
const SCI_EN = 0b1;
const SLEEP_TYPE_SHIFT = 10;
const SLEEP_ENABLE = 1 << 13;
/** Of PM1_CNT the guest can set BM_RLD and SLP_TYP; GBL_RLS and SLP_EN read 0. */
const CONTROL_BITS = 0b0001_1100_0000_0010;

/** The value of SLP_TYP for S5, "soft off", as the DSDT tells it. */
export const SLEEP_TYPE_OFF = 5;

/** The timer counts 3 times as fast as the 8254: both divide the same crystal, by 4 and by 12. */
const TICKS_PER_PULSE = 3;
const BIT_31 = 2 ** 31;

export interface AcpiPowerState {
  status: number;
  enable: number;
  control: number;
  togglesSeen: number;
}

export class AcpiPower implements PortDevice {
  readonly #clock: Clock;
  readonly #sci: IrqLine;
  readonly #powerOff: () => void;
  readonly #alarm: Alarm;
  #status = 0;
  #enable = 0;
  #control = 0;
  /** How often bit 31 of the timer had changed when the status was last brought up to date. */
  #togglesSeen = 0;
  #isRequesting = false;

  constructor(clock: Clock, sci: IrqLine, powerOff: () => void) {
    this.#clock = clock;
    this.#sci = sci;
    this.#powerOff = powerOff;
    this.#alarm = new Alarm(clock, () => this.#update());
  }

  read(offset: number, size: 1 | 2 | 4): number {
    this.#update();
    const ticks = this.#ticks() % 2 ** 32;
    let value = 0;
    for (let byte = size - 1; byte >= 0; byte--) value = value * 0x100 + this.#byte(offset + byte, ticks);
    return value;
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    this.#update();
    for (let byte = 0; byte < size; byte++) this.#writeByte(offset + byte, (value >>> (8 * byte)) & 0xff);
    this.#update();
  }

  #byte(offset: number, ticks: number): number {
    const shift = 8 * (offset & 1);
    switch (offset & ~1) {
      case STATUS:
        return (this.#status >> shift) & 0xff;
      case ENABLE:
        return (this.#enable >> shift) & 0xff;
      case CONTROL:
        return ((this.#control | SCI_EN) >> shift) & 0xff;
      default:
        return offset >= TIMER ? Math.floor(ticks / 2 ** (8 * (offset - TIMER))) & 0xff : 0;
    }
  }

  #writeByte(offset: number, value: number): void {
    const shift = 8 * (offset & 1);
    const bits = value << shift;
    const kept = 0xff00 >> shift;
    switch (offset & ~1) {
      case STATUS:
        this.#status &= ~bits;
        break;
      case ENABLE:
        this.#enable = (this.#enable & kept) | (bits & ENABLE_BITS);
        break;
      case CONTROL:
        this.#control = (this.#control & kept) | (bits & CONTROL_BITS);
        // Other sleep states do not exist here: nothing tells a guest of them, and asking does nothing.
        if (bits & SLEEP_ENABLE && (bits >> SLEEP_TYPE_SHIFT) % 8 === SLEEP_TYPE_OFF) this.#powerOff();
    }
  }

  #ticks(): number {
    return pulsesAt(this.#clock.now() * TICKS_PER_PULSE);
  }

  /** Takes note of the timer's carries, and drives the interrupt by what is set and enabled. */
  #update(): void {
    const toggles = Math.floor(this.#ticks() / BIT_31);
    if (toggles !== this.#togglesSeen) this.#status |= TIMER_EVENT;
    this.#togglesSeen = toggles;
    const isRequesting = (this.#status & this.#enable) !== 0;
    if (isRequesting !== this.#isRequesting) {
      this.#isRequesting = isRequesting;
      if (isRequesting) this.#sci.raise();
      else this.#sci.lower();
    }
    const waits = (this.#enable & ~this.#status & TIMER_EVENT) !== 0;
    this.#alarm.set(waits ? Math.ceil(timeOfPulse((toggles + 1) * BIT_31) / TICKS_PER_PULSE) : null);
  }

  save(): AcpiPowerState {
    return {
      status: this.#status,
      enable: this.#enable,
      control: this.#control,
      togglesSeen: this.#togglesSeen,
    };
  }

  restore(state: AcpiPowerState): void {
    this.#status = state.status;
    this.#enable = state.enable;
    this.#control = state.control;
    this.#togglesSeen = state.togglesSeen;
    this.#update();
  }
}
