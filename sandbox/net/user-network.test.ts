import { describe, expect, it } from "vitest";
import { ManualClock } from "../machine/clock.ts";
import { MemorySockets } from "./memory-sockets.ts";
import {
  arp,
  DNS,
  ethernet,
  GATEWAY,
  GATEWAY_MAC,
  GUEST,
  GUEST_MAC,
  icmp,
  ipv4,
  listen,
  long,
  take,
  udp,
  word,
} from "./test-guest.ts";
import { UserNetwork } from "./user-network.ts";

const ALL = [255, 255, 255, 255];
const NOWHERE = [0, 0, 0, 0];
const EVERYBODY_MAC = [255, 255, 255, 255, 255, 255];

function bench() {
  const clock = new ManualClock();
  const host = new MemorySockets({ later: () => {} });
  const network = new UserNetwork({ clock, host });
  return { clock, network, ...listen(network) };
}

/** A bench whose network knows where the guest is. */
function met() {
  const parts = bench();
  parts.send(arp(1, GATEWAY));
  return parts;
}

describe("ARP", () => {
  it("answers for gateway and name server, and for nobody else", () => {
    const { send } = bench();
    const [answer, ...more] = send(arp(1, GATEWAY));
    expect(more).toEqual([]);
    expect(answer).toMatchObject({ to: GUEST_MAC, from: GATEWAY_MAC, type: 0x0806 });
    expect(answer!.payload).toEqual([
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      2,
      ...GATEWAY_MAC,
      ...GATEWAY,
      ...GUEST_MAC,
      ...GUEST,
    ]);
    expect(send(arp(1, DNS))[0]!.payload.slice(8, 18)).toEqual([0x52, 0x55, 10, 0, 2, 3, ...DNS]);
    expect(send(arp(1, [10, 0, 2, 99]))).toEqual([]);
    expect(send(arp(2, GATEWAY))).toEqual([]);
  });

  it("does not believe who claims the gateway's address", () => {
    const { send } = met();
    send(arp(1, DNS, GATEWAY));
    const [reply] = send(ipv4(GATEWAY, 1, icmp(8, 0, [0, 1, 0, 1])));
    expect(reply).toMatchObject({ to: GUEST_MAC, from: GATEWAY_MAC });
  });
});

describe("ICMP", () => {
  it("answers an echo request with the same data, large ones in fragments", () => {
    const { send } = met();
    const data = Array.from({ length: 56 }, (_, index) => index);
    const [reply, ...more] = send(ipv4(GATEWAY, 1, icmp(8, 0, [0x12, 0x34, 0, 7, ...data])));
    expect(more).toEqual([]);
    expect(reply).toMatchObject({ source: GATEWAY, destination: GUEST, protocol: 1 });
    expect(reply!.payload).toEqual(icmp(0, 0, [0x12, 0x34, 0, 7, ...data]));
    expect(send(ipv4(DNS, 1, icmp(8, 0, [0, 1, 0, 1])))[0]).toMatchObject({ source: DNS });

    const large = icmp(8, 0, [0, 1, 0, 2, ...Array.from({ length: 3000 }, (_, index) => index & 0xff)]);
    expect(send(ipv4(GATEWAY, 1, large.slice(0, 1480), { id: 9, fragment: 0x2000 }))).toEqual([]);
    expect(send(ipv4(GATEWAY, 1, large.slice(2960), { id: 9, fragment: 2960 / 8 }))).toEqual([]);
    const fragments = send(
      ipv4(GATEWAY, 1, large.slice(1480, 2960), { id: 9, fragment: 0x2000 | (1480 / 8) }),
    );
    expect(fragments.map(({ fragment }) => fragment)).toEqual([0x2000, 0x2000 | 185, 370]);
    const whole = fragments.flatMap(({ payload }) => payload);
    expect(whole.slice(4)).toEqual(large.slice(4));
    expect(whole[0]).toBe(0);
  });

  it("tells that other hosts are out of reach, quoting the packet", () => {
    const { send } = met();
    const request = ipv4([192, 0, 2, 1], 1, icmp(8, 0, [0, 1, 0, 1]));
    const [error] = send(request);
    expect(error).toMatchObject({ source: GATEWAY, destination: GUEST, protocol: 1 });
    expect(error!.payload.slice(0, 2)).toEqual([3, 1]);
    expect(error!.payload.slice(8)).toEqual([...request.subarray(14)]);
  });

  it("tells nothing about errors, broadcasts, and packets with a wrong sum", () => {
    const { send } = met();
    expect(send(ipv4([192, 0, 2, 1], 1, icmp(3, 1, [0, 0, 0, 0])))).toEqual([]);
    expect(send(ipv4(ALL, 1, icmp(8, 0, [0, 1, 0, 1])))).toEqual([]);
    expect(send(ipv4([224, 0, 0, 1], 1, icmp(8, 0, [0, 1, 0, 1])))).toEqual([]);
    expect(send(ipv4(GATEWAY, 1, [8, 0, 1, 1, 0, 1, 0, 1]))).toEqual([]);
    const broken = ipv4(GATEWAY, 1, icmp(8, 0, [0, 1, 0, 1]));
    broken[24]! ^= 1;
    expect(send(broken)).toEqual([]);
    expect(send(ipv4(GATEWAY, 1, icmp(8, 0, [0, 1, 0, 1]), { source: [192, 0, 2, 7] }))).toEqual([]);
  });
});

