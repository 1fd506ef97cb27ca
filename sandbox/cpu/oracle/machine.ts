/**
 * Runs cases on an engine behind the API of sandbox/kvm/api.ts.
 *
 * The machine is what Linux makes of the processor for silicon.c, without Linux: the same segments at the same
 * selectors, and an IDT whose every gate leads to a HLT in ring 0. A case ends there, through the INT3
 * behind its instruction or through a fault of its own, and the frame on the ring-0 stack tells its state.
 */
import type { Fpu, HostMemory, Hypervisor, Regs, Segment, Sregs, Vcpu, Vm } from "../../kvm/api.ts";
import { type CaseInput, COMPLETED, FX, type Outcome } from "./case.ts";
import {
  background,
  type CaseDescriptor,
  CODE,
  CODE_SIZE,
  DATA,
  DATA_WINDOW,
  END,
  FLAT_CODE,
  FLAT_DATA,
  LDT,
  STACK_WINDOW,
  WORLDS,
} from "./world.ts";

const RAM_SIZE = 0x4_0000;
const IDT = 0x1000;
const GDT = 0x2000;
const LDT_TABLE = 0x2800;
const TSS = 0x3000;
const RING0_STACK = 0x5000;
const HANDLERS = 0x6000;

const KERNEL_CODE = 0x08;
const KERNEL_DATA = 0x18;
const TSS_SELECTOR = 0x40;
const LDT_SELECTOR = 0x50;
/** As Linux has it: 16 entries. */
const GDT_LIMIT = 0x7f;

/** Bits of a descriptor's flags, from bit 20 of its upper half on. */
const AVAILABLE = 1;
const LONG = 2;

/** Exceptions that push an error code (SDM vol. 3A, table 6-1). */
const WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17]);
/** Gates that user code may call: INT3 and INTO, as Linux has them. */
const USER_GATES = new Set([3, 4]);

const CR0 = 0x4_0033n; // AM NE ET MP PE
const CR4 = 0x600n; // OSXMMEXCPT OSFXSR

/** What kept a case from an outcome: the engine cannot do it, or never came back. */
export interface NoOutcome {
  readonly problem: string;
}

export class CaseMachine {
  readonly #vm: Vm;
  readonly #vcpu: Vcpu;
  readonly #ram: Uint8Array;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #expected = background();
  readonly #expectedWords: Int32Array;
  readonly #background = background();
  readonly #regs: Regs;
  readonly #sregs: Sregs[];
  readonly #filling: number;
  readonly #budget: { instructions: number; milliseconds: number };

  /**
   * `instructions` bounds one case. `filling` is what lies around the instruction: INT3, or HLT (a #GP in
   * ring 3) for an engine that lacks INT3, as KVM's instruction emulator does.
   */
  constructor(hypervisor: Hypervisor, filling: "int3" | "hlt" = "int3", instructions = 2000) {
    this.#budget = { instructions, milliseconds: 500 };
    this.#filling = filling === "int3" ? 0xcc : 0xf4;
    const host: HostMemory = hypervisor.allocateMemory(RAM_SIZE);
    this.#vm = hypervisor.createVm();
    this.#vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: RAM_SIZE, host, hostOffset: 0 });
    this.#vcpu = this.#vm.createVcpu(0);
    this.#ram = new Uint8Array(host.memory.buffer, host.offset, RAM_SIZE);
    this.#view = new DataView(host.memory.buffer, host.offset, RAM_SIZE);
    this.#words = new Int32Array(host.memory.buffer, host.offset + DATA, (END - DATA) / 4);
    this.#expectedWords = new Int32Array(this.#expected.buffer);
    this.#writeTables();
    this.#ram.fill(this.#filling, CODE, CODE + CODE_SIZE);
    this.#ram.set(this.#background, DATA);
    this.#vm.memoryWritten(0, RAM_SIZE);
    this.#regs = this.#vcpu.getRegs();
    const initial = this.#vcpu.getSregs();
    this.#sregs = WORLDS.map((_, world) => worldSregs(initial, world));
  }

  close(): void {
    this.#vcpu.close();
    this.#vm.close();
  }

  /** `entries`: into how many pieces of its budget the run may be cut. */
  run(input: CaseInput, entries = 1): Outcome | NoOutcome {
    const linear = input.world === 0 ? input.eip : CODE + input.eip;
    const ram = this.#ram;
    ram.set(input.code, linear);
    ram.set(input.data, DATA_WINDOW);
    ram.set(input.stack, STACK_WINDOW);
    this.#expected.set(input.data, DATA_WINDOW - DATA);
    this.#expected.set(input.stack, STACK_WINDOW - DATA);
    this.#vm.memoryWritten(linear, input.code.length + 1);
    this.#vm.memoryWritten(DATA, END - DATA);
    this.#load(input);
    let result: Outcome | NoOutcome;
    try {
      let exit = this.#vcpu.run(this.#budget);
      for (let left = entries; left > 1 && exit.reason === "INTR"; left--)
        exit = this.#vcpu.run(this.#budget);
      if (exit.reason === "HLT") result = this.#outcome(input);
      else if (exit.reason === "INTERNAL_ERROR") result = { problem: `INTERNAL_ERROR: ${exit.message}` };
      else result = { problem: `exit ${exit.reason}` };
    } catch (error) {
      result = { problem: `run() threw ${error instanceof Error ? error.message : String(error)}` };
    }
    ram.fill(this.#filling, linear, linear + input.code.length);
    this.#vm.memoryWritten(linear, input.code.length);
    ram.set(this.#background, DATA);
    this.#expected.set(
      this.#background.subarray(DATA_WINDOW - DATA, DATA_WINDOW - DATA + 128),
      DATA_WINDOW - DATA,
    );
    this.#expected.set(
      this.#background.subarray(STACK_WINDOW - DATA, STACK_WINDOW - DATA + 64),
      STACK_WINDOW - DATA,
    );
    return result;
  }

