import { describe, expect, it } from "vitest";
import { mmioTransport, testMemory, VirtioTestDriver } from "../../sandbox/devices/virtio-test-driver.ts";
import type { NetBackend, Offload, OffloadSupport } from "./net-backend.ts";
import { completeChecksum } from "./net-header.ts";
import { F_EVENT_IDX, F_VERSION_1 } from "./virtio-device.ts";
import { VirtioMmio } from "./virtio-mmio.ts";
import { VirtioNet, type VirtioNetOptions } from "./virtio-net.ts";

const RAM = 0x20_0000;
const MAC = "52:54:00:12:34:56";
const MAC_BYTES = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
const [CSUM, GUEST_CSUM, MTU, TSO4, TSO6, ECN] = [0, 1, 3, 11, 12, 13];
const [GUEST_TSO4, GUEST_TSO6, GUEST_ECN] = [7, 8, 9];
const [MRG, STATUS, CTRL_VQ, CTRL_RX, CTRL_VLAN, CTRL_RX_EXTRA, CTRL_MAC] = [15, 16, 17, 18, 19, 20, 23];
const NEEDS_RESET = 0x40;

function bench(
  features: number[] = [MRG, STATUS],
  options: Partial<VirtioNetOptions> & { offloads?: OffloadSupport } = {},
) {
  const { memory } = testMemory(RAM);
  const sent: { frame: number[]; offload: Offload | null }[] = [];
  const told: string[] = [];
  const backend: NetBackend & { takes?: OffloadSupport } = {
    ...(options.offloads ? { offloads: options.offloads } : {}),
    send: (frame, offload) => void sent.push({ frame: [...frame], offload }),
    onFrame: null,
    roomAgain: () => void told.push("room again"),
    guestTakes(offloads) {
      backend.takes = offloads;
    },
  };
  const card = new VirtioNet({ memory, mac: MAC, backend, ...options });
  const irq = { level: false };
  const line = {
    raise() {
      irq.level = true;
    },
    lower() {
      irq.level = false;
    },
  };
  const mmio = new VirtioMmio(card, line);
  const driver = new VirtioTestDriver(memory, mmioTransport(mmio));
  const isAgreed = driver.negotiate([F_VERSION_1, ...features]);
  const [receive, transmit, control] = driver.start([8, 8, 8], features.includes(F_EVENT_IDX));
  const give = (...rooms: number[]) => {
    for (const room of rooms) receive!.add([{ room }]);
    receive!.kick();
  };
  const arrive = (frame: number[], offload: Offload | null = null) =>
    backend.onFrame!(Uint8Array.from(frame), offload);
  const command = (bytes: number[]) => {
    control!.add([{ bytes: bytes.slice(0, 2) }, { bytes: bytes.slice(2) }, { room: 1 }]);
    control!.kick();
    return control!.collect()[0]!.written[0];
  };
  return {
    memory,
    sent,
    told,
    backend,
    card,
    irq,
    driver,
    isAgreed,
    give,
    arrive,
    command,
    receive: receive!,
    transmit: transmit!,
    control: control!,
  };
}

const HEADER = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/** A frame of 60 bytes to `destination`. */
const frameTo = (destination: number[], length = 60) => [
  ...destination,
  2,
  0,
  0,
  0,
  0,
  1,
  8,
  0,
  ...Array.from({ length: length - 14 }, (_, at) => at & 0xff),
];
const BROADCAST = Array(6).fill(0xff);
const FRAME = frameTo(MAC_BYTES);

