/**
 * The processor's state and what every instruction does with it: registers, memory, stack, flags, faults.
 *
 * Memory is reached in four ways, from the outside in:
 * - `read32(segment, offset)`: a program's access, with the segment's checks, at the current privilege;
 * - `readLinear32(linear)`: past segmentation, still at the current privilege;
 * - `readSystem32(linear)`: the processor's own access to its tables, always as supervisor;
 * - `physical.read32(address)`: past paging; A20 already applied.
 * Reads of 8 and 16 bits are unsigned, of 32 bits signed (`| 0`). `segment` is ES to GS of `registers.ts`.
 *
 * An instruction that faults leaves by a throw; the run loop then restores ESP, EIP and the arithmetic flags
 * as they were before it. Whatever else it changes, it must change after its last access that can fault.
 */
import { arithmeticFlags, setArithmeticFlags } from "#layers/02-real-mode/alu.ts";
import { effectiveAddress } from "#layers/02-real-mode/modrm.ts";
import { FLAT, segmentAllows, segmentRights, setSegment } from "#layers/02-real-mode/segments.ts";
import * as tlb from "#layers/03-paging/tlb.ts";
import { Tlb } from "#layers/03-paging/tlb.ts";
import * as walk from "#layers/03-paging/walk.ts";
import { PageWalker } from "#layers/03-paging/walk.ts";
import type { Exit } from "../kvm/api.ts";
import type { CodeCache, CodePage } from "./code-page.ts";
import { decode } from "./decode.ts";
import { DeviceAccess } from "./device-access.ts";
import { ERROR_CODE_VECTORS, Fault, Unimplemented } from "./faults.ts";
import { FloatingPointUnit } from "./fpu/unit.ts";
import { UNDECODED } from "./hot.ts";
import type { Instruction } from "./instruction.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import * as state from "./state.ts";
import type { Breakpoints } from "./system/debug.ts";
import { System } from "./system/system.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { NO_ACCESS, PAGE_MASK, SUPERVISOR_READ, SUPERVISOR_WRITE, TLB_MASK, TLB_SIZE, USER_READ, USER_WRITE } =
  tlb;
const { FETCH_ACCESS, USER_ACCESS, WRITABLE, WRITE_ACCESS } = walk;
const {
  A20_MASK,
  ACCESS,
  ATTENTION,
  BASE,
  CPL,
  CR0,
  CR0_PE,
  CS,
  DS,
  EIP,
  ES,
  ESP,
  FLAG_CARRIES,
  FLAG_RESULT,
  GENERAL_PROTECTION,
  IF,
  INSTRUCTION_EIP,
  LIMIT,
  MODE,
  MODE_ALIGNED,
  PAGE_FAULT,
  RF,
  RIGHTS,
  SAVED_CARRIES,
  SAVED_ESP,
  SAVED_RESULT,
  SS,
  STACK_FAULT,
  SYSTEM_FLAGS,
  TF,
  VM,
} = state;

/** Bytes of the engine area that one processor takes: registers, then the TLB's tags and deltas. */
export const CPU_AREA = state.SLOTS * 8 + 2 * 4 * TLB_SIZE;
const CODE_TLB = 1024;

export class Cpu {
  /** The register file, 32, 16 and 8 bits wide; see `state.ts` for the names of its slots. */
  readonly r32: Int32Array;
  readonly r16: Uint16Array;
  readonly r8: Uint8Array;
  readonly tlb: Tlb;
  readonly walker: PageWalker;
  readonly fpu: FloatingPointUnit;
  readonly devices = new DeviceAccess();
  /** Protection, interrupts and system registers. */
  readonly system: System;
  /** The memory that `tlb.deltas` points into: the one that holds the register file, too. */
  readonly view: DataView;
  readonly bytes: Uint8Array;

  /** Tables of the TLB for the current privilege. */
  readTable = SUPERVISOR_READ;
  writeTable = SUPERVISOR_WRITE;
  /** USER_ACCESS at CPL 3, else 0. */
  userAccess = 0;
  /** Results of `read64`. */
  low = 0;
  high = 0;
  /** Data breakpoints that the present instruction has hit: the guest's, and the VMM's debugger's. */
  dataHits = 0;
  debuggerHits = 0;
  debugger: Breakpoints | null = null;
  /** INT3 ends the run instead of interrupting: what to do then. */
  onBreakpoint: (() => Exit) | null = null;

