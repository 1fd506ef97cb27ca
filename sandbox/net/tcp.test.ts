import { describe, expect, it } from "vitest";
import { ManualClock } from "../machine/clock.ts";
import type { HostTcp } from "./host-sockets.ts";
import { MemorySockets } from "./memory-sockets.ts";
import { arp, DNS, GATEWAY, GUEST, listen, long, type Received, word } from "./test-guest.ts";
import { ACK, FIN, Later, PSH, RST, readTcp, SYN, type TestSegment, tcp } from "./test-tcp.ts";
import { GATEWAY as GATEWAY_ADDRESS, UserNetwork, type UserNetworkOptions } from "./user-network.ts";

const LOOPBACK = 0x7f00_0001;
const WEB = { address: LOOPBACK, port: 80 };

/** A network whose host has a service at port 80 that notes what happens and does what a test says. */
function bench(options: Partial<UserNetworkOptions> = {}) {
  const clock = new ManualClock(5e9);
  const later = new Later();
  const host = new MemorySockets({ later: later.add });
  const heard: string[] = [];
  const service: { socket?: HostTcp; bytes: number[] } = { bytes: [] };
  host.serveTcp(WEB, socket => {
    service.socket = socket;
    heard.push("opened");
    return {
      data: bytes => void service.bytes.push(...bytes),
      ended: () => void heard.push("ended"),
      closed: failure => void heard.push(`closed ${failure}`),
    };
  });
  const network = new UserNetwork({ clock, host, ...options });
  const { wire, send, received } = listen(network);
  send(arp(1, GATEWAY));
  const settle = () => {
    later.run();
    return received().map(readTcp);
  };
  const say = (segment: Omit<TestSegment, "from" | "to"> & { from?: number; to?: number }) => {
    const answers = send(tcp({ from: 1025, to: 80, ...segment })).map(readTcp);
    return [...answers, ...settle()];
  };
  const open = (syn: { window?: number; options?: number[] } = {}) => {
    const [answer] = say({ sequence: 999, flags: SYN, options: [2, 4, ...word(1460)], ...syn });
    say({ sequence: 1000, acknowledgment: answer!.sequence + 1, flags: ACK, window: syn.window ?? 65535 });
    return answer!.sequence + 1;
  };
  return { clock, later, host, heard, service, network, wire, send, received, settle, say, open };
}

const none = () => {};
const text = (words: string) => [...new TextEncoder().encode(words)];

