/**
 * What the /dev/kvm of this machine can run. Not every one is equal: one that emulates the processor
 * in software (in a cloud machine without nested virtualization) may run real mode and yet fail at the
 * first page table. So each mode is tried with a guest of a few instructions.
 */
import { existsSync } from "node:fs";
import type { Exit, Hypervisor, Segment, Sregs, Vcpu } from "./api.ts";
import { openKvm } from "./linux/hypervisor.ts";

/** Modes of the processor that a guest needs; the words of chapter.json. */
export type GuestNeed =
  | "real-mode"
  | "protected-mode"
  | "protected-interrupts"
  | "paging32"
  | "pae"
  | "long-mode";

export interface KvmProbe {
  /** /dev/kvm opens and a VM of three instructions ran to its HLT. */
  readonly available: boolean;
  /** Why not, and what to do; empty where it is available. */
  readonly problem: string;
  readonly modes: Readonly<Record<GuestNeed, boolean>>;
  /** This KVM has no VT-x or SVM beneath it (the module kvm_pvm): privileged code is emulated, slowly. */
  readonly emulated: boolean;
}

let result: KvmProbe | undefined;

/** Tries /dev/kvm; once for each process. Never throws. */
export function probeKvm(): KvmProbe {
  result ??= probe();
  return result;
}

export const NEEDS: readonly GuestNeed[] = [
  "real-mode",
  "protected-mode",
  "protected-interrupts",
  "paging32",
  "pae",
  "long-mode",
];

function probe(): KvmProbe {
  const emulated = existsSync("/sys/module/kvm_pvm");
  const works = (need: GuestNeed) => {
    try {
      return tryMode(need);
    } catch {
      return false;
    }
  };
  try {
    const realMode = tryMode("real-mode");
    const modes = Object.fromEntries(
      NEEDS.map(need => [need, need === "real-mode" ? realMode : works(need)]),
    ) as Record<GuestNeed, boolean>;
    const problem = realMode ? "" : "KVM opens, but three instructions in real mode do not run on it";
    return { available: realMode, problem, modes, emulated };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const modes = Object.fromEntries(NEEDS.map(need => [need, false])) as Record<GuestNeed, boolean>;
    return { available: false, problem, modes, emulated };
  }
}

const RAM = 0x1_0000;
const CODE = 0x1000;
/** Guest-physical page with the bytes that the paged guests read. */
const DATA = 0x2000;
/** Linear page that only the page tables know: it is mapped to `DATA`. */
const WINDOW = 0x8000;
const ANSWER = 0x5a;

interface Guest {
  readonly code: readonly number[];
  setUp(memory: DataView, sregs: Sregs): void;
}

function tryMode(need: GuestNeed): boolean {
  const hypervisor = openKvm();
  try {
    return runsMode(hypervisor, need);
  } finally {
    hypervisor.close();
  }
}

/**
 * Runs the guest of one mode on an engine: whether it writes `ANSWER` to port 0x10 and then halts.
 * Throws a `HypervisorError` where the engine refuses to be set up like that.
 */
export function runsMode(hypervisor: Hypervisor, need: GuestNeed): boolean {
  const vm = hypervisor.createVm();
  try {
    const host = hypervisor.allocateMemory(RAM);
    vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: RAM, host, hostOffset: 0 });
    const memory = new DataView(host.memory.buffer, host.offset, RAM);
    const vcpu = vm.createVcpu(0);
    const sregs = vcpu.getSregs();
    const regs = { ...vcpu.getRegs(), rip: BigInt(CODE), rflags: 0x2n };
    sregs.cs = { ...sregs.cs, base: 0n, selector: 0 };
    const guest = GUESTS[need];
    guest.code.forEach((byte, index) => {
      memory.setUint8(CODE + index, byte);
    });
    memory.setUint8(DATA, ANSWER);
    guest.setUp(memory, sregs);
    vcpu.setSregs(sregs);
    vcpu.setRegs(regs);
    vm.memoryWritten(0, RAM);
    return saysAnswer(vcpu);
  } finally {
    vm.close();
  }
}

function saysAnswer(vcpu: Vcpu): boolean {
  const run = (): Exit => vcpu.run({ milliseconds: 2000, instructions: 100_000 });
  const first = run();
  const answered = first.reason === "IO" && first.port === 0x10 && first.data[0] === ANSWER;
  return answered && run().reason === "HLT";
}

// Control registers, SDM vol. 3A, 2.5.
const CR0_PE = 0x0000_0001n;
const CR0_PG = 0x8000_0000n;
const CR4_PAE = 0b0010_0000n;
const EFER_LME = 0x0000_0100n;
const EFER_LMA = 0x0000_0400n;

// Page-table entries: present and writable.
const PRESENT = 0b11;

/** The tables of each paging mode, from the one that CR3 points to down to the last level. */
const TABLES = [0x3000, 0x4000, 0x5000, 0x6000] as const;

/** Global and interrupt descriptor table of the guest that interrupts itself, and its handler. */
const GDT = 0x3000;
const IDT = 0x4000;
const HANDLER = CODE + 0x100;

