/**
 * The machines of chapters 5 and 6 for the page: a guest and a device on guest time. One turn is one exit;
 * what the device shows is text made of its saved state.
 */
import {
  handleInterruptibleExit,
  injectInterrupt,
  sleepUntilInterrupt,
} from "#layers/04-interrupts/injection.ts";
import { Counter } from "#layers/05-pit/counter.ts";
import type { UartState } from "#layers/06-serial/uart.ts";
import { build as buildTimer, type TimerVm } from "../../chapters/05-pit/machine.ts";
import { build as buildSerial, type SerialVm } from "../../chapters/06-serial/machine.ts";
import { exitLine, hexBytes } from "../../chapters/tools/exit-log.ts";
import type { Exit, Regs, Sregs } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { MODE_NAMES } from "./counter-trace.ts";
import { instructionText } from "./instruction-text.ts";

export interface DeviceRow {
  readonly name: string;
  readonly value: string;
  readonly changed: boolean;
}

export interface DeviceView {
  readonly address: string;
  readonly instruction: string;
  readonly registers: readonly DeviceRow[];
  readonly device: readonly DeviceRow[];
  readonly output: string;
  /** The last lines of the exit log. */
  readonly exits: readonly string[];
  readonly exitCount: number;
  /** Guest time in milliseconds. */
  readonly time: string;
  /** The guest sleeps until something comes from outside. */
  readonly isAsleep: boolean;
  /** The exit that ended the guest, or nothing. */
  readonly ended: string;
}

export interface DeviceMachine {
  /** One instruction. */
  step(): void;
  /** On to the next exit and over it. */
  toExit(): void;
  /** Some hundred exits. */
  run(): void;
  /** Puts text on the serial line, where there is one. */
  type?: (text: string) => void;
  view(): DeviceView;
  close(): void;
}

const TO_EXIT = 1_000_000;
const EXITS_A_SLICE = 400;
const SHOWN_EXITS = 12;
const LONGEST_INSTRUCTION = 15;
const GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"] as const;

type Rows = readonly (readonly [name: string, value: string])[];

export function openTimerMachine(image: Uint8Array): DeviceMachine {
  const hypervisor = openSoft();
  let output = "";
  const tone = { isOn: false, frequency: 0 };
  const machine = buildTimer(
    hypervisor,
    image,
    byte => (output += String.fromCharCode(byte)),
    ({ isOn, frequency }) => Object.assign(tone, { isOn, frequency }),
  );
  const rows = () => [
    ...counterRows(machine),
    ...controllerRows(machine),
    ["Speaker", tone.isOn ? `${tone.frequency.toFixed(1)} Hz` : "silent"] as const,
  ];
  return {
    ...drive(machine, rows, () => output, false),
    close: () => hypervisor.close(),
  };
}

export function openSerialMachine(image: Uint8Array): DeviceMachine {
  const hypervisor = openSoft();
  let output = "";
  const machine = buildSerial(hypervisor, image, byte => (output += String.fromCharCode(byte)));
  const rows = () => [...uartRows(machine.serial.save()), ...controllerRows(machine)];
  return {
    ...drive(machine, rows, () => output, true),
    type: text => machine.serial.receive(new TextEncoder().encode(text)),
    close: () => hypervisor.close(),
  };
}

