import { describe, expect, it } from "vitest";
import { ManualClock } from "../machine/clock.ts";
import { LOOPBACK } from "./addresses.ts";
import { MemorySockets } from "./memory-sockets.ts";
import { arp, DNS, GATEWAY, GUEST, icmp, ipv4, listen, type Received, udp, word } from "./test-guest.ts";
import { Later } from "./test-tcp.ts";
import { type Forward, UserNetwork } from "./user-network.ts";

const ECHO = { address: LOOPBACK, port: 7 };
const FIRST_SERVER = { address: 0x0a01_0101, port: 53 };
const SECOND_SERVER = { address: 0x0a01_0102, port: 53 };

/** A network whose guest is known, on a host in memory with an echo service. */
function bench(nameServers = [FIRST_SERVER, SECOND_SERVER], forwards: Forward[] = []) {
  const clock = new ManualClock();
  const later = new Later();
  const host = new MemorySockets({ later: later.add, nameServers });
  host.serveUdp(ECHO, (data, _from, reply) => reply(data));
  const network = new UserNetwork({ clock, host, forwards });
  const { send, received } = listen(network);
  send(arp(1, GATEWAY));
  /** Sends a datagram, lets the host do its work, and returns what came. */
  const exchange = (to: readonly number[], ports: readonly [number, number], data: readonly number[]) => {
    const at_once = send(ipv4(to, 17, udp(to, ports, data)));
    later.run();
    return [...at_once, ...received()];
  };
  return { clock, later, host, network, send, received, exchange };
}

const dataOf = ({ payload }: Received) => payload.slice(8);

describe("a guest's UDP port", () => {
  it("keeps its socket for four minutes after its last use, and gives it back then", () => {
    const { clock, host, network, exchange, received, later } = bench();
    expect(exchange(GATEWAY, [1000, 7], [1]).map(dataOf)).toEqual([[1]]);
    expect(host.udpSockets).toBe(1);
    clock.advance(200e9);
    expect(exchange(GATEWAY, [1000, 7], [2]).map(dataOf)).toEqual([[2]]);
    clock.advance(239e9);
    expect(host.udpSockets).toBe(1);
    clock.advance(2e9);
    expect(host.udpSockets).toBe(0);
    expect(network.size).toBe(0);
    // It gets another when it wants one.
    expect(exchange(GATEWAY, [1000, 7], [3]).map(dataOf)).toEqual([[3]]);
    later.run();
    expect(received()).toEqual([]);
  });

  it("hears from who it sent to, and from nobody else", () => {
    const { host, exchange, received, later } = bench();
    exchange(GATEWAY, [1000, 7], [1]);
    // The host's first port for a guest; see MemorySockets.
    const own = { address: LOOPBACK, port: 32_768 };
    host.sendUdp(Uint8Array.of(9), { address: 0xc000_0201, port: 7 }, own);
    later.run();
    expect(received()).toEqual([]);
    host.sendUdp(Uint8Array.of(8), { address: LOOPBACK, port: 99 }, own);
    later.run();
    expect(received().map(({ source, payload }) => [source, payload.slice(0, 2)])).toEqual([
      [GATEWAY, [0, 99]],
    ]);
  });

  it("hears that nobody listens, with its packet quoted", () => {
    const { exchange } = bench();
    const [error, ...more] = exchange(GATEWAY, [1000, 9], [1, 2, 3]);
    expect(more).toEqual([]);
    expect(error).toMatchObject({ source: GATEWAY, destination: GUEST, protocol: 1 });
    expect(error!.payload.slice(0, 2)).toEqual([3, 3]);
    expect(error!.payload.slice(8)).toEqual([
      ...ipv4(GATEWAY, 17, udp(GATEWAY, [1000, 9], [1, 2, 3])).subarray(14),
    ]);
  });
});

describe("a caller of a forwarded UDP port", () => {
  const forward: Forward = { protocol: "udp", host: { address: LOOPBACK, port: 5353 }, guest: { port: 53 } };
  const caller = { address: LOOPBACK, port: 4000 };

  it("is a port of the gateway to the guest, for four minutes", () => {
    const { clock, host, later, received, exchange, network } = bench([], [forward]);
    const answers: number[][] = [];
    host.openUdp(caller, { received: data => answers.push([...data]), failed() {} }, () => {});
    const call = (data: number[]) => {
      host.sendUdp(Uint8Array.from(data), caller, forward.host);
      later.run();
      const [question] = received();
      expect(question).toMatchObject({ source: GATEWAY, destination: GUEST });
      expect(dataOf(question!)).toEqual(data);
      return question!.payload[0]! * 256 + question!.payload[1]!;
    };
    const port = call([1]);
    expect(call([2])).toBe(port);
    expect(exchange(GATEWAY, [53, port], [3])).toEqual([]);
    expect(answers).toEqual([[3]]);
    clock.advance(241e9);
    expect(network.size).toBe(0);
    // Nobody is behind that port any more, and an answer is told so.
    const [error] = exchange(GATEWAY, [53, port], [4]);
    expect(error!.payload.slice(0, 2)).toEqual([3, 3]);
    expect(answers).toEqual([[3]]);
    expect(call([5])).not.toBe(port);
  });
});

