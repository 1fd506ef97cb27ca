import { describe, expect, it } from "vitest";
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import { LOOPBACK } from "../net/addresses.ts";
import { MemorySockets } from "../net/memory-sockets.ts";
import { long, word } from "../net/test-guest.ts";
import { UserNetwork } from "../net/user-network.ts";
import { ask, bootGuest, MAC } from "./guest-dialogue.ts";
import { BROADCAST, GUEST, ICMP, type Packet, PEER, type Peer, text, UDP, Wire } from "./test-peer.ts";

const WEB = { address: LOOPBACK, port: 80 };
const FORWARDED = { address: LOOPBACK, port: 8080 };

/** The guest on the user-mode network of a host in memory, all in virtual time. */
function withHost(commandLine = "") {
  let host: MemorySockets | null = null;
  const backend = (clock: Clock) => {
    host = new MemorySockets({ later: callback => void clock.schedule(clock.now() + 1000, callback) });
    const forwards = [{ protocol: "tcp", host: FORWARDED, guest: { port: 80 } }] as const;
    return new UserNetwork({ clock, host, forwards });
  };
  const dialogue = bootGuest(commandLine, { network: { backend, mac: MAC, transport: "mmio" } });
  return { dialogue, host: host! as MemorySockets };
}

const onUserNetwork = (commandLine?: string) => withHost(commandLine).dialogue;

