/** Writes one case of a form: the instruction's bytes, and the changes to the state that its seed gives. */
import { type CaseInput, EBP, ESP, FX } from "./case.ts";
import { type DataKind, expand, type Unit } from "./expand.ts";
import { caseSeed, Random } from "./random.ts";
import { DATA_WINDOW, DATA_WINDOW_SIZE, SEGMENTS, STACK_WINDOW, WORLDS } from "./world.ts";

/** One line of the instruction tables. */
export interface Form {
  /** Opcode, operands and operand size, e.g. "01 add rm16,r16 mem". */
  readonly id: string;
  readonly unit: Unit;
  readonly data: DataKind;
  /** Cases to record; default 200. */
  readonly cases?: number;
  make(draft: Draft): void;
}

/** A change to the expanded state. */
export type Patch =
  | { readonly at: "gpr"; readonly index: number; readonly value: number }
  | { readonly at: "eflags"; readonly value: number }
  | { readonly at: "data" | "stack" | "fx"; readonly offset: number; readonly bytes: readonly number[] };

export type OperandSize = 8 | 16 | 32;

const OVERRIDES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

export class Draft {
  /** Which case of its form this is, counted from 0. */
  readonly counter: number;
  readonly random: Random;
  readonly patches: Patch[] = [];
  readonly #unit: Unit;
  readonly #dataKind: DataKind;
  readonly #seed: number;
  #world = 0;
  #state: CaseInput;
  #prefixes: number[] = [];
  #bytes: number[] = [];
  #addressBits: 16 | 32 = 32;

