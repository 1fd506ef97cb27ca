/** Two machines, the network between them, and the page's requests to them: all that lives in the worker. */
import type { Disassembler } from "../../chapters/tools/disassembly.ts";
import { BootImageError } from "../../sandbox/boot/boot-image-error.ts";
import { HypervisorError } from "../../sandbox/kvm/api.ts";
import { MachineError } from "../../sandbox/machine/machine.ts";
import { SnapshotError } from "../../sandbox/machine/snapshot.ts";
import { Emulator, type EmulatorOptions } from "./emulator.ts";
import type { PageHost } from "./page-host.ts";
import { PageNetwork, PageNetworkError } from "./page-network.ts";
import {
  type Answers,
  type GuestFiles,
  type RequestMessage,
  type RequestName,
  type Requests,
  SLOTS,
  type Slot,
  type WorkerMessage,
} from "./protocol.ts";

/** In QEMU's range of locally administered addresses. */
const MACS: Readonly<Record<Slot, string>> = { a: "52:54:00:12:34:56", b: "52:54:00:12:34:57" };
/** Milliseconds between what the page is told. */
const OUTPUT_EVERY = 12;
const STATUS_EVERY = 400;
const HEAP = 4096;

export interface LabOptions {
  readonly host: PageHost;
  readonly post: (message: WorkerMessage) => void;
  readonly loadDisassembler: () => Promise<Disassembler>;
}

/** What was asked for cannot be; the message says why. */
export class LabError extends Error {
  override readonly name = "LabError";
}

export class Lab {
  readonly #options: LabOptions;
  readonly #network: PageNetwork;
  readonly #machines = new Map<Slot, Emulator>();
  readonly #outputs: Readonly<Record<Slot, Output>>;
  #disassembler: Promise<Disassembler> | undefined;
  #disassemble: Disassembler | null = null;
  #isStatusPlanned = false;

