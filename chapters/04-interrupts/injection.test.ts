import type { Exit } from "../../sandbox/kvm/api.ts";
import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import { expectedRun } from "./guests.ts";
import type { subject as chapterSubject, ExitCase } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

describe("inject", () => {
  it("injects what is pending when the vCPU is ready", async ({ subject }) => {
    const [run] = await subject.call("inject", [{ ready: true, waiting: [0x20] }]);
    expect(run).toEqual({ injected: [0x20], left: [], window: false });
  });

  it("leaves the request at the controller while the vCPU is not ready", async ({ subject }) => {
    const [run] = await subject.call("inject", [{ ready: false, waiting: [0x20] }]);
    expect(run, "an acknowledged vector is gone from the controller: look first, then acknowledge").toEqual({
      injected: [],
      left: [0x20],
      window: true,
    });
  });

  it("injects one at a time and asks for the window for the next", async ({ subject }) => {
    const [run] = await subject.call("inject", [{ ready: true, waiting: [0x20, 0x21] }]);
    expect(run, "KVM_INTERRUPT takes one vector").toEqual({ injected: [0x20], left: [0x21], window: true });
  });

  it("asks for no window while nothing is pending", async ({ subject }) => {
    const runs = await subject.call("inject", [
      { ready: true, waiting: [] },
      { ready: false, waiting: [] },
    ]);
    expect(runs).toHaveLength(2);
    for (const run of runs) {
      expect(run, "each open window is an exit, and costs as one").toEqual({
        injected: [],
        left: [],
        window: false,
      });
    }
  });
});

describe("interrupt-exits", () => {
  const exit = (exit: Exit, more: Partial<ExitCase> = {}): ExitCase => ({
    exit,
    interruptFlag: true,
    pending: false,
    comesAfter: 0,
    ...more,
  });

  it("goes on when the window opens or the budget is spent", async ({ subject }) => {
    const runs = await subject.call("exits", [
      exit({ reason: "IRQ_WINDOW_OPEN" }),
      exit({ reason: "INTR", cause: "budget" }),
    ]);
    expect(runs.map(({ goesOn }) => goesOn)).toEqual([true, true]);
  });

  it("stops at a kick, a signal and a shutdown", async ({ subject }) => {
    const runs = await subject.call("exits", [
      exit({ reason: "INTR", cause: "kick" }),
      exit({ reason: "INTR", cause: "signal" }),
      exit({ reason: "SHUTDOWN" }),
    ]);
    expect(
      runs.map(({ goesOn }) => goesOn),
      "who kicked the vCPU wants to have it",
    ).toEqual([false, false, false]);
  });

  it("handles ports and memory as before", async ({ subject }) => {
    const data = new Uint8Array(8);
    const runs = await subject.call("exits", [
      exit({ reason: "IO", direction: "in", size: 1, port: 0x99, count: 1, data }),
      exit({ reason: "MMIO", address: 0x1000, isWrite: false, length: 4, data }),
    ]);
    expect(runs.map(({ goesOn }) => goesOn)).toEqual([true, true]);
  });

  it("sleeps in HLT until an interrupt is pending", async ({ subject }) => {
    const [woken, atOnce, never] = await subject.call("exits", [
      exit({ reason: "HLT" }, { comesAfter: 3 }),
      exit({ reason: "HLT" }, { pending: true }),
      exit({ reason: "HLT" }),
    ]);
    expect(woken, "the third timer brings it").toEqual({ goesOn: true, slept: 3 });
    expect(atOnce, "one is pending already: no time passes").toEqual({ goesOn: true, slept: 0 });
    expect(never, "no timer is set: nothing can wake it").toMatchObject({ goesOn: false });
  });

  it("ends at a HLT with interrupts off", async ({ subject }) => {
    const runs = await subject.call("exits", [
      exit({ reason: "HLT" }, { interruptFlag: false, pending: true }),
      exit({ reason: "HLT" }, { interruptFlag: false, comesAfter: 1 }),
    ]);
    expect(
      runs.map(({ goesOn }) => goesOn),
      "IF is clear: nothing can wake it",
    ).toEqual([false, false]);
  });

  it("wakes a guest five times", async ({ subject, show }) => {
    const { image, output, vectors } = expectedRun("ticks");
    const run = await subject.call("guest", image, false);
    const { irr, imr, isr } = run.master!;
    show({ note: `${run.output}master: IRR ${irr}, IMR ${imr}, ISR ${isr}` });
    expect([run.output, run.vectors]).toEqual([output, [...vectors]]);
  });

  it("serves a guest's four devices in the right order", async ({ subject, show }) => {
    const { image, output, vectors } = expectedRun("priorities");
    const run = await subject.call("guest", image, false);
    show({ note: run.output });
    expect([run.output, run.vectors]).toEqual([output, [...vectors]]);
  });
});
