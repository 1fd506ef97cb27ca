/** What a session shows of itself at one moment: plain data, to be sent to a page. */
import type { Disassembler } from "../../chapters/tools/disassembly.ts";
import type { Exit } from "../kvm/api.ts";
import { SoftVcpu } from "../kvm/soft/vcpu.ts";
import { type CodeLine, CodeWindow } from "./code-window.ts";
import type { Condition, Position } from "./history.ts";
import {
  type ProcessorMode,
  privilege,
  processorMode,
  type ShownRegister,
  shownRegisters,
} from "./registers.ts";
import type { News } from "./ring.ts";
import type { Logged, Sample, Session } from "./session.ts";
import type { SavedDevices } from "./session-machine.ts";
import { translation } from "./translation.ts";

export interface ViewedRegister extends ShownRegister {
  readonly changed: boolean;
}

export interface MachineView {
  readonly condition: Condition;
  /** The exit that ended the guest. */
  readonly end: Exit | null;
  readonly position: Position;
  readonly latest: Position;
  readonly mode: ProcessorMode;
  readonly privilege: number;
  readonly registers: readonly ViewedRegister[];
  /** The next instruction: its linear address, and CS:IP for people. */
  readonly ip: number;
  readonly where: string;
  /** Empty while no disassembler is there. */
  readonly code: readonly CodeLine[];
  readonly codeBase: number;
  readonly breakpoints: readonly number[];
  readonly stack: readonly { readonly address: number; readonly value: number }[];
  readonly wordSize: 2 | 4;
  readonly memory: MemoryView;
  /** The memory slots, as they are mapped. */
  readonly slots: readonly Slot[];
  /** What the TLB holds; empty while paging is off. */
  readonly tlb: readonly TlbEntry[];
  readonly output: { readonly from: number; readonly bytes: Uint8Array };
  readonly log: News<Logged>;
  readonly samples: News<Sample>;
  /** Guest time and the devices' own states, as their `save` gives them. */
  readonly devices: SavedDevices;
  /** What the machine's layer shows of guest memory. */
  readonly picture?: unknown;
}

export interface Slot {
  readonly slot: number;
  readonly at: number;
  readonly size: number;
  readonly from: number;
  readonly readOnly: boolean;
}

/** A page that the TLB remembers, and for which kinds of access. */
export interface TlbEntry {
  readonly linear: number;
  readonly physical: number;
  /** Of "R", "W" for the supervisor, "UR", "UW" for programs. */
  readonly rights: readonly string[];
}

export interface MemoryView {
  readonly address: number;
  readonly space: "linear" | "physical";
  /** -1 where nothing is mapped. */
  readonly bytes: readonly number[];
  /** Indices of bytes that are not as they were at the last look at this place. */
  readonly changed: readonly number[];
}

/** What somebody wants to see of memory. */
export interface MemoryLook {
  readonly address: number;
  readonly space: "linear" | "physical";
  readonly length: number;
}

const CODE_LINES = 16;
const STACK_WORDS = 8;
const MOST_TLB_ENTRIES = 64;
const CR0_PE = 1n;
const CR0_PG = 1n << 31n;

/** Makes views of one session, and remembers the last one to mark what has changed. */
export class Viewer {
  memoryLook: MemoryLook = { address: 0, space: "linear", length: 128 };
  disassemble: Disassembler | undefined;
  readonly #code = new CodeWindow(CODE_LINES);
  #registers = new Map<string, number>();
  #memory = new Map<number, number>();

  constructor(readonly session: Session) {}

  /** The next view is the first again. */
  forget(): void {
    const { log, samples, output } = this.session;
    log.tellAgain();
    samples.tellAgain();
    output.tellAgain();
    this.#registers.clear();
    this.#memory.clear();
    this.#code.forget();
  }

