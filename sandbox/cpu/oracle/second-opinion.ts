/**
 * The soft engine against another one, instruction by instruction, in real mode and in ring 0.
 *
 * Where /dev/kvm emulates the processor in software it has gaps and bugs of its own: what differs is judged
 * by the manual and by the recorded vectors, and listed here with its reason.
 */
import type { Hypervisor } from "../../kvm/api.ts";
import { type CaseInput, ESP } from "./case.ts";
import { disassemble } from "./describe.ts";
import { Draft, type Form } from "./draft.ts";
import { undefinedOf } from "./flags.ts";
import { controlForms } from "./forms/control.ts";
import { integerForms } from "./forms/integer.ts";
import { privilegedForms } from "./forms/privileged.ts";
import { MODES, type Mode, PrivilegedMachine, type Sighting } from "./privileged.ts";
import { seedOf } from "./random.ts";
import { type FormResult, newResult } from "./replay.ts";
import { CODE, ENTRY, STACK, STACK_WINDOW } from "./world.ts";

export interface Disagreement {
  readonly form: string;
  readonly mode: Mode;
  readonly text: string;
}

interface Reason {
  readonly reason: string;
  applies(form: string, soft: Sighting, other: Sighting, mode: Mode): boolean;
}

const INVALID_OPCODE = "vector 6";

/** Only flags or memory differ. */
const sameButFlags = (soft: Sighting, other: Sighting): boolean =>
  Object.entries(soft.registers).every(
    ([name, value]) => name === "rflags" || value === other.registers[name],
  );

export const KVM_REASONS: readonly Reason[] = [
  {
    reason:
      "KVM's instruction emulator does not know the instruction and raises #UD, or says so (INTERNAL_ERROR); judged by the recorded vectors instead.",
    applies: (_form, soft, other) =>
      (other.end === INVALID_OPCODE && soft.end !== INVALID_OPCODE) || other.end.startsWith("INTERNAL_ERROR"),
  },
  {
    reason:
      "AAD and AAM: KVM's emulator sets SF, ZF and PF otherwise than the manual; ours are the recorded ones.",
    applies: (form, soft, other) => /^D[45] /.test(form) && sameButFlags(soft, other),
  },
  {
    reason:
      "BT, BTS, BTR, BTC of memory with the bit offset in a register: this KVM does not cut the sum to 32 bits.",
    applies: (form, _soft, other) => /^0F (A3|AB|B3|BB) .* mem$/.test(form) && other.end === "MMIO",
  },
  {
    reason: "LTR of a selector with TI set is #GP(selector) (SDM vol. 2, LTR); KVM gives the error code 0.",
    applies: (form, soft, other) =>
      form.startsWith("0F 00 /3 ") && soft.end === "vector 13" && other.end === "vector 13",
  },
  {
    reason: "MOVNTI with 66 is #UD on the recorded processor; KVM's emulator executes it.",
    applies: form => form.startsWith("0F C3 "),
  },
  {
    reason:
      "ENTER with a 32-bit operand on a 16-bit stack: KVM's emulator pushes 16 bits; ours is the recorded one.",
    applies: (form, _soft, _other, mode) => form.startsWith("C8 ") && mode === "real mode",
  },
  {
    reason:
      "Interrupts and faults in real mode: this KVM clears the upper half of ESP, a processor changes SP only (SDM vol. 3A, 20.1.4).",
    applies: (_form, soft, other, mode) =>
      mode === "real mode" &&
      soft.end.startsWith("vector") &&
      soft.end === other.end &&
      (BigInt(`0x${soft.registers["rsp"]}`) & 0xffffn) ===
        (BigInt(`0x${other.registers["rsp"]}`) & 0xffffn) &&
      BigInt(`0x${other.registers["rsp"]}`) <= 0xffffn,
  },
  {
    reason: "INT n in real mode: this KVM comes back from some only by its time limit.",
    applies: (form, _soft, other, mode) =>
      /^(CD|CC) /.test(form) && mode === "real mode" && other.end === "INTR",
  },
  {
    reason:
      "A CALL that faults may have written its return address below the stack pointer or not (see the vectors' table).",
    applies: (form, soft, other) =>
      /\bcall\b/.test(form) && soft.end === other.end && soft.end.startsWith("vector"),
  },
];

/** INS and OUTS of random pointers mix port and memory exits in ways that each engine may order as it likes. */
const STRING_PORTS = /^6[C-F] /;
/** In real mode these control forms would jump to memory that holds no code of the case. */
const LEAVES_REAL_MODE = /\bfar\b|\biret\b/;

const RF = 0x1_0000n;

