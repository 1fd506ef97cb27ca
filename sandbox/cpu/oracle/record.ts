/** Makes the committed vectors: random cases of every form, run on the processor of this machine. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { type CaseInput, type Outcome, TIMED_OUT } from "./case.ts";
import { Draft, type Form } from "./draft.ts";
import { formsOf, GROUPS, type Group } from "./forms.ts";
import { seedOf } from "./random.ts";
import type { Silicon } from "./silicon.ts";
import { encodeVectors, type FormVectors, openVectors, type PackedForm, type Vector } from "./vectors.ts";

const FOLDER = fileURLToPath(new URL("./vectors/", import.meta.url));
const DEFAULT_CASES = 200;
const PAGE_FAULT = 14;

export const vectorFile = (group: Group): string => `${FOLDER}${group}.bin.br`;

/** The recorded forms of a group. */
export function loadVectors(group: Group): PackedForm[] {
  return openVectors(brotliDecompressSync(readFileSync(vectorFile(group))));
}

export function draftCase(form: Form, seed: number, counter: number): CaseInput {
  const draft = new Draft(form, seed, counter);
  form.make(draft);
  return draft.input();
}

/**
 * Whether a case says anything about a processor without Linux's page tables under it: one that ran into
 * an unmapped page does not, nor one that changed too much to be told.
 */
export const isUsable = (outcome: Outcome | null): outcome is Outcome =>
  outcome !== null && outcome.vector !== PAGE_FAULT && outcome.vector !== TIMED_OUT;

/** Records `wanted` usable cases of a form, counting up from `from`. */
export async function recordForm(
  silicon: Silicon,
  form: Form,
  wanted: number,
  seed: number,
): Promise<FormVectors> {
  const cases: Vector[] = [];
  for (let counter = 0; cases.length < wanted && counter < wanted * 8; ) {
    const batch = Array.from({ length: Math.max(32, wanted - cases.length) }, () => {
      const input = draftCase(form, seed, counter);
      return { counter: counter++, input };
    });
    const outcomes = await silicon.run(batch.map(({ input }) => input));
    batch.forEach(({ counter, input }, at) => {
      const outcome = outcomes[at]!;
      if (isUsable(outcome) && cases.length < wanted) cases.push({ counter, input, outcome });
    });
  }
  return { id: form.id, unit: form.unit, data: form.data, seed, cases };
}

/** Records the groups and writes their files; `tell` is given a line about each. */
export async function record(silicon: Silicon, tell: (line: string) => void, salt = 0): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const group of GROUPS) {
    const forms: FormVectors[] = [];
    for (const form of formsOf(group)) {
      forms.push(
        await recordForm(silicon, form, form.cases ?? DEFAULT_CASES, (seedOf(form.id) ^ salt) >>> 0),
      );
    }
    const bytes = encodeVectors(forms);
    const packed = brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 24,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    });
    writeFileSync(vectorFile(group), packed);
    const cases = forms.reduce((sum, form) => sum + form.cases.length, 0);
    const fewest = forms.reduce(
      (least, form) => Math.min(least, form.cases.length),
      Number.POSITIVE_INFINITY,
    );
    tell(
      `${group}: ${forms.length} forms, ${cases} cases (fewest ${fewest}), ${bytes.length} bytes, ${packed.length} compressed`,
    );
  }
}
