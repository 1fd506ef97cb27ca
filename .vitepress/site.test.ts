import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  BUILD_TIMEOUT,
  brokenLinks,
  buildSite,
  htmlOf,
  markdownOf,
  markdownPages,
  REPOSITORY,
  ROOT,
  SITE,
  textOf,
} from "./checks/built-site.ts";
import { visit } from "./checks/page-weight.ts";
import { hydrated, overflow, violations, watch } from "./checks/pages.ts";
import { browser, siteInChromium } from "./checks/site-in-chromium.ts";
import { chapterManifests, chapterPages } from "./content/chapter-pages.ts";
import { countWords } from "./content/prose.ts";

const pages = markdownPages();
const chapters = pages.filter(page => page.startsWith("chapters/"));

beforeAll(buildSite, BUILD_TIMEOUT);

describe("the built site", () => {
  it("has every page", () => {
    for (const page of pages) expect(textOf(htmlOf(page)).length, page).toBeGreaterThan(500);
  });

  it("has no broken link, anchor, image or script", () => {
    expect(brokenLinks()).toEqual([]);
  });

  it("names every page in the sidebar", () => {
    const sidebar = htmlOf("glossary.md");
    for (const page of pages.filter(name => name !== "index.md")) {
      expect(sidebar, page).toContain(`/${page.replace(/\.md$/, ".html")}"`);
    }
  });

  it("shows no region marker and no hole of an exercise", () => {
    for (const page of pages) {
      const code = [...htmlOf(page).matchAll(/<pre[\s\S]*?<\/pre>/g)]
        .map(([block]) => textOf(block))
        .join("\n");
      expect(code, page).not.toMatch(/#(end)?region|exercise-[a-z]/);
    }
  });

  it("links each snippet to the lines that it shows", () => {
    const links = [...htmlOf("chapters/01-minimal-vm.md").matchAll(/<a class="path" href="([^"]+)"/g)];
    expect(links.length).toBeGreaterThan(4);
    for (const [, href] of links) {
      const [, path, first, last] =
        /^.*\/blob\/main\/([^#]+)(?:#L(\d+)-L(\d+))?$/.exec(href!.slice(REPOSITORY.length)) ?? [];
      const lines = readFileSync(join(ROOT, path!), "utf8").split("\n");
      if (!first) continue;
      expect(lines[Number(first) - 2], href).toContain("#region");
      expect(lines[Number(last)], href).toContain("#endregion");
    }
  });

  it("says where to edit a page and when it was changed", () => {
    for (const page of pages.filter(name => name !== "index.md")) {
      expect(htmlOf(page)).toContain(`href="${REPOSITORY}/edit/main/docs/${page}"`);
      expect(htmlOf(page)).toContain("Last updated");
    }
  });

  it("has a search index", () => {
    const theme = readFileSync(join(SITE, "hashmap.json"), "utf8");
    expect(JSON.parse(theme)).toHaveProperty("glossary.md");
  });
});

describe.each(chapters)("%s", page => {
  const chapter = chapterManifests().find(({ name }) => page === `chapters/${name}.md`);

  it("belongs to a chapter and is in the sidebar", () => {
    expect(chapterPages().map(({ link }) => `${link.slice(1)}.md`)).toContain(page);
  });

  it("has 1,000 to 1,800 words of prose", () => {
    const words = countWords(markdownOf(page));
    expect(words).toBeGreaterThanOrEqual(1000);
    expect(words).toBeLessThanOrEqual(1800);
  });

  it("has at least three figures, each with a text alternative", () => {
    const figures = [...htmlOf(page).matchAll(/<figure class="figure"([^>]*)>/g)].map(match => match[1]!);
    expect(figures.length).toBeGreaterThanOrEqual(3);
    for (const attributes of figures) expect(attributes).toMatch(/aria-label="[^"]{40,}"/);
  });

  it("has the heading that each task sends its learner to", () => {
    const headings = new Map(
      [...htmlOf(page).matchAll(/<h[23] id="([^"]+)"[^>]*>([\s\S]*?)<\/h[23]>/g)].map(match => [
        match[1]!,
        textOf(match[2]!.replace(/<a [\s\S]*/, "")).trim(),
      ]),
    );
    for (const task of chapter!.tasks) expect(headings.get(task.anchor), task.id).toBe(task.heading);
  });
});

describe("in Chromium", browser.options, () => {
  const site = siteInChromium();

  const looks = [
    { colorScheme: "dark", width: 1280, accessible: true },
    { colorScheme: "light", width: 1280, accessible: false },
    { colorScheme: "dark", width: 390, accessible: false },
    { colorScheme: "light", width: 390, accessible: true },
    { colorScheme: "light", width: 360, accessible: false },
  ] as const;

  it.each(looks)(
    "every page loads without an error and fits the window: $colorScheme, $width px, with axe: $accessible",
    { ...browser.options, timeout: 300_000 },
    async ({ colorScheme, width, accessible }) => {
      const context = await site.chrome.newContext({ colorScheme, viewport: { width, height: 850 } });
      const page = await context.newPage();
      const problems = watch(page);
      for (const name of pages) {
        await page.goto(
          site.server.url + name.replace(/(index)?\.md$/, (_, index) => (index ? "" : ".html")),
        );
        await hydrated(page);
        await page.evaluate(() => {
          for (const folded of document.querySelectorAll("details")) folded.open = true;
        });
        expect(await overflow(page), `${name} is wider than its window`).toBe(0);
        expect(await page.evaluate(() => document.documentElement.classList.contains("dark")), name).toBe(
          colorScheme === "dark",
        );
        if (accessible) expect(await violations(page), name).toEqual([]);
        expect(problems, name).toEqual([]);
      }
      await context.close();
    },
  );

  it.each(chapters)(
    "%s transfers at most 200 kB of script before it is touched",
    { ...browser.options, timeout: 120_000 },
    async name => {
      const { script, all } = await visit(site.chrome, site.server.url + name.replace(/\.md$/, ".html"));
      expect(script).toBeGreaterThan(50_000);
      expect(script).toBeLessThanOrEqual(200_000);
      expect(all).toBeGreaterThan(script);
    },
  );

  it.each([1280, 390])(
    "nothing moves while a page comes up: %i px",
    { ...browser.options, timeout: 120_000 },
    async width => {
      for (const path of ["", "sandbox.html", "chapters/01-minimal-vm.html", "instructors/syllabus.html"]) {
        const { layoutShift } = await visit(site.chrome, site.server.url + path, width);
        expect(layoutShift, path).toBeLessThan(0.01);
      }
    },
  );

  it(
    "a chapter prints without what surrounds it, and with the addresses of its links",
    browser.options,
    async () => {
      const page = await site.chrome.newPage({ colorScheme: "dark" });
      await page.goto(`${site.server.url}chapters/03-paging.html`);
      await hydrated(page);
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      for (const part of [".VPNav", ".VPSidebar", ".VPLocalNav", ".VPDocFooter", ".VPDocAside", ".machine"]) {
        expect(await page.locator(part).filter({ visible: true }).count(), part).toBe(0);
      }
      const link = page.locator('.vp-doc :is(p, li) a[href^="https://"]').first();
      const shown = await link.evaluate(element => getComputedStyle(element, "::after").content);
      expect(shown).toContain((await link.getAttribute("href"))!);
      const colours = await page.evaluate(() => {
        const { color, backgroundColor } = getComputedStyle(document.querySelector(".vp-doc")!);
        return [color, backgroundColor, getComputedStyle(document.body).backgroundColor];
      });
      expect(colours[0]).toBe("rgb(0, 0, 0)");
      expect(colours[2]).toBe("rgb(255, 255, 255)");
      await page.close();
    },
  );

  it("a folded answer opens by the keyboard", browser.options, async () => {
    const page = await site.chrome.newPage();
    await page.goto(`${site.server.url}chapters/01-minimal-vm.html`);
    const question = page.locator("details.predict > summary").first();
    await question.focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("details.predict").first().getAttribute("open")).toBe("");
    await page.close();
  });

  it("the search finds a term", browser.options, async () => {
    const page = await site.chrome.newPage();
    await page.goto(site.server.url);
    await hydrated(page);
    await page.keyboard.press("Control+k");
    await page.locator(".VPLocalSearchBox input").fill("triple fault");
    await page.locator(".VPLocalSearchBox .result").first().waitFor();
    expect(await page.locator(".VPLocalSearchBox .result").count()).toBeGreaterThan(1);
    await page.close();
  });
});