  view(): MachineView {
    const { session } = this;
    const { vcpu, memory, save, picture } = session.machine;
    const [regs, sregs] = [vcpu.getRegs(), vcpu.getSregs()];
    const translate = translation(session.machine);
    const read = (linear: number) => byteAt(memory, translate(linear));
    const base = Number(sregs.cs.base);
    const ip = (base + Number(regs.rip)) >>> 0;
    const bits = sregs.cs.db ? 32 : 16;
    const registers = shownRegisters(regs, sregs);
    const wordSize = sregs.ss.db ? 4 : 2;
    const view: MachineView = {
      condition: session.condition,
      end: session.end,
      position: session.position,
      latest: session.latest,
      mode: processorMode(sregs, regs),
      privilege: privilege(sregs),
      registers: registers.map(one => ({ ...one, changed: this.#hasChanged(one) })),
      ip,
      where: `${hex(sregs.cs.selector, 4)}:${hex(regs.rip, sregs.cr0 & CR0_PE ? 8 : 4)}`,
      code: this.disassemble ? this.#code.read(read, this.disassemble, ip, base, bits) : [],
      codeBase: base,
      breakpoints: session.breakpoints,
      stack: stackWords(Number(sregs.ss.base), Number(regs.rsp), wordSize, read),
      wordSize,
      memory: this.#look(read, address => byteAt(memory, address)),
      slots: memory.slots.map(({ slot, guestAddress, size, hostOffset, readOnly = false }) => {
        return { slot, at: guestAddress, size, from: hostOffset, readOnly };
      }),
      tlb: sregs.cr0 & CR0_PG ? tlbEntries(session.machine) : [],
      output: session.output.takeNews(),
      log: session.log.takeNews(),
      samples: session.samples.takeNews(),
      devices: save(),
      ...(picture && { picture: picture() }),
    };
    this.#registers = new Map(registers.map(({ name, value }) => [name, value]));
    return view;
  }

  /** Memory as it is now; -1 where nothing is mapped. */
  read({ address, space, length }: MemoryLook): number[] {
    const { machine } = this.session;
    const translate = space === "linear" ? translation(machine) : (at: number) => at;
    return Array.from(
      { length },
      (_, index) => byteAt(machine.memory, translate((address + index) >>> 0)) ?? -1,
    );
  }

  #hasChanged({ name, value }: ShownRegister): boolean {
    const before = this.#registers.get(name) ?? this.#registers.get(otherName(name));
    return before !== undefined && before !== value;
  }

  #look(readLinear: (at: number) => number | undefined, readPhysical: typeof readLinear): MemoryView {
    const { address, space, length } = this.memoryLook;
    const read = space === "linear" ? readLinear : readPhysical;
    const bytes = Array.from({ length }, (_, index) => read((address + index) >>> 0) ?? -1);
    const changed = bytes.flatMap((byte, index) => {
      const before = this.#memory.get(address + index);
      return before !== undefined && before !== byte ? [index] : [];
    });
    this.#memory = new Map(bytes.map((byte, index) => [address + index, byte]));
    return { address, space, bytes, changed };
  }
}

/** AX of EAX and the other way round, for a view across a change of names. */
function otherName(name: string): string {
  return name.startsWith("E") && name.length > 2 ? name.slice(1) : `E${name}`;
}

/** The TLB's four tables as one list of pages, by rising linear address. */
function tlbEntries({ vcpu, memory }: Session["machine"]): TlbEntry[] {
  if (!(vcpu instanceof SoftVcpu)) return [];
  const pages = new Map<number, { linear: number; physical: number; rights: string[] }>();
  for (const { linear, host, user, write } of vcpu.translations()) {
    const slot = memory.slots.find(({ host: ram, hostOffset, size }) => {
      const at = host - ram.offset - hostOffset;
      return at >= 0 && at < size;
    });
    if (!slot) continue;
    const physical = slot.guestAddress + host - slot.host.offset - slot.hostOffset;
    const page = pages.get(linear) ?? { linear, physical, rights: [] };
    page.rights.push(`${user ? "U" : ""}${write ? "W" : "R"}`);
    pages.set(linear, page);
  }
  return [...pages.values()].sort((a, b) => a.linear - b.linear).slice(0, MOST_TLB_ENTRIES);
}

function stackWords(
  base: number,
  pointer: number,
  size: 2 | 4,
  read: (at: number) => number | undefined,
): { address: number; value: number }[] {
  const words: { address: number; value: number }[] = [];
  const mask = size === 2 ? 0xffff : 0xffff_ffff;
  for (let index = 0; index < STACK_WORDS; index++) {
    const address = (base + ((pointer + index * size) & mask)) >>> 0;
    let value = 0;
    for (let byte = size - 1; byte >= 0; byte--) {
      const one = read((address + byte) >>> 0);
      if (one === undefined) return words;
      value = value * 256 + one;
    }
    words.push({ address, value });
  }
  return words;
}

function byteAt(memory: Session["machine"]["memory"], physical: number): number | undefined {
  if (physical < 0) return undefined;
  try {
    return memory.read(physical, 1);
  } catch {
    return undefined; // no slot there
  }
}

function hex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
