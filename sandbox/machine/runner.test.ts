import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { requires } from "../../chapters/tools/requires.ts";
import { bootImage } from "../boot/image.ts";
import { nodeHost } from "../cli/node-host.ts";
import { IMAGE } from "../guest/build.ts";
import { openKvm } from "../kvm/linux/hypervisor.ts";
import { openSoft } from "../kvm/soft/soft.ts";
import { assembleMachine, type MachineEnd } from "./machine.ts";
import { type Host, MachineRunner } from "./runner.ts";
import { RealTime } from "./timekeeper.ts";

const MEMORY = 16 << 20;

/** A host whose time goes on only while it waits: a guest that never sleeps stands still in it. */
function patientHost() {
  let time = 0;
  let turns = 0;
  const soon: (() => void)[] = [];
  let later: { at: number; callback: () => void } | null = null;
  const host: Host = {
    soon: callback => void soon.push(callback),
    later(milliseconds, callback) {
      const planned = { at: time + milliseconds, callback };
      later = planned;
      return () => {
        if (later === planned) later = null;
      };
    },
  };
  return {
    host,
    monotonic: () => time * 1e6,
    /** Turns of the event loop so far in which the machine did something. */
    turns: () => turns,
    now: () => time,
    /** Lets the event loop come around once. */
    turn() {
      turns++;
      const next = soon.shift();
      if (next) next();
      else if (later) {
        const { at, callback } = later;
        [time, later] = [at, null];
        callback();
      } else throw new Error("nobody waits for anything");
    },
  };
}

describe("the main loop", () => {
  /** The embedded guest at its prompt. */
  function atPrompt() {
    const loop = patientHost();
    let output = "";
    const machine = assembleMachine({
      hypervisor: openSoft(),
      memorySize: MEMORY,
      startDate: 0,
      time: counter => new RealTime(counter, loop.monotonic),
      serialOutput: byte => {
        output += String.fromCharCode(byte);
      },
    });
    const { memory, vcpu } = machine.parts;
    const image = readFileSync(IMAGE);
    bootImage("multiboot", memory, vcpu, {
      name: "guest",
      image,
      commandLine: "",
      address: 0,
      ramSize: MEMORY,
    });
    const ends: MachineEnd[] = [];
    const runner = new MachineRunner(machine, loop.host, {
      ended: end => void ends.push(end),
      failed(error) {
        throw error;
      },
    });
    runner.start();
    while (!output.endsWith("> ")) loop.turn();
    return { loop, machine, runner, ends, output: () => output };
  }

  it("does next to nothing while the guest waits at its prompt", () => {
    const { loop, machine } = atPrompt();
    const before = { turns: loop.turns(), exits: machine.exits, time: loop.now() };
    while (loop.now() < before.time + 10_000) loop.turn();
    const seconds = (loop.now() - before.time) / 1000;
    // The guest's timer ticks 100 times a second: for each a wait, a step, and a handful of exits.
    expect((loop.turns() - before.turns) / seconds).toBeLessThan(250);
    expect((machine.exits - before.exits) / seconds).toBeLessThan(1000);
    expect(machine.isAsleep).toBe(true);
  });

  it("wakes a sleeping guest for a key at once, not at its next timer", () => {
    const { loop, machine, output } = atPrompt();
    while (!machine.isAsleep) loop.turn();
    const before = loop.now();
    machine.type([0x68]);
    loop.turn();
    // It echoes what the key says: no time has passed but that of its characters on the line.
    while (!output().endsWith("h")) loop.turn();
    expect(loop.now() - before).toBeLessThanOrEqual(10);
  });

  it("lets guest time stand still while it is stopped", () => {
    const { loop, machine, runner } = atPrompt();
    runner.stop();
    const before = machine.parts.time.clock.now();
    runner.start();
    runner.stop();
    expect(machine.parts.time.clock.now()).toBe(before);
    runner.start();
    while (loop.now() < 60_000) loop.turn();
    expect(machine.parts.time.clock.now()).toBeGreaterThan(before + 1e9);
  });
});

