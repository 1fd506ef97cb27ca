/** Runs of the layer's UART for the figures: a receiver and its driver over time, and the interrupts. */
import {
  characterTime,
  LSR_DATA_READY,
  LSR_PARITY,
  type UartRegisters,
} from "#layers/06-serial/registers.ts";
import { MSR_DCD, MSR_DSR, Uart } from "#layers/06-serial/uart.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";

const RBR = 0;
const IER = 1;
const IIR = 2;
const FCR = 2;
const MCR = 4;
const LSR = 5;
const OUT2 = 0b1000;
const EIGHT_BITS = 0b11;

export const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

/** FCR with the FIFOs on and this trigger level. */
const fifosOn = (level: number) => (TRIGGER_LEVELS.indexOf(level as 1) << 6) | 1;

/** 8 bits, no parity, one stop bit at 115,200 baud. */
export const LINE: UartRegisters = { ier: 0, fcr: 0, lcr: EIGHT_BITS, mcr: 0, scr: 0, divisor: 1 };
export const CHARACTER = characterTime(LINE);

export interface FifoMoment {
  /** In character times. */
  readonly at: number;
  /** Characters in the FIFO, and characters that still wait on the line. */
  readonly waiting: number;
  readonly onLine: number;
  readonly irq: boolean;
  /** What the driver read from IIR here, without bits 7 and 6. */
  readonly identification?: number;
}

export interface FifoRun {
  /** How many characters come, one right behind the other. */
  readonly characters: number;
  readonly level: number;
  /** How long the driver takes to answer an interrupt, in character times. */
  readonly latency: number;
}

/**
 * A driver that answers each interrupt after `latency`: at the trigger level it takes as many characters
 * as that, after a timeout all there are. Every change is a moment.
 */
export function traceFifo({ characters, level, latency }: FifoRun): FifoMoment[] {
  const clock = new ManualClock();
  const moments: FifoMoment[] = [];
  let irq = false;
  const serve = () => {
    const identification = uart.read(IIR) & 0x0f;
    const count = identification === 0b0100 ? level : Number.POSITIVE_INFINITY;
    for (let taken = 0; taken < count && uart.read(LSR) & LSR_DATA_READY; taken++) uart.read(RBR);
    note(identification);
    if (irq) clock.schedule(clock.now() + latency * CHARACTER, serve);
  };
  const line = {
    raise() {
      irq = true;
      clock.schedule(clock.now() + latency * CHARACTER, serve);
    },
    lower() {
      irq = false;
    },
  };
  const uart = new Uart({ clock, irq: line, peer: { transmit() {} }, pace: "line" });
  const note = (identification?: number) => {
    const { received, line: onLine } = uart.save().receiver;
    moments.push({
      at: clock.now() / CHARACTER,
      waiting: received.length,
      onLine: onLine.length,
      irq,
      ...(identification !== undefined && { identification }),
    });
  };
  uart.write(FCR, 1, fifosOn(level));
  uart.write(MCR, 1, OUT2);
  uart.write(IER, 1, 0b0001);
  uart.receive(new Uint8Array(characters));
  note();
  while (clock.advanceToNext()) note();
  return moments;
}

export const CAUSES = [
  { name: "Receiver line status", enable: 0b0100 },
  { name: "Received data", enable: 0b0001 },
  { name: "Character timeout", enable: 0b0001 },
  { name: "Transmitter empty", enable: 0b0010 },
  { name: "Modem status", enable: 0b1000 },
] as const;

/** What IIR reads, bits 3 to 0, while these causes hold and IER enables them; and whether the IRQ is high. */
export function identify(
  holds: readonly boolean[],
  enabled: number,
): { readonly identification: number; readonly irq: boolean } {
  const [lineStatus, received, timeout, transmitter, modem] = holds;
  const clock = new ManualClock();
  let irq = false;
  const line = { raise: () => void (irq = true), lower: () => void (irq = false) };
  const uart = new Uart({ clock, irq: line, peer: { transmit() {} }, pace: "line" });
  uart.write(FCR, 1, fifosOn(8));
  uart.write(MCR, 1, OUT2);
  uart.write(IER, 1, enabled); // THR is empty, and enabling raises its interrupt
  if (!transmitter) for (let byte = 0; byte < 16; byte++) uart.write(RBR, 1, byte);
  const arrivals = received ? 8 : lineStatus || timeout ? 1 : 0;
  for (let byte = 0; byte < arrivals; byte++) uart.arrive(byte, byte === 0 && lineStatus ? LSR_PARITY : 0);
  if (timeout) clock.advance(4 * CHARACTER);
  if (modem) uart.setModemLines(MSR_DSR | MSR_DCD); // CTS falls
  return { irq, identification: uart.read(IIR) & 0x0f };
}
