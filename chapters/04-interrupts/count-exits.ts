/** Counts the exits of the same guest both ways: `npx tsx chapters/04-interrupts/count-exits.ts`. */
import { openEngine } from "../../sandbox/kvm/engines.ts";
import { countInKernel, countInUserSpace } from "./in-kernel.ts";

console.log("exits of the guest ticks on /dev/kvm, without those that print");
for (const [where, count] of [
  ["controllers in user space", countInUserSpace],
  ["controllers in the kernel", countInKernel],
] as const) {
  const hypervisor = await openEngine("kvm");
  try {
    const counts = count(hypervisor);
    const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
    const kinds = [...counts].map(([kind, one]) => `${one} ${kind}`).join(", ");
    console.log(`${where}: ${total}${kinds && ` (${kinds})`}`);
  } finally {
    hypervisor.close();
  }
}
