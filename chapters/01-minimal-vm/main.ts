/** Runs the guests of chapter 1 on your layer and shows every exit: `npm run chapter 1`. */
import { openStage } from "../tools/stage.ts";
import { build } from "./machine.ts";

const stage = await openStage(import.meta.url);

for (const guest of stage.guests) {
  const hypervisor = await stage.enter(guest);
  if (!hypervisor) continue;
  const { vcpu, memory, run } = build(hypervisor, guest.bytes, byte => stage.output(byte));

  stage.dump(vcpu, memory);
  run({
    budget: { instructions: 1_000_000, milliseconds: 250 },
    maxExits: 1000,
    onExit(exit) {
      stage.exit(exit);
      stage.dump(vcpu, memory);
    },
  });
}

stage.close();
