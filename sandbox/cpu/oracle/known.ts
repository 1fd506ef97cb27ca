/**
 * Differences between the soft engine and the recorded processor that are meant to be, or that the manual
 * leaves to the model: each with its reason. A difference that no rule here explains is a failure.
 */
import type { CaseInput, Outcome } from "./case.ts";
import type { Difference } from "./compare.ts";

export interface Explanation {
  readonly id: string;
  /** Forms that it can concern, by their ids. */
  readonly forms: RegExp;
  readonly reason: string;
  /** Whether it explains this difference of the case. */
  covers(difference: Difference, input: CaseInput, expected: Outcome, got: Outcome): boolean;
}

const faultBoth = (expected: Outcome, got: Outcome): boolean =>
  expected.vector === got.vector && expected.vector !== 3;

export const EXPLANATIONS: readonly Explanation[] = [
  {
    id: "call-pushes-before-fault",
    forms: /\b(call)\b/,
    reason:
      "A CALL whose target lies outside the code segment: the recorded processor has written the return address below ESP when it raises #GP, the manual's operation checks the target first. No register differs.",
    covers: (difference, _input, expected, got) =>
      faultBoth(expected, got) && difference.what.startsWith("byte at") && difference.got === "unchanged",
  },
];

/** The reasons for all differences of a case, or null where one has none. */
export function explain(
  form: string,
  differences: readonly Difference[],
  input: CaseInput,
  expected: Outcome,
  got: Outcome,
): Explanation[] | null {
  const used = new Set<Explanation>();
  for (const difference of differences) {
    const found = EXPLANATIONS.find(
      ({ forms, covers }) => forms.test(form) && covers(difference, input, expected, got),
    );
    if (!found) return null;
    used.add(found);
  }
  return [...used];
}
