/** Exercises solved in the page, in a browser, on the built site: red with the starter, green with the reference. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Chapter, Task } from "../chapters/tools/chapter-manifest.ts";
import { layerFiles, readChapters } from "../chapters/tools/chapters.ts";
import { layerWithout } from "../chapters/tools/layer-variants.ts";
import { holeMessage } from "../chapters/tools/starter.ts";
import { generatedStarter } from "../chapters/tools/starter-files.ts";
import { ROOT } from "./checks/built-site.ts";
import {
  button,
  editor,
  item,
  load,
  openChapter,
  settled,
  solve,
  testAsTyped,
} from "./checks/exercise-panel.ts";
import { hydrated, overflow, violations } from "./checks/pages.ts";
import { browser, siteInChromium } from "./checks/site-in-chromium.ts";
import { chapterPages } from "./content/chapter-pages.ts";

const pages = new Set(chapterPages().map(({ name }) => name));
const chapters = readChapters().filter(({ name }) => pages.has(name));
const first = chapters[0]!;
const reference = (file: string) => readFileSync(join(ROOT, "solutions", first.name, file), "utf8");

describe("exercises in Chromium", browser.options, () => {
  const site = siteInChromium();

  const open = (chapter: string, from: { newPage(): Promise<Page> } = site.context) =>
    openChapter(`${site.server.url}chapters/${chapter}.html`, from);

  it.each(chapters)(
    "$name: every exercise is red with the starter, in its own words, and green with the reference",
    { ...browser.options, timeout: 240_000 },
    async chapter => {
      const own = await site.chrome.newContext({ viewport: { width: 1280, height: 900 } });
      const { page, problems } = await open(chapter.name, own);
      await solve(page, chapter.tasks[0]!);
      await editor(page).waitFor();

      const holes = chapter.tasks.flatMap(task => wordsOf(chapter, task));
      await settled(page, () => button(page, "Test the chapter").click());
      for (const task of chapter.tasks) {
        await solve(page, task);
        const told = await results(page);
        expect(told.length, task.id).toBeGreaterThan(0);
        for (const { verdict, message } of told) {
          expect(verdict, task.id).toBe("hole");
          expect(holes, task.id).toContain(message);
        }
        expect(await fileShown(page), task.id).toBe(task.file);
      }

      const written = [...new Set(chapter.tasks.map(({ file }) => file))];
      const solution = (file: string) => readFileSync(join(ROOT, "solutions", chapter.name, file), "utf8");
      // One exercise left to write: its tests are red with its own words, and this failure is expected.
      for (const task of chapter.tasks) {
        const without = layerWithout(chapter, task).get(`${chapter.name}/${task.file}`)!;
        await solve(page, task);
        await testAsTyped(page, false);
        await load(
          page,
          written.map(file => [file, file === task.file ? without : solution(file)]),
        );
        await settled(page, () => button(page, "Test").click());
        const told = await results(page);
        expect(told.length, task.id).toBeGreaterThan(0);
        for (const { verdict, message } of told) {
          expect(verdict, task.id).toBe("hole");
          expect(wordsOf(chapter, task), task.id).toContain(message);
        }
        expect(await page.locator(".solve-results .expected").first().textContent()).toBe(
          "This failure is expected: the exercise is yours to write.",
        );
      }

      await load(
        page,
        written.map(file => [file, solution(file)]),
      );
      await settled(page, () => button(page, "Test the chapter").click());
      for (const task of chapter.tasks) {
        await item(page, task).locator(".solved").waitFor();
      }
      const done = await page.evaluate(
        name => document.documentElement.style.getPropertyValue(name),
        `--done-${chapter.name.slice(0, 2)}`,
      );
      expect(Number(done)).toBe(chapter.tasks.length);
      expect(problems).toEqual([]);
      await own.close();
    },
  );

  it("fetches nothing of the editor or the tests before an exercise is opened", browser.options, async () => {
    const page = await site.context.newPage();
    const scripts: { url: string; bytes: number }[] = [];
    page.on("response", async response => {
      if (response.url().endsWith(".js")) {
        scripts.push({ url: response.url(), bytes: (await response.body()).length });
      }
    });
    await page.goto(`${site.server.url}chapters/${first.name}.html`, { waitUntil: "networkidle" });
    const before = scripts.length;
    expect(scripts.filter(({ url }) => /SolveWorkspace|bench-worker|remote-bench|editor/.test(url))).toEqual(
      [],
    );
    await solve(page, first.tasks[0]!);
    await page.locator(".solve-results li").first().waitFor();
    expect(scripts.length).toBeGreaterThan(before);
    // The reference stays away until the exercise is solved.
    const references = scripts.filter(({ url }) => /SolveDiff/.test(url));
    expect(references).toEqual([]);
    await page.close();
  });

  it("an endless loop costs a message, and the page goes on", browser.options, async () => {
    const own = await site.chrome.newContext();
    const { page, problems } = await open(first.name, own);
    const task = first.tasks.find(({ id }) => id === "dispatch")!;
    await solve(page, task);
    const text = reference(task.file);
    const find = "read(address: number, size: 1 | 2 | 4): number {";
    expect(text).toContain(find);
    await settled(page, () => load(page, [[task.file, text.replace(find, `${find} for (;;);`)]]));
    await page.locator('.solve-results [data-verdict="limit"]').waitFor();
    const message = await page.locator('.solve-results [data-verdict="limit"] pre').textContent();
    expect(message).toMatch(/“bus” does not come to an end: this loop has gone round [\d,]+ times/);
    const line = text.slice(0, text.indexOf(find)).split("\n").length;
    await button(page, `Go to bus.ts, line ${line}`).waitFor();
    await settled(page, () => load(page, [[task.file, text]]));
    await item(page, task).locator(".solved").waitFor();
    expect(problems).toEqual([]);
    await own.close();
  });

  it("what is no TypeScript is told with its line, which the page goes to", browser.options, async () => {
    const own = await site.chrome.newContext();
    const { page } = await open(first.name, own);
    const task = first.tasks.find(({ id }) => id === "dispatch")!;
    await solve(page, task);
    const lines = reference(task.file).split("\n");
    await settled(page, () => load(page, [[task.file, [...lines, "const = 7;"].join("\n")]]));
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).toContain(`bus.ts, line ${lines.length + 1}: `);
    await button(page, `Go to bus.ts, line ${lines.length + 1}`).click();
    expect(await page.evaluate(() => document.activeElement?.classList.contains("cm-content"))).toBe(true);
    await own.close();
  });

  it("keeps the work over a reload, and gives it back as the very file", browser.options, async () => {
    const own = await site.chrome.newContext({ acceptDownloads: true });
    const { page, problems } = await open(first.name, own);
    const task = first.tasks.find(({ id }) => id === "dispatch")!;
    await solve(page, task);
    await editor(page).waitFor();

    expect(await downloaded(page)).toEqual(["bus.ts", generatedStarter(first, "bus.ts")]);
    const text = `${reference("bus.ts")}// Mine: tabs \t, “quotes”, ünïcode.\n`;
    await settled(page, () => load(page, [["bus.ts", text.replaceAll("\n", "\r\n")]]));
    await item(page, task).locator(".solved").waitFor();

    await page.reload();
    await hydrated(page);
    await item(page, task).locator(".solved").waitFor();
    await solve(page, task);
    await editor(page).waitFor();
    expect(await downloaded(page)).toEqual(["bus.ts", text]);

    // The reference's way is shown only of what is solved.
    await button(page, "Compare with the reference").click();
    await page.locator(".solve-diff .cm-content").waitFor();
    expect(await page.locator(".solve-diff").textContent()).toContain("letter by letter");

    await button(page, "Reset…").click();
    await button(page, "Reset bus.ts").click();
    expect((await downloaded(page))[1]).toBe(generatedStarter(first, "bus.ts"));
    await button(page, "Undo the reset").click();
    expect((await downloaded(page))[1]).toBe(text);
    expect(problems).toEqual([]);
    await own.close();
  });

  it("refuses a file that is none of the chapter's", browser.options, async () => {
    const { page } = await open(first.name);
    await solve(page, first.tasks[0]!);
    await editor(page).waitFor();
    await load(page, [["machine.ts", "export {};\n"]]);
    const status = page.locator(".solve-status");
    await expect
      .poll(() => status.textContent())
      .toContain("Not loaded: machine.ts is none of this chapter's files to write");
    await page.close();
  });

  it("can be done by keyboard alone", browser.options, async () => {
    const own = await site.chrome.newContext({ viewport: { width: 1280, height: 900 } });
    const { page } = await open(first.name, own);
    const task = first.tasks.find(({ id }) => id === "map-slots")!;
    await item(page, task).locator(".solve-open").focus();
    await page.keyboard.press("Enter");
    await editor(page).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.className)).toContain("cm-content");

    // The cursor stands in the exercise, before its throw.
    await page.keyboard.press("Home");
    await page.keyboard.type("return;\n");
    await page.keyboard.press("Control+Enter");
    await page.locator('.solve-results [data-verdict="failed"]').first().waitFor();
    expect(await page.locator(".solve-results details[open] pre").first().textContent()).toMatch(/expected/);

    // Tab indents; after Escape it leaves.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.closest(".cm-editor"))).toBeNull();
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Test");
    await own.close();
  });

  it("completes the layer's names", browser.options, async () => {
    const { page } = await open(first.name);
    const task = first.tasks.find(({ id }) => id === "translate")!;
    await solve(page, task);
    await expect.poll(() => page.evaluate(() => document.activeElement?.className)).toContain("cm-content");
    await page.keyboard.press("Home");
    await page.keyboard.type("this.#sl");
    const list = page.locator(".cm-tooltip-autocomplete li");
    await list.filter({ hasText: "#slots" }).first().waitFor();
    expect(await list.first().textContent()).toContain("#slots");
    await page.close();
  });

  it.each([
    { colorScheme: "dark", width: 1280 },
    { colorScheme: "light", width: 360 },
  ] as const)(
    "is readable for all: $colorScheme, $width px",
    browser.options,
    async ({ colorScheme, width }) => {
      const own = await site.chrome.newContext({ colorScheme, viewport: { width, height: 800 } });
      const { page, problems } = await open(first.name, own);
      const task = first.tasks[0]!;
      await solve(page, task);
      await page.locator(".solve-results li").first().waitFor();
      await settled(page, async () => {});
      expect(await overflow(page)).toBe(0);
      expect(await violations(page, ".exercises")).toEqual([]);
      await settled(page, () =>
        load(
          page,
          layerFiles(first.name).map(file => [file, reference(file)]),
        ),
      );
      await button(page, "Compare with the reference").click();
      await page.locator(".solve-diff .cm-content").waitFor();
      await button(page, "Reset…").click();
      expect(await overflow(page)).toBe(0);
      expect(await violations(page, ".exercises")).toEqual([]);
      expect(problems).toEqual([]);
      await own.close();
    },
  );
});

function wordsOf(chapter: Chapter, task: Task): string[] {
  return task.regions.map(region => holeMessage(chapter, task, region));
}

async function results(page: Page): Promise<{ verdict: string; message: string }[]> {
  await page.locator(".solve-results li").first().waitFor();
  return page.locator(".solve-results li").evaluateAll(items =>
    items.map(element => ({
      verdict: (element as HTMLElement).dataset["verdict"]!,
      message: element.querySelector("pre")?.textContent ?? "",
    })),
  );
}

function fileShown(page: Page): Promise<string> {
  return page.locator(".solve select").inputValue();
}

async function downloaded(page: Page): Promise<[name: string, text: string]> {
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download").click()]);
  return [download.suggestedFilename(), readFileSync(await download.path(), "utf8")];
}
