import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { findBuilding } from "../../.vitepress/machine/chapters.ts";
import { guestImagePath, KNOWN_RUNS } from "../../.vitepress/machine/known-runs.ts";
import { MSR_INDICES } from "../cpu/system/msr.ts";
import { openSoft } from "../kvm/soft/soft.ts";
import { isSamePosition, type Position } from "./history.ts";
import { Session } from "./session.ts";

const ALL = { instructions: 200_000_000, exits: 1_000_000 };

async function open(chapter: string, guest: string): Promise<Session> {
  const image = readFileSync(guestImagePath(chapter, guest));
  return new Session((await findBuilding(chapter))(new Uint8Array(image)), openSoft());
}

const typedBytes = (text: string) => [...new TextEncoder().encode(text)];

/** Everything that can be told about a machine. */
function fingerprint(session: Session): string {
  const { vcpu, memory, save } = session.machine;
  let hash = 0;
  for (const { guestAddress, size } of memory.slots) {
    const words = new Int32Array(memory.readBytes(guestAddress, size).buffer);
    for (const word of words) hash = (Math.imul(hash, 31) + word) | 0;
  }
  const parts = {
    position: session.position,
    condition: session.condition,
    end: session.end,
    hash,
    regs: vcpu.getRegs(),
    sregs: vcpu.getSregs(),
    events: vcpu.getEvents(),
    fpu: vcpu.getFpu(),
    window: vcpu.requestInterruptWindow,
    msrs: MSR_INDICES.map(index => vcpu.getMsr(index)),
    devices: save(),
    output: session.output.toString(),
    log: session.log.last(3),
  };
  return JSON.stringify(parts, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

describe.each(KNOWN_RUNS)("$chapter: $guest", ({ chapter, guest, output, ends, typed }) => {
  let whole: { fingerprint: string; position: Position };
  beforeAll(async () => {
    const session = await open(chapter, guest);
    if (typed) session.type(typedBytes(typed));
    session.run(ALL);
    whole = { fingerprint: fingerprint(session), position: session.position };
  });

  it("prints what the book shows, and ends as the book says", async () => {
    const session = await open(chapter, guest);
    if (typed) session.type(typedBytes(typed));
    expect(session.run(ALL)).toBe("ended");
    expect(session.output.toString()).toBe(output);
    expect(session.end?.reason).toBe(ends);
    session.close();
  });

  it("is the same in slices of any size, and with somebody looking", async () => {
    const session = await open(chapter, guest);
    if (typed) session.type(typedBytes(typed));
    for (let slice = 1; session.condition === "ready"; slice = (slice * 7 + 1) % 9973) {
      session.run({ instructions: slice, exits: 1 + (slice % 5) });
      session.machine.save();
    }
    expect(fingerprint(session)).toBe(whole.fingerprint);
    session.close();
  });

  it("goes back step by step to states that it was in, and comes to the same end again", async () => {
    const session = await open(chapter, guest);
    if (typed) session.type(typedBytes(typed));
    // To somewhere in the middle, and from there a stretch of single steps.
    session.run({ instructions: Math.floor(whole.position.instructions / 3), exits: ALL.exits });
    const states = [fingerprint(session)];
    for (let step = 0; step < 40 && session.condition === "ready"; step++) {
      session.step();
      states.push(fingerprint(session));
    }
    for (const state of states.slice(0, -1).reverse()) {
      expect(session.stepBack()).toBe(true);
      expect(fingerprint(session)).toBe(state);
    }
    session.run(ALL);
    expect(fingerprint(session)).toBe(whole.fingerprint);
    session.stepBack();
    expect(isSamePosition(session.latest, whole.position)).toBe(true);
    session.seek(whole.position);
    expect(fingerprint(session)).toBe(whole.fingerprint);
    session.close();
  });

  it("begins anew after a reset", async () => {
    const session = await open(chapter, guest);
    const start = fingerprint(session);
    session.run(ALL);
    session.reset();
    expect(fingerprint(session)).toBe(start);
    expect(session.stepBack()).toBe(false);
    if (typed) session.type(typedBytes(typed));
    session.run(ALL);
    expect(fingerprint(session)).toBe(whole.fingerprint);
    session.close();
  });
});

describe("a session", () => {
  it("stops before a breakpoint, goes on past it, and has no more than a processor has", async () => {
    const session = await open("02-real-mode", "boot");
    // The routine that prints is called once for each of 8 lines at least.
    for (let steps = 0; steps < 200; steps++) session.step();
    const { vcpu } = session.machine;
    const address = Number(vcpu.getRegs().rip);
    const there = session.position;
    session.reset();
    session.toggleBreakpoint(address);
    expect(session.run(ALL, true)).toBe("breakpoint");
    expect(Number(session.machine.vcpu.getRegs().rip)).toBe(address);
    const first = session.position;
    expect(first.instructions).toBeLessThanOrEqual(there.instructions);
    const stop = session.run(ALL, true);
    expect(session.position.instructions).toBeGreaterThan(first.instructions);
    if (stop === "breakpoint") expect(Number(session.machine.vcpu.getRegs().rip)).toBe(address);
    session.toggleBreakpoint(address);
    expect(session.run(ALL)).toBe("ended");
    for (const other of [1, 2, 3, 4]) session.toggleBreakpoint(other);
    expect(() => session.toggleBreakpoint(5)).toThrow(/4 breakpoint registers/);
    session.close();
  });

  it("ends at the same place with breakpoints and without", async () => {
    const [plain, stopped] = [await open("04-interrupts", "syscall"), await open("04-interrupts", "syscall")];
    plain.run(ALL);
    for (let steps = 0; steps < 50; steps++) stopped.step();
    stopped.toggleBreakpoint(Number(stopped.machine.vcpu.getRegs().rip));
    stopped.reset();
    while (stopped.condition === "ready") stopped.run(ALL, true);
    expect(fingerprint(stopped)).toBe(fingerprint(plain));
    plain.close();
    stopped.close();
  });

  it("keeps a change through going back and forth, and forgets what would have come after it", async () => {
    const session = await open("01-minimal-vm", "add");
    session.run(ALL);
    const end = session.position;
    session.seek({ instructions: 1, exits: 0 });
    session.setRegister("BX", 5);
    expect(isSamePosition(session.latest, session.position)).toBe(true);
    session.step();
    const changed = fingerprint(session);
    session.stepBack();
    expect(session.machine.vcpu.getRegs().rbx).toBe(5n);
    session.step();
    expect(fingerprint(session)).toBe(changed);
    session.run(ALL);
    expect(session.output.toString()).toBe("7\n");
    expect(isSamePosition(session.position, end)).toBe(true);
    session.reset();
    session.run(ALL);
    expect(session.output.toString()).toBe("4\n");
    session.close();
  });

  it("types at the same exits when it goes through the past again", async () => {
    const session = await open("06-serial", "echo");
    for (const word of ["one ", "two ", "three"]) {
      session.run(ALL);
      expect(session.condition).toBe("asleep");
      session.type(typedBytes(word));
    }
    session.run(ALL);
    expect(session.output.toString()).toBe("ONE TWO THREE");
    const end = fingerprint(session);
    session.seekExit(20);
    expect(session.output.toString()).toBe("O");
    expect(session.run(ALL)).toBe("asleep");
    expect(fingerprint(session)).toBe(end);
    // Something else is typed in the past: what was typed later has not happened.
    session.seekInstruction(Math.floor(session.latest.instructions / 2));
    session.type(typedBytes("!"));
    expect(session.run(ALL)).toBe("asleep");
    expect(session.output.toString()).toMatch(/^ONE.*!/s);
    expect(session.output.toString()).not.toContain("THREE");
    session.close();
  });

  it("goes back over many checkpoints", async () => {
    const session = await open("02-real-mode", "mandelbrot");
    const seen = new Map<number, string>();
    while (session.condition === "ready") {
      session.run({ instructions: 150_001, exits: ALL.exits });
      seen.set(session.position.instructions, fingerprint(session));
    }
    for (const [instructions, state] of [...seen].reverse()) {
      session.seekInstruction(instructions);
      expect(fingerprint(session)).toBe(state);
    }
    session.close();
  });
});
