/**
 * The devices of chapter 4, as small as devices that interrupt can be.
 *
 * The metronome takes the place of the timer until chapter 5 builds that: it understands the one way of
 * programming it that the guests use.
 */
import type { Clock, IrqLine, PortDevice } from "#layers/01-minimal-vm/bus.ts";

// #region metronome
/** 21 pulses of the PC's timer take exactly 17,600 ns. */
const NANOSECONDS_PER_PULSE = 17_600 / 21;

export interface MetronomeState {
  /** The low byte of a period whose high byte is still to come. */
  low: number | null;
  /** Nanoseconds between two beats; 0 while it stands. */
  period: number;
  /** Guest time of the next beat. */
  next: number;
}

/**
 * Beats at a steady rate: each beat is a rising edge on its line.
 *
 * Ports (offsets from 0x40): 0 W the pulses between two beats, low byte, then high byte; 3 W ignored.
 */
export class Metronome implements PortDevice {
  #low: number | undefined;
  #period = 0;
  #next = 0;
  #cancel = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly irq: IrqLine,
  ) {}

  read(): number {
    return 0;
  }

  write(offset: number, _size: 1 | 2 | 4, value: number): void {
    if (offset !== 0) return;
    if (this.#low === undefined) {
      this.#low = value & 0xff;
      return;
    }
    const pulses = ((value & 0xff) << 8) | this.#low;
    this.#low = undefined;
    this.#cancel();
    this.#period = (pulses || 0x1_0000) * NANOSECONDS_PER_PULSE;
    this.#next = this.clock.now();
    this.#schedule();
  }

  #schedule(): void {
    this.#next += this.#period;
    this.#await();
  }

  #await(): void {
    this.#cancel = this.clock.schedule(Math.ceil(this.#next), () => {
      this.irq.lower();
      this.irq.raise();
      this.#schedule();
    });
  }

  save(): MetronomeState {
    return { low: this.#low ?? null, period: this.#period, next: this.#next };
  }

  /** The clock must stand where it stood at `save`. */
  restore({ low, period, next }: MetronomeState): void {
    this.#cancel();
    this.#cancel = () => {};
    this.#low = low ?? undefined;
    this.#period = period;
    this.#next = next;
    if (period > 0) this.#await();
  }
}
// #endregion metronome

// #region bell
const SILENCE = 0x80;

/**
 * Rings on demand: a byte written raises the line of that IRQ, and with bit 7 set lowers it again.
 */
export class Bell implements PortDevice {
  /** `line` gives the line of an IRQ, 0 to 15. */
  constructor(private readonly line: (irq: number) => IrqLine) {}

  read(): number {
    return 0;
  }

  write(_offset: number, _size: 1 | 2 | 4, value: number): void {
    const line = this.line(value & 0x0f);
    if (value & SILENCE) line.lower();
    else line.raise();
  }
}
// #endregion bell
