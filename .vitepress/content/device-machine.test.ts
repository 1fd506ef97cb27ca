import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type DeviceMachine, openSerialMachine, openTimerMachine } from "./device-machine.ts";

const guest = (path: string) => readFileSync(join(import.meta.dirname, "../../chapters", path));

function runToEnd(machine: DeviceMachine): ReturnType<DeviceMachine["view"]> {
  for (let slices = 0; slices < 200 && !machine.view().ended; slices++) machine.run();
  return machine.view();
}

/** What the book's output shows of the guest's own lines. */
const shown = (file: string) =>
  [
    ...readFileSync(join(import.meta.dirname, "../../docs/outputs", file), "utf8").matchAll(
      /^guest │ (.*)$/gm,
    ),
  ].map(([, line]) => line!.replace(/ +[\d.]+ ms$/, "").trimEnd());
const lines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map(line => line.trimEnd());

describe("the machines of chapters 5 and 6 in the page", () => {
  it("counts the seconds of the book, in the same guest time", () => {
    const machine = openTimerMachine(guest("05-pit/guest/clock.bin"));
    const view = runToEnd(machine);
    expect(lines(view.output)).toEqual(shown("05-clock.txt"));
    expect(view).toMatchObject({ ended: "HLT", exitCount: 668, time: "3000.074" });
    machine.close();
  });

  it("shows the counter that the guest has programmed", () => {
    const machine = openTimerMachine(guest("05-pit/guest/clock.bin"));
    while (!machine.view().device.some(({ name, value }) => name === "  CR 0" && value === "11,932"))
      machine.toExit();
    expect(machine.view().device[0]).toMatchObject({ value: "mode 2, rate generator", changed: true });
    machine.close();
  });

  it("echoes what is typed, and ends with Ctrl-D", () => {
    const machine = openSerialMachine(guest("06-serial/guest/echo.bin"));
    machine.run();
    expect(machine.view(), "it waits for somebody to type").toMatchObject({ isAsleep: true, ended: "" });
    machine.type!("hello\n");
    machine.run();
    expect(machine.view().output).toBe("HELLO\n");
    machine.type!("\x04");
    const view = runToEnd(machine);
    expect(lines(view.output)[0]).toBe("HELLO");
    expect(view.ended).toBe("HLT");
    machine.close();
  });

  it("tests itself as in the book", () => {
    const machine = openSerialMachine(guest("06-serial/guest/loopback.bin"));
    expect(lines(runToEnd(machine).output)).toEqual(shown("06-loopback.txt"));
    machine.close();
  });

  it("goes by single instructions", () => {
    const machine = openTimerMachine(guest("05-pit/guest/clock.bin"));
    const before = machine.view().address;
    machine.step();
    expect(machine.view().address).not.toBe(before);
    expect(machine.view().exitCount).toBe(0);
    machine.close();
  });
});
