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

const STACK_FAULT = 12;
const GENERAL_PROTECTION = 13;

const faultBoth = (expected: Outcome, got: Outcome): boolean =>
  expected.vector === got.vector && expected.vector !== 3;

/** Condition code C1 in the status word: after a rounded result, whether it was rounded up. */
const C1 = 0x200;
/** How far a transcendental result may be from the recorded one, in units in the last place. */
const LAST_PLACES = 1n;

const statusDiffersIn = (difference: Difference, mask: number): boolean =>
  difference.what === "fsw" && ((Number(difference.expected) ^ Number(difference.got)) & ~mask) === 0;

/** Both are the same number but for the last places of the significand. */
function isClose({ what, expected, got }: Difference): boolean {
  if (!/^r[0-7]$/.test(what)) return false;
  const value = (text: string): bigint => BigInt(`0x${text.replace(":", "")}`);
  const distance = value(expected) - value(got);
  return distance >= -LAST_PLACES && distance <= LAST_PLACES;
}

export const EXPLANATIONS: readonly Explanation[] = [
  {
    id: "call-pushes-first",
    forms: /\bcall\b/,
    reason:
      "CALL: the recorded processor pushes the return address before it checks the target against the limit of the code segment, so memory below ESP is written, and a full stack is #SS where the target is bad too. The manual's operation checks the target first (SDM vol. 2, CALL), as we do.",
    covers: (difference, _input, expected, got) =>
      (faultBoth(expected, got) && difference.what.startsWith("byte at") && difference.got === "unchanged") ||
      (expected.vector === STACK_FAULT && got.vector === GENERAL_PROTECTION),
  },
  {
    id: "transcendental",
    forms: /^D9 (F0|F1|F2|F3|F9|FB|FE|FF) /,
    reason:
      "Transcendental functions: the manual promises an error below one unit in the last place, not a bit (SDM vol. 1, 8.3.10). Ours differ from the recorded processor's in the last place, or in C1, which tells the direction of that rounding.",
    covers: difference => isClose(difference) || statusDiffersIn(difference, C1),
  },
  {
    id: "approximation",
    forms: /^(F3 )?0F (52|53) /,
    reason:
      "RSQRTPS, RCPPS: approximations by a table that each model has its own of; the manual bounds the relative error by 1.5 * 2^-12 (SDM vol. 2, RCPPS).",
    covers: difference => isApproximation(difference),
  },
  {
    id: "alignment-before-limit",
    forms: /^(66 |F2 |F3 )?0F .* mem$/,
    reason:
      "A misaligned 16-byte operand past the limit of the stack segment is two faults at once; the recorded processor raises #GP for the alignment, we #SS for the limit. The manual orders neither (SDM vol. 3A, table 6-2: faults on executing an instruction have one priority).",
    covers: (_difference, _input, expected, got) =>
      expected.vector === GENERAL_PROTECTION && got.vector === STACK_FAULT && expected.eip === got.eip,
  },
  {
    id: "mmx-store-fault",
    forms: /^0F (7E|7F|E7) .* mem$/,
    reason:
      "A store from an MMX register that faults: the recorded processor has already begun to go to MMX state (TOP = 0, for MOVD and MOVQ all registers in use too). We leave the state as before the instruction, as a fault should (SDM vol. 3A, 6.6).",
    covers: ({ what }, _input, expected, got) =>
      faultBoth(expected, got) && (what === "fsw" || what === "ftw"),
  },
];

/** Four floats (or one), each within the error that the manual allows on both sides. */
function isApproximation({ what, expected, got }: Difference): boolean {
  if (!what.startsWith("xmm")) return false;
  for (let at = 0; at < 32; at += 8) {
    const [a, b] = [expected, got].map(text => {
      const view = new DataView(new ArrayBuffer(4));
      view.setUint32(0, Number.parseInt(text.slice(at, at + 8), 16));
      return view.getFloat32(0);
    });
    if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (!(Math.abs(a! / b! - 1) < 3 / 4096)) return false;
  }
  return true;
}

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
