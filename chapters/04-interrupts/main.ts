/**
 * Runs the guests of chapter 4: `npm run chapter 4`. The first four are about the processor that you write,
 * so they run on it unless you ask for another; the others about your interrupt controllers, on any.
 */
import type { Exit, Vcpu } from "../../sandbox/kvm/api.ts";
import { openStage } from "../tools/stage.ts";
import { isOfTheProcessor } from "./guests.ts";
import { build, SERIAL } from "./machine.ts";

const OWN_PROCESSOR = { engine: "soft", because: "whose processor you write" } as const;
const stage = await openStage(import.meta.url);

for (const guest of stage.guests) {
  const hypervisor = await stage.enter(guest, isOfTheProcessor(guest.name) ? OWN_PROCESSOR : undefined);
  if (!hypervisor) continue;
  const print = (byte: number) => stage.outputLine(byte);
  const { vcpu, memory, pics, run, runUninterrupted } = build(hypervisor, guest.bytes, print);

  let exits = 0;
  stage.dump(vcpu, memory);
  const options = {
    budget: { instructions: 1_000_000, milliseconds: 250 },
    maxExits: 20_000,
    onExit(exit: Exit) {
      exits++;
      if (stage.trace || !isPrinting(exit)) stage.exit(exit);
      stage.dump(vcpu, memory);
    },
    onInterrupt: (vector: number) => stage.print(`     acknowledged: vector 0x${vector.toString(16)}`),
  };
  const last = isOfTheProcessor(guest.name) ? runUninterrupted(options) : run(options);

  stage.endLine();
  stage.print(`   ends with ${last.reason}${sleeping(last, vcpu)} after ${exits} exits`);
  if (isOfTheProcessor(guest.name)) continue;
  for (const [name, { irr, imr, isr }] of [
    ["master", pics.master],
    ["slave", pics.slave],
  ] as const) {
    stage.print(`   ${name.padEnd(6)}  IRR ${bits(irr)}  IMR ${bits(imr)}  ISR ${bits(isr)}`);
  }
}

stage.close();

function isPrinting(exit: Exit): boolean {
  return exit.reason === "IO" && exit.port === SERIAL;
}

/** A guest that halts with interrupts on waits for one; one that halts with them off has ended. */
function sleeping(last: Exit, { interruptFlag }: Vcpu): string {
  return last.reason === "HLT" && interruptFlag ? ", waiting for an interrupt," : "";
}

function bits(register: number): string {
  return register.toString(2).padStart(8, "0");
}
