import { describe, expect, it } from "vitest";
import { GUESTS } from "../../chapters/02-real-mode/guests.ts";
import { openRealModeMachine } from "./real-mode-machine.ts";

describe("the machine of chapter 2 in the page", () => {
  it.each(GUESTS)("runs $name in slices to its end", ({ image, output }) => {
    const machine = openRealModeMachine(image);
    for (let slices = 0; machine.view().ended === "" && slices < 1000; slices++) machine.run();
    expect(machine.view()).toMatchObject({ ended: "HLT", output });
    machine.close();
  });

  it("steps, and says what an instruction changed", () => {
    const machine = openRealModeMachine(GUESTS[0]!.image);
    expect(machine.view()).toMatchObject({ address: "0000:7c00", bytes: "fa", instruction: "cli" });
    machine.step();
    machine.step();
    expect(machine.view()).toMatchObject({ address: "0000:7c02", bytes: "31 c0", instruction: "xor Ev,Gv" });
    machine.step();
    const changed = machine.view().registers.filter(register => register.changed);
    expect(changed.map(({ name }) => name)).toEqual(["IP", "FLAGS"]);
    machine.close();
  });

  it("ends for good", () => {
    const machine = openRealModeMachine(GUESTS[0]!.image);
    while (machine.view().ended === "") machine.run();
    const { exitCount } = machine.view();
    machine.step();
    machine.run();
    expect(machine.view().exitCount).toBe(exitCount);
    machine.close();
  });
});
