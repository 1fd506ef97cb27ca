/** A small machine for the processor's tests: 1 MiB of memory at 0, one vCPU, in a mode of choice. */
import type { Exit, Regs, Segment, Sregs, Vcpu, Vm } from "../kvm/api.ts";
import { openSoft } from "../kvm/soft/soft.ts";

export const CODE_AT = 0x1_0000;
export const STACK_AT = 0x9_0000;
/** Page tables that map 4 MiB one to one, if paging is on. */
const PAGE_DIRECTORY = 0xa_0000;
const PAGE_TABLE = 0xa_1000;
const RAM = 0x10_0000;

export type TestMode = "real" | "flat" | "paged" | "user" | "segmented16" | "segmented32";

export interface TestMachine {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  /** Guest-physical memory. */
  readonly memory: Uint8Array;
  readonly view: DataView;
  /** Runs to the next exit; with a bound, since a test must end. */
  run(instructions?: number): Exit;
}

function segment(
  base: number,
  limit: number,
  type: number,
  db: number,
  dpl: number,
  selector: number,
): Segment {
  const g = limit > 0xf_ffff ? 1 : 0;
  return {
    base: BigInt(base),
    limit,
    selector,
    type,
    present: 1,
    dpl,
    db,
    s: 1,
    l: 0,
    g,
    avl: 0,
    unusable: 0,
  };
}

function setMode(sregs: Sregs, mode: TestMode): void {
  const is16 = mode === "real" || mode === "segmented16";
  const isFlat = mode === "flat" || mode === "paged" || mode === "user";
  const dpl = mode === "user" ? 3 : 0;
  const limit = isFlat ? 0xffff_ffff : is16 ? 0xffff : 0xf_ffff;
  const codeBase = mode === "real" ? CODE_AT : isFlat ? 0 : 0x200;
  const dataBase = mode === "real" ? 0x2_0000 : isFlat ? 0 : 0x400;
  const data = segment(dataBase, limit, 3, is16 ? 0 : 1, dpl, (mode === "real" ? dataBase >> 4 : 0x10) | dpl);
  sregs.cs = segment(codeBase, limit, 0xb, is16 ? 0 : 1, dpl, (mode === "real" ? codeBase >> 4 : 8) | dpl);
  for (const name of ["ds", "es", "fs", "gs", "ss"] as const) sregs[name] = { ...data };
  sregs.cr0 = mode === "real" ? 0x10n : 0x11n;
  if (mode !== "paged" && mode !== "user") return;
  sregs.cr0 |= 0x8001_0000n;
  sregs.cr3 = BigInt(PAGE_DIRECTORY);
}

/** A machine with `code` at CS:EIP. The IDT is empty, so an exception ends in SHUTDOWN unless a test makes one. */
export function testMachine(mode: TestMode, code: ArrayLike<number>, regs: Partial<Regs> = {}): TestMachine {
  const hypervisor = openSoft();
  const vm = hypervisor.createVm();
  const host = hypervisor.allocateMemory(RAM);
  vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: RAM, host, hostOffset: 0 });
  const vcpu = vm.createVcpu(0);
  const memory = new Uint8Array(host.memory.buffer, host.offset, RAM);
  const view = new DataView(host.memory.buffer, host.offset, RAM);
  view.setUint32(PAGE_DIRECTORY, PAGE_TABLE | 7, true);
  for (let page = 0; page < 1024; page++) view.setUint32(PAGE_TABLE + 4 * page, (page << 12) | 7, true);
  memory.set(Array.from(code), CODE_AT);
  const sregs = vcpu.getSregs();
  setMode(sregs, mode);
  sregs.idt = { base: 0n, limit: 0 };
  vcpu.setSregs(sregs);
  const rip = BigInt(CODE_AT) - sregs.cs.base;
  const rsp = mode === "real" || mode === "segmented16" ? 0xf000n : BigInt(STACK_AT);
  vcpu.setRegs({ ...vcpu.getRegs(), rip, rsp, rflags: 2n, ...regs });
  return { vm, vcpu, memory, view, run: (instructions = 1_000_000) => vcpu.run({ instructions }) };
}

/** Everything that a guest can tell about itself, to compare two machines by. */
export function fingerprint({ vcpu, memory }: TestMachine): string {
  let hash = 0;
  for (const byte of memory) hash = (Math.imul(hash, 31) + byte) | 0;
  const state = [vcpu.getRegs(), vcpu.getSregs(), vcpu.getEvents(), vcpu.getDebugRegs()];
  return JSON.stringify([...state, hash], (_, value) =>
    typeof value === "bigint" ? value.toString(16) : value,
  );
}

/** A generator of the same numbers every time: xorshift. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