  readonly #fault = new Fault();
  readonly #unimplemented = new Unimplemented();
  /** An access that does not fit the fast path goes through here, up to 16 bytes. */
  readonly #scratch = new DataView(new ArrayBuffer(16));
  readonly #scratchBytes = new Uint8Array(this.#scratch.buffer);
  /** Host addresses that `modify…` found and `writeBack…` uses; -1 is the slow path. */
  #modifyHost = -1;
  #modifyLinear = 0;
  /** The page of the last slow write: code that writes to its own page comes back to it. 1 is no page. */
  #writtenPage = 1;
  #writtenAccess = 0;
  #writtenPhysical = 0;

  /** `linear page | mode` of each entry, and the decoded page. */
  readonly codeTags = new Int32Array(CODE_TLB).fill(-1);
  readonly codePages: (CodePage | null)[] = new Array(CODE_TLB).fill(null);

  /** `area` is where in `memory` the processor's CPU_AREA bytes begin. */
  constructor(
    readonly physical: PhysicalMemory,
    readonly code: CodeCache,
    readonly memory: WebAssembly.Memory,
    area: number,
  ) {
    const { buffer } = memory;
    const registers = state.viewRegisters(buffer, area);
    this.r32 = registers.r32;
    this.r16 = registers.r16;
    this.r8 = registers.r8;
    this.fpu = new FloatingPointUnit(this.r32);
    const tags = area + state.SLOTS * 8;
    this.tlb = new Tlb(
      new Int32Array(buffer, tags, TLB_SIZE),
      new Int32Array(buffer, tags + 4 * TLB_SIZE, TLB_SIZE),
    );
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
    this.walker = new PageWalker({
      read32: address => physical.read32(this.maskA20(address)),
      write32: (address, value) => physical.write32(this.maskA20(address), value),
    });
    this.system = new System(this);
    code.observe(this);
  }

  // Faults.

  /** Leaves the instruction with an exception. */
  fault(vector: number, errorCode = 0): never {
    this.#fault.vector = vector;
    this.#fault.hasErrorCode = ((ERROR_CODE_VECTORS >>> vector) & 1) !== 0;
    this.#fault.errorCode = errorCode;
    throw this.#fault;
  }

  /** Leaves the instruction with INTERNAL_ERROR: the real processor has it, this one does not. */
  unimplemented(message: string): never {
    this.#unimplemented.message = message;
    throw this.#unimplemented;
  }

  // Flags and mode.

  getFlags(): number {
    return this.r32[SYSTEM_FLAGS] | arithmeticFlags(this.r32) | 2;
  }

  /** Changes the flags of `mask`; privilege rules are the caller's. */
  setFlags(flags: number, mask = -1): void {
    const merged = (flags & mask) | (this.getFlags() & ~mask);
    setArithmeticFlags(this.r32, merged);
    const before = this.r32[SYSTEM_FLAGS];
    this.r32[SYSTEM_FLAGS] = merged & state.SYSTEM_FLAGS_MASK;
    if (((before ^ merged) & (VM | state.AC)) !== 0) this.updateMode();
    const opens = (merged & ~before & IF) !== 0;
    if (opens || (merged & (TF | RF)) !== 0) this.attend();
  }

  /** Changes those of the six arithmetic flags that are in `mask`. */
  setArithmetic(flags: number, mask: number): void {
    setArithmeticFlags(this.r32, (flags & mask) | (arithmeticFlags(this.r32) & ~mask));
  }

  get isProtected(): boolean {
    return (this.r32[CR0] & CR0_PE) !== 0;
  }

  /** Virtual-8086 mode. */
  get isVirtual8086(): boolean {
    return (this.r32[SYSTEM_FLAGS] & VM) !== 0;
  }

  /** Makes the loop look at its surroundings after this instruction: traps, shadows, windows, exits. */
  attend(): void {
    this.r32[ATTENTION] = 1;
  }

  /** Fills a segment register, hidden part included. `limit` is in bytes, `access` as in `state.ts`. */
  setSegment(segment: number, selector: number, base: number, limit: number, access: number): void {
    setSegment(this.r32, segment, selector, base, limit, access, this.isProtected && !this.isVirtual8086);
    if (segment <= DS) this.updateMode();
  }

  setCpl(cpl: number): void {
    this.r32[CPL] = cpl;
    this.updateMode();
  }

