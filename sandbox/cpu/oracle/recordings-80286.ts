/**
 * Replays single instructions that others recorded from a real 80286 in real mode
 * (SingleStepTests/80286; see README.md in the folder of the recordings).
 *
 * Each case ends at the HLT behind its instruction, or at the one at a jump's or an exception's target.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { HostMemory, Hypervisor, Segment, Sregs, Vcpu, Vm } from "../../kvm/api.ts";
import { type Case286, endedIn, explain286 } from "./known-80286.ts";
import { type FormResult, newResult } from "./replay.ts";

const FOLDER = fileURLToPath(new URL("../../../../shared/vectors/", import.meta.url));
const RAM_SIZE = 0x11_0000;
const REGISTERS = [
  "ax",
  "bx",
  "cx",
  "dx",
  "cs",
  "ss",
  "ds",
  "es",
  "sp",
  "bp",
  "si",
  "di",
  "ip",
  "flags",
] as const;
/** In real mode a 286 holds the top four flag bits at 0. */
const FLAGS_286 = 0x0fff;
const SHOWN_FAILURES = 3;
const HLT = 0xf4;
const INVALID_OPCODE = 6;
const STACK_FAULT = 12;
/** Where the first added handler may lie. */
const FIRST_HANDLER = 0x600;
/** Instructions, and iterations of a REP, that a case may take. */
const BUDGET = 3000;

export interface Failure286 {
  readonly form: string;
  readonly text: string;
}

export const recordings80286Path = (): string => `${FOLDER}80286-real-mode.jsonl.gz`;

export function* readRecordings80286(): Generator<Case286> {
  const text = gunzipSync(readFileSync(recordings80286Path())).toString("utf8");
  for (const line of text.split("\n")) if (line) yield JSON.parse(line) as Case286;
}

/** The flag bits that the manual of the 286 defines, by form. */
export function definedFlags80286(): (form: string) => number {
  const metadata = JSON.parse(readFileSync(`${FOLDER}80286-real-mode.metadata.json`, "utf8")) as {
    opcodes: Record<string, { "flags-mask"?: number; reg?: Record<string, { "flags-mask"?: number }> }>;
  };
  return form => {
    const [opcode, reg] = form.split(".");
    const entry = metadata.opcodes[opcode!];
    return (reg === undefined ? entry?.["flags-mask"] : entry?.reg?.[reg]?.["flags-mask"]) ?? 0xffff;
  };
}

export class Machine286 {
  readonly #vm: Vm;
  readonly #vcpu: Vcpu;
  readonly #ram: Uint8Array;
  readonly #words: Int32Array;
  readonly #initial: Sregs;

  constructor(hypervisor: Hypervisor) {
    const host: HostMemory = hypervisor.allocateMemory(RAM_SIZE);
    this.#vm = hypervisor.createVm();
    this.#vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: RAM_SIZE, host, hostOffset: 0 });
    this.#vcpu = this.#vm.createVcpu(0);
    this.#ram = new Uint8Array(host.memory.buffer, host.offset, RAM_SIZE);
    this.#words = new Int32Array(host.memory.buffer, host.offset, RAM_SIZE / 4);
    this.#initial = this.#vcpu.getSregs();
  }

  close(): void {
    this.#vcpu.close();
    this.#vm.close();
  }

  /** Runs a case; what differs from the recording, a line each, under `defined` flags. */
  run(recorded: Case286, defined: number): string[] {
    const { initial, final, exception } = recorded;
    const expected = new Map([...initial.ram, ...final.ram]);
    // Handlers for what a 286 executes, or faults with another vector, and later processors do not.
    const handlers = new Map<number, number>();
    let handler = FIRST_HANDLER;
    for (const vector of [INVALID_OPCODE, STACK_FAULT]) {
      if (vector === exception) continue;
      while (expected.has(handler)) handler += 16;
      this.#write([...farPointer(4 * vector, handler), [handler, HLT]]);
      handlers.set(handler, vector);
      handler += 16;
    }
    this.#write(initial.ram);
    const differences = this.#execute(recorded, defined, handlers);
    for (const [at, vector] of handlers) {
      for (const address of [4 * vector, 4 * vector + 1, 4 * vector + 2, 4 * vector + 3, at]) {
        if (!expected.has(address)) this.#write([[address, 0]]);
      }
    }
    const flagsAt = pushedFlags(recorded);
    for (const [address, value] of expected) {
      const got = this.#ram[address]!;
      const mask =
        address === flagsAt ? defined & 0xff : address === flagsAt + 1 ? (defined & FLAGS_286) >>> 8 : 0xff;
      if ((got ^ value) & mask)
        differences.push(`byte ${hex(address, 6)}: expected ${hex(value, 2)}, got ${hex(got, 2)}`);
    }
    this.#write([...expected.keys()].map(address => [address, 0]));
    // What is left in memory was not to be written.
    for (let word = nextNonZero(this.#words, 0); word >= 0; word = nextNonZero(this.#words, word)) {
      differences.push(`memory at ${hex(word * 4, 6)} was written: ${hex(this.#words[word]!, 8)}`);
      this.#write([0, 1, 2, 3].map(byte => [word * 4 + byte, 0]));
    }
    return differences;
  }

  #write(bytes: readonly (readonly [number, number])[]): void {
    for (const [address, value] of bytes) {
      this.#ram[address] = value;
      this.#vm.memoryWritten(address, 1);
    }
  }

