/** The machines of the chapters in a browser, on the built site: each boots, steps, steps back and runs to its end. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../chapters/tools/requires.ts";
import { buildSite, markdownOf, markdownPages, ROOT } from "./checks/built-site.ts";
import { hydrated, overflow, violations, watch } from "./checks/pages.ts";
import { type StaticServer, serveSite } from "./checks/serve.ts";
import { KNOWN_RUNS } from "./machine/known-runs.ts";

const browser = requires("chromium");
const axe = readFileSync(join(ROOT, "node_modules/axe-core/axe.min.js"), "utf8");
/** Chapters whose page has a machine. */
const chapters = markdownPages().flatMap(page =>
  [...markdownOf(page).matchAll(/<Machine chapter="([^"]+)"/g)].map(([, name]) => name!),
);

describe("machines in Chromium", browser.options, () => {
  let server: StaticServer;
  let chrome: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    if (!browser.available) return;
    await buildSite();
    server = await serveSite();
    chrome = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    context = await chrome.newContext({ viewport: { width: 1280, height: 900 } });
  }, 120_000);
  afterAll(async () => {
    await chrome?.close();
    await server?.close();
  });

  async function open(chapter: string, from: { newPage(): Promise<Page> } = context) {
    const page = await from.newPage();
    const problems = watch(page);
    await page.goto(`${server.url}chapters/${chapter}.html`);
    await hydrated(page);
    const machine = page.locator(".machine");
    await machine.scrollIntoViewIfNeeded();
    return { page, machine, problems };
  }

  it("are on the page of every chapter that has one", () => {
    expect(new Set(KNOWN_RUNS.map(({ chapter }) => chapter))).toEqual(new Set(chapters));
  });

  it.each(chapters)("%s: every guest prints what the book shows", browser.options, async chapter => {
    const { page, machine, problems } = await open(chapter);
    for (const { guest, output, ends, typed } of KNOWN_RUNS.filter(run => run.chapter === chapter)) {
      await machine.getByRole("combobox", { name: "Guest" }).selectOption(guest);
      await status(machine)
        .filter({ hasText: /^Paused at (0000|0010):/ })
        .waitFor();
      await button(machine, "Run").click();
      if (typed) await paste(machine, typed);
      await status(machine)
        .filter({ hasText: `The guest has ended with ${ends}` })
        .waitFor();
      const printed = await machine.getByRole("log").textContent();
      // The page keeps the end of it for those who cannot see the screen.
      expect(printed, guest).toBe(output.slice(-1500));
    }
    expect(problems).toEqual([]);
    await page.close();
  });

  it.each(chapters)("%s: steps, and steps back to where it was", browser.options, async chapter => {
    const { page, machine, problems } = await open(chapter);
    await button(machine, "Step").click();
    await facts(machine, /^1 instructions/).waitFor();
    const places: (string | null)[] = [];
    for (let step = 2; step <= 5; step++) {
      places.push(await registers(machine));
      await button(machine, "Step").click();
      await facts(machine, new RegExp(`^${step} instructions`)).waitFor();
    }
    for (let step = 4; step >= 1; step--) {
      await button(machine, "Step back").click();
      await facts(machine, new RegExp(`^${step} instructions`)).waitFor();
      expect(await registers(machine)).toBe(places.pop());
    }
    await button(machine, "Run to exit").click();
    await facts(machine, / 1 exits/).waitFor();
    await button(machine, "Reset").click();
    await facts(machine, /^0 instructions · 0 exits/).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  describe.each(chapters)("%s", chapter => {
    it.each([
      { colorScheme: "dark", width: 1280 },
      { colorScheme: "light", width: 360 },
    ] as const)(
      "is readable for all: $colorScheme, $width px",
      browser.options,
      async ({ colorScheme, width }) => {
        const narrow = await chrome.newContext({ colorScheme, viewport: { width, height: 850 } });
        const { page, machine, problems } = await open(chapter, narrow);
        const before = await machine.boundingBox();
        await button(machine, "Run to exit").click();
        await facts(machine, / 1 exits/).waitFor();
        await machine.getByRole("group", { name: "Breakpoints" }).waitFor();
        // What is fetched has its place: nothing below moves.
        expect((await machine.boundingBox())!.height).toBe(before!.height);
        await page.evaluate(axe);
        for (const tab of await machine.getByRole("tab").all()) {
          await tab.click();
          expect(await overflow(page)).toBe(0);
          expect(await violations(page, ".machine"), (await tab.textContent()) ?? "").toEqual([]);
        }
        expect(problems).toEqual([]);
        await narrow.close();
      },
    );
  });
});

function button(machine: Locator, name: string): Locator {
  return machine.getByRole("button", { name, exact: true });
}

function status(machine: Locator): Locator {
  return machine.locator("p.status");
}

function facts(machine: Locator, text: RegExp): Locator {
  return machine.locator(".time span").filter({ hasText: text });
}

function registers(machine: Locator): Promise<string | null> {
  return machine.getByRole("region", { name: "Registers" }).locator("dl").textContent();
}

/** Pastes it, all at once: so it reaches the guest on any host. */
async function paste(machine: Locator, text: string): Promise<void> {
  await machine.getByLabel("Type to the guest").evaluate((field, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}
