/** One machine of the page: assembled around a guest or a saved state, run on the host's clock, looked into. */
import type { Disassembler } from "../../chapters/tools/disassembly.ts";
import { bootImage, imageKind } from "../../sandbox/boot/image.ts";
import type { Hypervisor } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { SoftVcpu } from "../../sandbox/kvm/soft/vcpu.ts";
import type { CardOptions } from "../../sandbox/machine/cards.ts";
import { assembleMachine, type Machine, type MachineEnd } from "../../sandbox/machine/machine.ts";
import { MachineRunner } from "../../sandbox/machine/runner.ts";
import { readSnapshot, restoreMachine, saveMachine } from "../../sandbox/machine/snapshot.ts";
import { RealTime } from "../../sandbox/machine/timekeeper.ts";
import { formatIpv4 } from "../../sandbox/net/addresses.ts";
import { Capture } from "../../sandbox/net/capture.ts";
import { Monitor } from "./monitor.ts";
import { PacketTape } from "./packet-tape.ts";
import type { PageHost } from "./page-host.ts";
import type { PageNetwork } from "./page-network.ts";
import type { GuestFiles, MachineStatus, MemoryLook, MonitorView } from "./protocol.ts";

const FLAT_IMAGE_AT = 0x1000;

export interface EmulatorOptions {
  readonly host: PageHost;
  readonly network: PageNetwork;
  /** As in `52:54:00:12:34:56`; a saved machine brings its own. */
  readonly mac: string;
  readonly output: (byte: number) => void;
  /** It has ended, or begun anew: worth a status. */
  readonly changed: () => void;
}

interface Assembly {
  readonly memorySize: number;
  readonly startDate: number;
  readonly guestTime: number;
  /** Null for a machine without a network card. */
  readonly card: { readonly mac: string; readonly transport: "mmio" | "pci" } | null;
  readonly hasEntropy: boolean;
}

export class Emulator {
  readonly #options: EmulatorOptions;
  readonly #hypervisor: Hypervisor = openSoft();
  readonly #machine: Machine;
  readonly #runner: MachineRunner;
  readonly #monitor = new Monitor();
  readonly #tape = new PacketTape();
  readonly #unplug: () => void;
  /** The guest's own reset has to be followed by a boot. */
  onReset: () => void = () => {};
  #end = "";
  #hasEnded = false;
  #before = { instructions: 0, at: 0 };

