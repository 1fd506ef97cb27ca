/** Names that show their types, in a browser, on the built site. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { markdownOf, markdownPages } from "./checks/built-site.ts";
import { hydrated, violations, watch } from "./checks/pages.ts";
import { browser, siteInChromium } from "./checks/site-in-chromium.ts";

const TYPE = "function runGuest(vcpu: Vcpu, buses: Buses, options?: RunOptions): Exit";

it.each(markdownPages().filter(page => page.startsWith("chapters/")))("%s has blocks with types", page => {
  expect(markdownOf(page).match(/^<<< .*\{ts twoslash\}$/gm)?.length).toBeGreaterThanOrEqual(2);
});

describe("types in Chromium", browser.options, () => {
  const site = siteInChromium();

  async function open(colorScheme: "dark" | "light", width: number) {
    const context = await site.chrome.newContext({
      colorScheme,
      viewport: { width, height: 850 },
      hasTouch: width < 600,
    });
    const page = await context.newPage();
    const problems = watch(page);
    await page.goto(`${site.server.url}chapters/01-minimal-vm.html`);
    await hydrated(page);
    await page.evaluate(() => {
      for (const folded of document.querySelectorAll("details")) folded.open = true;
    });
    const name = page.locator(".source-block", { hasText: "vmm.ts" }).locator(".typed").first();
    await name.scrollIntoViewIfNeeded();
    return { context, page, problems, name };
  }

  it("show under the pointer, which may go over to them, and go with Escape", browser.options, async () => {
    const { context, page, problems, name } = await open("light", 1280);
    await name.hover();
    await popup(page).getByText(TYPE).waitFor();
    expect(await popup(page).textContent()).toContain("Runs the guest and handles its exits");
    await popup(page).hover();
    expect(await popup(page).isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    await popup(page).waitFor({ state: "detached" });
    await name.hover();
    await page.locator(".file-bar").first().hover();
    await popup(page).waitFor({ state: "detached" });
    expect(problems).toEqual([]);
    await context.close();
  });

  it("are reached by one Tab a block and the arrow keys", browser.options, async () => {
    const { context, page, name } = await open("light", 1280);
    const block = name.locator("xpath=ancestor::pre");
    await block.focus();
    await page.keyboard.press("Tab");
    await popup(page).getByText(TYPE).waitFor();
    expect(await name.getAttribute("aria-describedby")).toBe(await popup(page).getAttribute("id"));
    await page.keyboard.press("ArrowRight");
    await popup(page).getByText("vcpu: Vcpu").waitFor();
    expect(await popup(page).textContent()).toContain("parameter");
    expect(await name.getAttribute("aria-describedby")).toBeNull();
    await page.keyboard.press("Tab");
    await popup(page).waitFor({ state: "detached" });
    await context.close();
  });

  it.each([
    ["dark", 1280],
    ["light", 390],
    ["dark", 360],
  ] as const)("stay inside the window, readable: %s, %i px", browser.options, async (scheme, width) => {
    const { context, page, name } = await open(scheme, width);
    if (width < 600) await name.tap();
    else await name.hover();
    const box = (await popup(page).boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect(await violations(page)).toEqual([]);
    await context.close();
  });
});

function popup(page: Page) {
  return page.getByRole("tooltip");
}
