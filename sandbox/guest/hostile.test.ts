import { describe, expect, it } from "vitest";
import { randomNumbers } from "../cpu/test-machine.ts";
import { long, sumOf, word } from "../net/test-guest.ts";
import { ask } from "./guest-dialogue.ts";
import { GUEST, ICMP, ipFrame, TCP, tcpBytes, text, UDP, Wire } from "./test-peer.ts";

const FRAMES = 20_000;

type Random = () => number;

const bytes = (random: Random, length: number) => Array.from({ length }, () => random() & 0xff);
const oneOf = <T>(random: Random, values: readonly T[]): T => values[random() % values.length]!;

/** Something right in most of its parts, so that the wrong comes deep. */
function seed(random: Random, guestPort: number): number[] {
  switch (random() % 6) {
    case 0: {
      const head = [0, 1, 8, 0, 6, 4, 0, 1 + (random() % 3), 0x52, 0x55, 10, 0, 2, random() & 0xff];
      const body = [...head, 10, 0, 2, random() & 0xff, ...bytes(random, 6), ...GUEST];
      return [...bytes(random, 6).map(() => 0xff), 0x52, 0x55, 10, 0, 2, 2, 0x08, 0x06, ...body];
    }
    case 1:
      return ipFrame(
        ICMP,
        withSum([oneOf(random, [0, 3, 8, 13]), 0, 0, 0, ...bytes(random, random() % 200)]),
      );
    case 2: {
      const data = bytes(random, random() % 300);
      return ipFrame(UDP, [
        0x13,
        0x88,
        0,
        oneOf(random, [7, 68, 9]),
        ...word(8 + data.length),
        0,
        0,
        ...data,
      ]);
    }
    case 3: // a DHCP message with options of all lengths
      return ipFrame(
        UDP,
        [
          0,
          67,
          0,
          68,
          ...word(8 + 280),
          0,
          0,
          2,
          1,
          6,
          0,
          ...bytes(random, 224),
          ...long(0x6382_5363),
          ...bytes(random, 48),
        ].slice(0, 288),
      );
    default: {
      const data = Uint8Array.from(
        random() % 2 ? text("GET / HTTP/1.0\r\n\r\n") : bytes(random, random() % 100),
      );
      const options = bytes(random, 4 * (random() % 5));
      const from = oneOf(random, [40_000, 40_001, 40_002, 80]);
      const to = oneOf(random, [80, 80, 80, 81, guestPort]);
      const flags = oneOf(random, [0x02, 0x10, 0x10, 0x18, 0x11, 0x04, 0x12, 0x00, random() & 0xff]);
      const sequence = oneOf(random, [1000, 1001, 1019, random()]);
      return ipFrame(
        TCP,
        tcpBytes({
          from,
          to,
          flags,
          sequence,
          acknowledgment: random(),
          data,
          options,
          window: random() & 0xffff,
        }),
      );
    }
  }
}

function withSum(packet: number[]): number[] {
  packet.splice(2, 2, ...word(sumOf(packet)));
  return packet;
}

/** Cuts, lengthens or changes a frame in some places; sums over IP headers are made right at times. */
function spoil(frame: number[], random: Random): number[] {
  const kind = random() % 8;
  if (kind === 0) return bytes(random, 14 + (random() % 1500));
  if (kind === 1) return frame.slice(0, 14 + (random() % frame.length));
  for (let change = random() % 5; change > 0; change--) frame[12 + (random() % 60)] = random() & 0xff;
  frame = frame.map(byte => byte ?? 0);
  if (random() % 2 === 0) {
    const length = ((frame[14] ?? 0) & 0x0f) * 4;
    if (frame.length >= 14 + length && length >= 20) {
      frame.splice(24, 2, 0, 0);
      frame.splice(24, 2, ...word(sumOf(frame.slice(14, 14 + length))));
    }
  }
  return frame.slice(0, 1514);
}

describe("hostile frames", () => {
  it.each([1, 2])(`${FRAMES / 2} of them leave the guest alive (seed %i)`, seedNumber => {
    const random = randomNumbers(0x5eed_0000 + seedNumber);
    const wire = new Wire().atPrompt();
    const { peer, dialogue } = wire;
    for (let frame = 0; frame < FRAMES / 2; frame++) {
      const [start = 0] = peer.packets
        .filter(packet => packet.protocol === TCP)
        .map(({ payload }) => payload[0]!);
      const changed = random() % 4 === 0 ? seed(random, start) : spoil(seed(random, start), random);
      if (changed.length >= 14) peer.deliver(changed);
      // It runs a little after each, and now and then long enough for its timers.
      if (frame % 8 === 0) dialogue.pass(random() % 50 === 0 ? 3e9 : 1e5);
      if (frame === FRAMES / 4) dialogue.type("ping 10.0.2.2 5\r");
      if (frame % 1000 === 999) peer.packets.length = peer.arp.length = 0;
    }
    dialogue.pass(400e9);
    expect(dialogue.output).not.toContain("exception");
    dialogue.until("5 sent, ");
    dialogue.until("\n> ");
    const counters = ask(dialogue, "net");
    const count = (what: RegExp) => Number(what.exec(counters)?.[1]);
    // The wrong was seen as such, the right was answered, and nothing is left behind.
    expect(count(/dropped {3}(\d+) malformed/)).toBeGreaterThan(1000);
    expect(count(/and (\d+) segments came/)).toBeGreaterThan(500);
    expect(count(/answered {2}(\d+) echoes/)).toBeGreaterThan(50);
    expect(counters).not.toContain("tcp  ");
    expect(ask(dialogue, "ping 10.0.2.2 1")).toMatch(/1 sent/);
    expect(ask(dialogue, "fault")).toContain("wrote and read 600df00d");
    // And it serves.
    peer.packets.length = 0;
    peer.sendIcmp(8, 0, [1, 2, 3, 4]);
    expect([...wire.next(ICMP).payload.subarray(4)]).toEqual([1, 2, 3, 4]);
  });

  it("a card that gives up is set up again by its driver", () => {
    const wire = new Wire().atPrompt();
    const { device } = wire.dialogue.machine.parts.cards.network!;
    // The rings are spoilt behind the driver's back.
    const { memory } = wire.dialogue.machine.parts;
    memory.write(device.queues[1]!.setup.availableRing + 2, 2, 0x7777);
    device.notify(1);
    expect(device.failure).toMatch(/idx went from/);
    wire.dialogue.pass(1e8);
    expect(device.failure).toBeNull();
    expect(ask(wire.dialogue, "net")).toContain("1 resets of the card\n");
    wire.peer.sendIcmp(8, 0, [1, 2, 3, 4]);
    expect([...wire.next(ICMP).payload.subarray(4)]).toEqual([1, 2, 3, 4]);
  });

  it("a pulled cable is seen, and a plugged one works again", () => {
    const wire = new Wire().atPrompt();
    const { device } = wire.dialogue.machine.parts.cards.network!;
    device.setLink(false);
    expect(ask(wire.dialogue, "net")).toContain("link down\n");
    device.setLink(true);
    expect(ask(wire.dialogue, "net")).toContain("link up\n");
    expect(ask(wire.dialogue, "ping 10.0.2.2 1")).toContain("1 sent, ");
    expect(wire.next(ICMP).payload[0]).toBe(8);
  });
});