/** A question for the addresses of `vmexit.test`. */
const query = (id: number) => [
  ...[...word(id), 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0],
  ...[6, ...new TextEncoder().encode("vmexit"), 4, ...new TextEncoder().encode("test"), 0, 0, 1, 0, 1],
];
/** No error bit is set where the server answers; its header is 8180. */
const answered = (question: ArrayLike<number>, by: number) => {
  const bytes = Array.from(question);
  return [...bytes.slice(0, 2), 0x81, 0x80, ...bytes.slice(4), by];
};
/** RFC 1035, 4.1.1: a response, recursion desired and available, code 2. */
const servFail = (question: number[]) => [...question.slice(0, 2), 0x81, 0x82, ...question.slice(4)];

describe("the name server", () => {
  it("relays to the host's first, to the next one when a question is repeated, and back to the first", () => {
    const { host, exchange } = bench();
    const asked: number[] = [];
    for (const [index, server] of [FIRST_SERVER, SECOND_SERVER].entries()) {
      host.serveUdp(server, (data, _from, reply) => {
        asked.push(index);
        if (index === 1 || data[1] === 9) reply(Uint8Array.from(answered(data, index)));
      });
    }
    // The first is silent until the last question.
    expect(exchange(DNS, [2000, 53], query(7))).toEqual([]);
    const [answer] = exchange(DNS, [2000, 53], query(7));
    expect(answer).toMatchObject({ source: DNS, destination: GUEST });
    expect(answer!.payload.slice(0, 4)).toEqual([0, 53, ...word(2000)]);
    expect(dataOf(answer!)).toEqual(answered(query(7), 1));
    expect(exchange(DNS, [2000, 53], query(7))).toEqual([]);
    expect(exchange(DNS, [2000, 53], query(9)).map(dataOf)).toEqual([answered(query(9), 0)]);
    expect(asked).toEqual([0, 1, 0, 0]);
  });

  it("fails the question where the host has no server, or its server cannot be reached", () => {
    expect(bench([]).exchange(DNS, [2000, 53], query(7)).map(dataOf)).toEqual([servFail(query(7))]);
    const [failure] = bench().exchange(DNS, [2000, 53], query(7));
    expect(failure).toMatchObject({ source: DNS, protocol: 17 });
    expect(dataOf(failure!)).toEqual(servFail(query(7)));
  });

  it("fails only what is a question, and repeats no more than that", () => {
    const fail = (data: number[]) => bench([]).exchange(DNS, [2000, 53], data).map(dataOf);
    expect(fail([...query(7), 1, 2, 3])).toEqual([servFail(query(7))]);
    expect(fail(answered(query(7), 0))).toEqual([]);
    expect(fail(query(7).slice(0, 11))).toEqual([]);
    expect(fail(query(7).slice(0, -1))).toEqual([]);
    const twoQuestions = query(7).with(5, 2);
    expect(fail(twoQuestions)).toEqual([[...servFail(query(7)).slice(0, 4), 0, 0, 0, 0, 0, 0, 0, 0]]);
  });

  it("listens at no other port", () => {
    const [error] = bench().exchange(DNS, [2000, 54], [1]);
    expect(error!.payload.slice(0, 2)).toEqual([3, 3]);
  });
});

describe("time to live", () => {
  const HOST = [192, 0, 2, 1];
  it.each([
    ["a datagram", ipv4(HOST, 17, udp(HOST, [1000, 7], [1]), { ttl: 1 })],
    ["an echo request", ipv4(HOST, 1, icmp(8, 0, [0, 1, 0, 1]), { ttl: 1 })],
    ["a segment", ipv4(HOST, 6, Array(20).fill(0), { ttl: 1 })],
  ])("ends at the gateway for %s with 1 left, which traceroute shows as the first hop", (_what, frame) => {
    const [error] = bench().send(frame);
    expect(error).toMatchObject({ source: GATEWAY, destination: GUEST, protocol: 1 });
    expect(error!.payload.slice(0, 2)).toEqual([11, 0]);
    expect(error!.payload.slice(8)).toEqual([...frame.subarray(14)]);
  });

  it("is enough to reach the gateway itself", () => {
    const { send } = bench();
    const [reply] = send(ipv4(GATEWAY, 1, icmp(8, 0, [0, 1, 0, 1]), { ttl: 1 }));
    expect(reply!.payload[0]).toBe(0);
  });
});