describe("a connection of the guest", () => {
  it("is answered once the host's is there, with segment size and window scale", () => {
    const { send, settle, say, heard } = bench();
    const syn = { from: 1025, to: 80, sequence: 999, flags: SYN, options: [2, 4, ...word(1460), 1, 3, 3, 7] };
    expect(send(tcp(syn))).toEqual([]);
    expect(send(tcp(syn))).toEqual([]);
    const [answer, ...more] = settle();
    expect(more).toEqual([]);
    expect(answer).toMatchObject({
      source: GATEWAY,
      from: 80,
      to: 1025,
      acknowledgment: 1000,
      flags: SYN | ACK,
    });
    expect(answer!.options).toEqual([2, 4, ...word(1460), 1, 3, 3, 4]);
    expect(heard).toEqual(["opened"]);
    // The same SYN again: the answer was lost.
    expect(say(syn)).toMatchObject([{ flags: SYN | ACK, sequence: answer!.sequence }]);
  });

  it("begins where only who has the secret knows, in another place for each port, and later as time goes", () => {
    const first = (options: Partial<UserNetworkOptions>, from = 1025, wait = 0) => {
      const { say, clock } = bench(options);
      clock.advance(wait);
      return say({ from, sequence: 999, flags: SYN })[0]!.sequence;
    };
    const secret = [0x1234_5678, 0x9abc_def0] as const;
    const start = first({ secret });
    expect(first({ secret })).toBe(start);
    expect(first({ secret }, 1025, 4e9)).toBe((start + 1_000_000) >>> 0); // RFC 6528: 4 microseconds each
    expect(first({ secret }, 1026)).not.toBe(start);
    expect(first({ secret: [0x1234_5678, 0x9abc_def1] })).not.toBe(start);
    expect(first({})).not.toBe(start);
  });

  it("has no window scale if the guest offers none", () => {
    const { say } = bench();
    const [answer] = say({ sequence: 999, flags: SYN });
    expect(answer!.options).toEqual([2, 4, ...word(1460)]);
  });

  it("is refused where nobody listens, and unreachable where there is nothing", () => {
    const { say, send } = bench();
    expect(say({ to: 81, sequence: 999, flags: SYN })).toMatchObject([
      { flags: RST | ACK, sequence: 0, acknowledgment: 1000 },
    ]);
    expect(say({ to: 80, sequence: 999, flags: SYN, destination: DNS })).toMatchObject([
      { flags: RST | ACK },
    ]);
    const [error] = send(tcp({ from: 1025, to: 80, sequence: 9, flags: SYN, destination: [10, 0, 2, 77] }));
    expect(error).toMatchObject({ protocol: 1 });
    expect(error!.payload.slice(0, 2)).toEqual([3, 1]);
  });

  it("carries data both ways", () => {
    const { say, open, service, settle, clock, received } = bench();
    const next = open();
    expect(
      say({ sequence: 1000, acknowledgment: next, flags: ACK | PSH, data: text("hello") }),
    ).toMatchObject([{ flags: ACK, acknowledgment: 1005 }]);
    expect(service.bytes).toEqual(text("hello"));
    service.socket!.write(Uint8Array.from(text("good day")), none);
    const [answer] = settle();
    expect(answer).toMatchObject({ sequence: next, flags: ACK | PSH });
    expect([...answer!.data]).toEqual(text("good day"));
    // A small segment without PSH is acknowledged after a while, or with the next data.
    expect(say({ sequence: 1005, acknowledgment: next + 8, flags: ACK, data: [1] })).toEqual([]);
    clock.advance(41e6);
    expect(received().map(readTcp)).toMatchObject([{ flags: ACK, acknowledgment: 1006 }]);
  });

  it("is half-closed by the guest, answered, then closed by the host", () => {
    const { say, open, service, settle, heard } = bench();
    const next = open();
    expect(say({ sequence: 1000, acknowledgment: next, flags: ACK | FIN, data: [1] })).toMatchObject([
      { flags: ACK, acknowledgment: 1002 },
    ]);
    expect(heard).toEqual(["opened", "ended"]);
    service.socket!.write(Uint8Array.of(7, 8), none);
    expect(settle()).toMatchObject([{ sequence: next, flags: ACK | PSH }]);
    service.socket!.end();
    expect(settle()).toMatchObject([{ sequence: next + 2, flags: ACK | FIN }]);
    expect(say({ sequence: 1002, acknowledgment: next + 3, flags: ACK })).toEqual([]);
    expect(heard).toEqual(["opened", "ended", "closed null"]);
    // It is gone: what comes now is a stranger's.
    expect(say({ sequence: 1002, acknowledgment: next + 3, flags: ACK })).toMatchObject([
      { flags: RST, sequence: next + 3 },
    ]);
  });

  it("is half-closed by the host, and the guest goes on sending; then it waits two minutes' half", () => {
    const { say, open, service, settle, heard, clock } = bench();
    const next = open();
    service.socket!.end();
    expect(settle()).toMatchObject([{ flags: ACK | FIN, sequence: next }]);
    say({ sequence: 1000, acknowledgment: next + 1, flags: ACK | PSH, data: [1, 2, 3] });
    expect(service.bytes).toEqual([1, 2, 3]);
    const bye = { sequence: 1003, acknowledgment: next + 1, flags: ACK | FIN };
    expect(say(bye)).toMatchObject([{ flags: ACK, acknowledgment: 1004 }]);
    expect(heard).toEqual(["opened", "ended", "closed null"]);
    expect(say(bye)).toMatchObject([{ flags: ACK, acknowledgment: 1004 }]); // TIME-WAIT
    clock.advance(59e9);
    expect(say(bye)).toMatchObject([{ flags: ACK }]); // and the time begins anew
    clock.advance(59e9);
    expect(say(bye)).toMatchObject([{ flags: ACK }]);
    clock.advance(61e9);
    expect(say(bye)).toMatchObject([{ flags: RST }]);
  });

  it("in TIME-WAIT gives way to a new one", () => {
    const { say, open, service, settle } = bench();
    const next = open();
    service.socket!.end();
    settle();
    say({ sequence: 1000, acknowledgment: next + 1, flags: ACK | FIN });
    expect(say({ sequence: 1000, flags: SYN })).toMatchObject([{ flags: ACK, acknowledgment: 1001 }]);
    expect(say({ sequence: 70_000, flags: SYN })).toMatchObject([
      { flags: SYN | ACK, acknowledgment: 70_001 },
    ]);
  });

  it("is closed by both at once", () => {
    const { say, open, service, settle, heard } = bench();
    const next = open();
    service.socket!.end();
    expect(settle()).toMatchObject([{ flags: ACK | FIN }]);
    // The guest's FIN crosses ours: it acknowledges nothing of it.
    expect(say({ sequence: 1000, acknowledgment: next, flags: ACK | FIN })).toMatchObject([
      { flags: ACK, acknowledgment: 1001 },
    ]);
    expect(say({ sequence: 1001, acknowledgment: next + 1, flags: ACK })).toEqual([]);
    expect(heard.at(-1)).toBe("closed null");
  });

  it("is reset by the guest: by a number that is exactly right, else it is asked", () => {
    const { say, open, heard } = bench();
    const next = open();
    expect(say({ sequence: 1500, flags: RST })).toMatchObject([
      { flags: ACK, acknowledgment: 1000, sequence: next },
    ]);
    expect(say({ sequence: 500, flags: RST })).toEqual([]);
    expect(heard).toEqual(["opened"]);
    expect(say({ sequence: 1000, flags: RST })).toEqual([]);
    expect(heard).toEqual(["opened", "closed reset"]);
  });

  it("is reset by the host", () => {
    const { open, service, settle, network } = bench();
    const next = open();
    service.socket!.reset();
    expect(settle()).toMatchObject([{ flags: RST | ACK, sequence: next, acknowledgment: 1000 }]);
    expect(network.size).toBe(0);
  });

  it("answers a SYN inside it and numbers it never sent with what is right", () => {
    const { say, open } = bench();
    const next = open();
    const right = { flags: ACK, sequence: next, acknowledgment: 1000 };
    expect(say({ sequence: 1000, acknowledgment: next, flags: SYN | ACK })).toMatchObject([right]);
    expect(say({ sequence: 1000, acknowledgment: next + 1, flags: ACK, data: [1] })).toMatchObject([right]);
    expect(say({ sequence: 400_000, acknowledgment: next, flags: ACK, data: [1] })).toMatchObject([right]);
    expect(say({ sequence: 1000, flags: 0, data: [1] })).toEqual([]);
  });

  it("puts segments in order, whatever they overlap", () => {
    const { say, open, service } = bench();
    const next = open();
    const data = Array.from({ length: 40 }, (_, index) => index);
    const part = (from: number, to: number) =>
      say({ sequence: 1000 + from, acknowledgment: next, flags: ACK, data: data.slice(from, to) });
    expect(part(30, 40)).toMatchObject([{ acknowledgment: 1000 }]);
    part(10, 20);
    part(5, 12);
    part(15, 35);
    part(18, 19);
    expect(service.bytes).toEqual([]);
    expect(part(0, 7)).toMatchObject([{ acknowledgment: 1040 }]);
    expect(service.bytes).toEqual(data);
    expect(part(0, 7)).toMatchObject([{ acknowledgment: 1040 }]);
    expect(service.bytes).toEqual(data);
  });

  it("takes a FIN that came before the data in front of it", () => {
    const { say, open, heard } = bench();
    const next = open();
    say({ sequence: 1003, acknowledgment: next, flags: ACK | FIN, data: [4] });
    expect(heard).toEqual(["opened"]);
    expect(say({ sequence: 1000, acknowledgment: next, flags: ACK, data: [1, 2, 3] })).toMatchObject([
      { acknowledgment: 1005 },
    ]);
    expect(heard).toEqual(["opened", "ended"]);
  });
});

