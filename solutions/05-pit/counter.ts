/**
 * One counter of the 8254, in CLK pulses.
 *
 * A counter has a count register (CR), which the processor writes, and a counting element (CE), which is
 * loaded from it and counts down with every pulse. GATE holds or triggers it, OUT shows where it is. What
 * a mode does is a rule for when CE is loaded, when it counts and when OUT changes.
 *
 * Nothing here happens pulse by pulse: `advance` moves the counter over any number of pulses at once, and
 * `pulsesToEvent` tells how many it can pass before OUT may change.
 *
 * Source: Intel 8254 data sheet (order number 231164), "Mode definitions" and "Operation common to all
 * modes". A pulse loads CE or decrements it, never both; so a count of N ends N + 1 pulses after its write.
 */

/** The modes. 6 and 7 in a control word mean 2 and 3. */
const TERMINAL_COUNT = 0;
const ONE_SHOT = 1;
const RATE_GENERATOR = 2;
const SQUARE_WAVE = 3;
const SOFTWARE_STROBE = 4;
const HARDWARE_STROBE = 5;

/** RW1 and RW0 of a control word: which bytes of a count are written and read. */
const LSB = 1;
const MSB = 2;

const STATUS_OUT = 0b1000_0000;
const STATUS_NULL_COUNT = 0b0100_0000;

/** Everything that a counter remembers. */
export interface CounterState {
  /** The pulse up to which the rest is true. */
  tick: number;
  /** D5 to D0 of the control word: RW, M, BCD. */
  control: number;
  gate: boolean;
  /** CR as a number of pulses, 1 to 65,536 (10,000 in BCD); 0 until a count was written. */
  reload: number;
  /** The count that CE was loaded with last; 0 until it was loaded after the control word. */
  loaded: number;
  /** The next pulse loads CE from CR. */
  loadPending: boolean;
  /**
   * Pulses until CE has run out: until zero in modes 0, 1, 4 and 5, where it goes on below zero; until
   * the reload in mode 2; until the end of the half-cycle in mode 3.
   */
  left: number;
  /** Mode 3: the half-cycle. */
  high: boolean;
  /** Modes 4 and 5: this is the one pulse that OUT is low. */
  strobing: boolean;
  /** Mode 0: the first of two bytes was written, which stops the counting. */
  stopped: boolean;
  /** CR holds a count that CE has not got yet. */
  nullCount: boolean;
  /** What CE shows while it is not loaded. */
  idleCount: number;
  /** The first byte of a count whose second is still to come. */
  firstByte: number | null;
  readsMsb: boolean;
  latchedCount: number | null;
  latchedStatus: number | null;
}

/** A counter that got its control word and waits for its count. */
function waiting(control: number): CounterState {
  return {
    tick: 0,
    control,
    gate: true,
    reload: 0,
    loaded: 0,
    loadPending: false,
    left: 0,
    high: true,
    strobing: false,
    stopped: false,
    nullCount: true,
    idleCount: 0,
    firstByte: null,
    readsMsb: false,
    latchedCount: null,
    latchedStatus: null,
  };
}

export class Counter {
  #state: CounterState;

  /** `gate` is the level at the GATE pin to begin with. */
  constructor(gate = true) {
    this.#state = { ...waiting((3 << 4) | (RATE_GENERATOR << 1)), gate };
  }

  /** The pulse up to which the counter has been moved. */
  get tick(): number {
    return this.#state.tick;
  }

  get mode(): number {
    const mode = (this.#state.control >> 1) & 7;
    return mode > HARDWARE_STROBE ? mode - 4 : mode;
  }

  /** CR as a number of pulses; 0 until a count was written. */
  get reload(): number {
    return this.#state.reload;
  }

  get gate(): boolean {
    return this.#state.gate;
  }

  get #bytes(): number {
    return this.#state.control >> 4;
  }

  get #isBcd(): boolean {
    return (this.#state.control & 1) !== 0;
  }

  /** The level of the OUT pin. */
  get out(): boolean {
    const { loaded, loadPending, left, gate, high, strobing, stopped } = this.#state;
    // #region exercise-out
    switch (this.mode) {
      case TERMINAL_COUNT:
        return loaded > 0 && !loadPending && !stopped && left <= 0;
      case ONE_SHOT:
        return loaded === 0 || left <= 0;
      case RATE_GENERATOR:
        return !(gate && loaded > 0 && !loadPending && left === 1);
      case SQUARE_WAVE:
        return high;
      default:
        return !strobing;
    }
    // #endregion exercise-out
  }

