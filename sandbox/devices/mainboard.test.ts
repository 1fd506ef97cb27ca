import { describe, expect, it } from "vitest";
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { Pit, timeOfPulse } from "#layers/05-pit/pit.ts";
import { ManualClock } from "../machine/clock.ts";
import { ByteWide } from "./byte-wide.ts";
import { DebugConsole } from "./debug-console.ts";
import { DebugExit } from "./debug-exit.ts";
import { ResetControl, SystemControlA } from "./reset-control.ts";
import { SpeakerPort } from "./speaker-port.ts";

describe("the speaker port", () => {
  function bench() {
    const clock = new ManualClock();
    const pit = new Pit(clock, { raise() {}, lower() {} });
    const heard: boolean[] = [];
    const port = new SpeakerPort(pit, clock, isOn => heard.push(isOn));
    return { clock, pit, heard, port };
  }

  it("opens the gate of counter 2 and shows its OUT", () => {
    const { clock, pit, port } = bench();
    pit.write(3, 1, 0xb0); // mode 0
    pit.write(2, 1, 100);
    pit.write(2, 1, 0);
    clock.advance(1_000_000);
    expect(port.read() & 0x21).toBe(0x00);
    port.write(0, 1, 0x01);
    clock.advance(timeOfPulse(100));
    expect(port.read() & 0x21).toBe(0x21);
  });

  it("tells when the tone is let through", () => {
    const { heard, port } = bench();
    for (const value of [1, 3, 3, 2, 0]) port.write(0, 1, value);
    expect(heard).toEqual([true, false]);
    expect(port.read() & 0xcf).toBe(0);
  });

  it("toggles the refresh bit every 15.085 µs", () => {
    const { clock, port } = bench();
    let toggles = 0;
    let last = port.read() & 0x10;
    for (let at = 0; at < 1000; at++) {
      clock.advance(1000);
      const now = port.read() & 0x10;
      if (now !== last) toggles++;
      last = now;
    }
    expect(toggles).toBe(Math.floor(1e6 / 15_085));
  });
});

describe("small devices", () => {
  it("the debug console is recognized and prints", () => {
    let text = "";
    const port = new DebugConsole(byte => {
      text += String.fromCharCode(byte);
    });
    expect(port.read()).toBe(0xe9);
    for (const byte of [0x6f, 0x6b]) port.write(0, 1, byte);
    expect(text).toBe("ok");
  });

  it("debug exit never makes 0", () => {
    const codes: number[] = [];
    const port = new DebugExit(code => codes.push(code));
    port.write(0, 1, 0);
    port.write(0, 1, 0x10);
    expect(codes).toEqual([1, 0x21]);
  });

  it("0xcf9 resets on the rise of bit 2, as bit 1 says", () => {
    const resets: string[] = [];
    const port = new ResetControl(kind => resets.push(kind));
    for (const value of [0x02, 0x06, 0x06, 0x00, 0x04]) port.write(0, 1, value);
    expect(resets).toEqual(["hard", "soft"]);
    expect(port.read()).toBe(0x04);
  });

  it("port 0x92 drives A20 and resets on the rise of bit 0", () => {
    const a20 = { isOpen: false };
    let resets = 0;
    const port = new SystemControlA(a20, () => resets++);
    port.write(0, 1, 0x02);
    expect([a20.isOpen, port.read()]).toEqual([true, 0x02]);
    a20.isOpen = false; // the keyboard controller shut it
    expect(port.read()).toBe(0x00);
    port.write(0, 1, 0x03);
    port.write(0, 1, 0x03);
    expect(resets).toBe(1);
  });

  it("a word at a byte-wide device is two cycles", () => {
    const seen: string[] = [];
    const bus = new Bus();
    bus.register(
      "cmos",
      0x70,
      2,
      new ByteWide({
        read: offset => 0x10 + offset,
        write: (offset, size, value) => seen.push(`${offset} ${size} ${value.toString(16)}`),
      }),
    );
    bus.write(0x70, 2, 0x5a0f);
    expect(seen).toEqual(["0 1 f", "1 1 5a"]);
    expect(bus.read(0x70, 2)).toBe(0x1110);
  });
});
