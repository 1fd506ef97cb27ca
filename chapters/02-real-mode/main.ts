/**
 * Boots the sectors of chapter 2 on your processor: `npm run chapter 2`. With the word `trace` it shows the
 * first instructions one by one, with the word `kvm` the same sectors run on a real one.
 */
import type { Exit } from "../../sandbox/kvm/api.ts";
import { loadDisassembler } from "../tools/disassembly.ts";
import { openStage } from "../tools/stage.ts";
import { traceInstructions } from "./instruction-trace.ts";
import { build } from "./machine.ts";

const TRACED_INSTRUCTIONS = 24;
const stage = await openStage(import.meta.url);

for (const guest of stage.guests) {
  const hypervisor = await stage.enter(guest, { engine: "soft", because: "whose processor you write" });
  if (!hypervisor) continue;
  const print = (byte: number) => stage.outputLine(byte);
  const vm = build(hypervisor, guest.bytes, print);

  let exits = 0;
  const onExit = (exit: Exit) => {
    exits++;
    // Ports are not what this chapter is about; anything else is news.
    if (exit.reason !== "IO" && exit.reason !== "HLT") stage.exit(exit);
  };
  let last: Exit | undefined;
  if (stage.trace) {
    const show = (text: string) => stage.print(`     ${text}`);
    last = traceInstructions(vm, await loadDisassembler(), TRACED_INSTRUCTIONS, show, onExit);
  }
  last ??= vm.run({
    budget: { instructions: 50_000_000, milliseconds: 5000 },
    maxExits: 10_000,
    onExit,
  });
  stage.endLine();
  stage.print(
    `   ends with ${last.reason} after ${exits.toLocaleString("en")} ${exits === 1 ? "exit" : "exits"}`,
  );
}

stage.close();
