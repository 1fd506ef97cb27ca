/**
 * Debian's Linux with a card, a disk and a network, as a user has it: the guest's clock is the host's, its
 * connections end in the host's sockets, and tshark reads what went over the wire.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { type SandboxProcess, startSandbox } from "../sandbox-process.ts";
import { requireDebian } from "./debian-fixture.ts";

const PROMPT = "vmexit:/# ";
const MIB = 0x10_0000;
const FORWARDED = 20_000 + (process.pid % 20_000);

/** 16 MiB that no two places of have the same bytes. */
const page = Uint8Array.from({ length: 16 * MIB }, (_, at) => (at * 2_654_435_761) >>> 24);
const checksum = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

const folder = mkdtempSync(join(tmpdir(), "vmexit-network-"));
const capture = join(folder, "run.pcapng");
const disk = join(folder, "disk.img");
let server: Server;
let guest: SandboxProcess | undefined;

beforeAll(async () => {
  writeFileSync(disk, new Uint8Array(4 * MIB).fill(0x5a));
  server = createServer((_request, response) => response.end(page));
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => guest?.kill());
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

it("leases an address, pings, fetches 16 MiB, serves a page to the host and keeps a disk's file as it was", {
  timeout: 900_000,
}, async context => {
  await requireDebian(context);
  const { port } = server.address() as AddressInfo;
  const devices = ["--disk", `${disk},snapshot`, "--forward", `${FORWARDED}:80`, "--capture", capture];
  guest = startSandbox(["linux", "--engine", "soft", "--append", "quiet", ...devices]);
  await guest.until(PROMPT);
  const run = async (command: string) => {
    guest!.type(`${command}\n`);
    return await guest!.until(PROMPT);
  };

  expect(await run("ip addr show eth0")).toContain("inet 10.0.2.15/24");
  expect(await run("ping -c 3 10.0.2.2")).toContain("3 packets received, 0% packet loss");
  expect(await run(`wget -q -O - http://10.0.2.2:${port}/ | md5sum`)).toContain(checksum(page));

  await run("echo 'from the guest' > /tmp/page; httpd -p 80 -h /tmp");
  const answer = await fetch(`http://127.0.0.1:${FORWARDED}/page`);
  expect(await answer.text()).toBe("from the guest\n");

  const changed = Buffer.concat([Buffer.alloc(MIB), Buffer.alloc(3 * MIB, 0x5a)]);
  await run("dd if=/dev/zero of=/dev/vda bs=1M count=1 conv=notrunc,fsync 2>/dev/null");
  await run("echo 3 > /proc/sys/vm/drop_caches");
  expect(await run("md5sum /dev/vda")).toContain(checksum(changed));

  guest.type("poweroff\n");
  expect(await guest.exitCode).toBe(0);
  expect(readFileSync(disk).every(byte => byte === 0x5a)).toBe(true);
});

it("leaves a capture of that run that tshark reads, with every sum right", requires("tshark").options, () => {
  const fields = ["-T", "fields", "-e", "frame.number"];
  const checks = [
    "-o",
    "tcp.check_checksum:TRUE",
    "-o",
    "udp.check_checksum:TRUE",
    "-o",
    "ip.check_checksum:TRUE",
  ];
  const tshark = (filter: string) => {
    const { stdout, stderr, status } = spawnSync(
      "tshark",
      ["-r", capture, ...checks, "-Y", filter, ...fields],
      {
        encoding: "utf8",
      },
    );
    expect(status, stderr).toBe(0);
    return stdout.split("\n").filter(Boolean).length;
  };
  expect(tshark("tcp")).toBeGreaterThan(1000);
  expect(tshark("dhcp")).toBe(4);
  expect(tshark("icmp.type == 0")).toBe(3);
  expect(tshark("_ws.malformed || tcp.checksum.status == 0 || udp.checksum.status == 0")).toBe(0);
});
