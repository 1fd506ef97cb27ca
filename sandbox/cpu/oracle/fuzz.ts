/** Fresh random cases on the processor of this machine and on an engine, until the time is up. */
import type { Hypervisor } from "../../kvm/api.ts";
import type { CaseInput, Outcome } from "./case.ts";
import { describeFailure, disassemble } from "./describe.ts";
import { formsOf, GROUPS, type Group } from "./forms.ts";
import { CaseMachine } from "./machine.ts";
import { PROGRAM_KINDS, type Program, randomProgram, shorten } from "./programs.ts";
import { Random } from "./random.ts";
import { draftCase, isUsable } from "./record.ts";
import { type Failure, newResult, replayCase } from "./replay.ts";
import type { Silicon } from "./silicon.ts";

const BATCH = 64;
const PROGRAM_LENGTH = 3000;

export interface FuzzResult {
  cases: number;
  programs: number;
  explained: number;
  readonly failures: { readonly form: string; readonly text: string }[];
}

export async function fuzz(
  silicon: Silicon,
  hypervisor: Hypervisor,
  seconds: number,
  options: {
    seed?: number;
    groups?: readonly Group[];
    maxCases?: number;
    tell?: (text: string) => void;
  } = {},
): Promise<FuzzResult> {
  const {
    seed = Date.now() >>> 0,
    groups = GROUPS,
    maxCases = Number.POSITIVE_INFINITY,
    tell = () => {},
  } = options;
  const random = new Random(seed);
  const forms = groups.flatMap(formsOf);
  const machine = new CaseMachine(hypervisor);
  const programMachine = new CaseMachine(hypervisor, "int3", 20_000);
  const result: FuzzResult = { cases: 0, programs: 0, explained: 0, failures: [] };
  const fail = (form: string, text: string): void => {
    result.failures.push({ form, text });
    tell(text);
  };
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until && result.cases < maxCases) {
    const form = random.pick(forms);
    const formSeed = random.next();
    const inputs = Array.from({ length: BATCH }, (_, counter) => draftCase(form, formSeed, counter));
    const outcomes = await silicon.run(inputs);
    const counts = newResult(form.id, "silicon");
    inputs.forEach((input, counter) => {
      const outcome = outcomes[counter]!;
      if (!isUsable(outcome)) return;
      const failure = replayCase(machine, { counter, input, outcome }, counts);
      if (failure && counts.failed + counts.unsupported === 1)
        fail(form.id, describeFailure(form.id, failure));
    });
    result.cases += counts.cases;
    result.explained += counts.explained;
    if (random.chance(0.1)) {
      const kind = random.pick(PROGRAM_KINDS);
      const failure = await runProgram(silicon, programMachine, random.next(), kind);
      result.programs++;
      if (failure) fail(`program of ${kind}`, failure);
    }
  }
  machine.close();
  programMachine.close();
  return result;
}

/** Runs a random program on both; where they differ, the first instruction that does it, in words. */
export async function runProgram(
  silicon: Silicon,
  machine: CaseMachine,
  seed: number,
  kind: string,
  length = PROGRAM_LENGTH,
): Promise<string | null> {
  const program = randomProgram(seed, kind, length);
  if (!(await differs(silicon, machine, program, program.starts.length - 1))) return null;
  // The shortest prefix that differs ends with the instruction to blame.
  let low = 0;
  let high = program.starts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (await differs(silicon, machine, program, middle)) high = middle;
    else low = middle;
  }
  const failure = (await differs(silicon, machine, program, high))!;
  const before = await silicon.run([shorten(program, low)]);
  const culprit = program.input.code.subarray(program.starts[low], program.starts[high]);
  const state = before[0] ? stateAfter(program.input, before[0], culprit) : program.input;
  return [
    `program of ${kind}, seed ${seed}: instruction ${low} is the first to differ: ${disassemble(culprit, 32, state.eip).join("; ")}`,
    describeFailure("", { ...failure, input: state }),
  ].join("\n");
}

/** The state that the culprit found, as a case of its own. */
function stateAfter(input: CaseInput, outcome: Outcome, code: Uint8Array): CaseInput {
  const data = input.data.slice();
  for (const [offset, value] of outcome.changes)
    if (offset >= 0x800 && offset < 0x880) data[offset - 0x800] = value;
  return { ...input, code, gpr: outcome.gpr, eflags: outcome.eflags & ~0x1_0000, fx: outcome.fx, data };
}

async function differs(
  silicon: Silicon,
  machine: CaseMachine,
  program: Program,
  count: number,
): Promise<Failure | null> {
  const input = shorten(program, count);
  const [outcome] = await silicon.run([input]);
  if (!isUsable(outcome ?? null)) return null;
  const counts = newResult("program", "silicon");
  return replayCase(machine, { counter: 0, input, outcome: outcome! }, counts);
}
