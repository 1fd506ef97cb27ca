/**
 * Runs the guests of chapter 3 on your processor: `npm run chapter 3`. After each it looks at the tables
 * that the guest has left, with your walker. The word `trace` shows every exit, the word `kvm` runs those
 * guests on a real processor that its KVM can run.
 */
import type { Hypervisor } from "../../sandbox/kvm/api.ts";
import { openStage, type StagedGuest } from "../tools/stage.ts";
import { look } from "./looks.ts";
import { build } from "./machine.ts";

const stage = await openStage(import.meta.url);

for (const guest of stage.guests) {
  const hypervisor = await stage.enter(guest, { engine: "soft", because: "whose processor you write" });
  if (hypervisor) run(guest, hypervisor);
}

stage.close();

function run(guest: StagedGuest, hypervisor: Hypervisor): void {
  const print = (byte: number) => (stage.trace ? stage.output(byte) : stage.outputLine(byte));
  const vm = build(hypervisor, guest.bytes, print);

  stage.dump(vm.vcpu, vm.memory);
  let exits = 0;
  const last = vm.run({
    budget: { instructions: 1_000_000, milliseconds: 1000 },
    maxExits: 10_000,
    onExit(exit) {
      exits++;
      if (!stage.trace) return;
      stage.exit(exit);
      stage.dump(vm.vcpu, vm.memory);
    },
  });
  stage.endLine();
  stage.print(`   ends with ${last.reason} after ${exits.toLocaleString("en")} exits`);
  if (last.reason === "HLT") for (const text of look(guest.name, vm)) stage.print(`   ${text}`);
}
