import { readFileSync } from "node:fs";
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
    if (!readFileSync("/proc/cpuinfo", "utf8").includes("GenuineIntel")) {
      silicon.close();
      return { reason: "this processor is not Intel's: npm run oracle fuzz shows where it differs" };
    }
    return { silicon, reason: "" };
  } catch (error) {
    if (!(error instanceof SiliconError)) throw error;
    return { reason: `no cases on this processor: ${error.message}` };
  }
}

const { silicon, reason } = await siliconHere();

describe("the processor under us", { skip: silicon === undefined, meta: { skipReason: reason } }, () => {
  it("agrees with the soft engine in 20,000 random cases and some programs", {
    timeout: 60_000,
  }, async () => {
    const result = await fuzz(silicon!, openSoft(), 50, { seed: 1, maxCases: 20_000 });
    silicon!.close();
    expect(result.cases).toBeGreaterThanOrEqual(20_000);
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
