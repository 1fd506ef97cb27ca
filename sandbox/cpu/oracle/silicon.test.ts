import { describe, expect, it } from "vitest";
import { openSoft } from "../../kvm/soft/soft.ts";
import { formsOf } from "./forms.ts";
import { fuzz } from "./fuzz.ts";
import { Silicon, SiliconError } from "./silicon.ts";

/** Whether cases run here at all: gcc, x86-64 Linux, and a kernel that lets us have an LDT. */
async function siliconHere(): Promise<{ silicon?: Silicon; reason: string }> {
  try {
    const silicon = new Silicon();
    await silicon.run([]);
    return { silicon, reason: "" };
  } catch (error) {
    if (!(error instanceof SiliconError)) throw error;
    return { reason: `no cases on this processor: ${error.message}` };
  }
}

const { silicon, reason } = await siliconHere();

describe("the processor under us", { skip: silicon === undefined, meta: { skipReason: reason } }, () => {
  it("agrees with the soft engine in fresh random cases and programs", { timeout: 60_000 }, async () => {
    const result = await fuzz(silicon!, openSoft(), 4);
    silicon!.close();
    expect(result.cases).toBeGreaterThan(1000);
    expect(result.failures.map(({ text }) => text)).toEqual([]);
  });
});

describe("the generator", () => {
  it("names every form once", () => {
    const ids = (["integer", "control", "x87", "simd"] as const).flatMap(group =>
      formsOf(group).map(({ id }) => id),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(1500);
  });
});
