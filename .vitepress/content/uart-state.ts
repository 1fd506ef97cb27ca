/** The saved state of a UART as its driver would read it: the layer's own UART answers. */
import { FIFO_DEPTH } from "#layers/06-serial/registers.ts";
import { Uart, type UartState } from "#layers/06-serial/uart.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";

export const CAUSES: Readonly<Record<number, string>> = {
  6: "line status",
  4: "received data, at the trigger level",
  12: "character timeout",
  2: "transmitter empty",
  0: "modem status",
  1: "none",
};

export const LSR_NAMES = ["DR", "OE", "PE", "FE", "BI", "THRE", "TEMT", "FIFOERR"] as const;

export interface UartReading {
  readonly cause: string;
  readonly isPending: boolean;
  /** LSR as the next read would return it. */
  readonly status: number;
  readonly irq: boolean;
  readonly hasFifos: boolean;
  /** Characters that the receiver's FIFO must hold before it interrupts. */
  readonly trigger: number;
}

const TRIGGERS = [1, 4, 8, 14] as const;

/** `time` is the guest time at which `state` was saved. Reading is done on a copy: the UART notices nothing. */
export function readUart(state: UartState, time: number): UartReading {
  let irq = false;
  const copy = new Uart({
    clock: new ManualClock(time),
    irq: { raise: () => (irq = true), lower: () => (irq = false) },
    peer: { transmit() {} },
    pace: "line",
  });
  copy.restore(state);
  const isRaised = irq;
  const identification = copy.read(2) & 0b1111;
  return {
    cause: CAUSES[identification] ?? "unknown",
    isPending: (identification & 1) === 0,
    status: copy.read(5),
    irq: isRaised,
    hasFifos: (state.registers.fcr & 1) !== 0,
    trigger: TRIGGERS[state.registers.fcr >> 6] ?? 1,
  };
}

/** How full the receiver was over time, for a picture. */
export function fill(state: UartState): { received: number; waiting: number } {
  return {
    received: Math.min(FIFO_DEPTH, state.receiver.received.length),
    waiting: state.transmitter.waiting.length,
  };
}
