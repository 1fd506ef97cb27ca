import { gzipSync } from "node:zlib";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { markdownOf, markdownPages } from "./checks/built-site.ts";
import { button, facts, paste, registers, status } from "./checks/machine-panel.ts";
import { hydrated, overflow, violations, watch } from "./checks/pages.ts";
import { browser, siteInChromium } from "./checks/site-in-chromium.ts";
import { KNOWN_RUNS } from "./machine/known-runs.ts";

/** Chapters whose page has a machine. */
const chapters = markdownPages().flatMap(page =>
  [...markdownOf(page).matchAll(/<Machine chapter="([^"]+)"/g)].map(([, name]) => name!),
);

describe("machines in Chromium", browser.options, () => {
  const site = siteInChromium();

  async function open(chapter: string, from: { newPage(): Promise<Page> } = site.context) {
    const page = await from.newPage();
    const problems = watch(page);
    await page.goto(`${site.server.url}chapters/${chapter}.html`);
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

  it("can do everything from the keyboard", browser.options, async () => {
    const { page, machine, problems } = await open("06-serial");
    const { keyboard } = page;
    const press = async (...keys: string[]) => {
      for (const key of keys) await keyboard.press(key);
    };
    const tabTo = async (target: Locator) => {
      for (let tabs = 0; tabs < 60; tabs++) {
        if (await target.evaluate(one => one === document.activeElement)) return;
        await press("Tab");
      }
      throw new Error(`Tab does not lead to ${target}`);
    };
    const focused = () => page.evaluate(() => document.activeElement?.closest(".machine") !== null);
    await page.locator("h1").click();
    for (let tabs = 0; !(await focused()) && tabs < 200; tabs++) await press("Tab");
    await press("s");
    await facts(machine, /^1 instructions/).waitFor();
    await press("s");
    await facts(machine, /^2 instructions/).waitFor();
    await press("b");
    await facts(machine, /^1 instructions/).waitFor();
    await press("e");
    await facts(machine, / 1 exits/).waitFor();

    // A breakpoint two lines on, by the arrow keys.
    const row = machine.locator("[aria-current=step]");
    await row.waitFor();
    await tabTo(row);
    await press("ArrowDown", "ArrowDown", "Enter");
    await machine.locator("[aria-pressed=true]").waitFor();
    await press("r");
    await status(machine).filter({ hasText: "Stopped at the breakpoint" }).waitFor();
    await press("Enter", "r");
    await status(machine).filter({ hasText: "The guest sleeps" }).waitFor();

    // The memory tab: to an address, and a byte changed.
    const tab = machine.getByRole("tab", { selected: true });
    await tabTo(tab);
    await press("ArrowRight", "ArrowRight");
    await tabTo(machine.getByLabel("Go to"));
    await keyboard.type("2000");
    await press("Enter");
    await machine.getByRole("button", { name: "002000+0:" }).waitFor();
    await press("Tab", "Tab", "Enter");
    await keyboard.type("5a");
    await press("Enter");
    await machine.getByRole("button", { name: "002000+0: 5a" }).waitFor();

    // The terminal takes what is typed, and lets go with Tab.
    const field = machine.getByLabel("Type to the guest");
    await tabTo(field);
    await keyboard.type("hello");
    await machine.getByRole("log").filter({ hasText: "HELLO" }).waitFor({ state: "attached" });
    await press("Tab");
    expect(await field.evaluate(one => one === document.activeElement)).toBe(false);
    expect(problems).toEqual([]);
    await page.close();
  });

  it(
    "goes from packet to packet, and shows rings and frames, from the keyboard",
    browser.options,
    async () => {
      const { page, machine, problems } = await open("07-virtio-net");
      const next = button(machine, "Run to packet");
      await next.press("Enter");
      const card = machine.locator("p.card");
      await card.filter({ hasText: /frames\s*1$/ }).waitFor();
      await page.keyboard.press("p");
      await card.filter({ hasText: /frames\s*2$/ }).waitFor();
      await machine.getByRole("button", { name: /10\.0\.2\.2 is at 52:55:0a:00:02:02/ }).waitFor();
      await machine.getByRole("button", { name: "receive", exact: true }).press("Enter");
      await machine.getByText("idx 1, returned 1").waitFor();
      // The first frame again, byte by byte.
      await machine.getByRole("button", { name: /who has 10\.0\.2\.2/ }).press("Enter");
      await machine.getByText("ff ff ff ff ff ff 52 54 00 12 34 56 08 06").waitFor();
      // Back before both of them.
      await machine.getByRole("slider").fill("1");
      await card.filter({ hasText: /frames\s*0$/ }).waitFor();
      expect(problems).toEqual([]);
      await page.close();
    },
  );

  it("shows a boot over its exits, and memory as the kernel was told of it", browser.options, async () => {
    const { page, machine, problems } = await open("08-linux");
    await button(machine, "Step").click();
    const map = machine.getByRole("region", { name: "Memory map" });
    await map.getByText("console=ttyS0 quiet").waitFor();
    await button(machine, "Run").click();
    await status(machine).filter({ hasText: "ended" }).waitFor();
    const lines = machine.getByRole("list", { name: "Lines printed" }).locator("li");
    expect(await lines.count()).toBe(9);
    expect(problems).toEqual([]);
    await page.close();
  });

  it(
    "shows the flags that an instruction left, and those that the next will write",
    browser.options,
    async () => {
      const { page, machine, problems } = await open("02-real-mode");
      await button(machine, "Step").click();
      await facts(machine, /^1 instructions/).waitFor();
      const flags = machine.locator("table.flags");
      await flags.getByText(/^The next instruction (writes|keeps|leaves)/).waitFor();
      await button(machine, "Step").click();
      await facts(machine, /^2 instructions/).waitFor();
      expect(await flags.locator("tbody tr").count()).toBeGreaterThanOrEqual(2);
      expect(problems).toEqual([]);
      await page.close();
    },
  );

  it.each(chapters)("%s: says without JavaScript what it would need", browser.options, async chapter => {
    const plain = await site.chrome.newContext({ javaScriptEnabled: false });
    const page = await plain.newPage();
    await page.goto(`${site.server.url}chapters/${chapter}.html`);
    // Not by its text: Playwright takes what is in a noscript for no text, whether scripts run or not.
    const sentence = page.locator(".machine noscript p");
    await sentence.waitFor();
    expect(await sentence.textContent()).toContain("needs JavaScript");
    await plain.close();
  });

  it("finds text in memory, and filters exits", browser.options, async () => {
    const { page, machine, problems } = await open("02-real-mode");
    await button(machine, "Run").click();
    await status(machine).filter({ hasText: "ended" }).waitFor();
    await machine.getByRole("tab", { name: "Memory" }).click();
    await machine.getByLabel("Find").fill("Hello from");
    await machine.getByLabel("Find").press("Enter");
    await machine.getByText(/Found at 007/).waitFor();
    await machine.getByRole("tab", { name: "Exits" }).click();
    await machine.getByLabel("Kind").selectOption("HLT");
    await expect.poll(() => machine.getByRole("list", { name: "Exit log" }).locator("li").count()).toBe(1);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("goes back in time along the line of time", browser.options, async () => {
    const { page, machine, problems } = await open("02-real-mode");
    await button(machine, "Run").click();
    await status(machine).filter({ hasText: "ended" }).waitFor();
    const whole = await machine.getByRole("log").textContent();
    const line = machine.getByRole("slider");
    await line.fill("1000");
    await facts(machine, /^1,000 instructions/).waitFor();
    const part = await machine.getByRole("log").textContent();
    expect(whole!.startsWith(part!)).toBe(true);
    expect(part!.length).toBeLessThan(whole!.length);
    await button(machine, "Run").click();
    await status(machine).filter({ hasText: "ended" }).waitFor();
    expect(await machine.getByRole("log").textContent()).toBe(whole);
    expect(problems).toEqual([]);
    await page.close();
  });

  it.each([
    { what: "cannot be loaded", body: undefined },
    { what: "dies", body: 'throw new Error("the worker is broken")' },
    { what: "never answers", body: "for (;;);" },
  ])("a worker that $what costs a sentence and a new start", browser.options, async ({ body }) => {
    const fresh = await site.chrome.newContext();
    // Once its program is asked for, the page waits for the worker's answer, by its own clock.
    let asked = () => {};
    const isAsked = new Promise<void>(resolve => {
      asked = resolve;
    });
    await fresh.route(/\/worker-[^/]*\.js$/, route => {
      asked();
      return body === undefined ? route.abort() : route.fulfill({ body, contentType: "text/javascript" });
    });
    const page = await fresh.newPage();
    await page.clock.install();
    await page.goto(`${site.server.url}chapters/01-minimal-vm.html`);
    await hydrated(page);
    const machine = page.locator(".machine");
    await button(machine, "Run").click();
    await isAsked;
    await page.clock.fastForward(31_000);
    await machine.getByRole("alert").filter({ hasText: "The machine is gone" }).waitFor();
    await fresh.unroute(/\/worker-[^/]*\.js$/);
    await button(machine, "Run").click();
    await expect
      .poll(async () => {
        await page.clock.runFor(50);
        return status(machine).textContent();
      })
      .toContain("The guest has ended with HLT");
    await fresh.close();
  });

  it.each(chapters)(
    "%s: costs at most 200 kB of script before it is touched",
    browser.options,
    async chapter => {
      const fresh = await site.chrome.newContext();
      const page = await fresh.newPage();
      const scripts: Promise<Buffer>[] = [];
      page.on("response", response => {
        if (response.request().resourceType() === "script") scripts.push(response.body());
      });
      await page.goto(`${site.server.url}chapters/${chapter}.html`, { waitUntil: "networkidle" });
      await hydrated(page);
      const sizes = (await Promise.all(scripts)).map(body => gzipSync(body).length);
      expect(sizes.length).toBeGreaterThan(1);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(200_000);
      await fresh.close();
    },
  );

  describe.each(chapters)("%s", chapter => {
    it.each([
      { colorScheme: "dark", width: 1280 },
      { colorScheme: "light", width: 360 },
    ] as const)(
      "is readable for all: $colorScheme, $width px",
      browser.options,
      async ({ colorScheme, width }) => {
        const narrow = await site.chrome.newContext({ colorScheme, viewport: { width, height: 850 } });
        const { page, machine, problems } = await open(chapter, narrow);
        const before = await machine.boundingBox();
        await button(machine, "Run to exit").click();
        await facts(machine, / 1 exits/).waitFor();
        await machine.getByRole("group", { name: "Breakpoints" }).waitFor();
        // What is fetched has its place: nothing below moves.
        expect((await machine.boundingBox())!.height).toBe(before!.height);
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
