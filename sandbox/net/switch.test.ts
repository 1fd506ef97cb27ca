import { describe, expect, it } from "vitest";
import type { Offload } from "#layers/07-virtio-net/net-backend.ts";
import { Switch } from "./switch.ts";
import { take } from "./test-guest.ts";
import { ACK, Later, readTcp, tcp } from "./test-tcp.ts";

const mac = (number: number) => [2, 0, 0, 0, 0, number];
const EVERYBODY = [255, 255, 255, 255, 255, 255];
const frame = (to: number[], from: number[], mark: number) =>
  Uint8Array.from([...to, ...from, 0x88, 0xb5, mark, ...Array(45).fill(0)]);

function bench(count: number) {
  const later = new Later();
  const hub = new Switch(later.add);
  const woken: number[] = [];
  const ports = Array.from({ length: count }, (_, index) => {
    const port = hub.plug(() => void woken.push(index));
    const got: number[] = [];
    const state = { port, got, hasRoom: true };
    port.onFrame = bytes => {
      if (state.hasRoom) got.push(bytes[14]!);
      return state.hasRoom;
    };
    return state;
  });
  return { later, hub, woken, ports };
}

describe("a switch", () => {
  it("floods what it does not know, then knows where a card is", () => {
    const { ports, later, woken } = bench(3);
    const [a, b, c] = ports as [(typeof ports)[0], (typeof ports)[0], (typeof ports)[0]];
    a.port.send(frame(mac(2), mac(1), 1), null);
    expect(b.got).toEqual([]); // never inside the call
    later.run();
    expect([a.got, b.got, c.got]).toEqual([[], [1], [1]]);
    expect(woken).toEqual([1, 2]);
    b.port.send(frame(mac(1), mac(2), 2), null);
    a.port.send(frame(mac(2), mac(1), 3), null);
    a.port.send(frame(EVERYBODY, mac(1), 4), null);
    later.run();
    expect([a.got, b.got, c.got]).toEqual([[2], [1, 3, 4], [1, 4]]);
    // The card moves to another port.
    c.port.send(frame(EVERYBODY, mac(2), 5), null);
    a.port.send(frame(mac(2), mac(1), 6), null);
    later.run();
    expect([b.got, c.got]).toEqual([
      [1, 3, 4, 5],
      [1, 4, 6],
    ]);
  });

  it("sends nothing back where it came from, nor from a group address, nor what is no frame", () => {
    const { ports, later } = bench(2);
    const [a, b] = ports as [(typeof ports)[0], (typeof ports)[0]];
    a.port.send(frame(mac(1), mac(1), 1), null);
    a.port.send(frame(mac(2), EVERYBODY, 2), null);
    a.port.send(Uint8Array.of(1, 2, 3), null);
    later.run();
    expect([a.got, b.got]).toEqual([[], []]);
  });

  it("keeps a bounded number of frames for a card without room, and forgets an unplugged port", () => {
    const { ports, later } = bench(2);
    const [a, b] = ports as [(typeof ports)[0], (typeof ports)[0]];
    b.hasRoom = false;
    for (let index = 0; index < 1000; index++) a.port.send(frame(mac(2), mac(1), index & 0xff), null);
    later.run();
    expect(b.port.lost).toBe(1000 - 512);
    b.hasRoom = true;
    b.port.roomAgain!();
    expect(b.got).toHaveLength(512);
    b.port.unplug();
    a.port.send(frame(mac(2), mac(1), 1), null);
    later.run();
    expect(b.got).toHaveLength(512);
  });

  it("passes offloads on to who takes them and does the work for who does not", () => {
    const later = new Later();
    const hub = new Switch(later.add);
    const [sender, taker, plain] = [hub.plug(), hub.plug(), hub.plug()];
    const got: [string, Uint8Array, Offload | null][] = [];
    taker.onFrame = (bytes, offload = null) => got.push(["taker", bytes, offload]) > 0;
    plain.onFrame = (bytes, offload = null) => got.push(["plain", bytes, offload]) > 0;
    taker.guestTakes!({ checksum: true, segmentation: true });
    const data = Array.from({ length: 4000 }, (_, index) => index & 0xff);
    const large = tcp({ from: 1, to: 2, sequence: 0xffff_fff0, flags: ACK | 8 | 1, data });
    const checksum = { start: 34, offset: 16 };
    const segmentation = { protocol: "tcp4", size: 1460, headerLength: 54, hasEcn: false } as const;
    sender.send(large, { checksum, segmentation });
    later.run();
    expect(got.filter(([who]) => who === "taker")).toEqual([["taker", large, { checksum, segmentation }]]);
    const segments = got
      .filter(([who]) => who === "plain")
      .map(([, bytes, offload]) => readTcp(take(bytes, offload)));
    expect(segments.map(({ sequence, flags }) => [sequence, flags])).toEqual([
      [0xffff_fff0, ACK],
      [1444, ACK],
      [2904, ACK | 8 | 1],
    ]);
    expect(segments.flatMap(segment => [...segment.data])).toEqual(data);
  });
});
