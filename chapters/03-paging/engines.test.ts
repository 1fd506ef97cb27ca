import { afterAll, describe, expect, it } from "vitest";
import type { Hypervisor } from "../../sandbox/kvm/api.ts";
import { openKvm } from "../../sandbox/kvm/linux/hypervisor.ts";
import { probeKvm } from "../../sandbox/kvm/probe.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { requires } from "../tools/requires.ts";
import { GUESTS } from "./guests.ts";
import { bootGuest } from "./subject.ts";

const kvm = requires("kvm");
const runsPaging = kvm.available && probeKvm().modes.paging32;
const noPaging = {
  skip: true,
  meta: { skipReason: "the KVM of this machine has no 32-bit paging" },
} as const;

describe("the guests of chapter 3", () => {
  const engines: Partial<Record<"soft" | "kvm", Hypervisor>> = {};
  afterAll(() => {
    for (const engine of Object.values(engines)) engine.close();
  });

  for (const guest of GUESTS) {
    it(`${guest.name}: prints and ends as it must on soft`, () => {
      engines.soft ??= openSoft();
      const run = bootGuest(engines.soft, guest.image);
      expect(run.output).toBe(guest.output);
      expect(run.last).toBe("HLT");
    });

    // What a real TLB keeps is its own business: see `dependsOnTlb`.
    if (guest.dependsOnTlb) continue;
    const options = guest.pages && !runsPaging && kvm.available ? noPaging : kvm.options;
    it(`${guest.name}: the same output and the same exits on /dev/kvm and on soft`, options, () => {
      engines.soft ??= openSoft();
      engines.kvm ??= openKvm();
      const real = bootGuest(engines.kvm, guest.image);
      const ours = bootGuest(engines.soft, guest.image);
      expect(ours.output).toBe(real.output);
      expect(ours.exits).toEqual(real.exits);
    });
  }
});
