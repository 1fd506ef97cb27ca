/**
 * The same instruction in real mode or in ring 0 on two engines: what user space cannot try on the processor
 * itself. Around the instruction lies HLT; interrupts and faults lead to handlers of one HLT each, and their
 * frames lie in the memory that is compared.
 */
import type { DescriptorTable, Hypervisor, Regs, Segment, Sregs, Vcpu, Vm } from "../../kvm/api.ts";
import type { CaseInput } from "./case.ts";
import { background, CODE, CODE_SIZE, DATA, DATA_WINDOW, STACK, STACK_WINDOW } from "./world.ts";

export const MODES = ["real mode", "ring 0"] as const;
export type Mode = (typeof MODES)[number];

const RAM_SIZE = 0x4_0000;
const IDT = 0x1000;
const GDT = 0x2000;
const TSS = 0x3000;
const HANDLERS = 0x6000;
const HLT = 0xf4;
const EXITS = 16;
const BUDGET = { instructions: 300, milliseconds: 500 };

/** Everything that can be seen of a processor at its HLT. */
export interface Sighting {
  /** Port accesses on the way. */
  readonly exits: readonly string[];
  /** How it ended: a handler's vector, "HLT", or another exit. */
  readonly end: string;
  readonly registers: Readonly<Record<string, string>>;
  readonly changes: readonly string[];
}

export class PrivilegedMachine {
  readonly #vm: Vm;
  readonly #vcpu: Vcpu;
  readonly #ram: Uint8Array;
  readonly #view: DataView;
  readonly #initial: Sregs;
  readonly #regs: Regs;
  readonly #background = background();

  constructor(hypervisor: Hypervisor) {
    const host = hypervisor.allocateMemory(RAM_SIZE);
    this.#vm = hypervisor.createVm();
    this.#vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: RAM_SIZE, host, hostOffset: 0 });
    this.#vcpu = this.#vm.createVcpu(0);
    this.#ram = new Uint8Array(host.memory.buffer, host.offset, RAM_SIZE);
    this.#view = new DataView(host.memory.buffer, host.offset, RAM_SIZE);
    this.#initial = this.#vcpu.getSregs();
    this.#regs = this.#vcpu.getRegs();
  }

  close(): void {
    this.#vcpu.close();
    this.#vm.close();
  }