describe("the card", () => {
  it("shows address, link and MTU", () => {
    const { driver } = bench([MTU], { mtu: 1400 });
    const config = (at: number, size: 1 | 2 | 4) => driver.transport.readConfiguration(at, size);
    expect(Array.from({ length: 6 }, (_, at) => config(at, 1))).toEqual(MAC_BYTES);
    expect([config(6, 2), config(8, 2), config(10, 2)]).toEqual([1, 1, 1400]);
    expect([
      driver.transport.queueMax(0),
      driver.transport.queueMax(2),
      driver.transport.queueMax(3),
    ]).toEqual([256, 64, 0]);
  });

  it("offers what its backend serves", () => {
    const word = (offloads?: OffloadSupport) =>
      bench([], offloads ? { offloads } : {}).driver.transport.offeredFeatures(0);
    expect(word() & 0x7f8b).toBe(0);
    expect(word({ checksum: true, segmentation: false }) & 0x7f8b).toBe(0b11);
    expect(word({ checksum: true, segmentation: true }) & 0x7f83).toBe(0b11_1011_1000_0011);
    expect(word({ checksum: false, segmentation: true }) & 0x7f83).toBe(0);
  });

  it("refuses features without those that they need", () => {
    const offloads = { checksum: true, segmentation: true };
    for (const bad of [[CTRL_RX], [CTRL_MAC], [TSO4], [GUEST_TSO4], [GUEST_CSUM, GUEST_ECN], [CSUM, ECN]]) {
      expect(bench(bad, { offloads }).isAgreed, `${bad}`).toBe(false);
    }
    expect(
      bench([CSUM, TSO4, TSO6, ECN, GUEST_CSUM, GUEST_TSO6, GUEST_ECN, CTRL_VQ, CTRL_RX], { offloads })
        .isAgreed,
    ).toBe(true);
  });

  it("tells of a pulled cable and loses frames both ways until it is back", () => {
    const { card, driver, irq, give, arrive, receive, transmit, sent } = bench();
    give(2000);
    card.setLink(false);
    expect([driver.transport.readConfiguration(6, 2), irq.level, driver.transport.takeInterrupt()]).toEqual([
      0,
      true,
      2,
    ]);
    expect(arrive(FRAME)).toBe(true);
    transmit.add([{ bytes: [...HEADER, ...FRAME] }]);
    transmit.kick();
    expect([receive.usedIndex, transmit.usedIndex, sent.length]).toEqual([0, 1, 0]);
    card.setLink(true);
    arrive(FRAME);
    expect(receive.usedIndex).toBe(1);
  });
});

describe("transmit", () => {
  it("sends frames however they are cut", () => {
    const { transmit, sent, irq, card } = bench();
    transmit.add([{ bytes: [...HEADER, ...FRAME] }]);
    transmit.add([{ bytes: HEADER }, { bytes: FRAME.slice(0, 20) }, { bytes: FRAME.slice(20) }]);
    transmit.add([{ bytes: HEADER.slice(0, 5) }, { bytes: [...HEADER.slice(5), ...FRAME] }]);
    transmit.kick();
    expect(sent).toEqual(Array(3).fill({ frame: FRAME, offload: null }));
    expect(transmit.collect().map(({ length }) => length)).toEqual([0, 0, 0]);
    expect([irq.level, card.counters.sent]).toEqual([true, 3]);
  });

  it("hands on what is left to do, if that was agreed", () => {
    const offloads = { checksum: true, segmentation: true };
    const header = [1, 1 | 0x80, 54, 0, 0xb4, 0x05, 34, 0, 16, 0, 0, 0];
    const { transmit, sent } = bench([CSUM, TSO4, ECN], { offloads });
    transmit.add([{ bytes: [...header, ...frameTo(BROADCAST, 9000)] }]);
    transmit.kick();
    expect(sent[0]!.frame.length).toBe(9000);
    expect(sent[0]!.offload).toEqual({
      checksum: { start: 34, offset: 16 },
      segmentation: { protocol: "tcp4", size: 1460, headerLength: 54, hasEcn: true },
    });
    const plain = bench([], { offloads });
    plain.transmit.add([{ bytes: [...header, ...FRAME] }]);
    plain.transmit.kick();
    expect([plain.sent.length, plain.card.counters.badHeaders, plain.transmit.usedIndex]).toEqual([0, 1, 1]);
  });

  it.each([
    ["a checksum outside of the frame", [1, 0, 0, 0, 0, 0, 50, 0, 16, 0, 0, 0]],
    ["segments without a checksum", [0, 1, 54, 0, 100, 0, 34, 0, 16, 0, 0, 0]],
    ["segments of no size", [1, 1, 54, 0, 0, 0, 34, 0, 16, 0, 0, 0]],
    ["a kind of segments that does not exist", [1, 2, 54, 0, 100, 0, 34, 0, 16, 0, 0, 0]],
    ["UDP segments, which were not offered", [1, 3, 54, 0, 100, 0, 34, 0, 16, 0, 0, 0]],
    ["segments over IPv6, agreed on for IPv4", [1, 4, 54, 0, 100, 0, 34, 0, 16, 0, 0, 0]],
    ["segments with CWR, which was not agreed on", [1, 0x81, 54, 0, 100, 0, 34, 0, 16, 0, 0, 0]],
  ])("drops a frame whose header asks for %s", (_name, header) => {
    const { transmit, sent, card } = bench([CSUM, TSO4], {
      offloads: { checksum: true, segmentation: true },
    });
    transmit.add([{ bytes: [...header, ...FRAME] }]);
    transmit.kick();
    expect([sent.length, transmit.usedIndex, card.counters.badHeaders]).toEqual([0, 1, 1]);
    expect(card.isLive).toBe(true);
  });

  it("drops frames that are none, and gives up over a missing header", () => {
    const { transmit, sent, card } = bench();
    transmit.add([{ bytes: [...HEADER, ...FRAME.slice(0, 13)] }]);
    transmit.add([{ bytes: HEADER }, { bytes: new Uint8Array(70_000) }]);
    transmit.kick();
    expect([sent.length, transmit.usedIndex]).toEqual([0, 2]);
    transmit.add([{ bytes: HEADER.slice(0, 11) }]);
    transmit.kick();
    expect(card.status & NEEDS_RESET).toBe(NEEDS_RESET);
    expect(card.failure).toBe("a frame to send without a header");
  });

  it("asks no notification while it has frames to send, with the event index", () => {
    const { transmit, irq, driver } = bench([F_EVENT_IDX]);
    transmit.usedEvent = 3;
    for (let count = 0; count < 3; count++) transmit.add([{ bytes: [...HEADER, ...FRAME] }]);
    transmit.kick();
    expect([transmit.availableEvent, irq.level]).toEqual([3, false]);
    transmit.add([{ bytes: [...HEADER, ...FRAME] }]);
    transmit.kick();
    expect([irq.level, driver.transport.takeInterrupt()]).toEqual([true, 1]);
  });
});

