/** The machine of a chapter on a learner's layers, in a browser, on the built site. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layerFiles, readChapter } from "../chapters/tools/chapters.ts";
import { holeMessage } from "../chapters/tools/starter.ts";
import { ROOT } from "./checks/built-site.ts";
import { editor, load, openChapter, solve, testAsTyped } from "./checks/exercise-panel.ts";
import { button, facts, paste, registers, status } from "./checks/machine-panel.ts";
import { overflow, violations } from "./checks/pages.ts";
import { browser, siteInChromium } from "./checks/site-in-chromium.ts";
import { KNOWN_RUNS } from "./machine/known-runs.ts";

/** A change in a layer, and what a guest prints then and never without it. */
interface Change {
  readonly chapter: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly guest: string;
  readonly prints: string;
}

const CHANGES: readonly Change[] = [
  {
    chapter: "01-minimal-vm",
    file: "bus.ts",
    find: "range.device.write(address - range.start, size, value)",
    replace: "range.device.write(address - range.start, size, value + 1)",
    guest: "add",
    prints: "5",
  },
  {
    chapter: "02-real-mode",
    file: "alu.ts",
    find: "(r[FLAG_CARRIES] ^ (r[FLAG_CARRIES] << 1)) < 0",
    replace: "(r[FLAG_CARRIES] ^ (r[FLAG_CARRIES] << 1)) >= 0",
    guest: "boot",
    prints: "0001 + 0002 = 0003 O...P.",
  },
  {
    chapter: "03-paging",
    file: "walk.ts",
    find: "this.errorCode = this.#reported(access) | (reserved",
    replace: "this.errorCode = 0x40 | this.#reported(access) | (reserved",
    guest: "fault",
    prints: "page fault at 0x00400000, error code 0x00000042",
  },
  {
    chapter: "04-interrupts",
    file: "pic.ts",
    find: "this.#state.isr : this.irr;",
    replace: "this.#state.isr : this.irr ^ 1;",
    guest: "priorities",
    prints: "IRR of the master 0x002d",
  },
  {
    chapter: "05-pit",
    file: "counter.ts",
    find: "this.#writeCount(byte);",
    replace: "this.#writeCount(byte + 1);",
    guest: "waves",
    prints: "mode 1  ########_____________________####",
  },
  {
    chapter: "06-serial",
    file: "uart.ts",
    find: "this.#peer.transmit(byte)",
    replace: "this.#peer.transmit(byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte)",
    guest: "hello",
    prints: "A CHARACTER TAKES 87 MICROSECONDS.",
  },
  {
    chapter: "07-virtio-net",
    file: "net-header.ts",
    find: "~sum & 0xffff || 0xffff",
    replace: "0x1234",
    guest: "ping",
    prints: "answered wrongly",
  },
  {
    chapter: "08-linux",
    file: "boot-params.ts",
    find: "view.setUint8(TYPE_OF_LOADER, UNKNOWN_LOADER)",
    replace: "view.setUint8(TYPE_OF_LOADER, 0x5a)",
    guest: "tiny",
    prints: "header         there, loader 0x5a",
  },
];

interface OpenOptions {
  readonly isSolved?: boolean;
  readonly width?: number;
  readonly colorScheme?: "dark" | "light";
}

const solution = (chapter: string, file: string) =>
  readFileSync(join(ROOT, "solutions", chapter, file), "utf8");

function changed({ chapter, file, find, replace }: Change): string {
  const text = solution(chapter, file);
  expect(text.split(find), `${chapter}/${file}: ${find}`).toHaveLength(2);
  return text.replace(find, () => replace);
}

/** With a throw at the start of the statement that would be changed. */
function withThrow({ chapter, file, find }: Change): { line: number; text: string } {
  const lines = solution(chapter, file).split("\n");
  let at = lines.findIndex(line => line.includes(find));
  while (/^\s*else/.test(lines[at]!)) at--;
  lines[at] = `throw new TypeError("mine");${lines[at]}`;
  return { line: at + 1, text: lines.join("\n") };
}

