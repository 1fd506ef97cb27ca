/**
 * Boots the kernels of chapter 8 with your loader: `npm run chapter 8`. The word `linux` boots Debian's own,
 * and with `mine` all layers below it are yours.
 */
import { openStage } from "../tools/stage.ts";
import { bootDebian } from "./debian.ts";
import { build, COMMAND_LINE, INITRD } from "./machine.ts";

const stage = await openStage(import.meta.url);

for (const guest of stage.guests) {
  const hypervisor = await stage.enter(guest);
  if (!hypervisor) continue;
  const boot = { kernel: guest.bytes, initrd: INITRD, commandLine: COMMAND_LINE };
  const { vcpu, memory, run } = build(hypervisor, boot, byte => stage.outputLine(byte));

  stage.dump(vcpu, memory);
  let exits = 0;
  const last = run({
    budget: { instructions: 1_000_000, milliseconds: 250 },
    maxExits: 20_000,
    onExit(exit) {
      exits++;
      if (!stage.trace) return;
      stage.exit(exit);
      stage.dump(vcpu, memory);
    },
  });
  stage.endLine();
  stage.print(`   ends with ${last.reason} after ${exits.toLocaleString("en")} exits`);
}

for (const guest of stage.fetched) await bootDebian(stage, guest);

stage.close();
