import { describe, expect, it } from "vitest";
import { answerQuery } from "./page-names.ts";
import { TestLab } from "./test-lab.ts";

const LOOK = { address: null, space: "linear", length: 16 } as const;

describe("the sandbox's machines", () => {
  it("boot the embedded guest on the page's network", async () => {
    const lab = new TestLab();
    lab.bootGuest("a");
    expect(lab.command("a", "ping 10.0.2.2 2")).toContain("2 sent, 2 received\n");
    expect(lab.command("a", "fetch 10.0.2.2")).toMatch(
      /^HTTP\/1\.0 200 OK\n[\s\S]*Nothing of it has left your browser/,
    );
    expect(lab.command("a", "fetch 10.0.2.2/machines.txt")).toContain(
      "A  10.0.2.15, the embedded guest, 16 MiB",
    );
    expect(lab.command("a", "fetch 10.0.2.2/else")).toContain("HTTP/1.0 404 Not Found\n");
    const page = await lab.ask("fetch", { slot: "a", path: "/status.txt" });
    expect(page).toMatchObject({ address: "10.0.2.15", status: "HTTP/1.0 200 OK" });
    expect(page.body).toContain("card: 52:54:00:12:34:56");
    lab.until(() => lab.statuses.a!.frames.sent > 10, "the count of frames");
  });

  it("reach each other over the switch", () => {
    const lab = new TestLab();
    lab.bootGuest("a");
    lab.bootGuest("b");
    lab.command("b", "ping 10.0.2.2 1");
    lab.until(() => lab.statuses.b?.address === "10.0.2.16", "the second address");
    expect(lab.command("a", "ping 10.0.2.16 3")).toContain("3 sent, 3 received\n");
    expect(lab.command("b", "fetch 10.0.2.15/status.txt")).toContain("card: 52:54:00:12:34:56");
  });

  it("are saved, and go on where they stood", () => {
    const lab = new TestLab();
    lab.bootGuest("a");
    const before = lab.command("a", "irq");
    const file = lab.request("save", { slot: "a" });
    lab.request("off", { slot: "a" });
    expect(lab.statuses.a).toBeNull();
    expect(() => lab.request("save", { slot: "a" })).toThrow("machine A is switched off");
    lab.request("restore", { slot: "a", file });
    const count = (text: string) => Number(/^IRQ 0 +(\d+)$/m.exec(text)?.[1]);
    expect(count(lab.command("a", "irq"))).toBeGreaterThanOrEqual(count(before));
    expect(lab.command("a", "ping 10.0.2.2 1")).toContain("1 sent, 1 received");
    expect(() => lab.request("reset", { slot: "a" })).toThrow("boot it anew");
    expect(() => lab.request("restore", { slot: "b", file })).toThrow("machine A has the network card");
    lab.request("off", { slot: "a" });
    lab.request("restore", { slot: "b", file });
    lab.bootGuest("a");
    expect(lab.command("a", "net")).toContain("52:54:00:12:34:57");
  });

  it("refuse a wrong file with a sentence, and stay as they are", () => {
    const lab = new TestLab();
    lab.bootGuest("a");
    const file = lab.request("save", { slot: "a" });
    const damaged = file.slice();
    damaged[5000]! ^= 1;
    expect(() => lab.request("restore", { slot: "a", file: damaged })).toThrow("its checksum is wrong");
    expect(() => lab.request("restore", { slot: "a", file: new Uint8Array(9) })).toThrow("no save file");
    const guest = {
      name: "notes.txt",
      image: new Uint8Array(),
      commandLine: "",
      memorySize: 1 << 20,
    } as const;
    expect(() => lab.request("boot", { slot: "a", guest: { ...guest, transport: "pci" } })).toThrow(
      "notes.txt: the file is empty",
    );
    const tooBig = { ...guest, image: file.slice(0, 512), memorySize: 2 ** 40, transport: "pci" } as const;
    expect(() => lab.request("boot", { slot: "a", guest: tooBig })).toThrow("1 to 3072 MiB");
    expect(lab.command("a", "mem")).toMatch(/16\d\d\d KiB; paging is on/);
  });

  it("boot again when the guest asks for it, and say how they end", () => {
    const lab = new TestLab();
    lab.bootGuest("a");
    lab.request("type", { slot: "a", bytes: new TextEncoder().encode("reboot\r") });
    lab.untilSaid("a", "vmexit");
    lab.untilSaid("a", "\n> ");
    lab.request("type", { slot: "a", bytes: new TextEncoder().encode("halt\r") });
    lab.until(() => lab.statuses.a?.state === "ended", "the end");
    expect(lab.statuses.a!.end).toBe("the guest has halted");
    lab.request("reset", { slot: "a" });
    lab.untilSaid("a", "\n> ");
    expect(lab.statuses.a!.state).not.toBe("ended");
  });

  it("stand still while they are paused", () => {
    const lab = new TestLab();
    lab.bootGuest("a");
    lab.request("pause", { slot: "a" });
    const { guestTime, state } = lab.statuses.a!;
    expect(state).toBe("paused");
    lab.request("look", { slot: "a", memory: LOOK });
    lab.request("resume", { slot: "a" });
    expect(lab.statuses.a!.guestTime).toBe(guestTime);
    expect(lab.command("a", "mem")).toContain("paging is on");
  });

  it("can be looked into", async () => {
    const lab = new TestLab();
    lab.bootGuest("a");
    lab.command("a", "fetch 10.0.2.2");
    lab.request("look", { slot: "a", memory: LOOK });
    await new Promise(resolve => setImmediate(resolve));
    const view = await lab.ask("look", { slot: "a", memory: { ...LOOK, address: 0x10_0000 } });
    expect(view).toMatchObject({ mode: "paged", privilege: 0 });
    expect(view.memory.bytes.length).toBe(16);
    expect(view.registers.map(({ name }) => name)).toContain("CR3");
    expect(view.exits.at(-1)).toMatch(/^#\d+ +(HLT|IO|MMIO)/);
    expect(view.devices.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["pics", "pit", "serial", "network"]),
    );
    expect(view.frames.map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^10\.0\.2\.15:\d+ → 10\.0\.2\.2:80 SYN, 0 bytes$/),
        "who has 10.0.2.2? tell 10.0.2.15",
      ]),
    );
    const file = lab.request("packets", { slot: "a" });
    expect([...file.subarray(0, 4)]).toEqual([0x0a, 0x0d, 0x0d, 0x0a]);
  });
});