  constructor(form: Form, formSeed: number, counter: number) {
    this.counter = counter;
    this.#unit = form.unit;
    this.#dataKind = form.data;
    this.#seed = caseSeed(formSeed, counter);
    this.random = new Random(this.#seed ^ 0x7f4a_7c15);
    this.#state = expand(this.#seed, 0, form.unit, form.data);
    const kind = this.random.below(10);
    this.enter(kind < 6 ? 0 : kind < 8 ? 1 : 2);
  }

  /** Chooses the world. Forms that care call it first. */
  enter(world: number): void {
    this.#world = world;
    this.#state = expand(this.#seed, world, this.#unit, this.#dataKind);
    this.#addressBits = WORLDS[world]!.bits;
  }

  get world(): number {
    return this.#world;
  }

  get stackBits(): 16 | 32 {
    return this.#world === 2 ? 16 : 32;
  }

  /** The state so far. */
  get gpr(): Uint32Array {
    return this.#state.gpr;
  }

  setGpr(index: number, value: number): void {
    this.#state.gpr[index] = value;
    this.patches.push({ at: "gpr", index, value: value >>> 0 });
  }

  setEflags(value: number): void {
    this.patches.push({ at: "eflags", value });
    this.#state = { ...this.#state, eflags: value };
  }

  get eflags(): number {
    return this.#state.eflags;
  }

  setBytes(at: "data" | "stack" | "fx", offset: number, bytes: readonly number[]): void {
    this.patches.push({ at, offset, bytes });
    const target = at === "data" ? this.#state.data : at === "stack" ? this.#state.stack : this.#state.fx!;
    target.set(bytes, offset);
  }

  /** ESP into the stack window, `room` bytes from its start; SP alone where the stack is 16 bits wide. */
  useStack(offset = 16 + 4 * this.random.below(6)): void {
    const base = WORLDS[this.#world]!.segments.ss.base;
    const misaligned = this.random.chance(0.1) ? this.random.below(4) : 0;
    const value = STACK_WINDOW + offset + misaligned - base;
    this.setGpr(ESP, this.stackBits === 16 ? ((this.gpr[ESP]! & 0xffff_0000) | value) >>> 0 : value);
  }

  prefix(byte: number): void {
    this.#prefixes.push(byte);
  }

  /** Gives the instruction this operand size, by a prefix where the world's default is another. */
  operandSize(size: OperandSize): void {
    if (size !== 8 && size !== WORLDS[this.#world]!.bits) this.prefix(0x66);
  }

  /** Makes addresses of this size, by a prefix where the default is another. */
  addressSize(bits: 16 | 32): void {
    if (bits !== WORLDS[this.#world]!.bits) this.prefix(0x67);
    this.#addressBits = bits;
  }

  get addressBits(): 16 | 32 {
    return this.#addressBits;
  }

  /** Half of the cases outside the flat world use the other address size. */
  anyAddressSize(): void {
    if (this.#world !== 0 && this.random.chance(0.5)) this.addressSize(this.#world === 1 ? 16 : 32);
  }

  bytes(...bytes: number[]): void {
    this.#bytes.push(...bytes);
  }

  immediate(size: OperandSize, value = this.#immediateValue()): void {
    for (let bit = 0; bit < size; bit += 8) this.#bytes.push((value >>> bit) & 0xff);
  }

  #immediateValue(): number {
    const { random } = this;
    const kind = random.below(6);
    if (kind === 0)
      return random.pick([0, 1, 0xffff_ffff, 0x80, 0x7f, 0x8000, 0x7fff, 0x8000_0000, 0x7fff_ffff]);
    if (kind === 1) return this.gpr[random.below(8)]!;
    return random.next();
  }

  modrmRegister(reg: number, rm: number): void {
    this.#bytes.push(0xc0 | (reg << 3) | rm);
  }

  /**
   * A memory operand somewhere in a window, in a random addressing mode. `size` is in bytes; `align` forces
   * its alignment; `within` keeps that many bytes of the window before and behind it.
   */
  modrmMemory(
    reg: number,
    size: number,
    options: { align?: number; offset?: number; before?: number; after?: number } = {},
  ): void {
    const { random } = this;
    const { align = 1, before = 0, after = 0 } = options;
    const room = DATA_WINDOW_SIZE - size - before - after;
    let offset = options.offset ?? before + random.below(room / 4 + 1) * 4;
    if (align === 1 && options.offset === undefined && random.chance(0.15))
      offset = before + random.below(room + 1);
    offset -= offset % align;
    if (this.#addressBits === 16) this.#memory16(reg, offset);
    else this.#memory32(reg, offset);
  }

  /** What to add to the base of `segment` to reach `offset` of its window. */
  #effective(segment: number, offset: number, defaultIsStack: boolean): number {
    const segments = WORLDS[this.#world]!.segments;
    const descriptor = segments[SEGMENTS[segment]!];
    // The based world's stack segment reaches only the stack.
    const inStack = defaultIsStack && this.#world !== 0;
    const linear = inStack ? STACK_WINDOW + (offset % 48) : DATA_WINDOW + offset;
    if (this.#world === 1 && this.random.chance(0.03)) {
      return (
        this.random.pick([descriptor.limit, descriptor.limit - 1, descriptor.limit + 1, 0, 0xffff_ffff]) >>> 0
      );
    }
    return (linear - descriptor.base) >>> 0;
  }

  /** Picks an override where it can reach the window; returns the segment's number. */
  #segment(usesStack: boolean): number {
    const { random } = this;
    if (random.chance(0.15)) {
      const choice = random.below(6);
      // In the other worlds CS and the flat GS do not reach the window with every address.
      const reaches = this.#world === 0 || choice === 3 || choice === 0 || choice === 4;
      if (reaches) {
        this.prefix(OVERRIDES[choice]!);
        return choice;
      }
    }
    return usesStack ? 2 : 3;
  }

  #memory32(reg: number, offset: number): void {
    const { random } = this;
    const shape = random.below(10);
    const at = random.below(3);
    if (shape === 0) {
      const target = this.#effective(this.#segment(false), offset, false);
      this.#bytes.push((reg << 3) | 5);
      this.#dword(target);
      return;
    }
    if (shape === 1) {
      const index = this.#indexRegister();
      const scale = random.below(4);
      const target = this.#effective(this.#segment(false), offset, false);
      this.#bytes.push((reg << 3) | 4, (scale << 6) | (index << 3) | 5);
      this.#dword(target - this.gpr[index]! * 2 ** scale);
      return;
    }
    if (shape < 6) {
      let base = random.below(8);
      if (base === ESP) base = 3;
      const segment = this.#segment(base === EBP);
      const target = this.#effective(segment, offset, segment === 2);
      const mod = base === EBP && at === 0 ? 1 : at;
      const displacement = this.#displacement(mod);
      this.setGpr(base, target - displacement);
      this.#bytes.push((mod << 6) | (reg << 3) | base);
      this.#displacementBytes(mod, displacement);
      return;
    }
    const base = random.below(8);
    const index = random.chance(0.15) ? 4 : this.#indexRegister();
    const scale = random.below(4);
    const stack = base === ESP || (base === EBP && at !== 0);
    if (base === EBP && at === 0) {
      // No base, but a displacement of 32 bits.
      const target = this.#effective(this.#segment(false), offset, false);
      this.#bytes.push((reg << 3) | 4, (scale << 6) | (index << 3) | 5);
      this.#dword(target - (index === 4 ? 0 : this.gpr[index]! * 2 ** scale));
      return;
    }
    const segment = this.#segment(stack);
    const target = this.#effective(segment, offset, segment === 2);
    if (base === index) {
      this.#bytes.push(0x80 | (reg << 3) | 4, (scale << 6) | (index << 3) | base);
      this.#dword(target - this.gpr[base]! * (1 + 2 ** scale));
      return;
    }
    const displacement = this.#displacement(at);
    const scaled = index === 4 ? 0 : this.gpr[index]! * 2 ** scale;
    this.setGpr(base, target - displacement - scaled);
    this.#bytes.push((at << 6) | (reg << 3) | 4, (scale << 6) | (index << 3) | base);
    this.#displacementBytes(at, displacement);
  }

  #indexRegister(): number {
    const index = this.random.below(8);
    return index === ESP ? 6 : index;
  }

  #memory16(reg: number, offset: number): void {
    const { random } = this;
    const rm = random.below(8);
    const mod = random.below(3);
    if (rm === 6 && mod === 0) {
      const target = this.#effective(this.#segment(false), offset, false);
      this.#bytes.push((reg << 3) | 6, target & 0xff, (target >>> 8) & 0xff);
      return;
    }
    const base = [3, 3, 5, 5, 6, 7, 5, 3][rm]!;
    const index = [6, 7, 6, 7, -1, -1, -1, -1][rm]!;
    const segment = this.#segment(base === EBP);
    const target = this.#effective(segment, offset, segment === 2);
    const displacement = this.#displacement(mod);
    const other = index < 0 ? 0 : this.gpr[index]!;
    const value = (target - displacement - other) & 0xffff;
    this.setGpr(base, ((this.gpr[base]! & 0xffff_0000) | value) >>> 0);
    this.#bytes.push((mod << 6) | (reg << 3) | rm);
    if (mod === 1) this.#bytes.push(displacement & 0xff);
    if (mod === 2) this.#bytes.push(displacement & 0xff, (displacement >>> 8) & 0xff);
  }

  #displacement(mod: number): number {
    if (mod === 0) return 0;
    return mod === 1 ? this.random.below(256) - 128 : this.random.next() | 0;
  }

  #displacementBytes(mod: number, displacement: number): void {
    if (mod === 1) this.#bytes.push(displacement & 0xff);
    if (mod === 2) this.#dword(displacement);
  }

  #dword(value: number): void {
    const low = Number(BigInt.asUintN(32, BigInt(value)));
    this.#bytes.push(low & 0xff, (low >>> 8) & 0xff, (low >>> 16) & 0xff, low >>> 24);
  }