describe("flow control", () => {
  it("closes the window to a guest whose host does not take, and tells when it does", () => {
    const { say, open, service, settle } = bench();
    const next = open({ options: [2, 4, ...word(1460), 1, 3, 3, 7] });
    service.socket!.pause();
    let sequence = 1000;
    let window = Number.POSITIVE_INFINITY;
    const chunk = new Uint8Array(1460).fill(5);
    for (let sent = 0; sent < 1000 && window >= 1460; sent++) {
      const answers = say({ sequence, acknowledgment: next, flags: ACK, data: chunk });
      sequence += 1460;
      for (const answer of answers) window = (answer.acknowledgment + answer.window * 16 - sequence) | 0;
    }
    expect(window).toBeLessThan(1460);
    // Beyond the window nothing is taken; within it, all.
    const [answer] = say({ sequence: sequence + 4000, acknowledgment: next, flags: ACK, data: chunk });
    const taken = answer!.acknowledgment - 1000;
    expect(sequence - 1000 - taken).toBeLessThan(1460);
    expect(taken).toBeGreaterThan(150_000);
    expect(taken).toBeLessThanOrEqual(0x4_0000);
    service.socket!.resume();
    const updates = settle();
    expect(updates.length).toBeGreaterThan(0);
    expect(updates.at(-1)!.window * 16).toBeGreaterThan(100_000);
    expect(service.bytes).toHaveLength(taken);
  });

  it("bounds what a guest of tiny segments can make it hold", () => {
    const { say, open, service } = bench();
    const next = open();
    service.socket!.pause();
    let last = 1000;
    for (let index = 0; index < 5000; index++) {
      for (const answer of say({ sequence: 1000 + index, acknowledgment: next, flags: ACK, data: [1] })) {
        last = answer.acknowledgment;
      }
    }
    expect(last - 1000).toBeLessThan((2 * 0x4_0000) / 257 + 2);
  });

  it("sends no more than the guest's window, probes a closed one, and goes on when it opens", () => {
    const { say, open, service, settle, clock, received } = bench();
    const next = open({ window: 3000 });
    service.socket!.write(new Uint8Array(10_000).fill(9), none);
    expect(settle().map(({ data }) => data.length)).toEqual([1460, 1460]);
    const acknowledge = (count: number, window: number) =>
      say({ sequence: 1000, acknowledgment: next + count, flags: ACK, window });
    expect(acknowledge(2920, 0)).toEqual([]);
    const probes: number[] = [];
    for (let second = 0; second < 130; second++) {
      clock.advance(1e9);
      for (const probe of received().map(readTcp)) {
        expect(probe).toMatchObject({ sequence: next + 2920 });
        expect(probe.data.length).toBe(1);
        probes.push(second);
        say({ sequence: 1000, acknowledgment: next + 2920, flags: ACK, window: 0 });
      }
    }
    // Ever more seldom, up to once a minute (RFC 9293, 3.8.6.1).
    expect(probes.length).toBeGreaterThanOrEqual(6);
    expect(probes.length).toBeLessThan(10);
    const lengths = acknowledge(2920, 60_000).map(({ data, sequence }) => [sequence - next, data.length]);
    expect(lengths).toEqual([
      [2920, 1460],
      [4380, 1460],
      [5840, 1460],
      [7300, 1460],
      [8760, 1240],
    ]);
  });

  it("pauses a host that sends faster than the guest takes", () => {
    const { open, service, settle, say, clock } = bench();
    const next = open({ window: 1460 });
    let flushed = 0;
    for (let index = 0; index < 100; index++)
      service.socket!.write(new Uint8Array(0x1_0000), () => flushed++);
    settle();
    expect(flushed).toBeGreaterThanOrEqual(4);
    expect(flushed).toBeLessThanOrEqual(6);
    let done = 0;
    for (let index = 0; index < 400 && flushed < 10; index++) {
      done += 1460;
      say({ sequence: 1000, acknowledgment: next + done, flags: ACK, window: 1460 });
      clock.advance(1e6);
    }
    expect(flushed).toBeGreaterThan(6);
  });
});