  #execute({ initial, final }: Case286, defined: number, handlers: ReadonlyMap<number, number>): string[] {
    const vcpu = this.#vcpu;
    const { regs } = initial;
    vcpu.setSregs({
      ...this.#initial,
      cs: realMode(regs.cs!),
      ss: realMode(regs.ss!),
      ds: realMode(regs.ds!),
      es: realMode(regs.es!),
      idt: { base: 0n, limit: 0x3ff },
    });
    const state = vcpu.getRegs();
    for (const name of ["ax", "bx", "cx", "dx", "sp", "bp", "si", "di", "ip"] as const) {
      state[`r${name}`] = BigInt(regs[name]!);
    }
    state.rflags = BigInt((regs.flags! & FLAGS_286) | 2);
    vcpu.setRegs(state);
    for (let exits = 0; ; exits++) {
      const exit = vcpu.run({ instructions: BUDGET, milliseconds: 1000 });
      if (exit.reason === "IO" && exits < BUDGET) {
        if (exit.direction === "in") exit.data.fill(0xff);
        continue;
      }
      if (exit.reason !== "HLT")
        return [
          `expected HLT, got exit ${exit.reason}${exit.reason === "INTERNAL_ERROR" ? `: ${exit.message}` : ""}`,
        ];
      break;
    }
    const after = vcpu.getRegs();
    const sregs = vcpu.getSregs();
    const differences: string[] = [];
    const vector = handlers.get(sregs.cs.selector * 16 + Number(after.rip) - 1);
    if (vector !== undefined) differences.push(endedIn(vector));
    for (const name of REGISTERS) {
      const expected = final.regs[name] ?? (name === "flags" ? (regs.flags! & FLAGS_286) | 2 : regs[name]!);
      const got =
        name === "cs" || name === "ss" || name === "ds" || name === "es"
          ? sregs[name].selector
          : Number((name === "flags" ? after.rflags : after[`r${name}`]) & 0xffffn);
      const mask = name === "flags" ? defined & FLAGS_286 : 0xffff;
      if ((expected ^ got) & mask)
        differences.push(`${name}: expected ${hex(expected, 4)}, got ${hex(got, 4)}`);
    }
    return differences;
  }
}

/** Where an exception or INT put its image of the flags: the topmost of the three words pushed. */
function pushedFlags({ exception, initial, final }: Case286): number {
  if (exception === undefined) return -2;
  const sp = final.regs.sp ?? initial.regs.sp!;
  const ss = final.regs.ss ?? initial.regs.ss!;
  return ss * 16 + ((sp + 4) & 0xffff);
}

function nextNonZero(words: Int32Array, from: number): number {
  const { length } = words;
  for (let at = from; at < length; at++) if (words[at] !== 0) return at;
  return -1;
}

/** The bytes of a far pointer at `at` to a linear address that is a multiple of 16. */
const farPointer = (at: number, linear: number): [number, number][] => [
  [at, 0],
  [at + 1, 0],
  [at + 2, (linear >>> 4) & 0xff],
  [at + 3, linear >>> 12],
];

function realMode(selector: number): Segment {
  return {
    selector,
    base: BigInt(selector * 16),
    limit: 0xffff,
    type: 3,
    present: 1,
    dpl: 0,
    db: 0,
    s: 1,
    l: 0,
    g: 0,
    avl: 0,
    unusable: 0,
  };
}

const hex = (value: number, digits: number): string => (value >>> 0).toString(16).padStart(digits, "0");

/** Replays every `stride`-th recording; unexplained failures go to `fail`. */
export function replay80286(
  hypervisor: Hypervisor,
  fail: (failure: Failure286) => void,
  stride = 1,
): FormResult[] {
  const machine = new Machine286(hypervisor);
  const defined = definedFlags80286();
  const results = new Map<string, FormResult>();
  let index = 0;
  for (const recorded of readRecordings80286()) {
    if (index++ % stride !== 0) continue;
    const form = recorded.form;
    const result = results.get(form) ?? newResult(form, "80286");
    results.set(form, result);
    const differences = machine.run(recorded, defined(form));
    result.cases++;
    if (differences.length === 0) {
      result.passed++;
      continue;
    }
    const reason = explain286(recorded, differences);
    if (reason) {
      result.explained++;
      result.reasons.add(reason);
      continue;
    }
    if (differences[0]!.includes("INTERNAL_ERROR")) result.unsupported++;
    else result.failed++;
    if (result.failed + result.unsupported <= SHOWN_FAILURES)
      fail({ form, text: describe286(recorded, differences) });
  }
  machine.close();
  return [...results.values()];
}

function describe286(recorded: Case286, differences: readonly string[]): string {
  const regs = REGISTERS.map(name => `${name}=${hex(recorded.initial.regs[name]!, 4)}`).join(" ");
  const bytes = recorded.bytes.map(byte => hex(byte, 2)).join(" ");
  const exception = recorded.exception === undefined ? "" : `   exception ${recorded.exception}`;
  return [
    `${recorded.form}  ${recorded.name}   ${bytes}${exception}`,
    `  before ${regs}`,
    `  memory ${recorded.initial.ram
      .slice(0, 30)
      .map(([at, value]) => `${hex(at, 6)}=${hex(value, 2)}`)
      .join(" ")}`,
    ...differences.slice(0, 10).map(line => `  ${line}`),
  ].join("\n");
}