const COOKIE = [0x63, 0x82, 0x53, 0x63];
type Option = readonly [code: number, ...value: number[]];

function dhcp(
  type: number,
  options: readonly Option[] = [],
  { ciaddr = NOWHERE, mac = GUEST_MAC, flags = 0 } = {},
) {
  const head = [1, 1, 6, 0, ...long(0xcafe_0001), 0, 0, ...word(flags), ...ciaddr];
  const body = [...head, ...Array(12).fill(0), ...mac, ...Array(10 + 64 + 128).fill(0), ...COOKIE];
  const encoded = options.flatMap(([code, ...value]) => [code, value.length, ...value]);
  const data = [...body, 53, 1, type, ...encoded, 255];
  return ipv4(ALL, 17, udp(ALL, [68, 67], data, ciaddr), { source: ciaddr });
}

function readDhcp({ payload }: { payload: number[] }) {
  const message = payload.slice(8);
  const options = new Map<number, number[]>();
  for (let at = 240; message[at] !== 255; at += 2 + message[at + 1]!) {
    options.set(message[at]!, message.slice(at + 2, at + 2 + message[at + 1]!));
  }
  const [yiaddr, xid, chaddr] = [message.slice(16, 20), message.slice(4, 8), message.slice(28, 34)];
  return { op: message[0], xid, yiaddr, chaddr, options, type: options.get(53)![0] };
}

const [DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM] = [1, 2, 3, 4, 5, 6, 7, 8];
const SERVER: Option = [54, ...GATEWAY];
const wanting = (address: number[]): Option => [50, ...address];

