import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SANDBOX } from "../sandbox-process.ts";
import { Tap } from "./tap.ts";
import { Namespace, requireNamespace } from "./test-namespace.ts";

const GUEST = fileURLToPath(new URL("test-tap-guest.ts", import.meta.url));
const NAME = `vmexit-test-${process.pid}`;

/** A page by a plain connection, that says first all it has to say. */
const FETCH = `
  const socket = require("node:net").connect(80, "10.0.2.15");
  socket.end("GET / HTTP/1.0\\r\\n\\r\\n");
  let length = 0;
  socket.on("data", bytes => { length += bytes.length; });
  socket.on("end", () => console.log(length));
`;

describe("a TAP device", requireNamespace().options, () => {
  it("carries 1,000 pings of the host's kernel without a loss, and a page", async () => {
    const namespace = new Namespace(NAME);
    const [program, ...rest] = [...namespace.launcher, process.execPath, "--import", "tsx", GUEST, "vmx0"];
    const guest = spawn(program!, rest, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise<number | null>(resolve => guest.on("exit", resolve));
    try {
      const [name] = await new Promise<string[]>((resolve, reject) => {
        guest.stdout.once("data", (bytes: Buffer) => resolve(String(bytes).split("\n")));
        guest.once("exit", code => reject(new Error(`the guest ended with ${code}`)));
      });
      expect(name).toBe("vmx0");
      namespace.beGateway("vmx0");
      const { received, times } = namespace.ping(1000);
      console.log(times);
      expect(received).toBe(1000);
      expect(namespace.run(process.execPath, "-e", FETCH).trim()).toBe(String(19 + 22 * 50_000));
      guest.stdin.end();
      expect(await ended).toBe(0);
    } finally {
      guest.kill("SIGKILL");
      namespace.close();
    }
  });

  it("that is no device is refused with what to do", () => {
    expect(() => new Tap({ name: "lo" })).toThrow("lo is no TAP device that can be used");
  });

  it("is refused to who may not make one, with what an administrator can do", () => {
    // Root without that right: whoever runs this, the files of the project can be read.
    const withoutRight = ["--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];
    const words = [...withoutRight, ...SANDBOX, "--engine", "soft", "--net", "tap:vmx9"];
    const { stderr, status } = spawnSync("setpriv", words, { encoding: "utf8" });
    expect(status, stderr).toBe(2);
    expect(stderr.trim().split("\n").at(-1)).toBe(
      "you may not use vmx9: let an administrator make the device once, " +
        "`ip tuntap add dev vmx9 mode tap user $USER && ip link set vmx9 up`, and give its name",
    );
  });
});