describe("loss", () => {
  it("is met by sending again, each time after twice as long, and given up in the end", () => {
    const { open, service, settle, clock, received, network, heard } = bench();
    const next = open();
    service.socket!.write(Uint8Array.of(1), none);
    expect(settle()).toHaveLength(1);
    const times: number[] = [];
    const start = clock.now();
    let last: Received[] = [];
    while (network.size > 0 && clock.advanceToNext()) {
      const frames = received();
      if (frames.length > 0) {
        times.push((clock.now() - start) / 1e9);
        last = frames;
      }
    }
    expect(times.slice(0, 7)).toEqual([1, 3, 7, 15, 31, 63, 123]);
    expect(times).toHaveLength(13);
    expect(readTcp(last[0]!)).toMatchObject({ flags: RST | ACK, sequence: next + 1 });
    settle();
    expect(heard.at(-1)).toBe("closed reset");
  });

  it("of one segment among many is seen by three repeated acknowledgments, without waiting", () => {
    const { open, service, settle, say } = bench();
    const next = open();
    service.socket!.write(new Uint8Array(14_600), none);
    expect(settle()).toHaveLength(10);
    const repeat = () => say({ sequence: 1000, acknowledgment: next + 1460, flags: ACK });
    repeat();
    expect(repeat()).toEqual([]);
    expect(repeat()).toEqual([]);
    expect(repeat()).toMatchObject([{ sequence: next + 1460 }]);
    expect(repeat()).toEqual([]);
    // A second hole: the partial acknowledgment brings the next lost one at once (RFC 6582).
    expect(say({ sequence: 1000, acknowledgment: next + 4380, flags: ACK })).toMatchObject([
      { sequence: next + 4380 },
    ]);
    expect(say({ sequence: 1000, acknowledgment: next + 14_600, flags: ACK })).toEqual([]);
  });

  it("of the answer to a SYN, and of a FIN, is made good", () => {
    const { say, clock, received, service, settle } = bench();
    const [answer] = say({ sequence: 999, flags: SYN });
    clock.advance(1e9);
    expect(received().map(readTcp)).toMatchObject([{ flags: SYN | ACK, sequence: answer!.sequence }]);
    const next = answer!.sequence + 1;
    say({ sequence: 1000, acknowledgment: next, flags: ACK });
    service.socket!.end();
    expect(settle()).toMatchObject([{ flags: FIN | ACK }]);
    clock.advance(2e9);
    expect(received().map(readTcp)).toMatchObject([{ flags: FIN | ACK, sequence: next }]);
  });
});

