/**
 * Runs the guests of chapter 3: `npm run chapter 3`. After each it looks at the tables that the guest has
 * left, with your walker. The word `trace` shows every exit.
 */
import { openStage } from "../tools/stage.ts";
import { look } from "./looks.ts";
import { build } from "./machine.ts";

const stage = await openStage(import.meta.url);

for (const guest of stage.guests) {
  const hypervisor = await stage.enter(guest);
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
}

stage.close();