const lineOf = (text: string, part: string) => text.slice(0, text.indexOf(part)).split("\n").length;

describe("a machine on a learner's layers", browser.options, () => {
  const site = siteInChromium();

  /** The page with the reference's files in the editor, as if a learner had written them. */
  async function open(chapter: string, options: OpenOptions = {}) {
    const { isSolved = true, width = 1280, colorScheme = "light" } = options;
    const own = await site.chrome.newContext({ viewport: { width, height: 900 }, colorScheme });
    const { page, problems } = await openChapter(`${site.server.url}chapters/${chapter}.html`, own);
    await solve(page, readChapter(chapter).tasks[0]!);
    await editor(page).waitFor();
    await testAsTyped(page, false);
    if (isSolved) await loadReference(page, chapter);
    const machine = page.locator(".solve-machine .machine");
    return { page, problems, machine, close: () => own.close() };
  }

  it.each(CHANGES)(
    "$chapter: is made of what is in the editor",
    { ...browser.options, timeout: 120_000 },
    async change => {
      const { chapter, file, guest, prints } = change;
      const { page, problems, machine, close } = await open(chapter);
      await runOwn(page);
      await status(machine).filter({ hasText: "The guest has ended" }).waitFor();
      const runs = KNOWN_RUNS.filter(run => run.chapter === chapter);
      for (const { guest: name, output, ends, typed } of runs) {
        await choose(machine, name);
        await button(machine, "Run").click();
        if (typed) await paste(machine, typed);
        await status(machine)
          .filter({ hasText: `The guest has ended with ${ends}` })
          .waitFor();
        expect(await printed(machine), name).toBe(output.slice(-1500));
      }

      await button(machine, "Reset").click();
      await facts(machine, /^0 instructions/).waitFor();
      const places: (string | null)[] = [];
      for (let step = 1; step <= 3; step++) {
        places.push(await registers(machine));
        await button(machine, "Step").click();
        await facts(machine, new RegExp(`^${step} instructions`)).waitFor();
      }
      for (let step = 2; step >= 0; step--) {
        await button(machine, "Step back").click();
        await facts(machine, new RegExp(`^${step} instructions`)).waitFor();
        expect(await registers(machine)).toBe(places.pop());
      }

      // Another machine with one click, with the change in it.
      await choose(machine, guest);
      const before = runs.find(({ guest: name }) => name === guest)!.output;
      expect(before).not.toContain(prints);
      const text = changed(change);
      await load(page, [[file, text]]);
      await page.getByText("Changed since this machine was started.").waitFor();
      await restart(page);
      await polled(() => printed(machine)).toContain(prints);
      expect(await page.getByText("Changed since this machine was started.").count()).toBe(0);

      // What it throws is told with its place, and the next one runs.
      const { line, text: throwing } = withThrow(change);
      await load(page, [[file, throwing]]);
      await restart(page);
      await told(machine, "TypeError: mine");
      await alert(machine)
        .getByRole("button", { name: `Go to ${file}, line ${line}` })
        .click();
      expect(await fileShown(page)).toBe(file);
      await loadReference(page, chapter);
      await restart(page);
      await polled(() => printed(machine)).toBe(before.slice(-1500));
      expect(problems).toEqual([]);
      await close();
    },
  );

  describe("code that goes wrong costs a message", () => {
    const chapter = "01-minimal-vm";
    /** One page for all: each leaves it with a machine that runs. */
    let opened: Awaited<ReturnType<typeof open>> | undefined;
    beforeAll(async () => {
      if (!browser.available) return;
      opened = await open(chapter);
      await runOwn(opened.page);
      await status(opened.machine).filter({ hasText: "The guest has ended with HLT" }).waitFor();
    });
    afterAll(() => opened?.close());

    const FIND = "    if (range && inside(range, address, size)) range.device.write";
    const at = (put: string) => solution(chapter, "bus.ts").replace(FIND, () => `${put}\n${FIND}`);
    const line = lineOf(solution(chapter, "bus.ts"), FIND);
    const last = solution(chapter, "bus.ts").split("\n").length;

    it.each([
      {
        what: "a loop that never ends",
        text: at("for (let turns = 0; ; turns++);"),
        says: /this loop has gone round [\d,]+ times and has not ended: does it ever\?/i,
        where: line,
      },
      {
        what: "memory without end",
        text: at("const kept: object[] = []; while (kept) kept.push({ kept });"),
        says: /this loop has gone round|Invalid array length/i,
        where: line,
      },
      {
        what: "large arrays without end",
        text: at("const kept: object[] = []; while (kept) kept.push(new Uint8Array(64 << 20).fill(1));"),
        says: /your code asked for more than 512 MiB of memory/i,
        where: line,
      },
      {
        what: "recursion without end",
        text: at("this.write(address, size, value);"),
        says: /RangeError: Maximum call stack size exceeded/,
        where: "\\d+", // of what the last call found no room for
      },
      {
        what: "no TypeScript",
        text: `${solution(chapter, "bus.ts")}const = 7;`,
        says: `us.ts, line ${last}: Unexpected token.`,
        where: last,
      },
      {
        what: "an import of what is no layer",
        text: `import "node:fs";\n${solution(chapter, "bus.ts")}`,
        says: "imports “node:fs”, which is none of the files that a layer can import",
      },
      {
        what: "an export that is gone",
        text: solution(chapter, "bus.ts").replace("export class Bus {", "class Bus {"),
        says: "does not provide an export named 'Bus'",
      },
      {
        what: "waiting without end",
        text: at(
          "const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });" +
            "Atomics.wait(new Int32Array(buffer), 0, 0);",
        ),
        says: "The machine is gone: it was silent for 5 seconds; does your code go on for ever?",
      },
    ])("$what", browser.options, async ({ text, says, where }) => {
      const { page, problems, machine } = opened!;
      await load(page, [["bus.ts", text]]);
      await restart(page);
      await told(machine, says);
      const place = new RegExp(`^Go to bus.ts, line ${where}$`);
      if (where) await alert(machine).getByRole("button", { name: place }).waitFor();
      await loadReference(page, chapter);
      await restart(page);
      await polled(() => printed(machine)).toBe("4\n");
      await status(machine).filter({ hasText: "The guest has ended with HLT" }).waitFor();
      expect(await alert(machine).count()).toBe(0);
      expect(problems).toEqual([]);
    });
  });

  it("an exercise that is not written says so in its own words", browser.options, async () => {
    const chapter = readChapter("06-serial");
    const { page, machine, close } = await open(chapter.name, { isSolved: false });
    await runOwn(page);
    const words = chapter.tasks.flatMap(task =>
      task.regions.map(region => holeMessage(chapter, task, region)),
    );
    await alert(machine).waitFor();
    const told = ((await alert(machine).textContent()) ?? "").toLowerCase();
    expect(words.filter(message => told.includes(message.toLowerCase()))).toHaveLength(1);
    await alert(machine)
      .getByRole("button", { name: /^Go to [a-z]+\.ts, line \d+$/ })
      .waitFor();
    await close();
  });

  it("stands on the layers below that were solved here, or on the reference's", browser.options, async () => {
    const below = readChapter("01-minimal-vm");
    const { line, text } = withThrow(CHANGES[0]!);
    const { page, machine, close } = await open("06-serial");
    const files = Object.fromEntries(
      layerFiles(below.name).map(file => [file, file === "bus.ts" ? text : solution(below.name, file)]),
    );
    const keep = (passed: readonly string[]) =>
      page.evaluate(work => localStorage.setItem("vmexit/solve/01-minimal-vm", JSON.stringify(work)), {
        files,
        passed,
        hints: {},
      });
    const ids = below.tasks.map(({ id }) => id);
    const whose = page.locator(".solve-machine .whose");

    await keep(ids.slice(1));
    await runOwn(page);
    await status(machine).filter({ hasText: "The guest has ended with HLT" }).waitFor();
    expect(await whose.textContent()).toContain("Yours: chapter 6’s layer. The rest");

    await keep(ids);
    const right = await printed(machine);
    await restart(page);
    await whose.filter({ hasText: "Yours: chapter 6’s layer, and that of chapter 1. The rest" }).waitFor();
    await alert(machine).filter({ hasText: "TypeError: mine" }).waitFor();
    expect(await alert(machine).textContent()).toContain(`In your 01-minimal-vm/bus.ts, line ${line}.`);
    await page.getByLabel("with the layers below that I solved here").uncheck();
    await restart(page);
    await polled(() => printed(machine)).toBe(right);
    await close();
  });

  it("keeps its breakpoints over a restart", browser.options, async () => {
    const { page, machine, close } = await open("05-pit");
    await runOwn(page);
    await status(machine).filter({ hasText: "ended" }).waitFor();
    await button(machine, "Reset").click();
    await status(machine)
      .filter({ hasText: /^Paused at 0000:/ })
      .waitFor();
    const rows = machine.getByRole("group", { name: "Breakpoints" }).getByRole("button");
    await rows.nth(3).click();
    await machine.locator("[aria-pressed=true]").waitFor();
    await restart(page);
    await status(machine).filter({ hasText: "Stopped at the breakpoint" }).waitFor();
    await close();
  });

  it.each([
    { colorScheme: "dark", width: 1280 },
    { colorScheme: "light", width: 360 },
  ] as const)("is readable for all: $colorScheme, $width px", browser.options, async look => {
    const { page, machine, close } = await open("01-minimal-vm", { ...look, isSolved: false });
    await runOwn(page);
    await alert(machine).waitFor();
    expect(await overflow(page)).toBe(0);
    expect(await violations(page, ".exercises")).toEqual([]);
    await loadReference(page, "01-minimal-vm");
    await page.getByText("Changed since this machine was started.").waitFor();
    expect(await violations(page, ".exercises")).toEqual([]);
    await restart(page);
    await status(machine).filter({ hasText: "ended" }).waitFor();
    expect(await overflow(page)).toBe(0);
    expect(await violations(page, ".exercises")).toEqual([]);
    await close();
  });
});

