import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { type NetRun, resultOf } from "./net.bench.ts";
import { fetchZeros, freePort, ZeroServer } from "./transfer-host.ts";

const run = (into: number, outOf: number): NetRun => ({
  into: { wall: into, processor: into / 2 },
  outOf: { wall: outOf, processor: outOf / 4 },
});

it("bench net has a row for each way, by the wall and by the processor's time", () => {
  const { bench, rows, notes } = resultOf(
    new Map([
      ["ours", [run(8, 4)]],
      ["qemu", [run(2, 1)]],
    ]),
    ["a note"],
  );
  expect(bench).toBe("net");
  const megabytes = 67.108864;
  expect(rows).toMatchObject([
    { name: "into the guest, wget", unit: "MB/s", ours: megabytes / 8, peers: { qemu: megabytes / 2 } },
    { name: "out of the guest, httpd", unit: "MB/s", ours: megabytes / 4, peers: { qemu: megabytes } },
    { name: "into the guest, processor time", unit: "s", ours: 4, peers: { qemu: 1 }, ratio: { qemu: 4 } },
    { name: "out of the guest, processor time", unit: "s", ours: 1, peers: { qemu: 0.25 } },
  ]);
  expect(notes).toEqual(["64 MiB each way", "a note"]);
});

it("its server sends as many zeros as it says, and its client counts them", async () => {
  const server = new ZeroServer(1_000_001);
  const port = await server.listen();
  expect(await fetchZeros(port, "/zeros")).toBe(1_000_001);
  expect(server.sent).toBe(1_000_001);
  server.close();
});

it("its client counts nothing when a byte is not 0, and refuses another status", async () => {
  const server = createServer(({ url }, response) => {
    response.writeHead(url === "/zeros" ? 200 : 404);
    response.end(Buffer.from([0, 0, 1, 0]));
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  expect(await fetchZeros(port, "/zeros")).toBeNaN();
  await expect(fetchZeros(port, "/other")).rejects.toThrow(/status 404 for \/other/);
  server.close();
  await expect(fetchZeros(await freePort(), "/zeros")).rejects.toThrow(/ECONNREFUSED/);
});