  /** A pointer for DS:[reg] or ES:[reg], as string instructions use it. */
  point(index: number, segment: number, offset: number): void {
    const base = WORLDS[this.#world]!.segments[SEGMENTS[segment]!].base;
    const value = DATA_WINDOW + offset - base;
    this.setGpr(
      index,
      this.#addressBits === 16 ? ((this.gpr[index]! & 0xffff_0000) | (value & 0xffff)) >>> 0 : value,
    );
  }

  get code(): Uint8Array {
    return Uint8Array.from([...this.#prefixes, ...this.#bytes]);
  }

  setControlWord(value: number): void {
    this.setBytes("fx", FX.fcw, [value & 0xff, value >>> 8]);
  }

  input(): CaseInput {
    return { ...this.#state, code: this.code };
  }
}

/** The state that a seed and its patches give. */
export function assemble(
  seed: number,
  world: number,
  unit: Unit,
  dataKind: DataKind,
  patches: readonly Patch[],
  code: Uint8Array,
): CaseInput {
  let state = expand(seed, world, unit, dataKind);
  for (const patch of patches) {
    if (patch.at === "gpr") state.gpr[patch.index] = patch.value;
    else if (patch.at === "eflags") state = { ...state, eflags: patch.value };
    else
      (patch.at === "data" ? state.data : patch.at === "stack" ? state.stack : state.fx!).set(
        patch.bytes,
        patch.offset,
      );
  }
  return { ...state, code };
}