  run(input: CaseInput, mode: Mode): Sighting {
    const ram = this.#ram;
    ram.fill(0);
    this.#writeTables(mode);
    ram.fill(HLT, CODE, CODE + CODE_SIZE);
    ram.set(this.#background, DATA);
    ram.set(input.data, DATA_WINDOW);
    ram.set(input.stack, STACK_WINDOW);
    ram.set(input.code, CODE + (input.eip & 0xffff));
    this.#vm.memoryWritten(0, RAM_SIZE);
    const before = ram.slice();
    this.#vcpu.setSregs(mode === "real mode" ? realMode(this.#initial) : ringZero(this.#initial));
    const { gpr } = input;
    this.#vcpu.setRegs({
      ...this.#regs,
      rax: BigInt(gpr[0]!),
      rcx: BigInt(gpr[1]!),
      rdx: BigInt(gpr[2]!),
      rbx: BigInt(gpr[3]!),
      rsp: BigInt(gpr[4]!),
      rbp: BigInt(gpr[5]!),
      rsi: BigInt(gpr[6]!),
      rdi: BigInt(gpr[7]!),
      rip: BigInt(input.eip),
      rflags: BigInt(input.eflags & ~0x200),
    });
    return this.#watch(mode, before);
  }

  #watch(mode: Mode, before: Uint8Array): Sighting {
    const exits: string[] = [];
    let end = "too many exits";
    for (let count = 0; count < EXITS; count++) {
      const exit = this.#vcpu.run(BUDGET);
      if (exit.reason === "IO") {
        const data = exit.data.subarray(0, exit.size * exit.count);
        exits.push(
          `${exit.direction} ${exit.port.toString(16)} ${exit.size} ${exit.direction === "out" ? [...data].join(" ") : ""}`,
        );
        if (exit.direction === "in") data.fill(0x5a);
        continue;
      }
      if (exit.reason === "HLT") end = this.#handler(mode);
      else
        end =
          exit.reason === "INTERNAL_ERROR"
            ? `INTERNAL_ERROR ${[...exit.instruction].map(hex).join(" ")}`
            : exit.reason;
      break;
    }
    // An access that waits for its answer would come back in the next case.
    if (end !== "HLT" && !end.startsWith("vector"))
      for (let step = 0; step < 3; step++) this.#vcpu.completeExit();
    const changes: string[] = [];
    for (let at = 0; at < RAM_SIZE && changes.length < 64; at++) {
      if (this.#ram[at] !== before[at]) changes.push(`${at.toString(16)}=${hex(this.#ram[at]!)}`);
    }
    return { exits, end, registers: registersOf(this.#vcpu.getRegs(), this.#vcpu.getSregs()), changes };
  }

  #handler(mode: Mode): string {
    const at = Number(this.#vcpu.getRegs().rip) - 1;
    const offset = mode === "real mode" ? Number(this.#vcpu.getSregs().cs.base) + at : at;
    const vector = offset - HANDLERS;
    return vector >= 0 && vector < 256 ? `vector ${vector}` : "HLT";
  }

  #writeTables(mode: Mode): void {
    const view = this.#view;
    for (let vector = 0; vector < 256; vector++) {
      this.#ram[HANDLERS + vector] = HLT;
      if (mode === "real mode") view.setUint32(4 * vector, HANDLERS + vector, true);
      else {
        view.setUint32(IDT + 8 * vector, 0x0008_0000 | (HANDLERS + vector), true);
        view.setUint32(IDT + 8 * vector + 4, 0x8e00, true);
      }
    }
    // 08 code, 10 data, 18 code conforming, 20 data read-only, 28 TSS, 30 LDT, 38 not present, 40 and 48 16-bit.
    const entries: readonly (readonly [number, number])[] = [
      [0x0000_ffff, 0x00cf_9b00],
      [0x0000_ffff, 0x00cf_9300],
      [0x0000_ffff, 0x00cf_9f00],
      [0x0000_ffff, 0x00cf_9100],
      [(TSS << 16) | 0x67, 0x0000_8900],
      [(TSS << 16) | 0x67, 0x0000_8200],
      [0x0000_ffff, 0x00cf_1300],
      [0x0000_ffff, 0x0000_9b02],
      [0x0000_ffff, 0x0000_9303],
    ];
    entries.forEach(([low, high], index) => {
      view.setUint32(GDT + 8 * (index + 1), low, true);
      view.setUint32(GDT + 8 * (index + 1) + 4, high, true);
    });
  }
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

function registersOf(regs: Regs, sregs: Sregs): Record<string, string> {
  const text: Record<string, string> = {};
  for (const name of ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "rip"] as const) {
    text[name] = (regs[name] & 0xffff_ffffn).toString(16);
  }
  text["rflags"] = (regs.rflags & 0xffff_ffffn).toString(16);
  for (const name of ["es", "cs", "ss", "ds", "fs", "gs"] as const) {
    const { selector, base, limit, db, unusable } = sregs[name];
    // The hidden part of a register that holds a null selector means nothing.
    text[name] = unusable ? `${selector}` : `${selector} ${base} ${limit} ${db}`;
  }
  const table = ({ base, limit }: DescriptorTable): string => `${base} ${limit}`;
  text["gdtr"] = table(sregs.gdt);
  text["idtr"] = table(sregs.idt);
  text["ldtr"] = String(sregs.ldt.selector);
  text["tr"] = String(sregs.tr.selector);
  // ET reads as 1 on every processor since the 80486.
  text["cr0"] = (sregs.cr0 | 0x10n).toString(16);
  text["cr2"] = sregs.cr2.toString(16);
  text["cr3"] = sregs.cr3.toString(16);
  text["cr4"] = sregs.cr4.toString(16);
  return text;
}

const FLAT = {
  limit: 0xffff_ffff,
  base: 0n,
  present: 1,
  dpl: 0,
  db: 1,
  s: 1,
  l: 0,
  g: 1,
  avl: 0,
  unusable: 0,
};

function realMode(initial: Sregs): Sregs {
  const segment = (selector: number, type = 3): Segment => ({
    ...FLAT,
    base: BigInt(selector * 16),
    limit: 0xffff,
    selector,
    type,
    db: 0,
    g: 0,
  });
  return {
    ...initial,
    cs: segment(CODE >>> 4, 0xb),
    ds: segment(DATA >>> 4),
    es: segment(DATA >>> 4),
    ss: segment(STACK >>> 4),
    fs: segment(DATA >>> 4),
    gs: segment(0),
    gdt: { base: BigInt(GDT), limit: 0x4f },
    idt: { base: 0n, limit: 0x3ff },
    cr0: 0x10n,
    cr2: 0n,
    cr3: 0n,
    cr4: 0n,
    efer: 0n,
  };
}

function ringZero(initial: Sregs): Sregs {
  const data: Segment = { ...FLAT, selector: 0x10, type: 3 };
  const system = { ...FLAT, db: 0, s: 0, g: 0 };
  return {
    ...initial,
    cs: { ...FLAT, selector: 0x08, type: 0xb },
    ds: data,
    es: data,
    ss: data,
    fs: data,
    gs: data,
    tr: { ...system, selector: 0x28, base: BigInt(TSS), limit: 0x67, type: 0xb },
    ldt: { ...system, selector: 0, base: 0n, limit: 0, type: 2, unusable: 1, present: 0 },
    gdt: { base: BigInt(GDT), limit: 0x4f },
    idt: { base: BigInt(IDT), limit: 0x7ff },
    cr0: 0x11n,
    cr2: 0n,
    cr3: 0n,
    cr4: 0n,
    efer: 0n,
  };
}
