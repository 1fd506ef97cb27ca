/**
 * Shows the interpreter's loop all of its arms before the first guest runs.
 *
 * JavaScript engines compile what they have seen. An arm that no guest has reached is compiled to a way out,
 * and the first instruction that takes it throws the compiled loop away: it is slow until it is compiled
 * anew, which for a function of its size takes some tenths of a second. A system that boots reaches new arms
 * all the time. So a processor of its own, with a little memory, first executes one instruction of every hot
 * form, some rounds with registers of every magnitude. It takes milliseconds, once.
 */
import type { MemoryRegion } from "../kvm/api.ts";
import { CodeCache } from "./code-page.ts";
import { CPU_AREA, Cpu } from "./cpu.ts";
import { decode } from "./decode.ts";
import * as hot from "./hot.ts";
import type { Instruction } from "./instruction.ts";
import { interpret } from "./interpreter.ts";
import { OPCODES, type Shape } from "./opcodes/opcodes.ts";
import { PhysicalMemory, Slot } from "./physical-memory.ts";
import { resetCpu } from "./reset.ts";
import * as state from "./state.ts";

const ROUNDS = 24;
const FIRST_ROUNDS = 4;
/** Far more than the program needs to its HLT: a decoder with a mistake in it may never get there. */
const MOST_STRETCHES = 100;
const PAGE = 0x1000;
const RAM = 0x1_0000;
/** Where the program's memory operands, its stack and its code are. */
const DATA = 0x1000;
const STACK = 0x2800;
const FRAME = 0x2c00;
const CODE = 0x4000;
const WASM_PAGE = 0x1_0000;
/** More than an instruction and a jump out of its page take. */
const TAIL = 32;

/** Present, of 4 GiB, 32 bits (`ACCESS` of state.ts). */
const FLAT_DATA = 0xc093;
const FLAT_CODE = 0xc09b;
const FLAT_MODE = state.MODE_CODE32 | state.MODE_STACK32 | state.MODE_FLAT;

let isDone = false;

/**
 * Does nothing from the second time on. On a layer that is not finished it ends early: what is missing or
 * wrong is told when a guest gets there.
 */
export function rehearse(): void {
  if (isDone) return;
  isDone = true;
  try {
    rehearsedForms();
  } catch {
    // Nothing is lost but speed.
  }
}

/** Rehearses, and tells which forms were on the stage. */
export function rehearsedForms(): ReadonlySet<number> {
  const region = makeMemory();
  const cpu = makeProcessor(region);
  const slot = new Slot(region);
  const ram = new Uint8Array(region.host.memory.buffer, region.host.offset, RAM);
  const program = new Program(ram, cpu.code, slot);
  program.write();
  const { r32 } = cpu;
  let random = 1;
  for (let round = 0; round < ROUNDS; round++) {
    // What is seen in the very first rounds may not be kept, so they all decode anew.
    if (round < FIRST_ROUNDS) cpu.code.dropAll();
    for (const register of [state.EAX, state.ECX, state.EDX, state.ESI, state.EDI]) {
      random = (Math.imul(random, 1664525) + 1013904223) | 0;
      r32[register] = random >> (random & 15);
    }
    r32[state.EBX] = DATA;
    r32[state.ESP] = STACK;
    r32[state.EBP] = FRAME;
    r32[state.EIP] = CODE;
    slot.view.setInt32(slot.delta + FRAME, FRAME, true);
    for (let stretch = 0; r32[state.HALTED] === 0 && stretch < MOST_STRETCHES; stretch++) {
      r32[state.ATTENTION] = 0;
      cpu.system.setBudget(PAGE);
      interpret(cpu);
    }
    r32[state.HALTED] = 0;
  }
  return program.forms;
}

/** A processor's registers and TLB, then its RAM. */
function makeMemory(): MemoryRegion {
  const offset = Math.ceil(CPU_AREA / WASM_PAGE) * WASM_PAGE;
  const pages = (offset + RAM) / WASM_PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return { slot: 0, guestAddress: 0, size: RAM, host: { memory, offset, size: RAM }, hostOffset: 0 };
}

/** In flat protected mode without paging: what all hot forms need. */
function makeProcessor(region: MemoryRegion): Cpu {
  const physical = new PhysicalMemory();
  physical.set(region);
  const cpu = new Cpu(physical, new CodeCache(), region.host.memory, 0);
  resetCpu(cpu);
  cpu.r32[state.CR0] = state.CR0_PE | state.CR0_ET;
  cpu.flushTranslations();
  cpu.setSegment(state.CS, 0x08, 0, -1, FLAT_CODE);
  for (const segment of [state.ES, state.SS, state.DS]) cpu.setSegment(segment, 0x10, 0, -1, FLAT_DATA);
  return cpu;
}

class Program {
  readonly forms = new Set<number>();
  #at = CODE;
  readonly #view: DataView;

  constructor(
    private readonly ram: Uint8Array,
    private readonly code: CodeCache,
    private readonly slot: Slot,
  ) {
    this.#view = new DataView(ram.buffer, ram.byteOffset, ram.length);
  }

