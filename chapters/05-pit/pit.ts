// Starter: write the exercises here; `npm run chapter 5` runs them, `npm run chapter 5 test` tests them.
// Generated from solutions/05-pit/pit.ts by `npm run starters` (237283ff).
/**
 * Intel 8254 programmable interval timer: three counters on one clock of 105/88 MHz.
 *
 * Registers (offsets from 0x40):
 *
 *     0 1 2  R/W  counter 0, 1, 2: a byte of the count, or the latched status
 *     3      W    control word:  SC1 SC0  RW1 RW0  M2 M1 M0  BCD
 *                 SC 3: read-back command   1 1  COUNT# STATUS#  CNT2 CNT1 CNT0  0
 *                 RW 0: counter latch command
 *
 * In a PC, OUT of counter 0 drives IRQ 0, counter 1 once timed the memory's refresh, and counter 2 makes
 * the speaker's tone, gated through port 0x61.
 *
 * Source: Intel 8254 data sheet (order number 231164), "Programming the 8254" and "Read operations".
 */
import type { Clock, IrqLine, PortDevice } from "#layers/01-minimal-vm/bus.ts";
import { Alarm } from "./alarm.ts";
import { Counter, type CounterState } from "./counter.ts";

const CONTROL = 3;
const READ_BACK = 3; // SC1 and SC0
const READ_BACK_NO_COUNT = 0b0010_0000;
const READ_BACK_NO_STATUS = 0b0001_0000;

/** OUT changes that are followed one by one when the clock comes late; more would only repeat. */
const CHANGES_FOLLOWED = 6;

// #region time
/**
 * The timer's clock is a twelfth of the PC's 14.31818 MHz crystal (four times the colour carrier of NTSC,
 * 315/22 MHz): exactly 105/88 MHz, so 21 pulses take exactly 17,600 ns. Counting in these groups never
 * rounds twice and stays exact for as long as a number holds the nanoseconds: 104 days.
 */
const GROUP_PULSES = 21;
const GROUP_NANOSECONDS = 17_600;

/** How many CLK pulses have passed at `time`, in nanoseconds. */
export function pulsesAt(time: number): number {
  // #region exercise-time
  throw new Error(
    "exercise time: compute the pulses that have passed at a time, and the first nanosecond of a pulse, without ever rounding twice · chapter 5, “Count time in whole numbers”",
  );
  // #endregion exercise-time
}

/** The first nanosecond at which `pulses` pulses have passed. */
export function timeOfPulse(pulses: number): number {
  // #region exercise-time
  throw new Error(
    "exercise time: compute the pulses that have passed at a time, and the first nanosecond of a pulse, without ever rounding twice · chapter 5, “Count time in whole numbers”",
  );
  // #endregion exercise-time
}
// #endregion time

export interface PitState {
  counters: CounterState[];
  irqHigh: boolean;
}

// #region pit
export class Pit implements PortDevice {
  protected readonly counters = [new Counter(), new Counter(), new Counter(false)] as const;
  #irqHigh = true;
  readonly #alarm: Alarm;

  /** `irq` follows OUT of counter 0. GATE of counters 0 and 1 is tied high; counter 2's starts low. */
  constructor(
    private readonly clock: Clock,
    private readonly irq: IrqLine,
  ) {
    this.#alarm = new Alarm(clock, () => {
      this.catchUp();
      this.follow();
    });
  }

  read(offset: number): number {
    const counter = this.counters[offset & 3];
    if (!counter) return 0xff; // nothing drives the bus when the control word is read
    this.catchUp();
    return counter.readByte();
  }

  write(offset: number, _size: 1 | 2 | 4, value: number): void {
    value &= 0xff;
    this.catchUp();
    if ((offset & 3) === CONTROL) this.#control(value);
    else this.counters[offset & 3]!.writeByte(value);
    this.follow();
  }
  // #endregion pit

  /** Drives GATE of a counter. */
  setGate(channel: 0 | 1 | 2, high: boolean): void {
    this.catchUp();
    this.counters[channel].setGate(high);
    this.follow();
  }

  gate(channel: 0 | 1 | 2): boolean {
    return this.counters[channel].gate;
  }

  /** The level of a counter's OUT. */
  output(channel: 0 | 1 | 2): boolean {
    this.catchUp();
    return this.counters[channel].out;
  }

  /** The frequency of a counter's OUT in hertz, where it makes a wave (modes 2 and 3); else 0. */
  frequency(channel: 0 | 1 | 2): number {
    const { mode, reload } = this.counters[channel];
    return (mode === 2 || mode === 3) && reload > 1 ? 105e6 / 88 / reload : 0;
  }

  // #region control
  #control(word: number): void {
    // #region exercise-control
    throw new Error(
      "exercise control: send a control word to the counter that it selects, as a mode or a latch command, and carry out the read-back command · chapter 5, “Command three counters”",
    );
    // #endregion exercise-control
  }

  /** Latches count and status of any of the three counters; the bits that ask for them are inverted. */
  #readBack(word: number): void {
    // #region exercise-read-back
    throw new Error(
      "exercise read-back: send a control word to the counter that it selects, as a mode or a latch command, and carry out the read-back command · chapter 5, “Command three counters”",
    );
    // #endregion exercise-read-back
  }
  // #endregion control

  // #region follow
  /**
   * Moves the counters to this moment. If the clock comes late, IRQ 0 still sees an edge for changes that
   * were missed; like the real line, it cannot count them.
   */
  protected catchUp(): void {
    const now = pulsesAt(this.clock.now());
    const [timer, refresh, speaker] = this.counters;
    // #region exercise-catch-up
    throw new Error(
      "exercise catch-up: follow the changes of OUT 0 up to now, and ask the clock for a call at the next one · chapter 5, “Interrupt on time”",
    );
    // #endregion exercise-catch-up
    refresh.advance(now);
    speaker.advance(now);
    this.#driveIrq();
  }

  #driveIrq(): void {
    const high = this.counters[0].out;
    if (high === this.#irqHigh) return;
    this.#irqHigh = high;
    if (high) this.irq.raise();
    else this.irq.lower();
  }

  /** Drives IRQ 0 and asks the clock to be called when OUT of counter 0 may change next. */
  protected follow(): void {
    this.#driveIrq();
    // #region exercise-schedule
    throw new Error(
      "exercise schedule: follow the changes of OUT 0 up to now, and ask the clock for a call at the next one · chapter 5, “Interrupt on time”",
    );
    // #endregion exercise-schedule
  }
  // #endregion follow

  save(): PitState {
    this.catchUp();
    return { counters: this.counters.map(counter => counter.save()), irqHigh: this.#irqHigh };
  }

  /** The clock must stand where it stood at `save`. */
  restore(state: PitState): void {
    for (const [channel, counter] of this.counters.entries()) counter.restore(state.counters[channel]!);
    this.#irqHigh = state.irqHigh;
    this.follow();
  }
}
