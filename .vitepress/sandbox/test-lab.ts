/** The sandbox's machines without a browser: on a host whose time is counted, for tests that must come out the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Lab } from "./lab.ts";
import type { PageHost } from "./page-host.ts";
import type { Answers, GuestFiles, MachineStatus, RequestName, Requests, Slot } from "./protocol.ts";

const IMAGE = join(import.meta.dirname, "../../sandbox/guest/image.elf");
/** Nanoseconds that a turn of the event loop takes. */
const TURN = 1e6;
/** Nanoseconds that one wait may take. */
const PATIENCE = 120e9;

export class TestLab {
  readonly outputs: Record<Slot, string> = { a: "", b: "" };
  readonly statuses: Record<Slot, MachineStatus | null> = { a: null, b: null };
  readonly #read: Record<Slot, number> = { a: 0, b: 0 };
  readonly #answers = new Map<number, { value: unknown } | { sentence: string }>();
  readonly #turns: (() => void)[] = [];
  readonly #timers: { readonly at: number; readonly callback: () => void }[] = [];
  readonly #lab: Lab;
  #time = 0;
  #lastId = 0;

  constructor() {
    const host: PageHost = {
      soon: callback => void this.#turns.push(callback),
      later: (milliseconds, callback) => {
        const timer = { at: this.#time + milliseconds * 1e6, callback };
        this.#timers.push(timer);
        return () => {
          const at = this.#timers.indexOf(timer);
          if (at >= 0) this.#timers.splice(at, 1);
        };
      },
      monotonic: () => this.#time,
      date: () => 0,
      randomBytes: bytes => void bytes.fill(4),
    };
    this.#lab = new Lab({
      host,
      post: message => {
        switch (message.kind) {
          case "output":
            this.outputs[message.slot] += String.fromCharCode(...message.bytes);
            return;
          case "status":
            this.statuses[message.slot] = message.status;
            return;
          default:
            this.#answers.set(message.id, message);
        }
      },
      loadDisassembler: async () => (await import("../../chapters/tools/disassembly.ts")).loadDisassembler(),
    });
  }

  /** Throws what was refused as an `Error` with its sentence. */
  request<Name extends RequestName>(name: Name, body: Requests[Name]): Answers[Name] {
    const id = ++this.#lastId;
    this.#lab.receive({ id, name, body });
    this.until(() => this.#answers.has(id), name);
    return this.#answerTo(id) as Answers[Name];
  }

  /** For what is answered by a promise: those go on only while this program does nothing. */
  async ask<Name extends RequestName>(name: Name, body: Requests[Name]): Promise<Answers[Name]> {
    const id = ++this.#lastId;
    this.#lab.receive({ id, name, body });
    for (const deadline = this.#time + PATIENCE; !this.#answers.has(id); await Promise.resolve()) {
      if (this.#time > deadline) throw new Error(`${name} was not answered`);
      this.#turn();
    }
    return this.#answerTo(id) as Answers[Name];
  }

  bootGuest(slot: Slot, guest: Partial<GuestFiles> = {}): void {
    this.request("boot", {
      slot,
      guest: {
        name: "the embedded guest",
        image: readFileSync(IMAGE),
        commandLine: "",
        memorySize: 16 << 20,
        transport: "mmio",
        ...guest,
      },
    });
    this.untilSaid(slot, "\n> ");
  }

  /** Types a command to the guest, and returns its answer. */
  command(slot: Slot, line: string): string {
    this.request("type", { slot, bytes: new TextEncoder().encode(`${line}\r`) });
    const answer = this.untilSaid(slot, "\n> ");
    return answer.replaceAll("\r", "").replace(/> $/, "").replace(/^.*\n/, "");
  }

  /** What the guest has written since the last wait, up to `text`. */
  untilSaid(slot: Slot, text: string): string {
    const from = this.#read[slot];
    this.until(() => this.outputs[slot].indexOf(text, from) >= 0, JSON.stringify(text));
    this.#read[slot] = this.outputs[slot].indexOf(text, from) + text.length;
    return this.outputs[slot].slice(from, this.#read[slot]);
  }

  until(isDone: () => boolean, what: string): void {
    for (const deadline = this.#time + PATIENCE; !isDone(); this.#turn()) {
      if (this.#time > deadline)
        throw new Error(`waited for ${what} in vain: ${JSON.stringify(this.outputs)}`);
    }
  }

  #answerTo(id: number): unknown {
    const answer = this.#answers.get(id)!;
    if ("sentence" in answer) throw new Error(answer.sentence);
    return answer.value;
  }

  /** What is planned for now; else time goes on to the next timer. */
  #turn(): void {
    const turns = this.#turns.splice(0);
    for (const turn of turns) turn();
    this.#timers.sort((one, other) => one.at - other.at);
    const next = this.#timers[0]?.at ?? Number.POSITIVE_INFINITY;
    this.#time =
      this.#turns.length > 0 || next === Number.POSITIVE_INFINITY
        ? this.#time + TURN
        : Math.max(this.#time, next);
    while (this.#timers[0] && this.#timers[0].at <= this.#time) this.#timers.shift()!.callback();
  }
}
