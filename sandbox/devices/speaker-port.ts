/**
 * System control port B, port 0x61: counter 2 of the timer and the speaker behind it.
 *
 *     bit 0  R/W  GATE of counter 2
 *     bit 1  R/W  speaker data: lets OUT of counter 2 through to the speaker
 *     bit 2  R/W  1 turns the memory's parity check off
 *     bit 3  R/W  1 turns the I/O channel check off
 *     bit 4  R    refresh: toggles with every memory refresh, 15.085 µs apart
 *     bit 5  R    OUT of counter 2
 *     bit 6  R    I/O channel check, bit 7 parity error: never set here
 *
 * Source: IBM PC AT Technical Reference, "Port B"; Intel 82371AB (PIIX4) data sheet, "NMI status and
 * control register".
 */
import type { Clock, PortDevice } from "#layers/01-minimal-vm/bus.ts";
import type { Pit } from "#layers/05-pit/pit.ts";

const GATE_2 = 0b0000_0001;
const SPEAKER_DATA = 0b0000_0010;
const KEPT = 0b0000_1111;
const REFRESH = 0b0001_0000;
const OUT_2 = 0b0010_0000;

const REFRESH_NANOSECONDS = 15_085;

export class SpeakerPort implements PortDevice {
  #value = 0;
  readonly #pit: Pit;
  readonly #clock: Clock;
  readonly #speakerChanged: (isOn: boolean) => void;

  /** `speakerChanged` is called when bits 0 and 1 together begin or cease to let the tone through. */
  constructor(pit: Pit, clock: Clock, speakerChanged: (isOn: boolean) => void = () => {}) {
    this.#pit = pit;
    this.#clock = clock;
    this.#speakerChanged = speakerChanged;
  }

  get isSpeakerOn(): boolean {
    return (this.#value & (GATE_2 | SPEAKER_DATA)) === (GATE_2 | SPEAKER_DATA);
  }

  read(): number {
    const isOddRefresh = Math.floor(this.#clock.now() / REFRESH_NANOSECONDS) % 2 === 1;
    return this.#value | (isOddRefresh ? REFRESH : 0) | (this.#pit.output(2) ? OUT_2 : 0);
  }

  write(_offset: number, _size: 1 | 2 | 4, value: number): void {
    const wasOn = this.isSpeakerOn;
    this.#value = value & KEPT;
    this.#pit.setGate(2, (value & GATE_2) !== 0);
    if (this.isSpeakerOn !== wasOn) this.#speakerChanged(this.isSpeakerOn);
  }

  save(): { value: number } {
    return { value: this.#value };
  }

  restore(state: { value: number }): void {
    this.#value = state.value;
  }
}
