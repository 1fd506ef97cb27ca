import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../chapters/tools/requires.ts";
import { IMAGE } from "./build.ts";
import { withoutEcho } from "./guest-dialogue.ts";

/**
 * The same image on another machine: QEMU's microvm, with QEMU's own virtio-mmio, virtio-net, PIC, PIT, UART
 * and user network. It has no APIC, so that the PIC's requests reach the processor.
 */
const MACHINE =
  "microvm,acpi=off,pic=on,pit=on,rtc=on,isa-serial=on,x-option-roms=off,auto-kernel-cmdline=off";
/** The last of the eight places for virtio-mmio devices, which QEMU fills first. */
const PLACE = "virtio_mmio.device=512@0xfeb00e00:12";

class Qemu {
  readonly #process: ChildProcess;
  #output = "";
  #read = 0;

  constructor(tcpPort: number, udpPort: number) {
    const forwards = `hostfwd=tcp:127.0.0.1:${tcpPort}-:80,hostfwd=udp:127.0.0.1:${udpPort}-:7`;
    const words = [
      ...["-M", MACHINE, "-accel", "tcg", "-cpu", "qemu32,-apic", "-m", "64"],
      ...["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot"],
      ...["-global", "virtio-mmio.force-legacy=false"],
      ...["-netdev", `user,id=net,${forwards}`, "-device", "virtio-net-device,netdev=net"],
      ...["-kernel", IMAGE, "-append", PLACE],
    ];
    this.#process = spawn("qemu-system-i386", words, { stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdout!.on("data", bytes => {
      this.#output += bytes.toString("latin1");
    });
  }

  async until(text: string): Promise<string> {
    const deadline = Date.now() + 30_000;
    while (this.#output.indexOf(text, this.#read) < 0) {
      if (Date.now() > deadline || this.#process.exitCode !== null) {
        throw new Error(
          `QEMU's guest did not say ${JSON.stringify(text)}: ${this.#output.slice(this.#read)}`,
        );
      }
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    const from = this.#read;
    this.#read = this.#output.indexOf(text, from) + text.length;
    return this.#output.slice(from, this.#read);
  }

  async ask(command: string): Promise<string> {
    this.#process.stdin!.write(`${command}\r`);
    return withoutEcho(await this.until("\n> "));
  }

  type(text: string): void {
    this.#process.stdin!.write(text);
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

async function freePorts(): Promise<[tcp: number, udp: number]> {
  const server = createServer();
  const tcp = await new Promise<number>(resolve => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  await new Promise(resolve => server.close(resolve));
  const socket = createSocket("udp4");
  const udp = await new Promise<number>(resolve => {
    socket.bind(0, "127.0.0.1", () => resolve(socket.address().port));
  });
  await new Promise<void>(resolve => socket.close(resolve));
  return [tcp, udp];
}

describe("the embedded guest on QEMU's machine", requires("qemu").options, () => {
  let qemu: Qemu;
  let [tcpPort, udpPort] = [0, 0];
  let banner = "";

  beforeAll(async () => {
    [tcpPort, udpPort] = await freePorts();
    qemu = new Qemu(tcpPort, udpPort);
    banner = await qemu.until("\n> ");
  }, 60_000);
  afterAll(() => qemu?.kill());

  it("comes up with paging, ticks and a lease", () => {
    expect(banner).toContain("memory   65536 KiB\r\n");
    expect(banner).toContain("paging   on\r\n");
    expect(banner).toContain("timer    100 ticks a second\r\n");
    expect(banner).toContain("network  10.0.2.15, gateway 10.0.2.2\r\n");
  });

  it("repairs page faults", async () => {
    expect(await qemu.ask("fault")).toContain("wrote and read 600df00d\n");
  });

  it("pings QEMU's gateway", async () => {
    expect(await qemu.ask("ping 10.0.2.2 3")).toContain("3 sent, 3 received\n");
  });

  it("serves its page through a forwarded port, to many at once", async () => {
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${tcpPort}${path}`);
      return { status: response.status, body: await response.text() };
    };
    const page = await get("/");
    expect(page.status).toBe(200);
    expect(page.body).toMatch(/<tr><th>address<td>10\.0\.2\.15, leased from 10\.0\.2\.2, \d+ s left\n/);
    expect((await get("/nothing")).status).toBe(404);
    const pages = await Promise.all(Array.from({ length: 12 }, () => get("/status.txt")));
    for (const { body } of pages) expect(body).toMatch(/^up: \d+ s, \d+ ticks\n/);
  });

  it("echoes datagrams", async () => {
    const socket = createSocket("udp4");
    try {
      const sent = Buffer.from(Array.from({ length: 1000 }, (_, at) => at & 0xff));
      const answer = await new Promise<Buffer>(resolve => {
        socket.on("message", resolve);
        socket.send(sent, udpPort, "127.0.0.1");
      });
      expect(answer.equals(sent)).toBe(true);
    } finally {
      socket.close();
    }
  });

  it("found nothing wrong with QEMU's frames, and halts at the end", async () => {
    expect(await qemu.ask("net")).toMatch(/dropped {3}0 malformed, \d+ unknown, 0 for others\n/);
    qemu.type("halt\r");
    await qemu.until("halted\r\n");
  });
});
