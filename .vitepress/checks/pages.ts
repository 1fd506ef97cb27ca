/** What the tests in a browser look at on every page. */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { ROOT } from "./built-site.ts";

/** Collects what the page complains about. */
export function watch(page: Page): string[] {
  const problems: string[] = [];
  page.on("console", message => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  page.on("pageerror", error => problems.push(error.message));
  page.on("requestfailed", request => {
    // Leaving a page aborts what it was prefetching; that is no failure.
    const { errorText } = request.failure()!;
    if (errorText !== "net::ERR_ABORTED") problems.push(`${request.url()}: ${errorText}`);
  });
  return problems;
}

/** Waits until Vue has taken over the page. */
export async function hydrated(page: Page): Promise<void> {
  await page.waitForFunction(() => "__vue_app__" in document.querySelector("#app")!, undefined, {
    timeout: 10_000,
  });
}

/** Pixels by which the document is wider than the window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** Serious and critical violations that axe finds, with the first element of each. */
export async function violations(page: Page, part = "html"): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) {
    await page.addScriptTag({ path: join(ROOT, "node_modules/axe-core/axe.min.js") });
  }
  return page.evaluate(async within => {
    const { axe } = globalThis as unknown as { axe: { run(part: string): Promise<AxeResult> } };
    const { violations: found } = await axe.run(within);
    return found
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0]!.html} ${nodes[0]!.failureSummary}`);
  }, part);
}