  write(): void {
    this.#everyForm();
    for (const opcode of GENERAL) this.#emit(opcode);
    this.#jumpsByValue();
    this.#emit(0xf4); // hlt
  }

  #emit(...bytes: number[]): void {
    if (PAGE - (this.#at % PAGE) < TAIL) this.#jumpToNextPage(0xe9); // jmp
    this.ram.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Opcodes with a displacement of 32 bits: JMP and CALL. */
  #jumpToNextPage(opcode: number): void {
    const target = this.#nextPage;
    this.ram[this.#at] = opcode;
    this.#view.setInt32(this.#at + 1, target - (this.#at + 5), true);
    this.#at = target;
  }

  get #nextPage(): number {
    return (Math.floor(this.#at / PAGE) + 1) * PAGE;
  }

  /** One instruction of each hot form that needs no address: the first that the opcode map has. */
  #everyForm(): void {
    const seen = new Set<number>();
    for (const bytes of encodings()) {
      const { form, opcode, length } = this.#tryOut(bytes);
      if (form <= hot.GENERAL_ENDS || form === hot.CALL_FAR_PAGE || JUMPS_BY_VALUE.has(form)) continue;
      // One form has all conditions.
      const isConditional = form === hot.SETCC_R8 || form === hot.CMOVCC_RR;
      const key = isConditional ? opcode : form;
      if (seen.has(key)) continue;
      seen.add(key);
      this.forms.add(form);
      // Flags and the operand ECX change from one to the next, so that conditions come out both ways.
      this.#emit(0x01, 0xfe, 0x89, 0xf1); // add esi, edi; mov ecx, esi
      this.#emit(...bytes.slice(0, length));
    }
  }

  /** How `bytes` are decoded. */
  #tryOut(bytes: readonly number[]): Instruction {
    const place = RAM - PAGE;
    this.ram.set(bytes, place);
    const insn = this.code.page(place / PAGE, FLAT_MODE, this.slot).at(0);
    decode(insn);
    return insn;
  }

  /** Jumps, calls and returns to an address in a register or in memory, inside the page and out of it. */
  #jumpsByValue(): void {
    for (const leaves of [false, true]) {
      for (const [form, [before, after]] of JUMPS_BY_VALUE) {
        this.forms.add(form);
        this.#emit(); // to a page with room for both
        const end = this.#at + before.length + 4 + after.length;
        const target = leaves ? this.#nextPage : end;
        this.ram.set(before, this.#at);
        this.#view.setInt32(this.#at + before.length, target, true);
        this.ram.set(after, this.#at + before.length + 4);
        this.#at = target;
      }
    }
    this.#jumpToNextPage(0xe8); // call
    this.forms.add(hot.CALL_FAR_PAGE);
  }
}

/** Some of the instructions without a hot form: CBW, PUSHF, POPF, SAHF, LAHF, CMC, CLC, CLD. */
const GENERAL = [0x98, 0x9c, 0x9d, 0x9e, 0x9f, 0xf5, 0xf8, 0xfc];

const LINES = OPCODES.flatMap(lines => lines?.shapes.filter(isEveryday) ?? []);

/** No floats and no vectors, whose forms are all general. */
function isEveryday({ form: { opcode }, prefix }: Shape): boolean {
  return prefix < 0 && (opcode & 0xf8) !== 0xd8;
}

/** By form, instructions around a target address: the bytes before it and after it. */
const JUMPS_BY_VALUE: ReadonlyMap<number, readonly [before: readonly number[], after: readonly number[]]> =
  new Map([
    [hot.RET, [[0x68], [0xc3]]], //                           push target; ret
    [hot.JMP_R, [[0xb8], [0xff, 0xe0]]], //                   mov eax, target; jmp eax
    [hot.CALL_R, [[0xb8], [0xff, 0xd0]]], //                  mov eax, target; call eax
    [
      hot.JMP_M,
      [
        [0xc7, 0x43, 0x40],
        [0xff, 0x63, 0x40],
      ],
    ], // mov dword [ebx + 64], target; jmp [ebx + 64]
  ]);

/**
 * Every line of the opcode map, with ECX and with memory at EBX as the operand E; the bytes after that are
 * all 0 (jumps go to the next instruction) or all 1 (shifts shift). Then those with 16-bit operands.
 */
function* encodings(): Generator<number[]> {
  for (const prefixes of [[], [0x66]]) {
    for (const { form, extension } of LINES) {
      const map = form.opcode > 0xff ? [0x0f] : [];
      const opcode = [...prefixes, ...map, form.opcode & 0xff];
      const reg = Math.max(extension, 0) << 3;
      for (const rest of [0, 1]) {
        const tail = new Array<number>(8).fill(rest);
        if (!OPCODES[form.opcode]!.hasModRm) yield [...opcode, ...tail];
        else
          yield* [
            [...opcode, 0xc1 | reg, ...tail],
            [...opcode, 0x43 | reg, 0, ...tail],
          ];
      }
    }
  }
}