describe("the main loop with a guest on /dev/kvm that computes", requires("kvm").options, () => {
  /** Spins; its handler for IRQ 4 ends the machine with the character that came. Real mode, at 0x1000. */
  const HANDLER = 0x1100;
  const GUEST = [
    ...[0xc7, 0x06, 0x90, 0x00, HANDLER & 0xff, HANDLER >> 8], // mov word [0x24 * 4], HANDLER
    ...[0xc7, 0x06, 0x92, 0x00, 0x00, 0x00], //                   mov word [0x24 * 4 + 2], 0
    ...[0x11, 0x20, 0x04, 0x01].flatMap((word, at) => [0xb0, word, 0xe6, at === 0 ? 0x20 : 0x21]), // ICW1 to 4
    ...[0xb0, 0xef, 0xe6, 0x21], //                               IRQ 4 alone
    ...[0xba, 0xf9, 0x03, 0xb0, 0x01, 0xee], //                   IER: received data
    ...[0xba, 0xfc, 0x03, 0xb0, 0x08, 0xee], //                   MCR: OUT2, which lets its interrupt through
    0xfb, //                                                      sti
    ...[0xeb, 0xfe], //                                           jmp here
  ];
  const ON_CHARACTER = [
    ...[0xba, 0xf8, 0x03, 0xec], // in al, 0x3f8
    ...[0xe6, 0xf4], //             out 0xf4, al
    ...[0xeb, 0xfe],
  ];

  it("has its hands free, and an interrupt reaches the guest", async () => {
    const hypervisor = openKvm();
    try {
      const machine = assembleMachine({
        hypervisor,
        memorySize: 1 << 20,
        startDate: 0,
        time: counter => new RealTime(counter, nodeHost.monotonic),
        serialOutput() {},
      });
      const { memory, vcpu } = machine.parts;
      memory.load("the guest", Uint8Array.from(GUEST), 0x1000);
      memory.load("its handler", Uint8Array.from(ON_CHARACTER), HANDLER);
      const sregs = vcpu.getSregs();
      vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
      vcpu.setRegs({ ...vcpu.getRegs(), rip: 0x1000n, rsp: 0x8000n, rflags: 2n });
      let steps = 0;
      let isAside = () => {};
      const step = machine.step.bind(machine);
      machine.step = () => {
        steps++;
        const outcome = step();
        if (outcome.kind === "aside") isAside();
        return outcome;
      };
      const end = await new Promise<MachineEnd>((resolve, reject) => {
        const runner = new MachineRunner(machine, nodeHost, { ended: resolve, failed: reject });
        isAside = () => {
          isAside = () => {};
          const before = steps;
          // Nothing ticks in this guest: the loop has no work until the key comes.
          setTimeout(() => {
            if (steps !== before) reject(new Error(`${steps - before} steps while the guest computed`));
            machine.type([0x41]);
          }, 50);
        };
        runner.start();
      });
      expect(end).toEqual({ kind: "exit", code: 2 * 0x41 + 1 }); // as the debug exit port counts
    } finally {
      hypervisor.close();
    }
  });

  it.each(["stop", "look"] as const)("a guest is at rest, or goes on, after: %s", async what => {
    const hypervisor = openKvm();
    try {
      const machine = assembleMachine({
        hypervisor,
        memorySize: 1 << 20,
        startDate: 0,
        time: counter => new RealTime(counter, nodeHost.monotonic),
        serialOutput() {},
      });
      const { memory, vcpu } = machine.parts;
      // again: inc dword [0x2000]; jmp again
      memory.load("the guest", Uint8Array.of(0x66, 0xff, 0x06, 0x00, 0x20, 0xeb, 0xf9), 0x1000);
      const sregs = vcpu.getSregs();
      vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
      vcpu.setRegs({ ...vcpu.getRegs(), rip: 0x1000n, rflags: 2n });
      const counter = () => memory.read(0x2000, 4);
      const runner = new MachineRunner(machine, nodeHost, {
        ended() {},
        failed(error) {
          throw error;
        },
      });
      const pass = (milliseconds: number) => new Promise(done => setTimeout(done, milliseconds));
      const step = machine.step.bind(machine);
      let isAside = false;
      machine.step = () => {
        const outcome = step();
        isAside = outcome.kind === "aside";
        return outcome;
      };
      runner.start();
      while (!isAside) await pass(2);
      if (what === "stop") {
        runner.stop();
        const before = counter();
        await pass(10);
        expect(counter()).toBe(before);
      } else {
        vcpu.getRegs(); // as the status line does
        const before = counter();
        while (counter() === before) await pass(2);
        runner.stop();
      }
    } finally {
      hypervisor.close();
    }
  });
});
