import { describe, expect, it } from "vitest";
import { ManualClock } from "../../sandbox/machine/clock.ts";
import { describeFrame } from "./packets.ts";
import { answerTo, Wire } from "./wire.ts";

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g)!, digits => Number.parseInt(digits, 16));
const REQUEST = bytes("ffffffffffff525400123456080600010800060400015254001234560a00020f0000000000000a000202");
/** 10.0.2.15 pings 10.0.2.2 with four bytes; the sums are still to be made. */
const ECHO = bytes(
  "52550a0002025254001234560800" +
    "450000200000000040010000" +
    "0a00020f0a000202" +
    "080000004d45000161626364",
);

/** As the RFC says it, in its simplest form. */
function checksum(data: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += 2) {
    sum += data[at]! * 256 + (data[at + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

function echo(): Uint8Array {
  const frame = ECHO.slice();
  for (const [start, end, at] of [
    [14, 34, 24],
    [34, 46, 36],
  ] as const) {
    const sum = checksum(frame.subarray(start, end));
    frame[at] = sum >> 8;
    frame[at + 1] = sum & 0xff;
  }
  return frame;
}

describe("the other end of the wire", () => {
  it("answers who has its address, and no other", () => {
    const answer = answerTo(REQUEST)!;
    expect(describeFrame(answer)).toEqual({
      from: "52:55:0a:00:02:02",
      to: "52:54:00:12:34:56",
      protocol: "ARP",
      text: "10.0.2.2 is at 52:55:0a:00:02:02",
      length: 42,
    });
    const other = REQUEST.slice();
    other[41] = 3;
    expect(answerTo(other)).toBeNull();
    expect(answerTo(answer), "an answer is no question").toBeNull();
  });

  it("answers an echo with sums that are right, and none whose sums are wrong", () => {
    const request = echo();
    const answer = answerTo(request)!;
    expect(describeFrame(answer)).toMatchObject({
      protocol: "ICMP",
      text: "10.0.2.2 → 10.0.2.15 echo reply 1, 4 bytes",
    });
    expect([checksum(answer.subarray(14, 34)), checksum(answer.subarray(34))]).toEqual([0, 0]);
    expect([...answer.subarray(42)]).toEqual([...request.subarray(42)]);
    for (const at of [20, 44]) {
      const wrong = echo();
      wrong[at]! ^= 1;
      expect(answerTo(wrong), `byte ${at}`).toBeNull();
    }
  });

  it("answers nothing that ends early", () => {
    for (const frame of [REQUEST, echo()]) {
      for (let length = 0; length < frame.length; length++) {
        expect(answerTo(frame.subarray(0, length)), `${length} bytes`).toBeNull();
      }
    }
  });

  it("keeps answers in order while the guest has no room", () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const wire = new Wire(clock, (direction, frame) =>
      seen.push(`${direction} ${describeFrame(frame).protocol}`),
    );
    let room = 0;
    wire.onFrame = () => room-- > 0;
    wire.send(REQUEST);
    wire.send(echo());
    clock.advance(1_000_000);
    expect(seen).toEqual(["out ARP", "out ICMP"]);
    room = 1;
    wire.roomAgain();
    expect(seen.slice(2)).toEqual(["in ARP"]);
    room = 1;
    wire.roomAgain();
    expect(seen.slice(2)).toEqual(["in ARP", "in ICMP"]);
  });
});

describe("a wire put aside", () => {
  /** What a wire does in two milliseconds, when it is put aside and brought back after `pause` nanoseconds. */
  function arrivals(pause?: number): string[] {
    const seen: string[] = [];
    let clock = new ManualClock();
    const open = () => {
      const wire = new Wire(clock, (direction, frame) =>
        seen.push(`${direction} ${describeFrame(frame).text} at ${clock.now()}`),
      );
      wire.onFrame = () => clock.now() >= 1_000_000;
      return wire;
    };
    let wire = open();
    wire.send(REQUEST);
    clock.advance(100_000);
    wire.send(echo());
    if (pause !== undefined) {
      clock.advance(pause);
      const state = JSON.parse(JSON.stringify(wire.save()));
      clock = new ManualClock(clock.now());
      wire = open();
      wire.restore(state);
      expect(wire.save()).toEqual(state);
    }
    clock.advanceTo(1_500_000);
    wire.roomAgain();
    clock.advanceTo(2_000_000);
    return seen;
  }

  it("goes on with both answers on their way, with one that waits, and with both waiting", () => {
    const whole = arrivals();
    expect(whole).toHaveLength(4);
    for (const pause of [0, 20_000, 60_000, 200_000]) expect(arrivals(pause)).toEqual(whole);
  });
});

describe("frames in words", () => {
  it("says something of any bytes", () => {
    for (let length = 0; length < 60; length++) {
      for (const kind of [0x0806, 0x0800, 0x86dd]) {
        const frame = new Uint8Array(length);
        if (length > 13) frame.set([kind >> 8, kind & 0xff], 12);
        if (length > 23) frame[23] = 17;
        expect(describeFrame(frame).text.length).toBeGreaterThan(0);
      }
    }
  });
});