describe("offloads", () => {
  it("gives a guest that takes them large frames, sums to be completed", () => {
    const { network, open, service, settle } = bench();
    network.guestTakes({ checksum: true, segmentation: true });
    open();
    service.socket!.write(new Uint8Array(14_600).fill(3), none);
    const [large, ...more] = settle();
    expect(more).toEqual([]);
    expect(large!.data).toHaveLength(14_600);
    expect(large!.offload).toEqual({
      checksum: { start: 34, offset: 16 },
      segmentation: { protocol: "tcp4", size: 1460, headerLength: 54, hasEcn: false },
    });
  });

  it("takes a guest's large frames whose sum is left out", () => {
    const { send, open, service, later } = bench();
    const next = open();
    const frame = tcp({
      from: 1025,
      to: 80,
      sequence: 1000,
      acknowledgment: next,
      flags: ACK,
      data: Array(30_000).fill(6),
    });
    frame[50] = 0x12;
    frame[51] = 0x34;
    const checksum = { start: 34, offset: 16 };
    const segmentation = { protocol: "tcp4", size: 1460, headerLength: 54, hasEcn: false } as const;
    expect(send(frame)).toEqual([]); // without the offload, the sum is wrong
    const [answer] = send(frame, { checksum, segmentation });
    expect(readTcp(answer!)).toMatchObject({ acknowledgment: 31_000 });
    later.run();
    expect(service.bytes).toHaveLength(30_000);
  });
});

describe("a card without room", () => {
  it("holds the sending back, and two connections share the room when it comes", () => {
    const { network, open, service, settle, wire, received, say } = bench();
    open();
    const first = service.socket!;
    const [answer] = say({ from: 1026, sequence: 999, flags: SYN, options: [2, 4, ...word(1460)] });
    say({ from: 1026, sequence: 1000, acknowledgment: answer!.sequence + 1, flags: ACK });
    const second = service.socket!;
    wire.hasRoom = false;
    first.write(new Uint8Array(14_600), none);
    second.write(new Uint8Array(14_600), none);
    expect(settle()).toEqual([]);
    wire.hasRoom = true;
    network.roomAgain();
    const to = received().map(frame => readTcp(frame).to);
    expect(to.filter(port => port === 1025)).toHaveLength(10);
    expect(to.filter(port => port === 1026)).toHaveLength(10);
  });
});

