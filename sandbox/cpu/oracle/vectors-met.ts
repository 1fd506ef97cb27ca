/** The test of one group of vectors; each group has its test file, so that they run side by side. */
import { expect, it } from "vitest";
import { openSoft } from "../../kvm/soft/soft.ts";
import { describeFailure } from "./describe.ts";
import type { Group } from "./forms.ts";
import { loadVectors } from "./record.ts";
import { replayAll } from "./report.ts";

/** Every so many cases of each form; `npm run oracle replay` takes all. */
const STRIDE = 4;

export function expectVectorsMet(group: Group): void {
  it(`meets what a real processor did: ${group}`, { timeout: 180_000 }, () => {
    const results = replayAll(openSoft(), [group], STRIDE);
    const failures = results.flatMap(({ form, firstFailure }) =>
      firstFailure ? [describeFailure(form, firstFailure)] : [],
    );
    expect(failures.slice(0, 5)).toEqual([]);
    expect(results.reduce((sum, { unsupported }) => sum + unsupported, 0)).toBe(0);
  });

  it(`holds at least 200 cases of each form: ${group}`, () => {
    const few = loadVectors(group).filter(({ count }) => count < 200);
    expect(few.map(({ id }) => id)).toEqual([]);
  });
}