describe("the embedded guest on the user-mode network", () => {
  it("gets a lease, and says so before its prompt", () => {
    const dialogue = onUserNetwork();
    expect(dialogue.until("\n> ")).toContain("network  10.0.2.15, gateway 10.0.2.2\r\n");
    const answer = ask(dialogue, "net");
    expect(answer).toContain(`card      virtio-net at d0000000, IRQ 5, ${MAC}, link up\n`);
    expect(answer).toMatch(/address {3}10\.0\.2\.15\/24, leased from 10\.0\.2\.2, 86\d\d\d s left\n/);
    expect(answer).toMatch(/dropped {3}0 malformed, 0 unknown, 0 for others\n/);
    expect(ask(dialogue, "irq")).toMatch(/^IRQ 0 {2}\d+\nIRQ 4 {2}\d+\nIRQ 5 {2}[1-9]\d*\n$/);
  });

  it("pings the gateway and the name server, and tells how long it took", () => {
    const dialogue = onUserNetwork();
    dialogue.until("\n> ");
    const answer = ask(dialogue, "ping 10.0.2.2 3");
    expect(answer).toMatch(
      /^(64 bytes from 10\.0\.2\.2: seq [123], ttl \d+, \d+\.\d{3} ms\n){3}3 sent, 3 received\n$/,
    );
    for (const [, time] of answer.matchAll(/, ([\d.]+) ms/g)) expect(Number(time)).toBeLessThan(50);
    expect(ask(dialogue, "ping 10.0.2.3 1")).toContain("1 sent, 1 received\n");
  });

  it("tells that nobody answers", () => {
    const dialogue = onUserNetwork();
    dialogue.until("\n> ");
    expect(ask(dialogue, "ping 10.0.2.99 2")).toBe(
      "no answer to seq 1\nno answer to seq 2\n2 sent, 0 received\n",
    );
  });

  it("stops a ping at Ctrl-C and keeps what was typed ahead", () => {
    const dialogue = onUserNetwork();
    dialogue.until("\n> ");
    dialogue.type("ping 10.0.2.2 1000\r");
    dialogue.until("seq 3");
    dialogue.type("ticks\r\x03");
    expect(dialogue.until("\n> ")).toMatch(/[34] sent, [34] received\r\n> $/);
    expect(dialogue.until("\n> ")).toMatch(/ticks, /);
  });

  it("serves its page to the host through a forwarded port", () => {
    const { dialogue, host } = withHost();
    dialogue.until("\n> ");
    for (const path of ["/", "/status.txt", "/"]) {
      let response = "";
      let isOver = false;
      const socket = host.call(FORWARDED, {
        connected: () => socket!.write(text(`GET ${path} HTTP/1.0\r\n\r\n`), () => {}),
        data: bytes => {
          response += String.fromCharCode(...bytes);
        },
        ended: () => socket!.end(),
        closed: failure => {
          expect(failure).toBeNull();
          isOver = true;
        },
      });
      dialogue.untilTrue(() => isOver, "the page's end");
      expect(response).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
      const [, body = ""] = response.split("\r\n\r\n");
      expect(body).toHaveLength(Number(/Content-Length: (\d+)/.exec(response)?.[1]));
      expect(body).toMatch(/10\.0\.2\.15, leased from 10\.0\.2\.2, 86\d\d\d s left/);
    }
    expect(ask(dialogue, "net")).toContain(" 3 pages;");
  });

  it("fetches a page from the host, whole, however long", () => {
    const { dialogue, host } = withHost();
    const lines = Array.from({ length: 2000 }, (_, at) => `line ${at} of the page\n`).join("");
    host.serveTcp(WEB, socket => ({
      data(bytes) {
        expect(String.fromCharCode(...bytes)).toBe("GET /long HTTP/1.0\r\nHost: 10.0.2.2\r\n\r\n");
        socket.write(text(`HTTP/1.0 200 OK\r\n\r\n${lines}`), () => {});
        socket.end();
      },
      ended() {},
      closed() {},
    }));
    dialogue.until("\n> ");
    expect(ask(dialogue, "fetch 10.0.2.2/long")).toBe(
      `HTTP/1.0 200 OK\n\n${lines}\n${lines.length + 19} bytes\n`,
    );
  });

  it("works the same without paging", () => {
    const dialogue = onUserNetwork("nopaging");
    expect(dialogue.until("\n> ")).toContain("network  10.0.2.15, gateway 10.0.2.2\r\n");
    expect(ask(dialogue, "ping 10.0.2.2 1")).toContain("1 sent, 1 received\n");
  });

  it("leaves the network alone when it is told to, and does without a card", () => {
    expect(onUserNetwork("nonet").until("\n> ")).toContain("network  off, as you asked\r\n");
    const dialogue = bootGuest();
    expect(dialogue.until("\n> ")).toContain("network  no card\r\n");
    for (const command of ["net", "ping 10.0.2.2", "fetch 10.0.2.2"]) {
      expect(ask(dialogue, command)).toBe("there is no network\n");
    }
  });

  it.each([
    ["ping", /^ping whom\?/],
    ["ping 10.0.2", /^ping whom\?/],
    ["ping 10.0.2.256", /^ping whom\?/],
    ["ping 10.0.2.2 x", /^ping whom\?/],
    ["ping 10.0.2.2 99999999999", /^ping whom\?/],
    ["fetch", /^fetch what\?/],
    ["fetch 10.0.2.2x", /^fetch what\?/],
  ])("refuses %j with a sentence", (command, sentence) => {
    const dialogue = onUserNetwork();
    dialogue.until("\n> ");
    expect(ask(dialogue, command)).toMatch(sentence);
  });

  it.each(["ip=1.2.3", "ip=10.0.2.15", "ip=10.0.2.15/33", "ip=10.0.2.15/24,x", "ip=0.0.0.0/24"])(
    "asks for a lease after a sentence about %j",
    option => {
      const banner = onUserNetwork(option).until("\n> ");
      expect(banner).toContain("network  ip= wants ADDRESS/BITS or ADDRESS/BITS,GATEWAY\r\n");
      expect(banner).toContain("network  10.0.2.15, gateway 10.0.2.2\r\n");
    },
  );

  it.each(["512", "512@0xd0000000", "512@d0000000:5", "512@0xd0000000:4", "512@0xd0000000:16"])(
    "looks for the card where it always is after a sentence about virtio_mmio.device=%s",
    place => {
      const banner = onUserNetwork(`virtio_mmio.device=${place}`).until("\n> ");
      expect(banner).toContain("virtio_mmio.device= wants SIZE@0xADDRESS:IRQ, with an IRQ that is free\r\n");
      expect(banner).toContain("network  10.0.2.15, gateway 10.0.2.2\r\n");
    },
  );

  it("sleeps while nothing happens", () => {
    const dialogue = onUserNetwork();
    dialogue.until("\n> ");
    const { machine } = dialogue;
    const before = machine.exits;
    dialogue.pass(10e9);
    // A thousand ticks: an interrupt, its acknowledgment and a HLT each, and a frame of ARP at times.
    expect(machine.exits - before).toBeLessThan(8000);
  });
});

