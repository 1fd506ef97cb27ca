/** A process of its own for the test of save files: a saved guest with a network card goes on to its end. */
import { readFileSync } from "node:fs";
import { Dialogue } from "../machine/dialogue.ts";
import { readSnapshot, restoreMachine } from "../machine/snapshot.ts";
import { MemorySockets } from "../net/memory-sockets.ts";
import { UserNetwork } from "../net/user-network.ts";
import { MAC } from "./guest-dialogue.ts";

const snapshot = readSnapshot(readFileSync(process.argv[2]!));
const dialogue = new Dialogue(snapshot.memorySize, snapshot.guestTime, {
  network: {
    backend: clock => new UserNetwork({ clock, host: new MemorySockets({ later: setImmediate }) }),
    mac: MAC,
    transport: "mmio",
  },
});
restoreMachine(dialogue.machine, snapshot);
const end = dialogue.end();
const time = dialogue.machine.parts.time.clock.now();
process.stdout.write(JSON.stringify({ output: dialogue.output, end, time }));
