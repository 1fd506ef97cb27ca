/**
 * The machine: a PC made of the book's layers and the given devices, on either engine.
 *
 * `assembleMachine` is its table of contents. There is no firmware: a loader (sandbox/boot, layer 8) puts
 * a guest into memory and its first state into the processor.
 */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { handleExit } from "#layers/01-minimal-vm/vmm.ts";
import { injectInterrupt } from "#layers/04-interrupts/injection.ts";
import type { A20Gate } from "../devices/reset-control.ts";
import type { Exit, Hypervisor, Vcpu, Vm } from "../kvm/api.ts";
import { placeAcpiTables } from "./acpi.ts";
import { type CardOptions, type Cards, plugCards } from "./cards.ts";
import { type Devices, makeDevices, plugMainboard } from "./mainboard.ts";
import type { Timekeeper, TimeStampCounter } from "./timekeeper.ts";

const MIB = 0x10_0000;
/** RAM leaves the hole of the VGA memory free, and ends below what answers in memory: the cards. */
const VIDEO_MEMORY = 0xa_0000;
const ROM_SHADOW = 0xc_0000;
const MOST_RAM = 0xc000_0000;

export interface MachineOptions extends CardOptions {
  readonly hypervisor: Hypervisor;
  /** Bytes, a multiple of 1 MiB, from 1 MiB to 3 GiB. */
  readonly memorySize: number;
  /** Makes the timekeeper; `counter` is the time-stamp counter, or null where the engine keeps it. */
  readonly time: (counter: TimeStampCounter | null) => Timekeeper;
  /** What the RTC shows at guest time 0, in milliseconds since 1970. */
  readonly startDate: number;
  /** A character left the serial port. */
  readonly serialOutput: (byte: number) => void;
  /** A character was written to the debug console, port 0xe9. */
  readonly debugOutput?: (byte: number) => void;
  /** An exit has been handled. The record is the vCPU's own, and is overwritten by the next entry. */
  readonly exitHandled?: ((exit: Exit) => void) | undefined;
}

/** How a machine comes to rest for good. */
export type MachineEnd =
  /** HLT with interrupts off: what a guest does that knows of no power switch. */
  | { readonly kind: "halted" }
  /** The guest switched the machine off, as ACPI says how. */
  | { readonly kind: "power-off" }
  /** The guest asked for a reset; without firmware it is for the caller to boot it again. */
  | { readonly kind: "reset" }
  /** The guest gave an exit code at the debug exit port. */
  | { readonly kind: "exit"; readonly code: number }
  /** A shutdown after a triple fault, or an error of the engine. */
  | { readonly kind: "failed"; readonly sentence: string };

/** What a step of the machine came to. */
export type Step =
  | { readonly kind: "ready" }
  /** Nothing to do for `nanoseconds` of the host's time, unless input comes. */
  | { readonly kind: "asleep"; readonly nanoseconds: number }
  /** The guest computes in a thread of its own; look again after `nanoseconds`, or when input comes. */
  | { readonly kind: "aside"; readonly nanoseconds: number }
  | { readonly kind: "ended"; readonly end: MachineEnd };

export class MachineError extends Error {
  override readonly name = "MachineError";
}

// #region assemble
export function assembleMachine(options: MachineOptions): Machine {
  const { hypervisor, memorySize } = options;
  if (memorySize % MIB !== 0 || memorySize < MIB || memorySize > MOST_RAM) {
    throw new MachineError(`${memorySize} bytes of RAM: a machine has 1 to 3072 MiB, in whole MiB`);
  }
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(memorySize));
  memory.map(0, 0, VIDEO_MEMORY, 0);
  memory.map(1, ROM_SHADOW, memorySize - ROM_SHADOW, ROM_SHADOW);
  const vcpu = vm.createVcpu(0);
  const time = options.time(hypervisor.name === "soft" ? vcpu : null);

  let end: MachineEnd | null = null;
  const finish = (how: MachineEnd) => {
    end ??= how;
  };
  let machine: Machine | null = null;
  const devices = makeDevices({
    ...options,
    clock: time.clock,
    a20: hypervisor.capabilities.a20Gate ? new ProcessorA20(vcpu) : { isOpen: true },
    intr: { raise: () => machine?.interruptRequested(), lower() {} },
    reset: () => finish({ kind: "reset" }),
    powerOff: () => finish({ kind: "power-off" }),
  });
  const buses = { ports: new Bus(), mmio: new Bus() };
  plugMainboard(buses.ports, devices, {
    output: options.debugOutput ?? (() => {}),
    exit: code => finish({ kind: "exit", code }),
  });
  const cards = plugCards(options, time.clock, memory, buses.mmio, devices);
  placeAcpiTables(memory, cards);
  machine = new Machine({ ...options, vm, vcpu, memory, time, devices, cards, buses, takeEnd: () => end });
  return machine;
}