describe("ARP", () => {
  it("announces the address, answers who asks for it, and nobody else", () => {
    const wire = new Wire();
    wire.dialogue.until("\n> ");
    const { peer, dialogue } = wire;
    expect([...peer.arp[0]!.subarray(20, 42)].slice(8, 12)).toEqual(GUEST);
    peer.arp.length = 0;
    peer.sendArp(1, [10, 0, 2, 16]);
    peer.sendArp(1);
    dialogue.untilTrue(() => peer.arp.length > 0, "a reply");
    dialogue.pass(3e9);
    expect(peer.arp).toHaveLength(1);
    const reply = [...peer.arp[0]!];
    expect(reply.slice(20, 22)).toEqual([0, 2]);
    expect(reply.slice(28, 32)).toEqual(GUEST);
    expect(reply.slice(38, 42)).toEqual(PEER);
  });

  it("asks three times, a second apart, and gives the packet up", () => {
    const wire = new Wire().atPrompt();
    wire.peer.answersArp = false;
    wire.dialogue.type("ping 10.0.2.2 1\r");
    wire.dialogue.pass(10e9);
    expect(wire.peer.arp).toHaveLength(3);
    expect(wire.peer.packets).toHaveLength(0);
  });

  it("keeps the packet that waits for the answer", () => {
    const wire = new Wire().atPrompt();
    wire.peer.answersArp = false;
    wire.dialogue.type("ping 10.0.2.2 1\r");
    wire.dialogue.untilTrue(() => wire.peer.arp.length > 0, "a question");
    wire.peer.sendArp(2);
    expect(wire.next(ICMP).payload[0]).toBe(8);
  });

  it("learns from answers to its questions only", () => {
    const wire = new Wire().atPrompt();
    wire.peer.sendArp(2, GUEST, [10, 0, 2, 77]);
    wire.dialogue.pass(1e8);
    expect(ask(wire.dialogue, "net")).not.toContain("neighbour 10.0.2.77");
  });
});

