/**
 * Intel 8259A programmable interrupt controller, and the pair of them that a PC has.
 *
 * Eight inputs, IR0 to IR7, compete for one output, INT. A request waits in the IRR, is masked by the
 * IMR, and once the processor has acknowledged it stands in the ISR until the end-of-interrupt command.
 *
 * Registers (offsets from 0x20 for the master, from 0xa0 for the slave):
 *
 *     0  W  ICW1 if bit 4 is set, OCW3 if bit 3 is set, else OCW2     R  IRR, ISR or the poll byte
 *     1  W  ICW2 to ICW4 after ICW1, else OCW1 (the IMR)              R  IMR
 *
 * Source: Intel 8259A data sheet (order number 231468), "Programming the 8259A" and "Operation command
 * words". The 8085 mode of ICW4 is taken as the 8086 mode: no PC has the processor that it serves.
 */
import type { IrqLine, PortDevice } from "#layers/01-minimal-vm/bus.ts";

const ICW1 = 0b0001_0000;
const ICW1_IC4 = 0b0000_0001; // ICW4 follows
const ICW1_SNGL = 0b0000_0010; // no cascade, no ICW3
const ICW1_LTIM = 0b0000_1000; // all inputs are level triggered

const ICW4_AEOI = 0b0000_0010; // the acknowledgement itself ends the interrupt
const ICW4_BUF = 0b0000_1000; // buffered: the next bit, not a pin, tells master from slave
const ICW4_MS = 0b0000_0100;
const ICW4_SFNM = 0b0001_0000; // special fully nested mode

const OCW2_EOI = 0b0010_0000;
const OCW2_SL = 0b0100_0000; // the command names a level
const OCW2_R = 0b1000_0000; // and rotates the priorities

const OCW3 = 0b0000_1000;
const OCW3_RIS = 0b0000_0001; // with RR: read the ISR from now on, not the IRR
const OCW3_RR = 0b0000_0010;
const OCW3_P = 0b0000_0100; // the next read polls
const OCW3_SMM = 0b0010_0000; // with ESMM: special mask mode on
const OCW3_ESMM = 0b0100_0000;

/** The level whose vector answers an acknowledgement that nobody asked for. */
const SPURIOUS_LEVEL = 7;
/** The master's input that the slave's INT drives in a PC. */
const CASCADE_LEVEL = 2;

/** Everything that one chip remembers. */
export interface PicState {
  /** Levels at the inputs, a bit each. */
  lines: number;
  /** Inputs that were low since they were last acknowledged: their next high is a new edge. */
  armed: number;
  imr: number;
  isr: number;
  elcr: number;
  /** The level of lowest priority; the one after it, modulo 8, has the highest. */
  lowest: number;
  icw1: number;
  icw2: number;
  icw3: number;
  icw4: number;
  /** The initialization word that the next write to offset 1 brings; 0 if it is OCW1. */
  expected: number;
  initialized: boolean;
  rotateOnAeoi: boolean;
  specialMask: boolean;
  readIsr: boolean;
  /** The next read polls. */
  poll: boolean;
}

function powerOn(): PicState {
  return {
    lines: 0,
    armed: 0xff,
    imr: 0,
    isr: 0,
    elcr: 0,
    lowest: 7,
    icw1: 0,
    icw2: 0,
    icw3: 0,
    icw4: 0,
    expected: 0,
    initialized: false,
    rotateOnAeoi: false,
    specialMask: false,
    readIsr: false,
    poll: false,
  };
}

/** One 8259A. `int` is its output pin. */
export class Pic implements PortDevice {
  #state: PicState = powerOn();
  #intHigh = false;

  /** `isMaster` is the SP/EN pin. */
  constructor(
    private readonly int: IrqLine,
    private readonly isMaster: boolean,
  ) {}

  // #region requests
  /** Drives the input IR`level`. */
  setLine(level: number, high: boolean): void {
    // #region exercise-requests
    if (high) {
      this.#state.lines |= 1 << level;
    } else {
      this.#state.lines &= ~(1 << level);
      this.#state.armed |= 1 << level;
    }
    this.#drive();
    // #endregion exercise-requests
  }

  /** Interrupt request register: level-triggered inputs that are high, others with a new rising edge. */
  get irr(): number {
    // #region exercise-requests
    const levelTriggered = this.#state.icw1 & ICW1_LTIM ? 0xff : this.#state.elcr;
    return this.#state.lines & (levelTriggered | this.#state.armed);
    // #endregion exercise-requests
  }
  // #endregion requests

  get isr(): number {
    return this.#state.isr;
  }