const READ_WINDOW = [
  ...[0xa0, 0x00, 0x80, 0x00, 0x00], //       mov al, [0x8000]
  ...[0xe6, 0x10], //                         out 0x10, al
  0xf4, //                                    hlt
];

const GUESTS: Readonly<Record<GuestNeed, Guest>> = {
  "real-mode": {
    code: [
      ...[0xb0, ANSWER], //                   mov al, 0x5a
      ...[0xe6, 0x10], //                     out 0x10, al
      0xf4, //                                hlt
    ],
    setUp() {},
  },
  "protected-mode": {
    code: [
      ...[0xb8, ANSWER, 0x00, 0x01, 0x00], // mov eax, 0x0001_005a
      ...[0x89, 0xc3], //                     mov ebx, eax
      ...[0xc1, 0xeb, 0x10], //               shr ebx, 16: 1, where a 16-bit processor has no upper half
      ...[0x48], //                           dec eax
      ...[0x01, 0xd8], //                     add eax, ebx
      ...[0xe6, 0x10], //                     out 0x10, al
      0xf4, //                                hlt
    ],
    setUp: (_memory, sregs) => enterFlat32(sregs),
  },
  "protected-interrupts": {
    code: [
      ...[0xbc, 0x00, 0x90, 0x00, 0x00], //   mov esp, 0x9000
      0xcc, //                                int3
      ...[0xe6, 0x10], //                     out 0x10, al
      0xf4, //                                hlt
    ],
    setUp(memory, sregs) {
      enterFlat32(sregs);
      const handler = [0xb0, ANSWER, 0xcf]; // mov al, 0x5a; iretd
      for (const [index, byte] of handler.entries()) memory.setUint8(HANDLER + index, byte);
      memory.setBigUint64(GDT + 0x08, 0x00cf_9b00_0000_ffffn, true);
      memory.setBigUint64(GDT + 0x10, 0x00cf_9300_0000_ffffn, true);
      memory.setUint32(IDT + 3 * 8, (0x08 << 16) | HANDLER, true);
      memory.setUint32(IDT + 3 * 8 + 4, 0x8e00, true); // present, 32-bit interrupt gate
      sregs.gdt = { base: BigInt(GDT), limit: 0x17 };
      sregs.idt = { base: BigInt(IDT), limit: 0x1f };
    },
  },
  paging32: {
    code: READ_WINDOW,
    setUp(memory, sregs) {
      enterFlat32(sregs);
      const [directory, table] = TABLES;
      memory.setUint32(directory, table | PRESENT, true);
      map(memory, table, 4);
      sregs.cr3 = BigInt(directory);
      sregs.cr0 |= CR0_PG;
    },
  },
  pae: {
    code: READ_WINDOW,
    setUp(memory, sregs) {
      enterFlat32(sregs);
      const [pointers, directory, table] = TABLES;
      memory.setUint32(pointers, directory | 0b01, true); // these entries have no write bit
      memory.setUint32(directory, table | PRESENT, true);
      map(memory, table, 8);
      sregs.cr3 = BigInt(pointers);
      sregs.cr4 |= CR4_PAE;
      sregs.cr0 |= CR0_PG;
    },
  },
  "long-mode": {
    code: [
      ...[0x49, 0xb8, 0x00, 0x80, 0, 0, 0, 0, 0, 0], // mov r8, 0x8000
      ...[0x41, 0x8a, 0x00], //                         mov al, [r8]
      ...[0xe6, 0x10], //                               out 0x10, al
      0xf4, //                                          hlt
    ],
    setUp(memory, sregs) {
      enterFlat32(sregs);
      const [level4, pointers, directory, table] = TABLES;
      memory.setUint32(level4, pointers | PRESENT, true);
      memory.setUint32(pointers, directory | PRESENT, true);
      memory.setUint32(directory, table | PRESENT, true);
      map(memory, table, 8);
      sregs.cr3 = BigInt(level4);
      sregs.cr4 |= CR4_PAE;
      sregs.cr0 |= CR0_PG;
      sregs.efer |= EFER_LME | EFER_LMA;
      sregs.cs.l = 1;
      sregs.cs.db = 0;
    },
  },
};

/** Maps each page of the guest's RAM to itself, but `WINDOW` to `DATA`. */
function map(memory: DataView, table: number, entrySize: number): void {
  for (let page = 0; page < RAM; page += 4096) {
    const to = page === WINDOW ? DATA : page;
    memory.setUint32(table + (page / 4096) * entrySize, to | PRESENT, true);
  }
}

/** Flat 32-bit segments at privilege level 0, without a descriptor table behind them. */
function enterFlat32(sregs: Sregs): void {
  const flat: Omit<Segment, "selector" | "type"> = {
    base: 0n,
    limit: 0xffff_ffff,
    present: 1,
    dpl: 0,
    db: 1,
    s: 1,
    l: 0,
    g: 1,
    avl: 0,
    unusable: 0,
  };
  sregs.cs = { ...flat, selector: 0x08, type: 0b1011 };
  for (const name of ["ds", "es", "fs", "gs", "ss"] as const) {
    sregs[name] = { ...flat, selector: 0x10, type: 0b0011 };
  }
  sregs.cr0 |= CR0_PE;
}