describe("forwarded ports", () => {
  const forward = { protocol: "tcp", host: { address: LOOPBACK, port: 8080 }, guest: { port: 80 } } as const;

  it("reach the guest, found by ARP, from the gateway", () => {
    const { host, network, wire, settle, received, later, send } = bench({ forwards: [forward] });
    network.restore({ ...network.save(), neighbours: [] });
    const heard: string[] = [];
    const call = () => {
      const socket = host.call(forward.host, {
        connected: () => void heard.push("connected"),
        data: bytes => void heard.push(`data ${[...bytes]}`),
        ended: () => void heard.push("ended"),
        closed: failure => void heard.push(`closed ${failure}`),
      });
      return socket!;
    };
    const caller = call();
    later.run();
    const [question] = received();
    expect(question).toMatchObject({ type: 0x0806 });
    expect(question!.payload.slice(24)).toEqual(GUEST);
    const [syn] = send(arp(2, GATEWAY)).map(readTcp);
    expect(syn).toMatchObject({ flags: SYN, to: 80, source: GATEWAY });
    caller.write(Uint8Array.of(1, 2, 3), none);
    settle();
    const answer = { from: 80, to: syn!.from, sequence: 7000, acknowledgment: syn!.sequence + 1 };
    send(tcp({ ...answer, flags: SYN | ACK, options: [2, 4, ...word(1460)] }));
    const next = { ...answer, sequence: 7001 };
    const data = wire.frames.splice(0);
    send(tcp({ ...next, acknowledgment: syn!.sequence + 4, flags: ACK | PSH, data: [9] }));
    settle();
    expect(heard).toEqual(["connected", "data 9"]);
    expect(data).toEqual([]);
  });

  it("are broken off where the guest refuses or does not answer", () => {
    const { host, settle, send, clock, network } = bench({ forwards: [forward] });
    const heard: string[] = [];
    const events = {
      connected: none,
      data: none,
      ended: none,
      closed: (how: unknown) => void heard.push(`${how}`),
    };
    host.call(forward.host, events);
    const [syn] = settle();
    send(tcp({ from: 80, to: syn!.from, sequence: 0, acknowledgment: syn!.sequence + 1, flags: RST | ACK }));
    settle();
    expect(heard).toEqual(["reset"]);
    host.call(forward.host, events);
    clock.advance(200e9);
    settle();
    expect(heard).toEqual(["reset", "reset"]);
    expect(network.size).toBe(0);
  });

  it("that are taken are complained about", () => {
    const sentences: string[] = [];
    const { later } = bench({
      forwards: [forward, forward],
      complain: sentence => void sentences.push(sentence),
    });
    later.run();
    expect(sentences).toEqual([
      "the host's TCP port 127.0.0.1:8080 cannot be forwarded: the address is in use",
    ]);
  });

  it("open at once from both sides", () => {
    const { host, settle, send } = bench({ forwards: [forward] });
    const heard: number[] = [];
    const events = {
      connected: none,
      data: (bytes: Uint8Array) => void heard.push(...bytes),
      ended: none,
      closed: none,
    };
    host.call(forward.host, events);
    const [syn] = settle();
    const ports = { from: 80, to: syn!.from };
    const [both] = send(tcp({ ...ports, sequence: 7000, flags: SYN })).map(readTcp);
    expect(both).toMatchObject({ flags: SYN | ACK, sequence: syn!.sequence, acknowledgment: 7001 });
    send(tcp({ ...ports, sequence: 7000, acknowledgment: syn!.sequence + 1, flags: SYN | ACK }));
    send(tcp({ ...ports, sequence: 7001, acknowledgment: syn!.sequence + 1, flags: ACK | PSH, data: [4] }));
    settle();
    expect(heard).toEqual([4]);
  });
});

describe("bounds", () => {
  it("refuses the 513th connection, until one is idle long enough", () => {
    const { say, clock } = bench();
    const syn = (from: number) => say({ from, sequence: 999, flags: SYN })[0];
    for (let from = 2000; from < 2512; from++) {
      const answer = syn(from);
      say({ from, sequence: 1000, acknowledgment: answer!.sequence + 1, flags: ACK });
    }
    expect(syn(3000)).toMatchObject({ flags: RST | ACK });
    clock.advance(301e9);
    const answers = say({ from: 3000, sequence: 999, flags: SYN });
    expect(answers).toMatchObject([
      { to: 2000, flags: RST | ACK },
      { to: 3000, flags: SYN | ACK },
    ]);
  });
});

describe("save and restore", () => {
  it("resets what was open, at once and on the next segment, and takes new connections", () => {
    const { network, open, clock, heard, later } = bench();
    const next = open();
    const saved = JSON.parse(JSON.stringify(network.save()));
    const again = bench();
    again.network.restore(saved);
    again.clock.advance(clock.now());
    expect(again.received().map(readTcp)).toMatchObject([
      { flags: RST | ACK, to: 1025, sequence: next, acknowledgment: 1000 },
    ]);
    expect(again.say({ sequence: 1000, acknowledgment: next, flags: ACK, data: [1] })).toMatchObject([
      { flags: RST, sequence: next },
    ]);
    again.open();
    expect(again.heard).toEqual(["opened"]);
    // The network that was saved goes on undisturbed; one that is restored in place lets go of its sockets.
    expect(heard).toEqual(["opened"]);
    network.restore(saved);
    later.run();
    expect(heard).toEqual(["opened", "closed reset"]);
    expect(GATEWAY_ADDRESS).toBe(0x0a00_0202);
    expect(long(GATEWAY_ADDRESS)).toEqual(GATEWAY);
  });
});
