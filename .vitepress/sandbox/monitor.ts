/** Looks into a machine for the monitor panel. Nothing of the machine is changed by it. */
import type { Disassembler } from "../../chapters/tools/disassembly.ts";
import { copyExit, exitLine } from "../../chapters/tools/exit-log.ts";
import type { Exit } from "../../sandbox/kvm/api.ts";
import type { Machine } from "../../sandbox/machine/machine.ts";
import { saveCards, saveDevices } from "../../sandbox/machine/snapshot-devices.ts";
import { CodeWindow } from "../../sandbox/session/code-window.ts";
import { privilege, processorMode, shownRegisters } from "../../sandbox/session/registers.ts";
import { translation } from "../../sandbox/session/translation.ts";
import type { PacketTape } from "./packet-tape.ts";
import type { MemoryLook, MonitorView } from "./protocol.ts";

const CODE_LINES = 16;
const SHOWN_EXITS = 200;
const SHOWN_FRAMES = 200;
const MOST_BYTES = 4096;
const CR0_PE = 1n;

export class Monitor {
  readonly #code = new CodeWindow(CODE_LINES);
  readonly #exits: { readonly number: number; readonly exit: Exit }[] = [];

  /** Called with each exit, once it is handled. An INTR only says that the host wanted its turn. */
  note(exit: Exit, number: number): void {
    if (exit.reason === "INTR") return;
    this.#exits.push({ number, exit: copyExit(exit) });
    if (this.#exits.length > 2 * SHOWN_EXITS) this.#exits.splice(0, SHOWN_EXITS);
  }

  look(
    { parts }: Machine,
    tape: PacketTape | null,
    look: MemoryLook,
    disassemble: Disassembler | null,
  ): MonitorView {
    const { vcpu, memory, devices, cards } = parts;
    const [regs, sregs] = [vcpu.getRegs(), vcpu.getSregs()];
    const translate = translation(parts);
    const physical = (address: number) => (isMapped(parts, address) ? memory.read(address, 1) : undefined);
    const linear = (address: number) => physical(translate(address));
    const base = Number(sregs.cs.base);
    const ip = (base + Number(regs.rip)) >>> 0;
    const bits = sregs.cs.db ? 32 : 16;
    const address = look.address ?? ip;
    const read = look.space === "linear" ? linear : physical;
    const length = Math.min(Math.max(0, look.length), MOST_BYTES);
    return {
      mode: processorMode(sregs, regs),
      privilege: privilege(sregs),
      where: `${hex(sregs.cs.selector, 4)}:${hex(regs.rip, sregs.cr0 & CR0_PE ? 8 : 4)}`,
      ip,
      registers: shownRegisters(regs, sregs),
      code: disassemble ? this.#code.read(linear, disassemble, ip, base, bits) : [],
      memory: {
        address,
        space: look.space,
        bytes: Array.from({ length }, (_, index) => read((address + index) >>> 0) ?? -1),
      },
      devices: Object.entries({ ...saveDevices(devices), ...saveCards(cards).states })
        .filter(([, state]) => state !== null)
        .map(([name, state]) => ({ name, state: JSON.stringify(state, plain, 1) })),
      exits: this.#exits.slice(-SHOWN_EXITS).map(({ number, exit }) => exitLine(number, exit)),
      frames: tape?.last(SHOWN_FRAMES) ?? [],
    };
  }
}

function isMapped({ memory }: Machine["parts"], address: number): boolean {
  return memory.slots.some(
    ({ guestAddress, size }) => address >= guestAddress && address < guestAddress + size,
  );
}

/** A list of numbers reads better on one line; a device's memory is not for reading at all. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (!Array.isArray(value) || value.some(item => typeof item === "object")) return value;
  const shown = value.slice(0, 32).join(" ");
  return value.length > 32 ? `${shown} … (${value.length})` : shown;
}

function hex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
