/**
 * Debug registers: breakpoints on code, data and ports.
 *
 * Source: SDM vol. 3B, 17.2 "Debug Registers", 17.3 "Debug Exceptions"; vol. 2, "MOV—Move to/from Debug
 * Registers".
 */
import type { Cpu } from "../cpu.ts";
import type { Instruction } from "../instruction.ts";
import { CR4, CR4_DE, DEBUG, DR0, DR6, DR7, INVALID_OPCODE } from "../state.ts";
import { requireRing0 } from "./control.ts";

export const DR6_BD = 1 << 13;
export const DR6_BS = 1 << 14;
export const DR6_BT = 1 << 15;
const DR6_ONES = 0xffff_0ff0 | 0;
const DR6_BITS = 0xe00f;
export const DR7_GD = 1 << 13;
const DR7_ONES = 1 << 10;
const DR7_ZEROS = 0xd800;
/** L0 to G3. */
const DR7_ENABLES = 0xff;

// R/W fields of DR7.
export const ON_EXECUTE = 0b00;
export const ON_WRITE = 0b01;
export const ON_PORT = 0b10;
export const ON_ACCESS = 0b11;

/** LEN field to bytes; 10 is undefined on this family, and 8 bytes on later ones. */
const LENGTHS = [1, 2, 8, 4];

export function resetDebugRegisters(cpu: Cpu): void {
  for (let number = 0; number < 4; number++) cpu.r32[DR0 + 2 * number] = 0;
  cpu.r32[DR6] = DR6_ONES;
  cpu.r32[DR7] = DR7_ONES;
}

/** DR6 and DR7 with their fixed bits as they must be. */
export function fixedDr6(value: number): number {
  return (value & DR6_BITS) | DR6_ONES;
}

export function fixedDr7(value: number): number {
  return (value & ~DR7_ZEROS) | (value & DR7_GD) | DR7_ONES;
}

export function movFromDr(cpu: Cpu, insn: Instruction): void {
  cpu.r32[2 * insn.rm] = cpu.r32[debugRegister(cpu, insn.reg)];
}

export function movToDr(cpu: Cpu, insn: Instruction): void {
  const register = debugRegister(cpu, insn.reg);
  const value = cpu.r32[2 * insn.rm];
  if (register === DR6) cpu.r32[DR6] = fixedDr6(value);
  else if (register === DR7) cpu.r32[DR7] = fixedDr7(value);
  else cpu.r32[register] = value;
  cpu.system.breakpoints.refresh();
  cpu.attend();
}

/** The register that a MOV names, after all refusals. DR4 and DR5 are DR6 and DR7, unless CR4.DE is set. */
function debugRegister(cpu: Cpu, number: number): number {
  const isAlias = number === 4 || number === 5;
  if (isAlias && (cpu.r32[CR4] & CR4_DE) !== 0) cpu.fault(INVALID_OPCODE);
  requireRing0(cpu);
  // General detect: a debugger that guards its registers is told before the access.
  if ((cpu.r32[DR7] & DR7_GD) !== 0) {
    cpu.r32[DR6] |= DR6_BD;
    cpu.r32[DR7] &= ~DR7_GD;
    cpu.fault(DEBUG);
  }
  return DR0 + 2 * (isAlias ? number + 2 : number);
}

/** Which of four breakpoints an access hits. One is the guest's own DR0 to DR7, another may be a debugger's. */
export class Breakpoints {
  readonly addresses = new Int32Array(4);
  control = 0;
  /** Some breakpoint of the kind is enabled; when not, nobody has to ask. */
  watchesCode = false;
  watchesData = false;
  watchesPorts = false;

  set(addresses: readonly number[], control: number, knowsPorts: boolean): void {
    this.addresses.set(addresses);
    this.control = control;
    this.watchesCode = this.#isWatched(ON_EXECUTE);
    this.watchesData = this.#isWatched(ON_WRITE) || this.#isWatched(ON_ACCESS);
    this.watchesPorts = knowsPorts && this.#isWatched(ON_PORT);
  }

  #isWatched(kind: number): boolean {
    return [0, 1, 2, 3].some(number => this.#isEnabled(number) && this.#kind(number) === kind);
  }

  #isEnabled(number: number): boolean {
    return (this.control & (0b11 << (2 * number))) !== 0;
  }

  #kind(number: number): number {
    return (this.control >>> (16 + 4 * number)) & 0b11;
  }

  #length(number: number): number {
    return LENGTHS[(this.control >>> (18 + 4 * number)) & 0b11]!;
  }

  /** B0 to B3 of DR6 for an instruction that begins at `linear`. */
  hitByExecution(linear: number): number {
    let hits = 0;
    for (let number = 0; number < 4; number++) {
      const isMine = this.#isEnabled(number) && this.#kind(number) === ON_EXECUTE;
      if (isMine && this.addresses[number] === (linear | 0)) hits |= 1 << number;
    }
    return hits;
  }

  /** B0 to B3 of DR6 for `size` bytes at `linear`. */
  hitByData(linear: number, size: number, isWrite: boolean): number {
    let hits = 0;
    for (let number = 0; number < 4; number++) {
      const kind = this.#kind(number);
      const matches = kind === ON_ACCESS || (kind === ON_WRITE && isWrite);
      if (this.#isEnabled(number) && matches && this.#overlaps(number, linear >>> 0, size))
        hits |= 1 << number;
    }
    return hits;
  }

  hitByPort(port: number, size: number): number {
    if (!this.watchesPorts) return 0;
    let hits = 0;
    for (let number = 0; number < 4; number++) {
      const matches = this.#isEnabled(number) && this.#kind(number) === ON_PORT;
      if (matches && this.#overlaps(number, port, size)) hits |= 1 << number;
    }
    return hits;
  }

  /** Whether a data breakpoint lies in the page of `linear`. */
  watchesPage(linear: number): boolean {
    return this.watchesData && this.hitByData(linear & 0xffff_f000, 4096, true) !== 0;
  }

  /** A breakpoint covers an aligned block of its length. */
  #overlaps(number: number, first: number, size: number): boolean {
    const length = this.#length(number);
    const start = (this.addresses[number]! & ~(length - 1)) >>> 0;
    return first < start + length && start < first + size;
  }
}

/** The guest's own debug registers. */
export class GuestBreakpoints extends Breakpoints {
  constructor(private readonly cpu: Cpu) {
    super();
  }

  /** To be called when DR0 to DR3, DR7 or CR4.DE has changed. */
  refresh(): void {
    const r = this.cpu.r32;
    const knowsPorts = (r[CR4] & CR4_DE) !== 0;
    const control = (r[DR7] & DR7_ENABLES) === 0 ? 0 : r[DR7];
    const watched = this.watchesData;
    this.set([r[DR0], r[DR0 + 2], r[DR0 + 4], r[DR0 + 6]], control, knowsPorts);
    // Pages with a watched address must not be in the TLB, where accesses go unseen.
    if (watched || this.watchesData) this.cpu.flushTranslations();
  }
}
