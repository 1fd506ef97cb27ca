/** The sandbox and the home page's machine in a browser, on the built site. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { ROOT } from "./checks/built-site.ts";
import { hydrated, overflow, violations, watch } from "./checks/pages.ts";
import { browser, siteInChromium } from "./checks/site-in-chromium.ts";

describe("the sandbox in Chromium", browser.options, () => {
  const site = siteInChromium();

  /** The page, with the embedded guest at its prompt in machine A. */
  async function open(from: { newPage(): Promise<Page> } = site.context) {
    const page = await from.newPage();
    const problems = watch(page);
    await page.goto(`${site.server.url}sandbox.html`);
    await hydrated(page);
    await atPrompt(machine(page, "A"));
    return { page, problems };
  }

  it("boots the embedded guest, which answers to commands", browser.options, async () => {
    const { page, problems } = await open();
    const a = machine(page, "A");
    expect(await says(a, "ping 10.0.2.2 2", /2 sent, 2 received/)).toBe(true);
    expect(await says(a, "fetch 10.0.2.2", /Nothing of it has left your browser/)).toBe(true);
    await a.locator("footer").filter({ hasText: "10.0.2.15" }).waitFor();
    await button(a, "Pause").click();
    await a.locator(".state").filter({ hasText: "Paused" }).waitFor();
    await button(a, "Go on").click();
    await a.locator(".state").filter({ hasText: "Sleeps in HLT" }).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it("lets two machines reach each other, and the page reach them", browser.options, async () => {
    const { page, problems } = await open();
    await button(page, "Add a machine").click();
    const b = machine(page, "B");
    await atPrompt(b);
    await b.locator("footer").filter({ hasText: "10.0.2.16" }).waitFor();
    expect(await says(machine(page, "A"), "ping 10.0.2.16 3", /3 sent, 3 received/)).toBe(true);
    expect(await says(b, "fetch 10.0.2.15/status.txt", /card: 52:54:00:12:34:56/)).toBe(true);

    await button(page, "Monitor").click();
    await page.getByRole("tab", { name: "Packets" }).click();
    await page.getByText("10.0.2.16 → 10.0.2.15 echo reply 3").first().waitFor();
    const [capture] = await Promise.all([
      page.waitForEvent("download"),
      button(page, "Download for Wireshark").click(),
    ]);
    expect(capture.suggestedFilename()).toBe("vmexit-b.pcapng");
    expect([...readFileSync(await capture.path()).subarray(0, 4)]).toEqual([0x0a, 0x0d, 0x0d, 0x0a]);
    await page.getByRole("tab", { name: "Web page" }).click();
    await button(page, "Fetch").click();
    await page.getByText("card: 52:54:00:12:34:57").waitFor();
    await button(page, "Remove machine B").click();
    expect(await says(machine(page, "A"), "ping 10.0.2.16 1", /1 sent, 0 received/)).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("saves a machine, and restores it after a reload", browser.options, async () => {
    const own = await site.chrome.newContext({ viewport: { width: 1280, height: 900 } });
    const { page, problems } = await open(own);
    expect(await says(machine(page, "A"), "fault", /wrote and read 600df00d/)).toBe(true);
    await button(machine(page, "A"), "Save…").click();
    await button(page, "Save here").click();
    await page.getByText("Saved in this browser").waitFor();
    await page.reload();
    await hydrated(page);
    const a = machine(page, "A");
    await atPrompt(a);
    expect(await says(a, "mem", /; 0 pages put in on demand/)).toBe(true);
    await button(a, "Save…").click();
    await button(page, "Restore").click();
    await page.getByText("goes on where it was saved").waitFor();
    await a.getByRole("log").filter({ hasText: "wrote and read 600df00d" }).waitFor();
    expect(await says(a, "mem", /; 1 pages put in on demand/)).toBe(true);
    expect(await says(a, "ping 10.0.2.2 1", /1 sent, 1 received/)).toBe(true);
    expect(problems).toEqual([]);
    await own.close();
  });

  it("saves to a file and restores it, and refuses another", browser.options, async () => {
    const { page, problems } = await open();
    const a = machine(page, "A");
    expect(await says(a, "fault", /wrote and read 600df00d/)).toBe(true);
    await button(a, "Save…").click();
    const [file] = await Promise.all([page.waitForEvent("download"), button(page, "Download").click()]);
    const bytes = readFileSync(await file.path());
    const restore = async (name: string, buffer: Buffer) => {
      await button(a, "Save…").click();
      const field = page.getByLabel(/^Restore a file/);
      await field.setInputFiles({ name, mimeType: "application/octet-stream", buffer });
    };
    await restore("cut.save", bytes.subarray(0, 9000));
    await a.getByRole("alert").filter({ hasText: "The save file is" }).waitFor();
    await restore("notes.txt", Buffer.from("shopping"));
    await a.getByRole("alert").filter({ hasText: "This is no save file of vmexit." }).waitFor();
    expect(await says(a, "fault", /wrote and read 600df00d/)).toBe(true);
    expect(await says(a, "mem", /; 2 pages put in on demand/)).toBe(true);
    await restore("vmexit-a.save", bytes);
    await page.getByText("goes on where it was saved").waitFor();
    expect(await says(a, "mem", /; 1 pages put in on demand/)).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("refuses an image that is none, and boots one that is", browser.options, async () => {
    const { page, problems } = await open();
    const a = machine(page, "A");
    const boot = async (name: string, buffer: Buffer, line: string) => {
      await button(a, "Boot…").click();
      await page.getByLabel(/^Files of yours/).check();
      await page.getByLabel(/^Kernel/).setInputFiles({ name, mimeType: "application/octet-stream", buffer });
      await page.getByRole("dialog").getByLabel("Command line").fill(line);
      await button(page.getByRole("dialog"), "Boot").click();
    };
    await boot("setup.exe", Buffer.from("MZ and more"), "");
    await a.getByRole("alert").filter({ hasText: "a program for EFI firmware" }).waitFor();
    await boot("image.elf", readFileSync(join(ROOT, "sandbox/guest/image.elf")), "nopaging nonet");
    await atPrompt(a);
    expect(await says(a, "mem", /13\d\d\d\d KiB; paging is off/)).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("costs a message and a restart when its worker dies", browser.options, async () => {
    const { page, problems } = await open();
    const [worker] = page.workers();
    await worker!.evaluate(() => {
      setTimeout(() => {
        throw new Error("somebody tripped over the cable");
      });
    });
    const message = page.getByRole("alert").filter({ hasText: "somebody tripped over the cable" });
    await message.waitFor();
    await button(page, "Start again").click();
    await machine(page, "A").locator(".state").filter({ hasText: "Sleeps in HLT" }).waitFor();
    await atPrompt(machine(page, "A"));
    expect(await message.count()).toBe(0);
    expect(await says(machine(page, "A"), "mem", /paging is on/)).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("can be used by the keyboard alone", browser.options, async () => {
    const { page, problems } = await open();
    const terminal = page.getByLabel("Type to machine A");
    await tabTo(page, terminal);
    await page.keyboard.type("irq\r");
    await machine(page, "A").getByRole("log").filter({ hasText: "IRQ 0" }).waitFor();
    // Tab is the guest's, and Ctrl+] leaves.
    await page.keyboard.press("Tab");
    expect(await terminal.evaluate(field => field === document.activeElement)).toBe(true);
    await page.keyboard.press("Control+]");
    expect(await terminal.evaluate(field => field === document.activeElement)).toBe(false);
    await page.keyboard.press("Tab");
    expect(await terminal.evaluate(field => field === document.activeElement)).toBe(false);

    await tabTo(page, button(page, "Monitor"), "Shift+Tab");
    await page.keyboard.press("Enter");
    await tabTo(page, terminal);
    await page.keyboard.press("Control+]");
    await tabTo(page, page.getByRole("tab", { name: "Processor" }));
    await page.keyboard.press("ArrowRight");
    await page.locator("pre[aria-label=Memory]").waitFor();
    await tabTo(page, button(machine(page, "A"), "Boot…"), "Shift+Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo(page, page.getByLabel(/^Options/));
    await page.keyboard.type("nonet");
    await page.keyboard.press("Enter");
    await machine(page, "A")
      .getByRole("log")
      .filter({ hasText: /network +off, as you asked/ })
      .waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it.each([
    { colorScheme: "dark", width: 1280 },
    { colorScheme: "light", width: 360 },
  ] as const)(
    "is readable for all: $colorScheme, $width px",
    browser.options,
    async ({ colorScheme, width }) => {
      const narrow = await site.chrome.newContext({ colorScheme, viewport: { width, height: 850 } });
      const { page, problems } = await open(narrow);
      await button(page, "Add a machine").click();
      await atPrompt(machine(page, "B"));
      await button(page, "Monitor").click();
      for (const tab of await page.getByRole("tab").all()) {
        await tab.click();
        expect(await overflow(page)).toBe(0);
        expect(await violations(page, ".sandbox"), (await tab.textContent()) ?? "").toEqual([]);
      }
      for (const [name, close] of [
        ["Boot…", "Cancel"],
        ["Save…", "Close"],
      ] as const) {
        await button(machine(page, "B"), name).click();
        expect(await violations(page, "dialog[open]"), name).toEqual([]);
        await button(page.getByRole("dialog"), close).click();
      }
      expect(problems).toEqual([]);
      await narrow.close();
    },
  );

  describe("the home page", () => {
    it("boots a machine, which answers, and moves nothing", browser.options, async () => {
      const page = await site.context.newPage();
      const problems = watch(page);
      await page.goto(site.server.url);
      const home = page.getByRole("region", { name: "A machine in this page" });
      const before = await home.boundingBox();
      await home.getByRole("log").filter({ hasText: "Type help." }).waitFor();
      expect(await home.boundingBox()).toEqual(before);
      await home.getByLabel("Type to the guest").fill("ping 10.0.2.2 1");
      await page.keyboard.press("Enter");
      await home.getByRole("log").filter({ hasText: "1 sent, 1 received" }).waitFor();
      expect(problems).toEqual([]);
      await page.close();
    });

    it("waits for a button where somebody asked for calm", browser.options, async () => {
      const calm = await site.chrome.newContext({ reducedMotion: "reduce" });
      const page = await calm.newPage();
      await page.goto(site.server.url);
      await hydrated(page);
      await button(page, "Boot the machine").waitFor();
      expect(page.workers()).toEqual([]);
      await button(page, "Boot the machine").click();
      await page.getByRole("log").filter({ hasText: "Type help." }).waitFor();
      await calm.close();
    });
  });
});

function button(within: Page | Locator, name: string): Locator {
  return within.getByRole("button", { name, exact: true });
}

function machine(page: Page, name: "A" | "B"): Locator {
  return page.getByRole("region", { name: `Machine ${name}`, exact: true });
}

async function atPrompt(within: Locator): Promise<void> {
  await within.getByRole("log").filter({ hasText: /\n> $/ }).waitFor();
  // The terminal is fetched meanwhile.
  await within.getByLabel(/^Type to machine/).waitFor({ state: "attached" });
}

async function said(within: Locator): Promise<string> {
  return (await within.getByRole("log").textContent()) ?? "";
}

/** Types a command into the terminal, waits until it is carried out, and tells whether this was the answer. */
async function says(within: Locator, command: string, answer: RegExp): Promise<boolean> {
  await within.getByLabel(/^Type to machine/).focus();
  await within.page().keyboard.type(`${command}\r`);
  const log = within.getByRole("log");
  await log.filter({ hasText: new RegExp(`(^|> )${command}\\n[^>]*\\n> $`) }).waitFor();
  return answer.test((await said(within)).split(`${command}\n`).at(-1)!);
}

/** Presses Tab until this has the focus. */
async function tabTo(page: Page, wanted: Locator, key = "Tab"): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await wanted.evaluate(element => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${wanted} cannot be reached by ${key}`);
}