  constructor(options: LabOptions) {
    this.#options = options;
    const { host, post } = options;
    const output = (slot: Slot) => new Output(host, bytes => post({ kind: "output", slot, bytes }));
    this.#outputs = { a: output("a"), b: output("b") };
    this.#network = new PageNetwork({
      host,
      pages: {
        "/": () => GREETING,
        "/machines.txt": () => this.#describe(),
      },
      machineNamed: name => {
        const [slot, domain] = [name.slice(0, 1), name.slice(1)];
        return domain === ".vmexit" ? (this.#machines.get(slot as Slot)?.mac ?? null) : null;
      },
    });
  }

  receive({ id, name, body }: RequestMessage): void {
    const answer = (value: unknown) => this.#options.post({ kind: "answer", id, value });
    const refuse = (error: unknown) => {
      if (!isExpected(error)) throw error;
      this.#options.post({ kind: "refusal", id, sentence: error.message });
    };
    try {
      const value: unknown = this.#actions[name](body as never);
      if (value instanceof Promise) void value.then(answer, refuse);
      else answer(value);
    } catch (error) {
      refuse(error);
    }
  }

  readonly #actions: {
    readonly [Name in RequestName]: (body: Requests[Name]) => Answers[Name] | Promise<Answers[Name]>;
  } = {
    boot: ({ slot, guest }) => this.#boot(slot, guest),
    restore: ({ slot, file }) => this.#put(slot, Emulator.restore(file, this.#emulatorOptions(slot))),
    save: ({ slot }) => this.#machine(slot).save(),
    pause: ({ slot }) => this.#changed(() => this.#machine(slot).pause()),
    resume: ({ slot }) => this.#changed(() => this.#machine(slot).resume()),
    reset: ({ slot }) => {
      const { guest } = this.#machine(slot);
      if (!guest) throw new LabError("a restored machine has no image to boot again: boot it anew");
      return this.#boot(slot, guest);
    },
    off: ({ slot }) =>
      this.#changed(() => {
        this.#machines.get(slot)?.close();
        this.#machines.delete(slot);
      }),
    type: ({ slot, bytes }) => {
      this.#machine(slot).type(bytes);
      return null;
    },
    look: ({ slot, memory }) => {
      // The first look is without it: it is on its way.
      this.#disassembler ??= this.#options.loadDisassembler();
      void this.#disassembler.then(disassemble => (this.#disassemble = disassemble));
      return this.#machine(slot).look(memory, this.#disassemble);
    },
    packets: ({ slot }) => this.#machine(slot).packets(),
    fetch: ({ slot, path }) => {
      const { mac } = this.#machine(slot);
      if (mac === null) throw new LabError("this machine has no network card");
      return this.#network.fetch(mac, path);
    },
  };

  #boot(slot: Slot, guest: GuestFiles): null {
    const emulator = Emulator.boot(guest, this.#emulatorOptions(slot));
    return this.#put(slot, emulator);
  }

  #put(slot: Slot, emulator: Emulator): null {
    const other = SLOTS.find(
      one => one !== slot && emulator.mac !== null && this.#machines.get(one)?.mac === emulator.mac,
    );
    if (other) {
      emulator.close();
      throw new LabError(
        `machine ${other.toUpperCase()} has the network card ${emulator.mac}, as this saved one does: restore it there, or switch that one off`,
      );
    }
    this.#machines.get(slot)?.close();
    this.#machines.set(slot, emulator);
    this.#outputs[slot].forget();
    emulator.onReset = () => {
      if (this.#machines.get(slot) === emulator) this.#boot(slot, emulator.guest!);
    };
    return this.#changed(() => emulator.resume());
  }

  #emulatorOptions(slot: Slot): EmulatorOptions {
    return {
      host: this.#options.host,
      network: this.#network,
      mac: this.#freeMac(slot),
      output: byte => this.#outputs[slot].add(byte),
      changed: () => void this.#changed(() => {}),
    };
  }

  /** The slot's own, unless a machine that was saved in this slot has been restored in another. */
  #freeMac(slot: Slot): string {
    const taken = SLOTS.filter(one => one !== slot).map(one => this.#machines.get(one)?.mac);
    return [MACS[slot], ...Object.values(MACS)].find(mac => !taken.includes(mac))!;
  }

  #machine(slot: Slot): Emulator {
    const machine = this.#machines.get(slot);
    if (!machine) throw new LabError(`machine ${slot.toUpperCase()} is switched off`);
    return machine;
  }

  #changed(action: () => void): null {
    action();
    this.#tellStatus();
    return null;
  }

  /** Now, and again and again while a machine runs. */
  #tellStatus(): void {
    const { host, post } = this.#options;
    for (const slot of SLOTS) {
      const status = this.#machines.get(slot)?.status() ?? null;
      post({ kind: "status", slot, status });
    }
    const isRunning = [...this.#machines.values()].some(machine => machine.isRunning);
    this.#network.setRunning(isRunning);
    if (!isRunning || this.#isStatusPlanned) return;
    this.#isStatusPlanned = true;
    host.later(STATUS_EVERY, () => {
      this.#isStatusPlanned = false;
      this.#tellStatus();
    });
  }

  #describe(): string {
    const lines = [...this.#machines].map(([slot, machine]) => {
      const { guest, state, memorySize, guestTime, address } = machine.status();
      const facts = [address || "no address", guest, `${memorySize / 2 ** 20} MiB`];
      return `${slot.toUpperCase()}  ${facts.join(", ")}, ${state}, up ${(guestTime / 1e9).toFixed(0)} s\n`;
    });
    return lines.join("");
  }
}

const GREETING = `This page came from the page that you look at.

Your request was an Ethernet frame in guest memory. A virtio card took it
from its ring, a switch and a user-mode network of TypeScript carried it,
and a function answered. Nothing of it has left your browser.

  /machines.txt   the machines on this network
`;

/** What a user can repair gets its sentence; anything else is a mistake of ours, and costs the worker. */
function isExpected(error: unknown): error is Error {
  return [BootImageError, HypervisorError, LabError, MachineError, PageNetworkError, SnapshotError].some(
    kind => error instanceof kind,
  );
}

/** A guest's characters, told some milliseconds' worth at a time. */
class Output {
  #bytes = new Uint8Array(HEAP);
  #length = 0;
  #cancel: (() => void) | null = null;

  constructor(
    private readonly host: PageHost,
    private readonly tell: (bytes: Uint8Array) => void,
  ) {}

  add(byte: number): void {
    if (this.#length === this.#bytes.length) this.#flush();
    this.#bytes[this.#length++] = byte;
    this.#cancel ??= this.host.later(OUTPUT_EVERY, () => this.#flush());
  }

  forget(): void {
    this.#length = 0;
    this.#flush();
  }

  #flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#length > 0) this.tell(this.#bytes.slice(0, this.#length));
    this.#length = 0;
  }
}