describe("ICMP and UDP", () => {
  const payload = (packet: Packet) => [...packet.payload];

  it.each([0, 1, 56, 1472])("an echo request of %i bytes comes back whole", length => {
    const wire = new Wire().atPrompt();
    const data = Array.from({ length }, (_, at) => at & 0xff);
    wire.peer.sendIcmp(8, 0, [0x12, 0x34, 0, 7, ...data]);
    const reply = payload(wire.next(ICMP));
    expect(reply[0]).toBe(0);
    expect(reply.slice(4)).toEqual([0x12, 0x34, 0, 7, ...data]);
  });

  it.each([0, 1, 5, 1472])("the echo service sends %i bytes back", length => {
    const wire = new Wire().atPrompt();
    const data = Array.from({ length }, (_, at) => (at * 7) & 0xff);
    wire.peer.sendUdp([5000, 7], data);
    const reply = payload(wire.next(UDP));
    expect(reply.slice(0, 4)).toEqual([...word(7), ...word(5000)]);
    expect(reply.slice(8)).toEqual(data);
  });

  it("two echo services never keep each other busy, and a broadcast gets no echo", () => {
    const wire = new Wire().atPrompt();
    wire.peer.sendUdp([7, 7], [1, 2, 3]);
    wire.peer.sendUdp([5000, 7], [1, 2, 3], [10, 0, 2, 255]);
    wire.peer.sendUdp([5000, 9999], [1, 2, 3], BROADCAST);
    expect(wire.count(2000)).toBe(0);
  });

  it("a closed port and an unknown protocol are unreachable, with the packet that found out", () => {
    const wire = new Wire().atPrompt();
    wire.peer.sendUdp([5000, 9999], [1, 2, 3, 4]);
    const port = payload(wire.next(ICMP));
    expect(port.slice(0, 2)).toEqual([3, 3]);
    expect(port.slice(8, 10)).toEqual([0x45, 0]);
    expect(port.slice(28, 32)).toEqual([...word(5000), ...word(9999)]);
    wire.peer.sendIp(99, [1, 2, 3, 4]);
    expect(payload(wire.next(ICMP)).slice(0, 2)).toEqual([3, 2]);
  });

  it("wrong sums, wrong lengths, fragments and packets for others are dropped and counted", () => {
    const wire = new Wire().atPrompt();
    const { peer } = wire;
    peer.sendIp(ICMP, [8, 0, 1, 1, 0, 0, 0, 0]);
    peer.sendIp(UDP, [1, 2, 0, 7, 0, 99, 0, 0]);
    peer.sendIp(UDP, [1, 2, 0, 7, 0, 7, 0, 0]);
    peer.sendIp(UDP, [1, 2]);
    peer.sendIp(UDP, [0x13, 0x88, 0, 7, 0, 8, 0, 0], { fragment: 0x2000 });
    peer.sendIp(UDP, [0x13, 0x88, 0, 7, 0, 8, 0, 0], { to: [10, 0, 2, 99] });
    expect(wire.count(100)).toBe(0);
    expect(ask(wire.dialogue, "net")).toContain("dropped   4 malformed, 1 unknown, 1 for others\n");
    // One without a sum is as good as any (RFC 768).
    peer.sendIp(UDP, [0x13, 0x88, 0, 7, 0, 8, 0, 0]);
    expect(payload(wire.next(UDP)).slice(2, 4)).toEqual([0x13, 0x88]);
  });
});