  #load(input: CaseInput): void {
    const regs = this.#regs;
    const { gpr } = input;
    regs.rax = BigInt(gpr[0]!);
    regs.rcx = BigInt(gpr[1]!);
    regs.rdx = BigInt(gpr[2]!);
    regs.rbx = BigInt(gpr[3]!);
    regs.rsp = BigInt(gpr[4]!);
    regs.rbp = BigInt(gpr[5]!);
    regs.rsi = BigInt(gpr[6]!);
    regs.rdi = BigInt(gpr[7]!);
    regs.rip = BigInt(input.eip);
    regs.rflags = BigInt(input.eflags);
    this.#vcpu.setSregs(this.#sregs[input.world]!);
    this.#vcpu.setRegs(regs);
    if (input.fx) this.#vcpu.setFpu(fpuOf(input.fx));
  }

  #outcome(input: CaseInput): Outcome | NoOutcome {
    const regs = this.#vcpu.getRegs();
    const sregs = this.#vcpu.getSregs();
    let vector = Number(regs.rip) - 1 - HANDLERS;
    if (sregs.cs.selector !== KERNEL_CODE || vector < 0 || vector > 255) {
      return {
        problem: `HLT outside the handlers, at ${sregs.cs.selector.toString(16)}:${regs.rip.toString(16)}`,
      };
    }
    let frame = Number(regs.rsp & 0xffff_ffffn);
    let errorCode = 0;
    if (WITH_ERROR_CODE.has(vector)) {
      errorCode = this.#view.getUint32(frame, true);
      frame += 4;
    }
    if (frame !== RING0_STACK - 20) return { problem: `#${vector} left a frame at ${frame.toString(16)}` };
    const word = (index: number): number => this.#view.getUint32(frame + 4 * index, true);
    let eip = word(0);
    if (this.#filling === 0xcc && vector === COMPLETED) eip = (eip - 1) >>> 0;
    if (this.#filling === 0xf4 && vector === 13 && eip !== input.eip) [vector, errorCode] = [COMPLETED, 0];
    const low = (value: bigint): number => Number(value & 0xffff_ffffn);
    return {
      vector,
      errorCode,
      gpr: Uint32Array.of(
        low(regs.rax),
        low(regs.rcx),
        low(regs.rdx),
        low(regs.rbx),
        word(3),
        low(regs.rbp),
        low(regs.rsi),
        low(regs.rdi),
      ),
      eflags: word(2),
      eip,
      segment: Uint16Array.of(
        sregs.es.selector,
        word(1),
        word(4),
        sregs.ds.selector,
        sregs.fs.selector,
        sregs.gs.selector,
      ),
      fx: input.fx ? fxOf(this.#vcpu.getFpu()) : null,
      changes: this.#changes(),
    };
  }

  #changes(): [number, number][] {
    const found: [number, number][] = [];
    for (let word = 0; word < this.#words.length; word++) {
      if (this.#words[word] === this.#expectedWords[word]) continue;
      for (let at = word * 4; at < word * 4 + 4; at++) {
        if (this.#ram[DATA + at] !== this.#expected[at]) found.push([at, this.#ram[DATA + at]!]);
      }
    }
    return found;
  }

  #writeTables(): void {
    for (let vector = 0; vector < 256; vector++) {
      this.#ram[HANDLERS + vector] = 0xf4; // HLT
      const handler = HANDLERS + vector;
      const dpl = USER_GATES.has(vector) ? 3 : 0;
      const at = IDT + 8 * vector;
      this.#view.setUint32(at, (KERNEL_CODE << 16) | (handler & 0xffff), true);
      this.#view.setUint32(at + 4, (handler & 0xffff_0000) | 0x8e00 | (dpl << 13), true);
    }
    const flat = { base: 0, limit: 0xffff_ffff, big: true };
    this.#describe(GDT + KERNEL_CODE, { ...flat, selector: 0, type: 0xb }, 0);
    this.#describe(GDT + 0x10, { ...flat, selector: 0, type: 0xb }, 0);
    this.#describe(GDT + KERNEL_DATA, { ...flat, selector: 0, type: 3 }, 0);
    this.#describe(GDT + 0x20, FLAT_CODE, 3);
    this.#describe(GDT + 0x28, FLAT_DATA, 3);
    this.#describe(GDT + 0x30, { ...flat, big: false, selector: 0, type: 0xb }, 3, LONG);
    // Linux keeps the number of the processor in this one's limit.
    this.#describe(GDT + 0x78, { base: 0, limit: 0, big: true, selector: 0, type: 0x5 }, 3);
    this.#system(GDT + TSS_SELECTOR, TSS, 0x67, 0xb);
    this.#system(GDT + LDT_SELECTOR, LDT_TABLE, LDT.length * 8 - 1, 2);
    // silicon.c asks Linux for descriptors with AVL set, its mark of a useable one.
    LDT.forEach((descriptor, entry) => {
      this.#describe(LDT_TABLE + 8 * entry, descriptor, 3, AVAILABLE);
    });
    this.#view.setUint32(TSS + 4, RING0_STACK, true);
    this.#view.setUint32(TSS + 8, KERNEL_DATA, true);
    this.#view.setUint16(TSS + 0x66, 0x68, true); // no I/O bitmap: it begins behind the limit
  }

  /** A code or data descriptor (SDM vol. 3A, 3.4.5). */
  #describe(at: number, { base, limit, big, type }: CaseDescriptor, dpl: number, more = 0): void {
    const pages = limit > 0xf_ffff;
    const field = pages ? limit >>> 12 : limit;
    this.#view.setUint32(at, ((base & 0xffff) << 16) | (field & 0xffff), true);
    const flags = (pages ? 8 : 0) | (big ? 4 : 0) | more;
    const high =
      (base & 0xff00_0000) |
      (flags << 20) |
      (field & 0xf_0000) |
      ((0x90 | (dpl << 5) | type) << 8) |
      ((base >>> 16) & 0xff);
    this.#view.setUint32(at + 4, high, true);
  }

  #system(at: number, base: number, limit: number, type: number): void {
    this.#view.setUint32(at, ((base & 0xffff) << 16) | limit, true);
    this.#view.setUint32(at + 4, ((0x80 | type) << 8) | (base >>> 16), true);
  }
}

