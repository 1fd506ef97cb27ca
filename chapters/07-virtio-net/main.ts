/** Runs the guests of chapter 7 on your network card: `npm run chapter 7`. */
import { openStage } from "../tools/stage.ts";
import { build } from "./machine.ts";
import { PacketLog } from "./packet-log.ts";

const LINE_FEED = 10;

const stage = await openStage(import.meta.url);

for (const guest of stage.guests) {
  const hypervisor = await stage.enter(guest);
  if (!hypervisor) continue;
  const counts = new Map<string, number>();
  const packets = new PacketLog(line => stage.print(line));
  const print = (byte: number) => {
    if (byte === LINE_FEED) packets.flush();
    if (stage.trace) stage.output(byte);
    else stage.outputLine(byte);
  };
  const machine = build(hypervisor, guest.bytes, print, (direction, frame) => {
    packets.frame(frame, machine.clock.now());
    // What comes in comes while the guest sleeps, between two exits.
    if (direction === "in") packets.rings(machine);
  });

  stage.dump(machine.vcpu, machine.memory);
  const last = machine.run({
    budget: { instructions: 1_000_000, milliseconds: 250 },
    maxExits: 20_000,
    onExit(exit) {
      counts.set(exit.reason, (counts.get(exit.reason) ?? 0) + 1);
      if (stage.trace) stage.exit(exit);
      packets.rings(machine);
      stage.dump(machine.vcpu, machine.memory);
    },
  });

  packets.flush();
  stage.endLine();
  const exits = [...counts].map(([reason, count]) => `${count.toLocaleString("en")} ${reason}`).join(", ");
  stage.print(`   ends with ${last.reason}: ${exits}`);
  if (machine.card.failure) stage.print(`   the card has given up: ${machine.card.failure}`);
}

stage.close();
