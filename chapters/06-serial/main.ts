/** Runs the guests of chapter 6 on your serial port: `npm run chapter 6`. */
import { openStage } from "../tools/stage.ts";
import { build } from "./machine.ts";

/** What somebody types for the guest that echoes; Ctrl-D ends it. */
const TYPED = "every byte you paste arrives,\nnone is lost: the line waits for the guest.\n\x04";

const stage = await openStage(import.meta.url);

for (const guest of stage.guests) {
  const hypervisor = await stage.enter(guest);
  if (!hypervisor) continue;
  const counts = new Map<string, number>();
  let line = "";
  const machine = build(hypervisor, guest.bytes, byte => {
    if (byte !== 10) line += String.fromCharCode(byte);
    else {
      stage.print(`guest │ ${line.padEnd(60)} ${(machine.clock.now() / 1e6).toFixed(3).padStart(8)} ms`);
      line = "";
    }
  });
  if (guest.name === "echo") machine.serial.receive(new TextEncoder().encode(TYPED));

  stage.dump(machine.vcpu, machine.memory);
  const last = machine.run({
    budget: { instructions: 1_000_000, milliseconds: 250 },
    maxExits: 200_000,
    onExit(exit) {
      counts.set(exit.reason, (counts.get(exit.reason) ?? 0) + 1);
      if (!stage.trace) return;
      stage.exit(exit);
      stage.dump(machine.vcpu, machine.memory);
    },
  });

  const exits = [...counts].map(([reason, count]) => `${count.toLocaleString("en")} ${reason}`).join(", ");
  stage.print(`   ends with ${last.reason}: ${exits}`);
}

stage.close();
