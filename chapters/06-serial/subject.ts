/** What the graded tests of chapter 6 may ask of a learner's serial port: operations in, plain results out. */
import { characterTime } from "#layers/06-serial/registers.ts";
import { Uart } from "#layers/06-serial/uart.ts";
import type { Hypervisor } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";
import { build } from "./machine.ts";

/** One operation on a serial port. `at` is the offset of a register, times are nanoseconds. */
export type SerialOperation =
  | { do: "write"; at: number; bytes: number[] }
  | { do: "read"; at: number }
  /** Reads the same register several times. */
  | { do: "readMany"; at: number; times: number }
  | { do: "advance"; by: number }
  /** Characters arrive, room or not; `errors` are bits of LSR. */
  | { do: "arrive"; bytes: number[]; errors?: number }
  /** Bytes are put on the line, where they wait for room. */
  | { do: "receive"; bytes: number[] }
  /** The modem's lines, as MSR shows them. */
  | { do: "modem"; lines: number }
  | { do: "irq" };

export interface SerialTrace {
  readonly results: (number | boolean | number[] | null)[];
  /** What left the line, and when. */
  readonly sent: { byte: number; at: number }[];
  /** How often the interrupt line rose. */
  readonly rises: number;
}

export interface SerialGuestRun {
  readonly output: string;
  readonly last: string;
  readonly time: number;
}

export const subject = {
  /** Nanoseconds of a character, for pairs of LCR and divisor. */
  characterTime: (formats: readonly [lcr: number, divisor: number][]): number[] =>
    formats.map(([lcr, divisor]) => characterTime({ ier: 0, fcr: 0, lcr, mcr: 0, scr: 0, divisor })),

  /** Runs operations on a serial port whose line is at 115,200 baud, 8 bits, no parity, 1 stop bit. */
  serial(pace: "line" | "immediate", operations: readonly SerialOperation[]): SerialTrace {
    const clock = new ManualClock();
    const sent: SerialTrace["sent"] = [];
    let isRaised = false;
    let rises = 0;
    const irq = {
      raise() {
        isRaised = true;
        rises++;
      },
      lower() {
        isRaised = false;
      },
    };
    const peer = { transmit: (byte: number) => void sent.push({ byte, at: clock.now() }) };
    const uart = new Uart({ clock, irq, peer, pace });
    const perform = (operation: SerialOperation): SerialTrace["results"][number] => {
      switch (operation.do) {
        case "write":
          for (const byte of operation.bytes) uart.write(operation.at, 1, byte);
          return null;
        case "read":
          return uart.read(operation.at);
        case "readMany":
          return Array.from({ length: operation.times }, () => uart.read(operation.at));
        case "advance":
          clock.advance(operation.by);
          return null;
        case "arrive":
          for (const byte of operation.bytes) uart.arrive(byte, operation.errors ?? 0);
          return null;
        case "receive":
          return uart.receive(operation.bytes);
        case "modem":
          uart.setModemLines(operation.lines);
          return null;
        case "irq":
          return isRaised;
      }
    };
    const results = operations.map(perform);
    return { results, sent, rises };
  },

  /** Pastes `bytes` and reads as a driver does: whenever LSR tells of data, RBR is read until it does not. */
  paste(pace: "line" | "immediate", bytes: Uint8Array): Uint8Array {
    const clock = new ManualClock();
    const uart = new Uart({ clock, pace, irq: { raise() {}, lower() {} }, peer: { transmit() {} } });
    uart.write(2, 1, 0b0000_0001);
    uart.receive(bytes);
    const read: number[] = [];
    do {
      while (uart.read(5) & 1 && read.length <= bytes.length) read.push(uart.read(0));
    } while (clock.advanceToNext());
    return Uint8Array.from(read);
  },

  /** Boots a guest of this chapter on the soft engine, with `typed` on the line. */
  guest(image: Uint8Array, typed: string): SerialGuestRun {
    const hypervisor = openSoft();
    try {
      return bootGuest(hypervisor, image, typed);
    } finally {
      hypervisor.close();
    }
  },
};

/** Runs a guest to its end on any engine. */
export function bootGuest(hypervisor: Hypervisor, image: Uint8Array, typed: string): SerialGuestRun {
  let output = "";
  const machine = build(hypervisor, image, byte => (output += String.fromCharCode(byte)));
  if (typed) machine.serial.receive(new TextEncoder().encode(typed));
  const last = machine.run({ maxExits: 100_000, budget: { instructions: 100_000, milliseconds: 100 } });
  return { output, last: last.reason, time: machine.clock.now() };
}
