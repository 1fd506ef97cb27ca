/** What a failing test of this chapter shows: the processor before and after, and what was pushed. */
import type { Evidence } from "../tools/explain.ts";
import type { Outcome, State } from "./setting.ts";

export function evidenceOf({ before, after, fault, writes }: Outcome): Evidence {
  const pushed = writes.map(({ at, size, value }) => `  ${hex(at, 8)}  ${hex(value, 2 * size)}`);
  const note = [
    `segments before  ${segments(before)}`,
    `segments after   ${segments(after)}`,
    ...(fault ? [`it ended in ${fault}`] : []),
    ...(pushed.length ? ["written, in this order:", ...pushed] : ["nothing was written"]),
  ].join("\n");
  return { before: registers(before), after: registers(after), note };
}

function registers({ eip, esp, eflags }: State) {
  return { rip: BigInt(eip >>> 0), rsp: BigInt(esp >>> 0), rflags: BigInt(eflags >>> 0) };
}

function segments({ cs, ss, ds, es, fs, gs, cpl }: State): string {
  const names = Object.entries({ cs, ss, ds, es, fs, gs });
  return `${names.map(([name, selector]) => `${name} ${hex(selector, 4)}`).join("  ")}  cpl ${cpl}`;
}

function hex(value: number, digits: number): string {
  return `0x${(value >>> 0).toString(16).padStart(digits, "0")}`;
}
