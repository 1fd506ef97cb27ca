import { describe, expect, it } from "vitest";
import { expectedRun, GUESTS } from "../../chapters/04-interrupts/guests.ts";
import { openInterruptMachine } from "./interrupt-machine.ts";

describe("the machine of chapter 4 in the page", () => {
  it.each(GUESTS)("runs $name in slices to its end", ({ image, output, last }) => {
    const machine = openInterruptMachine(image);
    for (let slices = 0; machine.view().ended === "" && slices < 1000; slices++) machine.run();
    expect(machine.view()).toMatchObject({ ended: last, output });
    machine.close();
  });

  it("steps instruction by instruction", () => {
    const machine = openInterruptMachine(expectedRun("vectors").image);
    expect(machine.view()).toMatchObject({ address: "0000:1000", bytes: "31 c0", ring: 0 });
    machine.step();
    expect(machine.view().address).toBe("0000:1002");
    machine.close();
  });

  it("goes on to the handler, where the frame is on top of the stack", () => {
    const machine = openInterruptMachine(expectedRun("vectors").image);
    machine.toHandler();
    const { stack, output } = machine.view();
    expect(output).toBe("before the breakpoint\n");
    expect(stack[0]).toBe("000ffa  1092");
    machine.close();
  });

  it("stops at every change of ring", () => {
    const machine = openInterruptMachine(expectedRun("syscall").image);
    const rings = Array.from({ length: 4 }, () => {
      machine.toHandler();
      return machine.view().ring;
    });
    expect(rings).toEqual([3, 0, 3, 0]);
    machine.close();
  });

  it("shows the controllers' registers when an interrupt was taken", () => {
    const machine = openInterruptMachine(expectedRun("ticks").image);
    machine.toHandler();
    const isr = machine.view().controllers.find(({ name }) => name === "ISR");
    expect(isr?.value).toBe("00000001");
    machine.close();
  });
});
