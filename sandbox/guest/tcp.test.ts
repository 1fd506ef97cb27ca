import { describe, expect, it } from "vitest";
import { word } from "../net/test-guest.ts";
import { ask } from "./guest-dialogue.ts";
import { ACK, FIN, ICMP, PSH, RST, type Segment, SYN, TCP, text, Wire } from "./test-peer.ts";

const REQUEST = text("GET /status.txt HTTP/1.0\r\n\r\n");
const MSS = (size: number) => [2, 4, ...word(size)];

/** The peer's end of a connection to the guest's web server. */
class Client {
  sequence = 1000;
  acknowledgment = 0;
  window = 65_535;
  readonly received: number[] = [];
  hasEnd = false;

  constructor(
    readonly wire: Wire,
    readonly port = 40_000,
  ) {}

  send(
    flags: number,
    data: Uint8Array = new Uint8Array(0),
    { at = this.sequence, options = [] as number[] } = {},
  ): void {
    const { port: from, acknowledgment, window } = this;
    this.wire.sendTcp({ from, flags, sequence: at, acknowledgment, window, data, options });
  }

  /** The next segment that the guest sends to this port. */
  next(seconds = 60): Segment {
    const segment = this.wire.nextTcp(this.port, seconds);
    expect(segment.to).toBe(this.port);
    return segment;
  }

  connect(options = MSS(1460)): this {
    this.send(SYN, undefined, { options });
    const answer = this.next();
    expect(answer.flags).toBe(SYN | ACK);
    expect(answer.acknowledgment).toBe(this.sequence + 1);
    expect(answer.options).toEqual(MSS(1460));
    this.sequence++;
    this.acknowledgment = (answer.sequence + 1) >>> 0;
    this.send(ACK);
    return this;
  }

  /** Takes a segment if it is the one that comes next, and acknowledges what is there. */
  take(segment: Segment): void {
    if (segment.sequence === this.acknowledgment) {
      this.received.push(...segment.data);
      this.hasEnd ||= (segment.flags & FIN) !== 0;
      this.acknowledgment = (segment.sequence + segment.data.length + (segment.flags & FIN)) >>> 0;
    }
    if (segment.data.length > 0 || segment.flags & FIN) this.send(ACK);
  }

  takeAll(): string {
    while (!this.hasEnd) this.take(this.next());
    return this.text;
  }

  get text(): string {
    return String.fromCharCode(...this.received);
  }
}

/** Head and body of a response whose length is as it says. */
function bodyOf(response: string): string {
  const [head = "", body = ""] = response.split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.0 \d{3} /);
  expect(Number(/Content-Length: (\d+)/.exec(head)?.[1])).toBe(body.length);
  return body;
}

const onWire = () => new Wire().atPrompt();

describe("the embedded guest's web server", () => {
  it("serves the machine's state, as it is now, and closes", () => {
    const wire = onWire();
    const client = new Client(wire).connect();
    client.send(ACK | PSH, text("GET / HTTP/1.0\r\n\r\n"));
    client.sequence += 18;
    const body = bodyOf(client.takeAll());
    expect(body).toMatch(/<tr><th>interrupts<td>IRQ 0 \d+, IRQ 4 \d+, IRQ 5 \d+\n/);
    expect(body).toContain("<tr><th>memory<td>16384 KiB, paging on, 0 pages put in on demand\n");
    const [, ticks] = /<td>\d+ s, (\d+) ticks/.exec(body)!;
    // The machine makes up to 256 steps from tick to tick before the test sees the answer.
    expect(Number(ticks)).toBeLessThanOrEqual(wire.now / 1e7);
    expect(Number(ticks)).toBeGreaterThan(wire.now / 1e7 - 260);
    client.send(FIN | ACK);
    expect(client.next().acknowledgment).toBe(client.sequence + 1);
    expect(ask(wire.dialogue, "net")).toContain("tcp       port 80 and 10.0.2.2:40000, time wait\n");
    wire.dialogue.pass(125e9);
    expect(ask(wire.dialogue, "net")).not.toContain("tcp  ");
  });

  it.each([
    ["GET /status.txt HTTP/1.0\r\nHost: x\r\n\r\n", /^HTTP\/1\.0 200 OK\r\n[\s\S]*\r\n\r\nup: \d+ s/],
    ["GET /?x=1 HTTP/1.1\n\n", /^HTTP\/1\.0 200 OK\r\n[\s\S]*<!doctype html>/],
    ["HEAD / HTTP/1.0\r\n\r\n", /^HTTP\/1\.0 200 OK\r\n[\s\S]*Content-Length: [1-9]\d+\r\n[\s\S]*\r\n\r\n$/],
    ["GET /else HTTP/1.0\r\n\r\n", /^HTTP\/1\.0 404 Not Found\r\n/],
    ["GET x HTTP/1.0\r\n\r\n", /^HTTP\/1\.0 400 Bad Request\r\n/],
    ["PUT / HTTP/1.0\r\n\r\n", /^HTTP\/1\.0 501 Not Implemented\r\n/],
    [`GET /${"x".repeat(2000)}`, /^HTTP\/1\.0 400 Bad Request\r\n/],
  ])("answers %j", (request, answer) => {
    const client = new Client(onWire()).connect();
    for (let at = 0; at < request.length; at += 1000) {
      const data = text(request.slice(at, at + 1000));
      client.send(ACK | PSH, data);
      client.sequence += data.length;
    }
    expect(client.takeAll()).toMatch(answer);
  });

  it("takes a request byte by byte, and one whose sender has closed its side already", () => {
    const client = new Client(onWire()).connect();
    for (const byte of REQUEST.subarray(0, -1)) {
      client.send(ACK, Uint8Array.of(byte));
      client.sequence++;
    }
    client.send(ACK | FIN, REQUEST.subarray(-1));
    client.sequence += 2;
    expect(bodyOf(client.takeAll())).toContain("up: ");
  });

  it("serves several at a time", () => {
    const wire = onWire();
    const clients = Array.from({ length: 12 }, (_, at) => new Client(wire, 50_000 + at).connect());
    for (const client of clients) client.send(ACK, REQUEST.subarray(0, 10));
    for (const client of clients.toReversed()) {
      client.send(ACK, REQUEST.subarray(10), { at: client.sequence + 10 });
      client.sequence += REQUEST.length;
    }
    for (const client of clients) expect(bodyOf(client.takeAll())).toContain("up: ");
  });
});

