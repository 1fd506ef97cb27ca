/** The machine of chapter 2 for the page: plain text and numbers to show, steps and slices to run. */
import { build } from "../../chapters/02-real-mode/machine.ts";
import { exitLine, hexBytes } from "../../chapters/tools/exit-log.ts";
import type { Exit, Regs, Sregs } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { instructionText } from "./instruction-text.ts";

export interface View {
  /** CS:IP. */
  readonly address: string;
  readonly bytes: string;
  readonly instruction: string;
  readonly registers: readonly { readonly name: string; readonly value: string; readonly changed: boolean }[];
  /** Lines of a hex dump that begins at CS:IP. */
  readonly memory: readonly string[];
  readonly output: string;
  /** The last lines of the exit log. */
  readonly exits: readonly string[];
  readonly exitCount: number;
  /** The exit that ended the guest, or nothing. */
  readonly ended: string;
}

export interface RealModeMachine {
  /** One instruction, or one item of a repeated one. */
  step(): void;
  /** A slice of a few thousand instructions. */
  run(): void;
  view(): View;
  close(): void;
}

/** A slice is so many entries of so many instructions at most: some milliseconds, so that the page stays alive. */
const ENTRIES = 40;
const SLICE = 5000;
const SHOWN_EXITS = 12;
const SHOWN_ROWS = 4;
const LONGEST_INSTRUCTION = 15;
const GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"] as const;
const SEGMENTS = ["cs", "ds", "es", "ss"] as const;
const FLAGS = [
  ["O", 11],
  ["D", 10],
  ["I", 9],
  ["S", 7],
  ["Z", 6],
  ["A", 4],
  ["P", 2],
  ["C", 0],
] as const;

export function openRealModeMachine(sector: Uint8Array): RealModeMachine {
  const hypervisor = openSoft();
  let output = "";
  const { vcpu, memory, handle } = build(hypervisor, sector, byte => (output += String.fromCharCode(byte)));
  const exits: string[] = [];
  let exitCount = 0;
  let ended = "";
  let before = cells(vcpu.getRegs(), vcpu.getSregs());

  /** Runs until the budget is spent, or the next exit; returns whether the guest goes on in this slice. */
  const enter = (budget: number): boolean => {
    const exit = vcpu.run({ instructions: budget });
    if (exit.reason === "INTR") return false;
    const goesOn = handle(exit);
    exitCount++;
    note(exit);
    if (!goesOn) ended = exit.reason;
    return goesOn;
  };
  const note = (exit: Exit) => {
    exits.push(exitLine(exitCount, exit));
    if (exits.length > SHOWN_EXITS) exits.shift();
  };

  return {
    step() {
      if (ended) return;
      before = cells(vcpu.getRegs(), vcpu.getSregs());
      enter(1);
    },
    run() {
      if (ended) return;
      before = cells(vcpu.getRegs(), vcpu.getSregs());
      for (let entry = 0; entry < ENTRIES; entry++) {
        if (!enter(SLICE)) return;
      }
    },
    view() {
      const [regs, sregs] = [vcpu.getRegs(), vcpu.getSregs()];
      const linear = Number(sregs.cs.base + regs.rip);
      const code = memory.readBytes(linear, LONGEST_INSTRUCTION);
      const { length, text } = instructionText(code);
      const now = cells(regs, sregs);
      return {
        address: `${hex(sregs.cs.selector, 4)}:${hex(regs.rip, 4)}`,
        bytes: hexBytes(code.subarray(0, length)),
        instruction: text,
        registers: now.map(([name, value], index) => ({ name, value, changed: before[index]![1] !== value })),
        memory: Array.from({ length: SHOWN_ROWS }, (_, row) => {
          const at = linear + 16 * row;
          return `${hex(at, 6)}  ${hexBytes(memory.readBytes(at, 16))}`;
        }),
        output,
        exits: [...exits],
        exitCount,
        ended,
      };
    },
    close: () => hypervisor.close(),
  };
}

function cells(regs: Regs, sregs: Sregs): [name: string, value: string][] {
  return [
    ...GENERAL.map((name): [string, string] => {
      const value = regs[name];
      return value >> 16n
        ? [`E${name.slice(1).toUpperCase()}`, hex(value, 8)]
        : [name.slice(1).toUpperCase(), hex(value, 4)];
    }),
    ...SEGMENTS.map((name): [string, string] => [name.toUpperCase(), hex(sregs[name].selector, 4)]),
    ["IP", hex(regs.rip, 4)],
    ["FLAGS", FLAGS.map(([letter, bit]) => ((regs.rflags >> BigInt(bit)) & 1n ? letter : ".")).join("")],
  ];
}

function hex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