/** The case of a form in a mode: a stack that can take a frame, and nothing that leaves the machine's memory. */
function caseFor(form: Form, counter: number, mode: Mode): CaseInput | null {
  const draft = new Draft(form, seedOf(form.id), counter);
  form.make(draft);
  const input = draft.input();
  const wanted = mode === "real mode" ? 2 : 0;
  if (input.world !== wanted) return null;
  const gpr = input.gpr.slice();
  const top = STACK_WINDOW + 32 - (mode === "real mode" ? STACK : 0);
  const near = mode === "real mode" ? (gpr[ESP]! & 0xffff) - 0x800 : gpr[ESP]! - STACK_WINDOW;
  // A case that uses its stack has a pointer into the window already; any other gets one.
  if (near < 0 || near > 64) {
    if (usesEsp(input)) return null;
    gpr[ESP] = top;
  }
  return { ...input, gpr, eip: mode === "real mode" ? ENTRY : CODE + ENTRY };
}

/** Memory operands through ESP or EBP count on their exact values. */
const usesEsp = (input: CaseInput): boolean =>
  /\b(esp|sp)\b/.test(disassemble(input.code, input.world === 2 ? 16 : 32, 0).join());

export function secondOpinion(
  soft: Hypervisor,
  other: Hypervisor,
  disagree: (disagreement: Disagreement) => void,
  {
    wanted = 12,
    forms = [...integerForms(), ...controlForms(), ...privilegedForms()],
  }: { wanted?: number; forms?: readonly Form[] } = {},
): FormResult[] {
  const machines = [new PrivilegedMachine(soft), new PrivilegedMachine(other)] as const;
  const results: FormResult[] = [];
  for (const form of forms) {
    if (STRING_PORTS.test(form.id)) continue;
    const result = newResult(form.id, "kvm");
    for (const mode of MODES) {
      if (mode === "real mode" && LEAVES_REAL_MODE.test(form.id)) continue;
      let done = 0;
      for (let counter = 0; done < wanted && counter < wanted * 10; counter++) {
        const input = caseFor(form, counter, mode);
        if (!input) continue;
        const ours = machines[0].run(input, mode);
        const theirs = machines[1].run(input, mode);
        // An exit for memory that is not there comes in the middle of an instruction.
        if (ours.end === "MMIO" && theirs.end === "MMIO") continue;
        done++;
        count(form, mode, input, ours, theirs, result, disagree);
      }
    }
    results.push(result);
  }
  for (const machine of machines) machine.close();
  return results;
}

function count(
  form: Form,
  mode: Mode,
  input: CaseInput,
  ours: Sighting,
  theirs: Sighting,
  result: FormResult,
  disagree: (disagreement: Disagreement) => void,
): void {
  result.cases++;
  const differences = compareSightings(ours, theirs, undefinedOf(input).flags, undefinedOf(input).result);
  if (differences.length === 0) {
    result.passed++;
    return;
  }
  const known = KVM_REASONS.find(({ applies }) => applies(form.id, ours, theirs, mode));
  if (known) {
    result.explained++;
    result.reasons.add(known.reason);
    return;
  }
  result.failed++;
  const text = `${form.id} in ${mode}: ${disassemble(input.code, mode === "real mode" ? 16 : 32, input.eip).join("; ")}  (${Array.from(
    input.code,
    byte => byte.toString(16).padStart(2, "0"),
  ).join(" ")})\n  ${differences.slice(0, 6).join("\n  ")}`;
  disagree({ form: form.id, mode, text });
}

function compareSightings(
  ours: Sighting,
  theirs: Sighting,
  undefinedFlags: number,
  openResult: boolean,
): string[] {
  const differences: string[] = [];
  const differ = (what: string, a: string, b: string): void => {
    if (a !== b) differences.push(`${what}: soft ${a}, other ${b}`);
  };
  differ("end", ours.end, theirs.end);
  differ("exits", ours.exits.join("; "), theirs.exits.join("; "));
  for (const [name, value] of Object.entries(ours.registers)) {
    const other = theirs.registers[name]!;
    if (name === "rflags") {
      const mask = ~(RF | BigInt(undefinedFlags));
      const [a, b] = [BigInt(`0x${value}`) & mask, BigInt(`0x${other}`) & mask];
      differ(name, a.toString(16), b.toString(16));
    } else if (!openResult) differ(name, value, other);
  }
  // A pushed image of the flags may hold undefined ones, or RF.
  if (ours.end === "HLT" && !openResult) differ("memory", ours.changes.join(" "), theirs.changes.join(" "));
  else if (ours.changes.length !== theirs.changes.length && undefinedFlags === 0) {
    differ("memory", ours.changes.join(" "), theirs.changes.join(" "));
  }
  return differences;
}