describe("receive", () => {
  it("puts header and frame into a buffer", () => {
    for (const features of [[], [MRG]]) {
      const { give, arrive, receive, irq, card } = bench(features);
      give(2000);
      expect(arrive(FRAME)).toBe(true);
      const [returned] = receive.collect();
      expect(returned!.length).toBe(72);
      expect([...returned!.written]).toEqual([...HEADER.slice(0, 10), 1, 0, ...FRAME]);
      expect([irq.level, card.counters.received]).toEqual([true, 1]);
    }
  });

  it("spreads a frame over merged buffers and returns them at once", () => {
    const { give, arrive, receive } = bench([MRG]);
    give(40, 20, 100, 100);
    const frame = frameTo(MAC_BYTES, 100);
    expect(arrive(frame)).toBe(true);
    const returned = receive.collect();
    expect(returned.map(({ length }) => length)).toEqual([40, 20, 52]);
    const all = returned.flatMap(({ written }) => [...written]);
    expect(all).toEqual([...HEADER.slice(0, 10), 3, 0, ...frame]);
  });

  it("holds a frame back for which there is no room yet, and says when there is", () => {
    const { give, arrive, receive, told } = bench([MRG]);
    expect(arrive(FRAME)).toBe(false);
    give(40);
    expect(told).toEqual(["room again"]);
    expect(arrive(FRAME)).toBe(false);
    expect(receive.usedIndex).toBe(0);
    give(40);
    expect(told.length).toBe(2);
    expect(arrive(FRAME)).toBe(true);
    expect(receive.collect().map(({ length }) => length)).toEqual([40, 32]);
    give(40);
    expect(told.length).toBe(2);
  });

  it("loses a frame that can never fit", () => {
    const plain = bench([]);
    plain.give(60, 2000);
    expect(plain.arrive(FRAME)).toBe(true);
    expect([plain.receive.usedIndex, plain.card.counters.tooLarge]).toEqual([0, 1]);
    expect(plain.arrive(FRAME.slice(0, 40))).toBe(true);
    expect(plain.receive.usedIndex).toBe(1);
    const merged = bench([MRG]);
    merged.give(...Array(8).fill(20));
    expect(merged.arrive(frameTo(MAC_BYTES, 200))).toBe(true);
    expect([merged.receive.usedIndex, merged.card.counters.tooLarge]).toEqual([0, 1]);
  });

  it("gives up over a buffer that cannot hold a header, or nothing at all", () => {
    for (const rooms of [[11], [12, 0]]) {
      const { give, arrive, card } = bench([MRG]);
      give(...rooms);
      arrive(FRAME);
      expect(card.status & NEEDS_RESET, `${rooms}`).toBe(NEEDS_RESET);
    }
  });

  it("completes a checksum for a driver that cannot, and else leaves it", () => {
    const offloads = { checksum: true, segmentation: true };
    const offload = { checksum: { start: 34, offset: 6 }, segmentation: null };
    const done = Uint8Array.from(FRAME);
    completeChecksum(done, offload.checksum);
    const plain = bench([], { offloads });
    plain.give(2000);
    plain.arrive(FRAME, offload);
    expect([...plain.receive.collect()[0]!.written]).toEqual([...HEADER.slice(0, 10), 1, 0, ...done]);
    const able = bench([GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, GUEST_ECN], { offloads });
    expect(able.backend.takes).toEqual(offloads);
    able.give(2000);
    able.arrive(FRAME, offload);
    expect([...able.receive.collect()[0]!.written]).toEqual([1, 0, 0, 0, 0, 0, 34, 0, 6, 0, 1, 0, ...FRAME]);
  });

  it("hands on large frames to be cut only to a driver that takes them", () => {
    const offloads = { checksum: true, segmentation: true };
    const offload: Offload = {
      checksum: { start: 34, offset: 16 },
      segmentation: { protocol: "tcp6", size: 1440, headerLength: 74, hasEcn: false },
    };
    const able = bench([GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, GUEST_ECN, MRG], { offloads });
    able.give(4000, 4000, 4000);
    able.arrive(frameTo(MAC_BYTES, 9000), offload);
    const returned = able.receive.collect();
    expect([...returned[0]!.written.slice(0, 12)]).toEqual([1, 4, 74, 0, 0xa0, 0x05, 34, 0, 16, 0, 3, 0]);
    const plain = bench([GUEST_CSUM, MRG], { offloads });
    expect(plain.backend.takes).toEqual({ checksum: true, segmentation: false });
    plain.give(4000, 4000, 4000);
    expect(plain.arrive(frameTo(MAC_BYTES, 9000), offload)).toBe(true);
    expect(plain.receive.usedIndex).toBe(0);
  });

  it("keeps to the MTU", () => {
    const { give, arrive, receive } = bench([MTU], { mtu: 100 });
    give(2000, 2000);
    arrive(frameTo(MAC_BYTES, 119));
    expect(receive.usedIndex).toBe(0);
    arrive(frameTo(MAC_BYTES, 114));
    expect(receive.usedIndex).toBe(1);
  });

  it("answers a frame from within send, as a network in the same process does", () => {
    const { give, transmit, receive, backend } = bench();
    give(2000);
    backend.send = frame => void backend.onFrame!(frame, null);
    transmit.add([{ bytes: [...HEADER, ...FRAME] }]);
    transmit.kick();
    expect([transmit.usedIndex, receive.usedIndex]).toEqual([1, 1]);
  });
});

