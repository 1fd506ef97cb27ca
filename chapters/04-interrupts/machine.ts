/**
 * The machine of chapter 4: two interrupt controllers, a metronome and a bell that interrupt, and a serial
 * port to print on.
 *
 * Time is the machine's own, as it will be in every later chapter: it moves by one microsecond with each
 * exit, and while the guest sleeps it jumps to the next beat. So any engine on any host sees the same beats.
 */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Buses, type RunOptions, runGuest } from "#layers/01-minimal-vm/vmm.ts";
import { type GuestTime, type InterruptSource, runInterruptible } from "#layers/04-interrupts/injection.ts";
import { PicPair } from "#layers/04-interrupts/pic.ts";
import { startInRealMode } from "../../sandbox/boot/real-mode.ts";
import { Printer } from "../../sandbox/devices/printer.ts";
import type { Exit, Hypervisor, Vcpu } from "../../sandbox/kvm/api.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";
import { Bell, Metronome } from "./devices.ts";

export const RAM_SIZE = 0x1_0000;
export const LOAD_ADDRESS = 0x1000;
export const SERIAL = 0x3f8;
export const EXIT_NANOSECONDS = 1000;
/** A guest that sleeps longer than this will not wake up any more. */
export const LONGEST_SLEEP_NANOSECONDS = 1e9;

export interface InterruptVm {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  readonly clock: ManualClock;
  readonly pics: PicPair;
  readonly metronome: Metronome;
  readonly buses: Buses;
  readonly time: GuestTime;
  run(options?: InterruptRunOptions): Exit;
  /** Runs the guest by the loop of chapter 1: no device can interrupt it. */
  runUninterrupted(options?: RunOptions): Exit;
}

export interface InterruptRunOptions extends RunOptions {
  /** Called with every vector that the controllers hand to the processor. */
  readonly onInterrupt?: (vector: number) => void;
}

// #region machine
/** Builds the machine around `image`; `print` gets every byte that the guest sends to its serial port. */
export function build(hypervisor: Hypervisor, image: Uint8Array, print: (byte: number) => void): InterruptVm {
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM_SIZE));
  memory.map(0, 0, RAM_SIZE);
  memory.load("the guest", image, LOAD_ADDRESS);

  const clock = new ManualClock();
  const pics = new PicPair();
  const metronome = new Metronome(clock, pics.line(0));
  const ports = new Bus();
  ports.register("PIC, master", 0x20, 2, pics.master);
  ports.register("metronome", 0x40, 4, metronome);
  ports.register("bell", 0x90, 1, new Bell(irq => pics.line(irq)));
  ports.register("PIC, slave", 0xa0, 2, pics.slave);
  ports.register("serial", SERIAL, 1, new Printer(print));

  const vcpu = vm.createVcpu(0);
  startInRealMode(vcpu, LOAD_ADDRESS);

  const buses = { ports, mmio: new Bus() };
  const time = guestTime(clock);
  const run = (options: InterruptRunOptions = {}) =>
    runInterruptible(vcpu, buses, watched(pics, options.onInterrupt), time, options);
  const runUninterrupted = (options?: RunOptions) => runGuest(vcpu, buses, options);
  return { vcpu, memory, clock, pics, metronome, buses, time, run, runUninterrupted };
}
// #endregion machine

// #region time
function guestTime(clock: ManualClock) {
  let awake = clock.now();
  return {
    catchUp() {
      clock.advance(EXIT_NANOSECONDS);
      awake = clock.now();
    },
    sleep: () => clock.nextDeadline - awake < LONGEST_SLEEP_NANOSECONDS && clock.advanceToNext(),
  };
}
// #endregion time

/** The controllers as the run loop sees them, telling about each vector. */
function watched(pics: PicPair, onInterrupt: (vector: number) => void = () => {}): InterruptSource {
  return {
    get interruptPending() {
      return pics.interruptPending;
    },
    acknowledge() {
      const vector = pics.acknowledge();
      onInterrupt(vector);
      return vector;
    },
  };
}
