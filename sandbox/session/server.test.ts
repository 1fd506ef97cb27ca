import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { findBuilding } from "../../.vitepress/machine/chapters.ts";
import { guestImagePath } from "../../.vitepress/machine/known-runs.ts";
import { loadDisassembler } from "../../chapters/tools/disassembly.ts";
import { openSoft } from "../kvm/soft/soft.ts";
import type { PassedFramesState } from "./passed-frames.ts";
import type { Answers, RequestName, Requests, Update, WorkerMessage } from "./protocol.ts";
import { SessionServer } from "./server.ts";

/** What the picture of chapter 7's machine tells of a queue, as far as it is looked at here. */
interface Queue {
  readonly name: string;
  readonly available: { readonly index: number };
  readonly used: { readonly index: number };
}

/** A host whose clock moves when the test says so. */
class Bench {
  readonly updates: Update[] = [];
  readonly failures: string[] = [];
  time = 0;
  /** What every look at the clock costs, in milliseconds. */
  tick = 0;
  #soon: (() => void)[] = [];
  #later: { at: number; callback: () => void }[] = [];
  readonly #answers = new Map<number, WorkerMessage>();
  #id = 0;

  readonly server = new SessionServer({
    host: {
      now: () => (this.time += this.tick),
      soon: callback => this.#soon.push(callback),
      later: (milliseconds, callback) => this.#later.push({ at: this.time + milliseconds, callback }),
    },
    openEngine: openSoft,
    findMachine: async (chapter, guest) => {
      const building = await findBuilding(chapter);
      return building(new Uint8Array(readFileSync(guestImagePath(chapter, guest))));
    },
    loadDisassembler,
    post: message => {
      if (message.kind === "update") this.updates.push(message.update);
      else if (message.kind === "failure") this.failures.push(message.sentence);
      else this.#answers.set(message.id, message);
    },
  });

  async ask<Name extends RequestName>(name: Name, body: Requests[Name]): Promise<Answers[Name]> {
    const id = ++this.#id;
    await this.server.receive({ id, name, body });
    const answer = this.#answers.get(id)!;
    if (answer.kind === "refusal") throw new Error(answer.sentence);
    if (answer.kind !== "answer") throw new Error(answer.kind);
    return answer.value as Answers[Name];
  }

  /** One turn of the event loop; then the time of the next timer, if nothing else is to be done. */
  turn(): boolean {
    const waiting = this.#soon;
    this.#soon = [];
    for (const callback of waiting) callback();
    if (waiting.length > 0) return true;
    const next = this.#later.sort((a, b) => a.at - b.at).shift();
    if (!next) return false;
    this.time = Math.max(this.time, next.at);
    next.callback();
    return true;
  }

  settle(): Update {
    for (let turns = 0; turns < 100_000 && this.turn(); turns++);
    return this.updates.at(-1)!;
  }

  get printed(): string {
    let text = "";
    for (const { view } of this.updates) {
      text = text.slice(0, view.output.from) + String.fromCharCode(...view.output.bytes);
    }
    return text;
  }
}

async function open(chapter: string, guest: string): Promise<Bench> {
  const bench = new Bench();
  await bench.ask("open", { chapter, guest });
  bench.settle();
  return bench;
}

