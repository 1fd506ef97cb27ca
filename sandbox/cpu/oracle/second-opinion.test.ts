import { describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { openEngine } from "../../kvm/engines.ts";
import { openSoft } from "../../kvm/soft/soft.ts";
import { secondOpinion } from "./second-opinion.ts";

describe("real mode and ring 0, on /dev/kvm too", requires("kvm").options, () => {
  it("end alike, but for what KVM's emulator is known to do otherwise", { timeout: 180_000 }, async () => {
    const texts: string[] = [];
    const results = secondOpinion(openSoft(), await openEngine("kvm"), ({ text }) => texts.push(text), {
      wanted: 2,
    });
    expect(texts.slice(0, 5)).toEqual([]);
    expect(results.reduce((sum, { cases }) => sum + cases, 0)).toBeGreaterThan(3000);
  });
});
