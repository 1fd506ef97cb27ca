// Starter: write the exercises here; `npm run chapter 6` runs them, `npm run chapter 6 test` tests them.
// Generated from solutions/06-serial/registers.ts by `npm run starters` (13ffc9c2).
/**
 * The registers of the NS16550A that receiver and transmitter share, and what their bits mean to both.
 *
 * Source: National Semiconductor PC16550D data sheet, section 8 "Registers".
 */

/** What was written to IER, FCR, LCR, MCR, SCR and the divisor latch. */
export interface UartRegisters {
  ier: number;
  fcr: number;
  lcr: number;
  mcr: number;
  scr: number;
  divisor: number;
}

export const FIFO_DEPTH = 16;

const FCR_ENABLE = 0b0000_0001;

const LCR_WORD_LENGTH = 0b0000_0011; // 5 to 8 bits
const LCR_STOP = 0b0000_0100;
const LCR_PARITY = 0b0000_1000;

const MCR_LOOP = 0b0001_0000;

/** LSR; the errors OE, PE, FE and BI are called by these names. */
export const LSR_DATA_READY = 0b0000_0001;
export const LSR_OVERRUN = 0b0000_0010;
export const LSR_PARITY = 0b0000_0100;
export const LSR_FRAMING = 0b0000_1000;
export const LSR_BREAK = 0b0001_0000;
export const LSR_THRE = 0b0010_0000;
export const LSR_TEMT = 0b0100_0000;
export const LSR_FIFO_ERROR = 0b1000_0000;

/** One bit lasts divisor × 16 periods of 1.8432 MHz: divisor × 78,125 / 9 ns. */
const BIT_NANOSECONDS = 78_125 / 9;

export function hasFifos({ fcr }: UartRegisters): boolean {
  return (fcr & FCR_ENABLE) !== 0;
}

export function isLoop({ mcr }: UartRegisters): boolean {
  return (mcr & MCR_LOOP) !== 0;
}

// #region format
/** How long a character takes, in nanoseconds: start bit, word, parity, stop bits. */
export function characterTime({ lcr, divisor }: UartRegisters): number {
  // #region exercise-character-time
  throw new Error(
    "exercise character-time: compute how many nanoseconds a character takes: start bit, word, parity and stop bits, times the divisor · chapter 6, “How long a character takes”",
  );
  // #endregion exercise-character-time
}

/** The bits of a byte that the line's words have room for. */
export function wordMask({ lcr }: UartRegisters): number {
  return 0xff >> (3 - (lcr & LCR_WORD_LENGTH));
}
// #endregion format