describe("the name server of the page", () => {
  const query = (name: string, type = 1) =>
    Uint8Array.from([
      ...[0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0],
      ...name.split(".").flatMap(label => [label.length, ...Buffer.from(label)]),
      ...[0, 0, type, 0, 1],
    ]);
  const lookUp = (name: string) => (name === "page.vmexit" ? 0x0a00_0202 : null);

  it("gives an address in a record that points to the question", () => {
    const answer = answerQuery(query("Page.VMexit"), lookUp)!;
    expect([...answer.subarray(0, 12)]).toEqual([0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    expect([...answer.subarray(-16)]).toEqual([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 0, 2, 2]);
  });

  it("tells a name without such a record from one that is not there", () => {
    expect(answerQuery(query("page.vmexit", 28), lookUp)![3]! & 0xf).toBe(0);
    expect(answerQuery(query("page.vmexit", 28), lookUp)![7]).toBe(0);
    expect(answerQuery(query("example.org"), lookUp)![3]! & 0xf).toBe(3);
  });

  it("says nothing to what is no query", () => {
    const whole = query("page.vmexit");
    for (let length = 0; length < whole.length; length++) {
      expect(answerQuery(whole.subarray(0, length), lookUp), `${length} bytes`).toBeNull();
    }
    expect(answerQuery(answerQuery(whole, lookUp)!, lookUp)).toBeNull();
  });
});
