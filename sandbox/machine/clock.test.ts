import { describe, expect, it } from "vitest";
import { HostClock, ManualClock } from "./clock.ts";

describe("the manual clock", () => {
  it("runs timers in the order of their deadlines, each at exactly its time", () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    clock.schedule(30, () => seen.push(`late ${clock.now()}`));
    clock.schedule(10, () => seen.push(`first ${clock.now()}`));
    clock.schedule(10, () => seen.push(`second ${clock.now()}`));
    clock.advance(20);
    expect(seen).toEqual(["first 10", "second 10"]);
    expect(clock.now()).toBe(20);
    expect(clock.nextDeadline).toBe(30);
  });

  it("runs timers that a timer schedules inside the same step", () => {
    const clock = new ManualClock();
    let ticks = 0;
    const tick = () => {
      ticks++;
      clock.schedule(clock.now() + 10, tick);
    };
    clock.schedule(10, tick);
    clock.advance(1000);
    expect(ticks).toBe(100);
  });

  it("forgets a cancelled timer, and cancelling twice or after it ran does no harm", () => {
    const clock = new ManualClock();
    let ran = 0;
    const cancel = clock.schedule(5, () => ran++);
    const other = clock.schedule(6, () => ran++);
    cancel();
    cancel();
    clock.advance(10);
    other();
    expect(ran).toBe(1);
  });

  it("steps from deadline to deadline and tells when nothing is left", () => {
    const clock = new ManualClock(100);
    clock.schedule(50, () => {});
    expect(clock.advanceToNext()).toBe(true);
    expect(clock.now()).toBe(100);
    expect(clock.advanceToNext()).toBe(false);
  });
});

describe("the host clock", () => {
  it("starts at the given guest time and stands still while paused", () => {
    let host = 5000;
    const clock = new HostClock(() => host, 70);
    host += 30;
    expect(clock.now()).toBe(100);
    clock.pause();
    host += 1000;
    expect(clock.now()).toBe(100);
    clock.resume();
    host += 1;
    expect(clock.now()).toBe(101);
  });

  it("never runs backwards, even when its source does", () => {
    let host = 1000;
    const clock = new HostClock(() => host);
    host = 1500;
    expect(clock.now()).toBe(500);
    host = 1200;
    expect(clock.now()).toBe(500);
  });

  it("runs once a timer that re-arms itself later than now, however late it is called", () => {
    let host = 0;
    const clock = new HostClock(() => host);
    let ran = 0;
    const tick = () => {
      ran++;
      host += 100; // the callback itself takes longer than the period
      clock.schedule(clock.now() + 1, tick);
    };
    clock.schedule(10, tick);
    host = 10_000;
    expect(clock.runDue()).toBe(true);
    expect(ran).toBe(1);
  });
});
