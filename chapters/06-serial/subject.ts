/** What the graded tests of chapter 6 may ask of a learner's serial port: operations in, plain results out. */
import { Receiver, type ReceiverOptions } from "#layers/06-serial/receiver.ts";
import { characterTime, type UartRegisters } from "#layers/06-serial/registers.ts";
import { Transmitter } from "#layers/06-serial/transmitter.ts";
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
  /** Goes on with OUT2 set and these changes of the modem lines, as after a restore. */
  | { do: "openGate"; modemChanges?: number }
  /** What the port has kept of FCR. */
  | { do: "fcr" }
  | { do: "irq" };

/** One operation on a transmitter that hangs on no port. Times are nanoseconds. */
export type TransmitterOperation =
  | { do: "write"; bytes: number[] }
  | { do: "status" }
  | { do: "advance"; by: number }
  | { do: "enable" }
  | { do: "note" }
  | { do: "asks" };

/** One operation on a receiver that hangs on no port. Times are nanoseconds. */
export type ReceiverOperation =
  | { do: "arrive"; bytes: number[]; errors?: number }
  | { do: "read"; times?: number }
  | { do: "status" }
  | { do: "advance"; by: number }
  | { do: "timedOut" }
  /** What the next read of LSR would tell of errors. */
  | { do: "errors" };

type Result = number | boolean | number[] | null;

export interface TransmitterTrace {
  readonly results: Result[];
  /** What left the line, and when. */
  readonly sent: { byte: number; at: number }[];
}

export interface SerialTrace {
  readonly results: Result[];
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

const FCR_ENABLE = 0b0001;
const OUT2 = 0b0_1000;

/** 115,200 baud, 8 bits, no parity, 1 stop bit. */
const registersWith = (fcr: number): UartRegisters => ({
  ier: 0,
  fcr,
  lcr: 0b11,
  mcr: 0,
  scr: 0,
  divisor: 1,
});

const receiverOptions = (clock: ManualClock, pace: "line" | "immediate", fcr: number): ReceiverOptions => ({
  clock,
  registers: registersWith(fcr),
  isPaced: pace === "line",
  changed() {},
  drained() {},
});

/** A receiver that can be tested before its timeout is written: it never comes. */
class PatientReceiver extends Receiver {
  protected override restartTimeout(): void {}
}

export const subject = {
  /** Nanoseconds of a character, for pairs of LCR and divisor. */
  characterTime: (formats: readonly [lcr: number, divisor: number][]): number[] =>
    formats.map(([lcr, divisor]) => characterTime({ ...registersWith(0), lcr, divisor })),

  /** Runs operations on a transmitter, at 115,200 baud where its pace is the line's. */
  transmitter(
    pace: "line" | "immediate",
    fcr: number,
    operations: readonly TransmitterOperation[],
  ): TransmitterTrace {
    const clock = new ManualClock();
    const sent: TransmitterTrace["sent"] = [];
    const transmitter = new Transmitter({
      clock,
      registers: registersWith(fcr),
      isPaced: pace === "line",
      transmit: byte => void sent.push({ byte, at: clock.now() }),
      changed() {},
    });
    const perform = (operation: TransmitterOperation): Result => {
      switch (operation.do) {
        case "write":
          for (const byte of operation.bytes) transmitter.writeByte(byte);
          return null;
        case "status":
          return transmitter.status;
        case "advance":
          clock.advance(operation.by);
          return null;
        case "enable":
          transmitter.interruptEnabled();
          return null;
        case "note":
          transmitter.noteInterrupt();
          return null;
        case "asks":
          return transmitter.asksForMore;
      }
    };
    return { results: operations.map(perform), sent };
  },

  /** Runs operations on a receiver at 115,200 baud; one that is patient has no timeout. */
  receiver(fcr: number, operations: readonly ReceiverOperation[], { isPatient = false } = {}): Result[] {
    const clock = new ManualClock();
    const options = receiverOptions(clock, "line", fcr);
    const receiver = isPatient ? new PatientReceiver(options) : new Receiver(options);
    const perform = (operation: ReceiverOperation): Result => {
      switch (operation.do) {
        case "arrive":
          for (const byte of operation.bytes) receiver.arrive(byte, operation.errors ?? 0);
          return null;
        case "read":
          if (operation.times === undefined) return receiver.readByte();
          return Array.from({ length: operation.times }, () => receiver.readByte());
        case "status":
          return receiver.takeStatus();
        case "advance":
          clock.advance(operation.by);
          return null;
        case "timedOut":
          return receiver.hasTimedOut;
        case "errors":
          return receiver.save().errors;
      }
    };
    return operations.map(perform);
  },

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
    const perform = (operation: SerialOperation): Result => {
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
        case "openGate": {
          const state = uart.save();
          const registers = { ...state.registers, mcr: OUT2 };
          uart.restore({ ...state, registers, modemChanges: operation.modemChanges ?? state.modemChanges });
          return null;
        }
        case "fcr":
          return uart.save().registers.fcr;
        case "irq":
          return isRaised;
      }
    };
    const results = operations.map(perform);
    return { results, sent, rises };
  },

  /** Pastes `bytes` and reads as a driver does: whenever there is data, it reads until there is none. */
  paste(pace: "line" | "immediate", bytes: Uint8Array): Uint8Array {
    const clock = new ManualClock();
    const receiver = new PatientReceiver(receiverOptions(clock, pace, FCR_ENABLE));
    receiver.receive(bytes);
    const read: number[] = [];
    do {
      while (receiver.save().received.length > 0 && read.length <= bytes.length)
        read.push(receiver.readByte());
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
