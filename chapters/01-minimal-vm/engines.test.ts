import { afterAll, describe, expect, it } from "vitest";
import type { Hypervisor } from "../../sandbox/kvm/api.ts";
import { openKvm } from "../../sandbox/kvm/linux/hypervisor.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { requires } from "../tools/requires.ts";
import { GUESTS } from "./guests.ts";
import { bootGuest } from "./subject.ts";

const kvm = requires("kvm");
const MAX_EXITS = 100;

describe("the guests of chapter 1", () => {
  const engines: Partial<Record<"soft" | "kvm", Hypervisor>> = {};
  afterAll(() => {
    for (const engine of Object.values(engines)) engine.close();
  });

  for (const guest of GUESTS) {
    it(`${guest.name}: prints and ends as it must on soft`, () => {
      engines.soft ??= openSoft();
      const run = bootGuest(engines.soft, guest.image, MAX_EXITS);
      expect(run.output).toBe(guest.output);
      expect(run.exits.at(-1)?.reason).toBe(guest.ends);
    });

    it(`${guest.name}: the same output and the same exits on /dev/kvm and on soft`, kvm.options, () => {
      engines.soft ??= openSoft();
      engines.kvm ??= openKvm();
      const real = bootGuest(engines.kvm, guest.image, MAX_EXITS);
      const ours = bootGuest(engines.soft, guest.image, MAX_EXITS);
      expect(ours.output).toBe(real.output);
      expect(ours.exits).toEqual(real.exits);
      if (guest.ends === "HLT") expect(ours.after).toEqual(real.after);
    });
  }
});
