import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { HostClock } from "../../machine/clock.ts";
import { FastGuest } from "../../net/test-fast-guest.ts";
import { arp, DNS, GATEWAY, GUEST, ipv4, listen, udp } from "../../net/test-guest.ts";
import { type Forward, UserNetwork } from "../../net/user-network.ts";
import { nodeHost } from "../node-host.ts";
import { NodeSockets } from "./node-sockets.ts";

const LOOPBACK = 0x7f00_0001;
const SIZE = 16 << 20;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A user network on this host's sockets, and its timers running. */
function network(
  forwards: Forward[] = [],
  complain: (sentence: string) => void = () => {},
  host = new NodeSockets(),
) {
  const clock = new HostClock(nodeHost.monotonic);
  const made = new UserNetwork({ clock, host, forwards, complain });
  const timer = setInterval(() => clock.runDue(), 5);
  closers.push(() => {
    clearInterval(timer);
    made.close();
  });
  return made;
}

function listening(server: Server): Promise<number> {
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new Promise(resolve => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** Bytes that do not repeat soon. */
function payload(): Uint8Array {
  const words = new Uint32Array(SIZE / 4);
  let state = 1;
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[index] = state;
  }
  return new Uint8Array(words.buffer);
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("an HTTP server of the host", () => {
  it.each([
    ["plain frames", false],
    ["offloads", true],
  ])("gives 16 MB to the guest and takes them, with %s", { timeout: 120_000 }, async (_name, offloads) => {
    const body = payload();
    const taken = createHash("sha256");
    const port = await listening(
      createServer((request, response) => {
        if (request.method === "GET") {
          response.end(body);
          return;
        }
        request.on("data", bytes => void taken.update(bytes));
        request.on("end", () => response.end("thank you"));
      }),
    );
    const guest = new FastGuest(network(), { offloads });
    const started = performance.now();
    const head = (line: string) =>
      new TextEncoder().encode(`${line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n`);
    const got = await guest.exchange(port, [head("GET /"), new TextEncoder().encode("\r\n")]);
    const between = performance.now();
    const text = new TextDecoder("latin1").decode(got.subarray(0, 1000));
    const start = text.indexOf("\r\n\r\n") + 4;
    expect(text).toMatch(/^HTTP\/1.1 200 OK/);
    expect(sha256(got.subarray(start))).toBe(sha256(body));
    const length = new TextEncoder().encode(`Content-Length: ${SIZE}\r\n\r\n`);
    const answer = await guest.exchange(port, [head("PUT /"), length, body]);
    expect(new TextDecoder().decode(answer)).toMatch(/^HTTP\/1.1 200 OK[\s\S]*thank you/);
    expect(taken.digest("hex")).toBe(sha256(body));
    const speed = (milliseconds: number) => ((SIZE / 1e6 / milliseconds) * 1000).toFixed(0);
    const ended = performance.now();
    console.log(`${_name}: ${speed(between - started)} MB/s down, ${speed(ended - between)} MB/s up`);
  });
});

describe("sockets of the host", () => {
  it("refuse, and say what a forwarded port lacks", async () => {
    const sentences: string[] = [];
    const taken = createServer();
    const port = await listening(taken);
    const at = (address: number, number: number): Forward => ({
      protocol: "tcp",
      host: { address, port: number },
      guest: { port: 80 },
    });
    const guest = new FastGuest(
      network([at(LOOPBACK, port), at(0xc000_0201, 0)], sentence => void sentences.push(sentence)),
      { offloads: true },
    );
    while (sentences.length < 2) await new Promise(resolve => setTimeout(resolve, 1));
    expect(sentences.sort()).toEqual([
      `the host's TCP port 127.0.0.1:${port} cannot be forwarded: another program has it`,
      "the host's TCP port 192.0.2.1:0 cannot be forwarded: the host does not have that address",
    ]);
    await expect(guest.exchange(1, [Uint8Array.of(1)])).rejects.toThrow("reset");
  });

  it("carry datagrams both ways, and by a forwarded port", async () => {
    const echo = createSocket("udp4");
    closers.push(() => echo.close());
    echo.on("message", (data, { port, address }) => echo.send(Buffer.concat([data, data]), port, address));
    await new Promise<void>(resolve => echo.bind(0, "127.0.0.1", resolve));
    const free = createSocket("udp4");
    await new Promise<void>(resolve => free.bind(0, "127.0.0.1", resolve));
    const forwarded = free.address().port;
    await new Promise<void>(resolve => free.close(resolve));
    const made = network([
      { protocol: "udp", host: { address: LOOPBACK, port: forwarded }, guest: { port: 7 } },
    ]);
    const { send, received } = listen(made);
    send(arp(1, GATEWAY));
    const next = async () => {
      for (;;) {
        const [frame] = received();
        if (frame) return frame;
        await new Promise(resolve => setTimeout(resolve, 1));
      }
    };
    send(ipv4(GATEWAY, 17, udp(GATEWAY, [1000, echo.address().port], [1, 2, 3])));
    const answer = await next();
    expect(answer).toMatchObject({ source: GATEWAY, destination: GUEST });
    expect(answer.payload.slice(8)).toEqual([1, 2, 3, 1, 2, 3]);

    const caller = createSocket("udp4");
    closers.push(() => caller.close());
    const heard = new Promise<Buffer>(resolve => caller.once("message", resolve));
    caller.send(Buffer.from([5]), forwarded, "127.0.0.1");
    const question = await next();
    expect(question.payload.slice(2)).toEqual(
      udp(GUEST, [0, 7], [5]).slice(2, 6).concat(question.payload.slice(6)),
    );
    const port = question.payload[0]! * 256 + question.payload[1]!;
    send(ipv4(GATEWAY, 17, udp(GATEWAY, [7, port], [6, 6])));
    expect([...(await heard)]).toEqual([6, 6]);
  });

  it("let connections in by a forwarded port", async () => {
    const free = createServer();
    const port = await listening(free);
    await new Promise(resolve => free.close(resolve));
    const made = network([{ protocol: "tcp", host: { address: LOOPBACK, port }, guest: { port: 80 } }]);
    const guest = new FastGuest(made, { offloads: true });
    guest.serve(80, bytes => Uint8Array.from(bytes, byte => byte + 1));
    await new Promise(resolve => setTimeout(resolve, 20));
    const socket = connect(port, "127.0.0.1");
    socket.end(Uint8Array.of(1, 2, 3));
    const got: number[] = [];
    for await (const bytes of socket) got.push(...(bytes as Buffer));
    expect(got).toEqual([2, 3, 4]);
  });
});

/** A question for the addresses of `vmexit.test`, as in RFC 1035, 4.1. */
function query(id: number): number[] {
  const label = (text: string) => [text.length, ...new TextEncoder().encode(text)];
  return [0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...label("vmexit"), ...label("test"), 0, 0, 1, 0, 1];
}

/** Answers with the question, marked as an answer, and who it is. */
const answerOf = (question: ArrayLike<number>, who: number) => [
  ...Array.from(question).with(2, 0x81).with(3, 0x80),
  who,
];

/** A name server on a port of 127.0.0.1, over UDP and, if it can be had there, TCP. */
async function nameServer(who: number, answers: boolean): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  // RFC 1035, 4.2.2: over TCP a message has its length before it.
  const tcp = createTcpServer(socket => {
    socket.on("data", ([high, low, ...question]) => {
      if (question.length !== high! * 256 + low!) throw new Error("a question in pieces");
      const answer = answerOf(question, who);
      socket.end(Uint8Array.from([0, answer.length, ...answer]));
    });
  });
  await new Promise<void>(resolve => tcp.listen(0, "127.0.0.1", resolve));
  const { port } = tcp.address() as AddressInfo;
  const udpServer = createSocket("udp4");
  udpServer.on("message", (question, from) => {
    asked++;
    if (answers) udpServer.send(Uint8Array.from(answerOf(question, who)), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    udpServer.once("error", reject);
    udpServer.bind(port, "127.0.0.1", resolve);
  });
  closers.push(
    () => tcp.close(),
    () => udpServer.close(),
  );
  return { port, asked: () => asked };
}

describe("the host's name servers", () => {
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise(resolve => setTimeout(resolve, 1));
  };

  it("answer the guest's questions over UDP, the second when the first is silent, and over TCP", async () => {
    const silent = await nameServer(1, false);
    const other = await nameServer(2, true);
    const servers = [`127.0.0.1:${silent.port}`, `127.0.0.1:${other.port}`];
    const made = network([], undefined, new NodeSockets(undefined, () => servers));
    const { send, wire } = listen(made);
    send(arp(1, GATEWAY));
    const ask = () => send(ipv4(DNS, 17, udp(DNS, [1000, 53], query(7))));
    ask();
    await until(() => silent.asked() === 1);
    expect(other.asked()).toBe(0);
    ask();
    await until(() => wire.frames.length > 0);
    const [answer] = wire.frames;
    expect(answer).toMatchObject({ source: DNS, destination: GUEST });
    expect(answer!.payload.slice(0, 2)).toEqual([0, 53]);
    expect(answer!.payload.slice(8)).toEqual(answerOf(query(7), 2));

    const guest = new FastGuest(made, { offloads: false });
    const question = query(8);
    const got = await guest.exchange(53, [Uint8Array.from([0, question.length, ...question])], {
      remote: DNS,
    });
    expect([...got.subarray(2)]).toEqual(answerOf(question, 1));
  });

  it("are those with an IPv4 address, at port 53 unless told", () => {
    const host = new NodeSockets(undefined, () => [
      "192.0.2.1",
      "2001:db8::1",
      "[2001:db8::1]:53",
      "192.0.2.2:5353",
    ]);
    expect(host.nameServers()).toEqual([
      { address: 0xc000_0201, port: 53 },
      { address: 0xc000_0202, port: 5353 },
    ]);
  });
});