function segmentOf({ selector, base, limit, big, type }: CaseDescriptor): Segment {
  const g = limit > 0xf_ffff ? 1 : 0;
  return {
    selector,
    base: BigInt(base),
    limit,
    type,
    present: 1,
    dpl: 3,
    db: big ? 1 : 0,
    s: 1,
    l: 0,
    g,
    avl: 0,
    unusable: 0,
  };
}

function worldSregs(initial: Sregs, world: number): Sregs {
  const { es, cs, ss, ds, fs, gs } = WORLDS[world]!.segments;
  const system = { dpl: 0, db: 0, s: 0, l: 0, g: 0, avl: 0, unusable: 0, present: 1 };
  return {
    ...initial,
    es: segmentOf(es),
    cs: segmentOf(cs),
    ss: segmentOf(ss),
    ds: segmentOf(ds),
    fs: segmentOf(fs),
    gs: segmentOf(gs),
    tr: { ...system, selector: TSS_SELECTOR, base: BigInt(TSS), limit: 0x67, type: 0xb },
    ldt: { ...system, selector: LDT_SELECTOR, base: BigInt(LDT_TABLE), limit: LDT.length * 8 - 1, type: 2 },
    gdt: { base: BigInt(GDT), limit: GDT_LIMIT },
    idt: { base: BigInt(IDT), limit: 0x7ff },
    cr0: CR0,
    cr3: 0n,
    cr4: CR4,
    efer: 0n,
  };
}

function fpuOf(fx: Uint8Array): Fpu {
  const view = new DataView(fx.buffer, fx.byteOffset, fx.byteLength);
  const xmm = new Uint8Array(256);
  xmm.set(fx.subarray(FX.xmm, FX.xmm + 128));
  return {
    fpr: fx.slice(FX.st, FX.st + 128),
    fcw: view.getUint16(FX.fcw, true),
    fsw: view.getUint16(FX.fsw, true),
    ftwx: fx[FX.ftw]!,
    lastOpcode: view.getUint16(FX.fop, true),
    lastIp: BigInt(view.getUint32(FX.fip, true)),
    lastDp: BigInt(view.getUint32(FX.fdp, true)),
    xmm,
    mxcsr: view.getUint32(FX.mxcsr, true),
  };
}

function fxOf(fpu: Fpu): Uint8Array {
  const fx = new Uint8Array(512);
  const view = new DataView(fx.buffer);
  view.setUint16(FX.fcw, fpu.fcw, true);
  view.setUint16(FX.fsw, fpu.fsw, true);
  view.setUint8(FX.ftw, fpu.ftwx);
  view.setUint16(FX.fop, fpu.lastOpcode, true);
  view.setUint32(FX.fip, Number(fpu.lastIp & 0xffff_ffffn), true);
  view.setUint32(FX.fdp, Number(fpu.lastDp & 0xffff_ffffn), true);
  view.setUint32(FX.mxcsr, fpu.mxcsr, true);
  fx.set(fpu.fpr, FX.st);
  fx.set(fpu.xmm.subarray(0, 128), FX.xmm);
  return fx;
}
