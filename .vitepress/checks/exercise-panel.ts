/** The editor of an exercise, as the tests in a browser use it. */
import type { Locator, Page } from "playwright-core";
import type { Task } from "../../chapters/tools/chapter-manifest.ts";
import { hydrated, watch } from "./pages.ts";

export function item(page: Page, task: Task): Locator {
  return page.locator(`[data-task="${task.id}"]`);
}

export async function solve(page: Page, task: Task): Promise<void> {
  const opener = item(page, task).locator(".solve-open");
  if ((await opener.getAttribute("aria-expanded")) === "false") await opener.click();
}

export function editor(page: Page): Locator {
  return page.locator(".solve .cm-content").first();
}

export function button(page: Page, name: string): Locator {
  return page.locator(".solve").getByRole("button", { name, exact: true });
}

/** Loads files as a learner does, from the disk into the editor. */
export async function load(
  page: Page,
  files: readonly (readonly [name: string, text: string])[],
): Promise<void> {
  await editor(page).waitFor();
  await page
    .locator('.solve input[type="file"]')
    .setInputFiles(
      files.map(([name, text]) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) })),
    );
  await page.locator(".solve-status").filter({ hasText: /oaded/ }).waitFor();
}

/** Does it, and waits until the tests that it starts have run. */
export async function settled(page: Page, act: () => Promise<void>): Promise<void> {
  await act();
  await page
    .locator('.solve[data-running="true"]')
    .waitFor({ timeout: 2000 })
    .catch(() => undefined);
  await page.locator('.solve[data-running="false"]').waitFor();
}

/** Whether the tests run by themselves after a change. */
export async function testAsTyped(page: Page, isWanted: boolean): Promise<void> {
  await page.getByLabel("as I type").setChecked(isWanted);
}

/** A chapter's page, and what it complains of. */
export async function openChapter(url: string, from: { newPage(): Promise<Page> }) {
  const page = await from.newPage();
  page.setDefaultTimeout(30_000);
  const problems = watch(page);
  // CodeMirror's own note, that the heights of wrapped lines took it many looks on a busy machine.
  page.on("console", message => {
    const at = problems.indexOf("Measure loop restarted more than 5 times");
    if (at >= 0 && message.type() === "warning") problems.splice(at, 1);
  });
  await page.goto(url);
  await hydrated(page);
  return { page, problems };
}