  /** What CE shows, as a number of pulses. */
  get #element(): number {
    const { loaded, left, high, idleCount } = this.#state;
    if (loaded === 0) return idleCount;
    if (this.mode !== SQUARE_WAVE) return left;
    // Mode 3 counts in twos; an odd count has one more pulse in its high half, in which CE shows 0.
    return 2 * (high && loaded % 2 === 1 ? left - 1 : left);
  }

  /** What a read of the count returns: 16 bits, or four decimal digits. */
  get count(): number {
    const modulus = this.#isBcd ? 10_000 : 0x1_0000;
    const count = ((this.#element % modulus) + modulus) % modulus;
    return this.#isBcd ? toBcd(count) : count;
  }

  get status(): number {
    const { nullCount, control } = this.#state;
    return (this.out ? STATUS_OUT : 0) | (nullCount ? STATUS_NULL_COUNT : 0) | control;
  }

  // #region advance
  /** Moves to the pulse `tick`. */
  advance(tick: number): void {
    const state = this.#state;
    let pulses = tick - state.tick;
    if (pulses <= 0) return;
    state.tick = tick;
    state.strobing = false;
    if (state.loadPending) {
      this.#load();
      pulses--;
    }
    if (this.#isCounting) this.countDown(pulses);
  }

  get #isCounting(): boolean {
    const { loaded, gate, stopped } = this.#state;
    if (loaded === 0) return false;
    return this.mode === ONE_SHOT || this.mode === HARDWARE_STROBE || (gate && !stopped);
  }

  #load(): void {
    const state = this.#state;
    state.loadPending = false;
    state.nullCount = false;
    state.loaded = state.reload;
    state.high = true;
    state.left = this.mode === SQUARE_WAVE ? Math.ceil(state.reload / 2) : state.reload;
  }

  protected countDown(pulses: number): void {
    if (this.mode === RATE_GENERATOR) this.#countPeriods(pulses);
    else if (this.mode === SQUARE_WAVE) this.#countHalves(pulses);
    else this.#countOnce(pulses);
  }
  // #endregion advance

  // #region modes
  /** Modes 0, 1, 4 and 5: down to zero and on, round and round; only the first zero counts. */
  #countOnce(pulses: number): void {
    const state = this.#state;
    // #region exercise-count-once
    const strobes = this.mode === SOFTWARE_STROBE || this.mode === HARDWARE_STROBE;
    state.strobing = strobes && pulses > 0 && state.left === pulses;
    state.left -= pulses;
    // #endregion exercise-count-once
  }

  /** Mode 2: from N down to 1, then the reload, from a CR that may have been rewritten meanwhile. */
  #countPeriods(pulses: number): void {
    const state = this.#state;
    // #region exercise-rate-generator
    if (pulses < state.left) {
      state.left -= pulses;
      return;
    }
    const intoPeriods = pulses - state.left;
    state.loaded = state.reload;
    state.nullCount = false;
    state.left = state.reload - (intoPeriods % state.reload);
    // #endregion exercise-rate-generator
  }

  /** Mode 3: a high half of ceil(N / 2) pulses, a low half of floor(N / 2). */
  #countHalves(pulses: number): void {
    const state = this.#state;
    // #region exercise-square-wave
    if (pulses < state.left) {
      state.left -= pulses;
      return;
    }
    let rest = (pulses - state.left) % state.reload;
    state.loaded = state.reload;
    state.nullCount = false;
    do {
      state.high = !state.high;
      state.left = state.high ? Math.ceil(state.reload / 2) : Math.floor(state.reload / 2);
      const inThisHalf = Math.min(rest, state.left);
      state.left -= inThisHalf;
      rest -= inThisHalf;
    } while (state.left === 0);
    // #endregion exercise-square-wave
  }
  // #endregion modes

  /** How many pulses from `tick` on OUT certainly stays as it is, plus one; infinite if it stays for good. */
  get pulsesToEvent(): number {
    const { loaded, loadPending, left, reload, strobing } = this.#state;
    if (loadPending || strobing) return 1;
    if (!this.#isCounting) return Number.POSITIVE_INFINITY;
    if (this.mode === RATE_GENERATOR || this.mode === SQUARE_WAVE) {
      // A count of 1 is illegal here; OUT does not move, and nobody needs to wake up for it.
      if (loaded === 1 && reload === 1) return Number.POSITIVE_INFINITY;
      return this.mode === RATE_GENERATOR && left > 1 ? left - 1 : left;
    }
    return left > 0 ? left : Number.POSITIVE_INFINITY;
  }

  // #region gate
  /** Drives the GATE pin. */
  setGate(high: boolean): void {
    const state = this.#state;
    const rises = high && !state.gate;
    const falls = !high && state.gate;
    state.gate = high;
    // #region exercise-gate
    const startsByGate = this.mode !== TERMINAL_COUNT && this.mode !== SOFTWARE_STROBE;
    if (rises && startsByGate && state.reload > 0) state.loadPending = true;
    if (falls && this.mode === SQUARE_WAVE && !state.high) {
      state.high = true;
      if (state.loaded % 2 === 1) state.left++; // CE itself stands still
    }
    // #endregion exercise-gate
  }
  // #endregion gate

  /** The control word, bits 5 to 0: a new mode; the counter waits for its count. */
  writeControl(control: number): void {
    const { tick, gate } = this.#state;
    this.#state = { ...waiting(control), tick, gate, idleCount: this.#element };
  }

  // #region write-count
  /** A byte for CR. */
  writeByte(byte: number): void {
    const state = this.#state;
    // #region exercise-write-count
    if (this.#bytes === LSB) this.#writeCount(byte);
    else if (this.#bytes === MSB) this.#writeCount(byte << 8);
    else if (state.firstByte === null) {
      state.firstByte = byte;
      state.stopped = this.mode === TERMINAL_COUNT;
    } else {
      const low = state.firstByte;
      state.firstByte = null;
      this.#writeCount((byte << 8) | low);
    }
    // #endregion exercise-write-count
  }

  #writeCount(written: number): void {
    const state = this.#state;
    const modulus = this.#isBcd ? 10_000 : 0x1_0000;
    state.reload = (this.#isBcd ? fromBcd(written) : written) % modulus || modulus;
    state.nullCount = true;
    state.stopped = false;
    if (this.mode === TERMINAL_COUNT || this.mode === SOFTWARE_STROBE) state.loadPending = true;
    else if (this.mode === RATE_GENERATOR || this.mode === SQUARE_WAVE)
      state.loadPending ||= state.loaded === 0;
  }
  // #endregion write-count

  // #region latch
  /** Counter latch command: holds the count for the next read; a second one before that is ignored. */
  latchCount(): void {
    this.#state.latchedCount ??= this.count;
  }

  latchStatus(): void {
    this.#state.latchedStatus ??= this.status;
  }

  /** The next byte for the processor: a latched status first, then a latched count, else CE as it is. */
  readByte(): number {
    const state = this.#state;
    // #region exercise-latch
    if (state.latchedStatus !== null) {
      const status = state.latchedStatus;
      state.latchedStatus = null;
      return status;
    }
    const count = state.latchedCount ?? this.count;
    const isMsb = this.#bytes === MSB || (this.#bytes !== LSB && state.readsMsb);
    state.readsMsb = this.#bytes !== LSB && !isMsb;
    if (!state.readsMsb) state.latchedCount = null;
    return isMsb ? count >> 8 : count & 0xff;
    // #endregion exercise-latch
  }
  // #endregion latch

  save(): CounterState {
    return { ...this.#state };
  }

  restore(state: CounterState): void {
    this.#state = { ...state };
  }
}

function toBcd(value: number): number {
  let digits = 0;
  for (let shift = 0; shift < 16; shift += 4) {
    digits |= (value % 10) << shift;
    value = Math.floor(value / 10);
  }
  return digits;
}

/** A digit above 9 counts as what it is: the data sheet leaves open what the chip makes of it. */
function fromBcd(digits: number): number {
  return (digits >> 12) * 1000 + ((digits >> 8) & 15) * 100 + ((digits >> 4) & 15) * 10 + (digits & 15);
}
