import { describe, expect, it } from "vitest";
import { requires } from "../../chapters/tools/requires.ts";
import { chooseEngine, openEngine } from "./engines.ts";
import { probeKvm, runsMode } from "./probe.ts";

const kvm = requires("kvm");

describe("the probe of /dev/kvm", () => {
  it("never throws, says why it failed, and looks only once", () => {
    const probe = probeKvm();
    expect(probe.available).toBe(kvm.available);
    expect(probe.problem === "").toBe(probe.available);
    expect(probeKvm()).toBe(probe);
  });

  it("finds real and protected mode wherever KVM runs at all", kvm.options, () => {
    expect(probeKvm().modes).toMatchObject({ "real-mode": true, "protected-mode": true });
  });

  it("finds every mode where the processor virtualizes", kvm.options, () => {
    const { emulated, modes } = probeKvm();
    if (!emulated) expect(Object.values(modes)).not.toContain(false);
  });
});

describe("the guests of the probe", () => {
  // What they ask of a processor is right if another one runs them too.
  it.each(["real-mode", "protected-mode", "protected-interrupts", "paging32", "pae"] as const)(
    "run on the soft engine: %s",
    async mode => {
      const soft = await openEngine("soft");
      expect(runsMode(soft, mode)).toBe(true);
      soft.close();
    },
  );
});

describe("the choice of an engine", () => {
  it("takes KVM where it runs the guest, and says so", kvm.options, async () => {
    const { hypervisor, sentence } = await chooseEngine(undefined, ["real-mode"]);
    expect([hypervisor.name, sentence]).toEqual(["kvm", "engine: kvm, /dev/kvm runs this guest"]);
    hypervisor.close();
  });

  const missing = (Object.keys(probeKvm().modes) as (keyof ReturnType<typeof probeKvm>["modes"])[]).find(
    mode => !probeKvm().modes[mode],
  );

  it.skipIf(!missing)("takes the soft engine where KVM cannot, and says why", async () => {
    const { hypervisor, sentence } = await chooseEngine(undefined, [missing!]);
    expect(hypervisor.name).toBe("soft");
    expect(sentence).toMatch(
      /^engine: soft, since (the KVM of this machine does not run|\/dev\/kvm does not open: )/,
    );
    expect(sentence).not.toContain("\n");
    hypervisor.close();
  });

  it.skipIf(!missing)("refuses KVM with a remedy where it is wanted and cannot", async () => {
    await expect(chooseEngine("kvm", [missing!])).rejects.toMatchObject({
      name: "HypervisorError",
      remedy: expect.stringMatching(/soft engine|usermod|modprobe/),
    });
  });

  it("takes the soft engine whenever it is asked for", async () => {
    const { hypervisor, sentence } = await chooseEngine("soft", []);
    expect([hypervisor.name, sentence]).toEqual(["soft", "engine: soft, as you asked"]);
    hypervisor.close();
    const restored = await chooseEngine("soft", [], "on which it was saved");
    expect(restored.sentence).toBe("engine: soft, on which it was saved");
    restored.hypervisor.close();
    (await openEngine("soft")).close();
  });
});
