/** The sandbox and the home page's machine in a browser, on the built site. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { ROOT } from "./checks/built-site.ts";
import { hydrated, overflow, violations, watch } from "./checks/pages.ts";
import { atPrompt, machine, says } from "./checks/sandbox-panel.ts";
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

  it("takes what is dropped on a machine: a kernel, a save file", browser.options, async () => {
    const { page, problems } = await open();
    const a = machine(page, "A");
    const image = readFileSync(join(ROOT, "sandbox/guest/image.elf"));
    await drop(page, a, [
      { name: "image.elf", bytes: image },
      { name: "disk.cpio.gz", bytes: Buffer.from("an archive") },
    ]);
    const dialog = page.getByRole("dialog");
    await dialog.getByText("image.elf, 0.0 MiB").waitFor();
    await dialog.getByText("disk.cpio.gz, 0.0 MiB").waitFor();
    await dialog.getByLabel("Command line").fill("nonet");
    await button(dialog, "Boot").click();
    await a.getByRole("heading", { name: "A image.elf" }).waitFor();
    await atPrompt(a);
    expect(await says(a, "fault", /wrote and read 600df00d/)).toBe(true);

    await button(a, "Save…").click();
    const [file] = await Promise.all([page.waitForEvent("download"), button(page, "Download").click()]);
    const bytes = readFileSync(await file.path());
    expect(await says(a, "fault", /wrote and read 600df00d/)).toBe(true);
    // Its name says nothing: its first bytes do.
    await drop(page, a, [{ name: "renamed.bin", bytes }]);
    await page.getByText("goes on where it was saved").waitFor();
    expect(await says(a, "mem", /; 1 pages put in on demand/)).toBe(true);

    await drop(page, a, [{ name: "notes.txt", bytes: Buffer.from("shopping") }]);
    await dialog.getByText("notes.txt, 0.0 MiB").waitFor();
    await button(dialog, "Cancel").click();
    expect(problems).toEqual([]);
    await page.close();
  });

  it("marks where a file would land, and loses no machine to one that misses", browser.options, async () => {
    const { page, problems } = await open();
    const a = machine(page, "A");
    const marked = () => a.evaluate(pane => pane.classList.contains("target"));
    const drag = (within: Locator, type: string, what: "file" | "text") =>
      within.evaluate(
        (element, { type, what }) => {
          const dataTransfer = new DataTransfer();
          if (what === "file") dataTransfer.items.add(new File(["bytes"], "vmlinuz"));
          else dataTransfer.setData("text/plain", "a word");
          const init = { dataTransfer, bubbles: true, cancelable: true, relatedTarget: element };
          return !element.dispatchEvent(new DragEvent(type, init));
        },
        { type, what },
      );
    expect(await drag(a, "dragover", "text")).toBe(false);
    expect(await marked()).toBe(false);
    expect(await drag(a.getByRole("heading"), "dragover", "file")).toBe(true);
    await expect.poll(marked).toBe(true);
    // From one of its parts to another: still over it.
    await drag(a.getByRole("heading"), "dragleave", "file");
    await drag(a.locator("footer"), "dragover", "file");
    expect(await marked()).toBe(true);
    await a.evaluate(pane =>
      pane.dispatchEvent(new DragEvent("dragleave", { bubbles: true, relatedTarget: document.body })),
    );
    await expect.poll(marked).toBe(false);
    // The browser would open it in the place of this page.
    expect(await drag(page.locator("h1"), "dragover", "file")).toBe(true);
    expect(await drag(page.locator("h1"), "drop", "file")).toBe(true);
    expect(await drag(page.locator("h1"), "drop", "text")).toBe(false);
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(await says(a, "mem", /paging is on/)).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("fills the screen, its dialogs too, and goes back", browser.options, async () => {
    const { page, problems } = await open();
    const a = machine(page, "A");
    const rows = () => a.locator(".xterm-rows > div").count();
    const before = await rows();
    const full = button(page, "Full screen");
    expect(await full.getAttribute("aria-pressed")).toBe("false");
    await full.click();
    await expect.poll(() => full.getAttribute("aria-pressed")).toBe("true");
    await expect
      .poll(() =>
        page.locator(".sandbox").evaluate(frame => {
          const { x, y, width, height } = frame.getBoundingClientRect();
          return x === 0 && y === 0 && width === innerWidth && height === innerHeight;
        }),
      )
      .toBe(true);
    await expect.poll(rows).toBeGreaterThan(before);
    expect(await says(a, "ping 10.0.2.2 1", /1 sent, 1 received/)).toBe(true);
    await button(a, "Boot…").click();
    await button(page.getByRole("dialog"), "Cancel").click();
    await full.click();
    await expect.poll(() => full.getAttribute("aria-pressed")).toBe("false");
    await expect.poll(rows).toBe(before);
    expect(problems).toEqual([]);
    await page.close();
  });

  it.each([
    { who: "asked for few bytes", wish: savesData, keepsBook: false },
    { who: "asked for calm", wish: isCalm, keepsBook: true },
  ])("waits for a button where somebody $who", browser.options, async ({ wish, keepsBook }) => {
    const own = await site.chrome.newContext();
    const page = await own.newPage();
    await wish(page);
    const fetched: string[] = [];
    page.on("request", request => fetched.push(request.url()));
    await page.goto(`${site.server.url}sandbox.html`, { waitUntil: "networkidle" });
    await hydrated(page);
    const a = machine(page, "A");
    await a.getByText("or drop a kernel").waitFor();
    // Longer than the page waits for idleness, and than it puts off keeping the book for reading offline.
    await page.waitForTimeout(3000);
    expect(page.workers()).toEqual([]);
    const registrations = () =>
      page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
    expect(await registrations()).toBe(keepsBook ? 1 : 0);
    expect(fetched.filter(url => /\.elf$|\/worker-|xterm/.test(url))).toEqual([]);
    await button(a, "Boot the embedded guest").click();
    await atPrompt(a);
    await own.close();
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

    it.each([
      { who: "asked for few bytes", wish: savesData },
      { who: "asked for calm", wish: isCalm },
    ])("waits for a button where somebody $who", browser.options, async ({ wish }) => {
      const calm = await site.chrome.newContext();
      const page = await calm.newPage();
      await wish(page);
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

/** Drops files on it, as the browser does when they come from outside. */
async function drop(
  page: Page,
  on: Locator,
  files: readonly { readonly name: string; readonly bytes: Buffer }[],
): Promise<void> {
  const dataTransfer = await page.evaluateHandle(
    given => {
      const transfer = new DataTransfer();
      for (const { name, base64 } of given) {
        const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
        transfer.items.add(new File([bytes], name));
      }
      return transfer;
    },
    files.map(({ name, bytes }) => ({ name, base64: bytes.toString("base64") })),
  );
  await on.dispatchEvent("dragover", { dataTransfer });
  await on.dispatchEvent("drop", { dataTransfer });
  await dataTransfer.dispose();
}

/** The wish that a browser tells the page of where somebody pays for each byte. */
function savesData(page: Page): Promise<unknown> {
  return page.addInitScript(() => {
    const { connection } = navigator as Navigator & { readonly connection: object };
    Object.defineProperty(Object.getPrototypeOf(connection), "saveData", { get: () => true });
  });
}

function isCalm(page: Page): Promise<unknown> {
  return page.emulateMedia({ reducedMotion: "reduce" });
}

/** Presses Tab until this has the focus. */
async function tabTo(page: Page, wanted: Locator, key = "Tab"): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await wanted.evaluate(element => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${wanted} cannot be reached by ${key}`);
}