  get imr(): number {
    return this.#state.imr;
  }

  /** Which inputs are level triggered although LTIM is clear: the chip set's ELCR. */
  get elcr(): number {
    return this.#state.elcr;
  }

  set elcr(mask: number) {
    this.#state.elcr = mask;
    this.#drive();
  }

  // #region priority
  /** The level of highest priority in `mask`, a bit a level; undefined if it is empty. */
  #highest(mask: number): number | undefined {
    // #region exercise-priority
    for (let step = 1; step <= 8; step++) {
      const level = (this.#state.lowest + step) & 7;
      if (mask & (1 << level)) return level;
    }
    return undefined;
    // #endregion exercise-priority
  }

  /** The level that INT asks the processor to serve now; undefined while INT is low. */
  get pendingLevel(): number | undefined {
    if (!this.#state.initialized) return undefined;
    // #region exercise-pending
    const request = this.#highest(this.irr & ~this.#state.imr);
    if (request === undefined) return undefined;
    // A level in service holds back itself and all below it; in special mask mode a masked one does not.
    const blocking = this.#state.specialMask ? this.#state.isr & ~this.#state.imr : this.#state.isr;
    const serving = this.#highest(blocking);
    if (serving === undefined) return request;
    // Special fully nested: behind a slave in service its more urgent requests still come through.
    const comesThrough = this.#isSpecialFullyNested && this.hasSlave(request);
    if (request === serving) return comesThrough ? request : undefined;
    return this.#highest((1 << request) | (1 << serving)) === request ? request : undefined;
    // #endregion exercise-pending
  }
  // #endregion priority

  get #isSpecialFullyNested(): boolean {
    return (this.#state.icw4 & ICW4_SFNM) !== 0;
  }

  /** Whether this chip leaves the vector of `level` to a slave (ICW3 of a master). */
  hasSlave(level: number): boolean {
    const isMaster = this.#state.icw4 & ICW4_BUF ? (this.#state.icw4 & ICW4_MS) !== 0 : this.isMaster;
    return isMaster && (this.#state.icw1 & ICW1_SNGL) === 0 && (this.#state.icw3 & (1 << level)) !== 0;
  }

  /** The master's input that this slave was told it sits at (ICW3 of a slave). */
  get slaveId(): number {
    return this.#state.icw3 & 7;
  }

  // #region acknowledge
  /**
   * The processor's INTA: moves the pending level from the IRR to the ISR and returns it. If the request
   * went away in the meantime, returns level 7 and leaves the ISR alone: a spurious interrupt.
   */
  acknowledge(): number {
    // #region exercise-acknowledge
    const level = this.pendingLevel;
    if (level === undefined) return SPURIOUS_LEVEL;
    this.#state.armed &= ~(1 << level);
    this.#state.isr |= 1 << level;
    if (this.#state.icw4 & ICW4_AEOI) this.#endOfInterrupt(level, this.#state.rotateOnAeoi);
    this.#dropInt();
    this.#drive();
    return level;
    // #endregion exercise-acknowledge
  }

  /** The vector of `level`: T7 to T3 of ICW2, then the level. */
  vector(level: number): number {
    return (this.#state.icw2 & 0xf8) | level;
  }
  // #endregion acknowledge

  read(offset: number): number {
    if (this.#state.poll) {
      this.#state.poll = false;
      return this.pendingLevel === undefined ? 0 : 0b1000_0000 | this.acknowledge();
    }
    if (offset === 1) return this.#state.imr;
    return this.#state.readIsr ? this.#state.isr : this.irr;
  }

  write(offset: number, _size: 1 | 2 | 4, value: number): void {
    value &= 0xff;
    if (offset === 0) {
      if (value & ICW1) this.#beginInitialization(value);
      else if (value & OCW3) this.#operationControl3(value);
      else this.#operationControl2(value);
    } else if (this.#state.expected === 0) {
      this.#state.imr = value;
    } else {
      this.#initialize(value);
    }
    this.#drive();
  }

  // #region initialization
  /** ICW1: forgets masks, service, priorities and modes; an input must rise anew to request. */
  #beginInitialization(icw1: number): void {
    const { lines, elcr, icw2, icw3 } = this.#state;
    this.#state = { ...powerOn(), lines, elcr, icw2, icw3, icw1, armed: ~lines & 0xff, expected: 2 };
  }

  /** Takes ICW2, ICW3 (not if ICW1 said SNGL) and ICW4 (if ICW1 said IC4), in this order. */
  #initialize(value: number): void {
    // #region exercise-initialization
    const word = this.#state.expected;
    if (word === 2) this.#state.icw2 = value;
    else if (word === 3) this.#state.icw3 = value;
    else this.#state.icw4 = value;
    this.#state.expected = 0;
    if (word < 3 && !(this.#state.icw1 & ICW1_SNGL)) this.#state.expected = 3;
    else if (word < 4 && this.#state.icw1 & ICW1_IC4) this.#state.expected = 4;
    else this.#state.initialized = true;
    // #endregion exercise-initialization
  }
  // #endregion initialization

  // #region end-of-interrupt
  /** OCW2: ends interrupts and rotates priorities. */
  #operationControl2(value: number): void {
    // #region exercise-end-of-interrupt
    const rotates = (value & OCW2_R) !== 0;
    const named = value & OCW2_SL ? value & 7 : undefined;
    if (value & OCW2_EOI) {
      // In special mask mode a non-specific EOI passes over levels that are masked.
      const level =
        named ??
        this.#highest(this.#state.specialMask ? this.#state.isr & ~this.#state.imr : this.#state.isr);
      if (level !== undefined) this.#endOfInterrupt(level, rotates);
    } else if (named === undefined) {
      this.#state.rotateOnAeoi = rotates;
    } else if (rotates) {
      this.#state.lowest = named;
    }
    // #endregion exercise-end-of-interrupt
  }

  #endOfInterrupt(level: number, rotates: boolean): void {
    this.#state.isr &= ~(1 << level);
    if (rotates) this.#state.lowest = level;
  }
  // #endregion end-of-interrupt

  /** OCW3: special mask mode, polling, and which register offset 0 reads. */
  #operationControl3(value: number): void {
    if (value & OCW3_ESMM) this.#state.specialMask = (value & OCW3_SMM) !== 0;
    if (value & OCW3_P) this.#state.poll = true;
    if (value & OCW3_RR) this.#state.readIsr = (value & OCW3_RIS) !== 0;
  }

  /** INT falls with each acknowledgement, so that a further request is a new edge for a master. */
  #dropInt(): void {
    if (this.#intHigh) this.int.lower();
    this.#intHigh = false;
  }

  #drive(): void {
    if (this.pendingLevel === undefined) this.#dropInt();
    else if (!this.#intHigh) {
      this.#intHigh = true;
      this.int.raise();
    }
  }

  save(): PicState {
    return { ...this.#state };
  }

  restore(state: PicState): void {
    this.#state = { ...state };
    // A restored pin has no edge: whoever listens is restored as well.
    this.#intHigh = this.pendingLevel !== undefined;
  }
}

// #region pair
/** The two controllers of a PC: IRQ 0 to 7 at the master, 8 to 15 at the slave behind its IR2. */
export class PicPair {
  readonly master: Pic;
  readonly slave: Pic;

  /** `intr` is the processor's INTR pin; leave it out where the run loop asks `interruptPending`. */
  constructor(intr: IrqLine = { raise() {}, lower() {} }) {
    this.master = new Pic(intr, true);
    this.slave = new Pic(
      {
        raise: () => this.master.setLine(CASCADE_LEVEL, true),
        lower: () => this.master.setLine(CASCADE_LEVEL, false),
      },
      false,
    );
  }

  setIrq(irq: number, high: boolean): void {
    if (irq < 8) this.master.setLine(irq, high);
    else this.slave.setLine(irq - 8, high);
  }

  /** The line of one IRQ, for the device that drives it. */
  line(irq: number): IrqLine {
    return { raise: () => this.setIrq(irq, true), lower: () => this.setIrq(irq, false) };
  }

  /** INTR: whether `acknowledge` would return the vector of a real request. */
  get interruptPending(): boolean {
    return this.master.pendingLevel !== undefined;
  }

  /** The processor's two INTA cycles: acknowledges the most urgent request and returns its vector. */
  acknowledge(): number {
    // #region exercise-cascade
    const level = this.master.acknowledge();
    if (!this.master.hasSlave(level)) return this.master.vector(level);
    // The master has put `level` on the cascade lines; a slave with another number stays silent, and
    // the processor reads a floating bus.
    if (this.slave.slaveId !== level) return 0xff;
    return this.slave.vector(this.slave.acknowledge());
    // #endregion exercise-cascade
  }

  save(): { master: PicState; slave: PicState } {
    return { master: this.master.save(), slave: this.slave.save() };
  }

  restore(state: { master: PicState; slave: PicState }): void {
    this.slave.restore(state.slave);
    this.master.restore(state.master);
  }
}
// #endregion pair