describe("the DHCP client", () => {
  const OFFER = 2;
  const ACK = 5;
  const NAK = 6;

  interface Request {
    readonly type: number;
    readonly client: readonly number[];
    readonly requested: readonly number[] | undefined;
    readonly server: readonly number[] | undefined;
    readonly to: readonly number[];
    readonly bytes: readonly number[];
  }

  function parse({ payload, destination }: Packet): Request {
    const bytes = [...payload.subarray(8)];
    const options = new Map<number, readonly number[]>();
    for (let at = 240; bytes[at] !== 255 && at < bytes.length; at += 2 + bytes[at + 1]!) {
      options.set(bytes[at]!, bytes.slice(at + 2, at + 2 + bytes[at + 1]!));
    }
    return {
      type: options.get(53)![0]!,
      client: bytes.slice(12, 16),
      requested: options.get(50),
      server: options.get(54),
      to: destination,
      bytes,
    };
  }

  function reply(
    peer: Peer,
    type: number,
    request: Request,
    seconds = 300,
    change = (_: number[]) => {},
  ): void {
    const bytes = request.bytes.slice(0, 240);
    bytes[0] = 2;
    bytes.splice(16, 4, ...GUEST);
    const lease = [51, 4, ...long(seconds), 1, 4, 255, 255, 255, 0, 3, 4, ...PEER];
    bytes.push(53, 1, type, 54, 4, ...PEER, ...(type === NAK ? [] : lease), 255);
    change(bytes);
    peer.sendUdp([67, 68], bytes, request.client.some(byte => byte) ? GUEST : BROADCAST);
  }

  function leased(seconds: number): Wire {
    const wire = new Wire("");
    reply(wire.peer, OFFER, parse(wire.next(UDP)), seconds);
    reply(wire.peer, ACK, parse(wire.next(UDP)), seconds);
    return wire.atPrompt();
  }

  it("discovers, requests what it was offered, and has an address after the acknowledgment", () => {
    const wire = new Wire("");
    const discover = parse(wire.next(UDP));
    expect(discover).toMatchObject({ type: 1, client: [0, 0, 0, 0], to: BROADCAST, requested: undefined });
    reply(wire.peer, OFFER, discover);
    const request = parse(wire.next(UDP));
    expect(request).toMatchObject({
      type: 3,
      client: [0, 0, 0, 0],
      to: BROADCAST,
      requested: GUEST,
      server: PEER,
    });
    reply(wire.peer, ACK, request);
    expect(wire.dialogue.until("\n> ")).toContain("network  10.0.2.15, gateway 10.0.2.2\r\n");
  });

  it("asks again after some 4, 8 and 16 seconds, and the prompt is there meanwhile", () => {
    const wire = new Wire("");
    wire.next(UDP);
    const start = wire.now;
    expect(wire.dialogue.until("\n> ")).toContain("network  no lease yet; net tells how it goes\r\n");
    expect(ask(wire.dialogue, "net")).toContain("address   0.0.0.0/0, looking for a DHCP server\n");
    let last = start;
    for (const seconds of [4, 8, 16]) {
      expect(parse(wire.next(UDP)).type).toBe(1);
      expect(Math.abs((wire.now - last) / 1e9 - seconds)).toBeLessThan(2.1);
      last = wire.now;
    }
  });

  it("renews with the server after half of the time, and then has the whole time again", () => {
    const wire = leased(300);
    const start = wire.now;
    wire.dialogue.pass(140e9);
    expect(wire.peer.packets).toHaveLength(0);
    const request = parse(wire.next(UDP, 300));
    expect(Math.abs((wire.now - start) / 1e9 - 150)).toBeLessThan(3);
    expect(request).toMatchObject({
      type: 3,
      client: GUEST,
      to: PEER,
      requested: undefined,
      server: undefined,
    });
    reply(wire.peer, ACK, request);
    wire.dialogue.pass(1e9);
    expect(ask(wire.dialogue, "net")).toMatch(/leased from 10\.0\.2\.2, 29\d s left/);
  });

  it("asks everybody when the server is silent, and gives the address back in the end", () => {
    const wire = leased(200);
    const start = wire.now;
    for (const _question of ["after half of the time", "a minute later"]) {
      expect(parse(wire.next(UDP, 300)).to).toEqual(PEER);
    }
    const rebind = parse(wire.next(UDP, 300));
    expect(rebind).toMatchObject({ type: 3, client: GUEST, to: BROADCAST });
    const discover = parse(wire.next(UDP, 300));
    expect(discover).toMatchObject({ type: 1, client: [0, 0, 0, 0] });
    expect(Math.abs((wire.now - start) / 1e9 - 200)).toBeLessThan(3);
    expect(ask(wire.dialogue, "net")).toContain("address   0.0.0.0/0, looking for a DHCP server\n");
  });

  it("begins anew when the server refuses", () => {
    const wire = leased(300);
    reply(wire.peer, NAK, parse(wire.next(UDP, 300)));
    expect(parse(wire.next(UDP, 300))).toMatchObject({ type: 1, client: [0, 0, 0, 0] });
  });

  it("takes no answer that is another's, cut short, or nonsense", () => {
    const wire = new Wire("");
    const discover = parse(wire.next(UDP, 300));
    const spoil = (change: (bytes: number[]) => void) => reply(wire.peer, OFFER, discover, 300, change);
    spoil(bytes => bytes.splice(4, 1, bytes[4]! ^ 1)); // another transaction
    spoil(bytes => bytes.splice(28, 1, bytes[28]! ^ 1)); // another card
    spoil(bytes => bytes.splice(236, 1, 0)); // no cookie
    spoil(bytes => bytes.splice(100, 1000)); // no options
    spoil(bytes => bytes.splice(240, 2, 53, 200)); // an option longer than the message
    spoil(bytes => bytes.splice(16, 4, 0, 0, 0, 0)); // no address
    wire.dialogue.pass(1e9);
    expect(wire.peer.packets).toHaveLength(0);
    spoil(() => {});
    expect(parse(wire.next(UDP, 300)).type).toBe(3);
  });
});
