import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { requires } from "../../chapters/tools/requires.ts";
import { compilerVersion } from "../bench/guest/build.ts";
import { buildGuest, IMAGE } from "./build.ts";
import { ask, bootGuest } from "./guest-dialogue.ts";

const image = readFileSync(IMAGE);

describe("the embedded guest", () => {
  it("is its sources", ({ skip }) => {
    for (const tool of ["nasm", "gcc32"] as const) {
      if (!requires(tool).available) skip(requires(tool).reason);
    }
    const [, compiler] = /\(gcc ([\d.]+)\)/.exec(image.toString("latin1")) ?? [];
    if (compilerVersion() !== compiler) skip(`gcc ${compilerVersion()} is here, the image is of ${compiler}`);
    expect(buildGuest().equals(image), "run: node --import tsx sandbox/guest/build.ts").toBe(true);
    expect(image.length).toBeLessThan(32_000);
  });

  it("comes up with paging, ticks and a prompt", () => {
    const banner = bootGuest().until("\n> ");
    expect(banner).toContain("memory   16384 KiB");
    expect(banner).toContain("paging   on");
    expect(banner).toContain("timer    100 ticks a second");
  });

  it("repairs a page fault and goes on with the instruction that caused it", () => {
    const dialogue = bootGuest();
    dialogue.until("\n> ");
    expect(ask(dialogue, "fault")).toMatch(
      /^page fault at 40000000, a write: frame 00[0-9a-f]{3}000 put there\nwrote and read 600df00d\n$/,
    );
    expect(ask(dialogue, "fault")).toContain("page fault at 40001000");
    expect(ask(dialogue, "mem")).toBe("16384 KiB; paging is on; 2 pages put in on demand\n");
  });

  it("stops with the exception's name where no frame is left to repair a fault with", () => {
    const dialogue = bootGuest();
    dialogue.until("\n> ");
    for (let page = 0; page < 16; page++) ask(dialogue, "fault");
    dialogue.type("fault\r");
    expect(dialogue.end()).toEqual({ kind: "halted" });
    expect(dialogue.output).toContain("exception 14, error code 00000002");
  });

  it("counts as many ticks as guest time has hundredths", () => {
    const dialogue = bootGuest();
    dialogue.until("\n> ");
    const { time } = dialogue.machine.parts;
    const later = time.clock.now() + 5e9;
    while (time.clock.now() < later) dialogue.machine.step();
    const before = time.clock.now() / 1e7;
    const ticks = Number(/(\d+) ticks/.exec(ask(dialogue, "ticks"))?.[1]);
    // The kernel started the timer a moment after the machine.
    expect(ticks).toBeGreaterThan(before - 2);
    expect(ticks).toBeLessThanOrEqual(time.clock.now() / 1e7);
    expect(ask(dialogue, "irq")).toMatch(/^IRQ 0 {2}\d+\nIRQ 4 {2}\d+\n$/);
  });

  it("runs without paging, edits its line, and ends", () => {
    const dialogue = bootGuest("quiet nopaging");
    expect(dialogue.until("\n> ")).toContain("paging   off, as you asked");
    expect(ask(dialogue, "fault")).toBe("without paging no page can be missing\n");
    expect(ask(dialogue, "hellp\b\bp")).toContain("reboot                 reset the machine");
    expect(ask(dialogue, "nonsense")).toBe("there is no command nonsense; type help\n");
    dialogue.type("halt\r");
    expect(dialogue.end()).toEqual({ kind: "halted" });
  });

  it("resets the machine through the keyboard controller", () => {
    const dialogue = bootGuest();
    dialogue.until("\n> ");
    dialogue.type("reboot\r");
    expect(dialogue.end()).toEqual({ kind: "reset" });
  });

  it("writes the same, byte for byte, in every run", () => {
    const outputs = [1, 2].map(() => {
      const dialogue = bootGuest();
      dialogue.until("\n> ");
      for (const command of ["help", "ticks", "fault", "irq"]) ask(dialogue, command);
      return `${dialogue.output} ${dialogue.machine.parts.time.clock.now()} ${dialogue.machine.exits}`;
    });
    expect(outputs[0]).toBe(outputs[1]);
  });
});
