import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { realModeGuest } from "./guest-fixture.ts";
import { openKvm } from "./hypervisor.ts";

/** What this process holds: descriptors and mappings of KVM, and timers. */
function held() {
  const maps = readFileSync("/proc/self/maps", "utf8").split("\n");
  const kvmMaps = maps.filter(line => line.includes("kvm")).length;
  const descriptors = readdirSync("/proc/self/fd").length;
  const timers = readFileSync("/proc/self/timers", "utf8")
    .split("\n")
    .filter(line => line.startsWith("ID")).length;
  return { maps: maps.length, kvmMaps, descriptors, timers };
}

/** Twice: the memory behind a buffer is freed by the collection after the one that finds it dead. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc();
}

describe("close", requires("kvm").options, () => {
  it("releases everything: 1,000 VMs leave no descriptor, mapping or timer", () => {
    const runOne = () => {
      const { hypervisor, vcpu } = realModeGuest([0xe6, 0x10, 0xf4]);
      expect(vcpu.run({ milliseconds: 1000 }).reason).toBe("IO");
      expect(held().kvmMaps).toBeGreaterThan(0);
      hypervisor.close();
    };
    for (let warmUp = 0; warmUp < 10; warmUp++) runOne();
    const { descriptors, maps } = held();
    for (let count = 0; count < 1000; count++) runOne();
    expect(held()).toMatchObject({ descriptors, kvmMaps: 0, timers: 0 });
    // What is left are WebAssembly memories that wait for the garbage collector: none stays behind it.
    collectGarbage();
    expect(held().maps - maps).toBeLessThan(50);
  });

  it("of the hypervisor closes VMs and vCPUs that are still open", () => {
    const before = held().descriptors;
    const hypervisor = openKvm();
    for (let count = 0; count < 3; count++) hypervisor.createVm().createVcpu(0);
    expect(held().descriptors).toBe(before + 7);
    hypervisor.close();
    expect(held()).toMatchObject({ descriptors: before, kvmMaps: 0 });
  });

  it("frees what a failed call had made already", () => {
    const hypervisor = openKvm();
    const vm = hypervisor.createVm();
    vm.createVcpu(0);
    const before = held();
    expect(() => vm.createVcpu(0)).toThrow(/EEXIST/);
    expect(() => vm.createVcpu(hypervisor.capabilities.vcpus + 100_000)).toThrow(/EINVAL/);
    expect(held().descriptors).toBe(before.descriptors);
    hypervisor.close();
  });
});