describe("the embedded guest's TCP", () => {
  it("refuses ports at which nobody listens", () => {
    const wire = onWire();
    wire.sendTcp({ to: 81, flags: SYN, sequence: 77 });
    expect(wire.nextTcp()).toMatchObject({ from: 81, flags: RST | ACK, sequence: 0, acknowledgment: 78 });
    wire.sendTcp({ to: 80, flags: ACK, sequence: 77, acknowledgment: 1234 });
    expect(wire.nextTcp()).toMatchObject({ from: 80, flags: RST, sequence: 1234 });
    wire.sendTcp({ to: 81, flags: RST });
    expect(wire.count(1000)).toBe(0);
  });

  it("sends again what is not acknowledged, at growing distances, and gives up in the end", () => {
    const wire = onWire();
    const client = new Client(wire).connect();
    client.send(ACK | PSH, REQUEST);
    const first = client.next();
    const times = [first.time];
    for (let round = 0; round < 4; round++) {
      const again = client.next();
      expect(again.sequence).toBe(first.sequence);
      expect([...again.data.subarray(0, 17)]).toEqual([...text("HTTP/1.0 200 OK\r\n")]);
      times.push(again.time);
    }
    const waits = times.slice(1).map((time, at) => time - times[at]!);
    expect(waits[0]).toBeGreaterThan(0.98e9);
    for (const at of [1, 2, 3]) expect(Math.abs(waits[at]! / waits[at - 1]! - 2)).toBeLessThan(0.05);
    let segment = client.next(90);
    while (!(segment.flags & RST)) segment = client.next(90);
    expect(ask(wire.dialogue, "net")).not.toContain("tcp  ");
  });

  it("repeats its half of the handshake when that was lost", () => {
    const client = new Client(onWire());
    client.send(SYN, undefined, { options: MSS(1460) });
    const first = client.next();
    expect(client.next().sequence).toBe(first.sequence);
    client.send(SYN, undefined, { options: MSS(1460) });
    expect(client.next()).toMatchObject({ sequence: first.sequence, flags: SYN | ACK });
    client.sequence++;
    client.acknowledgment = (first.sequence + 1) >>> 0;
    client.send(ACK | PSH, REQUEST);
    client.sequence += REQUEST.length;
    expect(bodyOf(client.takeAll())).toContain("up: ");
  });

  it("asks for what is missing, takes nothing twice and overlaps as they come", () => {
    const wire = onWire();
    const client = new Client(wire).connect();
    client.send(ACK, REQUEST.subarray(20), { at: client.sequence + 20 });
    expect(client.next()).toMatchObject({ flags: ACK, acknowledgment: client.sequence });
    client.send(ACK, REQUEST.subarray(0, 8));
    expect(client.next().acknowledgment).toBe(client.sequence + 8);
    client.send(ACK, REQUEST.subarray(0, 8));
    expect(client.next().acknowledgment).toBe(client.sequence + 8);
    client.send(ACK, REQUEST.subarray(4), { at: client.sequence + 4 });
    client.sequence += REQUEST.length;
    expect(bodyOf(client.takeAll())).toContain("up: ");
  });

  it("sends no more than the window lets through, and asks a closed one whether it has opened", () => {
    const wire = onWire();
    const client = new Client(wire);
    client.window = 100;
    client.connect();
    client.send(ACK, REQUEST);
    client.sequence += REQUEST.length;
    let segment = client.next();
    while (segment.data.length === 0) segment = client.next();
    expect(segment.data.length).toBe(100);
    client.window = 0;
    client.take(segment);
    for (let probe = 0; probe < 8; probe++) {
      segment = client.next(90);
      expect(segment.data.length).toBe(1);
      client.send(ACK); // still closed
    }
    client.window = 65_535;
    client.send(ACK);
    expect(bodyOf(client.takeAll())).toContain("up: ");
  });

  it("sends the one thing it misses at once when the other side says so three times", () => {
    const client = new Client(onWire()).connect(MSS(64));
    client.send(ACK, REQUEST);
    client.sequence += REQUEST.length;
    let segment = client.next();
    while (segment.data.length === 0) segment = client.next();
    const lost = segment;
    let seen = 0;
    while (seen < 4) {
      const later = client.next();
      expect(later.data.length).toBeLessThanOrEqual(64);
      if (later.sequence === lost.sequence) break;
      client.send(ACK); // of what was before the lost one
      seen++;
    }
    while (segment.sequence !== lost.sequence || segment === lost) segment = client.next();
    expect(segment.time - lost.time).toBeLessThan(0.9e9);
    client.take(segment);
    expect(bodyOf(client.takeAll())).toContain("up: ");
  });

  it("ends at a reset that knows the number, and asks back at one that guesses", () => {
    const wire = onWire();
    const client = new Client(wire).connect();
    client.send(RST, undefined, { at: client.sequence + 100_000 });
    expect(wire.count(100)).toBe(0);
    client.send(RST, undefined, { at: client.sequence + 100 });
    expect(client.next()).toMatchObject({ flags: ACK, acknowledgment: client.sequence });
    client.send(SYN);
    expect(client.next()).toMatchObject({ flags: ACK, acknowledgment: client.sequence });
    expect(ask(wire.dialogue, "net")).toContain("established\n");
    client.send(RST);
    expect(ask(wire.dialogue, "net")).not.toContain("tcp  ");
  });

  it("lives through a flood of half-open connections", () => {
    const wire = onWire();
    for (let port = 1000; port < 1200; port++) {
      wire.sendTcp({ from: port, flags: SYN, sequence: port });
      wire.dialogue.pass(1e6);
    }
    wire.peer.packets.length = 0;
    const client = new Client(wire).connect();
    client.send(ACK | PSH, REQUEST);
    client.sequence += REQUEST.length;
    expect(bodyOf(client.takeAll())).toContain("up: ");
  });

  it("gives up on who says nothing for two minutes", () => {
    const wire = onWire();
    const client = new Client(wire).connect();
    expect(ask(wire.dialogue, "net")).toContain("established\n");
    wire.dialogue.pass(125e9);
    expect(client.next().flags & RST).toBe(RST);
    expect(ask(wire.dialogue, "net")).not.toContain("tcp  ");
  });

  it("takes a new connection from the same port while it still remembers the old one", () => {
    const wire = onWire();
    for (let round = 0; round < 3; round++) {
      const client = new Client(wire);
      client.sequence = 1000 + 100_000 * round;
      client.connect();
      client.send(ACK | PSH, REQUEST);
      client.sequence += REQUEST.length;
      expect(bodyOf(client.takeAll())).toContain("up: ");
      client.send(FIN | ACK);
      client.next();
    }
  });
});

