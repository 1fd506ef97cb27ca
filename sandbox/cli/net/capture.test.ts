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
import { GATEWAY, GATEWAY_MAC, GUEST_MAC, icmp, ipv4, long, sumOf, udp, word } from "../../net/test-guest.ts";
import { Later } from "../../net/test-tcp.ts";
import { UserNetwork } from "../../net/user-network.ts";
import { startSandbox } from "../sandbox-process.ts";
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

/**
 * A TCP segment over IPv6 from fd00::2 to fd00::1, numbered so that its numbers wrap; and the sum of the
 * pseudo header, as a driver leaves it where the checksum belongs (RFC 8200, 8.1).
 */
function ipv6Segment(flags: number, data: Uint8Array): [frame: Uint8Array, pseudo: number[]] {
  const length = 20 + data.length;
  const address = (last: number) => [0xfd, ...Array(14).fill(0), last];
  const ethernet = [...GATEWAY_MAC, ...GUEST_MAC, 0x86, 0xdd];
  const ip = [0x60, 0, 0, 0, ...word(length), 6, 64, ...address(2), ...address(1)];
  const tcp = [...word(1000), ...word(80), ...long(-1000), ...long(5), 0x50, flags, ...word(500), 0, 0, 0, 0];
  const pseudo = 0xffff - sumOf([...address(2), ...address(1), ...long(length), 0, 0, 0, 6]);
  return [Uint8Array.from([...ethernet, ...ip, ...tcp, ...data]), word(pseudo)];
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

  it("has large IPv6 frames as the segments that a wire carries, flags and sums where they belong", () => {
    const path = join(folder, "ipv6.pcapng");
    const file = new CaptureFile(path);
    const backend = new Capture({
      backend: { send() {}, onFrame: null },
      clock: new ManualClock(),
      sink: file.write,
    });
    const data = Uint8Array.from({ length: 3001 }, (_, index) => index * 7);
    const [frame, pseudo] = ipv6Segment(0b1101_1001, data); // CWR ECE ACK PSH FIN
    const checksum = { start: 54, offset: 16 };
    frame.set(pseudo, 54 + 16);
    const cut = { protocol: "tcp6", size: 1440, headerLength: 74, hasEcn: true } as const;
    backend.send(frame, { checksum, segmentation: cut });
    // One that fits: only its sum is left out.
    const [small, smallPseudo] = ipv6Segment(0b1_0000, data.subarray(0, 333));
    small.set(smallPseudo, 54 + 16);
    backend.send(small, { checksum, segmentation: null });
    // No TCP behind the IPv6 header: nothing that could be cut.
    const other = frame.slice();
    other[14 + 6] = 17;
    backend.send(other, { checksum, segmentation: cut });
    file.close();

    const fields = ["ipv6.plen", "tcp.seq_raw", "tcp.len", "tcp.flags", "tcp.checksum.status", "tcp.payload"];
    const lines = read(path, "-T", "fields", ...fields.flatMap(name => ["-e", name]))
      .trim()
      .split("\n")
      .map(line => line.split("\t"));
    const hex = (from: number, to: number) => Buffer.from(data.subarray(from, to)).toString("hex");
    expect(lines).toEqual([
      ["1460", "4294966296", "1440", "0x00d0", "1", hex(0, 1440)],
      ["1460", "440", "1440", "0x0050", "1", hex(1440, 2880)],
      ["141", "1880", "121", "0x0059", "1", hex(2880, 3001)],
      ["353", "4294966296", "333", "0x0010", "1", hex(0, 333)],
    ]);
    expect(read(path, "-Y", "_ws.malformed")).toBe("");
  });

  it("is whole up to the last frame when the sandbox is killed", { timeout: 120_000 }, async () => {
    const path = join(folder, "killed.pcapng");
    const guest = startSandbox(["--engine", "soft", "--memory", "16", "--capture", path]);
    try {
      await guest.until("\n> ");
      guest.type("ping 10.0.2.2 3\r");
      await guest.until("3 sent, 3 received");
    } finally {
      guest.kill(); // SIGKILL
    }
    await guest.exitCode;
    const bad = "_ws.malformed || ip.checksum.status == 0 || icmp.checksum.status == 0";
    expect(read(path, "-Y", bad)).toBe("");
    const types = read(path, "-Y", "icmp", "-T", "fields", "-e", "icmp.type").trim().split("\n");
    expect(types).toEqual(["8", "0", "8", "0", "8", "0"]);
    expect(read(path, "-Y", "dhcp").trim().split("\n")).toHaveLength(4);
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
