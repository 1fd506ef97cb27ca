/**
 * The soft engine in a page beside the same engine in Node. In the page it is the worker of the built site, with the
 * session around the machine, its checkpoints and the views that it sends; in Node the bare engine.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { buildSite, SITE } from "../../.vitepress/checks/built-site.ts";
import { serveSite } from "../../.vitepress/checks/serve.ts";
import { requires } from "../../chapters/tools/requires.ts";
import { startInRealMode } from "../boot/real-mode.ts";
import { openSoft } from "../kvm/soft/soft.ts";
import { COUNTING_LOOP } from "./engine.bench.ts";
import { contest } from "./paired.ts";
import { type BenchResult, type Row, thisMachine } from "./result.ts";

export const description = "a counting loop on soft in the book's page, in Chromium, beside the same in Node";

const ROUNDS = 9;
const INSTRUCTIONS_A_ROUND = 4;
/** Fewer instructions than an entry of chapter 2's machine may have. */
const LOOPS = 10_000_000;
const INSTRUCTIONS = LOOPS * INSTRUCTIONS_A_ROUND;
const CODE = 0x7c00;
const RAM = 0x1_0000;

export async function run(rounds = ROUNDS): Promise<BenchResult> {
  const browser = requires("chromium");
  if (!browser.available) return { bench: "page", machine: thisMachine(), rows: [], notes: [browser.reason] };
  await buildSite();
  const server = await serveSite();
  const chrome = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const rows: Row[] = [];
  try {
    const page = await chrome.newPage();
    // tsx wraps functions in a helper that gives them their names; the page has no such helper.
    await page.addInitScript("globalThis.__name = named => named;");
    await page.goto(`${server.url}glossary.html`);
    await openWorker(page, workerUrl(server.url));
    const node = inNode();
    rows.push(
      await contest({
        name: "counting loop: the page’s worker beside Node",
        unit: "instructions/s",
        rounds,
        ours: () => inPage(page),
        peers: { node },
      }),
    );
  } finally {
    await chrome.close();
    await server.close();
  }
  return { bench: "page", machine: thisMachine(), rows, notes: [] };
}

function workerUrl(site: string): string {
  const file = readdirSync(join(SITE, "assets")).find(name => /^worker-.*\.js$/.test(name));
  if (!file) throw new Error("the built site has no worker for its machines");
  return `${site}assets/${file}`;
}

/** What the page keeps between the rounds. */
interface Bench {
  ask(name: string, body: object): Promise<void>;
  /** Resolves when the machine has ended. */
  ended(): Promise<string>;
}

function openWorker(page: Page, url: string): Promise<void> {
  return page.evaluate(async worker => {
    const machine = new Worker(worker, { type: "module" });
    let id = 0;
    const waiting = new Map<number, (sentence: string | undefined) => void>();
    let tell: (reason: string) => void = () => {};
    machine.onmessage = ({ data }) => {
      if (data.kind === "update" && data.update.rest === "ended") tell(data.update.view.end.reason);
      else if (data.kind === "failure") tell(data.sentence);
      waiting.get(data.id)?.(data.kind === "refusal" ? data.sentence : undefined);
    };
    const bench: Bench = {
      ask: (name, body) =>
        new Promise((resolve, reject) => {
          machine.postMessage({ id: ++id, name, body });
          waiting.set(id, sentence => (sentence ? reject(new Error(sentence)) : resolve()));
        }),
      ended: () => new Promise(resolve => (tell = resolve)),
    };
    Object.assign(globalThis, { bench });
    await bench.ask("open", { chapter: "02-real-mode", guest: "boot" });
  }, url);
}

async function inPage(page: Page): Promise<number> {
  const { seconds, reason } = await page.evaluate(
    async ([address, code, loops]) => {
      const { bench } = globalThis as unknown as { bench: Bench };
      await bench.ask("reset", {});
      await bench.ask("writeMemory", { address, space: "physical", bytes: code });
      await bench.ask("setRegister", { name: "EBX", value: loops });
      const ended = bench.ended();
      const start = performance.now();
      await bench.ask("run", { until: "end" });
      const why = await ended;
      return { seconds: (performance.now() - start) / 1000, reason: why };
    },
    [CODE, [...COUNTING_LOOP], LOOPS] as const,
  );
  if (reason !== "HLT") throw new Error(`the counting loop in the page ended with ${reason}`);
  return INSTRUCTIONS / seconds;
}

function inNode(): () => number {
  const hypervisor = openSoft();
  const vm = hypervisor.createVm();
  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM));
  memory.map(0, 0, RAM);
  memory.load("the counting loop", COUNTING_LOOP, CODE);
  const vcpu = vm.createVcpu(0);
  return () => {
    startInRealMode(vcpu, CODE);
    vcpu.setRegs({ ...vcpu.getRegs(), rbx: BigInt(LOOPS) });
    const start = performance.now();
    const { reason } = vcpu.run({ instructions: 2 * INSTRUCTIONS });
    const seconds = (performance.now() - start) / 1000;
    if (reason !== "HLT") throw new Error(`the counting loop in Node ended with ${reason}`);
    return INSTRUCTIONS / seconds;
  };
}
