import { describe, expect, it } from "vitest";
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import type { Exit } from "../../sandbox/kvm/api.ts";
import {
  type GuestTime,
  handleInterruptibleExit,
  injectInterrupt,
  sleepUntilInterrupt,
} from "./injection.ts";

class FakeVcpu {
  readyForInterrupt = true;
  requestInterruptWindow = false;
  interruptFlag = true;
  readonly injected: number[] = [];
  interrupt(vector: number): void {
    if (!this.readyForInterrupt) throw new Error("injected into a vCPU that is not ready");
    this.injected.push(vector);
  }
}

/** Requests waiting at a controller, by vector. */
class FakePic {
  constructor(readonly waiting: number[]) {}
  get interruptPending(): boolean {
    return this.waiting.length > 0;
  }
  acknowledge(): number {
    return this.waiting.shift() ?? 0x0f;
  }
}

const stopped: GuestTime = { catchUp() {}, sleep: () => false };
const buses = { ports: new Bus(), mmio: new Bus() };

describe("injecting an interrupt", () => {
  it("does nothing and asks for no window while none is pending", () => {
    const vcpu = new FakeVcpu();
    vcpu.requestInterruptWindow = true;
    injectInterrupt(vcpu, new FakePic([]));
    expect(vcpu.injected).toEqual([]);
    expect(vcpu.requestInterruptWindow).toBe(false);
  });

  it("acknowledges and injects when the vCPU is ready", () => {
    const vcpu = new FakeVcpu();
    const pic = new FakePic([0x20]);
    injectInterrupt(vcpu, pic);
    expect(vcpu.injected).toEqual([0x20]);
    expect(vcpu.requestInterruptWindow).toBe(false);
  });

  it("leaves the request at the controller and asks for the window when the vCPU is not ready", () => {
    const vcpu = new FakeVcpu();
    vcpu.readyForInterrupt = false;
    const pic = new FakePic([0x20]);
    injectInterrupt(vcpu, pic);
    expect(pic.waiting).toEqual([0x20]);
    expect(vcpu.requestInterruptWindow).toBe(true);
  });

  it("injects one at a time and asks for the window for the next", () => {
    const vcpu = new FakeVcpu();
    const pic = new FakePic([0x20, 0x21]);
    injectInterrupt(vcpu, pic);
    expect(vcpu.injected).toEqual([0x20]);
    expect(pic.waiting).toEqual([0x21]);
    expect(vcpu.requestInterruptWindow).toBe(true);
  });
});

describe("exits of a guest that takes interrupts", () => {
  const handle = (exit: Exit, vcpu: FakeVcpu, pic: FakePic, time = stopped) =>
    handleInterruptibleExit(exit, vcpu, buses, pic, time);

  it("goes on when the window opens or the budget is spent, and ends at a kick", () => {
    const [vcpu, pic] = [new FakeVcpu(), new FakePic([])];
    expect(handle({ reason: "IRQ_WINDOW_OPEN" }, vcpu, pic)).toBe(true);
    expect(handle({ reason: "INTR", cause: "budget" }, vcpu, pic)).toBe(true);
    expect(handle({ reason: "INTR", cause: "kick" }, vcpu, pic)).toBe(false);
    expect(handle({ reason: "SHUTDOWN" }, vcpu, pic)).toBe(false);
  });

  it("sleeps in HLT until a timer brings an interrupt", () => {
    const [vcpu, pic] = [new FakeVcpu(), new FakePic([])];
    let slept = 0;
    const time: GuestTime = {
      catchUp() {},
      sleep() {
        if (++slept === 3) pic.waiting.push(0x20);
        return true;
      },
    };
    expect(handle({ reason: "HLT" }, vcpu, pic, time)).toBe(true);
    expect(slept).toBe(3);
  });

  it("ends at a HLT with interrupts off, even if one is pending", () => {
    const vcpu = new FakeVcpu();
    vcpu.interruptFlag = false;
    expect(handle({ reason: "HLT" }, vcpu, new FakePic([0x20]))).toBe(false);
  });

  it("ends at a HLT when nothing is scheduled any more", () => {
    expect(handle({ reason: "HLT" }, new FakeVcpu(), new FakePic([]))).toBe(false);
    expect(sleepUntilInterrupt(new FakePic([1]), stopped)).toBe(true);
  });
});
