/** The machine of chapter 4 for the page: plain text and numbers to show, steps and slices to run. */
import { build, SERIAL } from "../../chapters/04-interrupts/machine.ts";
import { exitLine, hexBytes } from "../../chapters/tools/exit-log.ts";
import type { Exit, Regs, Sregs } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { instructionText } from "./instruction-text.ts";

export interface InterruptView {
  /** CS:EIP, the bytes there, and what they mean, in 16-bit code only. */
  readonly address: string;
  readonly bytes: string;
  readonly instruction: string;
  readonly ring: number;
  readonly registers: readonly { readonly name: string; readonly value: string; readonly changed: boolean }[];
  /** Words on top of the stack, the last pushed first. */
  readonly stack: readonly string[];
  readonly controllers: readonly { readonly name: string; readonly value: string }[];
  readonly output: string;
  /** The last exits that do not print, and the vectors that went in. */
  readonly events: readonly string[];
  /** The exit that ended the guest, or nothing. */
  readonly ended: string;
}

export interface InterruptMachine {
  /** One instruction; a REP counts each item. */
  step(): void;
  /** On to the next change of ring or entry of a handler, or to the end of a slice. */
  toHandler(): void;
  /** A slice of some thousand instructions. */
  run(): void;
  view(): InterruptView;
  close(): void;
}

const SLICE = 20_000;
const TURNS = 60;
const STEPS = 5000;
const SHOWN_EVENTS = 12;
const SHOWN_WORDS = 6;
const LONGEST_INSTRUCTION = 15;
const GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"] as const;
const SEGMENTS = ["cs", "ss", "ds", "es"] as const;
const IF = 1n << 9n;

export function openInterruptMachine(image: Uint8Array): InterruptMachine {
  const hypervisor = openSoft();
  let output = "";
  const machine = build(hypervisor, image, byte => (output += String.fromCharCode(byte)));
  const { vcpu, memory, pics } = machine;
  const events: string[] = [];
  let exits = 0;
  let ended = "";
  let before = cells(vcpu.getRegs(), vcpu.getSregs());

  const note = (event: string) => {
    events.push(event);
    if (events.length > SHOWN_EVENTS) events.shift();
  };
  const isPrinting = (exit: Exit) => exit.reason === "IO" && exit.port === SERIAL;
  /** One turn of the run loop; returns whether an interrupt went in at its beginning. */
  const turn = (instructions: number): boolean => {
    let interrupted = false;
    const { exit, goesOn } = machine.turn({ instructions }, vector => {
      interrupted = true;
      note(`     vector 0x${vector.toString(16)} acknowledged`);
    });
    if (exit.reason !== "INTR") {
      exits++;
      if (!isPrinting(exit)) note(exitLine(exits, exit));
    }
    if (!goesOn) ended = exit.reason;
    return interrupted;
  };
  const remember = () => {
    before = cells(vcpu.getRegs(), vcpu.getSregs());
  };

  return {
    step() {
      if (ended) return;
      remember();
      turn(1);
    },
    toHandler() {
      if (ended) return;
      remember();
      for (let steps = 0; steps < STEPS && !ended; steps++) {
        const [regs, ring] = [vcpu.getRegs(), ringOf(vcpu.getSregs())];
        if (turn(1)) return;
        if (ringOf(vcpu.getSregs()) !== ring || entersHandler(regs, vcpu.getRegs())) return;
      }
    },
    run() {
      if (ended) return;
      remember();
      for (let turns = 0; turns < TURNS && !ended; turns++) turn(SLICE / TURNS);
    },
    view() {
      const [regs, sregs] = [vcpu.getRegs(), vcpu.getSregs()];
      const code = memory.readBytes(Number(sregs.cs.base + regs.rip), LONGEST_INSTRUCTION);
      const is32 = sregs.cs.db === 1;
      const { length, text } = is32 ? { length: 8, text: "" } : instructionText(code);
      return {
        address: `${hex(sregs.cs.selector, 4)}:${hex(regs.rip, is32 ? 8 : 4)}`,
        bytes: hexBytes(code.subarray(0, length)),
        instruction: text,
        ring: ringOf(sregs),
        registers: cells(regs, sregs).map(([name, value], index) => ({
          name,
          value,
          changed: before[index]![1] !== value,
        })),
        stack: stackWords(regs, sregs, (address, size) => memory.read(address, size)),
        controllers: [
          ["IRR", pics.master.irr],
          ["IMR", pics.master.imr],
          ["ISR", pics.master.isr],
          ["slave IRR", pics.slave.irr],
          ["slave IMR", pics.slave.imr],
          ["slave ISR", pics.slave.isr],
        ].map(([name, value]) => ({ name: String(name), value: Number(value).toString(2).padStart(8, "0") })),
        output,
        events: [...events],
        ended,
      };
    },
    close: () => hypervisor.close(),
  };
}

/** Whether an instruction went elsewhere and pushed what INT or a fault pushes: three words or more. */
function entersHandler(before: Regs, after: Regs): boolean {
  const pushed = before.rsp - after.rsp;
  const wentOn = after.rip > before.rip && after.rip - before.rip <= BigInt(LONGEST_INSTRUCTION);
  return !wentOn && (pushed === 6n || pushed === 12n || pushed === 16n);
}

function ringOf({ cr0, ss }: Sregs): number {
  return cr0 & 1n ? ss.dpl : 0;
}

/** What lies on the stack: words in 16-bit code, else doublewords. */
function stackWords(regs: Regs, { ss }: Sregs, read: (address: number, size: 2 | 4) => number): string[] {
  const size = ss.db === 1 ? 4 : 2;
  const top = Number(ss.base + regs.rsp);
  return Array.from({ length: SHOWN_WORDS }, (_, index) => top + size * index)
    .filter(at => at + size <= STACKS_END)
    .map(at => `${hex(at, 6)}  ${hex(read(at, size), 2 * size)}`);
}

/** No stack of this chapter's guests lies higher. */
const STACKS_END = 0x1_0000;

function cells(regs: Regs, sregs: Sregs): [name: string, value: string][] {
  const digits = sregs.cr0 & 1n ? 8 : 4;
  return [
    ...GENERAL.map((name): [string, string] => [
      (digits === 8 ? `e${name.slice(1)}` : name.slice(1)).toUpperCase(),
      hex(regs[name] & ((1n << BigInt(4 * digits)) - 1n), digits),
    ]),
    ...SEGMENTS.map((name): [string, string] => [name.toUpperCase(), hex(sregs[name].selector, 4)]),
    ["FLAGS", hex(regs.rflags, digits)],
    ["IF", regs.rflags & IF ? "1" : "0"],
  ];
}

function hex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
