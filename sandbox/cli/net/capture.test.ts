import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { ManualClock } from "../../machine/clock.ts";
import { Capture } from "../../net/capture.ts";
import { MemorySockets } from "../../net/memory-sockets.ts";
import { FastGuest } from "../../net/test-fast-guest.ts";
import { GATEWAY, icmp, ipv4, udp } from "../../net/test-guest.ts";
import { Later } from "../../net/test-tcp.ts";
import { UserNetwork } from "../../net/user-network.ts";
import { CaptureFile } from "./capture-file.ts";
import { openNetwork } from "./open-network.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-capture-"));
afterAll(() => rmSync(folder, { recursive: true }));

const WEB = { address: 0x7f00_0001, port: 80 };

/** 200,000 bytes each way with offloads, a ping and a datagram to nobody, captured. */
async function captured(path: string): Promise<{ close(): void; bytes: Uint8Array }> {
  const clock = new ManualClock(1_500_000_000_123);
  const later = new Later();
  const host = new MemorySockets({ later: later.add });
  host.serveTcp(WEB, socket => {
    const parts: Uint8Array[] = [];
    return {
      data: bytes => void parts.push(bytes.slice()),
      ended: () => {
        for (const part of parts) socket.write(part, () => {});
        socket.end();
      },
      closed() {},
    };
  });
  const file = new CaptureFile(path);
  const backend = new Capture({ backend: new UserNetwork({ clock, host }), clock, sink: file.write });
  const guest = new FastGuest(backend, { offloads: true });
  backend.send(ipv4(GATEWAY, 1, icmp(8, 0, [0, 1, 0, 1])), null);
  backend.send(ipv4(GATEWAY, 17, udp(GATEWAY, [1000, 9], [1])), null);
  const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7) >> 3);
  const exchange = guest.exchange(80, [bytes], { endsFirst: true });
  let isDone = false;
  void exchange.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    later.run();
    clock.advance(1e6);
    await Promise.resolve();
  }
  expect(await exchange).toEqual(bytes);
  return { close: () => file.close(), bytes };
}

const tshark = requires("tshark");

describe("a capture file", tshark.options, () => {
  const read = (path: string, ...options: string[]) =>
    execFileSync(
      "tshark",
      [
        "-n",
        "-r",
        path,
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
        ...options,
      ],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );

  it("is read by tshark without a malformed packet or a wrong sum, before it is closed", async () => {
    const path = join(folder, "run.pcapng");
    const { close } = await captured(path);
    const bad =
      "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0 || tcp.analysis.lost_segment || tcp.analysis.retransmission";
    expect(read(path, "-Y", bad)).toBe("");
    // It does look at the sums: that of every segment is good.
    const segments = read(path, "-Y", "tcp").trim().split("\n").length;
    expect(read(path, "-Y", "tcp.checksum.status == 1").trim().split("\n")).toHaveLength(segments);
    const sizes = read(path, "-T", "fields", "-e", "frame.len").trim().split("\n").map(Number);
    expect(Math.max(...sizes)).toBe(1514);
    expect(sizes.length).toBeGreaterThan(280);
    const [first] = read(path, "-T", "fields", "-e", "frame.time_epoch").split("\n");
    expect(first).toBe("1500.000000123");
    expect(
      read(path, "-Y", "icmp", "-T", "fields", "-e", "icmp.type").trim().split("\n").slice(0, 2),
    ).toEqual(["8", "0"]);
    close();
  });
});

describe("a network of the command line", () => {
  const options = { clock: new ManualClock(), heard() {}, complain() {} };

  it("refuses in a sentence what cannot be", () => {
    const forwards = [{ protocol: "tcp", host: WEB, guest: { port: 80 } }] as const;
    expect(() => openNetwork({ ...options, kind: "bridge" })).toThrow(
      "there is no network called bridge: take user, tap, tap:NAME or none",
    );
    expect(() => openNetwork({ ...options, kind: "none", forwards })).toThrow("take --net user");
    expect(() => openNetwork({ ...options, kind: "none", capture: "x" })).toThrow("nothing to capture");
    expect(() => openNetwork({ ...options, kind: "tap:a name" })).toThrow("cannot name a network device");
    expect(() => openNetwork({ ...options, kind: "user", capture: join(folder, "no/such/file") })).toThrow(
      /^the capture file .*no\/such\/file: there is no such file or folder/,
    );
  });

  it("opens with a capture, and closes", () => {
    const path = join(folder, "opened.pcapng");
    const network = openNetwork({ ...options, kind: "user", capture: path });
    expect(network.description).toBe(`user network, captured to ${path}`);
    network.backend!.send(ipv4(GATEWAY, 1, icmp(8, 0, [0, 1, 0, 1])), null);
    network.close();
    expect(readFileSync(path).subarray(0, 4)).toEqual(Buffer.from([0x0a, 0x0d, 0x0d, 0x0a]));
    const none = openNetwork({ ...options, kind: "none" });
    expect(none.backend).toBeNull();
    none.close();
  });
});