  /** To be called when CR0.PE, EFLAGS.VM, the CPL or a segment register has changed. */
  updateMode(): void {
    const r = this.r32;
    const isProtected = this.isProtected && !this.isVirtual8086;
    for (let segment = ES; segment <= state.GS; segment += 2) {
      r[RIGHTS + segment] = segmentRights(
        r[ACCESS + segment],
        r[BASE + segment],
        r[LIMIT + segment],
        isProtected,
      );
    }
    const flat = r[RIGHTS + DS] & r[RIGHTS + ES] & r[RIGHTS + SS] & FLAT;
    let mode = 0;
    if ((r[ACCESS + CS] & state.ACCESS_DB) !== 0) mode |= state.MODE_CODE32;
    if ((r[ACCESS + SS] & state.ACCESS_DB) !== 0) mode |= state.MODE_STACK32;
    if (flat !== 0 && r[BASE + CS] === 0 && r[LIMIT + CS] === -1) mode |= state.MODE_FLAT;
    const isUser = r[CPL] === 3;
    if (isUser) mode |= state.MODE_USER;
    this.userAccess = isUser ? USER_ACCESS : 0;
    this.readTable = isUser ? USER_READ : SUPERVISOR_READ;
    this.writeTable = isUser ? USER_WRITE : SUPERVISOR_WRITE;
    if (isUser && (r[CR0] & state.CR0_AM) !== 0 && (r[SYSTEM_FLAGS] & state.AC) !== 0) {
      mode |= state.MODE_ALIGNED;
      this.readTable = NO_ACCESS;
      this.writeTable = NO_ACCESS;
    }
    r[MODE] = mode;
  }

  // Paging.

  maskA20(address: number): number {
    return this.r32[A20_MASK] === -1 || Math.floor(address / 0x10_0000) % 2 === 0
      ? address
      : address - 0x10_0000;
  }

  /** To be called when CR0, CR3, CR4, EFER or A20 has changed. `keepGlobal` as for MOV CR3. */
  flushTranslations(keepGlobal = false): void {
    this.walker.configure({
      cr0: this.r32[CR0],
      cr3: this.r32[state.CR3] >>> 0,
      cr4: this.r32[state.CR4],
      efer: this.r32[state.EFER],
    });
    this.tlb.flush(keepGlobal);
    this.#writtenPage = 1;
    this.codeDropped();
  }

  /** Under PAE paging a load of CR3 reads the four pointers at once; so does a load of all registers. */
  loadPageDirectoryPointers(): void {
    if (this.walker.mode === "PAE") this.walker.loadPdptes();
  }

  /** INVLPG. */
  flushPage(linear: number): void {
    this.tlb.flushPage(linear);
    this.#writtenPage = 1;
    this.codeDropped();
  }

  /** CodeObserver: no TLB entry may still allow a write to a page that has become code. */
  codeAppeared(): void {
    this.tlb.flushWrites();
    this.#writtenPage = 1;
  }

  /** CodeObserver: decoded pages are gone. */
  codeDropped(): void {
    this.#writtenPage = 1;
    this.codeTags.fill(-1);
    this.codePages.fill(null);
  }

  /**
   * The physical address behind `linear`, by a page walk; raises #PF. `access` is made of WRITE_ACCESS,
   * USER_ACCESS and FETCH_ACCESS. Fills the TLB where the page is plain memory.
   */
  translate(linear: number, access: number): number {
    const { walker } = this;
    if (!walker.walk(linear >>> 0, access)) {
      this.r32[state.CR2] = linear;
      this.fault(PAGE_FAULT, walker.errorCode);
    }
    const page = this.maskA20(walker.frame * 4096);
    if ((access & FETCH_ACCESS) === 0) this.#remember(linear, page, access);
    return page + (linear & 0xfff);
  }

