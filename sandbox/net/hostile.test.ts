import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../machine/clock.ts";
import type { HostSockets, HostTcp } from "./host-sockets.ts";
import { MemorySockets } from "./memory-sockets.ts";
import { arp, DNS, ethernet, GATEWAY, GUEST, icmp, ipv4, udp, word } from "./test-guest.ts";
import { Later, TestConnection, tcp, tcpGuest } from "./test-tcp.ts";
import { UserNetwork } from "./user-network.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const WEB = { address: 0x7f00_0001, port: 80 };

/** Numbers from 0 to `below`, the same in every run (xorshift). */
function numbers(seed: number) {
  let state = seed;
  return (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

describe("a wire that loses, repeats and disorders", () => {
  it.each([1, 2, 3, 4])("carries 10,000 writes both ways, every byte in its place (seed %i)", seed => {
    const random = numbers(seed * 0x9e37_79b1);
    const clock = new ManualClock();
    const later = new Later();
    const host = new MemorySockets({ later: later.add });
    const served: number[] = [];
    let socket: HostTcp | null = null;
    let how = "";
    host.serveTcp(WEB, opened => {
      socket = opened;
      return {
        data: bytes => void served.push(...bytes),
        ended: () => {},
        closed: failure => {
          how = String(failure);
        },
      };
    });
    const network = new UserNetwork({ clock, host });
    const pass = (frame: Uint8Array, deliver: (frame: Uint8Array) => void) => {
      if (random(100) < 5) return;
      for (let copies = random(100) < 5 ? 2 : 1; copies > 0; copies--) {
        const delay = random(100) < 10 ? random(20e6) : 1e6;
        clock.schedule(clock.now() + delay, () => deliver(frame.slice()));
      }
    };
    const guest = tcpGuest(network, pass);
    const connection = new TestConnection({ clock, transmit: guest.transmit, from: 1025, to: 80 });
    guest.connections.set(1025, connection);
    const run = (nanoseconds: number) => {
      for (let step = 0; step < 20; step++) {
        clock.advance(nanoseconds / 20);
        later.run();
      }
    };
    connection.connect();
    for (let wait = 0; wait < 200 && connection.state !== "open"; wait++) run(1e9);
    expect(connection.state).toBe("open");
    while (!socket) run(1e9);
    const [up, down]: [number[], number[]] = [[], []];
    for (let operation = 0; operation < 5000; operation++) {
      const make = () => Array.from({ length: 1 + random(40) }, () => random(256));
      const [sent, answered] = [make(), make()];
      up.push(...sent);
      down.push(...answered);
      connection.send(sent);
      (socket as HostTcp).write(Uint8Array.from(answered), () => {});
      if (operation % 50 === 0) run(4e6);
    }
    connection.end();
    (socket as HostTcp).end();
    for (let wait = 0; wait < 3000 && !(connection.isFinAcknowledged && connection.hasRemoteEnded); wait++)
      run(1e9);
    expect(connection.received.length).toBe(down.length);
    expect(connection.received).toEqual(down);
    expect(served).toEqual(up);
    run(200e9);
    expect(how).toBe("null");
    expect(network.size).toBe(0);
  });
});

/** Bytes that this process holds, once it has thrown away what it can; `network` is kept. */
function bytesHeld(network: UserNetwork): number {
  collectGarbage();
  collectGarbage(); // the first leaves buffers to be freed on another thread, the second waits for that
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return network.size < 0 ? 0 : heapUsed + arrayBuffers;
}

/** The largest frame that a card can send. */
const LARGEST = 0xffff;
const MIB = 0x10_0000;

/** In a frame as large as can be: whoever keeps the packet must not keep the rest. */
function padded(frame: Uint8Array): Uint8Array {
  const large = new Uint8Array(LARGEST);
  large.set(frame);
  return large;
}

describe("a guest that wants its host to hold as much as can be", () => {
  function bench(socket: Partial<HostTcp> = {}) {
    const clock = new ManualClock();
    const never = { write() {}, end() {}, reset() {}, pause() {}, resume() {}, ...socket };
    const host: HostSockets = {
      // A host that is connected at once and then never rid of what it gets.
      connectTcp: (_to, events) => {
        clock.schedule(clock.now(), () => events.connected());
        return never;
      },
      listenTcp: () => ({ close() {} }),
      openUdp: () => ({ send() {}, close() {} }),
      nameServers: () => [],
    };
    const network = new UserNetwork({ clock, host });
    network.onFrame = () => true;
    return { clock, network };
  }

  it("fills the fragments with frames that are nearly all padding", () => {
    const { network } = bench();
    const before = bytesHeld(network);
    for (let id = 0; id < 64; id++) {
      for (let piece = 0; piece < 100; piece++) {
        const fragment = 0x2000 | (2 * piece);
        network.send(padded(ipv4(GATEWAY, 1, Array(8).fill(id), { id, fragment })), null);
      }
    }
    // 420 MB came; 32 datagrams of 100 fragments stay.
    expect(bytesHeld(network) - before).toBeLessThan(8 * MIB);
  });

  it("asks for connections, and sends datagrams, in frames that are nearly all padding", () => {
    const { network } = bench();
    const before = bytesHeld(network);
    for (let from = 1000; from < 2000; from++) {
      network.send(padded(tcp({ from, to: 80, sequence: 1, flags: 2 })), null);
      network.send(padded(ipv4(GATEWAY, 17, udp(GATEWAY, [from, 7], [1]))), null);
    }
    expect(network.size).toBe(2 * 512);
    // 131 MB came; half a thousand of each stay, each connection with 16 KiB for what it will send.
    expect(bytesHeld(network) - before).toBeLessThan(24 * MIB);
  });

  it.each([
    ["in order", 1],
    ["with a gap in front", 2],
  ])(
    "sends single bytes %s, in frames that are nearly all padding, to a host that takes none",
    (_what, first) => {
      const { network, clock } = bench({ write: keep });
      const held: Uint8Array[] = [];
      function keep(bytes: Uint8Array): void {
        held.push(bytes);
      }
      let sequence = 0;
      network.onFrame = frame => {
        sequence = (frame[38]! * 256 ** 3 + frame[39]! * 256 ** 2 + frame[40]! * 256 + frame[41]! + 1) >>> 0;
        return true;
      };
      network.send(arp(1, GATEWAY), null);
      network.send(tcp({ from: 1000, to: 80, sequence: 0, flags: 2 }), null);
      clock.advance(1e6);
      const acknowledgment = sequence;
      const send = (at: number, data: number[]) =>
        network.send(
          padded(tcp({ from: 1000, to: 80, sequence: at, acknowledgment, flags: 16, data })),
          null,
        );
      const before = bytesHeld(network);
      for (let at = 0; at < 4000; at++) send(first + at * first, [at & 0xff]);
      expect(network.size).toBe(1);
      if (first === 1) expect(held.length).toBeGreaterThan(1000);
      // 262 MB came.
      expect(bytesHeld(network) - before).toBeLessThan(4 * MIB);
    },
  );
});

describe("a hostile guest", () => {
  it("sends 100,000 wild frames: no exception, and no more held than the bounds say", {
    timeout: 240_000,
  }, () => {
    const random = numbers(0x1234_5678);
    const clock = new ManualClock();
    const later = new Later();
    const host = new MemorySockets({ later: later.add, nameServers: [{ address: 0x0808_0808, port: 53 }] });
    host.serveTcp(WEB, socket => ({
      data: bytes => socket.write(bytes.slice(), () => {}),
      ended: () => socket.end(),
      closed() {},
    }));
    host.serveUdp({ address: 0x7f00_0001, port: 7 }, (data, _from, reply) => reply(data));
    const network = new UserNetwork({ clock, host });
    let answers = 0;
    network.onFrame = () => {
      answers++;
      return random(20) > 0;
    };
    const bytes = (most: number) => Array.from({ length: random(most) }, () => random(256));
    const pick = <T>(...choices: T[]) => choices[random(choices.length)]!;
    const address = () =>
      pick(
        GATEWAY,
        DNS,
        [10, 0, 2, random(256)],
        [127, 0, 0, 1],
        [192, 0, 2, 1],
        [255, 255, 255, 255],
        [224, 0, 0, 1],
      );
    const segment = () =>
      tcp({
        from: 1000 + random(1500),
        to: pick(80, 80, 53, 81, 0),
        sequence: random(4) * 1000 + random(2),
        acknowledgment: random(0xffff_ffff),
        flags: pick(2, 2, 16, 18, 1, 4, 17, 24, random(256)),
        window: random(0x1_0000),
        options: pick(
          [],
          [2, 4, ...word(random(2000))],
          [3, 0, 1, 1],
          [2, 255, 0, 0],
          [1, 3, 3, random(256)],
        ),
        data: bytes(60),
        destination: pick(GATEWAY, GATEWAY, address()),
      });
    const makers: (() => Uint8Array)[] = [
      () => Uint8Array.from(bytes(80)),
      () => ethernet(pick(0x0800, 0x0806, 0x86dd, 0x8100), bytes(80)),
      () =>
        ipv4(address(), pick(1, 6, 17, random(256)), bytes(60), {
          ttl: random(3),
          id: random(50),
          fragment: pick(0, random(0x1_0000)),
        }),
      () => ipv4(address(), 17, bytes(64), { id: random(5000), fragment: 0x2000 | random(200) }),
      () => ipv4(address(), 1, icmp(random(20), random(4), bytes(40))),
      () => {
        const to = address();
        return ipv4(to, 17, udp(to, [1 + random(60_000), pick(7, 53, 67, 9)], bytes(60)));
      },
      () => {
        const dhcp = [
          1,
          1,
          6,
          0,
          ...bytes(4),
          ...Array(24).fill(0),
          ...bytes(8),
          ...Array(210).fill(0),
        ].slice(0, 236);
        const all = [...dhcp, 0x63, 0x82, 0x53, 0x63, 53, 1, random(10), ...bytes(20)];
        return ipv4(GATEWAY, 17, udp(GATEWAY, [68, 67], all));
      },
      segment,
      segment,
      segment,
    ];
    const before = bytesHeld(network);
    for (let count = 0; count < 100_000; count++) {
      const frame = pick(...makers)();
      if (random(10) === 0 && frame.length > 0) frame[random(frame.length)] = random(256);
      const offload =
        random(20) > 0 ? null : { checksum: { start: random(100), offset: random(100) }, segmentation: null };
      network.send(frame, offload);
      if (count % 16 === 0) later.run();
      if (count % 64 === 0) clock.advance(random(2e9));
      if (count % 8 === 0) network.roomAgain();
      expect(network.size).toBeLessThanOrEqual(512 + 2 * 512);
    }
    expect(answers).toBeGreaterThan(10_000);
    expect(bytesHeld(network) - before).toBeLessThan(64 * MIB);
    // It still works.
    clock.advance(1000e9);
    later.run();
    network.onFrame = () => true;
    network.roomAgain();
    const got: number[] = [];
    network.onFrame = frame => got.push(frame[34]!) > 0;
    network.send(ipv4(GATEWAY, 1, icmp(8, 0, [0, 1, 0, 1]), { source: GUEST }), null);
    expect(got).toContain(0);
    network.close();
    expect(host.udpSockets).toBe(0);
  });
});