/** The gate at the processor's pin. Where an engine has no such pin the devices only remember its state. */
class ProcessorA20 implements A20Gate {
  constructor(private readonly vcpu: Vcpu) {}

  get isOpen(): boolean {
    return this.vcpu.a20Gate === "open";
  }

  set isOpen(isOpen: boolean) {
    this.vcpu.a20Gate = isOpen ? "open" : "closed";
  }
}
// #endregion assemble

interface Parts {
  readonly hypervisor: Hypervisor;
  readonly memorySize: number;
  readonly startDate: number;
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  readonly time: Timekeeper;
  readonly devices: Devices;
  readonly cards: Cards;
  readonly buses: { readonly ports: Bus; readonly mmio: Bus };
  readonly takeEnd: () => MachineEnd | null;
  readonly exitHandled?: ((exit: Exit) => void) | undefined;
}

/** A step ends after this much: an exit that was handled counts 1, a budget that was spent 64. */
const STEP_WEIGHT = 256;
const BUDGET_WEIGHT = 64;

export class Machine {
  /** The processor executed HLT and waits for an interrupt. */
  isAsleep = false;
  /** Exits since the start. */
  exits = 0;
  /** Called when something came from outside that may end the guest's sleep. */
  onInput: () => void = () => {};
  #isInStep = false;
  #isAside = false;

  constructor(readonly parts: Parts) {}

  /** Characters arrive at the serial port. */
  type(bytes: Iterable<number>): void {
    this.parts.devices.serial.receive(bytes);
    this.onInput();
  }

  /** Sees to it that nothing runs between two steps, not even in a thread of its own. */
  pause(): void {
    this.#isAside = false;
    this.parts.vcpu.comeBack?.();
  }

  /** INTR rose: between two steps that means that something came from outside, a frame for instance. */
  interruptRequested(): void {
    if (!this.#isInStep) this.onInput();
  }

  // #region step
  /** Runs the guest for some milliseconds, or until it sleeps or ends. */
  step(): Step {
    this.#isInStep = true;
    try {
      return this.#run();
    } finally {
      this.#isInStep = false;
    }
  }

  #run(): Step {
    const { vcpu, buses, devices, time, takeEnd, exitHandled } = this.parts;
    if (this.#isAside) {
      this.pause();
      time.leave();
    }
    for (let weight = 0; weight < STEP_WEIGHT; ) {
      if (this.isAsleep && !devices.pics.interruptPending) {
        const nanoseconds = time.sleep();
        if (nanoseconds > 0 && !devices.pics.interruptPending) return { kind: "asleep", nanoseconds };
        weight++;
        continue;
      }
      this.isAsleep = false;
      injectInterrupt(vcpu, devices.pics);
      const exit = vcpu.run(time.enter());
      this.exits++;
      time.leave();
      const end = this.#handle(exit, buses) ?? takeEnd();
      exitHandled?.(exit);
      if (end) return { kind: "ended", end };
      weight += exit.reason === "INTR" ? BUDGET_WEIGHT : 1;
      if (exit.reason === "INTR" && this.#goAside()) return { kind: "aside", nanoseconds: time.sleep() };
    }
    return READY;
  }

  /** A guest that used its whole budget without an exit may use more: not in this thread, if it can be. */
  #goAside(): boolean {
    const { vcpu, devices } = this.parts;
    if (!vcpu.runAside || devices.pics.interruptPending) return false;
    this.#isAside = vcpu.runAside(() => this.interruptRequested());
    return this.#isAside;
  }

  #handle(exit: Exit, buses: { readonly ports: Bus; readonly mmio: Bus }): MachineEnd | null {
    switch (exit.reason) {
      case "IO":
      case "MMIO":
        handleExit(exit, buses);
        return null;
      case "HLT":
        if (!this.parts.vcpu.interruptFlag) return { kind: "halted" };
        this.isAsleep = true;
        return null;
      case "IRQ_WINDOW_OPEN":
      case "INTR":
        return null;
      default:
        return { kind: "failed", sentence: failure(exit, this.parts.vcpu) };
    }
  }
  // #endregion step

  close(): void {
    this.parts.vm.close();
  }
}

const READY: Step = { kind: "ready" };

/** Why the guest cannot go on, and where it stands. */
function failure(exit: Exit, vcpu: Vcpu): string {
  const { rip } = vcpu.getRegs();
  const { cs } = vcpu.getSregs();
  const where = `at ${cs.selector.toString(16)}:${rip.toString(16).padStart(8, "0")}`;
  switch (exit.reason) {
    case "SHUTDOWN":
      return `the guest shut the processor down (a triple fault) ${where}`;
    case "INTERNAL_ERROR":
      return `the engine cannot go on ${where}: ${exit.message}`;
    case "FAIL_ENTRY":
      return `the processor refused to enter the guest ${where} (reason 0x${exit.hardwareReason.toString(16)})`;
    default:
      return `the engine stopped with ${exit.reason} ${where}`;
  }
}