/** The run loop of `runInterruptible`, one turn at a time. What `hears` can be woken from outside. */
function drive(
  { vcpu, memory, clock, pics, buses, time }: TimerVm | SerialVm,
  rows: () => Rows,
  output: () => string,
  hears: boolean,
): Omit<DeviceMachine, "close" | "type"> {
  const exits: string[] = [];
  let exitCount = 0;
  let ended = "";
  let isAsleep = false;
  let before = snapshot();

  function snapshot(): { registers: Rows; device: Rows } {
    return { registers: cells(vcpu.getRegs(), vcpu.getSregs()), device: rows() };
  }
  /** Returns whether there was an exit. */
  function turn(instructions: number): boolean {
    if (isAsleep && !sleepUntilInterrupt(pics, time)) return false;
    isAsleep = false;
    injectInterrupt(vcpu, pics);
    const exit = vcpu.run({ instructions });
    if (exit.reason === "INTR") return false;
    const goesOn = handleInterruptibleExit(exit, vcpu, buses, pics, time);
    note(exit);
    isAsleep = !goesOn && hears && exit.reason === "HLT" && vcpu.interruptFlag;
    if (goesOn) time.catchUp();
    else if (!isAsleep) ended = exit.reason;
    return true;
  }
  function note(exit: Exit): void {
    exitCount++;
    exits.push(exitLine(exitCount, exit));
    if (exits.length > SHOWN_EXITS) exits.shift();
  }
  const changes = (now: Rows, then: Rows) =>
    now.map(([name, value], index) => ({ name, value, changed: then[index]?.[1] !== value }));

  return {
    step() {
      if (ended) return;
      before = snapshot();
      turn(1);
    },
    toExit() {
      if (ended) return;
      before = snapshot();
      turn(TO_EXIT);
    },
    run() {
      before = snapshot();
      for (let count = 0; count < EXITS_A_SLICE && !ended; count++) if (!turn(TO_EXIT) || isAsleep) return;
    },
    view() {
      const [regs, sregs] = [vcpu.getRegs(), vcpu.getSregs()];
      const code = memory.readBytes(Number(sregs.cs.base + regs.rip), LONGEST_INSTRUCTION);
      const { length, text } = instructionText(code);
      const now = snapshot();
      return {
        address: `${hex(sregs.cs.selector, 4)}:${hex(regs.rip, 4)}  ${hexBytes(code.subarray(0, length))}`,
        instruction: text,
        registers: changes(now.registers, before.registers),
        device: changes(now.device, before.device),
        output: output(),
        exits: [...exits],
        exitCount,
        time: (clock.now() / 1e6).toFixed(3),
        isAsleep,
        ended,
      };
    },
  };
}

function counterRows({ pit }: TimerVm): Rows {
  return pit.save().counters.flatMap((state, channel): Rows => {
    const counter = new Counter();
    counter.restore(state);
    const { mode, out } = counter;
    const title = `Counter ${channel}`;
    if (state.reload === 0) return [[title, `mode ${mode}, waits for a count`] as const];
    return [
      [title, `mode ${mode}, ${MODE_NAMES[mode]}`] as const,
      [`  CR ${channel}`, state.reload.toLocaleString("en")] as const,
      [`  OUT ${channel}`, out ? "high" : "low"] as const,
    ];
  });
}

function uartRows({ registers, receiver, transmitter }: UartState): Rows {
  const characters = (codes: readonly number[]) =>
    codes.length === 0 ? "empty" : `${codes.length}: ${hexBytes(Uint8Array.from(codes))}`;
  return [
    ["Line in", `${receiver.line.length} waiting`],
    ["Receiver", characters(receiver.received)],
    ["THR, FIFO", characters(transmitter.waiting)],
    ["Shifting", transmitter.shifting === null ? "idle" : hex(transmitter.shifting, 2)],
    ["IER", registers.ier.toString(2).padStart(4, "0")],
    ["LCR", registers.lcr.toString(2).padStart(8, "0")],
    ["MCR", registers.mcr.toString(2).padStart(5, "0")],
    ["Divisor", registers.divisor.toLocaleString("en")],
  ];
}

function controllerRows({ pics: { master } }: TimerVm | SerialVm): Rows {
  const bits = (value: number) => value.toString(2).padStart(8, "0");
  return [
    ["IRR", bits(master.irr)],
    ["ISR", bits(master.isr)],
  ];
}

function cells(regs: Regs, sregs: Sregs): Rows {
  return [
    ...GENERAL.map(name => [name.slice(1).toUpperCase(), hex(regs[name] & 0xffffn, 4)] as const),
    ["CS", hex(sregs.cs.selector, 4)],
    ["IP", hex(regs.rip, 4)],
    ["IF", (regs.rflags >> 9n) & 1n ? "1" : "0"],
  ];
}

function hex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
