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
