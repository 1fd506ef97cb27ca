import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Tap } from "./tap.ts";

const GUEST = fileURLToPath(new URL("test-tap-guest.ts", import.meta.url));
const NAME = `vmexit-test-${process.pid}`;

/** Why a namespace with a TAP device cannot be had here; empty if it can. */
function missing(): string {
  if (process.platform !== "linux" || !existsSync("/dev/net/tun")) return "no /dev/net/tun";
  if (process.getuid?.() !== 0) return "not root, who may make a network namespace";
  try {
    execFileSync("ip", ["netns", "add", NAME], { stdio: "ignore" });
    execFileSync("ip", ["netns", "delete", NAME], { stdio: "ignore" });
    return "";
  } catch {
    return "no network namespaces by `ip netns`";
  }
}

const reason = missing();
const inside = (...command: string[]) =>
  execFileSync("ip", ["netns", "exec", NAME, ...command], { encoding: "utf8" });

/** A page by a plain connection, that says first all it has to say. */
const FETCH = `
  const socket = require("node:net").connect(80, "10.0.2.15");
  socket.end("GET / HTTP/1.0\\r\\n\\r\\n");
  let length = 0;
  socket.on("data", bytes => { length += bytes.length; });
  socket.on("end", () => console.log(length));
`;

describe("a TAP device", reason ? { skip: true, meta: { skipReason: reason } } : {}, () => {
  it("carries 1,000 pings of the host's kernel without a loss, and a page", async context => {
    const hasPing = (process.env["PATH"] ?? "").split(":").some(folder => existsSync(`${folder}/ping`));
    if (!hasPing) context.skip("no ping");
    execFileSync("ip", ["netns", "add", NAME]);
    const guest = spawn("ip", ["netns", "exec", NAME, process.execPath, "--import", "tsx", GUEST, "vmx0"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = new Promise<number | null>(resolve => guest.on("exit", resolve));
    try {
      const [name] = await new Promise<string[]>((resolve, reject) => {
        guest.stdout.once("data", (bytes: Buffer) => resolve(String(bytes).split("\n")));
        guest.once("exit", code => reject(new Error(`the guest ended with ${code}`)));
      });
      expect(name).toBe("vmx0");
      inside("ip", "link", "set", "vmx0", "address", "52:55:0a:00:02:02", "up");
      inside("ip", "address", "add", "10.0.2.2/24", "dev", "vmx0");
      const answer = inside("ping", "-q", "-c", "1000", "-i", "0.001", "10.0.2.15");
      expect(answer).toContain("1000 packets transmitted, 1000 received, 0% packet loss");
      expect(inside(process.execPath, "-e", FETCH).trim()).toBe(String(19 + 22 * 50_000));
      console.log(answer.split("\n").at(-2));
      guest.stdin.end();
      expect(await ended).toBe(0);
    } finally {
      guest.kill("SIGKILL");
      execFileSync("ip", ["netns", "delete", NAME]);
    }
  });

  it("that is no device is refused with what to do", () => {
    expect(() => new Tap({ name: "lo" })).toThrow("lo is no TAP device that can be used");
  });
});
