import { describe, expect, it } from "vitest";
import { openEngine } from "../../sandbox/kvm/engines.ts";
import { probeKvm } from "../../sandbox/kvm/probe.ts";
import { readChapter } from "../tools/chapters.ts";
import { requires } from "../tools/requires.ts";
import { GUESTS, isOfTheProcessor } from "./guests.ts";
import { countInKernel, countInUserSpace } from "./in-kernel.ts";
import { bootGuest } from "./subject.ts";

const chapter = readChapter("04-interrupts");

for (const engine of ["soft", "kvm"] as const) {
  describe(`the guests of chapter 4 on ${engine}`, engine === "kvm" ? requires("kvm").options : {}, () => {
    for (const { name, image, output, last, vectors } of GUESTS) {
      const needs = chapter.guests.find(guest => guest.name === name)!.needs;
      const missing = engine === "kvm" ? needs.filter(need => !probeKvm().modes[need]) : [];
      const skipped = missing.length
        ? { skip: true as const, meta: { skipReason: `this KVM lacks ${missing.join(", ")}` } }
        : {};
      it(name, skipped, async () => {
        const hypervisor = await openEngine(engine);
        try {
          expect(bootGuest(hypervisor, image, isOfTheProcessor(name))).toMatchObject({
            output,
            last,
            vectors,
          });
        } finally {
          hypervisor.close();
        }
      });
    }
  });
}

describe("at the end of", () => {
  it.each([
    ["ticks", 0, 0],
    ["no-eoi", 1, 1],
  ])("%s the master's IRR is %i and its ISR %i", async (name, irr, isr) => {
    const hypervisor = await openEngine("soft");
    const { image } = GUESTS.find(guest => guest.name === name)!;
    expect(bootGuest(hypervisor, image, false).master).toMatchObject({ irr, isr });
    hypervisor.close();
  });
});

describe("with the controllers inside the kernel", requires("kvm").options, () => {
  it("ticks makes no exit but those that print", async () => {
    const hypervisor = await openEngine("kvm");
    try {
      // A port access for each word and each end of interrupt, a HLT for each sleep.
      const here = countInUserSpace(hypervisor);
      expect(here.get("IO")).toBe(18);
      expect((here.get("HLT") ?? 0) + (here.get("IRQ_WINDOW_OPEN") ?? 0)).toBeGreaterThanOrEqual(6);
      expect([...countInKernel(hypervisor)]).toEqual([]);
    } finally {
      hypervisor.close();
    }
  });
});