  /** A machine that stands before its guest's first instruction. Throws what `bootImage` and `assembleMachine` do. */
  static boot(guest: GuestFiles, options: EmulatorOptions): Emulator {
    const { name, image, initrd, commandLine, memorySize, transport } = guest;
    const kind = imageKind(name, image);
    const emulator = new Emulator(name, guest, options, {
      memorySize,
      startDate: options.host.date(),
      guestTime: 0,
      card: { mac: options.mac, transport },
      hasEntropy: true,
    });
    return emulator.#begin(({ parts: { memory, vcpu } }) => {
      const boot = { name, image, commandLine, address: FLAT_IMAGE_AT, ramSize: memorySize };
      bootImage(kind, memory, vcpu, initrd ? { ...boot, initrd } : boot);
    });
  }

  /** A machine that stands where the saved one stood. Throws a `SnapshotError`. */
  static restore(file: Uint8Array, options: EmulatorOptions): Emulator {
    const snapshot = readSnapshot(file);
    const { memorySize, startDate, guestTime, cards } = snapshot;
    const { network } = cards;
    const emulator = new Emulator("a saved machine", null, options, {
      memorySize,
      startDate,
      guestTime,
      card: network && { mac: network.mac, transport: network.mmio ? "mmio" : "pci" },
      hasEntropy: cards.entropy !== null,
    });
    return emulator.#begin(machine => restoreMachine(machine, snapshot));
  }

  private constructor(
    readonly name: string,
    readonly guest: GuestFiles | null,
    options: EmulatorOptions,
    private readonly assembly: Assembly,
  ) {
    this.#options = options;
    const { host, network, output } = options;
    const { memorySize, startDate, guestTime, card, hasEntropy } = assembly;
    const port = card && network.plug(() => this.#machine.onInput());
    this.#unplug = () => port?.unplug();
    const plugged: NonNullable<CardOptions["network"]>["backend"] = clock =>
      new Capture({
        backend: port!,
        clock,
        sink: this.#tape.add,
        seen: (frame, direction) => this.#tape.see(frame, direction, clock.now()),
      });
    try {
      this.#machine = assembleMachine({
        hypervisor: this.#hypervisor,
        memorySize,
        startDate,
        time: counter => new RealTime(counter, host.monotonic, guestTime),
        serialOutput: output,
        exitHandled: exit => this.#monitor.note(exit, this.#machine.exits),
        ...(card && { network: { backend: plugged, ...card } }),
        ...(hasEntropy && { entropy: host.randomBytes }),
      });
    } catch (error) {
      this.#close();
      throw error;
    }
    this.#runner = new MachineRunner(this.#machine, host, {
      ended: end => this.#ended(end),
      failed: error => this.#finish(`the monitor failed: ${error instanceof Error ? error.message : error}`),
    });
  }

  get mac(): string | null {
    return this.assembly.card?.mac ?? null;
  }

  get isRunning(): boolean {
    return this.#runner.isRunning;
  }

  resume(): void {
    if (!this.#hasEnded) this.#runner.start();
  }

  pause(): void {
    this.#runner.stop();
  }

  type(bytes: Uint8Array): void {
    this.#machine.type(bytes);
  }

  save(): Uint8Array {
    return this.#still(() => saveMachine(this.#machine));
  }

  look(memory: MemoryLook, disassemble: Disassembler | null): MonitorView {
    return this.#monitor.look(this.#machine, this.#tape, memory, disassemble);
  }

  packets(): Uint8Array {
    return this.#tape.file();
  }

  status(): MachineStatus {
    const { host, network } = this.#options;
    const { time, vcpu } = this.#machine.parts;
    const instructions = vcpu instanceof SoftVcpu ? vcpu.instructions : 0;
    const at = host.monotonic();
    const seconds = (at - this.#before.at) / 1e9;
    const rate = seconds > 0 ? Math.max(0, instructions - this.#before.instructions) / seconds : 0;
    this.#before = { instructions, at };
    const address = this.mac === null ? null : network.addressOf(this.mac);
    return {
      guest: this.name,
      state: this.#state(),
      end: this.#end,
      memorySize: this.assembly.memorySize,
      guestTime: time.clock.now(),
      exits: this.#machine.exits,
      rate: this.isRunning ? rate : 0,
      address: address === null ? "" : formatIpv4(address),
      frames: this.#tape.counters,
      canReset: this.guest !== null,
    };
  }

  close(): void {
    this.#runner.stop();
    this.#close();
  }

  #begin(setUp: (machine: Machine) => void): this {
    try {
      setUp(this.#machine);
    } catch (error) {
      this.close();
      throw error;
    }
    return this;
  }

  #state(): MachineStatus["state"] {
    if (this.#hasEnded) return "ended";
    if (!this.isRunning) return "paused";
    return this.#machine.isAsleep ? "asleep" : "running";
  }

  #still<Value>(action: () => Value): Value {
    const wasRunning = this.isRunning;
    this.#runner.stop();
    try {
      return action();
    } finally {
      if (wasRunning) this.#runner.start();
    }
  }

  #ended(end: MachineEnd): void {
    if (end.kind === "reset" && this.guest) this.onReset();
    else this.#finish(sentenceOf(end));
  }

  #finish(sentence: string): void {
    this.#end = sentence;
    this.#hasEnded = true;
    this.#options.changed();
  }

  #close(): void {
    this.#unplug();
    this.#hypervisor.close();
  }
}

function sentenceOf(end: MachineEnd): string {
  switch (end.kind) {
    case "halted":
      return "the guest has halted";
    case "power-off":
      return "the guest has switched the machine off";
    case "reset":
      return "the guest asked for a reset, and a restored machine has no image to boot: boot it anew";
    case "exit":
      return `the guest has ended with code ${end.code}`;
    case "failed":
      return end.sentence;
  }
}
