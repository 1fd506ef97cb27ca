/**
 * The machine of chapter 5: an interrupt controller, the timer, the speaker behind it, and guest time.
 *
 * Time is the machine's own: it moves by one microsecond with each exit, and while the guest sleeps it
 * jumps to the next timer. So a guest that counts three seconds takes milliseconds, and any engine on any
 * host sees the same times.
 */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { Buses, RunOptions } from "#layers/01-minimal-vm/vmm.ts";
import { type GuestTime, runInterruptible } from "#layers/04-interrupts/injection.ts";
import { PicPair } from "#layers/04-interrupts/pic.ts";
import { Pit } from "#layers/05-pit/pit.ts";
import { startInRealMode } from "../../sandbox/boot/real-mode.ts";
import { DebugConsole } from "../../sandbox/devices/debug-console.ts";
import { SpeakerPort } from "../../sandbox/devices/speaker-port.ts";
import type { Exit, Hypervisor, Vcpu } from "../../sandbox/kvm/api.ts";
import { ManualClock } from "../../sandbox/machine/clock.ts";

export const RAM_SIZE = 0x1_0000;
export const LOAD_ADDRESS = 0x1000;
export const EXIT_NANOSECONDS = 1000;

/** A tone that the speaker begins or ceases to play. */
export interface Tone {
  readonly isOn: boolean;
  /** In hertz. */
  readonly frequency: number;
  /** Guest time in nanoseconds. */
  readonly at: number;
}

export interface TimerVm {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  readonly clock: ManualClock;
  readonly pics: PicPair;
  readonly pit: Pit;
  readonly speaker: SpeakerPort;
  readonly buses: Buses;
  readonly time: GuestTime;
  run(options?: RunOptions): Exit;
}

// #region machine
/** Builds the machine around `image`. `print` gets what the guest prints, `play` what the speaker plays. */
export function build(
  hypervisor: Hypervisor,
  image: Uint8Array,
  print: (byte: number) => void,
  play: (tone: Tone) => void = () => {},
): TimerVm {
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM_SIZE));
  memory.map(0, 0, RAM_SIZE);
  memory.load("the guest", image, LOAD_ADDRESS);

  const clock = new ManualClock();
  const pics = new PicPair();
  const pit = new Pit(clock, pics.line(0));
  const speaker = new SpeakerPort(pit, clock, isOn =>
    play({ isOn, frequency: pit.frequency(2), at: clock.now() }),
  );

  const ports = new Bus();
  ports.register("PIC, master", 0x20, 2, pics.master);
  ports.register("PIT", 0x40, 4, pit);
  ports.register("speaker", 0x61, 1, speaker);
  ports.register("PIC, slave", 0xa0, 2, pics.slave);
  ports.register("console", 0xe9, 1, new DebugConsole(print));

  const vcpu = vm.createVcpu(0);
  startInRealMode(vcpu, LOAD_ADDRESS);

  const buses = { ports, mmio: new Bus() };
  const time = {
    catchUp: () => clock.advance(EXIT_NANOSECONDS),
    sleep: () => clock.advanceToNext(),
  };
  const run = (options?: RunOptions) => runInterruptible(vcpu, buses, pics, time, options);
  return { vcpu, memory, clock, pics, pit, speaker, buses, time, run };
}
// #endregion machine