describe("fetch", () => {
  /** The guest's request, on its way to the peer's port 80. */
  function fetching(command: string) {
    const wire = onWire();
    wire.dialogue.type(`${command}\r`);
    const syn = wire.nextTcp();
    expect(syn).toMatchObject({ to: 80, flags: SYN });
    return { wire, syn };
  }

  it("asks for a page and prints it, but nothing that a terminal would obey", () => {
    const { wire, syn } = fetching("fetch 10.0.2.2/page");
    const from = { from: 80, to: syn.from };
    wire.sendTcp({ ...from, flags: SYN | ACK, sequence: 5000, acknowledgment: syn.sequence + 1 });
    let request = wire.nextTcp();
    while (request.data.length === 0) request = wire.nextTcp();
    expect(String.fromCharCode(...request.data)).toBe("GET /page HTTP/1.0\r\nHost: 10.0.2.2\r\n\r\n");
    const acknowledgment = request.sequence + request.data.length;
    const page = text("HTTP/1.0 200 OK\r\n\r\n\x1b[2Jhello\n");
    wire.sendTcp({ ...from, flags: ACK | FIN, sequence: 5001, acknowledgment, data: page });
    const output = wire.dialogue.until("\n> ").replaceAll("\r", "");
    expect(output).toContain("HTTP/1.0 200 OK\n\n.[2Jhello\n\n29 bytes\n");
  });

  it("says when it is refused, and when nobody is there", () => {
    const { wire, syn } = fetching("fetch 10.0.2.2");
    wire.sendTcp({ from: 80, to: syn.from, flags: RST | ACK, acknowledgment: syn.sequence + 1 });
    expect(wire.dialogue.until("\n> ")).toContain("10.0.2.2 refuses, or is not there\r\n");
    expect(ask(wire.dialogue, "fetch 10.0.2.99")).toContain("10.0.2.99 is slow: given up\n");
    expect(wire.peer.packets.filter(packet => packet.protocol === ICMP || packet.protocol === TCP)).toEqual(
      [],
    );
  });
});
