/**
 * Single steps: one line an instruction, with its address, its bytes, its text and what it changed.
 *
 *     0000:7c02  31 c0                 xor ax, ax               flags ..Z.P.
 */
import { handleExit } from "#layers/01-minimal-vm/vmm.ts";
import type { Exit, Regs, Sregs } from "../../sandbox/kvm/api.ts";
import type { Disassembler } from "../tools/disassembly.ts";
import { hexBytes } from "../tools/exit-log.ts";
import type { RealModeVm } from "./machine.ts";

const LONGEST_INSTRUCTION = 15;
/** No instruction of real mode takes longer, not even with REP. */
const STEPS_PER_INSTRUCTION = 0x1_0000;
const FLAG_LETTERS = [
  ["O", 11],
  ["S", 7],
  ["Z", 6],
  ["A", 4],
  ["P", 2],
  ["C", 0],
] as const;
const GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"] as const;
const SEGMENTS = ["cs", "ds", "es", "fs", "gs", "ss"] as const;

interface State {
  readonly regs: Regs;
  readonly sregs: Sregs;
}

/**
 * Executes `count` instructions, or fewer if the guest ends, and prints a line for each. Exits on the way
 * are handled and told to `onExit`. Returns the exit that ended the guest, if one did.
 */
export function traceInstructions(
  vm: RealModeVm,
  disassemble: Disassembler,
  count: number,
  print: (line: string) => void,
  onExit: (exit: Exit) => void,
): Exit | undefined {
  const { vcpu } = vm;
  vcpu.setGuestDebug({ singleStep: true });
  try {
    for (let done = 0; done < count; done++) {
      const before = stateOf(vm);
      const text = instructionText(vm, before, disassemble);
      const end = step(vm, before, onExit);
      print(`${text}${changes(before, stateOf(vm))}`.trimEnd());
      if (end) return end;
    }
  } finally {
    vcpu.setGuestDebug(null);
  }
  return undefined;
}

/** Runs until the processor stands at another instruction: each item of a REP is a stop, and so is an exit. */
function step(vm: RealModeVm, before: State, onExit: (exit: Exit) => void): Exit | undefined {
  for (let stops = 0; stops < STEPS_PER_INSTRUCTION; stops++) {
    const exit = vm.vcpu.run({ milliseconds: 250 });
    if (exit.reason !== "DEBUG") {
      const goesOn = handleExit(exit, vm.buses);
      onExit(exit);
      if (!goesOn) return exit;
    }
    const { regs, sregs } = stateOf(vm);
    if (regs.rip !== before.regs.rip || sregs.cs.selector !== before.sregs.cs.selector) return undefined;
  }
  return undefined;
}

function stateOf({ vcpu }: RealModeVm): State {
  return { regs: vcpu.getRegs(), sregs: vcpu.getSregs() };
}

function instructionText({ memory }: RealModeVm, { regs, sregs }: State, disassemble: Disassembler): string {
  const bytes = memory.readBytes(Number(sregs.cs.base + regs.rip), LONGEST_INSTRUCTION);
  const [line] = disassemble({ bytes, address: regs.rip, bits: 16 }, 1);
  const where = `${digits(sregs.cs.selector)}:${digits(regs.rip)}`;
  return `${where}  ${hexBytes(line?.bytes ?? bytes.subarray(0, 1)).padEnd(21)} ${(line?.text ?? "(bad)").padEnd(29)}`;
}

/** The registers that differ, as the instruction left them, and the flags if one of them does. */
function changes(before: State, after: State): string {
  const general = GENERAL.filter(name => before.regs[name] !== after.regs[name]).map(name => {
    const value = after.regs[name];
    return value >> 16n ? `e${name.slice(1)} ${digits(value, 8)}` : `${name.slice(1)} ${digits(value)}`;
  });
  const segments = SEGMENTS.filter(name => before.sregs[name].selector !== after.sregs[name].selector).map(
    name => `${name} ${digits(after.sregs[name].selector)}`,
  );
  const flags = flagLetters(after.regs.rflags);
  const changed = flags === flagLetters(before.regs.rflags) ? [] : [`flags ${flags}`];
  return [...general, ...segments, ...changed].join("  ");
}

/** The arithmetic flags in the order of the register, a dot for each that is clear. */
export function flagLetters(rflags: bigint): string {
  return FLAG_LETTERS.map(([letter, bit]) => ((rflags >> BigInt(bit)) & 1n ? letter : ".")).join("");
}

function digits(value: bigint | number, width = 4): string {
  return value.toString(16).padStart(width, "0");
}
