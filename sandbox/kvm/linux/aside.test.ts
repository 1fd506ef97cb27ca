import { setTimeout as after } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { CODE, type Fixture, realModeGuest } from "./guest-fixture.ts";

const SPIN = [0xeb, 0xfe];
/** Counts CX down from 0, 64 Ki rounds, and does this again as often as the byte says: some milliseconds each. */
const countDown = (times: number) => [
  ...[0xb3, times], //  mov bl, times
  ...[0x31, 0xc9], //   again: xor cx, cx
  ...[0xe2, 0xfe], //   here: loop here
  ...[0xfe, 0xcb], //   dec bl
  ...[0x75, 0xf8], //   jnz again
];
const HLT = 0xf4;

describe("a vCPU that runs in a thread of its own", requires("kvm").options, () => {
  let guest: Fixture | undefined;
  afterEach(() => guest?.hypervisor.close());

  /** A guest in its thread; `exits` counts the calls from the event loop. */
  async function aside(code: readonly number[]) {
    guest = realModeGuest(code);
    const { vcpu } = guest;
    const seen = { exits: 0 };
    const onExit = () => void seen.exits++;
    // The thread takes a while to start; until then the guest stays here.
    while (!vcpu.runAside(onExit)) await after(5);
    return { vcpu, guest, seen };
  }

  it("leaves the event loop to others, and comes back when anything is asked of it", async () => {
    const { vcpu, seen } = await aside(SPIN);
    await after(20);
    expect(seen.exits).toBe(0);
    expect(vcpu.getRegs().rip).toBe(BigInt(CODE));
    expect(seen.exits).toBe(1);
    expect(vcpu.run({ milliseconds: 1 })).toEqual({ reason: "INTR", cause: "budget" });
  });

  it("tells of an exit, whose answer reaches the guest", async () => {
    const { vcpu, guest, seen } = await aside([
      ...countDown(4),
      ...[0xe4, 0x40], //       in al, 0x40
      ...[0xa2, 0x00, 0x20], // mov [0x2000], al
      HLT,
    ]);
    while (seen.exits === 0) await after(1);
    const exit = vcpu.run();
    expect(exit).toMatchObject({ reason: "IO", direction: "in", port: 0x40 });
    if (exit.reason === "IO") exit.data[0] = 0x5a;
    // The answer goes along into the thread as well.
    expect(vcpu.runAside(() => {})).toBe(true);
    vcpu.comeBack();
    expect(vcpu.run()).toEqual({ reason: "HLT" });
    expect(guest.ram[0x2000]).toBe(0x5a);
  });

  it("does not take an interrupt before its exit was seen", async () => {
    const { vcpu, seen } = await aside([0xfb, 0x90, ...countDown(1), 0xe6, 0x80, HLT]); // sti … out 0x80, al
    while (seen.exits === 0) await after(1);
    expect(vcpu.readyForInterrupt).toBe(false);
    expect(vcpu.run().reason).toBe("IO");
    expect(vcpu.readyForInterrupt).toBe(true);
  });

  it("comes back for a kick, which ends the next run", async () => {
    const { vcpu } = await aside(SPIN);
    vcpu.kick();
    expect(vcpu.run()).toEqual({ reason: "INTR", cause: "kick" });
    expect(vcpu.run({ milliseconds: 1 })).toEqual({ reason: "INTR", cause: "budget" });
  });

  it("goes to and fro a thousand times and counts right", async () => {
    const { vcpu, guest } = await aside([0x66, 0x40, 0xeb, 0xfc]); // again: inc eax; jmp again
    let before = 0n;
    for (let round = 0; round < 1000; round++) {
      const { rax, rip } = vcpu.getRegs();
      expect(rip === BigInt(CODE) || rip === BigInt(CODE + 2)).toBe(true);
      expect(rax >= before).toBe(true);
      before = rax;
      expect(vcpu.runAside(() => {})).toBe(true);
    }
    expect(guest.vcpu.run({ milliseconds: 1 })).toEqual({ reason: "INTR", cause: "budget" });
  });

  it("is closed wherever it is", async () => {
    const { vcpu } = await aside(SPIN);
    vcpu.close();
    expect(() => vcpu.run()).toThrow(/closed already/);
  });
});
