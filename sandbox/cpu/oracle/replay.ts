/** Replays recorded cases on an engine, form by form. */
import type { CaseInput, Outcome } from "./case.ts";
import { compare, type Difference } from "./compare.ts";
import { explain } from "./known.ts";
import type { CaseMachine, NoOutcome } from "./machine.ts";
import type { PackedForm, Vector } from "./vectors.ts";

export interface FormResult {
  readonly form: string;
  readonly oracle: string;
  cases: number;
  passed: number;
  /** Of those passed: how many differ in what the manual leaves undefined. */
  undefinedDiffers: number;
  /** Differences that known.ts explains. */
  explained: number;
  failed: number;
  /** The engine said that it cannot do it (INTERNAL_ERROR). */
  unsupported: number;
  readonly reasons: Set<string>;
  firstFailure?: Failure;
}

export interface Failure {
  readonly input: CaseInput;
  readonly expected: Outcome;
  readonly got: Outcome | NoOutcome;
  readonly differences: readonly Difference[];
}

export const newResult = (form: string, oracle: string): FormResult => ({
  form,
  oracle,
  cases: 0,
  passed: 0,
  undefinedDiffers: 0,
  explained: 0,
  failed: 0,
  unsupported: 0,
  reasons: new Set(),
});

/** Runs one case and counts it. */
export function replayCase(machine: CaseMachine, vector: Vector, result: FormResult): Failure | null {
  const { input, outcome: expected } = vector;
  const got = machine.run(input);
  result.cases++;
  if ("problem" in got) {
    const failure: Failure = {
      input,
      expected,
      got,
      differences: [{ what: "run", expected: "an outcome", got: got.problem }],
    };
    result.firstFailure ??= failure;
    if (got.problem.startsWith("INTERNAL_ERROR")) result.unsupported++;
    else result.failed++;
    return failure;
  }
  const { differences, undefinedOnly } = compare(input, expected, got);
  if (differences.length === 0) {
    result.passed++;
    if (undefinedOnly) result.undefinedDiffers++;
    return null;
  }
  const reasons = explain(result.form, differences, input, expected, got);
  if (reasons) {
    result.explained++;
    for (const { reason } of reasons) result.reasons.add(reason);
    return null;
  }
  result.failed++;
  const failure: Failure = { input, expected, got, differences };
  result.firstFailure ??= failure;
  return failure;
}

/** Replays all cases of a form, or every `stride`-th. */
export function replayForm(machine: CaseMachine, form: PackedForm, stride = 1): FormResult {
  const result = newResult(form.id, "silicon");
  form.read().forEach((vector, at) => {
    if (at % stride === 0) replayCase(machine, vector, result);
  });
  return result;
}