describe("a session behind messages", () => {
  // Fetched once, it is there at every first look.
  beforeAll(async () => {
    await loadDisassembler();
  });

  it("runs to the end, and tells what is new and nothing twice", async () => {
    const bench = await open("02-real-mode", "boot");
    bench.tick = 1;
    await bench.ask("run", { until: "end" });
    const last = bench.settle();
    expect(last).toMatchObject({ isRunning: false, rest: "ended" });
    expect(bench.printed).toContain("turned !0 rotces morf olleH\n");
    const logged = bench.updates.flatMap(({ view }) => view.log.entries);
    expect(logged.length).toBe(last.view.position.exits);
    expect(bench.failures).toEqual([]);
  });

  it("answers while it runs, in turns that end", async () => {
    const bench = await open("01-minimal-vm", "spin");
    bench.tick = 5;
    await bench.ask("run", { until: "end" });
    bench.turn();
    bench.turn();
    const { address } = await bench.ask("find", { bytes: [0xeb, 0xfe], from: 0 });
    expect(address).toBe(0x1000);
    await bench.ask("pause", {});
    const { isRunning, rest, view } = bench.settle();
    expect({ isRunning, rest }).toEqual({ isRunning: false, rest: "paused" });
    expect(view.position.instructions).toBeLessThan(1_000_000);
  });

  it("keeps a speed by the host's clock", async () => {
    const bench = await open("02-real-mode", "mandelbrot");
    await bench.ask("speed", { speed: 1000 });
    await bench.ask("run", { until: "end" });
    const start = bench.time;
    while (bench.time < start + 2000) bench.turn();
    await bench.ask("pause", {});
    const { view } = bench.settle();
    expect(view.position.instructions).toBeGreaterThan(1900);
    expect(view.position.instructions).toBeLessThan(2100);
  });

  it("goes to exits, handlers and breakpoints, and back to the exit before", async () => {
    const bench = await open("04-interrupts", "syscall");
    await bench.ask("run", { until: "exit" });
    expect(bench.settle()).toMatchObject({ rest: "goal", view: { position: { exits: 1 } } });
    await bench.ask("run", { until: "exit" });
    bench.settle();
    await bench.ask("exitBack", {});
    expect(bench.settle().view.position.exits).toBe(1);
    const rings: number[] = [];
    while (bench.updates.at(-1)!.view.condition === "ready") {
      await bench.ask("run", { until: "handler" });
      rings.push(bench.settle().view.privilege);
    }
    expect(rings).toContain(3);
    await bench.ask("reset", {});
    const { code, ip } = bench.settle().view;
    const target = code[code.findIndex(({ address }) => address === ip) + 2]!.address;
    expect(await bench.ask("toggleBreakpoint", { address: target })).toEqual({ isSet: true });
    await bench.ask("run", { until: "end" });
    expect(bench.settle()).toMatchObject({ rest: "breakpoint", view: { ip: target, breakpoints: [target] } });
  });

  it("goes from frame to frame, with the rings as the book shows them", async () => {
    const bench = await open("07-virtio-net", "ping");
    const output = readFileSync(join(import.meta.dirname, "../../docs/outputs/07-ping.txt"), "utf8");
    const shown = [...output.matchAll(/^rings │ (.*)$/gm)].map(([, line]) => line);
    expect(shown).toHaveLength(8);
    const places: string[] = [];
    const seen = () => {
      const { picture, devices } = bench.settle().view;
      places.push(
        (picture as readonly Queue[])
          .map(({ name, available, used }) => `${name}: available ${available.index}, used ${used.index}`)
          .join("    "),
      );
      return devices.devices["frames"] as PassedFramesState;
    };
    for (let count = 1; count <= shown.length; count++) {
      await bench.ask("run", { until: "frame" });
      expect(seen().count).toBe(count);
      expect(bench.updates.at(-1)).toMatchObject({ isRunning: false, rest: "goal" });
    }
    expect(places).toEqual(shown);
    await bench.ask("run", { until: "frame" });
    expect(bench.settle()).toMatchObject({ rest: "ended" });
    // Back behind the frames: the wire is as it was, and what was on its way comes again.
    const frames = seen();
    await bench.ask("seek", { instructions: 100 });
    expect(seen()).toEqual({ count: 0, last: [] });
    await bench.ask("run", { until: "end" });
    expect(seen()).toEqual(frames);
  });

  it("shows memory where it was asked to, with what has changed, and edits it", async () => {
    const bench = await open("01-minimal-vm", "string");
    const { address } = await bench.ask("find", { bytes: [...new TextEncoder().encode("Hello")], from: 0 });
    await bench.ask("look", { address: address!, space: "physical", length: 16 });
    bench.settle();
    await bench.ask("writeMemory", { address: address!, space: "physical", bytes: [0x4a] });
    expect(bench.settle().view.memory).toMatchObject({ address, changed: [0] });
    await bench.ask("run", { until: "end" });
    bench.settle();
    expect(bench.printed).toBe("Jello from real mode!\n");
  });

  it("refuses in a sentence, and goes on", async () => {
    const bench = await open("01-minimal-vm", "add");
    await expect(bench.ask("open", { chapter: "99-none", guest: "add" })).rejects.toThrow(
      /no machine of a chapter 99-none/,
    );
    await expect(bench.ask("setRegister", { name: "XX", value: 1 })).rejects.toThrow(/no register XX/);
    await expect(
      bench.ask("writeMemory", { address: 0x5000_0000, space: "physical", bytes: [1] }),
    ).rejects.toThrow(/no memory/);
    await bench.ask("run", { until: "end" });
    expect(bench.settle().rest).toBe("ended");
    expect(bench.printed).toBe("4\n");
  });

  it("walks the guest's tables and shows what the TLB holds", async () => {
    const bench = await open("03-paging", "paging");
    await bench.ask("run", { until: "end" });
    const { view } = bench.settle();
    const report = await bench.ask("walk", { linear: 0xc000_0004, access: 0 });
    expect(report).toMatchObject({ mode: "2-level", physical: 0x9004 });
    expect(view.tlb.find(({ linear }) => linear === 0xc000_0000)).toMatchObject({ physical: 0x9000 });
  });
});
