/** What is built beside the pages: for other sites that show a link, for programs that read, for no network. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layerFiles, readChapter } from "../chapters/tools/chapters.ts";
import {
  BASE,
  BUILD_TIMEOUT,
  buildSite,
  htmlOf,
  markdownPages,
  ROOT,
  SITE,
  SITE_URL,
} from "./checks/built-site.ts";
import { item, load, settled, solve } from "./checks/exercise-panel.ts";
import { status } from "./checks/machine-panel.ts";
import { hydrated, watch } from "./checks/pages.ts";
import { atPrompt, machine as sandboxMachine, says } from "./checks/sandbox-panel.ts";
import { serveSite } from "./checks/serve.ts";
import { browser } from "./checks/site-in-chromium.ts";
import { precacheOf, serviceWorker } from "./offline/precache.ts";
import { pathOf } from "./publish/address.ts";
import { figureWords } from "./publish/figure-words.ts";

const pages = markdownPages();
const addressOf = (page: string) => `${SITE_URL}${BASE}${pathOf(page)}`;
const inSite = (address: string) => join(SITE, address.slice(`${SITE_URL}${BASE}`.length));

beforeAll(buildSite, BUILD_TIMEOUT);

describe.each(pages)("%s", page => {
  const meta = (html: string, name: string) =>
    new RegExp(`<meta (?:name|property)="${name}" content="([^"]*)"`).exec(html)?.[1];

  it("has one canonical address", () => {
    const links = [...htmlOf(page).matchAll(/<link rel="canonical" href="([^"]*)"/g)].map(([, href]) => href);
    expect(links).toEqual([addressOf(page)]);
    expect(meta(htmlOf(page), "og:url")).toBe(addressOf(page));
  });

  it("has a social card with words and a picture of its own", () => {
    const html = htmlOf(page);
    expect(meta(html, "og:title")).toBe(/<title>([^<]*)/.exec(html)?.[1]);
    for (const name of ["og:description", "twitter:description"]) {
      expect(meta(html, name)).toBe(meta(html, "description"));
    }
    expect(meta(html, "twitter:image")).toBe(meta(html, "og:image"));
    expect(
      readFileSync(inSite(meta(html, "og:image")!))
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
  });
});

describe("beside the pages", () => {
  it("the sitemap names every page", () => {
    const named = [...readFileSync(join(SITE, "sitemap.xml"), "utf8").matchAll(/<loc>([^<]*)/g)];
    expect(named.map(([, address]) => address).sort()).toEqual(pages.map(addressOf).sort());
  });

  it("llms.txt leads to every page as Markdown, and llms-full.txt has them all", () => {
    const links = [...readFileSync(join(SITE, "llms.txt"), "utf8").matchAll(/\]\(([^)]*)\)/g)];
    const files = links.map(([, address]) => inSite(address!));
    expect(files.filter(file => !existsSync(file))).toEqual([]);
    expect(files.length).toBe(pages.length + 1);
    const whole = readFileSync(join(SITE, "llms-full.txt"), "utf8");
    for (const page of pages) expect(whole).toContain(readFileSync(join(SITE, page), "utf8"));
  });

  it("the Markdown has the words of every figure with a caption", () => {
    const figures = pages.flatMap(page =>
      [...figureWords(htmlOf(page)).values()].map(words => [page, words]),
    );
    expect(figures.length).toBeGreaterThan(50);
    const without = figures.filter(
      ([page, words]) => !readFileSync(join(SITE, page!), "utf8").includes(`\n\nIn words: ${words}`),
    );
    expect(without).toEqual([]);
  });

  it("the page for addresses that are none leads home", () => {
    const html = readFileSync(join(SITE, "404.html"), "utf8");
    expect(html).toContain("vmexit");
    expect(html).not.toContain('rel="canonical"');
  });

  it("the service worker keeps all that a page loads", () => {
    const { files } = precacheOf(SITE);
    for (const page of [...pages.map(name => name.replace(/\.md$/, ".html")), "404.html"]) {
      expect(files, page).toHaveProperty([page]);
      const html = readFileSync(join(SITE, page), "utf8");
      for (const [, path] of html.matchAll(/\s(?:src|href)="([^"#]*\.(?:js|css|woff2|svg|png))"/g)) {
        if (path!.startsWith(BASE)) expect(files, page).toHaveProperty([path!.slice(BASE.length)]);
      }
    }
    expect(Object.keys(files).filter(name => /^social|\.md$|^sw\.js$/.test(name))).toEqual([]);
  });
});

describe("without a network", browser.options, () => {
  let chrome: Browser;
  let copy: string;
  beforeAll(async () => {
    if (!browser.available) return;
    chrome = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    copy = mkdtempSync(join(tmpdir(), "vmexit-site-"));
    cpSync(SITE, copy, { recursive: true });
  }, 120_000);
  afterAll(async () => {
    await chrome?.close();
    if (copy) rmSync(copy, { recursive: true });
  });

  const heading = async (page: Page) =>
    (await page.locator("h1").first().innerText()).replaceAll("\u200b", "").trim();

  it("a visited book opens, on every page, with a machine that runs", {
    ...browser.options,
    timeout: 240_000,
  }, async () => {
    const server = await serveSite(copy);
    const context = await chrome.newContext();
    const page = await context.newPage();
    await page.goto(`${server.url}glossary.html`);
    await controlled(page);
    await server.close();

    const problems = watch(page);
    await page.reload();
    await hydrated(page);
    expect(await heading(page)).toBe("Glossary");
    for (const name of pages) {
      await page.goto(server.url + pathOf(name));
      await hydrated(page);
      expect(await page.title()).toBe(/<title>([^<]*)/.exec(htmlOf(name))?.[1]);
    }
    await page.goto(`${server.url}chapters/01-minimal-vm.html`);
    await hydrated(page);
    const machine = page.locator(".machine").first();
    await machine.getByRole("button", { name: "Run", exact: true }).first().click();
    await machine.locator("p.status").filter({ hasText: /HLT/ }).waitFor();
    await page.keyboard.press("Control+k");
    await page.locator(".VPLocalSearchBox input").fill("triple fault");
    await page.locator(".VPLocalSearchBox .result").first().waitFor();
    await page.keyboard.press("Escape");
    await solveOffline(page);
    await page.goto(`${server.url}sandbox.html`);
    await page.reload();
    await hydrated(page);
    await atPrompt(sandboxMachine(page, "A"));
    expect(await says(sandboxMachine(page, "A"), "ping 10.0.2.2 2", /2 sent, 2 received/)).toBe(true);
    expect(problems).toEqual([]);
    await context.close();
  });

  /** On the page of chapter 1: the tests of an exercise, and the machine on what was written, before and after a reload. */
  async function solveOffline(page: Page): Promise<void> {
    const chapter = readChapter("01-minimal-vm");
    const task = chapter.tasks[0]!;
    const reference = layerFiles(chapter.name).map(
      file => [file, readFileSync(join(ROOT, "solutions", chapter.name, file), "utf8")] as const,
    );
    await solve(page, task);
    await settled(page, () => load(page, reference));
    await item(page, task).locator(".solved").waitFor();
    await page.reload();
    await hydrated(page);
    await item(page, task).locator(".solved").waitFor();
    await solve(page, task);
    await page.getByRole("button", { name: "Run the machine on your layers" }).click();
    const machine = page.locator(".solve-machine .machine");
    await status(machine).filter({ hasText: "The guest has ended with HLT" }).waitFor();
    expect(await machine.getByRole("log").textContent()).toBe("4\n");
    // The disassembler's WebAssembly was kept, too.
    await machine.getByRole("group", { name: "Breakpoints" }).waitFor();
  }

  it("a new version takes the old one’s place when its last page is closed", {
    ...browser.options,
    timeout: 240_000,
  }, async () => {
    const server = await serveSite(copy);
    const context = await chrome.newContext();
    const first = await context.newPage();
    await first.goto(`${server.url}glossary.html`);
    await controlled(first);

    const file = join(copy, "glossary.html");
    writeFileSync(file, readFileSync(file, "utf8").replace("<html", '<html data-version="new"'));
    writeFileSync(join(copy, "sw.js"), await serviceWorker(precacheOf(copy)));
    const asked: string[] = [];
    server.onRequest = path => asked.push(path);
    await first.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration())!;
      await registration.update();
      const worker = registration.installing ?? registration.waiting!;
      while (worker.state === "installing") await new Promise(resolve => setTimeout(resolve, 50));
      if (worker.state !== "installed") throw new Error(`the new version is ${worker.state}`);
    });
    expect(asked.sort()).toEqual(["glossary.html", "sw.js"]);
    await server.close();
    expect(await cachesOf(first)).toBe(2);

    await first.reload();
    expect(await versionOf(first)).toBeUndefined();
    const second = await context.newPage();
    await first.close();
    await expect
      .poll(async () => {
        await second.goto("about:blank");
        await second.goto(`${server.url}glossary.html`);
        return versionOf(second);
      })
      .toBe("new");
    await expect.poll(() => cachesOf(second)).toBe(1);
    await context.close();
  });

  const versionOf = (page: Page) => page.evaluate(() => document.documentElement.dataset["version"]);
  const cachesOf = (page: Page) => page.evaluate(async () => (await caches.keys()).length);
});

/** Waits until the service worker has all files and answers for the page. */
async function controlled(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated", undefined, {
    timeout: 120_000,
  });
}