async function runOwn(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Run the machine on your layers" }).click();
  await page.locator(".solve-machine .machine").waitFor();
}

function restart(page: Page): Promise<void> {
  return page.getByRole("button", { name: "Restart with my latest code" }).click();
}

async function choose(machine: Locator, guest: string): Promise<void> {
  await machine.getByRole("combobox", { name: "Guest" }).selectOption(guest);
  await status(machine)
    .filter({ hasText: /^Paused at (0000|0010):/ })
    .waitFor();
}

const polled = (look: () => Promise<unknown>) => expect.poll(look, { timeout: 20_000 });

function printed(machine: Locator): Promise<string | null> {
  return machine.getByRole("log").textContent();
}

/** Waits until the machine says it. */
async function told(machine: Locator, words: string | RegExp): Promise<void> {
  const text = async () => (await alert(machine).allTextContents()).join();
  await polled(text).toEqual(
    typeof words === "string" ? expect.stringContaining(words) : expect.stringMatching(words),
  );
}

function alert(machine: Locator): Locator {
  return machine.getByRole("alert");
}

function fileShown(page: Page): Promise<string> {
  return page.locator(".solve-bar select").inputValue();
}

function loadReference(page: Page, chapter: string): Promise<void> {
  const files = [...new Set(readChapter(chapter).tasks.map(({ file }) => file))];
  return load(
    page,
    files.map(file => [file, solution(chapter, file)]),
  );
}