describe("DHCP", () => {
  it("offers and leases the first address, with mask, router, name server and times", () => {
    const { send } = bench();
    const [offer] = send(dhcp(DISCOVER));
    expect(offer).toMatchObject({ to: GUEST_MAC, source: GATEWAY, destination: GUEST });
    expect(readDhcp(offer!)).toMatchObject({
      op: 2,
      type: OFFER,
      yiaddr: GUEST,
      chaddr: GUEST_MAC,
      xid: long(0xcafe_0001),
    });
    const ack = readDhcp(send(dhcp(REQUEST, [SERVER, wanting(GUEST)]))[0]!);
    expect(ack).toMatchObject({ type: ACK, yiaddr: GUEST });
    expect(Object.fromEntries(ack.options)).toEqual({
      53: [ACK],
      54: GATEWAY,
      1: [255, 255, 255, 0],
      3: GATEWAY,
      6: DNS,
      28: [10, 0, 2, 255],
      51: long(86_400),
      58: long(43_200),
      59: long(75_600),
    });
  });

  it("broadcasts to a client that asks for it", () => {
    const [offer] = bench().send(dhcp(DISCOVER, [], { flags: 0x8000 }));
    expect(offer).toMatchObject({ to: EVERYBODY_MAC, destination: ALL });
  });

  it("renews, releases, and gives a released address again", () => {
    const { send } = bench();
    send(dhcp(DISCOVER));
    send(dhcp(REQUEST, [SERVER, wanting(GUEST)]));
    const [renewal] = send(dhcp(REQUEST, [], { ciaddr: GUEST }));
    expect(renewal).toMatchObject({ destination: GUEST, to: GUEST_MAC });
    expect(readDhcp(renewal!).type).toBe(ACK);
    const other = [...GUEST_MAC.slice(0, 5), 0x57];
    expect(readDhcp(send(dhcp(DISCOVER, [], { mac: other }))[0]!).yiaddr).toEqual([10, 0, 2, 16]);
    expect(send(dhcp(RELEASE, [SERVER], { ciaddr: GUEST }))).toEqual([]);
    const third = [...GUEST_MAC.slice(0, 5), 0x58];
    expect(readDhcp(send(dhcp(DISCOVER, [], { mac: third }))[0]!).yiaddr).toEqual(GUEST);
  });

  it("refuses addresses that are another's or of another network, keeping silent about other servers", () => {
    const { send } = bench();
    send(dhcp(DISCOVER));
    send(dhcp(REQUEST, [SERVER, wanting(GUEST)]));
    const other = [...GUEST_MAC.slice(0, 5), 0x57];
    const [refusal] = send(dhcp(REQUEST, [wanting(GUEST)], { mac: other }));
    expect(refusal).toMatchObject({ to: EVERYBODY_MAC, destination: ALL });
    expect(readDhcp(refusal!)).toMatchObject({ type: NAK, yiaddr: NOWHERE });
    expect(readDhcp(send(dhcp(REQUEST, [wanting([192, 168, 0, 5])], { mac: other }))[0]!).type).toBe(NAK);
    expect(send(dhcp(REQUEST, [[54, 10, 0, 2, 77], wanting(GUEST)], { mac: other }))).toEqual([]);
    // Sure of an address that nobody has: it may keep it.
    expect(readDhcp(send(dhcp(REQUEST, [wanting([10, 0, 2, 40])], { mac: other }))[0]!).type).toBe(ACK);
  });

  it("sets a declined address aside for ten minutes, and answers INFORM without a lease", () => {
    const { send, clock } = bench();
    send(dhcp(DISCOVER));
    send(dhcp(REQUEST, [SERVER, wanting(GUEST)]));
    expect(send(dhcp(DECLINE, [SERVER, wanting(GUEST)]))).toEqual([]);
    expect(readDhcp(send(dhcp(DISCOVER))[0]!).yiaddr).toEqual([10, 0, 2, 16]);
    clock.advance(601e9);
    const other = [...GUEST_MAC.slice(0, 5), 0x57];
    expect(readDhcp(send(dhcp(DISCOVER, [], { mac: other }))[0]!).yiaddr).toEqual(GUEST);
    const inform = readDhcp(send(dhcp(INFORM, [], { ciaddr: [10, 0, 2, 50] }))[0]!);
    expect(inform).toMatchObject({ type: ACK, yiaddr: NOWHERE });
    expect(inform.options.has(51)).toBe(false);
  });

  it("gives each of 240 cards an address, the next one none, and takes back what was not asked for", () => {
    const { send, clock } = bench();
    const seen = new Set<string>();
    const discover = (index: number) => dhcp(DISCOVER, [], { mac: [2, 0, 0, 0, index >> 8, index & 0xff] });
    for (let index = 0; index < 240; index++) seen.add(readDhcp(send(discover(index))[0]!).yiaddr.join("."));
    expect(seen.size).toBe(240);
    expect(send(discover(240))).toEqual([]);
    clock.advance(61e9);
    expect(send(discover(240))).toHaveLength(1);
  });

  it("keeps a lease over save and restore", () => {
    const { network, send, clock } = bench();
    send(dhcp(DISCOVER));
    send(dhcp(REQUEST, [SERVER, wanting(GUEST)]));
    const restored = new UserNetwork({ clock, host: new MemorySockets({ later: () => {} }) });
    restored.restore(JSON.parse(JSON.stringify(network.save())));
    const { send: ask } = listen(restored);
    const other = [...GUEST_MAC.slice(0, 5), 0x57];
    expect(readDhcp(ask(dhcp(DISCOVER, [], { mac: other }))[0]!).yiaddr).toEqual([10, 0, 2, 16]);
    expect(readDhcp(ask(dhcp(REQUEST, [], { ciaddr: GUEST }))[0]!).type).toBe(ACK);
  });
});

describe("a card without room", () => {
  it("gets the frames later, in order, and no more than a bounded number", () => {
    const { network, wire, send, received } = met();
    wire.hasRoom = false;
    for (let index = 0; index < 1000; index++) send(ipv4(GATEWAY, 1, icmp(8, 0, [0, 1, ...word(index)])));
    wire.hasRoom = true;
    network.roomAgain();
    const sequence = received().map(({ payload }) => payload[6]! * 256 + payload[7]!);
    expect(sequence).toEqual(Array.from({ length: 256 }, (_, index) => index));
  });
});

it("reads its own frames", () => {
  expect(take(ipv4(GATEWAY, 17, udp(GATEWAY, [1, 2], [3])))).toMatchObject({ source: GUEST, protocol: 17 });
  expect(take(ethernet(0x86dd, [1]))).toMatchObject({ type: 0x86dd, payload: [1] });
});