describe("commands", () => {
  const ALL = [CTRL_VQ, CTRL_RX, CTRL_RX_EXTRA, CTRL_VLAN, CTRL_MAC, MRG];
  const OTHER = [2, 0, 0, 0, 0, 9];
  const MULTICAST = [1, 0, 0x5e, 0, 0, 1];

  function listener() {
    const made = bench(ALL);
    made.give(...Array(8).fill(200));
    const hears = (frame: number[]) => {
      const before = made.receive.usedIndex;
      made.arrive(frame);
      made.receive.collect();
      return made.receive.usedIndex !== before;
    };
    const refill = () => made.give(200);
    return { ...made, hears, refill };
  }

  it("switch promiscuity off and on", () => {
    const { hears, command } = listener();
    expect(hears(frameTo(OTHER))).toBe(true);
    expect(command([0, 0, 0])).toBe(0);
    expect([OTHER, MULTICAST, BROADCAST, MAC_BYTES].map(to => hears(frameTo(to)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(command([0, 1, 1])).toBe(0); // all multicast
    expect(hears(frameTo(MULTICAST))).toBe(true);
    expect(command([0, 0, 1])).toBe(0);
    expect(hears(frameTo(OTHER))).toBe(true);
  });

  it("switch whole kinds off and on", () => {
    const { hears, command } = listener();
    for (const bytes of [
      [0, 0, 0],
      [0, 5, 1],
      [0, 4, 1],
      [0, 1, 1],
      [0, 3, 1],
    ])
      expect(command(bytes)).toBe(0);
    expect([BROADCAST, MAC_BYTES, MULTICAST].map(to => hears(frameTo(to)))).toEqual([false, false, false]);
    for (const bytes of [
      [0, 5, 0],
      [0, 4, 0],
      [0, 2, 1],
      [0, 3, 0],
    ])
      expect(command(bytes)).toBe(0);
    expect([BROADCAST, OTHER, MULTICAST].map(to => hears(frameTo(to)))).toEqual([true, true, true]);
  });

  it("set the tables of addresses", () => {
    const { hears, command } = listener();
    command([0, 0, 0]);
    expect(command([1, 0, 1, 0, 0, 0, ...OTHER, 1, 0, 0, 0, ...MULTICAST])).toBe(0);
    expect([OTHER, MULTICAST].map(to => hears(frameTo(to)))).toEqual([true, true]);
    expect(command([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])).toBe(0);
    expect([OTHER, MULTICAST].map(to => hears(frameTo(to)))).toEqual([false, false]);
  });

  it("set the address, until a reset", () => {
    const { hears, command, driver, card } = listener();
    command([0, 0, 0]);
    const generation = card.configurationGeneration;
    expect(command([1, 1, ...OTHER])).toBe(0);
    expect(card.configurationGeneration).toBe(generation + 1);
    expect([OTHER, MAC_BYTES].map(to => hears(frameTo(to)))).toEqual([true, false]);
    expect(driver.transport.readConfiguration(5, 1)).toBe(9);
    driver.transport.status = 0;
    expect(driver.transport.readConfiguration(5, 1)).toBe(0x56);
    expect(card.configurationGeneration).toBe(generation + 2);
  });

  it("let VLANs through", () => {
    const tagged = [...BROADCAST, 2, 0, 0, 0, 0, 1, 0x81, 0, 0xe0, 0x07, 8, 0, ...Array(46).fill(0)];
    const { hears, command } = listener();
    expect(hears(tagged), "promiscuous").toBe(true);
    expect(command([0, 0, 0])).toBe(0);
    expect(hears(tagged)).toBe(false);
    expect(command([2, 0, 7, 0])).toBe(0);
    expect(hears(tagged)).toBe(true);
    expect(command([2, 1, 7, 0])).toBe(0);
    expect(hears(tagged)).toBe(false);
    expect(hears(frameTo(BROADCAST))).toBe(true);
  });

  it.each([
    ["an unknown class", [9, 0, 0]],
    ["an unknown command", [0, 6, 0]],
    ["a switch with two bytes", [0, 0, 0, 0]],
    ["an address of five bytes", [1, 1, 1, 2, 3, 4, 5]],
    ["a table that ends early", [1, 0, 2, 0, 0, 0, ...OTHER, 0, 0, 0, 0]],
    ["a table of four thousand million addresses", [1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
    ["a table with something behind it", [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["a VLAN above 4095", [2, 0, 0, 0x10]],
  ])("refuse %s", (_name, bytes) => {
    const { command, card } = listener();
    expect(command(bytes)).toBe(1);
    expect(card.isLive).toBe(true);
  });

  it("are refused without their feature", () => {
    const { command } = bench([CTRL_VQ, CTRL_RX]);
    expect(command([0, 0, 0])).toBe(0);
    expect(command([0, 2, 0])).toBe(1);
    expect(command([1, 1, ...OTHER])).toBe(1);
    expect(command([2, 0, 7, 0])).toBe(1);
  });

  it("need room for an answer", () => {
    const { control, card } = bench(ALL);
    control.add([{ bytes: [0, 0, 1] }]);
    control.kick();
    expect(card.status & NEEDS_RESET).toBe(NEEDS_RESET);
  });
});

describe("save and restore", () => {
  it("goes on with rings, filter and address", () => {
    const features = [CTRL_VQ, CTRL_RX, CTRL_MAC, MRG];
    const first = bench(features);
    first.command([0, 0, 0]);
    first.command([1, 1, 2, 0, 0, 0, 0, 9]);
    first.give(2000, 2000);
    first.arrive(frameTo([2, 0, 0, 0, 0, 9]));
    const state = JSON.parse(JSON.stringify(first.card.save()));
    const second = bench(features);
    second.memory.writeBytes(0, first.memory.readBytes(0, RAM));
    second.card.restore(state);
    expect(second.card.save()).toEqual(first.card.save());
    for (const made of [first, second]) {
      made.arrive(FRAME); // no longer its address
      made.arrive(frameTo([2, 0, 0, 0, 0, 9], 99));
    }
    expect(Buffer.compare(second.memory.readBytes(0, RAM), first.memory.readBytes(0, RAM))).toBe(0);
    expect(second.receive.usedIndex).toBe(2);
  });
});

describe("checksums", () => {
  it("are those of RFC 1071's example, and never 0", () => {
    const frame = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0, 0);
    completeChecksum(frame, { start: 0, offset: 8 });
    expect([frame[8], frame[9]]).toEqual([0x22, 0x0d]); // the sum is ddf2
    const zero = Uint8Array.of(0xff, 0xff, 0, 0);
    completeChecksum(zero, { start: 0, offset: 2 });
    expect([zero[2], zero[3]]).toEqual([0xff, 0xff]);
  });
});
