/**
 * Runs the guests of chapter 3 on your processor: `npm run chapter 3`. After each it looks at the tables
 * that the guest has left, with your walker. The word `trace` shows every exit, the word `kvm` runs those
 * guests on a real processor that its KVM can run.
 */
import { type Hypervisor, HypervisorError } from "../../sandbox/kvm/api.ts";
import { openStage, type StagedGuest } from "../tools/stage.ts";
import { look } from "./looks.ts";
import { build } from "./machine.ts";

const stage = await openStage(import.meta.url);
let hasRun = false;

for (const guest of stage.guests) {
  const hypervisor = await engineFor(guest);
  if (hypervisor) run(guest, hypervisor);
}

stage.close();

/** Nothing where the KVM of this machine lacks a mode that only this guest needs. */
async function engineFor(guest: StagedGuest): Promise<Hypervisor | undefined> {
  try {
    return await stage.enter(guest, { engine: "soft", because: "whose processor you write" });
  } catch (error) {
    if (!hasRun || !(error instanceof HypervisorError)) throw error;
    stage.print(`── ${guest.name}: left out. ${error.message}`);
    return undefined;
  }
}

function run(guest: StagedGuest, hypervisor: Hypervisor): void {
  let line = "";
  const vm = build(hypervisor, guest.bytes, byte => {
    if (stage.trace) stage.output(byte);
    else if (byte !== 10) line += String.fromCharCode(byte);
    else {
      stage.print(`guest │ ${line}`);
      line = "";
    }
  });

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
  if (line) stage.print(`guest │ ${line}`);
  stage.print(`   ends with ${last.reason} after ${exits.toLocaleString("en")} exits`);
  if (last.reason === "HLT") for (const text of look(guest.name, vm)) stage.print(`   ${text}`);
  hasRun = true;
}