  #remember(linear: number, page: number, access: number): void {
    const slot = this.physical.find(page);
    if (slot === null || slot.bytes.buffer !== this.bytes.buffer || this.isWatched(linear)) return;
    const { walker, tlb } = this;
    const host = page + slot.delta;
    const { global, rights } = walker;
    const large = walker.pageFrames > 1;
    const isUser = (access & USER_ACCESS) !== 0;
    const isWrite = (access & WRITE_ACCESS) !== 0;
    tlb.insert(isUser ? USER_READ : SUPERVISOR_READ, linear, host, global, large);
    // A clean page must be walked again by its first write, which makes it dirty.
    const mayWrite = isWrite || (walker.dirty && (rights & WRITABLE) !== 0);
    if (!mayWrite || slot.readOnly || this.code.has((page / 4096) | 0)) return;
    tlb.insert(isUser ? USER_WRITE : SUPERVISOR_WRITE, linear, host, global, large);
  }

  /** Whether a data breakpoint lies in the page of `linear`, so that accesses must be looked at. */
  isWatched(linear: number): boolean {
    return this.system.breakpoints.watchesPage(linear) || (this.debugger?.watchesPage(linear) ?? false);
  }

  /** Notes which data breakpoints an access hits: a trap after the instruction. */
  #watch(linear: number, size: number, isWrite: boolean): void {
    const { breakpoints } = this.system;
    if (breakpoints.watchesData) this.dataHits |= breakpoints.hitByData(linear, size, isWrite);
    if (this.debugger?.watchesData) this.debuggerHits |= this.debugger.hitByData(linear, size, isWrite);
  }

  // Linear memory, at the current privilege.

  readLinear8(linear: number): number {
    const entry = ((linear >>> 12) & TLB_MASK) + this.readTable;
    if (this.tlb.tags[entry] === (linear & PAGE_MASK))
      return this.bytes[(linear + this.tlb.deltas[entry]) >>> 0];
    this.#readSlow(linear, 1, this.userAccess);
    return this.#scratchBytes[0];
  }

  readLinear16(linear: number): number {
    const entry = ((linear >>> 12) & TLB_MASK) + this.readTable;
    if (this.tlb.tags[entry] === ((linear + 1) & PAGE_MASK)) {
      return this.view.getUint16((linear + this.tlb.deltas[entry]) >>> 0, true);
    }
    this.#readSlow(linear, 2, this.userAccess);
    return this.#scratch.getUint16(0, true);
  }

  readLinear32(linear: number): number {
    const entry = ((linear >>> 12) & TLB_MASK) + this.readTable;
    if (this.tlb.tags[entry] === ((linear + 3) & PAGE_MASK)) {
      return this.view.getInt32((linear + this.tlb.deltas[entry]) >>> 0, true);
    }
    this.#readSlow(linear, 4, this.userAccess);
    return this.#scratch.getInt32(0, true);
  }

  writeLinear8(linear: number, value: number): void {
    const entry = ((linear >>> 12) & TLB_MASK) + this.writeTable;
    if (this.tlb.tags[entry] === (linear & PAGE_MASK)) {
      this.bytes[(linear + this.tlb.deltas[entry]) >>> 0] = value;
      return;
    }
    this.#scratchBytes[0] = value;
    this.#writeSlow(linear, 1, this.userAccess);
  }

  writeLinear16(linear: number, value: number): void {
    const entry = ((linear >>> 12) & TLB_MASK) + this.writeTable;
    if (this.tlb.tags[entry] === ((linear + 1) & PAGE_MASK)) {
      this.view.setInt16((linear + this.tlb.deltas[entry]) >>> 0, value, true);
      return;
    }
    this.#scratch.setInt16(0, value, true);
    this.#writeSlow(linear, 2, this.userAccess);
  }

  writeLinear32(linear: number, value: number): void {
    const entry = ((linear >>> 12) & TLB_MASK) + this.writeTable;
    if (this.tlb.tags[entry] === ((linear + 3) & PAGE_MASK)) {
      this.view.setInt32((linear + this.tlb.deltas[entry]) >>> 0, value, true);
      return;
    }
    this.#scratch.setInt32(0, value, true);
    this.#writeSlow(linear, 4, this.userAccess);
  }

  /** Raises the faults that a write of `size` bytes would raise, without writing. */
  checkWrite(segment: number, offset: number, size: number): void {
    this.#checkWriteLinear(this.linear(segment, offset, size, true), size);
  }

  // Linear memory, as the processor itself.

  readSystem8(linear: number): number {
    this.#readSlow(linear, 1, 0);
    return this.#scratchBytes[0];
  }

  readSystem16(linear: number): number {
    this.#readSlow(linear, 2, 0);
    return this.#scratch.getUint16(0, true);
  }

  readSystem32(linear: number): number {
    const entry = ((linear >>> 12) & TLB_MASK) + SUPERVISOR_READ;
    if (this.tlb.tags[entry] === ((linear + 3) & PAGE_MASK)) {
      return this.view.getInt32((linear + this.tlb.deltas[entry]) >>> 0, true);
    }
    this.#readSlow(linear, 4, 0);
    return this.#scratch.getInt32(0, true);
  }

  writeSystem8(linear: number, value: number): void {
    this.#scratchBytes[0] = value;
    this.#writeSlow(linear, 1, 0);
  }

  writeSystem16(linear: number, value: number): void {
    this.#scratch.setInt16(0, value, true);
    this.#writeSlow(linear, 2, 0);
  }

  writeSystem32(linear: number, value: number): void {
    const entry = ((linear >>> 12) & TLB_MASK) + SUPERVISOR_WRITE;
    if (this.tlb.tags[entry] === ((linear + 3) & PAGE_MASK)) {
      this.view.setInt32((linear + this.tlb.deltas[entry]) >>> 0, value, true);
      return;
    }
    this.#scratch.setInt32(0, value, true);
    this.#writeSlow(linear, 4, 0);
  }

  /** Cuts an access at a page's end, walks, and reaches memory or a device: into `#scratch`. */
  #readSlow(linear: number, size: number, access: number): void {
    if ((this.r32[MODE] & MODE_ALIGNED) !== 0 && access !== 0) this.#checkAlignment(linear, size);
    this.#watch(linear, size, false);
    const first = Math.min(size, 4096 - (linear & 0xfff));
    const physical = this.translate(linear, access);
    if (first === size) {
      this.#readPhysical(physical, size, 0);
      return;
    }
    const second = this.translate((linear + first) | 0, access);
    this.#readPhysical(physical, first, 0);
    this.#readPhysical(second, size - first, first);
  }

  #checkAlignment(linear: number, size: number): void {
    if ((linear & (size - 1)) !== 0) this.fault(state.ALIGNMENT_CHECK, 0);
  }

  #readPhysical(address: number, size: number, at: number): void {
    const slot = this.physical.find(address);
    if (slot === null) {
      this.devices.readMmio(address, size, this.#scratchBytes, at);
      return;
    }
    const host = address + slot.delta;
    if (size === 4) this.#scratch.setInt32(at, slot.view.getInt32(host, true), true);
    else for (let i = 0; i < size; i++) this.#scratchBytes[at + i] = slot.bytes[host + i];
  }

  #writeSlow(linear: number, size: number, access: number): void {
    if ((this.r32[MODE] & MODE_ALIGNED) !== 0 && access !== 0) this.#checkAlignment(linear, size);
    this.#watch(linear, size, true);
    const first = Math.min(size, 4096 - (linear & 0xfff));
    const isSamePage = (linear & PAGE_MASK) === this.#writtenPage && access === this.#writtenAccess;
    const physical = isSamePage
      ? this.#writtenPhysical + (linear & 0xfff)
      : this.translate(linear, access | WRITE_ACCESS);
    if (first === size) {
      this.#writtenPage = linear & PAGE_MASK;
      this.#writtenAccess = access;
      this.#writtenPhysical = physical - (linear & 0xfff);
      this.#writePhysical(physical, size, 0);
      return;
    }
    const second = this.translate((linear + first) | 0, access | WRITE_ACCESS);
    this.#writePhysical(physical, first, 0);
    this.#writePhysical(second, size - first, first);
  }

  #writePhysical(address: number, size: number, at: number): void {
    const slot = this.physical.find(address);
    if (slot === null || slot.readOnly) {
      this.devices.writeMmio(address, size, this.#scratchBytes, at);
      return;
    }
    const host = address + slot.delta;
    if (size === 4) slot.view.setInt32(host, this.#scratch.getInt32(at, true), true);
    else for (let i = 0; i < size; i++) slot.bytes[host + i] = this.#scratchBytes[at + i];
    const offset = address % 4096;
    // A frame's number is an integer of 32 bits; a division alone would make it a double, and a Map boxes those.
    this.code.writtenInPage(((address - offset) / 4096) | 0, offset, offset + size);
  }

  #checkWriteLinear(linear: number, size: number): void {
    const entry = ((linear >>> 12) & TLB_MASK) + this.writeTable;
    if (this.tlb.tags[entry] === ((linear + size - 1) & PAGE_MASK)) return;
    if ((this.r32[MODE] & MODE_ALIGNED) !== 0) this.#checkAlignment(linear, size);
    const access = WRITE_ACCESS | this.userAccess;
    this.translate(linear, access);
    if ((linear & 0xfff) + size > 4096) this.translate((linear + size - 1) | 0, access);
  }

  // Memory through a segment.

  /** The linear address of `size` bytes at `offset`; raises #GP(0), or #SS(0) for SS. */
  linear(segment: number, offset: number, size: number, isWrite: boolean): number {
    if ((this.r32[RIGHTS + segment] & FLAT) !== 0) return offset | 0;
    if (!segmentAllows(this.r32, segment, offset, size, isWrite)) {
      this.fault(segment === SS ? STACK_FAULT : GENERAL_PROTECTION, 0);
    }
    return (this.r32[BASE + segment] + offset) | 0;
  }

  read8(segment: number, offset: number): number {
    return this.readLinear8(this.linear(segment, offset, 1, false));
  }

  read16(segment: number, offset: number): number {
    return this.readLinear16(this.linear(segment, offset, 2, false));
  }

  read32(segment: number, offset: number): number {
    return this.readLinear32(this.linear(segment, offset, 4, false));
  }

  /** Reads 8 bytes into `low` and `high`. */
  read64(segment: number, offset: number): void {
    const linear = this.linear(segment, offset, 8, false);
    const entry = ((linear >>> 12) & TLB_MASK) + this.readTable;
    if (this.tlb.tags[entry] === ((linear + 7) & PAGE_MASK)) {
      const host = (linear + this.tlb.deltas[entry]) >>> 0;
      this.low = this.view.getInt32(host, true);
      this.high = this.view.getInt32(host + 4, true);
      return;
    }
    this.#readSlow(linear, 8, this.userAccess);
    this.low = this.#scratch.getInt32(0, true);
    this.high = this.#scratch.getInt32(4, true);
  }

  write8(segment: number, offset: number, value: number): void {
    this.writeLinear8(this.linear(segment, offset, 1, true), value);
  }

  write16(segment: number, offset: number, value: number): void {
    this.writeLinear16(this.linear(segment, offset, 2, true), value);
  }

  write32(segment: number, offset: number, value: number): void {
    this.writeLinear32(this.linear(segment, offset, 4, true), value);
  }

  write64(segment: number, offset: number, low: number, high: number): void {
    const linear = this.linear(segment, offset, 8, true);
    const entry = ((linear >>> 12) & TLB_MASK) + this.writeTable;
    if (this.tlb.tags[entry] === ((linear + 7) & PAGE_MASK)) {
      const host = (linear + this.tlb.deltas[entry]) >>> 0;
      this.view.setInt32(host, low, true);
      this.view.setInt32(host + 4, high, true);
      return;
    }
    this.#scratch.setInt32(0, low, true);
    this.#scratch.setInt32(4, high, true);
    this.#writeSlow(linear, 8, this.userAccess);
  }

  // Read, then write the same place: the write's faults are raised by the read.

  modify8(segment: number, offset: number): number {
    const linear = this.linear(segment, offset, 1, true);
    const entry = ((linear >>> 12) & TLB_MASK) + this.writeTable;
    if (this.tlb.tags[entry] === (linear & PAGE_MASK)) {
      this.#modifyHost = (linear + this.tlb.deltas[entry]) >>> 0;
      return this.bytes[this.#modifyHost];
    }
    this.#checkWriteLinear(linear, 1);
    this.#modifyHost = -1;
    this.#modifyLinear = linear;
    return this.readLinear8(linear);
  }

  modify16(segment: number, offset: number): number {
    const linear = this.linear(segment, offset, 2, true);
    const entry = ((linear >>> 12) & TLB_MASK) + this.writeTable;
    if (this.tlb.tags[entry] === ((linear + 1) & PAGE_MASK)) {
      this.#modifyHost = (linear + this.tlb.deltas[entry]) >>> 0;
      return this.view.getUint16(this.#modifyHost, true);
    }
    this.#checkWriteLinear(linear, 2);
    this.#modifyHost = -1;
    this.#modifyLinear = linear;
    return this.readLinear16(linear);
  }

  modify32(segment: number, offset: number): number {
    const linear = this.linear(segment, offset, 4, true);
    const entry = ((linear >>> 12) & TLB_MASK) + this.writeTable;
    if (this.tlb.tags[entry] === ((linear + 3) & PAGE_MASK)) {
      this.#modifyHost = (linear + this.tlb.deltas[entry]) >>> 0;
      return this.view.getInt32(this.#modifyHost, true);
    }
    this.#checkWriteLinear(linear, 4);
    this.#modifyHost = -1;
    this.#modifyLinear = linear;
    return this.readLinear32(linear);
  }

  writeBack8(value: number): void {
    if (this.#modifyHost >= 0) this.bytes[this.#modifyHost] = value;
    else this.writeLinear8(this.#modifyLinear, value);
  }

  writeBack16(value: number): void {
    if (this.#modifyHost >= 0) this.view.setInt16(this.#modifyHost, value, true);
    else this.writeLinear16(this.#modifyLinear, value);
  }

  writeBack32(value: number): void {
    if (this.#modifyHost >= 0) this.view.setInt32(this.#modifyHost, value, true);
    else this.writeLinear32(this.#modifyLinear, value);
  }

  // The stack.

  /** ESP or SP, as SS.B says. */
  get stackMask(): number {
    return (this.r32[MODE] & state.MODE_STACK32) !== 0 ? -1 : 0xffff;
  }

  /** Sets ESP, or SP alone with a 16-bit stack. */
  setStackPointer(value: number): void {
    const mask = this.stackMask;
    this.r32[ESP] = (this.r32[ESP] & ~mask) | (value & mask);
  }

  push16(value: number): void {
    const top = (this.r32[ESP] - 2) & this.stackMask;
    this.write16(SS, top, value);
    this.setStackPointer(top);
  }

  push32(value: number): void {
    const top = (this.r32[ESP] - 4) & this.stackMask;
    this.write32(SS, top, value);
    this.setStackPointer(top);
  }

  pop16(): number {
    const value = this.read16(SS, this.r32[ESP] & this.stackMask);
    this.setStackPointer(this.r32[ESP] + 2);
    return value;
  }

  pop32(): number {
    const value = this.read32(SS, this.r32[ESP] & this.stackMask);
    this.setStackPointer(this.r32[ESP] + 4);
    return value;
  }

  /** Pushes 2 or 4 bytes, as the instruction's operand size says. */
  push(size: number, value: number): void {
    if (size === 2) this.push16(value);
    else this.push32(value);
  }

  pop(size: number): number {
    return size === 2 ? this.pop16() : this.pop32();
  }

  // Operands of an instruction.

  /** Offset of the memory operand in its segment. */
  effectiveAddress(insn: Instruction): number {
    return effectiveAddress(this.r32, insn, insn.addressMask);
  }

  /** Operand Eb. */
  readRm8(insn: Instruction): number {
    return insn.isMemory ? this.read8(insn.segment, this.effectiveAddress(insn)) : this.r8[insn.rmIndex];
  }

  readRm16(insn: Instruction): number {
    return insn.isMemory ? this.read16(insn.segment, this.effectiveAddress(insn)) : this.r16[insn.rmIndex];
  }

  readRm32(insn: Instruction): number {
    return insn.isMemory ? this.read32(insn.segment, this.effectiveAddress(insn)) : this.r32[insn.rmIndex];
  }

  writeRm8(insn: Instruction, value: number): void {
    if (insn.isMemory) this.write8(insn.segment, this.effectiveAddress(insn), value);
    else this.r8[insn.rmIndex] = value;
  }

  writeRm16(insn: Instruction, value: number): void {
    if (insn.isMemory) this.write16(insn.segment, this.effectiveAddress(insn), value);
    else this.r16[insn.rmIndex] = value;
  }

  writeRm32(insn: Instruction, value: number): void {
    if (insn.isMemory) this.write32(insn.segment, this.effectiveAddress(insn), value);
    else this.r32[insn.rmIndex] = value;
  }

  /** Operand Eb that is read and then written with `replaceRm8`. */
  modifyRm8(insn: Instruction): number {
    return insn.isMemory ? this.modify8(insn.segment, this.effectiveAddress(insn)) : this.r8[insn.rmIndex];
  }

  modifyRm16(insn: Instruction): number {
    return insn.isMemory ? this.modify16(insn.segment, this.effectiveAddress(insn)) : this.r16[insn.rmIndex];
  }

  modifyRm32(insn: Instruction): number {
    return insn.isMemory ? this.modify32(insn.segment, this.effectiveAddress(insn)) : this.r32[insn.rmIndex];
  }

  replaceRm8(insn: Instruction, value: number): void {
    if (insn.isMemory) this.writeBack8(value);
    else this.r8[insn.rmIndex] = value;
  }

  replaceRm16(insn: Instruction, value: number): void {
    if (insn.isMemory) this.writeBack16(value);
    else this.r16[insn.rmIndex] = value;
  }

  replaceRm32(insn: Instruction, value: number): void {
    if (insn.isMemory) this.writeBack32(value);
    else this.r32[insn.rmIndex] = value;
  }

  // Control flow.

  /** Goes on at `eip` in the present code segment; beyond its limit is #GP(0). */
  jump(eip: number): void {
    if (eip >>> 0 > this.r32[LIMIT + CS] >>> 0) this.fault(GENERAL_PROTECTION, 0);
    this.r32[EIP] = eip;
  }

  /** Raises #GP(0) unless an instruction of `length` bytes at `eip` lies within the code segment. */
  checkCodeLimit(eip: number, length: number): void {
    const limit = this.r32[LIMIT + CS] >>> 0;
    if ((eip >>> 0) + length - 1 > limit && limit !== 0xffff_ffff) this.fault(GENERAL_PROTECTION, 0);
  }

  /** The instruction at CS:EIP, decoded; raises what its fetch raises. */
  fetch(): Instruction {
    const r = this.r32;
    const linear = (r[BASE + CS] + r[EIP]) | 0;
    const entry = (linear >>> 12) & (CODE_TLB - 1);
    let mode = r[MODE];
    if ((mode & state.MODE_FLAT) === 0 && !this.#isPageInSegment(linear)) mode |= state.MODE_CAREFUL;
    const page = this.codePages[entry];
    if (page !== null && this.codeTags[entry] === ((linear & PAGE_MASK) | mode)) {
      const insn = page.at(linear & 0xfff);
      if (insn.form === UNDECODED) this.#decode(page, insn);
      return insn;
    }
    return this.#fetchSlow(linear, entry, mode);
  }

  /** The page at `linear` if code was executed there in `mode` and its translation still holds, else null. */
  knownCodePage(linear: number, mode: number): CodePage | null {
    const entry = (linear >>> 12) & (CODE_TLB - 1);
    return this.codeTags[entry] === ((linear & PAGE_MASK) | mode) ? this.codePages[entry] : null;
  }

  /** Whether every byte of the page at CS:EIP is inside the code segment, with offsets that do not wrap. */
  #isPageInSegment(linear: number): boolean {
    const first = (this.r32[EIP] >>> 0) - (linear & 0xfff);
    return first >= 0 && first + 0xfff <= this.r32[LIMIT + CS] >>> 0;
  }

  #fetchSlow(linear: number, entry: number, mode: number): Instruction {
    const { r32: r } = this;
    this.beginInstruction();
    const physical = this.translate(linear, FETCH_ACCESS | (r[CPL] === 3 ? USER_ACCESS : 0));
    const slot = this.physical.find(physical);
    if (slot === null) {
      this.unimplemented(`the guest fetches an instruction where there is no memory`);
    }
    const page = this.code.page((physical / 4096) | 0, mode, slot);
    this.codeTags[entry] = (linear & PAGE_MASK) | mode;
    this.codePages[entry] = page;
    const insn = page.at(linear & 0xfff);
    if (insn.form === UNDECODED) this.#decode(page, insn);
    return insn;
  }

  /** Code that is executed after it was written is no data yet. */
  #decode(page: CodePage, insn: Instruction): void {
    page.writes = 0;
    decode(insn);
  }

  /** Notes what a fault of the instruction at EIP would have to restore. */
  beginInstruction(): void {
    const { r32: r } = this;
    r[INSTRUCTION_EIP] = r[EIP];
    this.keepForFault();
  }

  /** The flags and ESP that a fault from here on restores. */
  keepForFault(): void {
    const { r32: r } = this;
    r[SAVED_RESULT] = r[FLAG_RESULT];
    r[SAVED_CARRIES] = r[FLAG_CARRIES];
    r[SAVED_ESP] = r[ESP];
  }

  /** Byte `linear` of an instruction that crosses a page; raises what its fetch raises. */
  fetchByte(linear: number): number {
    const physical = this.translate(linear, FETCH_ACCESS | (this.r32[CPL] === 3 ? USER_ACCESS : 0));
    const slot = this.physical.find(physical);
    if (slot === null) {
      this.unimplemented("the guest fetches an instruction where there is no memory");
    }
    return slot.bytes[physical + slot.delta];
  }
}
